/**
 * `langevin sde`: paths of a stochastic differential equation, drawn with what is known of them exactly. The
 * process is one by name, or one that is typed as two expressions.
 */
import { extname } from 'node:path';
import type { Command } from 'cac';
import { host } from '#host';
import { ValueError } from '../../errors.ts';
import { Rng } from '../../random/rng.ts';
import { expressionSde } from '../../sde/expression.ts';
import { FreshNoise, noiseOrigin } from '../../sde/increments.ts';
import { PROCESSES, type Process, processNamed } from '../../sde/processes/index.ts';
import {
  interpretationOf,
  noiseOf,
  noiseShape,
  type SDE,
  type SdeSolver,
  toStratonovich,
} from '../../sde/sde.ts';
import { type Solution, solve, startAt } from '../../sde/solve.ts';
import { SOLVERS, solverNamed } from '../../sde/solvers/index.ts';
import { count, number, type Options, text, UsageError } from '../options/arguments.ts';
import { addEngineOptions, applyEngineOptions } from '../options/engine.ts';
import { encodeCsv, encodeNpy } from '../results/npy.ts';
import { requireWritable } from '../results/out-folder.ts';
import { drawEnd, drawPaths } from '../results/sde-plots.ts';
import { ordersCommand } from './sde-orders.ts';

/** Paths that are drawn one by one. */
const DRAWN = 30;
/** A histogram of fewer ends says nothing. */
const LEAST_FOR_HISTOGRAM = 50;
/** The most numbers that --save writes: 2 GiB of float32 at most. */
const MOST_SAVED = 2 ** 29;

/** Declares the command and its options. */
export function addSdeOptions(command: Command): Command {
  command
    .usage('sde <process> [options], sde --drift <a> --diffusion <b>, sde orders, sde --list')
    .option('--list', 'Print all processes and solvers')
    .option('--drift <expression>', 'In place of a process: a(x, t), as in "theta*(mu - x)"')
    .option('--diffusion <expression>', 'With --drift: b(x, t), as in "sigma*sqrt(x)"')
    .option('--set <name=value,...>', 'Parameters, as in --set mu=0.05,sigma=0.2')
    .option('--paths <n>', `How many paths; the first ${DRAWN} are drawn (default: 1000)`)
    .option('--steps <n>', 'Steps of a path; states are one more (default: 1000)')
    .option('--time <t>', "The end (default: the process's own, see --list)")
    .option('--solver <name>', 'See --list (default: euler-maruyama)')
    .option('--twin', 'Draw the noise-free twin dx = a(x, t) dt too')
    .option('--seed <seed>', 'Any text or number; the same seed gives the same bits (default: 0)')
    .option('--save <file>', 'All states as .csv or .npy')
    .option('--out <folder>', 'Where the pictures go (default: out)');
  return addEngineOptions(command)
    .example('  $ langevin sde brownian --paths 5 --steps 1000 --time 10')
    .example('  $ langevin sde drift --paths 5 --steps 1000 --time 10 --twin')
    .example('  $ langevin sde gbm --paths 5 --steps 1000 --time 10 --set mu=0.05,sigma=0.2')
    .example('  $ langevin sde --drift "x - x^3" --diffusion "0.5" --set x0=-1 --time 20')
    .example('  $ langevin sde orders');
}

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

/** `a=1,b=2` as numbers. @throws UsageError */
function assignments(options: Options): Record<string, number> {
  const given = text(options, 'set', undefined);
  const values: Record<string, number> = Object.create(null);
  for (const part of given?.split(',') ?? []) {
    const [name = '', value = ''] = part.split('=').map((side) => side.trim());
    if (!/^[a-z]\w*$/i.test(name) || value === '' || part.split('=').length !== 2) {
      throw new UsageError(`--set: expected name=value, got "${part}"`);
    }
    // NaN and infinity pass: the process says what it expects.
    values[name] = Number(value);
  }
  return values;
}

const usage = (error: unknown) => (error instanceof ValueError ? new UsageError(error.message) : error);

/** The equation that the options name or spell. @throws UsageError */
function equationOf(options: Options): Equation {
  const name = text(options, 'process', undefined);
  const [drift, diffusion] = [text(options, 'drift', undefined), text(options, 'diffusion', undefined)];
  const values = assignments(options);
  try {
    if (drift === undefined && diffusion === undefined) {
      if (name === undefined)
        throw new UsageError('sde: expected a process, --drift and --diffusion, or --list');
      return namedEquation(processNamed(name).definition.name, values);
    }
    if (drift === undefined || diffusion === undefined || name !== undefined) {
      throw new UsageError('sde: expected either a process or both of --drift and --diffusion');
    }
    const { x0 = 1, ...parameters } = values;
    if (!Number.isFinite(x0)) throw new UsageError(`--set: expected a finite x0, got ${x0}`);
    const sde = expressionSde(drift, diffusion, parameters);
    const subtitle = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
    return {
      name: 'sde',
      title: sde.name!,
      subtitle: subtitle.join(', '),
      sde,
      start: [x0],
      time: 10,
      process: null,
    };
  } catch (error) {
    throw usage(error);
  }
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
  if (options.process === 'orders') return ordersCommand(options);
  if (options.list) return list();
  const equation = equationOf(options);
  const paths = count(options, 'paths', 1000);
  const steps = count(options, 'steps', 1000);
  const time = number(options, 'time', equation.time, 'a time > 0', (t) => t > 0);
  const end = equation.process?.end ?? Infinity;
  if (time > end) throw new UsageError(`--time: expected at most ${end} for ${equation.name}, got ${time}`);
  const save = text(options, 'save', undefined);
  if (save !== undefined && !['.csv', '.npy'].includes(extname(save))) {
    throw new UsageError(`--save: expected a file .csv or .npy, got "${save}"`);
  }
  const size = paths * (steps + 1) * equation.start.length;
  if (save !== undefined && size > MOST_SAVED) {
    throw new UsageError(`--save: expected at most ${MOST_SAVED} numbers, got ${size}: fewer paths or steps`);
  }
  let solver: SdeSolver;
  try {
    solver = solverNamed(text(options, 'solver', 'euler-maruyama'));
  } catch (error) {
    throw usage(error);
  }
  applyEngineOptions(options);
  const out = text(options, 'out', 'out');
  const names = { paths: `${equation.name}.svg`, end: `${equation.name}-end.svg` };
  const tidy = requireWritable(out, Object.values(names));
  try {
    const sde = inCalculus(equation.sde, solver);
    const run = { t1: time, steps, noise: new Rng(text(options, 'seed', '0')) };
    const simulated = simulate(sde, solver, equation, paths, run, save !== undefined);
    if (sde !== equation.sde) print(`${solver.name}: ${equation.name} is solved in its Stratonovich form`);
    print(
      `${equation.title}: ${paths} paths of ${steps} steps in ${(simulated.seconds * 1000).toFixed(0)} ms`,
    );
    const twin = options.twin ? twinOf(equation, time, steps) : null;
    const label = `${paths} ${paths === 1 ? 'path' : 'paths'}, ${steps} steps, ${solver.title}`;
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
function list(): number {
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
