/**
 * `langevin tour`: runs other commands in the order of the lecture, and writes one page with their pictures. Each part
 * of the page shows its commands, so that a reader can run one alone, or train longer.
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

/** The number of training pictures in the two short trainings. `strokes` has as many. */
const SHORT = 10000;
const SAMPLES = 50;
/** The published model in the last part of the tour. */
const PUBLISHED = 'mnist-unet';

/** Settings by name. */
type Given = Readonly<Record<string, unknown>>;

/** A part of the tour: commands, and the pictures that they draw. */
interface Stage {
  readonly title: string;
  readonly text: string;
  /** Each command with its settings, without --out. */
  readonly commands: readonly (readonly [name: RecipeName, settings: Given])[];
  /** The output folder, inside the tour's folder. */
  readonly folder: string;
  /** A link to a page that one of the commands writes. */
  readonly link?: readonly [file: string, text: string];
  /** The pictures for the tour's page, each with its caption. */
  readonly pictures: readonly (readonly [file: string, text: string])[];
}

const OUTPUT = { out: outSetting('out/tour') } as const;

/** Runs the command of these words and returns its exit code. @param more further options */
type Run = (words: readonly string[], more: Options) => Promise<number>;

export const tour = (run: Run): Command => ({
  name: 'tour',
  summary: 'Run the parts of the lecture in under three minutes, and write one page',
  groups: { ...RECIPES.tour, Output: OUTPUT },
  examples: ['tour', 'tour --data mnist'],
  run: (options) => tourCommand(options, run),
});

/**
 * The parts of the tour, in order.
 * @param data the settings that choose the data
 * @param shared the settings that most commands share: engine and seed
 * @param published the file name of the published model's pictures, without its ending
 */
function stages(data: Given, shared: Given, seconds: number, out: string, published: string): Stage[] {
  const samples = sampleFileName({ count: SAMPLES, ...shared });
  return [
    {
      title: 'Stochastic differential equations',
      text: 'A stochastic differential equation adds Gaussian noise in every time step. The variance of this noise is proportional to the length of the step. An equation of noise alone describes Brownian motion. With a drift, the paths scatter around the path without noise. In geometric Brownian motion the noise is proportional to the state.',
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
      text: 'The same equation acts on every pixel of a digit. At the end the picture is pure noise. Pure noise can be sampled without any digit, so generation starts from it.',
      commands: [['noise', { ...data, ...shared }]],
      folder: 'noise',
      pictures: [
        ['noise-all.png', 'Three processes turn a digit into noise.'],
        ['noise-all.gif', 'The same as an animation.'],
      ],
    },
    {
      title: 'One step back: the denoiser',
      text: 'A network gets noisy digits and learns to predict the clean digits. From pure noise it predicts a blur. If it denoises its own output several times, the blur becomes a shape that looks like a digit. Nobody can choose which digit.',
      commands: [['train denoiser', { ...data, limit: SHORT, epochs: 6, ...shared }]],
      folder: 'denoiser',
      pictures: [
        ['denoised.png', 'Test digits, the same digits with noise, and the outputs of the denoiser.'],
        ['pure-noise.png', 'Pure noise, and the output of the denoiser.'],
        ['pure-noise-5x.png', 'Pure noise, and the outputs of five passes through the denoiser.'],
        ['loss.svg', 'The loss during the training.'],
      ],
    },
    {
      title: "Five steps back: the lecture's diffusion model",
      text: 'This model goes from noise to a digit in T = 5 steps. Its training shows the network the same amount of noise at every step. So the best that it can learn is one jump to a mean of digits. A network of this width can also remove noise in only about half of the directions of a picture.',
      link: ['lecture/index.html', 'The theory of this model: what it can and cannot learn.'],
      commands: [['train lecture', { ...data, limit: SHORT, epochs: 3, ...shared }]],
      folder: 'lecture',
      pictures: [
        ['seen.png', 'Test digits, the inputs of the network, and its prediction of the digit at each time.'],
        ['sampled.png', 'Samples: pure noise, and the picture after each step.'],
      ],
    },
    {
      title: 'A thousand steps back: DDPM',
      text: 'Here the noise decreases from step to step, and the network learns every noise level. At high levels it learns rough shapes, at low levels edges. Its inputs are the noisy picture, the noise level and the label. Training sometimes hides the label, so that sampling can use guidance.',
      commands: [
        ['train diffusion', { ...data, model: 'mlp-small', batchSize: 64, seconds, ...shared }],
        ['schedules', { schedule: ['linear', 'cosine', 'sigmoid'] }],
      ],
      folder: 'diffusion',
      pictures: [
        ['alpha-bar.svg', 'Three noise schedules. The model uses the cosine schedule.'],
        ['samples.png', 'Digits sampled from pure noise. Each column has one class.'],
        ['loss.svg', 'The loss during the training.'],
      ],
    },
    {
      title: 'Digits by label',
      text: 'The DDIM sampler needs only 50 steps with the same model. Guidance makes each step larger in the direction in which the label changes the prediction.',
      commands: [['sample', { model: join(out, 'diffusion'), count: SAMPLES, gif: true, ...shared }]],
      folder: 'samples',
      pictures: [
        [`${samples}.gif`, 'Fifty digits, from pure noise to the last step.'],
        [`${samples}.png`, 'The digits after the last step.'],
      ],
    },
    {
      title: 'With convolutions, and more than an hour of training',
      text: 'The model above was trained for about a minute. This model is a U-Net with attention, and it comes with langevin. It was trained on MNIST for 82 minutes on two cores. Its card, mnist-unet.md, has the commands that make the same file, bit by bit.',
      commands: [['sample', { model: PUBLISHED, count: SAMPLES, gif: true, ...shared }]],
      folder: 'published',
      pictures: [
        [`${published}.gif`, 'Fifty digits, from pure noise to the last step.'],
        [`${published}.png`, 'The digits after the last step.'],
      ],
    },
  ];
}

/**
 * The file name, without its ending, that `langevin sample` gives the pictures of the published model. It contains the
 * sampling settings of the model's file.
 */
async function publishedSamples(seed: string): Promise<string> {
  const options = { model: PUBLISHED, seed };
  const { model } = await loadModel(options);
  try {
    return sampleFileName({ count: SAMPLES, ...namedSampling(readSampling(options, model), model) });
  } finally {
    model.network.dispose();
  }
}

/** Runs the command and returns the exit code. */
async function tourCommand(options: Options, run: Run): Promise<number> {
  const { name, dataDir } = chooseData(options);
  const { seconds, seed } = readSettings(TOUR_TABLE, options);
  const { out } = readSettings(OUTPUT, options);
  applyEngineOptions(options);
  const cleanUp = requireWritable(out, ['index.html']);
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
      // The page is written after each part. If a later part fails, the page has the parts before it.
      await host.writeFileAtomic(join(out, 'index.html'), page('From noise to digits: a tour', parts));
    }
    const took = ((performance.now() - started) / 1000).toFixed(0);
    process.stdout.write(`\nthe tour took ${took} s: open ${join(out, 'index.html')}\n`);
    return 0;
  } finally {
    cleanUp();
  }
}

/** Runs the commands of a part, adds them and their pictures to the page, and returns the exit code. */
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
