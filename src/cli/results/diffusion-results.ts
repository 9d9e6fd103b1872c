/** What `langevin train diffusion` leaves behind, each file whole or not at all; the model comes first. */
import type { TrainTest } from '../../data/dataset.ts';
import { encodePng } from '../../image/png.ts';
import { DiffusionMlp } from '../../models/networks/diffusion-mlp.ts';
import { labelsInTurn, samplePictures } from '../../models/sample.ts';
import { sampleGrid } from '../../models/sample-grid.ts';
import { GUIDANCE } from '../../models/settings.ts';
import type { DiffusionSettings, DiffusionTrainer } from '../../models/training/diffusion.ts';
import { encodeDiffusion } from '../../models/training/resume.ts';
import { VERSION } from '../../version.ts';
import type { EngineReport } from '../options/engine.ts';
import { writeCheckpoint } from './checkpoints.ts';
import { setName } from './denoiser-results.ts';
import type { LossHistory } from './loss-plot.ts';
import { type Content, writeAll } from './out-folder.ts';

/** The files by name, in the order in which they are written, and what is in each. */
export const DIFFUSION_FILES = {
  'model.safetensors': 'the moving average of the network, which samples',
  'metrics.json': 'losses and speed of every epoch, and all settings',
  'samples.png': 'pictures of its own, a class a column',
  'loss.svg': 'the loss over the epochs',
} as const;

export interface DiffusionRun {
  readonly trainer: DiffusionTrainer;
  readonly data: TrainTest;
  readonly settings: DiffusionSettings;
  readonly engine: EngineReport;
  readonly history: LossHistory;
  /** What a run that goes on has to know beside its settings. */
  readonly notes: Readonly<Record<string, unknown>>;
}

/** Where a run was stopped, and by what. */
export type Stopped = { readonly signal: string; readonly epoch: number; readonly batch: number } | null;

const COUNT = 100;

/** What is recorded of a run beside its losses. */
export function describeRun({ trainer, data, settings, engine, notes }: DiffusionRun) {
  const { seed, ...rest } = settings;
  return {
    langevin: VERSION,
    model: { kind: DiffusionMlp.kind, ...trainer.model.network.sizes },
    data: { name: setName(data), train: data.train.length, test: data.test.length },
    settings: { ...rest, ...notes },
    seed,
    ...engine,
  };
}

/** Writes a checkpoint that a run can go on from: see `writeCheckpoint`. */
export async function saveRun(out: string, { trainer, notes }: DiffusionRun, first: boolean): Promise<void> {
  await writeCheckpoint(
    out,
    trainer.progress.step,
    encodeDiffusion(trainer, { resumable: true, notes }),
    first,
  );
}

function metrics(run: DiffusionRun, stopped: Stopped): string {
  const epochs = run.history.epochs.map(({ type, ...epoch }) => epoch);
  const { step, seconds } = run.trainer.progress;
  return `${JSON.stringify({ ...describeRun(run), stopped, step, seconds, epochs }, null, 2)}\n`;
}

/** A picture of samples, a class a column. */
function samples({ trainer: { model, ema }, settings: { seed } }: DiffusionRun): Uint8Array {
  const { classes } = model.network.sizes;
  const columns = classes > 1 && classes <= 20 ? classes : 10;
  ema.swapIn();
  try {
    const labels = labelsInTurn(model, Math.floor(COUNT / columns) * columns);
    const pictures = samplePictures(model, { labels, guidance: classes > 0 ? GUIDANCE : 1, seed });
    return encodePng(sampleGrid(pictures, model.network.sizes, labels, columns));
  } finally {
    ema.swapOut();
  }
}

/** Writes all files into `out`: see `writeAll`. */
export async function writeResults(
  out: string,
  run: DiffusionRun,
  stopped: Stopped,
): Promise<[string, string][]> {
  const { trainer, data, settings, history, notes } = run;
  const { schedule, predicts, lossWeighting, batchSize } = settings;
  const subtitle = `${schedule} schedule, predicts ${predicts}, weight ${lossWeighting}, batch ${batchSize}`;
  const contents: Record<keyof typeof DIFFUSION_FILES, Content> = {
    'model.safetensors': () => encodeDiffusion(trainer, { notes }),
    'metrics.json': () => metrics(run, stopped),
    'samples.png': () => samples(run),
    'loss.svg': () => history.plot(`Diffusion on ${setName(data)}`, subtitle),
  };
  // Of a run that was complete already there is no course to plot.
  const { 'loss.svg': plot, ...others } = contents;
  return writeAll(out, DIFFUSION_FILES, history.batches === 0 ? others : { ...others, 'loss.svg': plot });
}
