/**
 * What `langevin train denoiser` leaves behind, each file whole or not at all. The model comes first: should
 * the disk be full, the pictures can be drawn again from it.
 */
import { encodeCheckpoint } from '../../checkpoint/checkpoint.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { Denoiser } from '../../models/networks/denoiser.ts';
import type { DenoiserSettings } from '../../models/training/denoiser.ts';
import { VERSION } from '../../version.ts';
import type { EngineReport } from '../options/engine.ts';
import { denoiserPictures } from './denoiser-pictures.ts';
import type { LossHistory } from './loss-plot.ts';
import { type Content, writeAll } from './out-folder.ts';

/** The files by name, in the order in which they are written, and what is in each. */
export const DENOISER_FILES = {
  'model.safetensors': 'the trained model, readable by PyTorch too',
  'metrics.json': 'losses and speed of every epoch, and all settings',
  'denoised.png': 'test digits, the same with noise, and what the model makes of them',
  'pure-noise.png': 'the model on nothing but noise',
  'pure-noise-5x.png': 'the same, five times in a row',
  'loss.svg': 'the loss over the epochs',
} as const;

/** A run, finished or stopped. */
export interface DenoiserRun {
  readonly model: Denoiser;
  readonly data: TrainTest;
  readonly settings: DenoiserSettings;
  readonly engine: EngineReport;
  readonly history: LossHistory;
  /** The signal that stopped it early, and the batches of the epoch that it did not finish. */
  readonly stopped: { readonly signal: string; readonly epoch: number; readonly batch: number } | null;
}

/** The name that the two parts of a data set share. */
export const setName = ({ train }: TrainTest): string => train.name.replace(/ train$/, '');

/** What is recorded of a run beside its losses. */
export function describeRun({ model, data, settings, engine }: Omit<DenoiserRun, 'history' | 'stopped'>) {
  const { seed, ...rest } = settings;
  return {
    langevin: VERSION,
    model: { kind: Denoiser.kind, ...model.sizes },
    data: { name: setName(data), train: data.train.length, test: data.test.length },
    settings: rest,
    seed,
    ...engine,
  };
}

function metrics(run: DenoiserRun): string {
  const epochs = run.history.epochs.map(({ type, ...epoch }) => epoch);
  return `${JSON.stringify({ ...describeRun(run), stopped: run.stopped, epochs }, null, 2)}\n`;
}

/** Writes all files into `out`: see `writeAll`. */
export async function writeResults(out: string, run: DenoiserRun): Promise<[path: string, what: string][]> {
  const { model, data, settings, history } = run;
  const { seed, ...rest } = settings;
  const title = `Denoiser on ${setName(data)}`;
  const subtitle = `noise ${settings.noise}, batch ${settings.batchSize}, learning rate ${settings.lr}`;
  const contents: Record<keyof typeof DENOISER_FILES, Content> = {
    'model.safetensors': () =>
      encodeCheckpoint(model, { kind: Denoiser.kind, sizes: { ...model.sizes }, settings: rest, seed }),
    'metrics.json': () => metrics(run),
    ...denoiserPictures(model, data.test, settings),
    'loss.svg': () => history.plot(title, subtitle),
  };
  return writeAll(out, DENOISER_FILES, contents);
}
