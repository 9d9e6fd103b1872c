/**
 * `langevin schedules`: noise schedules side by side, as two plots over time: how much of the variance is still the
 * data's, alphaBar = 1/(1 + (sigma/alpha)²), and the signal-to-noise ratio (alpha/sigma)². In these two, schedules
 * that preserve variance and such that let it explode can be compared.
 */
import { join } from 'node:path';
import { host } from '#host';
import { type BetaSchedule, karrasSigmas } from '../../diffusion/betas.ts';
import {
  CONTINUOUS_SCHEDULES,
  type ContinuousName,
  continuousSchedule,
} from '../../diffusion/continuous-schedule.ts';
import { createSchedule, DiscreteSchedule } from '../../diffusion/discrete-schedule.ts';
import { type NoiseLevel, snr } from '../../diffusion/level.ts';
import { ValueError } from '../../errors.ts';
import type { Layer } from '../../image/plot.ts';
import { RECIPES, SCHEDULES_TABLE } from '../../models/settings.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { outSetting } from '../options/output.ts';
import { requireWritable } from '../results/out-folder.ts';

type Name = BetaSchedule | 'karras' | ContinuousName;
/** Points of a curve in continuous time. */
const POINTS = 400;
/** Ratios that are shown; what lies beyond is noise or data to every eye. */
const SNRS = [1e-6, 1e6] as const;

/** The least and the largest sigma that EDM samples between (Karras et al. 2022, table 1). */
const KARRAS = [0.002, 80] as const;

const FILES = ['alpha-bar.svg', 'snr.svg'] as const;

const OUTPUT = { out: outSetting('out') } as const;

export const SCHEDULES: Command = {
  name: 'schedules',
  summary: 'Plot noise schedules side by side',
  groups: { ...RECIPES.schedules, Output: OUTPUT },
  examples: ['schedules', 'schedules --schedule linear,scaled-linear,karras --zero-snr'],
  run: schedulesCommand,
};

/** A schedule as a curve: its levels at times from 0 to 1. */
interface Curve {
  readonly name: string;
  /** Position of the schedule in the list: its colour. */
  readonly place: number;
  readonly dashed: boolean;
  readonly times: readonly number[];
  readonly levels: readonly NoiseLevel[];
}

/** Runs the command; the exit code. */
export async function schedulesCommand(options: Options): Promise<number> {
  const { schedule: names, steps, zeroSnr } = readSettings(SCHEDULES_TABLE, options);
  const curves = names.flatMap((name, i) => curvesOf(name, i, steps, zeroSnr));
  const { out } = readSettings(OUTPUT, options);
  const tidy = requireWritable(out, FILES);
  try {
    const drawn = await draw(curves, steps);
    for (const [i, file] of FILES.entries()) {
      await host.writeFileAtomic(join(out, file), drawn[i]);
      process.stdout.write(`wrote ${join(out, file)}\n`);
    }
    return 0;
  } finally {
    tidy();
  }
}

/** @throws UsageError for steps that the schedule cannot have */
function curvesOf(name: Name, place: number, steps: number, zeroSnr: boolean): Curve[] {
  if (CONTINUOUS_SCHEDULES.includes(name as ContinuousName)) {
    const schedule = continuousSchedule(name as ContinuousName);
    const times = Array.from({ length: POINTS + 1 }, (_, i) => i / POINTS);
    const { tMin, tMax } = schedule;
    const levels = times.map((t) => schedule.level(tMin + t * (tMax - tMin)));
    return [{ name, place, dashed: false, times, levels }];
  }
  const curve = ({ levels }: DiscreteSchedule, label: string, dashed: boolean): Curve => ({
    name: label,
    place,
    dashed,
    times: levels.map((_, i) => (i + 1) / steps),
    levels,
  });
  if (name === 'karras') {
    const rising = karrasSigmas(steps, ...KARRAS).reverse();
    return [curve(DiscreteSchedule.fromSigmas(rising), name, false)];
  }
  try {
    const plain = curve(createSchedule(name as BetaSchedule, steps), name, false);
    if (!zeroSnr) return [plain];
    const rescaled = createSchedule(name as BetaSchedule, steps, { zeroTerminalSnr: true });
    return [plain, curve(rescaled, `${name}, zero SNR`, true)];
  } catch (error) {
    throw error instanceof ValueError ? new UsageError(`--steps: ${error.message}`) : error;
  }
}

/** The two plots, in the order of `FILES`. */
async function draw(curves: readonly Curve[], steps: number): Promise<string[]> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  const colors = Object.values(PALETTE);
  const layers = (y: (level: NoiseLevel) => number): Layer[] =>
    curves.map(({ name, place, dashed, times, levels }) => ({
      kind: 'line',
      name,
      color: colors[place % colors.length],
      dashed,
      x: times,
      y: levels.map(y),
    }));
  const x = { label: 'time t / T' };
  const subtitle = `Those with steps have T = ${steps}`;
  return [
    plot({
      title: 'What is left of the data',
      subtitle,
      x,
      y: { label: 'alphaBar, share of the data in the variance', domain: [0, 1] },
      layers: layers((level) => 1 / (1 + 1 / snr(level))),
      legend: true,
    }),
    plot({
      title: 'Signal-to-noise ratio',
      subtitle,
      x,
      y: { label: 'SNR = (alpha/sigma)²', scale: 'log', domain: SNRS },
      layers: layers(snr),
      legend: true,
    }),
  ];
}
