/**
 * `langevin sde`: paths of a stochastic differential equation, drawn with what is known of them exactly. The
 * process is one by name, or one that is typed as two expressions.
 */
import { extname } from 'node:path';
import { host } from '#host';
import { flag, text, type ValuesOf } from '../../models/setting.ts';
import { RECIPES, SDE_TABLE } from '../../models/settings.ts';
import { Rng } from '../../random/rng.ts';
import { expressionSde } from '../../sde/expression.ts';
import { FreshNoise, noiseOrigin } from '../../sde/increments.ts';
import { PROCESSES, type Process, processNamed } from '../../sde/processes/index.ts';
import {
  assertFits,
  interpretationOf,
  noiseOf,
  noiseShape,
  type SDE,
  type SdeSolver,
  toStratonovich,
} from '../../sde/sde.ts';
import { type Solution, solve, startAt } from '../../sde/solve.ts';
import { SOLVERS, solverNamed } from '../../sde/solvers/index.ts';
import { asUsage, type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions } from '../options/engine.ts';
import { outSetting } from '../options/output.ts';
import { counted } from '../report/counted.ts';
import { encodeCsv, encodeNpy } from '../results/npy.ts';
import { requireWritable } from '../results/out-folder.ts';
import { drawEnd, drawPaths } from '../results/sde-plots.ts';

/** Paths that are drawn one by one. */
const DRAWN = 30;
/** A histogram of fewer ends says nothing. */
const LEAST_FOR_HISTOGRAM = 50;
/** The most numbers that --save writes: 2 GiB of float32 at most. */
const MOST_SAVED = 2 ** 29;

const OUTPUT = {
  list: flag('list', 'Print all processes and solvers.'),
  save: text('save', null, 'Also write all states to a file .csv or .npy.', { placeholder: 'file' }),
  out: outSetting('out'),
} as const;

export const SDE_PATHS: Command = {
  name: 'sde',
  summary: 'Solve and draw a stochastic differential equation',
  groups: { ...RECIPES.sde, Output: OUTPUT },
  usage:
    'sde <process> [options]\nsde --drift <a> --diffusion <b> [options]\nsde orders [options]\nsde --list',
  examples: [
    'sde brownian --paths 5 --steps 1000 --time 10',
    'sde drift --paths 5 --steps 1000 --time 10 --twin',
    'sde gbm --paths 5 --steps 1000 --time 10 --set mu=0.05,sigma=0.2',
    'sde --drift "x - x^3" --diffusion "0.5" --set x0=-1 --time 20',
    'sde orders',
  ],
  run: sdeCommand,
};

/** What a run is of, however it was named. */
export interface Equation {
  readonly name: string;
  readonly title: string;
  readonly subtitle: string;
  readonly sde: SDE;
  readonly start: readonly number[];
  readonly time: number;
  /** Where it is one by name. */
  readonly process: Process | null;
}

/** The equation that the options name or spell. @throws UsageError */
function equationOf({ process, drift, diffusion, set = {} }: ValuesOf<typeof SDE_TABLE>): Equation {
  if (drift === undefined && diffusion === undefined) {
    if (process === undefined) {
      throw new UsageError('sde: expected a process, --drift and --diffusion, or --list');
    }
    return asUsage(() => namedEquation(process, set));
  }
  if (drift === undefined || diffusion === undefined || process !== undefined) {
    throw new UsageError('sde: expected either a process or both of --drift and --diffusion');
  }
  const { x0 = 1, ...parameters } = set;
  if (!Number.isFinite(x0)) throw new UsageError(`--set: expected a finite x0, got ${x0}`);
  const sde = asUsage(() => expressionSde(drift, diffusion, parameters));
  const subtitle = Object.entries(set).map(([key, value]) => `${key} = ${value}`);
  return {
    name: 'sde',
    title: sde.name!,
    subtitle: subtitle.join(', '),
    sde,
    start: [x0],
    time: 10,
    process: null,
  };
}

function namedEquation(name: string, values: Record<string, number>): Equation {
  const family = processNamed(name);
  const process = family(values);
  const { title, formula, parameters, start } = process;
  const list = Object.entries(parameters).map(([key, value]) => `${key} = ${value}`);
  const subtitle = `${formula}; ${list.join(', ')}`;
  return { name, title, subtitle, sde: process, start, time: family.definition.time, process };
}

/** The equation in the solver's calculus. */
function inCalculus(sde: SDE, solver: SdeSolver): SDE {
  const stratonovich = solver.interpretation === 'stratonovich' && interpretationOf(sde) === 'ito';
  return stratonovich && noiseOf(sde) !== 'additive' ? toStratonovich(sde) : sde;
}

/** Runs the command; the exit code. */
export async function sdeCommand(options: Options): Promise<number> {
  const { list, save, out } = readSettings(OUTPUT, options);
  if (list) return printList();
  const settings = readSettings(SDE_TABLE, options);
  const { paths, steps, seed } = settings;
  const equation = equationOf(settings);
  const { time = equation.time } = settings;
  const end = equation.process?.end ?? Infinity;
  if (time > end) throw new UsageError(`--time: expected at most ${end} for ${equation.name}, got ${time}`);
  if (save !== undefined && !['.csv', '.npy'].includes(extname(save))) {
    throw new UsageError(`--save: expected a file .csv or .npy, got "${save}"`);
  }
  const size = paths * (steps + 1) * equation.start.length;
  if (save !== undefined && size > MOST_SAVED) {
    throw new UsageError(`--save: expected at most ${MOST_SAVED} numbers, got ${size}: fewer paths or steps`);
  }
  const solver = solverNamed(settings.solver);
  const sde = asUsage(() => inCalculus(equation.sde, solver));
  asUsage(() => assertFits(solver, sde));
  applyEngineOptions(options);
  const names = { paths: `${equation.name}.svg`, end: `${equation.name}-end.svg` };
  const tidy = requireWritable(out, Object.values(names));
  try {
    const run = { t1: time, steps, noise: new Rng(seed) };
    const simulated = simulate(sde, solver, equation, paths, run, save !== undefined);
    if (sde !== equation.sde) print(`${solver.name}: ${equation.name} is solved in its Stratonovich form`);
    print(
      `${equation.title}: ${counted(paths, 'path')} of ${counted(steps, 'step')} in ${(simulated.seconds * 1000).toFixed(0)} ms`,
    );
    const twin = settings.twin ? twinOf(equation, time, steps) : null;
    const label = `${counted(paths, 'path')}, ${counted(steps, 'step')}, ${solver.title}`;
    for (let c = 0; c < equation.start.length; c++) {
      const file = c === 0 ? names.paths : `${equation.name}-${c + 1}.svg`;
      const svg = await drawPaths(equation, c, simulated, twin, label);
      await host.writeFileAtomic(`${out}/${file}`, svg);
      print(`wrote ${out}/${file}`);
    }
    if (paths >= LEAST_FOR_HISTOGRAM && !solver.noiseFree) {
      await host.writeFileAtomic(`${out}/${names.end}`, await drawEnd(equation, simulated, time, label));
      print(`wrote ${out}/${names.end}`);
    }
    if (save !== undefined) await saveStates(save, simulated, paths, equation.start.length);
    return 0;
  } finally {
    tidy();
  }
}

/** What was solved, as plain arrays. */
export interface Simulated {
  readonly times: Float64Array;
  /** `[times, drawn, components]`: the first paths. */
  readonly lines: ArrayLike<number>;
  readonly drawn: number;
  /** `[paths, components]` at the end. */
  readonly ends: ArrayLike<number>;
  /** `[times, paths, components]` where they are to be saved. */
  readonly all: ReturnType<Solution['states']['toTypedArray']> | null;
  readonly seconds: number;
}

/**
 * Solves all paths, and the first ones once more with all their states, on the same noise: memory stays bounded
 * for any number of paths.
 */
function simulate(
  sde: SDE,
  solver: SdeSolver,
  { start }: Equation,
  paths: number,
  run: { t1: number; steps: number; noise: Rng },
  keep: boolean,
): Simulated {
  const x = startAt(start, paths);
  const began = performance.now();
  const whole = solve(sde, solver, x, { ...run, keep: keep ? 'all' : 'last' });
  const seconds = (performance.now() - began) / 1000;
  const drawn = Math.min(DRAWN, paths);
  const first = startAt(start, drawn);
  const shape = noiseShape(sde, first.shape);
  const size = noiseShape(sde, x.shape).reduce((n, side) => n * side, 1);
  const path = new FreshNoise(noiseOrigin(run.noise), shape, solver.needsArea, size);
  const { states, times } = solve(sde, solver, first, { ...run, path });
  const values = whole.states.toTypedArray();
  const lines = states.toTypedArray();
  for (const tensor of [x, first, whole.states, states]) tensor.dispose();
  return {
    times,
    lines,
    drawn,
    ends: values.subarray(values.length - paths * start.length),
    all: keep ? values : null,
    seconds,
  };
}

/** The solution of dx = a(x, t) dt from the start: `[times, components]`. */
function twinOf({ sde, start }: Equation, t1: number, steps: number): ArrayLike<number> {
  const { states } = solve(sde, solverNamed('ode-rk4'), startAt(start, 1), { t1, steps });
  return states.toTypedArray();
}

async function saveStates(file: string, { all, times }: Simulated, paths: number, components: number) {
  const shape = [times.length, paths, ...(components > 1 ? [components] : [])];
  const names = Array.from({ length: paths * components }, (_, i) =>
    components > 1 ? `path_${Math.floor(i / components)}_${i % components}` : `path_${i}`,
  );
  const content = extname(file) === '.npy' ? encodeNpy(all!, shape) : encodeCsv(times, names, all!);
  await host.writeFileAtomic(file, content);
  print(`wrote ${file}: [${shape.join(', ')}]`);
}

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Prints what there is. */
function printList(): number {
  print('Processes (the end of time in brackets)\n');
  for (const { definition } of PROCESSES) {
    print(`  ${definition.name.padEnd(13)}${definition.title} [${definition.time}]`);
    print(`  ${''.padEnd(13)}${definition.formula}`);
    for (const [name, { value, unit, meaning }] of Object.entries(definition.parameters)) {
      print(`  ${''.padEnd(15)}${`${name} = ${value}`.padEnd(18)}${meaning}${unit ? ` (${unit})` : ''}`);
    }
    print('');
  }
  print('Solvers: noise that they take, with strong/weak order\n');
  for (const { name, orders, interpretation, noiseFree } of SOLVERS) {
    const calculus = noiseFree ? 'no noise' : interpretation === 'ito' ? 'Itô' : 'Stratonovich';
    const taken = Object.entries(orders).map(
      ([noise, { strong, weak }]) => `${noise} ${order(strong)}/${order(weak)}`,
    );
    print(
      `  ${name.padEnd(23)}${calculus.padEnd(14)}${noiseFree ? `order ${order(orders.diagonal!.strong)}` : taken.join(', ')}`,
    );
  }
  return 0;
}

const order = (value: number) => (value === Infinity ? 'exact' : String(value));
