/**
 * Pictures that become noise under a stochastic differential equation, by Euler-Maruyama from t = 0 to 1.
 *
 * Pixels are in [-1, 1]. For Brownian motion and VE the variance of the state grows. Then the shown picture is the
 * state divided by √(m(t)² + Var(t)), where m(t) is the mean at t of a pixel that starts at 1. Without this the picture
 * would only become black and white.
 */
import { type Dataset, pictureSize, take } from '../../data/dataset.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { processNamed } from '../../sde/processes/index.ts';
import { solve } from '../../sde/solve.ts';
import { eulerMaruyama } from '../../sde/solvers/index.ts';
import { tensor } from '../../tensor/create.ts';
import { type PictureSize, pictureSizeOf } from './picture-rows.ts';

/** The processes that can noise pictures. */
export const NOISING_PROCESSES = ['brownian', 'vp', 'sub-vp', 've'] as const;
export type NoisingProcess = (typeof NOISING_PROCESSES)[number];

/** The number of equal time intervals. There is one more frame. */
export const NOISING_FRAMES = 48;

/** The most pictures. The figure has a row for each picture and process. */
export const MOST_NOISED = 64;

export interface NoisingSettings {
  /** The process. `all` is brownian, vp and ve. */
  readonly process: NoisingProcess | 'all';
  /** The number of pictures: the first ones of the data set. */
  readonly pictures: number;
  /** The number of steps. It is rounded up to a multiple of `NOISING_FRAMES`. */
  readonly steps: number;
  readonly seed: Seed;
}

const ALL = ['brownian', 'vp', 've'] as const;

/** A picture that becomes noise. */
export interface NoisingCourse {
  readonly process: NoisingProcess;
  /** The index of the picture in the data set. */
  readonly picture: number;
  /** The shown picture at each time, `[49][pixels]`. 0 is black and 1 is white; noise can lie outside. */
  readonly frames: readonly Float64Array[];
}

export interface NoisingFigure extends PictureSize {
  /** `[49]`, from 0 to 1 */
  readonly times: Float64Array;
  /** All pictures with the first process, then with the next. */
  readonly courses: readonly NoisingCourse[];
}

/** Noises the first pictures of a data set. @throws ValueError for settings that do not fit */
export function noisingFigure(dataset: Dataset, settings: NoisingSettings): NoisingFigure {
  const { process } = settings;
  const part = take(dataset, settings.pictures);
  return {
    ...pictureSizeOf(dataset),
    times: Float64Array.from({ length: NOISING_FRAMES + 1 }, (_, frame) => frame / NOISING_FRAMES),
    courses: (process === 'all' ? ALL : [process]).flatMap((name) => coursesOf(name, part, settings)),
  };
}

/** Each picture under the process, at equally spaced times. */
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
