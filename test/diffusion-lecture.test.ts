/** The lecture's diffusion model: its loss as in the slides, its closed forms, its training. */
import * as assert from 'uvu/assert';
import { backend, setBackend } from '../src/backend/backend.ts';
import { createDataset } from '../src/data/dataset.ts';
import { DivergenceError, ShapeError, ValueError } from '../src/errors.ts';
import {
  covarianceOf,
  lectureGaussianBest,
  lectureLinearBest,
  lectureNoise,
  lecturePointsBest,
  lectureZeroLoss,
} from '../src/models/lecture/analysis.ts';
import { LectureNetwork, lectureLoss, lectureSchedule } from '../src/models/lecture/lecture.ts';
import { LECTURE_SETTINGS, LectureRecipe, lectureTrainer } from '../src/models/training/lecture.ts';
import { Trainer } from '../src/models/training/loop.ts';
import type { Source } from '../src/models/training/recipe.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { suite } from './suite.ts';

const near = (value: number, expected: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${what}: ${value} is not ${expected} ± ${tolerance}`);

function refused(
  action: () => unknown,
  message: RegExp,
  kind: ErrorConstructor | typeof ValueError = ValueError,
): void {
  assert.throws(action, (error: Error) => error instanceof kind && message.test(error.message));
}

/** n pictures of two pixels. */
const pictures = (n: number) =>
  createDataset({
    name: 'p',
    height: 1,
    width: 2,
    classes: 1,
    images: Uint8Array.from({ length: 2 * n }, (_, i) => 100 * i),
    labels: new Uint8Array(n),
  });

suite('diffusion: the lecture’s model', (test) => {
  setBackend('reference');

  test('five times from 0 to 1, and 785-400-400-784', () => {
    assert.equal([...lectureSchedule()], [0, 0.25, 0.5, 0.75, 1]);
    const model = new LectureNetwork();
    const shapes = model.namedParameters().map(([name, p]) => [name, ...p.shape]);
    assert.equal(shapes, [
      ['layers.0.weight', 400, 785],
      ['layers.0.bias', 400],
      ['layers.2.weight', 400, 400],
      ['layers.2.bias', 400],
      ['layers.4.weight', 784, 400],
      ['layers.4.bias', 784],
    ]);
    model.dispose();
  });

  test('the time is the last column', () => {
    const model = new LectureNetwork(3, 4, new Rng(1));
    const x = tensor([
      [0.1, 0.2, 0.3],
      [1, 2, 3],
    ]);
    const by = model.forward(
      tensor([
        [0.1, 0.2, 0.3, 0.75],
        [1, 2, 3, 0.75],
      ]),
    );
    assert.equal(model.at(x, 0.75).toArray(), by.toArray());
    assert.throws(
      () => model.at(zeros([2, 4]), 0),
      (error: Error) => error instanceof ShapeError,
    );
  });

  test('the loss is that of the slide for the same random draws', () => {
    for (const carry of [false, true]) {
      const data = new Rng('data').uniform([3, 2]);
      const seen: number[] = [];
      const model = (x: Tensor, t: number) => {
        seen.push(t);
        return x.mul(0.5).add(t);
      };
      const loss = lectureLoss(model, data, new Rng('noise'), { carry }).item();
      assert.equal(seen, [0.75, 0.5, 0.25, 0]);
      // The same in plain numbers, with the same draws
      const rng = new Rng('noise');
      const draw = () => [...rng.normal([3, 2]).toTypedArray()];
      const original = [...data.toTypedArray()];
      let noisy = original;
      for (let t = 0; t < 4; t++) {
        const z = draw();
        noisy = noisy.map((v, i) => v + z[i]! * Math.sqrt(0.25));
      }
      let wanted = 0;
      for (const time of [0.75, 0.5, 0.25, 0]) {
        const z = draw();
        const denoised = noisy.map((v, i) => v - z[i]! * Math.sqrt(0.25));
        for (const [i, v] of denoised.entries()) {
          wanted += (0.5 * v + time - (original[i]! - v) / 0.25) ** 2 / 6;
        }
        if (carry) noisy = denoised;
      }
      near(loss, wanted, 1e-10 * wanted);
    }
  });

  test('the noise has variance 1.25 at every time, and a network that predicts 0 has a loss of 80', () => {
    assert.equal(
      lectureNoise().map(({ t, time, variance }) => [t, time, variance]),
      [
        [3, 0.75, 1.25],
        [2, 0.5, 1.25],
        [1, 0.25, 1.25],
        [0, 0, 1.25],
      ],
    );
    assert.equal(
      lectureNoise({ carry: true }).map(({ variance }) => variance),
      [1.25, 1.5, 1.75, 2],
    );
    assert.is(lectureZeroLoss(), 80);
    assert.is(lectureZeroLoss({ carry: true }), 104);
    // T = 2 has one step of 1: noise of variance 2.
    assert.is(lectureZeroLoss({ schedule: lectureSchedule(2) }), 2);
    setBackend('wasm');
    for (const carry of [false, true]) {
      const data = new Rng('data').uniform([500, 100]);
      const seen: number[] = [];
      const silent = (x: Tensor) => {
        const noise = x.sub(data);
        seen.push(noise.mul(noise).mean().item());
        return zeros(x.shape);
      };
      const loss = lectureLoss(silent, data, new Rng('zero'), { carry }).item();
      const wanted = lectureZeroLoss({ carry });
      // The four terms share most of their noise: the standard error is at most that of one of them.
      near(loss, wanted, 4 * wanted * Math.sqrt(2 / 50_000));
      for (const [i, { variance }] of lectureNoise({ carry }).entries()) {
        near(seen[i]!, variance, 4 * variance * Math.sqrt(2 / 50_000));
      }
    }
    setBackend('reference');
  });

  test('the best loss on Gaussian data is that of the posterior mean, by both formulas', () => {
    const variances = [0.5, 0.01, 2, 0];
    const best = lectureGaussianBest(variances);
    near(best, (4 * 16 * ((1.25 * 0.5) / 1.75 + 0.0125 / 1.26 + 2.5 / 3.25)) / 4, 1e-12);
    // The same covariance after a rotation
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const covariance = new Float64Array(16);
    for (const [j, v] of variances.entries()) covariance[5 * j] = v;
    covariance[0] = c * c * 0.5 + s * s * 0.01;
    covariance[5] = s * s * 0.5 + c * c * 0.01;
    covariance[1] = covariance[4] = c * s * (0.5 - 0.01);
    near(lectureLinearBest(covariance), best, 1e-10);
    near(
      lectureLinearBest(covariance, { carry: true }),
      lectureGaussianBest(variances, { carry: true }),
      1e-10,
    );
    // The loss of this network, on samples
    setBackend('wasm');
    const n = 20_000;
    const scales = tensor(variances.map(Math.sqrt));
    const data = new Rng('gauss').normal([n, 4]).mul(scales);
    const gains = tensor(variances.map((v) => (v / (v + 1.25) - 1) / 0.25));
    const loss = lectureLoss((x) => x.mul(gains), data, new Rng('best')).item();
    near(loss, best, 4 * best * Math.sqrt(2 / n));
    near(lectureLinearBest(covarianceOf(data)), best, 0.02 * best);
    setBackend('reference');
    assert.throws(
      () => lectureLinearBest(new Float64Array(5)),
      (e: Error) => e instanceof ShapeError,
    );
    refused(() => lectureLinearBest(Float64Array.of(1, 9, 9, 1)), /negative eigenvalue/);
  });

  test('the best loss on a set of points is that of their posterior mean', () => {
    // Two points a on a line at ±1: E[data|x] = tanh(x/V), and the error is E[1 - tanh²] by quadrature.
    const V = 1.25;
    let error = 0;
    for (let i = -4000; i <= 4000; i++) {
      const z = i / 400;
      const x = 1 + Math.sqrt(V) * z;
      const weight = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI) / 400;
      error += weight * (1 - Math.tanh(x / V)) ** 2;
    }
    const batch = tensor(
      Float64Array.from({ length: 20_000 }, (_, i) => (i % 2 ? 1 : -1)),
      [20_000, 1],
    );
    const best = lecturePointsBest(tensor([[1], [-1]]), batch, new Rng('points'));
    near(best, 64 * error, 0.02 * 64 * error);
    // Points that are many deviations apart can be distinguished: the error is 0.
    const far = tensor([[100], [-100]]);
    near(lecturePointsBest(far, far, new Rng(1)), 0, 1e-9);
  });

  test('training reaches the best loss and not less, with constant memory', () => {
    setBackend('wasm');
    // Two equal coordinates: a network of 3-24-24-2 learns them in a second.
    const rng = new Rng('train');
    const model = new LectureNetwork(2, 24, rng);
    const variance = 0.5;
    const gauss: Source = {
      dataset: { name: 'gauss', length: 40 * 256 },
      batches: 40,
      position: { epoch: 0, batch: 0 },
      next() {
        const { epoch, batch } = this.position;
        Object.assign(this, { position: { epoch: epoch + (batch === 39 ? 1 : 0), batch: (batch + 1) % 40 } });
        return { images: rng.normal([256, 2]).mul(Math.sqrt(variance)), labels: new Uint8Array(256) };
      },
      seek() {},
      dispose() {},
    };
    const pair = pictures(2);
    const recipe = new LectureRecipe(
      model,
      { train: pair, test: pair },
      { ...LECTURE_SETTINGS, seed: 'noise' },
    );
    const best = lectureGaussianBest([variance, variance]);
    const losses: number[] = [];
    let heap = 0;
    for (const event of new Trainer(recipe, gauss, { epochs: 5, lr: 5e-3 }).run()) {
      if (event.type === 'epoch') continue;
      losses.push(event.loss);
      assert.is(event.epoch, Math.ceil(losses.length / 40));
      if (losses.length === 1) heap = backend().arena.highWater;
    }
    assert.is(losses.length, 200);
    const last = losses.slice(-40).reduce((sum, v) => sum + v / 40, 0);
    near(losses[0]!, lectureZeroLoss(), 8, 'the first loss');
    assert.ok(last < 1.1 * best && last > 0.9 * best, `${last} against ${best}`);
    assert.is(backend().arena.highWater, heap);
    setBackend('reference');
  });

  test('a loss that is not finite ends the training and restores the model', () => {
    const model = new LectureNetwork(2, 4, new Rng(1));
    const before = [...model.stateDict()].map(([, p]) => [...p.toTypedArray()]);
    const two = pictures(2);
    const run = lectureTrainer(model, { train: two, test: two, epochs: 9, lr: 1e300 });
    refused(
      () => [...run.run()],
      /^training diverged in epoch 1, .*: expected a finite loss, got .*back to its initial values; take a smaller learning rate than 1e\+300$/,
      DivergenceError,
    );
    assert.equal(
      [...model.stateDict()].map(([, p]) => [...p.toTypedArray()]),
      before,
    );
  });

  test('bad settings are refused in one line', () => {
    for (const T of [0, 1, Number.NaN])
      refused(() => lectureSchedule(T), /lecture: T: expected a whole number/);
    const model = (x: Tensor) => x;
    refused(
      () => lectureLoss(model, zeros([1, 2]), new Rng(1), { schedule: [0, 1, 1] }),
      /an increasing schedule, got 1 after 1/,
    );
    const sets = { train: pictures(1), test: pictures(1) };
    const begin = (dimension: number, epochs: number) =>
      lectureTrainer(new LectureNetwork(dimension, 2, new Rng(1)), { ...sets, epochs });
    refused(() => begin(2, 0), /training: expected epochs to be a whole number >= 1, got 0/);
    refused(() => begin(3, 1), /training: expected pictures of 3 pixels, got p with 1x2/, ShapeError);
  });
});
