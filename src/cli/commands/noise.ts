/**
 * `langevin noise`: pictures on their way into noise, step by step along a stochastic differential equation, as a
 * strip and as a GIF. Pixels run from -1 to 1. Where the variance of pictures and noise grows (Brownian motion,
 * VE), what is shown is divided by √(1 + Var), so that a picture does not just burn out.
 */
import type { Command } from 'cac';
import { host } from '#host';
import type { Dataset } from '../../data/dataset.ts';
import { encodeGif } from '../../image/gif.ts';
import { type Cell, pictureGrid } from '../../image/grid.ts';
import { encodePng } from '../../image/png.ts';
import { Rng } from '../../random/rng.ts';
import { type Process, processNamed } from '../../sde/processes/index.ts';
import { solve } from '../../sde/solve.ts';
import { eulerMaruyama } from '../../sde/solvers/index.ts';
import { tensor } from '../../tensor/create.ts';
import { count, type Options, oneOf, text } from '../options/arguments.ts';
import { addDataOptions, chooseData, loadData } from '../options/data.ts';
import { addEngineOptions, applyEngineOptions } from '../options/engine.ts';
import { createReporter, REPORT_OPTIONS } from '../report/reporter.ts';
import { requireWritable } from '../results/out-folder.ts';

const NAMES = ['brownian', 'vp', 'sub-vp', 've'] as const;
const TITLES = { brownian: 'Brownian', vp: 'VP', 'sub-vp': 'sub-VP', ve: 'VE' } as const;
/** Pictures across a strip, and frames of the GIF. */
const COLUMNS = 9;
const FRAMES = 48;

/** Declares the command and its options. */
export function addNoiseOptions(command: Command): Command {
  addDataOptions(command)
    .usage('noise [options]')
    .option(
      '--process <name>',
      `${NAMES.join(', ')}, or all: one picture by each of the three (default: all)`,
    )
    .option('--pictures <n>', 'Pictures of the data set, one a row (default: 4; 1 for all)')
    .option('--steps <n>', 'Steps from picture to noise (default: 480)')
    .option('--seed <seed>', 'Any text or number (default: 0)')
    .option('--out <folder>', 'Where the pictures go (default: out)');
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS.slice(1)) command.option(flag, what);
  return command.example('  $ langevin noise').example('  $ langevin noise --process vp --data mnist');
}

/** One row of a strip: a picture on its way, at `times` equal times. */
interface Course {
  readonly label: string;
  readonly cells: readonly Cell[];
}

/** Runs the command; the exit code. */
export async function noiseCommand(options: Options): Promise<number> {
  const choice = chooseData(options);
  const name = oneOf(options, 'process', [...NAMES, 'all'], 'all');
  const names = name === 'all' ? (['brownian', 'vp', 've'] as const) : [name];
  const pictures = count(options, 'pictures', name === 'all' ? 1 : 4);
  const steps = Math.ceil(count(options, 'steps', 480) / FRAMES) * FRAMES;
  const seed = text(options, 'seed', '0');
  const out = text(options, 'out', 'out');
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const files = { strip: `noise-${name}.png`, gif: `noise-${name}.gif` };
  const tidy = requireWritable(out, Object.values(files));
  try {
    const { test } = await loadData(
      { ...choice, limit: Math.min(choice.limit ?? Infinity, pictures) },
      reporter,
    );
    const courses = names.flatMap((each) =>
      noised(processNamed(each)({ x0: 0 }), TITLES[each], test, pictures, steps, seed),
    );
    await host.writeFileAtomic(`${out}/${files.strip}`, strip(courses, test));
    await host.writeFileAtomic(`${out}/${files.gif}`, animation(courses, test));
    if (!options.quiet) {
      for (const file of Object.values(files)) process.stdout.write(`wrote ${out}/${file}\n`);
    }
    return 0;
  } finally {
    reporter.close();
    tidy();
  }
}

/** Each of the first pictures along the process, at FRAMES + 1 equal times. */
function noised(
  process: Process,
  label: string,
  data: Dataset,
  pictures: number,
  steps: number,
  seed: string,
): Course[] {
  const n = Math.min(pictures, data.length);
  const size = data.height * data.width;
  const start = tensor(Float64Array.from(data.images.subarray(0, n * size), (byte) => byte / 127.5 - 1));
  const { states, times } = solve(process, eulerMaruyama, start, { t1: 1, steps, noise: new Rng(seed) });
  const all = states.toTypedArray();
  for (const used of [start, states]) used.dispose();
  const every = steps / FRAMES;
  return Array.from({ length: n }, (_, i) => ({
    label: n === 1 ? label : `${label} ${i + 1}`,
    cells: Array.from({ length: FRAMES + 1 }, (_, frame) => {
      const k = frame * every;
      const { mean, variance } = process.law!(1, 0, times[k]);
      const scale = 1 / Math.sqrt(mean * mean + variance!);
      const at = (k * n + i) * size;
      return Float64Array.from(all.subarray(at, at + size), (x) => (x * scale + 1) / 2);
    }),
  }));
}

function strip(courses: readonly Course[], { height, width }: Dataset): Uint8Array {
  const frames = Array.from({ length: COLUMNS }, (_, i) => Math.round((i * FRAMES) / (COLUMNS - 1)));
  return encodePng(
    pictureGrid(
      courses.map(({ cells }) => frames.map((frame) => cells[frame])),
      {
        height,
        width,
        rowLabels: courses.map(({ label }) => label),
        columnLabels: frames.map((frame) => `t = ${frame / FRAMES}`),
      },
    ),
  );
}

function animation(courses: readonly Course[], { height, width }: Dataset): Uint8Array {
  const frames = Array.from({ length: FRAMES + 1 }, (_, frame) =>
    pictureGrid([courses.map(({ cells }) => cells[frame])], {
      height,
      width,
      columnLabels: courses.map(({ label }) => label),
      title: `t = ${(frame / FRAMES).toFixed(2)}`,
    }),
  );
  return encodeGif(frames, { delay: 80, lastDelay: 1500 });
}
