/**
 * A run of training as one file, and a trainer that goes on from it to the same bits. The parameters under their plain
 * names are the moving averages where there are some, so that the file is also a model that samples. Beside them, under
 * `training.`:
 *
 *     parameter.<name>   the network as it is being trained, where the plain names hold averages
 *     m.<name> v.<name>  Adam's moments
 *     history.*          the course of the run: history.ts
 *     metadata           steps, data position, streams of noise, updates of the average, time used, the data's name
 */
import { scope } from '../../autograd/tape.ts';
import {
  type Checkpoint,
  encodeCheckpoint,
  storedTensor,
  type TrainingState,
} from '../../checkpoint/checkpoint.ts';
import type { StoredTensor } from '../../checkpoint/safetensors.ts';
import { FormatError, LangevinError } from '../../errors.ts';
import type { Module } from '../../nn/module.ts';
import { withDefaults } from '../../options.ts';
import type { Seed } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Trainer } from './loop.ts';
import type { Progress, Recipe } from './recipe.ts';

/** What stands in a file's metadata. */
interface SavedProgress extends Progress {
  /** The training set, which must be the same when the run goes on. */
  readonly data: { readonly name: string; readonly pictures: number };
  /** Which run it is; version 0.1.0 wrote none. */
  readonly run?: string;
}

export interface EncodeOptions {
  /** Whether the file holds all that the run needs to go on; false by default. */
  readonly resumable?: boolean;
  /** What else the file's settings shall say; anything that JSON can. */
  readonly notes?: Readonly<Record<string, unknown>>;
  /** Names the run, so that its files are not taken for those of another. */
  readonly run?: string;
}

export interface ResumeOptions {
  /** In place of the file's own: a schedule of the learning rate runs differently from there on. */
  readonly epochs?: number | undefined;
  readonly limitSeconds?: number | undefined;
}

/** Nothing of the file's own is replaced by default. */
export const RESUME_DEFAULTS = { epochs: undefined, limitSeconds: undefined } as const;

/** The file of the model, and if wanted of the run as well. */
export function encodeRun(trainer: Trainer, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const { resumable, notes, run } = withDefaults('encodeRun', options, {
    resumable: false,
    notes: {},
    run: undefined,
  });
  const { recipe } = trainer;
  const training = resumable ? trainingState(trainer, run) : undefined;
  const { settings, ...info } = recipe.info;
  return trainer.withAverage(() =>
    encodeCheckpoint(recipe.module, { ...info, settings: { ...settings, ...notes } }, training),
  );
}

function trainingState(trainer: Trainer, run: string | undefined): TrainingState {
  const { recipe, adam, ema, progress, source, history } = trainer;
  const tensors = new Map<string, StoredTensor>();
  const state = adam.state;
  for (const [i, [name, p]] of recipe.module.namedParameters().entries()) {
    if (ema) tensors.set(`parameter.${name}`, storedTensor(p));
    tensors.set(`m.${name}`, storedTensor(state[i].m));
    tensors.set(`v.${name}`, storedTensor(state[i].v));
  }
  for (const [name, stored] of history.encode()) tensors.set(name, stored);
  const { name, length } = source.dataset;
  const named = run === undefined ? {} : { run };
  return { tensors, progress: { ...progress, data: { name, pictures: length }, ...named } };
}

/** The file's run. @throws FormatError for a file that holds none */
function trainingOf({ training, source }: Checkpoint): {
  readonly tensors: TrainingState['tensors'];
  readonly progress: SavedProgress;
} {
  if (!training) {
    throw new FormatError(`${source}: expected a run that can go on, got a model without its training state`);
  }
  // Version 0.1.0 had one stream, of diffusion.
  const { rng, ...progress } = training.progress as unknown as SavedProgress & { rng?: unknown };
  const whole = { ...progress, streams: progress.streams ?? { training: rng } } as SavedProgress;
  if (!isProgress(whole)) {
    const got = JSON.stringify(training.progress)?.slice(0, 80);
    throw new FormatError(`${source}: expected metadata "training" with the counters of a run, got ${got}`);
  }
  return { tensors: training.tensors, progress: whole };
}

/** Whether what a file says has the form of counters. Their ranges are checked by those that take them on. */
function isProgress({ step, seconds, position, streams, emaUpdates, adamSteps, epoch, data }: SavedProgress) {
  const numbers = [step, seconds, position?.epoch, position?.batch, emaUpdates];
  return (
    [...numbers, epoch?.loss, epoch?.images, epoch?.seconds, data?.pictures].every(
      (n) => Number.isFinite(n) && n >= 0,
    ) &&
    Array.isArray(adamSteps) &&
    Object.values(streams).every((state) => typeof state === 'object' && state !== null)
  );
}

/** Which run a checkpoint is of; undefined for one of version 0.1.0. @throws FormatError for a file that holds none */
export const runOf = (checkpoint: Checkpoint): string | undefined => trainingOf(checkpoint).progress.run;

/** The settings of the run in a file, by the names that `defaults` has. @throws FormatError for a file without a run */
export function settingsOf<S extends { readonly seed: Seed }>(checkpoint: Checkpoint, defaults: S): S {
  trainingOf(checkpoint);
  const { settings, seed } = checkpoint;
  const all = { ...defaults, ...renamed(settings), ...(seed === undefined ? {} : { seed }) };
  return Object.fromEntries(
    Object.keys(defaults).map((name) => [name, all[name as keyof S]]),
  ) as unknown as S;
}

/** Settings by the names of version 0.1.0, by today's. */
function renamed({ weight, guidanceDropout, ...rest }: Readonly<Record<string, unknown>> = {}) {
  return {
    ...(weight === undefined ? {} : { lossWeighting: weight }),
    ...(guidanceDropout === undefined ? {} : { labelDropout: guidanceDropout }),
    ...rest,
  };
}

/**
 * A trainer that goes on where the file's run was.
 * @param module the file's model; it is disposed of where the run cannot go on
 * @param begin a run of that model at its beginning, with the file's settings
 * @throws FormatError for a file that holds no such run, or one on other data
 */
export function resumeRun<R extends Recipe>(
  checkpoint: Checkpoint,
  module: Module,
  begin: () => Trainer<R>,
): Trainer<R> {
  const { source } = checkpoint;
  let trainer: Trainer<R> | undefined;
  try {
    trainer = begin();
    restoreRun(trainer, checkpoint);
    return trainer;
  } catch (error) {
    trainer?.dispose();
    module.dispose();
    if (!(error instanceof LangevinError) || error.message.startsWith(source)) throw error;
    throw new FormatError(`${source}: ${error.message}`);
  }
}

/**
 * Takes a trainer of the same recipe and settings, at its beginning, to where the file's run was.
 * @throws FormatError for another run or other data
 */
export function restoreRun(trainer: Trainer, checkpoint: Checkpoint): void {
  const { tensors, progress } = trainingOf(checkpoint);
  const { name, length } = trainer.source.dataset;
  if (progress.data.name !== name || progress.data.pictures !== length) {
    const had = `${progress.data.pictures} pictures of "${progress.data.name}"`;
    throw new FormatError(
      `${checkpoint.source}: expected the run's data, ${had}, got ${length} of "${name}"`,
    );
  }
  scope(() => putBack(trainer, checkpoint.parameters, tensors, progress));
  trainer.history.decode(tensors);
  trainer.seek(progress);
}

/** Model, average and moments as they were. */
function putBack(
  { recipe: { module }, adam, ema }: Trainer,
  parameters: Checkpoint['parameters'],
  tensors: TrainingState['tensors'],
  { emaUpdates, adamSteps }: Progress,
): void {
  const names = module.namedParameters().map(([name]) => name);
  const read = (from: ReadonlyMap<string, StoredTensor>, prefix = ''): Map<string, Tensor> =>
    new Map(
      names.map((name) => {
        const stored = from.get(prefix + name);
        if (!stored) throw new FormatError(`expected a tensor "training.${prefix}${name}", got none`);
        return [name, tensor(stored.data as Float32Array, stored.shape)];
      }),
    );
  const [m, v] = [read(tensors, 'm.'), read(tensors, 'v.')];
  ema?.loadStateDict(read(parameters), emaUpdates);
  module.loadStateDict(ema ? read(tensors, 'parameter.') : read(parameters));
  adam.loadState(names.map((name, i) => ({ m: m.get(name)!, v: v.get(name)!, steps: adamSteps[i] })));
}
