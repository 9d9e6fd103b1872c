/**
 * Diffusion in the plane, where everything can be seen and is known: a toy set as a mixture of Gaussians, whose score
 * is exact at every noise level, and a small network that learns the same from points alone.
 *
 *     z = silu(A·8x + C·silu(time embedding of t)),  z = silu(B·z) twice,  prediction = D·z     128 numbers inside
 *
 * The mixture has a Gaussian of the set's own noise at equal steps along its curve, closer together than they are
 * wide, so that its density is the set's to a few hundredths at the ends and far less between them; `eight` is such a
 * mixture to begin with.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { checkToySet, TOY_CURVES, TOY_NOISE, type ToySet, toySet } from '../../data/toy.ts';
import { createSchedule } from '../../diffusion/discrete-schedule.ts';
import { GaussianMixture } from '../../diffusion/gaussian-mixture.ts';
import type { NoiseLevel } from '../../diffusion/level.ts';
import { networkPredictor, Objective } from '../../diffusion/objective.ts';
import { type Predictor, predictor } from '../../diffusion/prediction.ts';
import { score } from '../../diffusion/process.ts';
import { DivergenceError } from '../../errors.ts';
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import { TimeEmbedding } from '../../nn/time-embedding.ts';
import { Adam } from '../../optim/adam.ts';
import { Ema } from '../../optim/ema.ts';
import { cosineLr } from '../../optim/lr-schedule.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defaultsOf, type ValuesOf } from '../setting.ts';
import { TOY_TABLE } from '../settings.ts';

/** How a set's curve is walked in equal steps of s, from 0 to 1. */
interface Walk {
  readonly components: number;
  /** Where the curve is then. */
  u(s: number): number;
  /** The share of the points that a step has: proportional to du/ds. */
  weight(s: number): number;
}

const evenly = (components: number): Walk => ({ components, u: (s) => s, weight: () => 1 });

/** By s the swirl's radius grows evenly; by u its inner turns would have gaps. */
const WALKS: Readonly<Record<ToySet, Walk>> = {
  moons: evenly(192),
  swirl: { components: 384, u: (s) => s * s, weight: (s) => s },
  eight: evenly(8),
};

/** The set's density as a mixture of Gaussians. @throws ValueError for an unknown set */
export function toyMixture(name: ToySet): GaussianMixture {
  checkToySet(name);
  const { components, u, weight } = WALKS[name];
  const variance = TOY_NOISE[name] * TOY_NOISE[name];
  return new GaussianMixture(
    Array.from({ length: components }, (_, i) => {
      const s = (i + 0.5) / components;
      return { weight: weight(s), mean: TOY_CURVES[name](u(s)), variance };
    }),
  );
}

/** x [b, 2] at times t [b] to what it predicts, [b, 2]. */
class PlaneNetwork extends Module {
  readonly time: TimeEmbedding;
  readonly first: Linear;
  readonly condition: Linear;
  readonly second: Linear;
  readonly third: Linear;
  readonly last: Linear;

  constructor(rng: Rng) {
    super();
    this.time = new TimeEmbedding(TIME, TIME, { rng });
    this.first = new Linear(2, HIDDEN, { rng });
    this.condition = new Linear(TIME, HIDDEN, { bias: false, rng });
    this.second = new Linear(HIDDEN, HIDDEN, { rng });
    this.third = new Linear(HIDDEN, HIDDEN, { rng });
    this.last = new Linear(HIDDEN, 2, { rng });
  }

  override forward(x: Tensor, t?: Tensor): Tensor {
    const c = this.condition.forward(this.time.forward(t!).silu());
    const z = this.second.forward(this.first.forward(x.mul(SCALE)).add(c).silu()).silu();
    return this.last.forward(this.third.forward(z).silu());
  }
}

/** T of the schedule. */
export const TOY_STEPS = 1000;
const HIDDEN = 128;
const TIME = 16;
/** Of coordinates: so that the first layer bends within the width of a moon, not only across the whole set. */
const SCALE = 8;

/** A trained network in the plane, and its process. */
export class ToyDiffusion {
  readonly schedule = createSchedule('cosine', TOY_STEPS);
  /** v: at the noisiest level, where hardly any data are left, an error of eps would be one of 20,000 times in x0. */
  readonly predicts = 'v';

  constructor(readonly network: PlaneNetwork) {}

  /** As samplers ask it. */
  get predictor(): Predictor {
    const { predicts, predict } = networkPredictor((x, t) => this.network.forward(x, t), this.predicts);
    return predictor(predicts, (x, t) => noGrad(() => predict(x, t)));
  }
}

export interface ToySettings {
  /** Steps of Adam, each on fresh points. */
  readonly steps: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: Seed;
}

export const TOY_SETTINGS: ToySettings = toySettings(defaultsOf(TOY_TABLE));

/** The settings of training among those of the figure. */
export function toySettings({ trainSteps, batchSize, lr, seed }: ValuesOf<typeof TOY_TABLE>): ToySettings {
  return { steps: trainSteps, batchSize, lr, seed };
}

/**
 * Trains a network on a toy set, and yields the loss of every step; returns the moving average of the network.
 * @throws ValueError for an unknown set; DivergenceError where the loss is no number
 */
export function* trainToy(
  name: ToySet,
  settings: Partial<ToySettings> = {},
): Generator<number, ToyDiffusion> {
  checkToySet(name);
  const { steps, batchSize, lr, seed } = { ...TOY_SETTINGS, ...settings };
  const rng = new Rng(seed);
  const model = new ToyDiffusion(new PlaneNetwork(rng.stream('initial values')));
  const { network, schedule, predicts } = model;
  const objective = new Objective(schedule, { predicts, times: 'stratified' });
  const adam = new Adam(network.parameters(), { lr });
  const average = new Ema(network, { decay: 0.995 });
  const rate = cosineLr(lr, { steps });
  const [points, noise] = [rng.stream('points'), rng.stream('noise')];
  try {
    for (let step = 0; step < steps; step++) {
      adam.lr = rate(step);
      const loss = scope(() => {
        adam.zeroGrad();
        const found = objective.loss((x, t) => network.forward(x, t), toySet(name, batchSize, points), noise);
        found.backward();
        adam.step();
        average.update();
        return found.item();
      });
      if (!Number.isFinite(loss)) {
        throw new DivergenceError(`toy: expected a finite loss, got ${loss} in step ${step + 1}`);
      }
      yield loss;
    }
    average.copyTo(network);
    return model;
  } finally {
    average.dispose();
  }
}

/** The scores at points x [n, 2] at one noise level, as the model has them and exactly; and how far they are apart. */
export interface Scores {
  readonly learned: Float64Array;
  readonly exact: Float64Array;
  /** √(Σ|learned - exact|² / Σ|exact|²) */
  readonly error: number;
}

/** Compares the two scores where points x [n, 2] are. */
export function compareScores(
  model: ToyDiffusion,
  mixture: GaussianMixture,
  x: Tensor,
  level: NoiseLevel,
): Scores {
  const [learned, exact] = scope(() => [
    Float64Array.from(score(model.predictor, x, level).toTypedArray()),
    Float64Array.from(noGrad(() => mixture.score(x, level)).toTypedArray()),
  ]);
  let [difference, size] = [0, 0];
  for (const [i, value] of exact.entries()) {
    difference += (learned[i] - value) ** 2;
    size += value * value;
  }
  return { learned, exact, error: Math.sqrt(difference / size) };
}
