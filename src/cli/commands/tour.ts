/**
 * `langevin tour`: the lecture from beginning to end, as the other commands in order, and one page with what they
 * draw. Every part of the page says which command made it, so that each can be had alone, and longer.
 */
import { join } from 'node:path';
import type { Command } from 'cac';
import { host } from '#host';
import { number, type Options, text } from '../options/arguments.ts';
import { chooseData } from '../options/data.ts';
import { addEngineOptions, applyEngineOptions } from '../options/engine.ts';
import { type Part, page } from '../results/html.ts';
import { requireWritable } from '../results/out-folder.ts';

const OUT = 'out/tour';
/** Of training the diffusion model; the rest takes less on two cores. */
const SECONDS = 75;
/** Pictures that the shorter trainings see in an epoch: as many as there are of `strokes`. */
const SHORT = '10000';

/** A part of the tour: commands, and what they draw. */
interface Stage {
  readonly title: string;
  readonly text: string;
  /** The words of each command but for its --out. */
  readonly commands: readonly (readonly string[])[];
  /** Below the tour's folder. */
  readonly folder: string;
  /** A page of its own. */
  readonly link?: readonly [file: string, text: string];
  readonly pictures: readonly (readonly [file: string, text: string])[];
}

/** Declares the command and its options. */
export function addTourOptions(command: Command): Command {
  command
    .usage('tour [options]')
    .option(
      '--data <name>',
      'strokes (drawn, no download), mnist, or a folder with IDX files (default: strokes)',
    )
    .option(
      '--data-dir <folder>',
      'Where the four files of MNIST are, in place of the cache and the download',
    )
    .option('--seconds <s>', `Of training the diffusion model; the rest takes less (default: ${SECONDS})`)
    .option('--seed <seed>', 'Any text or number (default: 0)')
    .option('--out <folder>', `Where the page goes (default: ${OUT})`);
  return addEngineOptions(command).example('  $ langevin tour').example('  $ langevin tour --data mnist');
}

/**
 * The tour, in order.
 * @param data the options that choose the pictures
 * @param shared the options that every command that computes takes: engine and seed
 */
function stages(data: readonly string[], shared: readonly string[], seconds: number, out: string): Stage[] {
  return [
    {
      title: 'Noise that moves',
      text: 'A stochastic differential equation adds noise of variance dt in every step dt. Without a drift this is Brownian motion; with one, the paths scatter around the noise-free one; where the noise grows with the state, it is geometric Brownian motion.',
      commands: ['brownian', 'drift', 'gbm'].map((name) => [
        'sde',
        name,
        '--paths',
        '5',
        ...(name === 'drift' ? ['--twin'] : []),
        ...shared,
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
      commands: [['noise', ...data, ...shared, '--quiet']],
      folder: 'noise',
      pictures: [
        ['noise-all.png', 'A digit on its way into noise, by three processes.'],
        ['noise-all.gif', 'The same, as it goes.'],
      ],
    },
    {
      title: 'One step back: the denoiser',
      text: 'A network is shown noisy digits and learns to say the clean ones. On pure noise it sees a blur; told to denoise its own answer again and again, it settles on shapes that are like digits, but are none that anyone asked for.',
      commands: [['train', 'denoiser', ...data, '--limit', SHORT, '--epochs', '6', ...shared, '--quiet']],
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
      commands: [['train', 'lecture', ...data, '--limit', SHORT, '--epochs', '3', ...shared, '--quiet']],
      folder: 'lecture',
      pictures: [
        ['seen.png', 'Test digits, what the network sees, and the digit that it answers with, time by time.'],
        ['sampled.png', 'From pure noise, time by time.'],
      ],
    },
    {
      title: 'A thousand steps back: DDPM',
      text: 'The noise now falls from step to step, and the network learns every level of it: from much noise the rough shape, from little the edges. It is told the level, and the label, which is sometimes withheld so that it can be guided later.',
      commands: [
        [
          'train',
          'diffusion',
          ...data,
          '--model',
          'mlp-small',
          '--batch-size',
          '64',
          '--seconds',
          String(seconds),
          ...shared,
          '--quiet',
        ],
        ['schedules', '--schedule', 'linear,cosine,sigmoid'],
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
      commands: [
        [
          'sample',
          '--model',
          join(out, 'diffusion'),
          '--count',
          '50',
          '--guidance',
          '2',
          '--gif',
          ...shared,
          '--quiet',
        ],
      ],
      folder: 'samples',
      pictures: [
        ['samples.gif', 'Fifty digits growing out of noise.'],
        ['samples.png', 'Where they end.'],
      ],
    },
  ];
}

/** A word as a shell takes it. */
const quoted = (word: string): string => (/^[\w./,:=+-]+$/.test(word) ? word : `"${word}"`);

/** The engine's options as they were given. */
function engineWords(options: Options): string[] {
  return ['backend', 'threads', 'numerics'].flatMap((name) =>
    options[name] === undefined ? [] : [`--${name}`, String(options[name])],
  );
}

/**
 * Runs the command; the exit code.
 * @param run runs another command by its words
 */
export async function tourCommand(
  options: Options,
  run: (words: readonly string[]) => Promise<number>,
): Promise<number> {
  const choice = chooseData(options);
  const seconds = number(options, 'seconds', SECONDS, 'a number > 0', (s) => s > 0);
  const seed = text(options, 'seed', '0');
  const out = text(options, 'out', OUT);
  applyEngineOptions(options);
  const tidy = requireWritable(out, ['index.html']);
  try {
    const data = ['--data', choice.name, ...(choice.dataDir ? ['--data-dir', choice.dataDir] : [])];
    const all = stages(data, [...engineWords(options), '--seed', seed], seconds, out);
    const parts: Part[] = [];
    const started = performance.now();
    for (const [i, stage] of all.entries()) {
      const begun = performance.now();
      process.stdout.write(`\n${i + 1}/${all.length}  ${stage.title}\n`);
      parts.push({ kind: 'heading', text: stage.title }, { kind: 'text', text: stage.text });
      for (const words of stage.commands) {
        const whole = [...words, '--out', join(out, stage.folder)];
        const line = ['langevin', ...whole].map(quoted).join(' ');
        process.stdout.write(`     ${line}\n`);
        parts.push({ kind: 'command', text: line });
        const code = await run(whole);
        if (code !== 0) return code;
      }
      if (stage.link) parts.push({ kind: 'link', file: stage.link[0], text: stage.link[1] });
      for (const [file, caption] of stage.pictures) {
        parts.push({ kind: 'picture', file: `${stage.folder}/${file}`, text: caption });
      }
      process.stdout.write(`     ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
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
