/**
 * The contracts of stochastic differential equations dX = a(X, t) dt + b(X, t) dW and of their solvers.
 *
 * Shapes. A state x is `[paths]` or `[paths, ...]`; the paths are independent. The noise type says what the noise
 * term b·dW means:
 *
 * | noise      | dW            | b(x, t)                                | term                              |
 * | ---------- | ------------- | -------------------------------------- | --------------------------------- |
 * | `diagonal` | as x          | broadcasts to x; b_i depends on x_i    | b ⊙ dW                            |
 * | `additive` | as x          | broadcasts to x; does not depend on x  | b ⊙ dW                            |
 * | `scalar`   | `[paths, 1]`  | as x, `[paths, d]`                     | b ⊙ dW, one motion for all of x   |
 * | `general`  | `[paths, m]`  | m times x's shape, `[m, paths, d]`     | Σ_k b_k dW_k, m motions           |
 *
 * dW is normal with mean 0 and variance dt. An equation is an Itô equation by default. `toStratonovich` and `toIto`
 * write the same process in the other calculus.
 *
 * Source: Kloeden and Platen, "Numerical Solution of Stochastic Differential Equations" (1992).
 */
import { ShapeError, ValueError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

export const NOISE_TYPES = ['additive', 'diagonal', 'scalar', 'general'] as const;
/** How the diffusion multiplies dW: the table at the top of `src/sde/sde.ts` has the shapes. */
export type NoiseType = (typeof NOISE_TYPES)[number];
/** Which stochastic integral an equation means. */
export type Interpretation = 'ito' | 'stratonovich';

/** dX = drift(X, t) dt + diffusion(X, t) dW. */
export interface SDE {
  /** The name in messages. Default "the SDE". */
  readonly name?: string;
  /** Default `diagonal`. */
  readonly noise?: NoiseType;
  /** Default `ito`. */
  readonly interpretation?: Interpretation;
  /** The number m of Brownian motions of `general` noise. */
  readonly motions?: number;
  /** a(x, t), of x's shape or one that broadcasts to it. */
  drift(x: Tensor, t: number): Tensor;
  /** b(x, t), of the shape that the noise type needs. */
  diffusion(x: Tensor, t: number): Tensor;
  /**
   * Σ_k (∂b_k/∂x) b_k over the columns of b, in x's shape. For diagonal noise it is b·∂b/∂x, for additive noise 0.
   * Milstein's scheme needs it, and so does the conversion between the two calculi.
   */
  correction?(x: Tensor, t: number): Tensor;
  /** The coefficients at t, if drift and diffusion are affine in x with plain numbers. The fused kernels need them. */
  affine?(t: number): Affine;
  /** X(t + dt) given X(t) = x, exact in law, computed from one increment dW. The solver `exact` needs it. */
  transition?(x: Tensor, t: number, dt: number, dW: Tensor): Tensor;
}

/** drift = a0 + a1·x, diffusion = b0 + b1·x, at one time. */
export interface Affine {
  /** The constant part of the drift. */
  readonly a0: number;
  /** The factor of x in the drift. */
  readonly a1: number;
  /** The constant part of the diffusion. */
  readonly b0: number;
  /** The factor of x in the diffusion. */
  readonly b1: number;
}

/** Declared orders of convergence: errors decrease as dt^order. */
export interface Order {
  /** The order of E|X_n - X(t)| on a given Brownian path. */
  readonly strong: number;
  /** The order of |E f(X_n) - E f(X(t))| for smooth f. */
  readonly weak: number;
}

/** A scheme: a pure function from one state to the next. */
export interface SdeSolver {
  /** The name in the command line. */
  readonly name: string;
  /** The title in figures and tables. */
  readonly title: string;
  /** The noise types that the solver can solve, with its orders for each. */
  readonly orders: Readonly<Partial<Record<NoiseType, Order>>>;
  /** The lowest of its strong orders. */
  readonly strongOrder: number;
  /** The integral to which it converges. For additive noise both integrals are the same. */
  readonly interpretation: Interpretation;
  /** Whether `step` needs the space-time Lévy area in addition to dW. */
  readonly needsArea?: boolean;
  /** Whether it solves the equation without noise, dx = a(x, t) dt, and does not use dW. */
  readonly noiseFree?: boolean;
  /** What the equation lacks for this solver, as the end of an error message; null if nothing is missing. */
  lacks?(sde: SDE): string | null;
  /** The solver's own state for the start x, if that state is more than x. */
  begin?(x: Tensor): Tensor;
  /** Extracts x from the solver's own state. */
  read?(state: Tensor): Tensor;
  /**
   * The state at t + dt.
   * @param dW the Brownian increment over [t, t + dt], in the shape of the noise type
   * @param area the space-time Lévy area H = (1/dt)∫(W_s - W_t - (s - t)/dt·dW) ds, in dW's shape. It is normal with
   *   variance dt/12 and independent of dW. The iterated integral I_(1,0) = ∫(W_s - W_t) ds is dt·(H + dW/2).
   */
  step(sde: SDE, x: Tensor, t: number, dt: number, dW: Tensor, area?: Tensor): Tensor;
}

/** The lowest strong order in a table of orders. */
export function leastStrong(orders: SdeSolver['orders']): number {
  return Math.min(...Object.values(orders).map((order) => order.strong));
}

export const noiseOf = (sde: SDE): NoiseType => sde.noise ?? 'diagonal';
export const interpretationOf = (sde: SDE): Interpretation => sde.interpretation ?? 'ito';

/** The shape of dW for states of shape `x`. */
export function noiseShape(sde: SDE, x: readonly number[]): readonly number[] {
  const noise = noiseOf(sde);
  if (noise === 'scalar') return [x[0] ?? 1, 1];
  if (noise !== 'general') return x;
  const m = sde.motions ?? 0;
  if (!Number.isInteger(m) || m < 1) {
    throw new ValueError(`${nameOf(sde)}: expected the number of its Brownian motions, got ${sde.motions}`);
  }
  return [x[0] ?? 1, m];
}

/** The noise term b·dW in x's shape, as the noise type defines it. */
export function noiseTerm(sde: SDE, b: Tensor, dW: Tensor): Tensor {
  if (noiseOf(sde) !== 'general') return b.mul(dW);
  const [paths, motions] = dW.shape as [number, number];
  if (b.rank !== 3 || b.shape[0] !== motions || b.shape[1] !== paths) {
    throw new ShapeError(
      `${nameOf(sde)}: expected a diffusion [${motions},${paths},d] for general noise, got [${b.shape}]`,
    );
  }
  return b.mul(dW.transpose().reshape(motions, paths, 1)).sum(0);
}

const nameOf = (sde: SDE) => sde.name ?? 'the SDE';
const CALCULUS = { ito: 'Itô', stratonovich: 'Stratonovich' } as const;

/** The reason why `solver` cannot solve `sde`, or null if it can. */
export function misfit(solver: SdeSolver, sde: SDE): string | null {
  if (solver.noiseFree) return null;
  const noise = noiseOf(sde);
  const own = interpretationOf(sde);
  if (!solver.orders[noise]) {
    const taken = Object.keys(solver.orders).join(', ');
    return `solver ${solver.name}: expected ${taken} noise, got ${noise} noise of ${nameOf(sde)}`;
  }
  if (noise !== 'additive' && own !== solver.interpretation) {
    const cure = solver.interpretation === 'ito' ? 'toIto' : 'toStratonovich';
    return `solver ${solver.name}: expected an equation of ${CALCULUS[solver.interpretation]}, got ${nameOf(sde)} of ${CALCULUS[own]}: convert it with ${cure}()`;
  }
  const lack = solver.lacks?.(sde) ?? null;
  return lack && `solver ${solver.name}: ${lack}`;
}

/**
 * Checks that a solver fits an equation.
 * @throws ValueError that names both, and what is missing
 */
export function assertFits(solver: SdeSolver, sde: SDE): void {
  const reason = misfit(solver, sde);
  if (reason) throw new ValueError(reason);
}

/**
 * The same process in the other calculus: a_strat = a_ito - c/2, with c the correction Σ_k (∂b_k/∂x) b_k.
 * @throws ValueError for an equation without `correction`
 */
function convert(sde: SDE, to: Interpretation): SDE {
  if (interpretationOf(sde) === to) return sde;
  if (noiseOf(sde) === 'additive') return rewrite(sde, { interpretation: to });
  if (!sde.correction) {
    throw new ValueError(
      `${nameOf(sde)}: expected a \`correction\` (b·∂b/∂x), which the form of ${CALCULUS[to]} needs, got none`,
    );
  }
  const half = to === 'stratonovich' ? -0.5 : 0.5;
  return rewrite(sde, {
    interpretation: to,
    drift: (x, t) => sde.drift(x, t).add(sde.correction!(x, t).mul(half)),
  });
}

/** A copy of an equation with some parts replaced. Its methods stay bound to the original. */
function rewrite(sde: SDE, parts: Partial<SDE>): SDE {
  return {
    name: nameOf(sde),
    noise: noiseOf(sde),
    ...(sde.motions === undefined ? {} : { motions: sde.motions }),
    drift: (x, t) => sde.drift(x, t),
    diffusion: (x, t) => sde.diffusion(x, t),
    ...(sde.correction ? { correction: (x: Tensor, t: number) => sde.correction!(x, t) } : {}),
    ...parts,
  };
}

/** @see convert */
export const toStratonovich = (sde: SDE): SDE => convert(sde, 'stratonovich');
/** @see convert */
export const toIto = (sde: SDE): SDE => convert(sde, 'ito');
