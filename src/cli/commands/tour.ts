/**
 * `langevin tour`: the lecture from beginning to end, as the other commands in order, and one page with what they
 * draw. Every part of the page says which command made it, so that each can be had alone, and longer.
 */
import { join } from 'node:path';
import { host } from '#host';
import { commandWords, quoted } from '../../models/command-line.ts';
import { ENGINE_TABLE, RECIPES, type RecipeName, TOUR_TABLE } from '../../models/settings.ts';
import { type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { chooseData } from '../options/data.ts';
import { applyEngineOptions } from '../options/engine.ts';
import { outSetting } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { loadModel, namedSampling, readSampling } from '../options/sampling.ts';
import { type Part, page } from '../results/html.ts';
import { requireWritable } from '../results/out-folder.ts';
import { sampleFileName } from '../results/sample-files.ts';

/** Pictures that the shorter trainings see in an epoch: as many as there are of `strokes`. */
const SHORT = 10000;
const SAMPLES = 50;
/** The published model that ends the tour. */
const PUBLISHED = 'mnist-unet';

/** Settings by name. */
type Given = Readonly<Record<string, unknown>>;

/** A part of the tour: commands, and what they draw. */
interface Stage {
  readonly title: string;
  readonly text: string;
  /** Each command with its settings, but for its --out. */
  readonly commands: readonly (readonly [name: RecipeName, settings: Given])[];
  /** Below the tour's folder. */
  readonly folder: string;
  /** A page of its own. */
  readonly link?: readonly [file: string, text: string];
  readonly pictures: readonly (readonly [file: string, text: string])[];
}

const OUTPUT = { out: outSetting('out/tour') } as const;

/** Runs another command by its words, with options that no person types; its exit code. */
type Run = (words: readonly string[], more: Options) => Promise<number>;

export const tour = (run: Run): Command => ({
  name: 'tour',
  summary: 'The lecture in order, on one page, in under three minutes',
  groups: { ...RECIPES.tour, Output: OUTPUT },
  examples: ['tour', 'tour --data mnist'],
  run: (options) => tourCommand(options, run),
});

/**
 * The tour, in order.
 * @param data the settings that choose the pictures
 * @param shared the settings that every command that computes takes: engine and seed
 * @param published the name of the pictures of the published model, without an ending
 */
function stages(data: Given, shared: Given, seconds: number, out: string, published: string): Stage[] {
  const samples = sampleFileName({ count: SAMPLES, ...shared });
  return [
    {
      title: 'Noise that moves',
      text: 'A stochastic differential equation adds noise of variance dt in every step dt. Without a drift this is Brownian motion; with one, the paths scatter around the noise-free one; where the noise grows with the state, it is geometric Brownian motion.',
      commands: ['brownian', 'drift', 'gbm'].map((process) => [
        'sde',
        { process, paths: 5, twin: process === 'drift', ...shared },
      ]),
      folder: 'sde',
      pictures: [
        ['brownian.svg', 'Five paths of Brownian motion.'],
        ['drift.svg', 'Five paths with a drift, and the path without noise.'],
        ['gbm.svg', 'Five paths of geometric Brownian motion.'],
      ],
    },
    {
      title: 'A picture becomes noise',
      text: 'The same equation on every pixel of a digit at once. In the end nothing of the digit is left, and what is left can be drawn without knowing the digit: that is where generation will start.',
      commands: [['noise', { ...data, ...shared }]],
      folder: 'noise',
      pictures: [
        ['noise-all.png', 'A digit on its way into noise, by three processes.'],
        ['noise-all.gif', 'The same, as it goes.'],
      ],
    },
    {
      title: 'One step back: the denoiser',
      text: 'A network is shown noisy digits and learns to say the clean ones. On pure noise it sees a blur. When it denoises its own answer again and again, it settles on shapes that look like digits. Nobody can choose which.',
      commands: [['train denoiser', { ...data, limit: SHORT, epochs: 6, ...shared }]],
      folder: 'denoiser',
      pictures: [
        ['denoised.png', 'Test digits, the same with noise, and what the denoiser makes of them.'],
        ['pure-noise.png', 'The denoiser on nothing but noise.'],
        ['pure-noise-5x.png', 'The same, five times in a row.'],
        ['loss.svg', 'The loss while it was trained.'],
      ],
    },
    {
      title: "Five steps back: the lecture's diffusion model",
      text: 'The way back in T = 5 times. What this loop shows its network has the same noise at every time, so that the best it could learn is one jump to a mean of digits; and a network of this width can take noise away in about half of the directions that a picture has.',
      link: ['lecture/index.html', 'What it can and cannot learn, worked out.'],
      commands: [['train lecture', { ...data, limit: SHORT, epochs: 3, ...shared }]],
      folder: 'lecture',
      pictures: [
        ['seen.png', 'Test digits, what the network sees, and the digit that it answers with, time by time.'],
        ['sampled.png', 'From pure noise, time by time.'],
      ],
    },
    {
      title: 'A thousand steps back: DDPM',
      text: 'The noise now falls from step to step, and the network learns every level of it: from much noise the rough shape, from little the edges. Its inputs are the picture, the level and the label. Training sometimes hides the label, so that sampling can use guidance.',
      commands: [
        ['train diffusion', { ...data, model: 'mlp-small', batchSize: 64, seconds, ...shared }],
        ['schedules', { schedule: ['linear', 'cosine', 'sigmoid'] }],
      ],
      folder: 'diffusion',
      pictures: [
        ['alpha-bar.svg', 'Three schedules of the noise; the model learns the cosine.'],
        ['samples.png', 'Digits out of pure noise, a class a column.'],
        ['loss.svg', 'The loss while it was trained.'],
      ],
    },
    {
      title: 'Digits by label',
      text: 'DDIM goes the same way in 50 steps. With guidance, each step goes further in the direction that the label makes a difference in.',
      commands: [['sample', { model: join(out, 'diffusion'), count: SAMPLES, gif: true, ...shared }]],
      folder: 'samples',
      pictures: [
        [`${samples}.gif`, 'Fifty digits growing out of noise.'],
        [`${samples}.png`, 'Where they end.'],
      ],
    },
    {
      title: 'With convolutions, and an hour of training',
      text: 'The model above learned for a minute. This one is a U-Net with attention, comes with langevin, and learned MNIST for 82 minutes on two cores. Its card, mnist-unet.md, says how to make it again to the bit.',
      commands: [['sample', { model: PUBLISHED, count: SAMPLES, gif: true, ...shared }]],
      folder: 'published',
      pictures: [
        [`${published}.gif`, 'Fifty digits growing out of noise.'],
        [`${published}.png`, 'Where they end.'],
      ],
    },
  ];
}

/** How `langevin sample` names the pictures of the published model, which samples in its own way. */
async function publishedSamples(seed: string): Promise<string> {
  const options = { model: PUBLISHED, seed };
  const { model } = await loadModel(options);
  try {
    return sampleFileName({ count: SAMPLES, ...namedSampling(readSampling(options, model), model) });
  } finally {
    model.network.dispose();
  }
}

/** Runs the command; the exit code. */
async function tourCommand(options: Options, run: Run): Promise<number> {
  const { name, dataDir } = chooseData(options);
  const { seconds, seed } = readSettings(TOUR_TABLE, options);
  const { out } = readSettings(OUTPUT, options);
  applyEngineOptions(options);
  const tidy = requireWritable(out, ['index.html']);
  try {
    const shared = { ...readSettings(ENGINE_TABLE, options), seed };
    const published = await publishedSamples(seed);
    const all = stages({ data: name, dataDir }, shared, seconds, out, published);
    const parts: Part[] = [];
    const started = performance.now();
    for (const [i, stage] of all.entries()) {
      process.stdout.write(`\n${i + 1}/${all.length}  ${stage.title}\n`);
      parts.push({ kind: 'heading', text: stage.title }, { kind: 'text', text: stage.text });
      const code = await runStage(stage, join(out, stage.folder), parts, run);
      if (code !== 0) return code;
      // After each part: should a later one fail, there is a page of those before.
      await host.writeFileAtomic(join(out, 'index.html'), page('From noise to digits: a tour', parts));
    }
    const took = ((performance.now() - started) / 1000).toFixed(0);
    process.stdout.write(`\nthe tour took ${took} s: open ${join(out, 'index.html')}\n`);
    return 0;
  } finally {
    tidy();
  }
}

/** Runs the commands of a part, and adds them and their pictures to the page; the exit code. */
async function runStage(stage: Stage, out: string, parts: Part[], run: Run): Promise<number> {
  const begun = performance.now();
  for (const [name, settings] of stage.commands) {
    const words = [...commandWords(name, settings), '--out', out];
    const line = [PROGRAM, ...words.map(quoted)].join(' ');
    process.stdout.write(`     ${line}\n`);
    parts.push({ kind: 'command', text: line });
    const code = await run(words, { quiet: true, progress: true });
    if (code !== 0) return code;
  }
  if (stage.link) parts.push({ kind: 'link', file: stage.link[0], text: stage.link[1] });
  for (const [file, caption] of stage.pictures) {
    parts.push({ kind: 'picture', file: `${stage.folder}/${file}`, text: caption });
  }
  process.stdout.write(`     ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
  return 0;
}
