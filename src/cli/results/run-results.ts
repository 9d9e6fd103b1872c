/** The results of every training run: the model, the metrics, the plot of the losses, and the results of the recipe. */
import type { Dataset, TrainTest } from '../../data/dataset.ts';
import { lossFigure } from '../../models/figures/loss.ts';
import type { Trainer } from '../../models/training/loop.ts';
import type { Recipe } from '../../models/training/recipe.ts';
import { encodeRun } from '../../models/training/resume.ts';
import { VERSION } from '../../version.ts';
import type { EngineReport } from '../options/engine.ts';
import type { FigureHashes } from './figures.ts';
import { drawLoss, type LossTitles } from './loss-plot.ts';
import { type Content, writeAll } from './out-folder.ts';

/** What a run learns from and is tested with, by name and number of samples. */
export interface NamedSets {
  readonly train: Pick<Dataset, 'name' | 'length'>;
  readonly test: Pick<Dataset, 'name' | 'length'>;
}

/** A training run. It learns from D, usually pictures. */
export interface Run<R extends Recipe = Recipe, D extends NamedSets = TrainTest> {
  readonly trainer: Trainer<R>;
  readonly data: D;
  readonly engine: EngineReport;
  /** Further values that a resumed run needs, such as the options of its data. */
  readonly notes: Readonly<Record<string, unknown>>;
}

/** The signal that stopped a run, or `divergence`, and the position; null if nothing stopped it. */
export type Stopped = { readonly signal: string; readonly epoch: number; readonly batch: number } | null;

/** The results of a recipe. */
export interface Results {
  readonly titles: LossTitles;
  readonly contents: Readonly<Record<string, Content>>;
  /** The hashes of the figures in `contents`. They are complete after the files have been written. */
  readonly hashes: FigureHashes;
  /** Measures for metrics.json. */
  readonly figures?: object;
}

/** The name of a data set, without the suffix `train`. */
export const setName = ({ train }: NamedSets): string => train.name.replace(/ train$/, '');

/** The description of a run for its records: model, data, settings and engine. */
export function describeRun({ trainer, data, engine, notes }: Run<Recipe, NamedSets>) {
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

function metrics(run: Run<Recipe, NamedSets>, stopped: Stopped, figures?: object): string {
  const { progress, history } = run.trainer;
  const { step, seconds } = progress;
  const epochs = history.epochs.map(({ type, ...epoch }) => epoch);
  const more = figures ? { figures } : {};
  return `${JSON.stringify({ ...describeRun(run), stopped, step, seconds, ...more, epochs }, null, 2)}\n`;
}

/**
 * Writes all files to the folder `out`, in the order of `files`, by `writeAll`. The model is written first. If the disk
 * becomes full after it, the pictures can be drawn again from the model.
 */
export async function writeRun(
  out: string,
  files: Readonly<Record<string, string>>,
  run: Run<Recipe, NamedSets>,
  { titles, contents, figures, hashes }: Results,
  stopped: Stopped,
): Promise<[path: string, what: string][]> {
  const { trainer, notes } = run;
  const all: Record<string, Content> = {
    'model.safetensors': () => encodeRun(trainer, { notes }),
    'metrics.json': () => metrics(run, stopped, figures),
    ...contents,
  };
  // The checkpoint of a run that version 0.1.0 completed has no losses of batches. Then there is nothing to plot.
  if (trainer.history.at.length > 0) {
    const compute = () => lossFigure(trainer.history);
    all['loss.svg'] = hashes.content('loss.svg', compute, (figure) => drawLoss(figure, titles));
  }
  const ordered = Object.keys(files).flatMap((name) => (all[name] ? [[name, all[name]]] : []));
  return writeAll(out, files, Object.fromEntries(ordered));
}
