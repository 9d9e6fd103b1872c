/** Distillation: levels and targets of few steps, paths of a teacher, the recipe, and the sampling of a student. */
import * as assert from 'uvu/assert';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { continuousSchedule } from '../src/diffusion/continuous-schedule.ts';
import { createSchedule } from '../src/diffusion/discrete-schedule.ts';
import { fewStepLevels, fineLevels, jumps } from '../src/diffusion/few-steps.ts';
import { PREDICTIONS, predictor } from '../src/diffusion/prediction.ts';
import { createSampler, runSampler } from '../src/diffusion/samplers/index.ts';
import { FormatError, ValueError } from '../src/errors.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { type Condition, DiffusionNetwork } from '../src/models/networks/diffusion-network.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionInfo, diffusionOf } from '../src/models/pipeline.ts';
import { samplePictures } from '../src/models/sample.ts';
import { samplingOf } from '../src/models/sampling.ts';
import { DIFFUSION_SETTINGS, diffusionTrainer } from '../src/models/training/diffusion.ts';
import {
  DISTILL_SETTINGS,
  distillTrainer,
  resumeDistill,
  teacherSampling,
} from '../src/models/training/distill.ts';
import { PathSource, Paths } from '../src/models/training/paths.ts';
import { filledParameter } from '../src/nn/init.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused } from './helpers.ts';
import { saved, trainFor } from './helpers-training.ts';
import { suite } from './suite.ts';

const FLOW = { schedule: 'flow', predicts: 'flow', steps: 1000 } as const;
const STD = 0.1;
/** The mean of the data of each class, and of data without a label. */
const MEANS = [0.2, -0.3];
const MEAN_OF_ALL = -0.05;

/**
 * The exact velocity of data N(mean, STD²) in each pixel, as a network: with x = (1-t)·x0 + t·eps and the variance
 * S² = (1-t)²·STD² + t², E[x0 | x] = mean + (1-t)·STD²/S²·(x - (1-t)·mean), and v = (x - E[x0 | x])/t.
 */
class GaussianVelocity extends DiffusionNetwork {
  readonly kind = 'gaussian';
  readonly outputs = 'prediction';
  readonly sizes = { height: 2, width: 1, channels: 1, classes: 2 };
  readonly description = 'the exact velocity of normal data';

  forward(x: Tensor, times: ArrayLike<number>, { labels }: Condition = {}): Tensor {
    const rows = Array.from(times, (time, i) => {
      const [t, label] = [time / 1000, labels?.[i] ?? null];
      const mean = label === null ? MEAN_OF_ALL : MEANS[label];
      const share = ((1 - t) * STD * STD) / ((1 - t) ** 2 * STD * STD + t * t);
      return [(1 - share) / t, (-mean * (1 - share * (1 - t))) / t];
    });
    const [a, b] = [0, 1].map((side) =>
      tensor(
        rows.map((row) => row[side]),
        [rows.length, 1, 1, 1],
      ),
    );
    return x.mul(a).add(b);
  }
}

/** Where the exact flow of N(mean, STD²) leads from x at time t to time r: deviations scale with S. */
function exactFlow(x: number, t: number, r: number, mean: number): number {
  const spread = (time: number) => Math.hypot((1 - time) * STD, time);
  return (1 - r) * mean + (spread(r) / spread(t)) * (x - (1 - t) * mean);
}

const teacherOf = () => new DiffusionPipeline(new GaussianVelocity(), FLOW);
const SAMPLING = { teacherSteps: 64, guidance: 1, guidanceAbove: 0, guidanceBelow: 0 };

/** a·x + b, whose two numbers learn. */
class Line extends DiffusionNetwork {
  readonly kind = 'line';
  readonly outputs = 'prediction';
  readonly sizes = { height: 2, width: 1, channels: 1, classes: 2 };
  readonly description = 'a line';
  readonly slope = filledParameter([1, 1, 1, 1], 0);
  readonly offset = filledParameter([2, 1], 0);

  forward(x: Tensor, _t: ArrayLike<number>, { labels }: Condition = {}): Tensor {
    const oneHot = tensor(
      labels!.flatMap((label) => [label === 0 ? 1 : 0, label === 1 ? 1 : 0]),
      [labels!.length, 2],
    );
    return x.mul(this.slope).add(oneHot.matmul(this.offset).unsqueeze(1).unsqueeze(1));
  }
}

const rng = () => new Rng(3);
const mlp = (more: object = {}) =>
  new DiffusionMlp({ hidden: 12, inner: 10, depth: 1, condition: 8, rng: rng(), ...more });
const unet = () => new UNet({ hidden: 32, fine: 2, heads: 1, condition: 4, rng: rng() });
const RUN = {
  ...DISTILL_SETTINGS,
  student: 2,
  teacherSteps: 4,
  paths: 20,
  batchSize: 8,
  epochs: 3,
  seed: 'd',
};
/** A network whose output is not 0, which is that of a new one. */
function spoiled<N extends DiffusionNetwork>(network: N): N {
  for (const [i, p] of network.parameters().entries()) {
    if (p.toTypedArray().every((value) => value === 0)) {
      p.copyFrom(new Rng(i).normal(p.shape).mul(0.05));
    }
  }
  return network;
}
const bits = (network: DiffusionNetwork) => network.parameters().map((p) => p.toTypedArray().slice());

suite('distill', (test) => {
  test('the levels of N steps divide the time equally and end at the data; a teacher has them among its own', () => {
    const flow = continuousSchedule('flow');
    assert.equal(
      fewStepLevels(flow, 4).map(({ t, sigma }) => [t, sigma]),
      [
        [1, 1],
        [0.75, 0.75],
        [0.5, 0.5],
        [0.25, 0.25],
        [flow.tMin, 0],
      ],
    );
    for (const schedule of [flow, continuousSchedule('vp'), createSchedule('cosine', 1000)]) {
      for (const finish of [true, false]) {
        for (const steps of [1, 2, 4]) {
          const { levels, marks } = fineLevels(schedule, steps, 3, finish);
          assert.equal(
            marks.map((i) => levels[i]),
            fewStepLevels(schedule, steps),
            schedule.name,
          );
        }
      }
    }
    refused(() => fewStepLevels(flow, 0), ValueError, /1/);
    refused(
      () => fewStepLevels(flow, 1000),
      ValueError,
      /expected steps longer than 0\.001 on flow, got 1000/,
    );
  });

  test("Euler's step with the target of an interval leads from its beginning to its end, for every prediction", () => {
    const x = tensor([0.3, -1.2, 0.7], [3]);
    const end = tensor([0.1, -0.9, 2], [3]);
    for (const schedule of [
      continuousSchedule('flow'),
      continuousSchedule('vp'),
      createSchedule('cosine', 100),
    ]) {
      const levels = fewStepLevels(schedule, 4);
      for (const predicts of PREDICTIONS) {
        // At pure noise eps and the score do not determine the data.
        const first = levels[0].alpha === 0 && ['eps', 'score'].includes(predicts) ? 1 : 0;
        const rows = jumps(levels.slice(first), predicts);
        for (const [i, [a, b]] of rows.entries()) {
          const target = x.mul(a).add(end.mul(b));
          const euler = createSampler('euler', { levels: levels.slice(first + i, first + i + 2) });
          const model = predictor(predicts, () => target);
          const reached = runSampler(euler.sample(model, schedule, x, rng())).toArray() as number[];
          const expected = end.toArray() as number[];
          for (const [k, value] of reached.entries()) {
            assert.ok(Math.abs(value - expected[k]) < 2e-3, `${schedule.name} ${predicts} ${i}: ${value}`);
          }
        }
      }
    }
    const flow = continuousSchedule('flow');
    refused(
      () => jumps(fewStepLevels(flow, 2), 'eps'),
      ValueError,
      /at SNR 0 a model must predict v, x0 or flow/,
    );
  });

  test('on the flow schedule the target is the average velocity, whose halves fit together', () => {
    const levels = fewStepLevels(continuousSchedule('flow'), 2);
    const average = (from: number, to: number, x: number) => (x - exactFlow(x, from, to, 0.2)) / (from - to);
    for (const [i, [a, b]] of jumps(levels, 'flow').entries()) {
      const [t, r] = [levels[i].sigma, levels[i + 1].sigma];
      const x = 0.8;
      const u = a * x + b * exactFlow(x, t, r, 0.2);
      assert.ok(Math.abs(u - average(t, r, x)) < 1e-12);
      const s = (t + r) / 2;
      const middle = x - (t - s) * average(t, s, x);
      const split = ((t - s) * average(t, s, x) + (s - r) * average(s, r, middle)) / (t - r);
      assert.ok(Math.abs(u - split) < 1e-12);
      // The mean of the velocity v(x_s, s) along the path, by the midpoint rule.
      const n = 4000;
      let mean = 0;
      for (let k = 0; k < n; k++) {
        const time = r + ((k + 0.5) / n) * (t - r);
        const h = 1e-5;
        mean += (exactFlow(x, t, time + h, 0.2) - exactFlow(x, t, time - h, 0.2)) / (2 * h) / n;
      }
      assert.ok(Math.abs(u - mean) < 1e-5, `${u} ${mean}`);
    }
  });

  test("the states of a path are those of the teacher's exact flow, to second order, and guidance moves the mean", () => {
    const guidances = [
      { guidance: 1, meanOf: (label: number) => MEANS[label] },
      { guidance: 1.5, meanOf: (label: number) => MEAN_OF_ALL + 1.5 * (MEANS[label] - MEAN_OF_ALL) },
    ];
    for (const { guidance, meanOf } of guidances) {
      const errors = [32, 64].map((teacherSteps) => {
        const paths = new Paths(teacherOf(), 4, { ...SAMPLING, teacherSteps, guidance });
        const { states, labels } = paths.draw(6, rng());
        assert.equal(labels, [0, 1, 0, 1, 0, 1]);
        assert.is(states.length, 5);
        return Math.max(
          ...states.slice(1).flatMap((state, k) =>
            Array.from(state, (value, i) => {
              const [t, r] = [paths.levels[k].sigma, paths.levels[k + 1].sigma];
              return Math.abs(value - exactFlow(states[k][i], t, r, meanOf(labels[i >> 1]!)));
            }),
          ),
        );
      });
      assert.ok(errors[0] < 0.02 && errors[1] < errors[0] / 2.5, `${errors}`);
    }
  });

  test('a student of one step learns the average velocity of normal data, which is a line with known numbers', () => {
    // x1 is noise, and x0 = mean + STD·x1. So the average velocity is x1 - x0 = (1 - STD)·x1 - mean.
    const line = new Line();
    const student = new DiffusionPipeline(line, FLOW);
    const settings = {
      ...RUN,
      ...SAMPLING,
      student: 1,
      paths: 64,
      batchSize: 64,
      epochs: 400,
      lr: 0.05,
      ema: 0,
    };
    const run = distillTrainer(teacherOf(), student, settings);
    trainFor(run);
    const found = [line.slope, line.offset].flatMap((p) => [...p.toTypedArray()]);
    for (const [i, expected] of [1 - STD, -MEANS[0], -MEANS[1]].entries()) {
      assert.ok(Math.abs(found[i] - expected) < 2e-3, `${found}`);
    }
    const { testLoss } = run.history.epochs.at(-1)!;
    assert.ok(testLoss < 1e-5, `${testLoss}`);
    run.dispose();
  });

  for (const make of [mlp, unet]) {
    const { kind } = make();
    test(`${kind}: a student begins with the bits of its teacher, and the teacher keeps them while the student learns`, () => {
      const [teacher, copy] = [spoiled(make()), spoiled(make())].map(
        (network) => new DiffusionPipeline(network, FLOW),
      );
      const before = bits(teacher.network);
      const run = distillTrainer(teacher, copy, { ...RUN, paths: 4, batchSize: 4, epochs: 2 });
      const { model } = run.recipe;
      const x = rng().normal([2, 28, 28, 1]);
      for (const t of [1, 0.5]) {
        const [own, theirs] = [model, teacher].map((p) => p.predict(x, t, [3, 4]).toTypedArray());
        assert.equal(own, theirs);
      }
      trainFor(run);
      assert.equal(bits(teacher.network), before);
      assert.not.equal(bits(model.network), before);
      run.dispose();
    });
  }

  test('an epoch uses each path once, with intervals that take turns, and a path gives other intervals in other epochs', () => {
    const paths = new Paths(teacherOf(), 2, SAMPLING);
    const source = new PathSource(paths, 8, 4, 's');
    const seen = new Map<string, number>();
    for (let epoch = 0; epoch < 2; epoch++) {
      const starts: string[] = [];
      for (let batch = 0; batch < source.batches; batch++) {
        assert.equal(source.position, { epoch, batch });
        const { images, ends, intervals, known } = source.next();
        const [from, to] = [images, ends].map((x) => x.toTypedArray());
        for (const [i, k] of intervals.entries()) {
          const [t, r] = [paths.levels[k].sigma, paths.levels[k + 1].sigma];
          const end = exactFlow(from[2 * i], t, r, MEANS[known[i]!]);
          assert.ok(Math.abs(to[2 * i] - end) < 0.02, 'the end of the same interval');
          starts.push(`${k}: ${from[2 * i]}`);
        }
        assert.equal(intervals, epoch === 0 ? [0, 1, 0, 1] : [1, 0, 1, 0]);
      }
      assert.is(new Set(starts).size, 8);
      for (const start of starts) seen.set(start, 1 + (seen.get(start) ?? 0));
    }
    assert.ok(seen.size > 8, `${seen.size} intervals`);
    refused(() => source.seek({ epoch: 0, batch: 2 }), ValueError, /a batch from 0 to 1, got 0 and 2/);
  });

  test('a file keeps a student with its steps, and it samples the large steps of its network', () => {
    const teacher = new DiffusionPipeline(spoiled(mlp()), FLOW, {
      prepare: 'mnist',
      sampler: 'heun',
      steps: 9,
    });
    const copy = new DiffusionPipeline(spoiled(mlp()), FLOW);
    const run = distillTrainer(teacher, copy, { ...RUN, student: 4, teacherSteps: 8, epochs: 1 });
    trainFor(run);
    const model = diffusionOf(saved(run, false));
    assert.is(model.settings.student, 4);
    assert.equal(model.sampling, { prepare: 'mnist', sampler: 'euler', steps: 4, guidance: 1 });
    const labels = [0, 1, 2];
    const pictures = samplePictures(model, { labels, prepare: 'none', threshold: 'none', seed: 'x' });
    let x = new Rng('x').stream('samples').normal([3, 28, 28, 1]);
    for (const t of [1, 0.75, 0.5, 0.25]) x = x.sub(model.predict(x, t, labels).mul(0.25));
    const byHand = x.toTypedArray();
    const worst = Math.max(
      ...Array.from(pictures, (value, i) => Math.abs(value - Math.min(1, Math.max(0, (byHand[i] + 1) / 2)))),
    );
    assert.ok(worst < 1e-5, `${worst}`);
    run.dispose();
  });

  test('a student can be the teacher of a student with fewer steps, which has the ends of its large steps', () => {
    const first = new DiffusionPipeline(spoiled(mlp()), { ...FLOW, student: 4 });
    const { guidance, teacherSteps } = teacherSampling(first, { student: 2 });
    assert.equal([guidance, teacherSteps], [1, 4]);
    const { states, labels } = new Paths(first, 2, { ...SAMPLING, teacherSteps }).draw(2, rng());
    let x = tensor(states[0], [2, 28, 28, 1]);
    for (const t of [1, 0.75]) {
      const x0 = x.sub(first.predict(x, t, labels).mul(t)).clamp(-1, 1);
      x = x.mul((t - 0.25) / t).add(x0.mul(0.25 / t));
    }
    const worst = Math.max(...Array.from(x.toTypedArray(), (value, i) => Math.abs(value - states[1][i])));
    assert.ok(worst < 1e-5, `${worst}`);
  });

  test('a student refuses other steps, samplers, guidance and given pictures, and the line names what it can do', () => {
    const model = new DiffusionPipeline(mlp(), { ...FLOW, student: 4 });
    const chosen = { seed: '0' };
    const { steps, sampler, guidance } = samplingOf(model, chosen);
    assert.equal([steps, sampler, guidance], [4, 'euler', 1]);
    const refusals: [object, RegExp][] = [
      [{ steps: 8 }, /^--steps: expected 4, the steps that this student was made for, got 8$/],
      [{ sampler: 'heun' }, /^--sampler: expected euler, as for every student, got heun$/],
      [
        { guidance: 2 },
        /^--guidance: expected 1, because a student has learned its teacher's guidance, got 2$/,
      ],
      [
        { classifierGuidance: 3 },
        /^--classifier-guidance: expected 0, because this model is a student, got 3$/,
      ],
    ];
    for (const [more, message] of refusals) {
      refused(() => samplingOf(model, { ...chosen, ...more }), ValueError, message);
    }
    refused(
      () => samplingOf(model, chosen, true),
      ValueError,
      /^--from: expected a model that is not a student/,
    );
    refused(() => samplePictures(model, { labels: [1], steps: 2 }), ValueError, /^steps: expected 4, /);
    const edit = { picture: new Float64Array(784) };
    refused(() => samplePictures(model, { labels: [1], edit }), ValueError, /^from: expected a model that/);
    const make = () => new DiffusionPipeline(mlp(), { ...FLOW, student: 4 }, { steps: 2 });
    refused(make, ValueError, /^sampling: steps: expected 4, /);
  });

  test('settings that do not fit the teacher, and files of other runs, are refused', () => {
    const plain = new DiffusionPipeline(mlp(), FLOW);
    const student = new DiffusionPipeline(mlp(), { ...FLOW, student: 4 });
    const unlabelled = new DiffusionPipeline(mlp({ classes: 0 }), FLOW);
    const sampling = (teacher: DiffusionPipeline, more: object) => () =>
      teacherSampling(teacher, { student: 4, ...more });
    const line = /^teacher-steps: expected a multiple of the student's 4, and more than 4, got 10$/;
    refused(sampling(plain, { teacherSteps: 10 }), ValueError, line);
    refused(sampling(plain, { teacherSteps: 4 }), ValueError, /and more than 4, got 4$/);
    refused(sampling(student, { student: 2, teacherSteps: 8 }), ValueError, /expected 4, .* got 8$/);
    refused(sampling(student, {}), ValueError, /and more than 4, got 4$/);
    refused(
      sampling(student, { student: 2, guidance: 2 }),
      ValueError,
      /expected 1 .* student itself, got 2$/,
    );
    refused(
      sampling(unlabelled, { guidance: 2 }),
      ValueError,
      /expected 1 for a teacher without labels, got 2$/,
    );
    const learned = new DiffusionPipeline(
      new UNet({ hidden: 32, fine: 2, heads: 1, condition: 4, variances: 1, rng: rng() }),
      { schedule: 'cosine', predicts: 'eps', steps: 100 },
    );
    refused(() => distillTrainer(learned, learned, RUN), ValueError, /a teacher with a fixed variance/);
    refused(
      () => distillTrainer(plain, plain, { ...RUN, paths: 0 }),
      ValueError,
      /paths to be a whole number >= 1/,
    );

    const set = loadStrokes({ train: 10, test: 5 });
    const other = diffusionTrainer(plain, set, { ...DIFFUSION_SETTINGS, ...FLOW, epochs: 1, batchSize: 8 });
    trainFor(other, 1);
    refused(
      () => resumeDistill(saved(other), plain),
      FormatError,
      /^run: expected a run of distill, got a model that is not a student/,
    );
    const settings = { ...DIFFUSION_SETTINGS, ...FLOW };
    refused(
      () => diffusionTrainer(student, set, settings),
      ValueError,
      /a model that is not a student, got one/,
    );
    const file = decodeCheckpoint(encodeCheckpoint(student.network, diffusionInfo(student)), 'file');
    refused(() => resumeDistill(file, plain), FormatError, /^file: expected a run that can be resumed/);
    const broken = { ...file, settings: { ...file.settings, student: 2.5 } };
    refused(() => diffusionOf(broken), FormatError, /student/);
  });
});
