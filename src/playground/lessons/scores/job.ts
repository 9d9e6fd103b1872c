/**
 * The job `scores`: trains a network on points in the plane, as `langevin toy` does. While it trains, the learned score is
 * compared with the exact one at all noise levels of the samplers. In the end two samplers follow both scores from the
 * same noise.
 */
import { noGrad, scope } from '../../../autograd/tape.ts';
import type { ToySet } from '../../../data/toy.ts';
import type { NoiseLevel } from '../../../diffusion/level.ts';
import { diffuse, score } from '../../../diffusion/process.ts';
import { createSampler } from '../../../diffusion/samplers/index.ts';
import { ValueError } from '../../../errors.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import {
  gridPlaces,
  type PlanePoints,
  type ToyFiguresSettings,
  toyData,
  toySamples,
  toyScore,
  toyStart,
} from '../../../models/toy/figures.ts';
import { chosenPoints, type PlaneData, planeSet } from '../../../models/toy/plane-data.ts';
import { scoreError, type ToyDiffusion } from '../../../models/toy/toy.ts';
import { TOY_LEVELS, TOY_REACH } from '../../../models/toy/view.ts';
import type { Trainer } from '../../../models/training/loop.ts';
import { runToy, type ToyRecipe, type ToySettings, toyTrainer } from '../../../models/training/toy.ts';
import { Rng } from '../../../random/rng.ts';
import { tensor } from '../../../tensor/create.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';
import { ARROWS, CHOSEN, FLOWS, type FlowName, MOST_POINTS, PAD_SIDE, type ScoreName } from './names.ts';

/** Points of the data and of the samples that are shown. */
const SHOWN = 250;
/** About so many noise levels are shown at most. */
const MOST_FRAMES = 50;
/** Training steps between two pictures. */
const EVERY = 50;

export interface ScoresSettings extends Omit<ToySettings, 'steps'> {
  /** A set's name, or `CHOSEN` for `points`. */
  readonly set: string;
  /** Columns and rows of chosen points on the pad, in turns, each from 0 to below `PAD_SIDE`. */
  readonly points?: readonly number[] | undefined;
  readonly trainSteps: number;
  /** Steps of the samplers. */
  readonly steps: number;
}

/** Vectors or points in the plane for each shown noise level: [levels, n, 2]. */
export type Frames = Float32Array<ArrayBuffer>;

export interface ScoresResult extends Hashed {
  readonly step: number;
  readonly trainSteps: number;
  /** The mean loss of the last steps; null before the first one. */
  readonly loss: number | null;
  /** Of each shown noise level: its time, from 1 for pure noise to 0. */
  readonly times: Float64Array<ArrayBuffer>;
  readonly sigmas: Float64Array<ArrayBuffer>;
  /** The data with the noise of each level. */
  readonly noised: Frames;
  /** Both scores at the centres of a grid. At the last level, which has no noise, they are 0. */
  readonly scores: Readonly<Record<ScoreName, Frames>>;
  /** The error of the learned score at the noised data, relative to the exact score. */
  readonly errors: Float64Array<ArrayBuffer>;
  /** Where the samplers are at each level, by both scores. Null until the network is trained. */
  readonly flows: Readonly<Record<FlowName, Readonly<Record<ScoreName, Frames>>>> | null;
}

export type ScoresJob = Job<ScoresSettings, ScoresResult, ScoresResult | string>;

/** Chosen points of the pad in the plane. @throws ValueError */
export function planeOf({ set, points = [] }: Pick<ScoresSettings, 'set' | 'points'>): PlaneData {
  if (set !== CHOSEN) return planeSet(set as ToySet);
  if (points.length === 0) throw new ValueError('points: expected at least one. Click into the square.');
  if (points.length % 2 !== 0 || points.some((at) => at >= PAD_SIDE))
    throw new ValueError(`points: expected pairs of numbers below ${PAD_SIDE}, got ${points.join(',')}`);
  if (points.length > 2 * MOST_POINTS)
    throw new ValueError(`points: expected at most ${MOST_POINTS}, got ${points.length / 2}`);
  const at = (i: number) => ((points[i] + 0.5) / PAD_SIDE - 0.5) * 2 * TOY_REACH;
  // Rows count from the top.
  return chosenPoints(Array.from({ length: points.length / 2 }, (_, i) => [at(2 * i), -at(2 * i + 1)]));
}

/** The shown levels of the samplers' grid: the first, the last, and some between them. */
function shownLevels({ schedule }: ToyDiffusion, steps: number): { index: number; level: NoiseLevel }[] {
  const all = createSampler('ddim', { steps })
    .levels(schedule)
    .map((level, index) => ({ index, level }));
  const stride = Math.ceil(steps / MOST_FRAMES);
  return all.filter(({ index }) => index % stride === 0 || index === steps);
}

/** Both scores at all shown levels: on the grid, and at the noised data. */
class Scores {
  readonly noised: Frames;
  readonly exact: Frames;
  private readonly places = gridPlaces(ARROWS).flat();

  constructor(
    private readonly plane: PlaneData,
    private readonly model: ToyDiffusion,
    readonly levels: readonly NoiseLevel[],
    data: PlanePoints,
    seed: ToySettings['seed'],
  ) {
    const shown = Array.from(data.x.subarray(0, SHOWN), (x, i) => [x, data.y[i]]);
    // The same noise at each level, so that a point moves on a line.
    this.noised = join(
      levels.map((level) =>
        scope(() => read(diffuse(tensor(shown), level, new Rng(seed).stream('shown noise')).x)),
      ),
    );
    this.exact = new Float32Array(levels.length * this.rowsOf(0).length);
  }

  /** The grid's places and the noised data of a level, in one list. */
  private rowsOf(level: number): number[] {
    const n = this.noised.length / this.levels.length;
    return [...this.places, ...this.noised.subarray(level * n, (level + 1) * n)];
  }

  private at(level: number, made: (x: Tensor, level: NoiseLevel) => Tensor): Frames {
    const rows = this.rowsOf(level);
    if (this.levels[level].sigma === 0) return new Float32Array(rows.length);
    return scope(() => read(noGrad(() => made(tensor(rows, [rows.length / 2, 2]), this.levels[level]))));
  }

  /** Computes the exact scores, level by level. */
  *computeExact(): Generator<string, void> {
    for (let i = 0; i < this.levels.length; i++) {
      const one = this.at(i, (x, level) => this.plane.mixture.score(x, level));
      this.exact.set(one, i * one.length);
      yield `The exact score, noise level ${i + 1} of ${this.levels.length}`;
    }
  }

  /** What the network has learned by now. */
  compare(): Pick<ScoresResult, 'scores' | 'errors' | 'noised'> {
    const learned = join(
      this.levels.map((_, i) => this.at(i, (x, level) => score(this.model.predictor, x, level))),
    );
    const [rows, grid] = [learned.length / this.levels.length, this.places.length];
    const part = (all: Frames, i: number, from: number, to: number) =>
      all.subarray(i * rows + from, i * rows + to);
    const onGrid = (all: Frames) => join(this.levels.map((_, i) => part(all, i, 0, grid)));
    return {
      noised: this.noised.slice(),
      scores: { exact: onGrid(this.exact), learned: onGrid(learned) },
      errors: Float64Array.from(this.levels, (_, i) =>
        scoreError(part(learned, i, grid, rows), part(this.exact, i, grid, rows)),
      ),
    };
  }
}

const read = (x: Tensor): Frames => Float32Array.from(x.toTypedArray());

function join(parts: readonly Float32Array[]): Frames {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Trains, and yields what is to be shown; returns the last loss. @param shown makes it, with a value of the loss */
async function* trained(
  trainer: Trainer<ToyRecipe>,
  shown: (step: number, loss: number | null) => ScoresResult,
): AsyncGenerator<() => ScoresResult, number | null> {
  const run = runToy(trainer);
  /** The network's moving average, which is the result of the training. */
  const averaged = (step: number, loss: number | null) => trainer.withAverage(() => shown(step, loss));
  yield () => shown(0, null);
  let [losses, step]: [number[], number] = [[], 0];
  let loss: number | null = null;
  try {
    for (;;) {
      const { done, value } = run.next();
      if (done) return loss;
      if (value.type !== 'batch') continue;
      losses.push(value.loss);
      if (++step % EVERY !== 0) continue;
      loss = losses.reduce((sum, one) => sum + one, 0) / losses.length;
      losses = [];
      const [at, mean] = [step, loss];
      yield () => averaged(at, mean);
    }
  } finally {
    run.return(undefined as never);
  }
}

export const compute: Compute<ScoresJob> = async function* (settings) {
  const plane = planeOf(settings);
  const { trainSteps, steps, batchSize, lr, seed } = settings;
  const trainer = toyTrainer(plane, { steps: trainSteps, batchSize, lr, seed });
  const { model } = trainer.recipe;
  try {
    const shown = shownLevels(model, steps);
    const figure = (sampler: 'ddim' | 'ddpm'): ToyFiguresSettings => ({ sampler, steps, seed });
    const data = toyData(plane, figure('ddim'));
    const levels = shown.map(({ level }) => level);
    const { tMin, tMax } = model.schedule;
    const scores = new Scores(plane, model, levels, data, seed);
    for (const words of scores.computeExact()) yield () => words;
    const result = (step: number, loss: number | null): ScoresResult => ({
      ...{ step, trainSteps, loss },
      times: Float64Array.from(levels, ({ t }) => (t - tMin) / (tMax - tMin)),
      sigmas: Float64Array.from(levels, ({ sigma }) => sigma),
      ...scores.compare(),
      flows: null,
      hashes: {},
    });
    const last = yield* trained(trainer, result);
    const flows = {} as Record<FlowName, Record<ScoreName, Frames>>;
    const hashes: Record<string, string> = {};
    for (const flow of FLOWS) {
      const wanted = figure(flow.sampler);
      flows[flow.id] = {} as Record<ScoreName, Frames>;
      for (const by of ['learned', 'exact'] as const) {
        const predictor = by === 'learned' ? model.predictor : plane.mixture.predictor(model.schedule);
        const start = toyStart(model, wanted);
        const states = [read(start).slice(0, 2 * SHOWN)];
        start.dispose();
        const run = toySamples(model, predictor, wanted);
        try {
          for (;;) {
            const { done, value } = run.next();
            if (done) {
              flows[flow.id][by] = join(states);
              hashes[`${flow.sampler} ${by}`] = await numbersHash({ data, samples: value });
              break;
            }
            if (shown.some(({ index }) => index === value.step)) {
              states.push(read(value.x).slice(0, 2 * SHOWN));
            }
            yield () => `${flow.title}, ${by} score, step ${value.step} of ${steps}`;
          }
        } finally {
          run.return(undefined as never); // frees the run's memory if the job was stopped
        }
      }
    }
    for (const share of TOY_LEVELS) {
      hashes[`score at t = ${share}`] = await numbersHash(toyScore(model, plane, share, data));
    }
    return { ...result(trainSteps, last), flows, hashes };
  } finally {
    trainer.dispose();
    model.network.dispose();
  }
};
