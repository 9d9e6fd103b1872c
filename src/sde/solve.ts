/**
 * Solves an SDE from a batch of starts with equal steps.
 *
 * `solve` is for Monte Carlo: it computes no gradients, and its memory is that of the kept states. It splits the paths
 * into blocks that fit the cache, and takes all steps of one block before the next block. The noise of a path is a
 * function of (seed, step, path) only, so the blocks do not change the result. For an affine equation and
 * Euler-Maruyama a fused kernel (fused.ts) does the same arithmetic in one pass.
 *
 * `integrate` is the differentiable loop: it yields states of the graph. Gradients flow through them to the start and
 * to the parameters of drift and diffusion. Both loops are in this file, because they share the grid, the start and the
 * step.
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

/** Equal steps from t0 to t1. */
export interface Grid {
  /** Default 0. */
  readonly t0?: number;
  /** The end time, > t0. */
  readonly t1: number;
  /** The number of equal steps. There are `steps + 1` states. */
  readonly steps: number;
}

const GRID_DEFAULTS = { t0: 0, t1: undefined, steps: undefined } as const satisfies Defaults<Grid>;

/** Options of `solve`. */
export interface SolveOptions extends Grid {
  /** The generator of fresh noise, or its seed. Default: seed 0. */
  readonly noise?: Rng | Seed;
  /** A path of dW's shape, used in place of fresh noise. It needs areas if the solver needs them. */
  readonly path?: NoiseSource;
  /** Which states to keep: `all`, or the `last` one. Default `all`. */
  readonly keep?: 'all' | 'last';
  /** Whether a fused kernel may be used. `false` always takes the general form. Default true. */
  readonly fused?: boolean;
}

/** The result of `solve`. */
export interface Solution {
  /** The times of `states`: all times, or the last one. */
  readonly times: Float64Array;
  /** `[times, ...x]`, on the heap: free it with `dispose()`. */
  readonly states: Tensor;
}

/** The number of elements in a block of paths. A dozen tensors of this size fit the L2 cache. */
const BLOCK = 16384;

/** The times t0 + k (t1 - t0)/steps; both ends are exact. */
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

/**
 * `paths` copies of a start: `[paths]`, or `[paths, d]` for a start of several components.
 * @throws ValueError unless `paths` is a whole number >= 1
 */
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
  /** The number of steps so far, from 0. */
  readonly step: number;
  /** The time. */
  readonly t: number;
  /** The state, of the start's shape. */
  readonly x: Tensor;
}

/**
 * Yields the states, beginning with `x`. Each state is computed when the caller needs it. The states are part of the
 * graph: call `integrate` inside a `scope`, and `backward` before the scope ends.
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

/** The solver's next state. The increment of the step comes from the path. */
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
 * @throws ValueError for a solver that does not fit, invalid times or steps, or a start that is not finite
 * @throws DivergenceError if a path is no longer finite; the message says which path, and when
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

/** The arguments of a solve, shared by all blocks. */
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

/** The number of paths in a block: a multiple of GROUP, so that its noise begins at a group. */
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

/** Frees the noise that a block's own source drew ahead. A path belongs to the caller, and stays. */
function release(source: NoiseSource, { path }: SolveRun): void {
  if (source !== path && source instanceof FreshNoise) source.dispose();
}

/** The offset, in elements, of path `first` in state k of the kept states. */
const placeOf = ({ x, keep }: SolveRun, k: number, first: number) =>
  (keep ? k * x.size : 0) + first * perPath(x.shape);

/** The solver's own state for the paths [first, first + count) of the start; a copy on the heap. */
function beginOf({ x, solver }: SolveRun, first: number, count: number): Tensor {
  return scope(() => {
    const begin = x.empty([count, ...x.shape.slice(1)]);
    copyElements(x, first * perPath(x.shape), begin, 0, begin.size);
    return (solver.begin?.(begin) ?? begin).keep();
  });
}

/** to[toAt + i] = from[fromAt + i] for n elements. A view would keep its memory alive until it is collected. */
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
 * Solves the paths [first, first + count) through all steps. After each step it calls `visit` with the solver's state,
 * in a scope of its own. If `visit` returns a value that is not null, the walk ends and returns that value.
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

/** A state in its full shape. A constant drift and diffusion can make it smaller. */
const fit = (state: Tensor, like: Tensor) =>
  state.size === like.size ? state : state.broadcastTo(like.shape);

/** Whether all elements are finite. NaN and infinity times 0 are NaN, and the sum keeps a NaN. */
const allFinite = (x: Tensor): boolean => noGrad(() => scope(() => x.mul(0).sum().item() === 0));

function checkStart(x: Tensor): void {
  if (x.rank === 0 || x.size === 0) {
    throw new ShapeError(
      `solve: expected a batch [paths, ...] of at least one start, got shape [${x.shape}]`,
    );
  }
  if (!allFinite(x)) throw new ValueError('solve: expected finite starts, got NaN or infinity');
}

/** Throws if the end of a path in the block is not finite. The message says when the path exploded. */
function reportExplosion(run: SolveRun, first: number, count: number): void {
  const { times, solver, sde, x, states } = run;
  const last = times.length - 1;
  const size = count * perPath(x.shape);
  if (noGrad(() => scope(() => allFinite(part(states, placeOf(run, last, first), size))))) return;
  const { k, path, value } = noGrad(() => firstExplosion(run, first, count));
  throw new DivergenceError(
    `${sde.name ?? 'the SDE'} by ${solver.name}: path ${path} of ${x.shape[0]} is ${value} at t = ${Number(times[k].toPrecision(6))} (step ${k} of ${last}): use smaller steps, or the solver tamed-euler for a drift that grows fast`,
  );
}

interface Explosion {
  readonly k: number;
  readonly path: number;
  readonly value: number;
}

/** Solves again and checks each state. The noise is the same, so the explosion is the same. */
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
