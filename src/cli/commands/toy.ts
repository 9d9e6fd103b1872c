/**
 * `langevin toy`: diffusion in the plane, where the exact score is known. A small network learns a set of points;
 * its score is drawn over the exact one at four noise levels, and its samples beside those of the exact score.
 */
import { setImmediate } from 'node:timers/promises';
import { TOY_SETS, type ToySet } from '../../data/toy.ts';
import { RECIPES, TOY_TABLE } from '../../models/settings.ts';
import { TOY_LEVELS, type ToyFigures, toyFigures } from '../../models/toy/figures.ts';
import { TOY_STEPS, type ToyDiffusion } from '../../models/toy/toy.ts';
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
  summary: 'Diffusion in the plane: learned scores beside the exact ones',
  groups: { ...RECIPES.toy, Output: OUTPUT },
  examples: ['toy', 'toy swirl --sampler dpm-solver-2m --steps 12'],
  run: toyCommand,
};

/** Runs the command; the exit code. */
export async function toyCommand(options: Options): Promise<number> {
  const settings = readSettings(TOY_TABLE, options);
  const { set, sampler, steps } = settings;
  if (steps > TOY_STEPS) {
    throw new UsageError(
      `--steps: expected at most the ${TOY_STEPS} that the model is trained with, got ${steps}`,
    );
  }
  const { out } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const tidy = requireWritable(out, ['index.html']);
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
      tell(name, figures, reporter);
    }
    const html = () => page('Diffusion in the plane', parts);
    const index = await writeAll(out, { 'index.html': 'the page with all of them' }, { 'index.html': html });
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
    tidy();
  }
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** Says how far the learned score of a set is from the exact one. */
function tell(set: ToySet, { scores }: ToyFigures, reporter: Reporter): void {
  const errors = scores.map(({ error }) => percent(error)).join(', ');
  reporter.event({
    type: 'result',
    line: `${TITLES[set].padEnd(18)}error of the learned score ${errors} at t = ${TOY_LEVELS.join(', ')}`,
    result: { set, scores: scores.map(({ share, error }) => ({ t: share, error })) },
  });
}

const INTRODUCTION =
  'The score, the gradient of the log density of noised data, points to where data are likelier. For these sets it is known exactly at every noise level. A network that has only seen points learns it, and following either from pure noise leads back to the set.';

/** The files of a set: what stands below each, and how it is made. @param by how was sampled */
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
    const caption = `The score at t = ${share}: where the noised points are, the learned one is ${percent(error)} off.`;
    add(`${name}-score-${100 * share}.svg`, caption, score, (figure) => drawScore(title, figure));
  }
  return { captions, contents };
}

async function trained(name: ToySet, settings: ToySettings): Promise<ToyDiffusion> {
  const run = trainToy(name, settings);
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
    await setImmediate(); // Ctrl-C is heard here
  }
}
