/**
 * `langevin toy`: diffusion of points in the plane, with a known exact score. A small network learns a set of points.
 * Its score is drawn over the exact score at four noise levels, and its samples beside samples of the exact score.
 */
import { setImmediate } from 'node:timers/promises';
import { TOY_SETS, type ToySet } from '../../data/toy.ts';
import { RECIPES, TOY_TABLE } from '../../models/settings.ts';
import { type ToyFigures, toyFigures } from '../../models/toy/figures.ts';
import { TOY_STEPS, type ToyDiffusion } from '../../models/toy/toy.ts';
import { TOY_LEVELS } from '../../models/toy/view.ts';
import { type ToySettings, toySettings, trainToy } from '../../models/training/toy.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions, engineReport } from '../options/engine.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { createReporter, type Reporter } from '../report/reporter.ts';
import { FigureHashes } from '../results/figures.ts';
import { type Part, page } from '../results/html.ts';
import { type Content, requireWritable, writeAll } from '../results/out-folder.ts';
import { drawSamples, drawScore } from '../results/toy-plots.ts';

const TITLES: Readonly<Record<ToySet, string>> = {
  moons: 'Two moons',
  swirl: 'A swirl',
  eight: 'Eight Gaussians',
};

const OUTPUT = { out: outSetting('out/toy'), ...REPORT_TABLE } as const;

export const TOY: Command = {
  name: 'toy',
  summary: 'Learn sets of points in the plane, and compare with the exact score',
  groups: { ...RECIPES.toy, Output: OUTPUT },
  examples: ['toy', 'toy swirl --sampler dpm-solver-2m --steps 12'],
  run: toyCommand,
};

/** Runs the command and returns the exit code. */
export async function toyCommand(options: Options): Promise<number> {
  const settings = readSettings(TOY_TABLE, options);
  const { set, sampler, steps } = settings;
  if (steps > TOY_STEPS) {
    throw new UsageError(
      `--steps: expected at most the ${TOY_STEPS} steps of the training schedule, got ${steps}`,
    );
  }
  const { out } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const cleanUp = requireWritable(out, ['index.html']);
  try {
    const run = { langevin: VERSION, ...settings, ...(await engineReport()) };
    reporter.event({ type: 'start', epochs: 1, lines: [], run });
    const hashes = new FigureHashes();
    const parts: Part[] = [{ kind: 'text', text: INTRODUCTION }];
    const written: [string, string][] = [];
    for (const name of set === 'all' ? TOY_SETS : [set]) {
      const model = await trained(name, toySettings(settings));
      const figures = toyFigures(model, name, settings);
      model.network.dispose();
      const { captions, contents } = contentsOf(name, figures, `${sampler}, ${steps} steps`, hashes);
      written.push(...(await writeAll(out, captions, contents)));
      parts.push({ kind: 'heading', text: TITLES[name] });
      for (const [file, caption] of Object.entries(captions)) {
        parts.push({ kind: 'picture', file, text: caption, half: true });
      }
      reportErrors(name, figures, reporter);
    }
    const html = () => page('Diffusion in the plane', parts);
    const index = await writeAll(out, { 'index.html': 'a page with all plots' }, { 'index.html': html });
    reporter.event({
      type: 'end',
      stopped: null,
      files: [...index, ...written],
      numbers: hashes.numbers,
      summary: [],
      next: [[`${PROGRAM} toy --help`, 'all options']],
    });
    return 0;
  } finally {
    reporter.close();
    cleanUp();
  }
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** Reports the relative errors of the learned score of a set. */
function reportErrors(set: ToySet, { scores }: ToyFigures, reporter: Reporter): void {
  const errors = scores.map(({ error }) => percent(error)).join(', ');
  reporter.event({
    type: 'result',
    line: `${TITLES[set].padEnd(18)}error of the learned score ${errors} at t = ${TOY_LEVELS.join(', ')}`,
    result: { set, scores: scores.map(({ share, error }) => ({ t: share, error })) },
  });
}

const INTRODUCTION =
  'The score is the gradient of the log density of the noisy data. It points towards more likely data. For these sets the exact score is known at every noise level. The network learns the score from points alone. With the learned or the exact score, a sampler turns pure noise into points of the set.';

/** The captions and contents of the files of a set. @param by the sampler and its number of steps */
function contentsOf(name: ToySet, { learned, exact, scores }: ToyFigures, by: string, hashes: FigureHashes) {
  const title = TITLES[name];
  const captions: Record<string, string> = {};
  const contents: Record<string, Content> = {};
  const add = <F extends object>(
    file: string,
    caption: string,
    figure: F,
    draw: (f: F) => Promise<string>,
  ) => {
    captions[file] = caption;
    contents[file] = hashes.content(file, () => figure, draw);
  };
  add(`${name}-samples.svg`, `Samples of the network: ${by}.`, learned, (figure) =>
    drawSamples(`${title}: learned`, figure),
  );
  add(`${name}-exact.svg`, `Samples of the exact score: ${by}.`, exact, (figure) =>
    drawSamples(`${title}: exact`, figure),
  );
  for (const score of scores) {
    const { share, error } = score;
    const caption = `The score at t = ${share}. The relative error of the learned score at the noisy points is ${percent(error)}.`;
    add(`${name}-score-${100 * share}.svg`, caption, score, (figure) => drawScore(title, figure));
  }
  return { captions, contents };
}

async function trained(name: ToySet, settings: ToySettings): Promise<ToyDiffusion> {
  const run = trainToy(name, settings);
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
    await setImmediate(); // Ctrl-C is handled here
  }
}
