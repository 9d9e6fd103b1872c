/**
 * The test problems for orders of convergence. For each one the solution on a given Brownian path is known, or a
 * reference solution that is much more accurate than the solver.
 *
 * - diagonal: geometric Brownian motion, X = x0 exp((μ - σ²/2)t + σW)
 * - scalar: a rotation of the plane by the angle at + bW, driven by one motion
 * - additive, for strong orders up to 1: dX = -X dt + (1 + t) dW, X(t) = e^-t x0 + ∫₀ᵗ e^(s-t)(1 + s) dW(s). On each of
 *   the finest steps the integral's kernel is replaced by its best linear approximation. Then the integral is dW times
 *   the kernel's mean, minus the Lévy area times the kernel's increase. Its error is O(dt^(5/2)) per step.
 * - additive, for higher orders: dX = -tanh(2X) dt + dW. A linear problem would not do: schemes of higher order show
 *   an even higher order on it. Reference: SRA1 with steps 4 times finer.
 * - general, strong: dX = (dW₁, dW₂, X₁ dW₂), whose noise does not commute. The third component is an iterated
 *   integral, which is not a function of the increments. Reference: the trapezoidal sum with steps 8 times finer.
 * - general, weak: geometric Brownian motion of two motions, X = x0 exp((μ - (σ₁² + σ₂²)/2)t + σ₁W₁ + σ₂W₂)
 *
 * Source: Kloeden and Platen (1992), 4.4, for the closed forms.
 */
import { exp } from '../math.ts';
import { full, tensor } from '../tensor/create.ts';
import { cat } from '../tensor/functions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Piece } from './brownian-bridge.ts';
import type { NoiseType, SDE, SdeSolver } from './sde.ts';
import { heun } from './solvers/heun.ts';
import { sra1 } from './solvers/sra1.ts';

export interface OrderProblem {
  readonly title: string;
  readonly noise: NoiseType;
  /** An Itô equation with its `correction`. */
  readonly sde: SDE;
  readonly start: readonly number[];
  readonly time: number;
  /** The solution at `time` on a path that is given in pieces. Without it, a reference solver solves on the pieces. */
  readonly exact?: (x: Tensor, pieces: readonly Piece[]) => Tensor;
  /** The number of pieces of the path per finest step. Default 1. */
  readonly finer?: number;
  readonly reference?: SdeSolver;
  /** f(X), `[paths]`: the weak error is that of E f(X). */
  functional(x: Tensor): Tensor;
}

/** W at the end of the pieces. */
const total = (pieces: readonly Piece[]) => pieces.reduce((sum, { w }) => sum.add(w), pieces[0].w.mul(0));

/** Diagonal noise: geometric Brownian motion. */
function geometric(mu: number, sigma: number): OrderProblem {
  return {
    title: `dX = ${mu} X dt + ${sigma} X dW`,
    noise: 'diagonal',
    sde: {
      name: 'geometric Brownian motion',
      noise: 'diagonal',
      drift: (x) => x.mul(mu),
      diffusion: (x) => x.mul(sigma),
      correction: (x) => x.mul(sigma * sigma),
    },
    start: [1],
    time: 1,
    exact: (x, pieces) =>
      x.mul(
        total(pieces)
          .mul(sigma)
          .add(mu - (sigma * sigma) / 2)
          .exp(),
      ),
    functional: (x) => x.mul(x),
  };
}

/** Scalar noise: X is rotated by the angle at + bW. */
function rotation(a: number, b: number): OrderProblem {
  const quarter = (x: Tensor, rate: number) =>
    cat([x.slice([0, 1]).mul(-rate), x.slice([0, 0], [x.shape[0], 1]).mul(rate)], 1);
  return {
    title: `a rotation of the plane by the angle ${a} t + ${b} W`,
    noise: 'scalar',
    sde: {
      name: 'the rotation',
      noise: 'scalar',
      drift: (x) => quarter(x, a).sub(x.mul((b * b) / 2)),
      diffusion: (x) => quarter(x, b),
      correction: (x) => x.mul(-b * b),
    },
    start: [1, 0],
    time: 1,
    exact(_x, pieces) {
      const angle = total(pieces).mul(b).add(a);
      return cat([angle.cos(), angle.sin()], 1);
    },
    functional: (x) => x.slice([0, 1]),
  };
}

const timeDependent: OrderProblem = {
  title: 'dX = -X dt + (1 + t) dW',
  noise: 'additive',
  sde: {
    name: 'the linear additive problem',
    noise: 'additive',
    drift: (x) => x.neg(),
    diffusion: (_x, t) => full([], 1 + t),
  },
  start: [1],
  time: 1,
  finer: 4,
  exact(x, pieces) {
    const kernel = (s: number) => exp(s - 1) * (1 + s);
    let sum = x.mul(exp(-1));
    let t = 0;
    for (const { w, h, span } of pieces) {
      const [begin, middle, end] = [kernel(t), kernel(t + span / 2), kernel(t + span)];
      sum = sum.add(w.mul((begin + 4 * middle + end) / 6)).sub(h!.mul(end - begin));
      t += span;
    }
    return sum;
  },
  functional: (x) => x.mul(x),
};

const returning: OrderProblem = {
  title: 'dX = -tanh(2X) dt + dW',
  noise: 'additive',
  sde: {
    name: 'the nonlinear additive problem',
    noise: 'additive',
    drift: (x) => x.mul(2).tanh().neg(),
    diffusion: () => full([], 1),
  },
  start: [1],
  time: 1,
  finer: 4,
  reference: sra1,
  functional: (x) => x,
};

const iterated: OrderProblem = {
  title: 'dX = (dW1, dW2, X1 dW2)',
  noise: 'general',
  sde: {
    name: 'the iterated integral',
    noise: 'general',
    motions: 2,
    drift: (x) => x.mul(0),
    diffusion(x) {
      const paths = x.shape[0];
      const [zero, one] = [full([paths, 1], 0), full([paths, 1], 1)];
      const first = x.slice([0, 0], [paths, 1]);
      return cat([cat([one, zero, zero], 1), cat([zero, one, first], 1)]).reshape(2, paths, 3);
    },
    correction: (x) => x.mul(0),
  },
  start: [0, 0, 0],
  time: 1,
  finer: 8,
  reference: heun,
  functional: (x) => {
    const third = x.slice([0, 2]).reshape(-1);
    return third.mul(third);
  },
};

/** General noise: two motions that commute. */
function twoMotions(mu: number, sigma: readonly [number, number]): OrderProblem {
  const square = sigma[0] * sigma[0] + sigma[1] * sigma[1];
  const weights = () => tensor([[sigma[0]], [sigma[1]]]);
  return {
    title: `dX = ${mu} X dt + ${sigma[0]} X dW1 + ${sigma[1]} X dW2`,
    noise: 'general',
    sde: {
      name: 'geometric Brownian motion of two motions',
      noise: 'general',
      motions: 2,
      drift: (x) => x.mul(mu),
      diffusion: (x) => cat([x.mul(sigma[0]), x.mul(sigma[1])]).reshape(2, -1, 1),
      correction: (x) => x.mul(square),
    },
    start: [1],
    time: 1,
    exact: (x, pieces) =>
      x.mul(
        total(pieces)
          .matmul(weights())
          .add(mu - square / 2)
          .exp(),
      ),
    functional: (x) => x.mul(x),
  };
}

/** The problem for a noise type, a kind of error and a declared order. */
export function problemFor(noise: NoiseType, kind: 'strong' | 'weak', declared: number): OrderProblem {
  if (noise === 'additive') return kind === 'strong' && declared <= 1 ? timeDependent : returning;
  if (noise === 'diagonal') return kind === 'strong' ? geometric(0.5, 0.8) : geometric(0.5, 0.5);
  if (noise === 'scalar') return rotation(0.5, 1);
  return kind === 'strong' ? iterated : twoMotions(0.5, [0.4, 0.3]);
}
