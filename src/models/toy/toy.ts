/**
 * Diffusion in the plane, where the exact solution is known. A toy set is approximated by a mixture of Gaussians, whose
 * score is exact at every noise level. A small network learns the score from points only.
 *
 *     z = silu(A·8x + C·silu(time embedding of t)),  z = silu(B·z) twice,  prediction = D·z     128 hidden units
 *
 * The mixture has Gaussians with the set's noise, at equal steps along the set's curve. The steps are shorter than the
 * Gaussians are wide. So the density of the mixture is that of the set, with an error of a few hundredths at the ends
 * of the curve and a much smaller one between them. `eight` is exactly a mixture.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { checkToySet, TOY_CURVES, TOY_NOISE, type ToySet } from '../../data/toy.ts';
import { createSchedule } from '../../diffusion/discrete-schedule.ts';
import { GaussianMixture } from '../../diffusion/gaussian-mixture.ts';
import type { NoiseLevel } from '../../diffusion/level.ts';
import { networkPredictor } from '../../diffusion/objective.ts';
import { type Predictor, predictor } from '../../diffusion/prediction.ts';
import { score } from '../../diffusion/process.ts';
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import { TimeEmbedding } from '../../nn/time-embedding.ts';
import type { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The parametrisation of a set's curve by s, from 0 to 1, in equal steps. */
interface Walk {
  readonly components: number;
  /** The parameter u of the curve at s. */
  u(s: number): number;
  /** The weight of the step at s, proportional to du/ds: the density of the set's points there. */
  weight(s: number): number;
}

const evenly = (components: number): Walk => ({ components, u: (s) => s, weight: () => 1 });

/** For the swirl, equal steps of u would leave gaps in the inner turns. In s its radius grows linearly. */
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

/**
 * An MLP of points x [b, 2] and a time for each, with output [b, 2]. `time` embeds the times, and `condition` adds them
 * to the output of `first`. `second`, `third` and `last` follow.
 */
export class PlaneNetwork extends Module {
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

  /** The output for points x [b, 2] at the times t, one for each point. */
  forward(x: Tensor, t: ArrayLike<number>): Tensor {
    const c = this.condition.forward(this.time.forward(t).silu());
    const z = this.second.forward(this.first.forward(x.mul(SCALE)).add(c).silu()).silu();
    return this.last.forward(this.third.forward(z).silu());
  }
}

/** T of the schedule. */
export const TOY_STEPS = 1000;
const HIDDEN = 128;
const TIME = 16;
/** The factor of the coordinates. With it, the first layer can vary within the width of a moon. */
const SCALE = 8;

/** A trained network in the plane, and its process. */
export class ToyDiffusion {
  /** The noise schedule: cosine, 1000 steps. */
  readonly schedule = createSchedule('cosine', TOY_STEPS);
  /** v, not eps: at the level with the most noise, an error in eps would be 20,000 times as large in x0. */
  readonly predicts = 'v';

  /**
   * The network may be trained or not.
   * @param network a network from points [n, 2] and times [n] to predictions [n, 2]
   */
  constructor(readonly network: PlaneNetwork) {}

  /** The predictor for samplers. */
  get predictor(): Predictor {
    const { predicts, predict } = networkPredictor((x, t) => this.network.forward(x, t), this.predicts);
    return predictor(predicts, (x, t) => noGrad(() => predict(x, t)));
  }
}

/** The scores at points x [n, 2] at one noise level: those of the model, the exact ones, and their difference. */
export interface ScoreComparison {
  /** The model's scores, [n, 2] row by row. */
  readonly learned: Float64Array;
  /** The exact scores, [n, 2] row by row. */
  readonly exact: Float64Array;
  /** √(Σ|learned - exact|² / Σ|exact|²) */
  readonly error: number;
}

/** Compares the two scores at points x [n, 2]. */
export function compareScores(
  model: ToyDiffusion,
  mixture: GaussianMixture,
  x: Tensor,
  level: NoiseLevel,
): ScoreComparison {
  const [learned, exact] = scope(() => [
    Float64Array.from(score(model.predictor, x, level).toTypedArray()),
    Float64Array.from(noGrad(() => mixture.score(x, level)).toTypedArray()),
  ]);
  return { learned, exact, error: scoreError(learned, exact) };
}

/** √(Σ|learned - exact|² / Σ|exact|²) */
export function scoreError(learned: ArrayLike<number>, exact: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    difference += (learned[i] - exact[i]) ** 2;
    size += exact[i] * exact[i];
  }
  return Math.sqrt(difference / size);
}
