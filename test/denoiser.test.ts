import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { backend, setBackend, setThreads } from '../src/backend/backend.ts';
import { type TrainTest, take } from '../src/data/dataset.ts';
import { loadMnist } from '../src/data/mnist.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { DivergenceError, ShapeError, ValueError } from '../src/errors.ts';
import { ConvDenoiser } from '../src/models/networks/conv-denoiser.ts';
import { Denoiser, type DenoiserOptions } from '../src/models/networks/denoiser.ts';
import {
  addNoise,
  type TrainDenoiserOptions,
  testDenoiser,
  trainDenoiser,
} from '../src/models/training/denoiser.ts';
import type { BatchEvent, EpochEvent } from '../src/models/training/events.ts';
import { Rng } from '../src/random/rng.ts';
import { mse } from '../src/tensor/functions.ts';
import { close, refused } from './helpers.ts';
import { suite } from './suite.ts';

const strokes = loadStrokes({ train: 640, test: 300 });

/** A denoiser whose initial values are a function of a seed. */
const denoiser = (options: DenoiserOptions = {}, seed: string | number = 0) =>
  new Denoiser({ rng: new Rng(seed).stream('initial values'), ...options });
const SMALL = { hidden: 24, code: 16 };

function run(model: Denoiser, options: Partial<TrainDenoiserOptions> = {}) {
  const events = [...trainDenoiser(model, { ...strokes, epochs: 1, every: 1, ...options })];
  return {
    batches: events.filter((e): e is BatchEvent => e.type === 'batch'),
    epochs: events.filter((e): e is EpochEvent => e.type === 'epoch'),
    order: events.map((e) => (e.type === 'batch' ? `${e.epoch}.${e.batch}` : `epoch ${e.epoch}`)),
  };
}

const values = (model: Denoiser) => model.parameters().map((p) => [...p.toTypedArray()]);

/** The loss of the best constant picture: the variance of the pixels over the set. */
function varianceOf({ test: { images, length } }: TrainTest): number {
  let variance = 0;
  for (let pixel = 0; pixel < 784; pixel++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < length; i++) {
      const value = images[i * 784 + pixel] / 255;
      sum += value;
      squares += value * value;
    }
    variance += (squares / length - (sum / length) ** 2) / 784;
  }
  return variance;
}

/** The losses of five batches of 64 strokes, each a float32, and of 300 test strokes, a mean of two batches. */
const GOLDEN = {
  batches: [
    0.23034997284412384, 0.22566500306129456, 0.2177535891532898, 0.20256243646144867, 0.17118515074253082,
  ],
  testLoss: 0.12724755962689718,
};

suite('denoiser', (test) => {
  test('its parameters have the names, shapes and order of the same two Sequential in PyTorch', () => {
    const shapes = [...denoiser().stateDict()].map(([name, { shape }]) => `${name} [${shape}]`);
    assert.equal(shapes, [
      'encoder.0.weight [400,784]',
      'encoder.0.bias [400]',
      'encoder.2.weight [400,400]',
      'encoder.2.bias [400]',
      'decoder.0.weight [400,400]',
      'decoder.0.bias [400]',
      'decoder.2.weight [784,400]',
      'decoder.2.bias [784]',
    ]);
  });

  test('the convolutional denoiser learns more from the same few pictures, and accepts pictures of any size', () => {
    const few = { ...strokes, train: take(strokes.train, 200), epochs: 4, batchSize: 20 };
    const [mlp, conv] = [denoiser(SMALL), new ConvDenoiser({ height: 28, width: 28 }, new Rng(0))].map(
      (model) => [...trainDenoiser(model, few)].at(-1) as EpochEvent,
    );
    assert.ok(conv.testLoss < 0.5 * mlp.testLoss, `${conv.testLoss} and ${mlp.testLoss}`);
    const odd = new ConvDenoiser({ height: 5, width: 7, channels: 2 }, new Rng(1));
    const said = odd.forward(new Rng(2).uniform([3, 5, 7, 2]));
    assert.equal(said.shape, [3, 5, 7, 2]);
    assert.ok(said.toTypedArray().every((v) => v > 0 && v < 1));
    refused(
      () => odd.forward(new Rng(2).uniform([3, 7, 5, 2])),
      ShapeError,
      'conv-denoiser: expected pictures [b,5,7,2], got [3,7,5,2]',
    );
    refused(
      () => [...trainDenoiser(odd, strokes)],
      ShapeError,
      /expected pictures of 5x7x2, got strokes train with 28x28/,
    );
  });

  test('it computes sigmoid(W·relu(W·relu(W·relu(W·x)))) with biases, as a loop in float64 does', () => {
    const sizes = { inputs: 6, hidden: 5, code: 3 };
    const model = denoiser(sizes);
    const x = new Rng(1).normal([2, 6]);
    let rows = [0, 1].map((i) => [...x.toTypedArray().subarray(6 * i, 6 * i + 6)]);
    const state = model.stateDict();
    const layers = ['encoder.0', 'encoder.2', 'decoder.0', 'decoder.2'];
    for (const layer of layers) {
      const [w, b] = [state.get(`${layer}.weight`)!, state.get(`${layer}.bias`)!];
      const [weights, bias] = [w.toTypedArray(), b.toTypedArray()];
      rows = rows.map((row) =>
        Array.from(bias, (start, out) => {
          const sum = row.reduce((total, v, i) => total + v * weights[out * row.length + i], start);
          return layer === 'decoder.2' ? 1 / (1 + Math.exp(-sum)) : Math.max(0, sum);
        }),
      );
    }
    close(model.forward(x).toTypedArray(), rows.flat(), 1e-6, 'forward');
  });

  test('noise has the given standard deviation and is not clipped', () => {
    scope(() => {
      const x = new Rng(3).uniform([100, 784]);
      const noise = Float64Array.from(addNoise(x, 0.5, new Rng(4)).sub(x).toTypedArray());
      const mean = noise.reduce((a, b) => a + b) / noise.length;
      const variance = noise.reduce((a, b) => a + (b - mean) ** 2, 0) / noise.length;
      // Four standard errors of n = 78,400 normals.
      assert.ok(Math.abs(mean) < (4 * 0.5) / Math.sqrt(noise.length), `mean ${mean}`);
      assert.ok(Math.abs(variance / 0.25 - 1) < 4 * Math.sqrt(2 / noise.length), `variance ${variance}`);
      const noisy = [...addNoise(x, 0.5, new Rng(4)).toTypedArray()];
      assert.ok(noisy.some((v) => v < -0.5) && noisy.some((v) => v > 1.5));
    });
  });

  test('batch events come at an interval and at the last batch of an epoch, then the epoch event; both count from 1', () => {
    const { order, batches, epochs } = run(denoiser(SMALL), { every: 4, epochs: 2 });
    assert.equal(order, ['1.4', '1.8', '1.10', 'epoch 1', '2.4', '2.8', '2.10', 'epoch 2']);
    assert.is(batches[0].batches, 10);
    const [first] = epochs;
    close(
      [(4 * batches[0].loss + 4 * batches[1].loss + 2 * batches[2].loss) / 10],
      [first.trainLoss],
      1e-12,
      'mean',
    );
    assert.ok(Math.abs(first.imagesPerSecond * first.seconds - 640) < 1e-6);
  });

  test('the mean loss of an epoch is over pictures, not over batches', () => {
    const { batches, epochs } = run(denoiser(SMALL), { train: take(strokes.train, 70) });
    close([(64 * batches[0].loss + 6 * batches[1].loss) / 70], [epochs[0].trainLoss], 1e-12, 'mean');
  });

  test('it learns: in four epochs on 640 strokes the loss falls each time, far below that of the best constant picture', () => {
    const { epochs } = run(denoiser({ hidden: 100, code: 64 }), { epochs: 4, batchSize: 16, lr: 3e-3 });
    const losses = epochs.map((e) => e.testLoss);
    const fixed = varianceOf(strokes);
    assert.ok(losses[3] < 0.7 * fixed, `${losses[3]} against ${fixed}`);
    assert.equal(
      losses,
      [...losses].sort((a, b) => b - a),
    );
  });

  test('the same model and options give the same bits, and another seed other bits', () => {
    const results = [0, 0, 1].map((seed) => {
      const model = denoiser(SMALL);
      const { batches, epochs } = run(model, { seed });
      return { losses: [...batches.map((b) => b.loss), epochs[0].testLoss], values: values(model) };
    });
    assert.equal(results[0], results[1]);
    assert.not.equal(results[0].losses, results[2].losses);
  });

  test('the test noise is the same after every epoch, the training noise is not', () => {
    // A step of 1e-30 changes no parameter on either backend: only the noise differs.
    const { epochs } = run(denoiser(SMALL), { epochs: 2, lr: 1e-30 });
    assert.is(epochs[0].testLoss, epochs[1].testLoss);
    assert.is.not(epochs[0].trainLoss, epochs[1].trainLoss);
  });

  test('the test loss is the mean over all pictures, also where the last batch is smaller', () => {
    const model = denoiser(SMALL);
    const expected = scope(() => {
      const pixels = Float32Array.from(strokes.test.images, (v) => v / 255);
      const clean = new Rng(0).normal([300, 784]).set(pixels);
      const noisy = addNoise(clean, 0.5, new Rng(9).stream('test noise'));
      return mse(model.forward(noisy), clean).item();
    });
    close([testDenoiser(model, strokes.test, 0.5, 9)], [expected], 1e-6, 'test loss');
  });

  test("training leaves no memory behind but the optimiser's, also when its caller stops in the middle", () => {
    const { heap, arena } = backend();
    const model = denoiser(SMALL);
    const training = trainDenoiser(model, { ...strokes, epochs: 3, every: 1 });
    training.next();
    training.next();
    const [used, high] = [heap.usedBytes, arena.highWater];
    for (let i = 0; i < 6; i++) training.next();
    assert.equal([heap.usedBytes, arena.highWater], [used, high], 'flat after the second step');
    training.return();
    assert.ok(heap.usedBytes < used, 'the loader and the copy of the parameters are freed');
    assert.is(training.next().done, true);
  });

  test.when(backend().name === 'wasm', 'a step allocates no typed array but the labels of its batch', () => {
    const training = trainDenoiser(denoiser(SMALL), { ...strokes, epochs: 1, every: 1 });
    for (let i = 0; i < 3; i++) training.next();
    let allocated = 0;
    const originals = [Float32Array, Float64Array, Uint32Array, Uint8Array];
    for (const original of originals) {
      // A view of a buffer allocates nothing. A constructor with a length or a list allocates.
      const counting = new Proxy(original, {
        construct(target, args, self) {
          if (!(args[0] instanceof ArrayBuffer || args[0] instanceof SharedArrayBuffer)) allocated++;
          return Reflect.construct(target, args, self);
        },
      });
      Object.assign(globalThis, { [original.name]: counting });
    }
    try {
      for (let i = 0; i < 5; i++) training.next();
      assert.is(allocated, 5);
      assert.is(new Float32Array(1).length + allocated, 7, 'the count works');
    } finally {
      for (const original of originals) Object.assign(globalThis, { [original.name]: original });
    }
  });

  test('a loss that is not finite ends training, names epoch and batch, and restores the model', () => {
    const model = denoiser(SMALL);
    const initial = values(model);
    refused(
      () => run(model, { lr: 1e300 }),
      DivergenceError,
      'training diverged in epoch 1, batch 2 of 10: expected a finite loss, got NaN; the model is back to its initial values; take a smaller learning rate than 1e+300',
    );
    assert.equal(values(model), initial);

    const training = trainDenoiser(model, { ...strokes, epochs: 3 });
    for (const event of training) if (event.type === 'epoch') break;
    assert.not.equal(values(model), initial, 'that loop returned, and its training is kept');

    const again = trainDenoiser(model, { ...strokes, epochs: 3 });
    while (again.next().value?.type !== 'epoch');
    const kept = values(model);
    model.parameters()[0].set(new Float32Array(24 * 784).fill(Number.NaN));
    refused(
      () => again.next(),
      DivergenceError,
      /epoch 2, batch 1 of 10: .*NaN; .*its values after epoch 1; take a smaller learning rate than 0\.001$/,
    );
    assert.equal(values(model), kept);
  });

  test('settings out of range and pictures of another size are refused in one line', () => {
    const bad: [Partial<TrainDenoiserOptions>, string][] = [
      [{ epochs: 0 }, 'training: expected epochs to be a whole number >= 1, got 0'],
      [{ epochs: 1.5 }, 'training: expected epochs to be a whole number >= 1, got 1.5'],
      [{ batchSize: 0 }, 'loader: expected a batch size of 1 or more, got 0'],
      [{ every: -1 }, 'training: expected every to be a whole number >= 1, got -1'],
      [{ lr: 0 }, 'training: expected lr > 0, got 0'],
      [{ lr: Infinity }, 'training: expected lr > 0, got Infinity'],
      [{ noise: -0.1 }, 'training: expected noise >= 0, got -0.1'],
      [{ noise: Number.NaN }, 'training: expected noise >= 0, got NaN'],
    ];
    for (const [options, message] of bad) refused(() => run(denoiser(SMALL), options), ValueError, message);
    refused(
      () => run(denoiser({ inputs: 100 })),
      ShapeError,
      'training: expected pictures of 100 pixels, got strokes train with 28x28',
    );
    refused(
      () => denoiser({ hidden: 0 }),
      ValueError,
      'denoiser: expected hidden to be a whole number >= 1, got 0',
    );
  });

  test('both backends train alike: the same losses to the accuracy of float32', () => {
    const before = backend().name;
    const losses = (['wasm', 'reference'] as const).map((name) => {
      setBackend(name);
      try {
        const { batches } = run(denoiser(SMALL), { train: take(strokes.train, 320) });
        return batches.map((b) => b.loss);
      } finally {
        setBackend(before);
      }
    });
    close(losses[0], losses[1], (i) => 2e-6 * losses[1][i] * (i + 1), 'losses');
  });

  // The wasm backend's strict build: these are the float32 bits on every engine and any number of threads.
  test.when(
    backend().name === 'wasm',
    "golden: the first losses of the lecture's denoiser, bit for bit",
    () => {
      for (const threads of [1, 2]) {
        setThreads(threads);
        const { batches, epochs } = run(denoiser(), { train: take(strokes.train, 320) });
        assert.equal(
          batches.map((b) => b.loss),
          GOLDEN.batches,
          `${threads} threads`,
        );
        assert.is(epochs[0].testLoss, GOLDEN.testLoss);
      }
    },
  );

  const mnist = process.env.LANGEVIN_MNIST;
  test.when(mnist !== undefined, 'on MNIST a tenth of an epoch is well on its way to 0.0196', async () => {
    const data = await loadMnist({ dataDir: mnist });
    const sets = { train: take(data.train, 6400), test: take(data.test, 500) };
    const { epochs } = run(denoiser(), sets);
    assert.ok(epochs[0].testLoss < 0.055, String(epochs[0].testLoss));
  });
});
