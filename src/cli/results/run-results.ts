/** What every training run leaves behind: its model, its metrics, the plot of its losses, and what its recipe adds. */
import type { TrainTest } from '../../data/dataset.ts';
import { lossFigure } from '../../models/figures/loss.ts';
import type { Trainer } from '../../models/training/loop.ts';
import type { Recipe } from '../../models/training/recipe.ts';
import { encodeRun } from '../../models/training/resume.ts';
import { VERSION } from '../../version.ts';
import type { EngineReport } from '../options/engine.ts';
import type { FigureHashes } from './figures.ts';
import { drawLoss, type LossTitles } from './loss-plot.ts';
import { type Content, writeAll } from './out-folder.ts';

export interface Run<R extends Recipe = Recipe> {
  readonly trainer: Trainer<R>;
  readonly data: TrainTest;
  readonly engine: EngineReport;
  /** What a run that goes on has to know beside its settings. */
  readonly notes: Readonly<Record<string, unknown>>;
}

/** Where a run was stopped, and by what: a signal, or `divergence`. */
export type Stopped = { readonly signal: string; readonly epoch: number; readonly batch: number } | null;

/** What a recipe's run leaves beside its model. */
export interface Results {
  readonly titles: LossTitles;
  readonly contents: Readonly<Record<string, Content>>;
  /** Of the figures among the contents, once they are written. */
  readonly hashes: FigureHashes;
  /** Figures that go to the metrics. */
  readonly figures?: object;
}

/** The name that the two parts of a data set share. */
export const setName = ({ train }: TrainTest): string => train.name.replace(/ train$/, '');

/** What is recorded of a run beside its losses. */
export function describeRun({ trainer, data, engine, notes }: Run) {
  const { kind, sizes, settings, seed } = trainer.recipe.info;
  return {
    langevin: VERSION,
    model: { kind, ...sizes },
    data: { name: setName(data), train: data.train.length, test: data.test.length },
    settings: { ...settings, ...notes },
    seed,
    ...engine,
  };
}

function metrics(run: Run, stopped: Stopped, figures?: object): string {
  const { progress, history } = run.trainer;
  const { step, seconds } = progress;
  const epochs = history.epochs.map(({ type, ...epoch }) => epoch);
  const more = figures ? { figures } : {};
  return `${JSON.stringify({ ...describeRun(run), stopped, step, seconds, ...more, epochs }, null, 2)}\n`;
}

/**
 * Writes all files into `out`, in the order of `files`: see `writeAll`. The model comes first: should the disk be full,
 * pictures can be drawn again from it.
 */
export async function writeRun(
  out: string,
  files: Readonly<Record<string, string>>,
  run: Run,
  { titles, contents, figures, hashes }: Results,
  stopped: Stopped,
): Promise<[path: string, what: string][]> {
  const { trainer, notes } = run;
  const all: Record<string, Content> = {
    'model.safetensors': () => encodeRun(trainer, { notes }),
    'metrics.json': () => metrics(run, stopped, figures),
    ...contents,
  };
  // A run of version 0.1.0 that was complete already has no course to plot.
  if (trainer.history.at.length > 0) {
    const compute = () => lossFigure(trainer.history);
    all['loss.svg'] = hashes.content('loss.svg', compute, (figure) => drawLoss(figure, titles));
  }
  const ordered = Object.keys(files).flatMap((name) => (all[name] ? [[name, all[name]]] : []));
  return writeAll(out, files, Object.fromEntries(ordered));
}
