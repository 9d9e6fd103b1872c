/**
 * A run of training as one file, and a trainer that goes on from it exactly. The parameters under their plain names
 * are the moving averages, so that the file is also a model that samples; beside them, under `training.`:
 *
 *     parameter.<name>   the network as it is being trained
 *     m.<name> v.<name>  Adam's moments
 *     metadata           steps, data position, block of the noise stream, updates of the average, time used
 */

import { scope } from '../../autograd/tape.ts';
import {
  type Checkpoint,
  encodeCheckpoint,
  storedTensor,
  type TrainingState,
} from '../../checkpoint/checkpoint.ts';
import type { StoredTensor } from '../../checkpoint/safetensors.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { FormatError, LangevinError } from '../../errors.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { diffusionInfo, diffusionOf } from '../pipeline.ts';
import {
  DIFFUSION_SETTINGS,
  type DiffusionProgress,
  type DiffusionSettings,
  DiffusionTrainer,
} from './diffusion.ts';

interface Progress extends DiffusionProgress {
  /** The training set, which must be the same when the run goes on. */
  readonly data: { readonly name: string; readonly pictures: number };
}

export interface EncodeOptions {
  /** Whether the file holds all that the run needs to go on; false by default. */
  readonly resumable?: boolean;
  /** What else the file's settings shall say; anything that JSON can. */
  readonly notes?: Readonly<Record<string, unknown>>;
}

/** The file of a model that samples, the moving average, and if wanted of the run as well. */
export function encodeDiffusion(
  trainer: DiffusionTrainer,
  { resumable: goOn = false, notes = {} }: EncodeOptions = {},
): Uint8Array<ArrayBuffer> {
  const { model, settings, ema } = trainer;
  const { seed, ...rest } = settings;
  const training = goOn ? trainingState(trainer) : undefined;
  ema.swapIn();
  try {
    const info = diffusionInfo(model, { ...rest, ...notes });
    return encodeCheckpoint(model.network, { ...info, seed }, training);
  } finally {
    ema.swapOut();
  }
}

function trainingState({ model, adam, progress, data }: DiffusionTrainer): TrainingState {
  const tensors = new Map<string, StoredTensor>();
  const state = adam.state;
  for (const [i, [name, p]] of model.network.namedParameters().entries()) {
    tensors.set(`parameter.${name}`, storedTensor(p));
    tensors.set(`m.${name}`, storedTensor(state[i].m));
    tensors.set(`v.${name}`, storedTensor(state[i].v));
  }
  const { name, length } = data.train;
  return { tensors, progress: { ...progress, data: { name, pictures: length } } };
}

/** The settings of the run in a file. @throws FormatError for a file that holds no run */
export function settingsOf({ settings, seed, training, source }: Checkpoint): DiffusionSettings {
  if (!training) {
    throw new FormatError(`${source}: expected a run that can go on, got a model without its training state`);
  }
  const all = { ...DIFFUSION_SETTINGS, ...renamed(settings), ...(seed === undefined ? {} : { seed }) };
  const names = Object.keys(DIFFUSION_SETTINGS) as (keyof DiffusionSettings)[];
  return Object.fromEntries(names.map((name) => [name, all[name]])) as unknown as DiffusionSettings;
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
 * @param settings in place of the file's own: with other epochs the rate falls differently from there on
 * @throws FormatError for a file that holds no such run, or one on other data
 */
export function resumeDiffusion(
  checkpoint: Checkpoint,
  data: TrainTest,
  { limitSeconds, epochs }: { readonly limitSeconds?: number; readonly epochs?: number | undefined } = {},
): DiffusionTrainer {
  const settings = settingsOf(checkpoint);
  const { source, training } = checkpoint;
  const { tensors, progress } = training as TrainingState & { readonly progress: Progress };
  const { name, length } = data.train;
  if (progress.data?.name !== name || progress.data.pictures !== length) {
    const had = `${progress.data?.pictures} pictures of "${progress.data?.name}"`;
    throw new FormatError(`${source}: expected the run's data, ${had}, got ${length} of "${name}"`);
  }
  const model = diffusionOf(checkpoint);
  try {
    const trainer = new DiffusionTrainer(
      model,
      data,
      { ...settings, epochs: epochs ?? settings.epochs },
      limitSeconds,
    );
    scope(() => putBack(trainer, tensors, progress));
    trainer.resume(progress);
    return trainer;
  } catch (error) {
    model.network.dispose();
    if (!(error instanceof LangevinError) || error instanceof FormatError) throw error;
    throw new FormatError(`${source}: ${error.message}`);
  }
}

/** Network, average and moments as they were; the network holds the averages now. */
function putBack(
  { model, adam, ema }: DiffusionTrainer,
  tensors: TrainingState['tensors'],
  { emaUpdates, adamSteps }: Progress,
): void {
  const read = (name: string): Tensor => {
    const stored = tensors.get(name);
    if (!stored) throw new FormatError(`expected a tensor "training.${name}", got none`);
    return tensor(stored.data as Float32Array, stored.shape);
  };
  const names = model.network.namedParameters().map(([name]) => name);
  ema.loadStateDict(ema.stateDict(), emaUpdates);
  const states = names.map((name, i) => ({
    m: read(`m.${name}`),
    v: read(`v.${name}`),
    steps: adamSteps[i],
  }));
  adam.loadState(states);
  model.network.loadStateDict(new Map(names.map((name) => [name, read(`parameter.${name}`)])));
}
