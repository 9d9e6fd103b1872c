import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { take } from '../src/data/dataset.ts';
import { DataLoader } from '../src/data/loader.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import type { DiscreteSchedule } from '../src/diffusion/discrete-schedule.ts';
import { hybridLoss } from '../src/diffusion/learned-variance.ts';
import { type Network, Objective, TIME_SAMPLINGS } from '../src/diffusion/objective.ts';
import { DivergenceError, FormatError, ShapeError, ValueError } from '../src/errors.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { DiffusionMlp, type DiffusionMlpOptions } from '../src/models/networks/diffusion-mlp.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionOf } from '../src/models/pipeline.ts';
import { spreadTones } from '../src/models/tones.ts';
import {
  DIFFUSION_SETTINGS,
  type DiffusionSettings,
  diffusionTrainer,
  resumeDiffusion,
} from '../src/models/training/diffusion.ts';
import { encodeRun } from '../src/models/training/resume.ts';
import { Rng } from '../src/random/rng.ts';
import { zeros } from '../src/tensor/create.ts';
import { refused } from './helpers.ts';
import { bitsOf, epochsOf, saved, trainFor } from './helpers-training.ts';
import { suite } from './suite.ts';

const strokes = loadStrokes({ train: 50, test: 20 });
const TINY = { hidden: 12, inner: 10, depth: 1, condition: 8 };
/** Seven steps per epoch; the last batch has two pictures. */
const SETTINGS: DiffusionSettings = { ...DIFFUSION_SETTINGS, epochs: 3, batchSize: 8, lr: 3e-3 };

function trainer(settings: Partial<DiffusionSettings> = {}, sizes: DiffusionMlpOptions = {}) {
  const all = { ...SETTINGS, ...settings };
  const network = new DiffusionMlp({ ...TINY, ...sizes, rng: new Rng(5) });
  return diffusionTrainer(new DiffusionPipeline(network, all), strokes, all);
}

/** Adam's moments after the first step, all parameters one after another. */
function firstMoments(settings: Partial<DiffusionSettings>): { m: Float64Array; v: Float64Array } {
  const run = trainer(settings);
  trainFor(run, 1);
  const [m, v] = (['m', 'v'] as const).map((name) =>
    Float64Array.from(run.adam.state.flatMap((state) => [...state[name].toTypedArray()])),
  );
  run.dispose();
  return { m, v };
}

/** A run of a tiny U-Net that learns the variance. */
function hybridTrainer(settings: Partial<DiffusionSettings> = {}, variances = 1) {
  const all: DiffusionSettings = { ...SETTINGS, schedule: 'cosine', steps: 20, predicts: 'eps', ...settings };
  const network = new UNet({ hidden: 32, fine: 4, heads: 2, condition: 8, variances, rng: new Rng(5) });
  return diffusionTrainer(new DiffusionPipeline(network, all), strokes, all);
}

suite('diffusion training', (test) => {
  test('a learnt variance trains with the hybrid loss, its file opens, and other settings are refused', () => {
    const run = hybridTrainer();
    trainFor(run, 2);
    // With all labels kept, a batch's loss is that of the formula.
    const kept = hybridTrainer({ labelDropout: 0 });
    const images = zeros([3, 28, 28, 1]);
    scope(() => {
      const { model, settings } = kept.recipe;
      const rng = new Rng(settings.seed).stream('training');
      rng.bits(3); // which labels are dropped
      const wanted = hybridLoss(
        (x, t) => model.outputEach(x, t, [1, 2, 3]),
        model.schedule as DiscreteSchedule,
        model.encode(images),
        rng,
        { predicts: 'eps' },
      );
      assert.is(kept.recipe.loss({ images, labels: Uint8Array.of(1, 2, 3) }).item(), wanted.item());
    });
    kept.dispose();
    const file = saved(run);
    const { network } = diffusionOf(file);
    assert.is(network.learnsVariance, true);
    network.dispose();
    run.dispose();
    refused(() => hybridTrainer({ lossWeighting: 'min-snr' }), ValueError, /weighting simple .* got min-snr/);
    refused(
      () => hybridTrainer({ tones: spreadTones(strokes.train) }),
      ValueError,
      /linear tones for a learnt variance/,
    );
    refused(() => hybridTrainer({ schedule: 'flow' }), ValueError, /a schedule with steps/);
  });

  test('beta2, clip and times have their effect in the first step', () => {
    // m = 0.1·g and v = (1 - beta2)·g² after one step from zero.
    const norm = (m: Float64Array) => 10 * Math.sqrt(m.reduce((sum, x) => sum + x * x, 0));
    for (const beta2 of [0.9, 0.99]) {
      const { m, v } = firstMoments({ beta2 });
      const largest = Math.max(...v);
      assert.ok(largest > 0);
      for (const [i, x] of m.entries()) {
        assert.ok(Math.abs(v[i] - (1 - beta2) * (10 * x) ** 2) < 1e-5 * largest, `${beta2}: ${v[i]}`);
      }
    }
    const whole = norm(firstMoments({ clip: 0 }).m);
    const half = norm(firstMoments({ clip: whole / 2 }).m);
    assert.ok(Math.abs(half - whole / 2) < 1e-4 * whole, `${half} of ${whole}`);
    assert.is(norm(firstMoments({ clip: 2 * whole }).m), whole);
    const norms = TIME_SAMPLINGS.map((times) => norm(firstMoments({ times }).m));
    assert.is(new Set(norms).size, TIME_SAMPLINGS.length);
    refused(
      () => trainer({ times: 'logitnormal' as 'uniform' }),
      ValueError,
      /times: expected one of uniform, stratified, logit-normal, log-normal, got "logitnormal"\. Did you mean "logit-normal"\?/,
    );
    refused(() => trainer({ clip: -1 }), ValueError, /clip >= 0/);
    refused(() => trainer({ beta2: 1 }), ValueError, /betas/);
  });

  test('the learning rate ends at finalLr of lr', () => {
    for (const finalLr of [0, 0.02, 1]) {
      const lr = trainer({ finalLr }).recipe.schedule(3e-3, 100);
      assert.ok(Math.abs(lr(100) - 3e-3 * finalLr) < 1e-9, `${lr(100)}`);
    }
    refused(() => trainer({ finalLr: 1.5 }), ValueError, /finalLr from 0 to 1/);
  });

  test('a network learns in the tones of its model, and a run with tones goes on to the same bits', () => {
    const tones = spreadTones(strokes.train);
    const norm = (m: Float64Array) => m.reduce((sum, x) => sum + x * x, 0);
    assert.is.not(norm(firstMoments({ tones }).m), norm(firstMoments({}).m));
    const whole = trainer({ tones });
    trainFor(whole);
    const first = trainer({ tones });
    trainFor(first, 9);
    const second = resumeDiffusion(saved(first), strokes);
    assert.equal(second.recipe.model.settings.tones, tones);
    trainFor(second);
    assert.is(bitsOf(saved(second)), bitsOf(saved(whole)));
  });

  test('every part of the saved state is needed: without moments, counters or noise the bits differ', () => {
    const whole = trainer();
    trainFor(whole);
    const expected = bitsOf(saved(whole));
    const first = trainer();
    trainFor(first, 9);
    const file = saved(first);
    const progress = file.training!.progress as Record<string, never>;
    const changed = (change: object): Checkpoint => ({
      ...file,
      training: { ...file.training!, progress: { ...progress, ...change } },
    });
    const zeros = new Map(
      [...file.training!.tensors].map(
        ([name, stored]) =>
          [
            name,
            name.startsWith('m.') ? { ...stored, data: new Float32Array(stored.data.length) } : stored,
          ] as const,
      ),
    );
    const others = [
      changed({ streams: { training: new Rng(0).stream('training').state } }),
      changed({ position: { epoch: 0, batch: 0 } }),
      changed({ emaUpdates: 0 }),
      changed({ step: 0 }),
      changed({ adamSteps: (progress.adamSteps as number[]).map(() => 1) }),
      { ...file, training: { ...file.training!, tensors: zeros } },
    ];
    for (const [i, other] of others.entries()) {
      const run = resumeDiffusion(other, strokes);
      trainFor(run, 12);
      assert.is.not(bitsOf(saved(run)), expected, `change ${i}`);
    }
  });

  test('it learns: the test loss of the moving average falls', () => {
    const run = trainer({ epochs: 12, ema: 0.9, labelDropout: 0 }, { hidden: 48, inner: 48 });
    const untrained = run.test();
    const epochs = epochsOf(run.run());
    assert.equal(
      epochs.map(({ epoch }) => epoch),
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    const last = epochs[11].testLoss;
    // The loss of a network that predicts 0 is the mean square of the pictures; the mean picture has a much lower loss.
    assert.ok(last < 0.4 * untrained && last < epochs[3].testLoss, `${last} after ${untrained}`);
  });

  test("a file of a run is a model too: its parameters are the moving averages, and the model's file has nothing else", () => {
    const run = trainer();
    trainFor(run, 5);
    const averages = new Map([...run.ema!.stateDict()].map(([name, p]) => [name, [...p.toTypedArray()]]));
    const trained = run.recipe.module.parameters().map((p) => [...p.toTypedArray()]);
    for (const goOn of [true, false]) {
      const file = saved(run, goOn);
      assert.is(file.training !== undefined, goOn);
      const model = diffusionOf(file);
      for (const [name, p] of model.network.namedParameters())
        assert.equal([...p.toTypedArray()], averages.get(name));
      assert.equal([model.predicts, model.schedule.name, model.classes], ['x0', 'cosine', 10]);
      const { tones: _tones, cuts: _cuts, kinds: _kinds, ...written } = SETTINGS;
      assert.equal({ ...file.settings, seed: file.seed }, written);
    }
    assert.equal(
      run.recipe.module.parameters().map((p) => [...p.toTypedArray()]),
      trained,
      'and the run is not disturbed',
    );
  });

  test('labelDropout is the fraction of labels that are dropped, and the others are those of the pictures', () => {
    const n = 2000;
    const labels = Uint8Array.from({ length: n }, (_, i) => i % 10);
    for (const labelDropout of [0, 0.2, 1]) {
      const run = trainer({ labelDropout });
      const { model } = run.recipe;
      const predictEach = model.predictEach.bind(model);
      let given: readonly unknown[] = [];
      model.predictEach = (x, t, conditions) => {
        given = conditions!;
        return predictEach(x, t, conditions);
      };
      scope(() => run.recipe.loss({ images: zeros([n, 28, 28, 1]), labels }));
      const dropped = given.filter((label) => label === null).length;
      const spread = Math.sqrt(n * labelDropout * (1 - labelDropout));
      assert.ok(Math.abs(dropped - n * labelDropout) <= 4 * spread, `${dropped} for ${labelDropout}`);
      assert.ok(given.every((label, i) => label === null || label === labels[i]));
      run.dispose();
    }
  });

  test('the test loss has stratified times, all labels, and noise of its own stream, the same at each call', () => {
    // A prediction of eps depends on the noise, even if the last layer is still 0.
    const run = trainer({ predicts: 'eps' });
    const { model, settings } = run.recipe;
    const { predicts, lossWeighting, seed } = settings;
    const objective = new Objective(model.schedule, { predicts, lossWeighting, times: 'stratified' });
    const { images, labels } = new DataLoader(strokes.test, { batchSize: 20 }).next();
    const network: Network = (x, t) => model.predictEach(x, t, [...labels]);
    const wanted = scope(() =>
      objective.loss(network, model.encode(images), new Rng(seed).stream('test')).item(),
    );
    assert.equal([run.recipe.test(), run.recipe.test()], [wanted, wanted]);
    run.dispose();
  });

  test('a model without classes trains without labels', () => {
    const run = trainer({ epochs: 1 }, { classes: 0 });
    assert.is(trainFor(run).length, 8);
    assert.is(diffusionOf(saved(run)).classes, 0);
  });

  test('a loss that is not finite ends the run, and the error names the batch', () => {
    refused(
      () => trainFor(trainer({ lr: 1e300 })),
      DivergenceError,
      /training diverged in epoch 1, batch \d of 7: .* got (NaN|Infinity); the model is back to its initial values; take a smaller/,
    );
  });

  test('settings, pictures and files that do not fit are refused', () => {
    refused(() => trainer({ epochs: 0 }), ValueError, /epochs to be a whole number >= 1, got 0/);
    refused(
      () => trainer({ batchSize: 1.5 }),
      ValueError,
      /loader: expected a batch size of 1 or more, got 1\.5/,
    );
    refused(() => trainer({ lr: Number.NaN }), ValueError, /lr > 0, got NaN/);
    refused(() => trainer({ labelDropout: 2 }), ValueError, /labelDropout from 0 to 1, got 2/);
    refused(() => trainer({ steps: 1 }), ValueError, /whole number of steps, 2 or more, got 1/);
    refused(() => trainer({ predicts: 'x1' as 'x0' }), ValueError, /Did you mean "x0"\?/);
    refused(
      () => trainer({}, { height: 20 }),
      ShapeError,
      /expected pictures of 20x28, got strokes train with 28x28/,
    );
    refused(() => trainer({}, { classes: 5 }), ValueError, /at most 5 classes, got 10/);
    const run = trainer();
    trainFor(run, 2);
    const less = { train: take(strokes.train, 40), test: strokes.test };
    refused(
      () => resumeDiffusion(saved(run), less),
      FormatError,
      /run: expected the run's data, 50 pictures of "strokes train", got 40/,
    );
    refused(
      () => resumeDiffusion(saved(run, false), strokes),
      FormatError,
      /run: expected a run that can be resumed/,
    );
    const other = encodeCheckpoint(new Denoiser({ inputs: 4, hidden: 2, code: 2 }), {
      kind: 'denoiser',
      sizes: { inputs: 4 },
    });
    refused(
      () => diffusionOf(decodeCheckpoint(other, 'a.safetensors')),
      FormatError,
      /a\.safetensors: expected a model "diffusion-mlp" or "unet", got "denoiser"/,
    );
    const file = saved(run);
    const { hidden, ...sizes } = file.sizes;
    refused(
      () => diffusionOf({ ...file, sizes }),
      FormatError,
      /run: sizes: expected hidden to be a whole number .*, got nothing/,
    );
    refused(
      () => diffusionOf({ ...file, sizes: { ...sizes, hidden: hidden + 1 } }),
      FormatError,
      /run: expected a tensor "input\.weight" of shape/,
    );
    refused(
      () => diffusionOf({ ...file, settings: {} }),
      FormatError,
      /run: settings: expected schedule to be one of .*, got nothing/,
    );
    const short = encodeRun(run, { resumable: true }).subarray(0, 5000);
    refused(() => decodeCheckpoint(short, 'cut'), FormatError, /^cut: /);
  });
});
