/**
 * TensorFlow.js with its WASM backend, which has one thread in Node: products, normals and the two training steps of
 * bench/step.ts and bench/lecture.ts. Kernels run when they are called. Reading the loss ends a step.
 */
import { dirname, join } from 'node:path';
import { requirePeer, serve } from './protocol.js';

const tf = requirePeer('@tensorflow/tfjs');
const wasm = requirePeer('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(join(dirname(requirePeer.resolve('@tensorflow/tfjs-backend-wasm')), '/'));
await tf.setBackend('wasm');
await tf.ready();

const BATCH = 64;
const DT = 0.25;

const gemm = (form) => (m, k, n) => {
  const [aT, bT] = [form[0] === 'T', form[1] === 'T'];
  const a = tf.randomUniform(aT ? [k, m] : [m, k]);
  const b = tf.randomUniform(bT ? [n, k] : [k, n]);
  return () => tf.matMul(a, b, aT, bT).dispose();
};

/** PyTorch's initial values, as variables. */
function dense(input, output) {
  const bound = 1 / Math.sqrt(input);
  const weight = tf.variable(tf.randomUniform([input, output], -bound, bound));
  const bias = tf.variable(tf.randomUniform([output], -bound, bound));
  return (x, activation) => tf.fused.matMul({ a: x, b: weight, bias, activation });
}

function network(widths, last) {
  const layers = widths.slice(1).map((width, i) => dense(widths[i], width));
  return (x) => layers.reduce((h, layer, i) => layer(h, i < layers.length - 1 ? 'relu' : last), x);
}

function denoiserStep() {
  const model = network([784, 400, 400, 400, 784], 'sigmoid');
  const adam = tf.train.adam(1e-3);
  const clean = tf.randomUniform([BATCH, 784]);
  const loss = () => {
    const noisy = tf.add(clean, tf.mul(tf.randomNormal(clean.shape), 0.5));
    return tf.losses.meanSquaredError(clean, model(noisy));
  };
  return () => {
    const value = adam.minimize(loss, true);
    value.dataSync();
    value.dispose();
  };
}

function lectureStep() {
  const model = network([785, 400, 400, 784], 'linear');
  const adam = tf.train.adam(1e-3);
  const data = tf.randomUniform([BATCH, 784]);
  const noise = () => tf.mul(tf.randomNormal(data.shape), Math.sqrt(DT));
  const loss = () => {
    let noisy = data;
    for (let i = 0; i < 4; i++) noisy = tf.add(noisy, noise());
    const terms = [0.75, 0.5, 0.25, 0].map((t) => {
      const denoised = tf.sub(noisy, noise());
      const predicted = model(tf.concat([denoised, tf.fill([BATCH, 1], t)], 1));
      return tf.losses.meanSquaredError(tf.div(tf.sub(data, denoised), DT), predicted);
    });
    return tf.addN(terms);
  };
  return () => {
    const value = adam.minimize(loss, true);
    value.dataSync();
    value.dispose();
  };
}

await serve(`TensorFlow.js ${tf.version.tfjs}, WASM`, {
  'gemm NN': gemm('NN'),
  'gemm NT': gemm('NT'),
  'gemm TN': gemm('TN'),
  gaussian: (n) => () => tf.randomNormal([n]).dispose(),
  'denoiser step': denoiserStep,
  'lecture step': lectureStep,
});
