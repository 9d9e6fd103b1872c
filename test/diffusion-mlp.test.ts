import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { gaussian } from '../src/diffusion/gaussian-mixture.ts';
import { classifierFree } from '../src/diffusion/guidance.ts';
import { PREDICTIONS, predictionRow } from '../src/diffusion/prediction.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { DiffusionMlp, type DiffusionMlpOptions } from '../src/models/networks/diffusion-mlp.ts';
import { DiffusionPipeline, networkTime, trainingSchedule } from '../src/models/pipeline.ts';
import { timestepEmbedding } from '../src/nn/time-embedding.ts';
import { Rng } from '../src/random/rng.ts';
import { close, refused } from './helpers.ts';
import { suite } from './suite.ts';

const TINY = { height: 2, width: 3, classes: 2, hidden: 5, inner: 4, depth: 2, condition: 4 };

/** A network with random values for all parameters, also those that start at 0. */
function network(options: DiffusionMlpOptions = {}): DiffusionMlp {
  const rng = new Rng(1);
  const made = new DiffusionMlp({ ...TINY, ...options, rng });
  for (const p of made.parameters()) rng.uniformInto(p, -0.7, 0.7);
  return made;
}

type Rows = number[][];
const silu = (x: number) => x / (1 + Math.exp(-x));
const each = (rows: Rows, f: (x: number) => number): Rows => rows.map((row) => row.map(f));
const sum = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((x, j) => x + b[i][j]));
const norm = (rows: Rows): Rows =>
  rows.map((row) => {
    const root = Math.sqrt(row.reduce((total, x) => total + x * x, 0) / row.length + 1e-6);
    return row.map((x) => x / root);
  });

/** The formula at the top of the network's file, in float64 with plain arrays. */
function byHand(model: DiffusionMlp, x: Rows, times: number[], columns: number[]): Rows {
  const state = model.stateDict();
  const layer = (name: string, rows: Rows): Rows => {
    const w = state.get(`${name}.weight`)!;
    const [out, inn] = w.shape as [number, number];
    const weights = w.toTypedArray();
    const bias = state.get(`${name}.bias`)?.toTypedArray() ?? new Float64Array(out);
    return rows.map((row) =>
      Array.from(bias, (b, o) => row.reduce((total, v, i) => total + v * weights[o * inn + i], b)),
    );
  };
  const embedded = times.map((t) => [...timestepEmbedding([t], TINY.condition).toTypedArray()]);
  const time = layer('time.second', each(layer('time.first', embedded), silu));
  const oneHot = columns.map((column) => Array.from({ length: 3 }, (_, i) => Number(i === column)));
  const c = each(sum(time, layer('label', oneHot)), silu);
  let h = layer('input', x);
  for (let k = 0; k < TINY.depth; k++) {
    const z = sum(layer(`blocks.${k}.a`, norm(h)), layer(`blocks.${k}.c`, c));
    h = sum(h, layer(`blocks.${k}.b`, each(z, silu)));
  }
  return layer('output', norm(h));
}

suite('diffusion mlp', (test) => {
  test('it computes the formula, with labels and without, as a loop in float64 does', () => {
    const model = network();
    const x = new Rng(2).normal([3, 2, 3, 1]);
    const rows = [0, 1, 2].map((i) => [...x.toTypedArray().subarray(6 * i, 6 * i + 6)]);
    const times = [0, 3, 999];
    const forward = (labels?: (number | null)[]) =>
      scope(() => model.forward(x, times, labels ? { labels } : {}).toTypedArray());
    close(forward([1, null, 0]), byHand(model, rows, times, [1, 2, 0]).flat(), 2e-6, 'labels');
    close(forward(), byHand(model, rows, times, [2, 2, 2]).flat(), 2e-6, 'none');
  });

  test('untrained it predicts 0, and after one step gradients reach every parameter', () => {
    const fresh = new DiffusionMlp({ ...TINY, rng: new Rng(0) });
    const x = new Rng(3).normal([2, 2, 3, 1]);
    assert.ok(
      fresh
        .forward(x, [5, 7])
        .toTypedArray()
        .every((y) => y === 0),
    );
    const model = network();
    model
      .forward(x, [5, 7], { labels: [0, null] })
      .sum()
      .backward();
    for (const [name, p] of model.namedParameters()) {
      assert.ok(
        p.grad!.toTypedArray().some((g) => g !== 0),
        name,
      );
    }
  });

  test('by default it has 2.6 million parameters, and names that a PyTorch module can have', () => {
    const names = [...new DiffusionMlp({ rng: new Rng(0) }).stateDict()].map(([name]) => name);
    assert.equal(names.slice(0, 6), [
      'time.first.weight',
      'time.first.bias',
      'time.second.weight',
      'time.second.bias',
      'label.weight',
      'input.weight',
    ]);
    assert.ok(names.includes('blocks.2.c.weight') && names.includes('output.bias'));
  });

  test('sizes, labels and times that do not fit are refused', () => {
    const model = network();
    const x = new Rng(2).normal([2, 2, 3, 1]);
    const t = [1, 2];
    refused(() => new DiffusionMlp({ hidden: 0 }), ValueError, /hidden to be a whole number >= 1, got 0/);
    refused(() => new DiffusionMlp({ classes: -1 }), ValueError, /classes to be a whole number >= 0, got -1/);
    refused(() => new DiffusionMlp({ condition: 5 }), ValueError, /even/);
    refused(() => model.forward(x, [1]), ShapeError, /expected 2 times, one per picture, got 1/);
    refused(
      () => model.forward(x.reshape(2, 6), t),
      ShapeError,
      'diffusion-mlp: expected pictures [b,2,3,1], got [2,6]',
    );
    refused(() => model.forward(x, t, { labels: [1] }), ShapeError, /expected 2 labels/);
    refused(() => model.forward(x, t, { labels: [0, 2] }), ValueError, /labels from 0 to 1, got 2/);
    refused(() => network({ classes: 0 }).forward(x, t, { labels: [0, null] }), ValueError, /no labels/);
  });

  test('guidance on it is (1 - scale)·without + scale·with; a model without classes refuses it', () => {
    const settings = { schedule: 'cosine', steps: 10, predicts: 'x0' } as const;
    const model = new DiffusionPipeline(network(), settings);
    const x = new Rng(4).normal([2, 2, 3, 1]);
    const at = (labels: (number | null)[]) => [...model.predict(x, 3, labels).toTypedArray()];
    const [told, none] = [at([0, 1]), at([null, null])];
    const guided = classifierFree(model, [0, 1], { scale: 3 }).predict(x, 3);
    close(
      guided.toTypedArray(),
      told.map((y, i) => 3 * y - 2 * none[i]),
      1e-5,
      'guided',
    );
    const unconditional = new DiffusionPipeline(network({ classes: 0 }), settings);
    refused(
      () => classifierFree(unconditional, [null], { scale: 2 }),
      ValueError,
      /unconditional one with scale 2/,
    );
    refused(() => classifierFree(unconditional, [3]), ValueError, /unconditional one with labels/);
  });

  test('for every kind of prediction the output is optimal if the data are normal around the network’s estimate', () => {
    const x = new Rng(5).normal([3, 2, 3, 1]);
    const answer = new DiffusionPipeline(network(), { schedule: 'cosine', steps: 40, predicts: 'x0' });
    for (const predicts of PREDICTIONS) {
      if (predicts === 'x0') continue;
      for (const schedule of ['cosine', 'linear', 'vp', 'flow'] as const) {
        const model = new DiffusionPipeline(network(), { schedule, steps: 40, predicts });
        const { tMin, tMax } = model.schedule;
        const times = [tMin, model.schedule.times?.[20] ?? 0.5 * tMax, tMax];
        const labels = [0, 1, null];
        const each = model.predictEach(x, times, labels).toTypedArray();
        for (const [i, t] of times.entries()) {
          const level = model.schedule.level(t);
          const told = networkTime(model.schedule, t);
          const y = answer.network.forward(x, [told, told, told], { labels }).toTypedArray();
          const own = x.slice([i], [i + 1]);
          // With one Gaussian around each estimate, the mixture gives the optimal x0, and eps follows from it.
          const data = gaussian(y.slice(6 * i, 6 * i + 6), 0.05 ** 2);
          const x0 = data.denoise(own, level).toTypedArray();
          const [p, q] = predictionRow(predicts, level);
          const wanted = Array.from(own.toTypedArray(), (value, j) => {
            const eps = (value - level.alpha * x0[j]) / level.sigma;
            return p * x0[j] + q * eps;
          });
          const most = Math.max(1, ...wanted.map(Math.abs));
          const where = `${predicts}, ${schedule}, t = ${t}`;
          const at = model.predict(x, t, labels).toTypedArray();
          close(at.slice(6 * i, 6 * i + 6), wanted, 1e-4 * most, where);
          close(each.slice(6 * i, 6 * i + 6), wanted, 1e-4 * most, `${where}, each its own time`);
        }
      }
    }
  });

  test('for every schedule the times of the network go up to 1000', () => {
    for (const schedule of ['cosine', 'linear', 'vp', 'flow'] as const) {
      const model = new DiffusionPipeline(network(), { schedule, steps: 50, predicts: 'v' });
      const told: number[] = [];
      const { network: asked } = model;
      const forward = asked.forward.bind(asked);
      asked.forward = (x, t, condition) => {
        told.push(t[0]);
        return forward(x, t, condition);
      };
      const { tMin, tMax } = model.schedule;
      const x = new Rng(4).normal([1, 2, 3, 1]);
      model.predict(x, tMax, [null]);
      model.predict(x, tMin, [null]);
      const third = model.schedule.times?.[17] ?? tMin + (tMax - tMin) / 3;
      model.predict(x, third, [null]);
      model.predictEach(x, [third], [null]);
      const exact = networkTime(model.schedule, third);
      assert.equal(told.slice(2), [exact, exact], 'in float64, no digit is lost on the way');
      assert.ok(told[0] > 950 && told[0] <= 1000 && told[1] >= 0 && told[1] < 20, `${schedule}: ${told}`);
    }
    refused(
      () => trainingSchedule({ schedule: 'cosin' as 'cosine', steps: 10 }),
      ValueError,
      /schedule: expected one of linear, .*, got "cosin"\. Did you mean "cosine"\?/,
    );
  });
});
