/**
 * `langevin toy`: diffusion in the plane, where the exact score is known. A small network learns a set of points;
 * its score is drawn over the exact one at four noise levels, and its samples beside those of the exact score.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { host } from '#host';
import { TOY_SETS, type ToySet, toySet } from '../../data/toy.ts';
import type { Predictor } from '../../diffusion/prediction.ts';
import { createSampler, runSampler, type SamplerName, startNoise } from '../../diffusion/samplers/index.ts';
import { timeAt } from '../../diffusion/schedule.ts';
import { RECIPES, TOY_TABLE } from '../../models/settings.ts';
import { TOY_STEPS, type ToyDiffusion, toyMixture } from '../../models/toy/toy.ts';
import { type ToySettings, toySettings, trainToy } from '../../models/training/toy.ts';
import { Rng } from '../../random/rng.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions } from '../options/engine.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { type Part, page } from '../results/html.ts';
import { requireWritable } from '../results/out-folder.ts';
import { pointsOf, scatter, scoreField } from '../results/toy-plots.ts';

const POINTS = 1000;
/** Noise levels whose scores are drawn, as shares of the way to pure noise. */
const LEVELS = [0.1, 0.3, 0.6, 0.9] as const;
const TITLES: Readonly<Record<ToySet, string>> = {
  moons: 'Two moons',
  swirl: 'A swirl',
  eight: 'Eight Gaussians',
};

const OUTPUT = { out: outSetting('out/toy'), quiet: REPORT_TABLE.quiet } as const;

export const TOY: Command = {
  name: 'toy',
  summary: 'Diffusion in the plane: learned scores beside the exact ones',
  groups: { ...RECIPES.toy, Output: OUTPUT },
  examples: ['toy', 'toy swirl --sampler dpm-solver-2m --steps 12'],
  run: toyCommand,
};

interface Choice {
  readonly sampler: SamplerName;
  readonly steps: number;
  readonly settings: ToySettings;
}

/** Runs the command; the exit code. */
export async function toyCommand(options: Options): Promise<number> {
  const all = readSettings(TOY_TABLE, options);
  const { set, sampler, steps } = all;
  const sets = set === 'all' ? TOY_SETS : [set];
  const choice: Choice = { sampler, steps, settings: toySettings(all) };
  if (choice.steps > TOY_STEPS) {
    throw new UsageError(
      `--steps: expected at most the ${TOY_STEPS} that the model is trained with, got ${choice.steps}`,
    );
  }
  const { out } = readSettings(OUTPUT, options);
  applyEngineOptions(options);
  const tidy = requireWritable(out, ['index.html']);
  const say = (line: string) => options.quiet || process.stdout.write(`${line}\n`);
  try {
    const parts: Part[] = [{ kind: 'text', text: INTRODUCTION }];
    for (const name of sets) {
      const { files, errors, parts: own } = await show(name, choice);
      for (const [file, svg] of files) await host.writeFileAtomic(join(out, file), svg);
      parts.push(...own);
      say(
        `${TITLES[name].padEnd(18)}error of the learned score ${errors.join(', ')} at t = ${LEVELS.join(', ')}`,
      );
    }
    await host.writeFileAtomic(join(out, 'index.html'), page('Diffusion in the plane', parts));
    say(`\nwrote ${join(out, 'index.html')}: open it`);
    return 0;
  } finally {
    tidy();
  }
}

const INTRODUCTION =
  'The score, the gradient of the log density of noised data, points to where data are likelier. For these sets it is known exactly at every noise level. A network that has only seen points learns it, and following either from pure noise leads back to the set.';

/** Trains on a set, and draws all that there is to see of it. */
async function show(name: ToySet, { sampler, steps, settings }: Choice) {
  const model = await trained(name, settings);
  const mixture = toyMixture(name);
  const rng = new Rng(settings.seed).stream('pictures');
  const data = pointsOf(() => toySet(name, POINTS, rng));
  const files: [string, string][] = [];
  const pictures: Part[] = [];
  const add = (file: string, svg: string, caption: string) => {
    files.push([file, svg]);
    pictures.push({ kind: 'picture', file, text: caption, half: true });
  };
  const sampled = (predictor: Predictor) =>
    pointsOf(() => {
      const noise = startNoise(model.schedule, [POINTS, 2], rng);
      const run = createSampler(sampler, { steps }).sample(predictor, model.schedule, noise, rng);
      try {
        return runSampler(run);
      } finally {
        noise.dispose();
      }
    });
  const title = TITLES[name];
  const by = `${sampler}, ${steps} steps`;
  const learned = sampled(model.predictor);
  add(
    `${name}-samples.svg`,
    await scatter(`${title}: learned`, data, learned),
    `Samples of the network: ${by}.`,
  );
  const exact = sampled(mixture.predictor(model.schedule));
  add(
    `${name}-exact.svg`,
    await scatter(`${title}: exact`, data, exact),
    `Samples of the exact score: ${by}.`,
  );
  const errors: string[] = [];
  for (const share of LEVELS) {
    const level = model.schedule.level(timeAt(model.schedule, share));
    const { svg, error } = await scoreField(title, model, mixture, level, share, data);
    errors.push(`${(100 * error).toFixed(0)} %`);
    const caption = `The score at t = ${share}: where the noised points are, the learned one is ${(100 * error).toFixed(0)} % off.`;
    add(`${name}-score-${100 * share}.svg`, svg, caption);
  }
  model.network.dispose();
  return { files, errors, parts: [{ kind: 'heading', text: title } satisfies Part, ...pictures] };
}

async function trained(name: ToySet, settings: ToySettings): Promise<ToyDiffusion> {
  const run = trainToy(name, settings);
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
    await setImmediate(); // Ctrl-C is heard here
  }
}
