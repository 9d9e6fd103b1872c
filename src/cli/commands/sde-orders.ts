/**
 * `langevin sde orders`: every order of convergence that a solver declares, measured; a table, and for each noise
 * type and kind of error a log-log plot.
 */
import { host } from '#host';
import type { Layer } from '../../image/plot.ts';
import { RECIPES, SDE_ORDERS_TABLE } from '../../models/settings.ts';
import { claimsOf, type MeasuredOrder, measureOrders } from '../../sde/orders.ts';
import { SOLVERS, solverNamed } from '../../sde/solvers/index.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions } from '../options/engine.ts';
import { outSetting } from '../options/output.ts';
import { counted } from '../report/counted.ts';
import { requireWritable } from '../results/out-folder.ts';

/** How far a slope may be from the declared order. */
const MARGIN = { strong: 0.1, weak: 0.15 } as const;
const OUTPUT = { out: outSetting('out') } as const;

export const SDE_ORDERS: Command = {
  name: 'sde orders',
  summary: 'Measure the order of convergence of the solvers',
  groups: { ...RECIPES['sde orders'], Output: OUTPUT },
  examples: ['sde orders', 'sde orders --solver milstein'],
  run: ordersCommand,
};

const print = (line: string) => process.stdout.write(`${line}\n`);

/** Runs the command; the exit code: 1 where a slope misses its declared order. */
export async function ordersCommand(options: Options): Promise<number> {
  const { solver: only, paths, seed } = readSettings(SDE_ORDERS_TABLE, options);
  const claims = claimsOf(only === undefined ? SOLVERS : [solverNamed(only)]);
  if (claims.length === 0) throw new UsageError(`sde orders: expected a solver of noise, got ${only}`);
  applyEngineOptions(options);
  const { out } = readSettings(OUTPUT, options);
  const tidy = requireWritable(out, []);
  try {
    const settings = { seed, ...(paths !== undefined && { paths }) };
    const measured: MeasuredOrder[] = [];
    print(`${'solver'.padEnd(23)}${'noise'.padEnd(10)}${'error'.padEnd(8)}declared  slope   95 % interval`);
    for (const one of measureOrders(claims, settings)) {
      measured.push(one);
      print(line(one));
    }
    const missed = measured.filter((one) => Math.abs(one.slope - one.declared) > MARGIN[one.kind]);
    print(
      `\n${counted(measured.length, 'order')}, ${missed.length} off by more than ${MARGIN.strong} (strong) or ${MARGIN.weak} (weak)`,
    );
    for (const [name, group] of grouped(measured)) {
      await host.writeFileAtomic(`${out}/orders-${name}.svg`, await drawOrders(group));
      print(`wrote ${out}/orders-${name}.svg`);
    }
    return missed.length === 0 ? 0 : 1;
  } finally {
    tidy();
  }
}

function line({ solver, noise, kind, declared, slope, halfWidth }: MeasuredOrder): string {
  const interval = `${(slope - halfWidth).toFixed(2)} to ${(slope + halfWidth).toFixed(2)}`;
  const missed = Math.abs(slope - declared) > MARGIN[kind] ? '  missed' : '';
  return `${solver.padEnd(23)}${noise.padEnd(10)}${kind.padEnd(8)}${String(declared).padEnd(10)}${slope.toFixed(2).padEnd(8)}${interval}${missed}`;
}

/** By kind of error and noise type: `strong-diagonal`. */
function grouped(measured: readonly MeasuredOrder[]): Map<string, MeasuredOrder[]> {
  const groups = new Map<string, MeasuredOrder[]>();
  for (const one of measured) {
    const name = `${one.kind}-${one.noise}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return groups;
}

/** Errors over step sizes, both logarithmic: a straight line's slope is the order. */
async function drawOrders(group: readonly MeasuredOrder[]): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  const { kind, noise } = group[0];
  const colors = Object.values(PALETTE);
  const layers = group.flatMap((one, i): Layer[] => {
    const color = colors[i % colors.length];
    const [x, y] = [one.steps, one.errors];
    const name = `${one.solver}, ${one.slope.toFixed(2)} (${one.declared})`;
    return [
      { kind: 'line', x, y, color, dashed: i >= colors.length, width: 1.6, name },
      { kind: 'points', x, y, color },
    ];
  });
  const problems = [...new Set(group.map((one) => one.problem))];
  return plot({
    title: `${kind === 'strong' ? 'Strong' : 'Weak'} errors with ${noise} noise`,
    subtitle: `${problems.join('; ')}. Measured slope (declared order)`,
    height: 560,
    x: { label: 'step size', scale: 'log' },
    y: { label: kind === 'strong' ? 'mean of |X - exact|' : '|mean of f(X) - f(exact)|', scale: 'log' },
    layers,
  });
}
