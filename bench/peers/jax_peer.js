/**
 * jax-js on its WASM device: products, normals and the two training steps of bench/step.ts and bench/lecture.ts. Each
 * step is one `jit` of loss, gradient and Adam, as its guide recommends. A function frees its arguments. `x.ref` is
 * an argument that is not freed.
 */
import { pathToFileURL } from 'node:url';
import { requirePeer, serve } from './protocol.js';

// Its CommonJS and ES modules are two copies of the library. We use the ES module, as its users do.
const entry = requirePeer.resolve('@jax-js/jax').replace(/\.cjs$/, '.js');
const {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  nn,
  numpy: np,
  random,
  valueAndGrad,
} = await import(pathToFileURL(entry).href);
await init('wasm');
defaultDevice('wasm');

const BATCH = 64;
const DT = 0.25;
let seed = 0;
const uniform = (shape, bound = 1) =>
  random
    .uniform(random.key(seed++), shape)
    .mul(2 * bound)
    .sub(bound);

const gemm = (form) => (m, k, n) => {
  const [aT, bT] = [form[0] === 'T', form[1] === 'T'];
  const a = uniform(aT ? [k, m] : [m, k]);
  const b = uniform(bT ? [n, k] : [k, n]);
  const product = jit((x, y) => np.matmul(aT ? x.transpose() : x, bT ? y.transpose() : y));
  return async () => (await blockUntilReady(product(a.ref, b.ref))).dispose();
};

const gaussian = (n) => async () => {
  const key = random.key(seed++);
  (await blockUntilReady(random.normal(key, [n]))).dispose();
};

const parameters = (widths) =>
  widths.slice(1).map((width, i) => {
    const bound = 1 / Math.sqrt(widths[i]);
    return { weight: uniform([widths[i], width], bound), bias: uniform([width], bound) };
  });

/** A dense network with ReLU between its layers. */
const network = (layers, x) =>
  layers.reduce((h, { weight, bias }, i) => {
    const z = np.matmul(h, weight).add(bias);
    return i < layers.length - 1 ? nn.relu(z) : z;
  }, x);

const squared = (x) => np.square(x).mean();

/** One step of Adam on a tree of arrays. The bias corrections are those of a late step. */
function adam(p, g, m, v) {
  const m1 = m.mul(0.9).add(g.ref.mul(0.1));
  const v1 = v.mul(0.999).add(np.square(g).mul(0.001));
  return [p.sub(m1.ref.mul(1e-3).div(np.sqrt(v1.ref).add(1e-8))), m1, v1];
}

/**
 * A training step of `loss(layers, data, noise)`. `noises` is the number of new noise arrays in each step. Each has the
 * data's shape.
 */
function training(widths, noises, loss) {
  const zeros = (layers) =>
    layers.map(({ weight, bias }) => ({ weight: np.zeros(weight.shape), bias: np.zeros(bias.shape) }));
  let p = parameters(widths);
  let [m, v] = [zeros(p), zeros(p)];
  const data = random.uniform(random.key(seed++), [BATCH, 784]);
  const step = jit((p, m, v, data, key) => {
    const noise = random.normal(key, [noises, BATCH, 784]);
    const kept = p.map(({ weight, bias }) => ({ weight: weight.ref, bias: bias.ref }));
    const [value, g] = valueAndGrad(loss)(kept, data, noise);
    const updated = p.map(({ weight, bias }, i) => [
      adam(weight, g[i].weight, m[i].weight, v[i].weight),
      adam(bias, g[i].bias, m[i].bias, v[i].bias),
    ]);
    const part = (which) => updated.map(([weight, bias]) => ({ weight: weight[which], bias: bias[which] }));
    return { p: part(0), m: part(1), v: part(2), value };
  });
  return async () => {
    const next = step(p, m, v, data.ref, random.key(seed++));
    ({ p, m, v } = next);
    await next.value.data();
  };
}

const denoiserStep = () =>
  training([784, 400, 400, 400, 784], 1, (layers, clean, noise) => {
    const noisy = clean.ref.add(noise.reshape([BATCH, 784]).mul(0.5));
    return squared(nn.sigmoid(network(layers, noisy)).sub(clean));
  });

const lectureStep = () =>
  training([785, 400, 400, 784], 8, (layers, data, noise) => {
    const rows = np.split(noise.mul(Math.sqrt(DT)), 8).map((row) => row.reshape([BATCH, 784]));
    let noisy = data.ref;
    for (const row of rows.slice(0, 4)) noisy = noisy.add(row);
    const terms = [0.75, 0.5, 0.25, 0].map((t, i) => {
      const denoised = noisy.ref.sub(rows[4 + i]);
      const column = np.full([BATCH, 1], t);
      const last = i === 3;
      const kept = layers.map(({ weight, bias }) => ({
        weight: last ? weight : weight.ref,
        bias: last ? bias : bias.ref,
      }));
      const predicted = network(kept, np.concatenate([denoised.ref, column], 1));
      return squared(predicted.sub(data.ref.sub(denoised).div(DT)));
    });
    noisy.dispose();
    data.dispose();
    return terms.reduce((a, b) => a.add(b));
  });

await serve('jax-js, WASM', {
  'gemm NN': gemm('NN'),
  'gemm NT': gemm('NT'),
  'gemm TN': gemm('TN'),
  gaussian,
  'denoiser step': denoiserStep,
  'lecture step': lectureStep,
});
