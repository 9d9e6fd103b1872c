/** All solvers, by their names in the command line. */
import { named } from '../../options.ts';
import type { SdeSolver } from '../sde.ts';
import { eulerHeun } from './euler-heun.ts';
import { eulerMaruyama } from './euler-maruyama.ts';
import { exact } from './exact.ts';
import { heun } from './heun.ts';
import { midpoint } from './midpoint.ts';
import { milstein, milsteinStratonovich } from './milstein.ts';
import { milsteinFree } from './milstein-free.ts';
import { odeEuler, odeHeun, odeRk4 } from './noise-free.ts';
import { platenWeak2 } from './platen-weak2.ts';
import { reversibleHeun } from './reversible-heun.ts';
import { sra1 } from './sra1.ts';
import { sri1 } from './sri1.ts';
import { tamedEuler } from './tamed-euler.ts';

export {
  eulerHeun,
  eulerMaruyama,
  exact,
  heun,
  midpoint,
  milstein,
  milsteinFree,
  milsteinStratonovich,
  odeEuler,
  odeHeun,
  odeRk4,
  platenWeak2,
  reversibleHeun,
  sra1,
  sri1,
  tamedEuler,
};

/** All solvers, in the order of `langevin sde --list`. */
export const SOLVERS: readonly SdeSolver[] = [
  eulerMaruyama,
  tamedEuler,
  milstein,
  milsteinStratonovich,
  milsteinFree,
  heun,
  eulerHeun,
  midpoint,
  reversibleHeun,
  platenWeak2,
  sra1,
  sri1,
  exact,
  odeEuler,
  odeHeun,
  odeRk4,
];

/**
 * The solver of that name. Upper and lower case are the same.
 * @throws ValueError that lists them all
 */
export function solverNamed(name: string): SdeSolver {
  return named('solver', SOLVERS, name, (solver) => solver.name);
}
