/**
 * `langevin noise`: pictures on their way into noise, step by step along a stochastic differential equation, as a
 * strip and as a GIF. Pixels run from -1 to 1. Where the variance of pictures and noise grows (Brownian motion,
 * VE), what is shown is divided by √(1 + Var), so that a picture does not just burn out.
 */
import { host } from '#host';
import type { Dataset } from '../../data/dataset.ts';
import { encodeGif } from '../../image/gif.ts';
import { type Cell, pictureGrid } from '../../image/grid.ts';
import { encodePng } from '../../image/png.ts';
import { NOISE_TABLE, RECIPES } from '../../models/settings.ts';
import { Rng } from '../../random/rng.ts';
import { type Process, processNamed } from '../../sde/processes/index.ts';
import { solve } from '../../sde/solve.ts';
import { eulerMaruyama } from '../../sde/solvers/index.ts';
import { tensor } from '../../tensor/create.ts';
import { type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { chooseData, loadData } from '../options/data.ts';
import { applyEngineOptions } from '../options/engine.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { createReporter } from '../report/reporter.ts';
import { requireWritable } from '../results/out-folder.ts';

const TITLES = { brownian: 'Brownian', vp: 'VP', 'sub-vp': 'sub-VP', ve: 'VE' } as const;
/** Pictures across a strip, and frames of the GIF. */
const COLUMNS = 9;
const FRAMES = 48;

const OUTPUT = { out: outSetting('out'), quiet: REPORT_TABLE.quiet } as const;

export const NOISE: Command = {
  name: 'noise',
  summary: 'Draw pictures on their way into noise',
  groups: { ...RECIPES.noise, Output: OUTPUT },
  examples: ['noise', 'noise --process vp --data mnist'],
  run: noiseCommand,
};

/** One row of a strip: a picture on its way, at `times` equal times. */
interface Course {
  readonly label: string;
  readonly cells: readonly Cell[];
}

/** Runs the command; the exit code. */
export async function noiseCommand(options: Options): Promise<number> {
  const choice = chooseData(options);
  const { process: name, pictures, steps: least, seed } = readSettings(NOISE_TABLE, options);
  const names = name === 'all' ? (['brownian', 'vp', 've'] as const) : [name];
  const steps = Math.ceil(least / FRAMES) * FRAMES;
  const { out } = readSettings(OUTPUT, options);
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
