/** The job `orders`: the strong order of Euler's scheme and of Milstein's, measured as `langevin sde orders` does it. */
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import { type MeasuredOrder, measureOrder, type OrdersFigure } from '../../../sde/orders.ts';
import { solverNamed } from '../../../sde/solvers/index.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';

export const MEASURED = ['euler-maruyama', 'milstein'] as const;

export interface OrdersSettings {
  readonly paths: number;
  readonly seed: string;
}

export interface OrdersResult extends Hashed {
  readonly measured: readonly MeasuredOrder[];
}

export type OrdersJob = Job<OrdersSettings, OrdersResult, string>;

export const compute: Compute<OrdersJob> = async function* (settings) {
  const measured: MeasuredOrder[] = [];
  const hashes: Record<string, string> = {};
  for (const name of MEASURED) {
    yield () => `measuring ${name}`;
    const one = measureOrder(solverNamed(name), 'diagonal', 'strong', settings);
    measured.push(one);
    const figure: OrdersFigure = { kind: 'strong', noise: 'diagonal', measured: [one] };
    hashes[name] = await numbersHash(figure);
  }
  return { measured, hashes };
};
