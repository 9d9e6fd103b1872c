/**
 * Solving an SDE from a batch of starts, on equal steps.
 *
 * `solve` is the Monte-Carlo tool: no gradients, memory bounded by what is kept. Paths are taken in blocks that
 * fit a cache, all steps of a block before the next; since a path's noise is a function of (seed, step, path)
 * alone, the result does not depend on the blocks. Where the equation is affine and the solver Euler-Maruyama,
 * a fused kernel (fused.ts) does the same arithmetic in one pass.
 *
 * `integrate` is the differentiable loop: it yields states of the graph, and gradients flow through them to the
 * start and to whatever drift and diffusion were made of.
 */
import { noGrad, scope } from '../autograd/tape.ts';
import { sizeOf } from '../autograd/variable.ts';
import { copyArray } from '../backend/kernels.ts';
import { DivergenceError, InternalError, ShapeError, ValueError } from '../errors.ts';
import { type Defaults, withDefaults } from '../options.ts';
import { Rng, type Seed } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { fits as fitsFused, solveFused } from './fused.ts';
import { FreshNoise, GROUP, type NoiseOrigin, type NoiseSource, noiseOrigin } from './increments.ts';
import { assertFits, noiseShape, type SDE, type SdeSolver } from './sde.ts';

export interface Grid {
  /** Default 0. */
  readonly t0?: number;
  readonly t1: number;
  /** The number of equal steps; states are one more. */
  readonly steps: number;
}

const GRID_DEFAULTS = { t0: 0, t1: undefined, steps: undefined } as const satisfies Defaults<Grid>;

export interface SolveOptions extends Grid {
  /** A generator, or its seed: fresh noise. Default seed 0. */
  readonly noise?: Rng | Seed;
  /** A path whose increments are taken in place of fresh noise, of dW's shape; with areas where they are needed. */
  readonly path?: NoiseSource;
  /** `all` states or the `last` one. Default `all`. */
  readonly keep?: 'all' | 'last';
  /** `false` takes the general form where a fused kernel would do. Default true. */
  readonly fused?: boolean;
}

export interface Solution {
  /** The times of `states`: all of them, or the last. */
  readonly times: Float64Array;
  /** `[times, ...x]`, on the heap: free it with `dispose()`. */
  readonly states: Tensor;
}

/** Elements of a block of paths: a dozen tensors of so many fit the second-level cache. */
const BLOCK = 16384;

/** t0 + k (t1 - t0)/steps, both ends exact. */
export function timesOf({ t0 = 0, t1, steps }: Grid): Float64Array {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new ValueError(`steps: expected a whole number of at least 1, got ${steps}`);
  }
  if (!(Number.isFinite(t0) && Number.isFinite(t1) && t1 > t0)) {
    throw new ValueError(`time: expected finite times with t0 < t1, got ${t0} and ${t1}`);
  }
  return Float64Array.from({ length: steps + 1 }, (_, k) =>
    k === steps ? t1 : t0 + ((t1 - t0) * k) / steps,
  );
}

/** `paths` copies of a start, `[paths]` or, of several components, `[paths, d]`. */
export function startAt(start: number | readonly number[], paths: number): Tensor {
  if (!Number.isInteger(paths) || paths < 1) {
    throw new ValueError(`paths: expected a whole number of at least 1, got ${paths}`);
  }
  const values = typeof start === 'number' ? [start] : start;
  const shape = values.length === 1 ? [paths] : [paths, values.length];
  return tensor(
    Float64Array.from({ length: paths * values.length }, (_, i) => values[i % values.length]),
    shape,
  );
}

/** One state of a differentiable solve. */
export interface IntegrationStep {
  readonly step: number;
  readonly t: number;
  readonly x: Tensor;
}

/**
 * The states from `x` on, each made when it is asked for, the start first. They are part of the graph: call it
 * inside `scope`, and `backward` before the scope ends.
 * @throws ValueError for a solver that does not fit
 */
export function* integrate(
  sde: SDE,
  solver: SdeSolver,
  x: Tensor,
  grid: Grid & { readonly path: NoiseSource },
): Generator<IntegrationStep> {
  const { path, ...rest } = withDefaults('integrate', grid, { ...GRID_DEFAULTS, path: undefined });
  const times = timesOf(rest);
  assertFits(solver, sde);
  let state = solver.begin?.(x) ?? x;
  yield { step: 0, t: times[0], x };
  for (let k = 0; k + 1 < times.length; k++) {
    state = advance(sde, solver, state, times[k], times[k + 1], path);
    yield { step: k + 1, t: times[k + 1], x: solver.read?.(state) ?? state };
  }
}

/** The solver's next state, with the increment of the step from the path. */
export function advance(
  sde: SDE,
  solver: SdeSolver,
  state: Tensor,
  t: number,
  next: number,
  path: NoiseSource,
): Tensor {
  const { dW, area } = path.increment(t, next);
  if (solver.needsArea && !area) {
    throw new ValueError(
      `solver ${solver.name}: expected a path with space-time Lévy areas, got one without`,
    );
  }
  return solver.step(sde, state, t, next - t, dW, area);
}

/**
 * Solves from the batch `x`, `[paths]` or `[paths, ...]`.
 *
 * @throws ValueError for a solver that does not fit, times or steps that are none, a start that is not finite;
 *   DivergenceError when a path leaves the finite numbers: its message says when, and which path
 */
export function solve(sde: SDE, solver: SdeSolver, x: Tensor, options: SolveOptions): Solution {
  const { t0, t1, steps, path, keep, fused, noise } = withDefaults('solve', options, {
    ...GRID_DEFAULTS,
    noise: 0,
    path: undefined,
    keep: 'all',
    fused: true,
  });
  const times = timesOf({ t0, t1, steps });
  assertFits(solver, sde);
  checkStart(x);
  const shape = noiseShape(sde, x.shape);
  if (path && path.shape.join() !== shape.join()) {
    throw new ShapeError(`solve: expected a path of shape [${shape}], got [${path.shape}]`);
  }
  const states = noGrad(() => x.emptyOnHeap(keep === 'all' ? [steps + 1, ...x.shape] : x.shape));
  const run: SolveRun = {
    sde,
    solver,
    x,
    times,
    states,
    keep: keep === 'all',
    path: path ?? null,
    noise: noiseOrigin(noise instanceof Rng ? noise : new Rng(noise)),
    noiseShape: shape,
  };
  try {
    if (fused && !path && fitsFused(sde, solver)) {
      solveFused(sde, x, times, states, run.keep, run.noise);
      reportExplosion(run, 0, x.shape[0]);
    } else {
      const size = path ? x.shape[0] : pathsOfBlock(run);
      for (let first = 0; first < x.shape[0]; first += size) {
        const count = Math.min(size, x.shape[0] - first);
        noGrad(() => solveBlock(run, first, count));
        reportExplosion(run, first, count);
      }
    }
  } catch (error) {
    states.dispose();
    throw error;
  }
  return { times: run.keep ? times : times.slice(-1), states };
}

/** All that a block of paths needs to know. */
interface SolveRun {
  readonly sde: SDE;
  readonly solver: SdeSolver;
  readonly x: Tensor;
  readonly times: Float64Array;
  readonly states: Tensor;
  readonly keep: boolean;
  readonly path: NoiseSource | null;
  readonly noise: NoiseOrigin;
  readonly noiseShape: readonly number[];
}

const perPath = (shape: readonly number[]) => sizeOf(shape.slice(1));

/** Paths of a block: a multiple of what makes its noise begin at a group. */
function pathsOfBlock({ x, noiseShape: noise }: SolveRun): number {
  const elements = Math.max(perPath(x.shape), perPath(noise));
  return Math.max(GROUP, Math.floor(BLOCK / elements / GROUP) * GROUP);
}

function sourceOf(run: SolveRun, first: number, count: number): NoiseSource {
  const { path, noise, noiseShape: shape, solver, times } = run;
  if (path) return path;
  const width = perPath(shape);
  const block = [count, ...shape.slice(1)];
  return new FreshNoise(
    noise,
    block,
    solver.needsArea === true,
    sizeOf(shape),
    first * width,
    times.length - 1,
  );
}

/** Frees what a block's own source drew ahead; a path is the caller's. */
function release(source: NoiseSource, { path }: SolveRun): void {
  if (source !== path && source instanceof FreshNoise) source.dispose();
}

/** Where the rows of paths from `first` on lie in state k of what is kept, in elements. */
const placeOf = ({ x, keep }: SolveRun, k: number, first: number) =>
  (keep ? k * x.size : 0) + first * perPath(x.shape);

/** A copy of the paths [first, first + count) of the start, on the heap: the solver's own state. */
function beginOf({ x, solver }: SolveRun, first: number, count: number): Tensor {
  return scope(() => {
    const begin = x.empty([count, ...x.shape.slice(1)]);
    copyElements(x, first * perPath(x.shape), begin, 0, begin.size);
    return (solver.begin?.(begin) ?? begin).keep();
  });
}

/** to[toAt ...] = from[fromAt ...], n elements; views would keep their memory alive until they are collected. */
export function copyElements(from: Tensor, fromAt: number, to: Tensor, toAt: number, n: number): void {
  const { kernels, elementBytes } = from.backend;
  const out = { ptr: to.ptr + toAt * elementBytes, accumulate: false };
  copyArray(kernels, n, from.ptr + fromAt * elementBytes, out);
}

/** The elements [at, at + n) of a tensor, in the current scope. */
function part(x: Tensor, at: number, n: number): Tensor {
  const copy = x.empty([n]);
  copyElements(x, at, copy, 0, n);
  return copy;
}

/**
 * Takes the paths [first, first + count) through all steps, and calls `visit` with the solver's state after each, in a
 * scope of its own. It ends where `visit` finds something, and returns it.
 */
function walk<T>(
  run: SolveRun,
  first: number,
  count: number,
  visit: (state: Tensor, k: number) => T | null,
): T | null {
  const { sde, solver, times } = run;
  const source = sourceOf(run, first, count);
  const state = beginOf(run, first, count);
  try {
    for (let k = 1; k < times.length; k++) {
      const found = scope(() => {
        state.copyFrom(fit(advance(sde, solver, state, times[k - 1], times[k], source), state));
        return visit(state, k);
      });
      if (found !== null) return found;
    }
    return null;
  } finally {
    state.dispose();
    release(source, run);
  }
}

function solveBlock(run: SolveRun, first: number, count: number): void {
  const { solver, x, times, states, keep } = run;
  const size = count * perPath(x.shape);
  if (keep) copyElements(x, first * perPath(x.shape), states, placeOf(run, 0, first), size);
  walk(run, first, count, (state, k) => {
    if (keep || k + 1 === times.length) {
      copyElements(solver.read?.(state) ?? state, 0, states, placeOf(run, k, first), size);
    }
    return null;
  });
}

/** A state in its full shape: a constant drift and diffusion may leave it smaller. */
const fit = (state: Tensor, like: Tensor) =>
  state.size === like.size ? state : state.broadcastTo(like.shape);

/** Whether all elements are finite: NaN and infinity survive a product with 0 and a sum. */
const allFinite = (x: Tensor): boolean => noGrad(() => scope(() => x.mul(0).sum().item() === 0));

function checkStart(x: Tensor): void {
  if (x.rank === 0 || x.size === 0) {
    throw new ShapeError(
      `solve: expected a batch [paths, ...] of at least one start, got shape [${x.shape}]`,
    );
  }
  if (!allFinite(x)) throw new ValueError('solve: expected finite starts, got NaN or infinity');
}

/** Throws when a path of the block ended outside of the finite numbers; says where it left them. */
function reportExplosion(run: SolveRun, first: number, count: number): void {
  const { times, solver, sde, x, states } = run;
  const last = times.length - 1;
  const size = count * perPath(x.shape);
  if (noGrad(() => scope(() => allFinite(part(states, placeOf(run, last, first), size))))) return;
  const { k, path, value } = noGrad(() => firstExplosion(run, first, count));
  throw new DivergenceError(
    `${sde.name ?? 'the SDE'} by ${solver.name}: path ${path} of ${x.shape[0]} is ${value} at t = ${Number(times[k].toPrecision(6))} (step ${k} of ${last}): take smaller steps, or tamed-euler for a drift that grows fast`,
  );
}

interface Explosion {
  readonly k: number;
  readonly path: number;
  readonly value: number;
}

/** Solves again, looking at each state: the noise is the same, so the explosion is too. */
function firstExplosion(run: SolveRun, first: number, count: number): Explosion {
  const found = walk(run, first, count, (state, k) => {
    const now = run.solver.read?.(state) ?? state;
    if (allFinite(now)) return null;
    const values = now.toTypedArray();
    const at = values.findIndex((value) => !Number.isFinite(value));
    return { k, path: first + Math.floor(at / perPath(run.x.shape)), value: values[at] };
  });
  if (!found) throw new InternalError('an explosion that a second run does not show');
  return found;
}
