/**
 * Measures orders of convergence: the slope of log error over log step size, with a confidence interval.
 *
 * All levels of step size use the same Brownian paths. Increments and space-time Lévy areas are drawn for the finest
 * steps, and combined in pairs for coarser steps. The strong error is the mean of |X_n - X(T)|. The weak error is
 * |mean of f(X_n) - f(X(T))|; the difference is taken on each path, which cancels most of the sampling error. Half of
 * the paths are antithetic: they have the negated dW and areas of the other half. The slope is fitted by least
 * squares. Its 95 % interval is the jackknife over independent batches, with Student's t.
 *
 * Source: Kloeden and Platen (1992), 9.3 and 9.4; Efron and Stein (1981) for the jackknife.
 */
import { noGrad, scope } from '../autograd/tape.ts';
import { ValueError } from '../errors.ts';
import { log } from '../math.ts';
import { withDefaults } from '../options.ts';
import { Rng, type Seed } from '../random/rng.ts';
import { cat } from '../tensor/functions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { combine, type Piece } from './brownian-bridge.ts';
import { type OrderProblem, problemFor } from './order-problems.ts';
import {
  interpretationOf,
  type NoiseType,
  noiseShape,
  type SDE,
  type SdeSolver,
  toStratonovich,
} from './sde.ts';
import { startAt } from './solve.ts';

/** `strong` convergence is that of paths, and `weak` convergence is that of expectations. */
export type ConvergenceKind = 'strong' | 'weak';

/** Options of `measureOrder` and `measureOrders`. */
export interface OrderOptions {
  /** The total number of paths. Default 4,000 to 200,000, by the problem. */
  readonly paths?: number;
  /** The number of independent batches. Default 10. */
  readonly batches?: number;
  /** The numbers of steps; each is twice the one before. */
  readonly levels?: readonly number[];
  /** The seed of the paths. Default `orders`. */
  readonly seed?: Seed;
}

/** The other defaults depend on the problem. */
const ORDER_DEFAULTS = { paths: undefined, batches: 10, levels: undefined, seed: 'orders' } as const;

/** A measured order of convergence. `solver`, `noise`, `kind` and `problem` say what was measured. */
export interface MeasuredOrder {
  readonly solver: string;
  readonly noise: NoiseType;
  readonly kind: ConvergenceKind;
  readonly problem: string;
  /** The order that the solver declares. */
  readonly declared: number;
  /** The measured order: the slope of ln(error) against ln(step). */
  readonly slope: number;
  /** Half the width of the 95 % confidence interval. */
  readonly halfWidth: number;
  /** Step sizes and errors. */
  readonly steps: readonly number[];
  /** The error at each step size. */
  readonly errors: readonly number[];
}

/**
 * The numbers of steps. The steps are so fine that the leading term of the error dominates, and so coarse that an
 * error of weak order 2 is larger than the sampling error.
 */
function levelsFor(noise: NoiseType, kind: ConvergenceKind, declared: number): number[] {
  if (kind === 'strong') return noise === 'general' ? [4, 8, 16, 32] : [8, 16, 32, 64, 128];
  if (declared > 1) return noise === 'additive' ? [4, 8, 16, 32] : [2, 4, 8, 16];
  return [8, 16, 32, 64];
}

function pathsFor(noise: NoiseType, kind: ConvergenceKind, declared: number): number {
  if (kind === 'strong') return noise === 'general' || noise === 'additive' ? 4_000 : 10_000;
  if (noise === 'additive') return declared > 1 ? 80_000 : 20_000;
  return declared > 1 ? 200_000 : 30_000;
}

/** Student's t at 97.5 % for 1 to 30 degrees of freedom. */
const STUDENT = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1,
  2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04,
];

/** An order that a solver declares, for one type of noise. It can be measured. */
export interface OrderClaim {
  /** The solver. */
  readonly solver: SdeSolver;
  /** The type of the noise. */
  readonly noise: NoiseType;
  /** The kind of convergence. */
  readonly kind: ConvergenceKind;
}

/** All orders that the solvers declare: strong and weak, for each noise type. */
export function claimsOf(solvers: readonly SdeSolver[]): OrderClaim[] {
  return solvers
    .filter((solver) => !solver.noiseFree && Number.isFinite(solver.strongOrder))
    .flatMap((solver) =>
      (Object.keys(solver.orders) as NoiseType[]).flatMap((noise) =>
        (['strong', 'weak'] as const).map((kind) => ({ solver, noise, kind })),
      ),
    );
}

/** The largest allowed distance between a measured slope and the declared order. */
export const ORDER_MARGIN = { strong: 0.1, weak: 0.15 } as const satisfies Record<ConvergenceKind, number>;

/** Whether a measured slope is further from the declared order than the margin of its kind. */
export const missesOrder = ({ kind, slope, declared }: MeasuredOrder): boolean =>
  Math.abs(slope - declared) > ORDER_MARGIN[kind];

/** Errors over step sizes for one kind of error and one type of noise: the data of one log-log plot. */
export interface OrdersFigure {
  /** Strong or weak error. */
  readonly kind: ConvergenceKind;
  /** The noise type. */
  readonly noise: NoiseType;
  /** The measured orders, one for each solver. */
  readonly measured: readonly MeasuredOrder[];
}

/** A figure for each kind of error and each type of noise. Its key is a name such as `strong-diagonal`. */
export function ordersFigures(measured: readonly MeasuredOrder[]): Map<string, OrdersFigure> {
  const figures = new Map<string, OrdersFigure>();
  for (const one of measured) {
    const { kind, noise } = one;
    const name = `${kind}-${noise}`;
    figures.set(name, { kind, noise, measured: [...(figures.get(name)?.measured ?? []), one] });
  }
  return figures;
}

/** Measures the strong or weak order of a solver for a noise type that it can solve. */
export function measureOrder(
  solver: SdeSolver,
  noise: NoiseType,
  kind: ConvergenceKind,
  options: OrderOptions = {},
): MeasuredOrder {
  return [...measureOrders([{ solver, noise, kind }], options)][0];
}

/**
 * Measures several orders. Claims with the same noise type, kind and declared order share their paths.
 * @throws ValueError for a noise type that a solver does not take
 */
export function* measureOrders(
  claims: readonly OrderClaim[],
  options: OrderOptions = {},
): Generator<MeasuredOrder> {
  withDefaults('orders', options, ORDER_DEFAULTS);
  const groups = new Map<string, OrderClaim[]>();
  for (const claim of claims) {
    const { solver, noise, kind } = claim;
    const declared = solver.orders[noise]?.[kind];
    if (declared === undefined) {
      throw new ValueError(`orders: expected a noise type that ${solver.name} takes, got ${noise}`);
    }
    const key = `${noise}/${kind}/${declared}`;
    groups.set(key, [...(groups.get(key) ?? []), claim]);
  }
  for (const group of groups.values()) yield* measureGroup(group, options);
}

function measureGroup(group: readonly OrderClaim[], options: OrderOptions): MeasuredOrder[] {
  const { noise, kind, solver } = group[0];
  const declared = solver.orders[noise]![kind];
  const problem = problemFor(noise, kind, declared);
  const filled = withDefaults('orders', options, ORDER_DEFAULTS);
  const { batches, seed, levels = levelsFor(noise, kind, declared) } = filled;
  const { paths = pathsFor(noise, kind, declared) } = filled;
  const size = 2 * Math.max(1, Math.round(paths / batches / 2));
  const rng = new Rng(seed).stream(`${noise}/${kind}`);
  const solvers = group.map((claim) => claim.solver);
  const errors: number[][][] = [];
  for (let b = 0; b < batches; b++) {
    errors.push(noGrad(() => scope(() => batchErrors(solvers, problem, kind, levels, size, rng))));
  }
  return solvers.map((one, i) => {
    const rows = errors.map((batch) => batch[i]);
    const steps = levels.map((n) => problem.time / n);
    return {
      solver: one.name,
      noise,
      kind,
      problem: problem.title,
      declared,
      steps,
      ...regress(steps, rows),
    };
  });
}

/** The slope, its interval and the mean errors, from the errors of independent batches, `[batches][levels]`. */
function regress(steps: readonly number[], rows: readonly number[][]) {
  const mean = (some: readonly number[][]) =>
    steps.map((_, l) => Math.abs(average(some.map((row) => row[l]))));
  const jackknife = rows.map((_, i) => slopeOf(steps, mean(rows.toSpliced(i, 1))));
  const centre = average(jackknife);
  const scatter = jackknife.reduce((sum, s) => sum + (s - centre) * (s - centre), 0);
  const deviation = Math.sqrt((scatter * (rows.length - 1)) / rows.length);
  const errors = mean(rows);
  return { slope: slopeOf(steps, errors), halfWidth: (STUDENT[rows.length - 2] ?? 1.96) * deviation, errors };
}

const average = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

/** The slope of log y over log x by least squares. */
export function slopeOf(x: readonly number[], y: readonly number[]): number {
  const [u, v] = [x.map(log), y.map(log)];
  const [mu, mv] = [average(u), average(v)];
  const over = u.reduce((sum, a, i) => sum + (a - mu) * (v[i] - mv), 0);
  return over / u.reduce((sum, a) => sum + (a - mu) * (a - mu), 0);
}

/** The mean error of each solver at each level over one batch of paths. A weak error keeps its sign. */
function batchErrors(
  solvers: readonly SdeSolver[],
  problem: OrderProblem,
  kind: ConvergenceKind,
  levels: readonly number[],
  paths: number,
  rng: Rng,
): number[][] {
  const { sde, time, reference } = problem;
  const start = startAt(problem.start, paths);
  const x = problem.noise === 'general' ? start.reshape(paths, -1) : start;
  const finest = levels[levels.length - 1] * (problem.finer ?? 1);
  let pieces = draw(rng, [...noiseShape(sde, x.shape)], finest, time);
  const target = reference ? run(reference, sde, x, pieces) : problem.exact!(x, pieces);
  const errors: number[][] = solvers.map(() => []);
  for (const n of levels.toReversed()) {
    while (pieces.length > n) pieces = pieces.flatMap((p, i) => (i % 2 ? [combine(pieces[i - 1], p)] : []));
    if (pieces.length !== n) throw new ValueError(`orders: expected levels that double, got ${levels}`);
    for (const [i, solver] of solvers.entries()) {
      errors[i].unshift(scope(() => errorOf(problem, kind, run(solver, sde, x, pieces), target)));
    }
  }
  return errors;
}

function errorOf(problem: OrderProblem, kind: ConvergenceKind, end: Tensor, target: Tensor): number {
  if (kind === 'weak') return problem.functional(end).sub(problem.functional(target)).mean().item();
  const gap = end.sub(target);
  const norm = gap.rank === 1 ? gap.abs() : gap.mul(gap).sum(1).sqrt();
  return norm.mean().item();
}

/** Increments and areas of n equal steps. The second half of the paths is the negated first half. */
function draw(rng: Rng, shape: readonly number[], n: number, time: number): Piece[] {
  const half = [shape[0] / 2, ...shape.slice(1)];
  const span = time / n;
  const mirrored = (deviation: number): Tensor => {
    const z = rng.normal(half).mul(deviation);
    return cat([z, z.neg()]);
  };
  return Array.from({ length: n }, () => ({
    w: mirrored(Math.sqrt(span)),
    h: mirrored(Math.sqrt(span / 12)),
    span,
  }));
}

/** Solves over the pieces in the solver's own calculus; returns the last state. */
function run(solver: SdeSolver, sde: SDE, x: Tensor, pieces: readonly Piece[]): Tensor {
  const equation = solver.interpretation === interpretationOf(sde) ? sde : toStratonovich(sde);
  const end = x.empty(solver.begin ? [2, ...x.shape] : x.shape);
  end.copyFrom(solver.begin?.(x) ?? x);
  let t = 0;
  for (const { w, h, span } of pieces) {
    const [from, to] = [t, (t += span)];
    scope(() => end.copyFrom(solver.step(equation, end, from, to - from, w, h!)));
  }
  return solver.read?.(end) ?? end;
}
