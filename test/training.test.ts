/** The training loop and its files: tests that apply to every recipe. */
import * as assert from 'uvu/assert';
import type { Checkpoint } from '../src/checkpoint/checkpoint.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { DivergenceError, FormatError, ValueError } from '../src/errors.ts';
import { LectureNetwork } from '../src/models/lecture/lecture.ts';
import { Classifier } from '../src/models/networks/classifier.ts';
import { ConvClassifier } from '../src/models/networks/conv-classifier.ts';
import { ConvDenoiser } from '../src/models/networks/conv-denoiser.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { NoiseClassifier } from '../src/models/networks/noise-classifier.ts';
import { DiffusionPipeline } from '../src/models/pipeline.ts';
import { classifierTrainer, resumeClassifier } from '../src/models/training/classifier.ts';
import { crossEntropyTrainer } from '../src/models/training/cross-entropy.ts';
import { denoiserTrainer, resumeDenoiser } from '../src/models/training/denoiser.ts';
import { DIFFUSION_SETTINGS, diffusionTrainer, resumeDiffusion } from '../src/models/training/diffusion.ts';
import { DISTILL_SETTINGS, distillTrainer, resumeDistill } from '../src/models/training/distill.ts';
import { History } from '../src/models/training/history.ts';
import { lectureTrainer, resumeLecture } from '../src/models/training/lecture.ts';
import type { Trainer } from '../src/models/training/loop.ts';
import { NoiseClassifierRecipe } from '../src/models/training/noise-classifier.ts';
import { restoreRun } from '../src/models/training/resume.ts';
import { toyTrainer } from '../src/models/training/toy.ts';
import { Rng } from '../src/random/rng.ts';
import { refused } from './helpers.ts';
import { bitsOf, type EventFields, saved, trainFor } from './helpers-training.ts';
import { suite } from './suite.ts';

const strokes = loadStrokes({ train: 50, test: 20 });
/** Seven steps per epoch; the last batch has two pictures. */
const RUN = { epochs: 3, batchSize: 8, lr: 3e-3, seed: 'r' };
const SIZES = { height: 28, width: 28, classes: 10 };
const rng = () => new Rng(5);

const denoiser = (more: object = {}) =>
  denoiserTrainer(new Denoiser({ hidden: 6, code: 4, rng: rng() }), { ...strokes, ...RUN, ...more });
const diffusion = (more: object = {}, limitSeconds?: number) => {
  const settings = { ...DIFFUSION_SETTINGS, ...RUN, ...more };
  const network = new DiffusionMlp({ hidden: 12, inner: 10, depth: 1, condition: 8, rng: rng() });
  return diffusionTrainer(new DiffusionPipeline(network, settings), strokes, settings, limitSeconds);
};

const velocity = () => {
  const network = new DiffusionMlp({ hidden: 12, inner: 10, depth: 1, condition: 8, rng: rng() });
  return new DiffusionPipeline(network, { schedule: 'flow', predicts: 'flow', steps: 1000 });
};

/** For each recipe: a new run, and a run that is resumed from a file. */
const RECIPES: Record<string, { begin(): Trainer; resume?(file: Checkpoint): Trainer }> = {
  denoiser: { begin: () => denoiser(), resume: (file) => resumeDenoiser(file, strokes) },
  'convolutional denoiser': {
    begin: () => denoiserTrainer(new ConvDenoiser({ height: 28, width: 28 }, rng()), { ...strokes, ...RUN }),
    resume: (file) => resumeDenoiser(file, strokes),
  },
  lecture: {
    begin: () => lectureTrainer(new LectureNetwork(784, 8, rng()), { ...strokes, ...RUN, carry: true }),
    resume: (file) => resumeLecture(file, strokes),
  },
  diffusion: { begin: () => diffusion(), resume: (file) => resumeDiffusion(file, strokes) },
  classifier: {
    begin: () => classifierTrainer(new Classifier(SIZES, rng()), strokes, RUN),
    resume: (file) => resumeClassifier(file, strokes),
  },
  'convolutional classifier': {
    begin: () => classifierTrainer(new ConvClassifier(SIZES, rng()), strokes, RUN),
    resume: (file) => resumeClassifier(file, strokes),
  },
  'noise classifier': {
    begin: () => {
      const model = new NoiseClassifier(SIZES, { schedule: 'cosine', steps: 100 }, rng());
      return crossEntropyTrainer(new NoiseClassifierRecipe(model, RUN), strokes, RUN);
    },
  },
  distill: {
    begin: () =>
      distillTrainer(velocity(), velocity(), {
        ...DISTILL_SETTINGS,
        ...RUN,
        ...{ student: 2, teacherSteps: 4, paths: 50, guidance: 2 },
      }),
    resume: (file) => resumeDistill(file, velocity()),
  },
  toy: { begin: () => toyTrainer('moons', { steps: 20, batchSize: 8, seed: 'r' }) },
};

suite('training', (test) => {
  test('the test loss is computed in evaluation mode, and the mode of each module is restored', () => {
    const run = denoiser();
    const { module } = run.recipe;
    const frozen = module.children()[0][1];
    frozen.eval();
    const seen: boolean[] = [];
    const recipe = run.recipe as { test?: () => number };
    const { test: own } = recipe;
    recipe.test = () => {
      seen.push(module.training);
      return own!.call(recipe);
    };
    trainFor(run, 8);
    assert.equal(seen, [false]);
    assert.equal([module.training, frozen.training], [true, false]);
    run.dispose();
    module.dispose();
  });

  for (const [name, { begin, resume }] of Object.entries(RECIPES)) {
    test(`${name}: runs that are interrupted at random steps end with the same bits as an uninterrupted run`, () => {
      const resumed = (file: Checkpoint): Trainer => {
        if (resume) return resume(file);
        const run = begin();
        restoreRun(run, file);
        return run;
      };
      const whole = begin();
      const events = trainFor(whole);
      const expected = bitsOf(saved(whole));
      const words = new Rng('interruptions').bits(16);
      for (let i = 0; i < 8; i++) {
        const first = begin();
        const joined = trainFor(first, 1 + (words[2 * i] % 20));
        const second = resumed(saved(first));
        joined.push(...trainFor(second, 1 + (words[2 * i + 1] % 20)));
        const third = resumed(saved(second));
        joined.push(...trainFor(third));
        assert.equal(joined, events, `run ${i}`);
        assert.is(bitsOf(saved(third)), expected, `run ${i}`);
      }
    });
  }

  test('a resumed run has the whole history, and a complete run keeps its history', () => {
    const first = denoiser();
    trainFor(first, 10);
    const second = resumeDenoiser(saved(first), strokes);
    trainFor(second);
    const third = resumeDenoiser(saved(second), strokes);
    assert.equal(trainFor(third), []);
    for (const { history } of [second, third]) {
      assert.equal(
        history.epochs.map(({ epoch }) => epoch),
        [1, 2, 3],
      );
      assert.is(history.at.length, 21);
      assert.is(history.at[20], 3);
    }
    assert.equal(third.history.epochs, second.history.epochs);
  });

  test('with more epochs than in the file, training continues from its end', () => {
    const short = denoiser({ epochs: 1 });
    trainFor(short);
    const longer = resumeDenoiser(saved(short), strokes, { epochs: 3 });
    const events: EventFields[] = [...trainFor(longer)];
    const whole = denoiser();
    assert.equal(events, trainFor(whole).slice(8));
    assert.equal(
      longer.recipe.module.parameters().map((p) => p.toArray()),
      whole.recipe.module.parameters().map((p) => p.toArray()),
    );
  });

  test('a history has at most 4,096 points, each the mean of equally many batches, and a file keeps it', () => {
    const n = 20_000;
    const loss = (i: number) => Math.sin(i) + i / n;
    const [whole, parts] = [new History(), new History()];
    let part = parts;
    for (let i = 1; i <= n; i++) {
      whole.addBatch(i / n, loss(i));
      part.addBatch(i / n, loss(i));
      if (i % 777 > 0) continue;
      const tensors = part.encode();
      part = new History();
      part.decode(tensors);
    }
    assert.equal(part.encode(), whole.encode());
    assert.is(whole.stride, 8);
    assert.is(whole.at.length, n / 8);
    for (const [i, found] of whole.losses.entries()) {
      let mean = 0;
      for (let j = 8 * i + 1; j <= 8 * i + 8; j++) mean += loss(j) / 8;
      assert.ok(Math.abs(found - mean) < 1e-14, `point ${i}: ${found} is not ${mean}`);
      assert.is(whole.at[i], (8 * i + 8) / n);
    }
  });

  test('a run of version 0.1.0, with one stream and without history, resumes with the same bits', () => {
    const whole = diffusion();
    trainFor(whole);
    const first = diffusion();
    trainFor(first, 9);
    const file = saved(first);
    const { streams, ...progress } = file.training!.progress as { streams: { training: object } };
    const { lossWeighting, labelDropout, ...settings } = file.settings!;
    const tensors = new Map([...file.training!.tensors].filter(([name]) => !name.startsWith('history.')));
    const old: Checkpoint = {
      ...file,
      settings: { ...settings, weight: lossWeighting, guidanceDropout: labelDropout },
      training: { tensors, progress: { ...progress, rng: streams.training } },
    };
    const run = resumeDiffusion(old, strokes);
    trainFor(run);
    const kept = (trainer: Trainer) => trainer.recipe.module.parameters().map((p) => p.toArray());
    assert.equal(kept(run), kept(whole));
    assert.equal(
      [...run.ema!.stateDict()].map(([, p]) => p.toArray()),
      [...whole.ema!.stateDict()].map(([, p]) => p.toArray()),
    );
    assert.equal(
      run.history.epochs.map(({ epoch }) => epoch),
      [2, 3],
    );
  });

  test('a loss that is not finite restores model and average of the last good epoch', () => {
    const run = diffusion();
    const events = run.run();
    while (events.next().value?.type !== 'epoch');
    const tensors = () =>
      [...run.recipe.module.parameters(), ...run.ema!.stateDict().values()].map((p) => p.toArray());
    const kept = tensors();
    events.next();
    run.recipe.module.parameters()[0].set(new Float32Array(run.recipe.module.parameters()[0].size).fill(NaN));
    refused(
      () => events.next(),
      DivergenceError,
      /^training diverged in epoch 2, batch 2 of 7: .* got NaN; the model is back to its values after epoch 1; /,
    );
    assert.equal(tensors(), kept);

    const file = saved(denoiser());
    const again = resumeDenoiser(file, strokes);
    again.recipe.module.parameters()[0].set(new Float32Array(6 * 784).fill(NaN));
    refused(() => trainFor(again), DivergenceError, /the model is back to its values after step 0; /);
  });

  test('a time limit ends a run, counts over all its parts, and decreases the learning rate', () => {
    const run = diffusion({ epochs: 100_000 }, 0.3);
    trainFor(run);
    const { seconds, step } = run.progress;
    assert.ok(seconds >= 0.3 && step < run.steps && !run.complete, `${step} steps in ${seconds} s`);
    assert.ok(run.adam.lr < 0.9 * RUN.lr, `${run.adam.lr}`);
    const more = resumeDiffusion(saved(run), strokes, { limitSeconds: seconds + 0.01 });
    trainFor(more);
    assert.ok(more.progress.step > step && more.progress.seconds >= seconds + 0.01);

    const plain = denoiser({ epochs: 100_000, limitSeconds: 0.01 });
    trainFor(plain);
    assert.ok(!plain.complete && plain.progress.seconds >= 0.01);
    const done = resumeDenoiser(saved(plain), strokes, { limitSeconds: 0.01 });
    assert.equal(trainFor(done), [], 'its time is used up');
    refused(() => denoiser({ limitSeconds: 0 }), ValueError, /training: expected seconds > 0, got 0/);
  });

  test('files that do not fit are refused in one line with their names', () => {
    const run = denoiser();
    trainFor(run, 2);
    const file = saved(run);
    const { tensors, progress } = file.training!;
    const changed = (change: object): Checkpoint => ({
      ...file,
      training: { tensors, progress: { ...progress, ...change } },
    });
    const form = /^run: expected metadata "training" with the counters of a run, got /;
    for (const change of [
      { step: 'x' },
      { position: null },
      { position: { epoch: -1, batch: 0 } },
      { adamSteps: 7 },
      { epoch: undefined },
      { streams: { noise: 3 } },
      { data: null },
    ]) {
      refused(() => resumeDenoiser(changed(change), strokes), FormatError, form);
    }
    const cases: [object, RegExp][] = [
      [{ position: { epoch: 0, batch: 7 } }, /^run: loader: expected a batch from 0 to 6, got 7$/],
      [{ streams: {} }, /^run: training: expected the state of the stream "noise", got none$/],
      [{ adamSteps: [] }, /^run: Adam: expected whole numbers of steps >= 0, got undefined$/],
    ];
    for (const [change, message] of cases) {
      refused(() => resumeDenoiser(changed(change), strokes), FormatError, message);
    }
    const other = new Map(tensors).set('history.losses', {
      dtype: 'F64',
      shape: [1],
      data: new Float64Array(1),
    });
    refused(
      () => resumeDenoiser({ ...file, training: { tensors: other, progress } }, strokes),
      FormatError,
      /^run: expected "training\.history\.losses" of shape \[n,3\], got \[1\]$/,
    );
    refused(() => resumeLecture(file, strokes), FormatError, /expected a model "lecture", got "denoiser"/);
    refused(
      () => resumeDenoiser(saved(run, false), strokes),
      FormatError,
      /^run: expected a run that can be resumed, got a model without its training state$/,
    );
    refused(
      () => denoiser({ every: 0 }),
      ValueError,
      /training: expected every to be a whole number >= 1, got 0/,
    );
  });
});
