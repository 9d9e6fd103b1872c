/**
 * `langevin sde orders`: measures every order of convergence that a solver declares. It prints a table, and draws a
 * log-log plot for each type of noise and kind of error.
 */
import { RECIPES, SDE_ORDERS_TABLE } from '../../models/settings.ts';
import {
  claimsOf,
  type MeasuredOrder,
  measureOrders,
  missesOrder,
  ORDER_MARGIN,
  ordersFigures,
} from '../../sde/orders.ts';
import { SOLVERS, solverNamed } from '../../sde/solvers/index.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions, engineReport } from '../options/engine.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { counted } from '../report/counted.ts';
import { createReporter } from '../report/reporter.ts';
import { FigureHashes } from '../results/figures.ts';
import { type Content, requireWritable, writeAll } from '../results/out-folder.ts';
import { drawOrders } from '../results/sde-plots.ts';

const OUTPUT = { out: outSetting('out'), ...REPORT_TABLE } as const;

export const SDE_ORDERS: Command = {
  name: 'sde orders',
  summary: 'Measure the order of convergence of the solvers',
  groups: { ...RECIPES['sde orders'], Output: OUTPUT },
  examples: ['sde orders', 'sde orders --solver milstein'],
  run: ordersCommand,
};

/** Runs the command and returns the exit code: 1 if a measured slope misses its declared order. */
export async function ordersCommand(options: Options): Promise<number> {
  const { solver: only, paths, seed } = readSettings(SDE_ORDERS_TABLE, options);
  const claims = claimsOf(only === undefined ? SOLVERS : [solverNamed(only)]);
  if (claims.length === 0) {
    throw new UsageError(`sde orders: expected a solver of equations with noise, got ${only}`);
  }
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const { out } = readSettings(OUTPUT, options);
  const cleanUp = requireWritable(out, []);
  try {
    const settings = { seed, ...(paths !== undefined && { paths }) };
    const run = { langevin: VERSION, solver: only ?? 'all', ...settings, ...(await engineReport()) };
    reporter.event({ type: 'start', epochs: 1, lines: [HEAD], run });
    const measured: MeasuredOrder[] = [];
    for (const one of measureOrders(claims, settings)) {
      measured.push(one);
      reporter.event({ type: 'result', line: line(one), result: { ...one, missed: missesOrder(one) } });
    }
    const missed = measured.filter(missesOrder).length;
    const { strong, weak } = ORDER_MARGIN;
    reporter.event({
      type: 'end',
      stopped: null,
      ...(await writeFigures(out, measured)),
      summary: [
        `${counted(measured.length, 'order')} measured, ${missed} missed by more than ${strong} (strong) or ${weak} (weak)`,
        '',
      ],
      next: [[`${PROGRAM} sde --list`, 'all processes and solvers']],
    });
    return missed === 0 ? 0 : 1;
  } finally {
    reporter.close();
    cleanUp();
  }
}

/** Draws and writes a plot for each kind of error and type of noise. */
async function writeFigures(out: string, measured: readonly MeasuredOrder[]) {
  const hashes = new FigureHashes();
  const what: Record<string, string> = {};
  const contents: Record<string, Content> = {};
  for (const [name, figure] of ordersFigures(measured)) {
    const file = `orders-${name}.svg`;
    what[file] = `${figure.kind} errors over the step size`;
    contents[file] = hashes.content(file, () => figure, drawOrders);
  }
  return { files: await writeAll(out, what, contents), numbers: hashes.numbers };
}

const HEAD = `${'solver'.padEnd(23)}${'noise'.padEnd(10)}${'error'.padEnd(8)}declared  slope   95 % interval`;

function line(one: MeasuredOrder): string {
  const { solver, noise, kind, declared, slope, halfWidth } = one;
  const interval = `${(slope - halfWidth).toFixed(2)} to ${(slope + halfWidth).toFixed(2)}`;
  const columns = [solver.padEnd(23), noise.padEnd(10), kind.padEnd(8), String(declared).padEnd(10)];
  return `${columns.join('')}${slope.toFixed(2).padEnd(8)}${interval}${missesOrder(one) ? '  missed' : ''}`;
}
