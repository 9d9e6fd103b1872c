/**
 * A trained network in the plane compared with the exact solution: samples from its score and from the exact score, and
 * both scores as arrows at several noise levels.
 */
import { scope } from '../../autograd/tape.ts';
import type { ToySet } from '../../data/toy.ts';
import type { Predictor } from '../../diffusion/prediction.ts';
import { diffuse } from '../../diffusion/process.ts';
import {
  createSampler,
  type SamplerName,
  type SampleStep,
  startNoise,
} from '../../diffusion/samplers/index.ts';
import { timeAt } from '../../diffusion/schedule.ts';
import { runToEnd } from '../../generators.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type PlaneData, planeSet } from './plane-data.ts';
import { compareScores, type ToyDiffusion } from './toy.ts';
import { TOY_ARROWS, TOY_LEVELS, TOY_REACH } from './view.ts';

export interface ToyFiguresSettings {
  /** The number of data points and of samples. Default 1,000. */
  readonly points?: number;
  readonly sampler: SamplerName;
  /** The number of steps of the sampler. */
  readonly steps: number;
  readonly seed: Seed;
}

const POINTS = 1000;

/** Points or arrows in the plane: their two coordinates. */
export interface PlanePoints {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

export interface SamplesFigure {
  readonly data: PlanePoints;
  readonly samples: PlanePoints;
}

/** Both scores at the centres of a grid's cells, over the noised data. */
export interface ScoreFigure {
  /** The noise level, as a fraction of the time to pure noise. */
  readonly share: number;
  readonly noised: PlanePoints;
  /** The positions of the arrows, `[TOY_ARROWS²]`, and both scores there. */
  readonly places: PlanePoints;
  readonly learned: PlanePoints;
  readonly exact: PlanePoints;
  /** √(Σ|learned - exact|² / Σ|exact|²) over points of the noised data. */
  readonly error: number;
}

export interface ToyFigures {
  readonly learned: SamplesFigure;
  readonly exact: SamplesFigure;
  /** One for each of `TOY_LEVELS`. */
  readonly scores: readonly ScoreFigure[];
}

/**
 * The figures of a trained network, in about two seconds. The samples of both scores start from the same noise, and draw
 * the same noise on their way.
 * @throws ValueError for a sampler or steps that do not fit
 */
export function toyFigures(
  model: ToyDiffusion,
  set: ToySet | PlaneData,
  settings: ToyFiguresSettings,
): ToyFigures {
  const plane = typeof set === 'string' ? planeSet(set) : set;
  const data = toyData(plane, settings);
  const samples = (predictor: Predictor) => ({
    data,
    samples: runToEnd(toySamples(model, predictor, settings)),
  });
  return {
    learned: samples(model.predictor),
    exact: samples(plane.mixture.predictor(model.schedule)),
    scores: TOY_LEVELS.map((share) => toyScore(model, plane, share, data)),
  };
}

/** The random numbers of the figures, from the beginning. */
const streamOf = (seed: Seed, name: 'data' | 'start' | 'steps') =>
  new Rng(seed).stream('pictures').stream(name);

/** The points of the data that are shown. */
export const toyData = (plane: PlaneData, { points = POINTS, seed }: ToyFiguresSettings): PlanePoints =>
  columnsOf(() => plane.sample(points, streamOf(seed, 'data')));

const columns = (values: ArrayLike<number>): PlanePoints => {
  const column = (j: number) => Float64Array.from({ length: values.length / 2 }, (_, i) => values[2 * i + j]);
  return { x: column(0), y: column(1) };
};

/** The two columns of the tensor [n, 2] that `made` returns. The tensor is freed. */
function columnsOf(made: () => Tensor): PlanePoints {
  const points = made();
  const read = columns(points.toTypedArray());
  points.dispose();
  return read;
}

/** The noise from which all samples start, [points, 2]; the caller frees it. */
export const toyStart = ({ schedule }: ToyDiffusion, { points = POINTS, seed }: ToyFiguresSettings): Tensor =>
  startNoise(schedule, [points, 2], streamOf(seed, 'start'));

/** Samples by a predictor, step by step; returns them. */
export function* toySamples(
  model: ToyDiffusion,
  predictor: Predictor,
  settings: ToyFiguresSettings,
): Generator<SampleStep, PlanePoints, undefined> {
  const { sampler, steps, seed } = settings;
  const noise = toyStart(model, settings);
  try {
    const run = createSampler(sampler, { steps });
    const end = yield* run.sample(predictor, model.schedule, noise, streamOf(seed, 'steps'));
    return columnsOf(() => end);
  } finally {
    noise.dispose();
  }
}

/** The centres of the cells of a square grid over the shown square, row by row. */
export function gridPlaces(side: number): [number, number][] {
  const at = Array.from({ length: side }, (_, i) => -TOY_REACH + (2 * TOY_REACH * (i + 0.5)) / side);
  return at.flatMap((y) => at.map((x): [number, number] => [x, y]));
}

/** Both scores at a noise level, over data with that noise. */
export function toyScore(
  model: ToyDiffusion,
  { mixture }: PlaneData,
  share: number,
  data: PlanePoints,
): ScoreFigure {
  const level = model.schedule.level(timeAt(model.schedule, share));
  const places = gridPlaces(TOY_ARROWS);
  const noised = scope(() => {
    const points = tensor(Array.from(data.x, (x, i) => [x, data.y[i]]));
    const { x } = diffuse(points, level, new Rng(share));
    return { points: columns(x.toTypedArray()), error: compareScores(model, mixture, x, level).error };
  });
  const { learned, exact } = scope(() => compareScores(model, mixture, tensor(places), level));
  return {
    share,
    noised: noised.points,
    places: columns(places.flat()),
    learned: columns(learned),
    exact: columns(exact),
    error: noised.error,
  };
}
