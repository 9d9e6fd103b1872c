import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { take } from '../src/data/dataset.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { DivergenceError, FormatError, ShapeError, ValueError } from '../src/errors.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { DiffusionMlp, type DiffusionMlpOptions } from '../src/models/networks/diffusion-mlp.ts';
import { DiffusionPipeline, diffusionOf } from '../src/models/pipeline.ts';
import type { EpochEvent } from '../src/models/training/denoiser.ts';
import {
  DIFFUSION_SETTINGS,
  type DiffusionSettings,
  DiffusionTrainer,
} from '../src/models/training/diffusion.ts';
import { encodeDiffusion, resumeDiffusion } from '../src/models/training/resume.ts';
import { Rng } from '../src/random/rng.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const strokes = loadStrokes({ train: 50, test: 20 });
const TINY = { hidden: 12, inner: 10, depth: 1, condition: 8 };
/** Seven steps an epoch, the last of two pictures. */
const SETTINGS: DiffusionSettings = { ...DIFFUSION_SETTINGS, epochs: 3, batchSize: 8, lr: 3e-3 };

function trainer(
  settings: Partial<DiffusionSettings> = {},
  sizes: DiffusionMlpOptions = {},
  seconds?: number,
) {
  const all = { ...SETTINGS, ...settings };
  const network = new DiffusionMlp({ ...TINY, ...sizes, rng: new Rng(5) });
  return new DiffusionTrainer(new DiffusionPipeline(network, all), strokes, all, seconds);
}

/** What an event says of the run, without the time it took. */
type Told = readonly (string | number)[];

/** Trains for at most so many steps, and says what was told. */
function train(run: DiffusionTrainer, most = Infinity): Told[] {
  const told: Told[] = [];
  let steps = 0;
  for (const event of run.run()) {
    if (event.type === 'epoch') told.push(['epoch', event.epoch, event.trainLoss, event.testLoss]);
    else told.push([event.epoch, event.batch, event.loss]);
    if (event.type === 'batch' && ++steps >= most) break;
  }
  return told;
}

const saved = (run: DiffusionTrainer, goOn = true): Checkpoint =>
  decodeCheckpoint(encodeDiffusion(run, { resumable: goOn }), 'run');

/** A hash of all that a file says but the seconds, which no two runs share. */
function bits({ parameters, training, settings }: Checkpoint): string {
  const { tensors, progress } = training!;
  const {
    seconds: _,
    epoch,
    ...counters
  } = progress as { seconds: number; epoch: { loss: number; images: number } };
  const numbers = [...parameters, ...tensors].map(([name, { data }]) => [name, ...data]);
  const all = JSON.stringify({ settings, counters, loss: [epoch.loss, epoch.images], numbers });
  return createHash('sha256').update(all).digest('hex');
}

suite('diffusion training', (test) => {
  test('20 of 20 runs that are interrupted at random steps end with the bits of the run that was not', () => {
    const whole = trainer();
    const told = train(whole);
    const expected = bits(saved(whole));
    const words = new Rng('interruptions').bits(40);
    for (let i = 0; i < 20; i++) {
      const first = trainer();
      const heard = train(first, 1 + (words[2 * i] % 20));
      const second = resumeDiffusion(saved(first), strokes);
      heard.push(...train(second, 1 + (words[2 * i + 1] % 20)));
      const third = resumeDiffusion(saved(second), strokes);
      heard.push(...train(third));
      assert.is(bits(saved(third)), expected, `run ${i}`);
      assert.equal(heard, told, `run ${i}`);
    }
  });

  test('a step that is left out of the file shows: without moments, counters or noise the bits differ', () => {
    const whole = trainer();
    train(whole);
    const expected = bits(saved(whole));
    const first = trainer();
    train(first, 9);
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
      changed({ rng: { ...(progress.rng as object), block: 0 } }),
      changed({ position: { epoch: 0, batch: 0 } }),
      changed({ emaUpdates: 0 }),
      changed({ step: 0 }),
      changed({ adamSteps: (progress.adamSteps as number[]).map(() => 1) }),
      { ...file, training: { ...file.training!, tensors: zeros } },
    ];
    for (const [i, other] of others.entries()) {
      const run = resumeDiffusion(other, strokes);
      train(run, 12);
      assert.is.not(bits(saved(run)), expected, `change ${i}`);
    }
  });

  test('it learns: the test loss of the moving average falls', () => {
    const run = trainer({ epochs: 12, ema: 0.9, labelDropout: 0 }, { hidden: 48, inner: 48 });
    const untrained = run.test();
    const epochs = [...run.run()].filter((e): e is EpochEvent => e.type === 'epoch');
    assert.equal(
      epochs.map(({ epoch }) => epoch),
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    const last = epochs[11].testLoss;
    // A network that says 0 has the mean square of the pictures; the mean picture explains much of it.
    assert.ok(last < 0.4 * untrained && last < epochs[3].testLoss, `${last} after ${untrained}`);
  });

  test("a file is a model too: its parameters are the moving averages, and the model's file holds nothing else", () => {
    const run = trainer();
    train(run, 5);
    const averages = new Map([...run.ema.stateDict()].map(([name, p]) => [name, [...p.toTypedArray()]]));
    const trained = run.model.network.parameters().map((p) => [...p.toTypedArray()]);
    for (const goOn of [true, false]) {
      const file = saved(run, goOn);
      assert.is(file.training !== undefined, goOn);
      const model = diffusionOf(file);
      for (const [name, p] of model.network.namedParameters())
        assert.equal([...p.toTypedArray()], averages.get(name));
      assert.equal([model.predicts, model.schedule.name, model.classes], ['x0', 'cosine', 10]);
      assert.equal({ ...file.settings, seed: file.seed }, SETTINGS);
    }
    assert.equal(
      run.model.network.parameters().map((p) => [...p.toTypedArray()]),
      trained,
      'and the run is not disturbed',
    );
  });

  test('the time that is left ends a run, and is counted over all its parts', () => {
    const run = trainer({ epochs: 1000 }, {}, 0.02);
    train(run);
    const { seconds, step } = run.progress;
    assert.ok(seconds >= 0.02 && step < 7000, `${step} steps in ${seconds} s`);
    const more = resumeDiffusion(saved(run), strokes, { limitSeconds: seconds + 0.01 });
    train(more);
    assert.ok(more.progress.step > step && more.progress.seconds >= seconds + 0.01);
  });

  test('a model that knows no classes trains without labels', () => {
    const run = trainer({ epochs: 1 }, { classes: 0 });
    assert.is(train(run).length, 8);
    assert.is(diffusionOf(saved(run)).classes, 0);
  });

  test('a loss that is no number ends the run, and names the batch', () => {
    refused(
      () => train(trainer({ lr: 1e300 })),
      DivergenceError,
      /training diverged in epoch 1, batch \d of 7: .* got (NaN|Infinity); take a smaller/,
    );
  });

  test('what does not fit is refused: settings, pictures, other files', () => {
    refused(() => trainer({ epochs: 0 }), ValueError, /epochs to be a whole number >= 1, got 0/);
    refused(() => trainer({ batchSize: 1.5 }), ValueError, /batchSize to be a whole number >= 1, got 1\.5/);
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
    train(run, 2);
    const less = { train: take(strokes.train, 40), test: strokes.test };
    refused(
      () => resumeDiffusion(saved(run), less),
      FormatError,
      /run: expected the run's data, 50 pictures of "strokes train", got 40/,
    );
    refused(
      () => resumeDiffusion(saved(run, false), strokes),
      FormatError,
      /run: expected a run that can go on/,
    );
    const other = encodeCheckpoint(new Denoiser({ inputs: 4, hidden: 2, code: 2 }), {
      kind: 'denoiser',
      sizes: { inputs: 4 },
    });
    refused(
      () => diffusionOf(decodeCheckpoint(other, 'a.safetensors')),
      FormatError,
      /a\.safetensors: expected a model "diffusion-mlp", got "denoiser"/,
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
    const short = encodeDiffusion(run, { resumable: true }).subarray(0, 5000);
    refused(() => decodeCheckpoint(short, 'cut'), FormatError, /^cut: /);
  });
});
