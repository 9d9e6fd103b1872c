/**
 * `langevin sde`: draws paths of a stochastic differential equation, with the exact mean, band and density if these are
 * known. The equation is a process given by name, or two expressions given as options.
 */
import { extname } from 'node:path';
import { host } from '#host';
import { encodeNpy } from '../../data/npy.ts';
import { flag, text } from '../../models/setting.ts';
import { RECIPES, SDE_TABLE } from '../../models/settings.ts';
import { checkTime, type Equation, equationOf } from '../../sde/equation.ts';
import {
  endFigure,
  type PathsSettings,
  pathsFigure,
  problemOf,
  type Simulation,
  simulate,
} from '../../sde/figures.ts';
import { VERSION } from '../../version.ts';
import { asUsage, type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions, engineReport } from '../options/engine.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { counted } from '../report/counted.ts';
import { createReporter } from '../report/reporter.ts';
import { timesCsv } from '../results/csv.ts';
import { FigureHashes } from '../results/figures.ts';
import { type Content, requireWritable, writeAll } from '../results/out-folder.ts';
import { drawEnd, drawPaths } from '../results/sde-plots.ts';
import { printList } from './sde-list.ts';

/** The largest count of numbers that --save writes: 2 GiB of float32. */
const MOST_SAVED = 2 ** 29;

const OUTPUT = {
  list: flag('list', 'Print all processes and solvers.'),
  save: text('save', null, 'Also write all states to this .csv or .npy file.', { placeholder: 'file' }),
  out: outSetting('out'),
  ...REPORT_TABLE,
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

/** The settings, and the equation that they define. @throws UsageError */
function readProblem(options: Options): { settings: PathsSettings; equation: Equation } {
  const settings = readSettings(SDE_TABLE, options);
  const { process, drift, diffusion } = settings;
  const expressions = [drift, diffusion].filter((one) => one !== undefined).length;
  if (process === undefined && expressions === 0) {
    throw new UsageError('sde: expected a process, or --drift and --diffusion, or --list, got none of them');
  }
  if (expressions !== (process === undefined ? 2 : 0)) {
    const got = process === undefined ? 'only one of these two options' : `a process and an expression`;
    throw new UsageError(`sde: expected either a process, or both --drift and --diffusion, got ${got}`);
  }
  const equation = asUsage(() => equationOf(settings));
  asUsage(() => checkTime(equation, settings.time), '--');
  asUsage(() => problemOf(settings));
  return { settings, equation };
}

/** @throws UsageError for a file that is neither .csv nor .npy, or for too many numbers */
function checkSave(save: string, { paths, steps }: PathsSettings, { start }: Equation): void {
  if (!['.csv', '.npy'].includes(extname(save))) {
    throw new UsageError(`--save: expected a .csv or .npy file, got "${save}"`);
  }
  const size = paths * (steps + 1) * start.length;
  if (size > MOST_SAVED) {
    throw new UsageError(
      `--save: expected at most ${MOST_SAVED} numbers, got ${size}: take fewer paths or steps`,
    );
  }
}

/** Runs the command and returns the exit code. */
export async function sdeCommand(options: Options): Promise<number> {
  const { list, save, out } = readSettings(OUTPUT, options);
  if (list) return printList();
  const { settings, equation } = readProblem(options);
  if (save !== undefined) checkSave(save, settings, equation);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const cleanUp = requireWritable(out, [`${equation.name}.svg`, `${equation.name}-end.svg`]);
  try {
    const run = { langevin: VERSION, ...settings, time: settings.time ?? equation.time };
    reporter.event({ type: 'start', epochs: 1, lines: [], run: { ...run, ...(await engineReport()) } });
    const began = performance.now();
    const simulation = simulate(settings, save !== undefined);
    const milliseconds = performance.now() - began;
    const { files, numbers } = await writeFigures(out, simulation);
    if (save !== undefined) files.push([save, await saveStates(save, simulation)]);
    reporter.event({
      type: 'end',
      stopped: null,
      files,
      numbers,
      summary: summary(simulation, milliseconds),
      next: [[`${PROGRAM} sde --list`, 'all processes and solvers']],
    });
    return 0;
  } finally {
    reporter.close();
    cleanUp();
  }
}

/** The numbers of paths and steps, joined by `between`: `1 path of 10 steps`. */
const size = ({ paths, times }: Simulation, between: string) =>
  [counted(paths, 'path'), counted(times.length - 1, 'step')].join(between);

function summary(simulation: Simulation, milliseconds: number): string[] {
  const { equation, solver, stratonovich } = simulation;
  return [
    ...(stratonovich ? [`${solver.name}: ${equation.name} is solved in its Stratonovich form`] : []),
    `${equation.title}: ${size(simulation, ' of ')} in ${milliseconds.toFixed(0)} ms`,
    '',
  ];
}

/** Draws and writes the paths of each component, and a histogram of the states at the end. */
async function writeFigures(out: string, simulation: Simulation) {
  const { equation, solver } = simulation;
  const { name, start, process } = equation;
  const how = `${size(simulation, ', ')}, ${solver.title}`;
  const hashes = new FigureHashes();
  const what: Record<string, string> = {};
  const contents: Record<string, Content> = {};
  const add = <F extends object>(file: string, about: string, figure: F, draw: (f: F) => Promise<string>) => {
    what[file] = about;
    contents[file] = hashes.content(file, () => figure, draw);
  };
  for (const c of start.keys()) {
    const file = c === 0 ? `${name}.svg` : `${name}-${c + 1}.svg`;
    const about = `the paths of ${process?.components?.[c] ?? 'X'} over time`;
    add(file, about, pathsFigure(simulation, c), (figure) => drawPaths(equation, c, figure, how));
  }
  const end = endFigure(simulation);
  if (end) {
    add(`${name}-end.svg`, 'a histogram of the states at the end', end, (figure) =>
      drawEnd(equation, figure, how),
    );
  }
  return { files: await writeAll(out, what, contents), numbers: hashes.numbers };
}

/** Writes all states to the file, and returns a description of its contents. */
async function saveStates(file: string, { equation, states, times, paths }: Simulation): Promise<string> {
  const components = equation.start.length;
  const shape = [times.length, paths, ...(components > 1 ? [components] : [])];
  const names = Array.from({ length: paths * components }, (_, i) =>
    components > 1 ? `path_${Math.floor(i / components)}_${i % components}` : `path_${i}`,
  );
  const content = extname(file) === '.npy' ? encodeNpy(states!, shape) : timesCsv(times, names, states!);
  await host.writeFileAtomic(file, content);
  return `all states, [${shape.join(', ')}]`;
}
