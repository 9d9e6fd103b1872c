/**
 * The figures of a stochastic differential equation. One shows paths with their exact mean and band. The other shows
 * the histogram of the end values with the exact density. A figure is a record of plain arrays. It depends on the
 * settings only.
 *
 * There are two solves with the same noise. The first solves all paths and keeps the end values only. The second
 * solves the few paths that are drawn and keeps all their states. So memory is bounded for any number of paths.
 *
 * Left out on purpose: exact laws of the components after the first, because no process here has one.
 */
import type { FloatArray } from '../backend/backend.ts';
import { histogram } from '../image/histogram.ts';
import { Rng, type Seed } from '../random/rng.ts';
import { checkTime, type Equation, type EquationSettings, equationOf } from './equation.ts';
import { FreshNoise, noiseOrigin } from './increments.ts';
import { twoSigmaBand } from './law.ts';
import {
  assertFits,
  interpretationOf,
  noiseOf,
  noiseShape,
  type SDE,
  type SdeSolver,
  toStratonovich,
} from './sde.ts';
import { solve, startAt } from './solve.ts';
import { solverNamed } from './solvers/index.ts';

/** The largest number of paths that are drawn as curves. */
export const DRAWN_PATHS = 30;
/** The smallest number of end values for a histogram. */
const LEAST_FOR_HISTOGRAM = 50;
/** The number of intervals of an exact curve. */
const CURVE = 200;

/** The settings of the figures. */
export interface PathsSettings extends EquationSettings {
  /** The number of paths. */
  readonly paths: number;
  /** The number of steps of a path. A path has `steps + 1` states. */
  readonly steps: number;
  /** The end time. Default: the process's own. */
  readonly time?: number | undefined;
  /** The solver's name. */
  readonly solver: string;
  /** Whether to draw the path without noise too: dx = a(x, t) dt. */
  readonly twin: boolean;
  /** The seed of the noise. */
  readonly seed: Seed;
}

/** The solved paths, from which the figures are made. */
export interface Simulation {
  /** The equation that was solved, with its start. */
  readonly equation: Equation;
  /** The solver. */
  readonly solver: SdeSolver;
  /** Whether the equation was solved in its Stratonovich form. */
  readonly stratonovich: boolean;
  /** The number of paths. */
  readonly paths: number;
  /** `[steps + 1]` */
  readonly times: Float64Array;
  /** `[times, drawn, components]`: the first paths. */
  readonly first: FloatArray;
  /** The number of paths in `first`. */
  readonly drawn: number;
  /** `[paths, components]`: the end values. */
  readonly ends: FloatArray;
  /** `[times, paths, components]`: all states, if `keep` was set. */
  readonly states: FloatArray | null;
  /** `[times, components]`: the path without noise, if the settings have `twin`. */
  readonly twin: FloatArray | null;
}

/** One component of the paths against time. */
export interface PathsFigure {
  /** `[steps + 1]` */
  readonly times: Float64Array;
  /** `[drawn][steps + 1]` */
  readonly paths: readonly Float64Array[];
  /** The exact law of the first component, or null if it is not known. Each array is `[201]`. */
  readonly law: {
    readonly times: Float64Array;
    readonly mean: Float64Array;
    /** The central interval of 95.4 %, or null if it is not known at all times. */
    readonly band: { readonly lower: Float64Array; readonly upper: Float64Array } | null;
  } | null;
  /** The path without noise, `[steps + 1]`. */
  readonly twin: Float64Array | null;
}

/** The end values of the first component. */
export interface EndFigure {
  /** The time of the end values. */
  readonly time: number;
  /** The number of end values. */
  readonly paths: number;
  /** Bins of equal width: their `edges`, [bins + 1], and their `heights`, which are densities, [bins]. */
  readonly histogram: { readonly edges: Float64Array; readonly heights: Float64Array };
  /** The exact density, or else the density for t to infinity, `[201]`. */
  readonly density: {
    readonly kind: 'exact' | 'stationary';
    readonly x: Float64Array;
    readonly y: Float64Array;
  } | null;
}

/** An equation with its solver and its end time. */
export interface Problem {
  readonly equation: Equation;
  readonly solver: SdeSolver;
  /** The equation in the solver's calculus. */
  readonly sde: SDE;
  /** The end time. */
  readonly time: number;
}

/** The problem of these settings. @throws ValueError for settings that do not fit */
export function problemOf(settings: PathsSettings): Problem {
  const equation = equationOf(settings);
  const solver = solverNamed(settings.solver);
  const sde = inCalculus(equation.sde, solver);
  assertFits(solver, sde);
  return { equation, solver, sde, time: checkTime(equation, settings.time) };
}

function inCalculus(sde: SDE, solver: SdeSolver): SDE {
  const stratonovich = solver.interpretation === 'stratonovich' && interpretationOf(sde) === 'ito';
  return stratonovich && noiseOf(sde) !== 'additive' ? toStratonovich(sde) : sde;
}

/** Solves from `paths` copies of the start; returns all states, or those at the end time. */
function solved(
  sde: SDE,
  solver: SdeSolver,
  start: readonly number[],
  paths: number,
  options: Parameters<typeof solve>[3],
) {
  const x = startAt(start, paths);
  const { states, times } = solve(sde, solver, x, options);
  const values = states.toTypedArray();
  for (const tensor of [x, states]) tensor.dispose();
  return { times, values };
}

/**
 * Solves the paths.
 * @param keep whether to return all states of all paths too
 * @throws ValueError for settings that do not fit
 * @throws DivergenceError if a path is no longer finite
 */
export function simulate(settings: PathsSettings, keep = false): Simulation {
  const { equation, solver, sde, time } = problemOf(settings);
  const { paths, steps, seed } = settings;
  const { start } = equation;
  const grid = { t1: time, steps };
  const noise = new Rng(seed);
  const drawn = Math.min(DRAWN_PATHS, paths);
  const all = keep || drawn === paths;
  const whole = solved(sde, solver, start, paths, { ...grid, noise, keep: all ? 'all' : 'last' });
  const again = () => {
    const shape = (n: number) => noiseShape(sde, start.length === 1 ? [n] : [n, start.length]);
    const size = shape(paths).reduce((product, side) => product * side, 1);
    const path = new FreshNoise(noiseOrigin(noise), shape(drawn), solver.needsArea, size);
    return solved(sde, solver, start, drawn, { ...grid, path });
  };
  const { times, values: first } = drawn === paths ? whole : again();
  return {
    equation,
    solver,
    stratonovich: sde !== equation.sde,
    paths,
    times,
    first,
    drawn,
    ends: whole.values.subarray(whole.values.length - paths * start.length),
    states: keep ? whole.values : null,
    twin: settings.twin ? solved(equation.sde, solverNamed('ode-rk4'), start, 1, grid).values : null,
  };
}

/** The paths of one component, with the exact mean and band if they are known. */
export function pathsFigure(simulation: Simulation, component = 0): PathsFigure {
  const { equation, times, first, drawn, twin } = simulation;
  const width = equation.start.length;
  const along = (of: FloatArray, path: number, paths: number) =>
    Float64Array.from(times, (_, k) => of[(k * paths + path) * width + component]);
  return {
    times,
    paths: Array.from({ length: drawn }, (_, path) => along(first, path, drawn)),
    law: component === 0 ? lawOf(equation, times[times.length - 1]) : null,
    twin: twin && along(twin, 0, 1),
  };
}

const curve = (from: number, to: number) =>
  Float64Array.from({ length: CURVE + 1 }, (_, i) => from + ((to - from) * i) / CURVE);

function lawOf({ process, start }: Equation, end: number): PathsFigure['law'] {
  if (!process?.law) return null;
  const times = curve(0, end);
  const laws = Array.from(times, (t) => process.law!(start[0], 0, t));
  const bands = laws.map(twoSigmaBand);
  const known = bands.every((band) => band !== null);
  const side = (i: 0 | 1) => Float64Array.from(bands, (band) => band![i]);
  return {
    times,
    mean: Float64Array.from(laws, ({ mean }) => mean),
    band: known ? { lower: side(0), upper: side(1) } : null,
  };
}

/** The histogram of the end values; null if there are too few of them, or if there is no noise. */
export function endFigure({ equation, solver, paths, times, ends }: Simulation): EndFigure | null {
  if (paths < LEAST_FOR_HISTOGRAM || solver.noiseFree) return null;
  const { process, start } = equation;
  const time = times[times.length - 1];
  const values = Float64Array.from({ length: paths }, (_, i) => ends[i * start.length]).sort();
  // Leave out a thousandth of the values on either side: they would only make the bins wide.
  const cut = Math.floor(paths / 1000);
  const [low, high] = [values[cut], values[paths - 1 - cut]];
  const bars = histogram(values, low < high ? { domain: [low, high] } : {});
  const exact = process?.law?.(start[0], 0, time).density;
  const density = exact ?? process?.stationary?.density;
  const x = curve(bars.edges[0], bars.edges[bars.edges.length - 1]);
  const kind = exact ? 'exact' : 'stationary';
  return { time, paths, histogram: bars, density: density ? { kind, x, y: x.map(density) } : null };
}
