/**
 * Saves a run of training as one file, and resumes it from the file with the same bits.
 *
 * The file is also a model. It has the model's parameters under their names. If the run has a moving average, these
 * are the averages. The names of the other tensors start with `training.`:
 *
 *     parameter.<name>   the parameters in training, if the run has a moving average
 *     m.<name> v.<name>  Adam's moments
 *     history.*          the history of the run: history.ts
 *
 * The metadata field `training` has the counters: steps, position in the data, states of the random generators, updates
 * of the average, time used, and the name of the data.
 */
import { scope } from '../../autograd/tape.ts';
import {
  type Checkpoint,
  encodeCheckpoint,
  MOST_TEXT,
  storedTensor,
  type TrainingState,
} from '../../checkpoint/checkpoint.ts';
import { show } from '../../checkpoint/fields.ts';
import type { StoredTensor } from '../../checkpoint/safetensors.ts';
import { FormatError, LangevinError } from '../../errors.ts';
import type { Module } from '../../nn/module.ts';
import { withDefaults } from '../../options.ts';
import type { Seed } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Trainer } from './loop.ts';
import type { Progress, Recipe } from './recipe.ts';

/** The counters in a file's metadata. */
interface SavedProgress extends Progress {
  /** The training set. A resumed run must have the same one. */
  readonly data: { readonly name: string; readonly pictures: number };
  /** The name of the run. Files of version 0.1.0 have none. */
  readonly run?: string;
}

/** Options of `encodeRun`. */
export interface EncodeOptions {
  /** Whether to write the training state, so that the run can be resumed. Default false. */
  readonly resumable?: boolean;
  /** More settings for the file. The values must be valid JSON. */
  readonly notes?: Readonly<Record<string, unknown>>;
  /** The name of the run. It distinguishes the files of this run from those of other runs. */
  readonly run?: string;
}

/** Options of the functions that resume a training. */
export interface ResumeOptions {
  /** The new number of epochs. A learning-rate schedule depends on it. Default: the number in the file. */
  readonly epochs?: number | undefined;
  /** The new time limit of training in seconds. It includes the time that the run has used. Default: no limit. */
  readonly limitSeconds?: number | undefined;
}

/** By default a resumed run has the settings in the file. */
export const RESUME_DEFAULTS = { epochs: undefined, limitSeconds: undefined } as const;

/** The bytes of a file with the model, and with the training state if `resumable` is true. */
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

/** The training state in a file. @throws FormatError for a file without one */
function trainingOf({ training, source }: Checkpoint): {
  readonly tensors: TrainingState['tensors'];
  readonly progress: SavedProgress;
} {
  if (!training) {
    throw new FormatError(
      `${source}: expected a run that can be resumed, got a model without its training state`,
    );
  }
  // Files of version 0.1.0 have one stream, with the name `rng`.
  const { rng, ...progress } = training.progress as unknown as SavedProgress & { rng?: unknown };
  const whole = { ...progress, streams: progress.streams ?? { training: rng } } as SavedProgress;
  if (!isProgress(whole)) {
    const got = JSON.stringify(training.progress)?.slice(0, 80);
    throw new FormatError(`${source}: expected metadata "training" with the counters of a run, got ${got}`);
  }
  return { tensors: training.tensors, progress: whole };
}

/** Whether metadata has all counters. Only their types are checked here; `Trainer.seek` checks their ranges. */
function isProgress({ step, seconds, position, streams, emaUpdates, adamSteps, epoch, data }: SavedProgress) {
  const numbers = [step, seconds, position?.epoch, position?.batch, emaUpdates];
  return (
    [...numbers, epoch?.loss, epoch?.images, epoch?.seconds, data?.pictures].every(
      (n) => Number.isFinite(n) && n >= 0,
    ) &&
    Array.isArray(adamSteps) &&
    adamSteps.every(Number.isFinite) &&
    typeof data.name === 'string' &&
    Object.values(streams).every((state) => typeof state === 'object' && state !== null)
  );
}

/**
 * The name of the run in a checkpoint. It is undefined for a file of version 0.1.0.
 * @throws FormatError for a file without a training state
 */
export const runOf = (checkpoint: Checkpoint): string | undefined => trainingOf(checkpoint).progress.run;

/**
 * The settings of the run in a file.
 * @param defaults has the names of the settings, and the values of settings that the file does not have
 * @throws FormatError for a file without a training state
 */
export function settingsOf<S extends { readonly seed: Seed }>(checkpoint: Checkpoint, defaults: S): S {
  trainingOf(checkpoint);
  return filledSettings(checkpoint, defaults);
}

/**
 * The settings of a training in a file, with or without a training state.
 * @param defaults as in `settingsOf`
 * @throws FormatError for a setting that is no number, short text or switch, or no list where the default is a list
 */
export function filledSettings<S extends { readonly seed: Seed }>(checkpoint: Checkpoint, defaults: S): S {
  const { settings, seed, source } = checkpoint;
  const all: Readonly<Record<string, unknown>> = {
    ...{ ...defaults, ...renamed(settings) },
    ...(seed === undefined ? {} : { seed }),
  };
  const filled = Object.entries(defaults).map(([name, absent]) => {
    const value = all[name];
    const isList = Array.isArray(absent); // the elements are checked where the model is opened
    if (isList ? Array.isArray(value) : isScalar(value)) return [name, value];
    const expected = isList ? 'a list' : `a number, true, false or at most ${MOST_TEXT} characters`;
    throw new FormatError(`${source}: expected the setting "${name}" to be ${expected}, got ${show(value)}`);
  });
  return Object.fromEntries(filled) as S;
}

/** Whether errors can quote a value in one short line. The training checks its range. */
const isScalar = (value: unknown): boolean =>
  typeof value === 'string' ? value.length <= MOST_TEXT : typeof value !== 'object' || value === null;

/** Renames settings from their names in version 0.1.0 to their current names. */
function renamed({ weight, guidanceDropout, ...rest }: Readonly<Record<string, unknown>> = {}) {
  return {
    ...(weight === undefined ? {} : { lossWeighting: weight }),
    ...(guidanceDropout === undefined ? {} : { labelDropout: guidanceDropout }),
    ...rest,
  };
}

/**
 * A trainer that resumes the run in a checkpoint.
 * @param module the model from the checkpoint. It is disposed of if this function throws
 * @param begin makes a new run of this model, with the settings in the checkpoint
 * @throws FormatError for a file without a run of this kind, or with a run on other data
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
 * Gives a trainer the state of the run in a checkpoint.
 * @param trainer a new run with the same recipe and the same settings
 * @throws FormatError for a run of another kind or on other data
 */
export function restoreRun(trainer: Trainer, checkpoint: Checkpoint): void {
  const { tensors, progress } = trainingOf(checkpoint);
  const { name, length } = trainer.source.dataset;
  if (progress.data.name !== name || progress.data.pictures !== length) {
    const had = `${progress.data.pictures} pictures of ${show(progress.data.name)}`;
    throw new FormatError(
      `${checkpoint.source}: expected the run's data, ${had}, got ${length} of ${show(name)}`,
    );
  }
  scope(() => restoreTensors(trainer, checkpoint.parameters, tensors, progress));
  trainer.history.decode(tensors);
  trainer.seek(progress);
}

/** Restores the tensors of the model, of the average, and of Adam. */
function restoreTensors(
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
