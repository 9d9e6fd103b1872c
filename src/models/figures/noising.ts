/**
 * Pictures on their way into noise along a stochastic differential equation, by Euler-Maruyama from t = 0 to 1.
 *
 * A picture's pixels run from -1 to 1. Where the variance of pictures and noise grows (Brownian motion, VE), what is
 * shown is divided by √(m(t)² + Var(t)), where m(t) is what is left of a pixel of 1, so that a picture does not just
 * burn out.
 */
import { type Dataset, pictureSize, take } from '../../data/dataset.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { processNamed } from '../../sde/processes/index.ts';
import { solve } from '../../sde/solve.ts';
import { eulerMaruyama } from '../../sde/solvers/index.ts';
import { tensor } from '../../tensor/create.ts';

/** The processes that pictures are noised by. */
export const NOISING_PROCESSES = ['brownian', 'vp', 'sub-vp', 've'] as const;
export type NoisingProcess = (typeof NOISING_PROCESSES)[number];

/** Equal intervals of time; frames are one more. */
export const NOISING_FRAMES = 48;

/** Most pictures: a strip has a row for each of them, by each process. */
export const MOST_NOISED = 64;

export interface NoisingSettings {
  /** `all`: by brownian, vp and ve. */
  readonly process: NoisingProcess | 'all';
  /** How many pictures of the data set, its first ones. */
  readonly pictures: number;
  /** Steps from picture to noise; they are rounded up to a multiple of `NOISING_FRAMES`. */
  readonly steps: number;
  readonly seed: Seed;
}

const ALL = ['brownian', 'vp', 've'] as const;

/** A picture on its way into noise. */
export interface NoisingCourse {
  readonly process: NoisingProcess;
  /** Which picture of the data set, from 0. */
  readonly picture: number;
  /** What is shown at each time, from 0 (black) to 1 (white), but for the noise: `[49][pixels]`. */
  readonly frames: readonly Float64Array[];
}

export interface NoisingFigure {
  readonly height: number;
  readonly width: number;
  /** `[49]`, from 0 to 1 */
  readonly times: Float64Array;
  /** All pictures by the first process, then by the next. */
  readonly courses: readonly NoisingCourse[];
}

/** Noises the first pictures of a data set. @throws ValueError for settings that do not fit */
export function noisingFigure(dataset: Dataset, settings: NoisingSettings): NoisingFigure {
  const { height, width } = dataset;
  const { process } = settings;
  const part = take(dataset, settings.pictures);
  return {
    height,
    width,
    times: Float64Array.from({ length: NOISING_FRAMES + 1 }, (_, frame) => frame / NOISING_FRAMES),
    courses: (process === 'all' ? ALL : [process]).flatMap((name) => coursesOf(name, part, settings)),
  };
}

/** Each picture along the process, at equal times. */
function coursesOf(name: NoisingProcess, data: Dataset, settings: NoisingSettings): NoisingCourse[] {
  const every = Math.ceil(settings.steps / NOISING_FRAMES);
  const process = processNamed(name)({ x0: 0 });
  const start = tensor(Float64Array.from(data.images, (byte) => byte / 127.5 - 1));
  const run = { t1: 1, steps: every * NOISING_FRAMES, noise: new Rng(settings.seed) };
  const { states, times } = solve(process, eulerMaruyama, start, run);
  const all = states.toTypedArray();
  for (const used of [start, states]) used.dispose();
  const size = pictureSize(data);
  return Array.from({ length: data.length }, (_, picture) => ({
    process: name,
    picture,
    frames: Array.from({ length: NOISING_FRAMES + 1 }, (_, frame) => {
      const k = frame * every;
      const { mean, variance } = process.law!(1, 0, times[k]);
      const scale = 1 / Math.sqrt(mean * mean + variance!);
      const at = (k * data.length + picture) * size;
      return Float64Array.from(all.subarray(at, at + size), (x) => (x * scale + 1) / 2);
    }),
  }));
}
