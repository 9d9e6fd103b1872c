/** All processes, by their names in the command line. */
import { named } from '../../options.ts';
import { brownian } from './brownian.ts';
import { brownianBridge } from './brownian-bridge.ts';
import { coxIngersollRoss } from './cox-ingersoll-ross.ts';
import { doubleWell } from './double-well.ts';
import { drift } from './drift.ts';
import { gbm } from './gbm.ts';
import { heston } from './heston.ts';
import { ornsteinUhlenbeck } from './ornstein-uhlenbeck.ts';
import type { Family } from './process.ts';
import { subVariancePreserving } from './sub-variance-preserving.ts';
import { varianceExploding } from './variance-exploding.ts';
import { variancePreserving } from './variance-preserving.ts';

export type { Definition, Family, Known, Parameter, Process } from './process.ts';
export { defineProcess } from './process.ts';
export {
  brownian,
  brownianBridge,
  coxIngersollRoss,
  doubleWell,
  drift,
  gbm,
  heston,
  ornsteinUhlenbeck,
  subVariancePreserving,
  varianceExploding,
  variancePreserving,
};

/** All families of processes, in the order of `langevin sde --list`. */
export const PROCESSES: readonly Family[] = [
  brownian,
  drift,
  gbm,
  ornsteinUhlenbeck,
  coxIngersollRoss,
  brownianBridge,
  doubleWell,
  heston,
  variancePreserving,
  subVariancePreserving,
  varianceExploding,
] as readonly Family[];

/**
 * The family with this name. Upper and lower case are not distinguished.
 * @throws ValueError for an unknown name. The message lists all names.
 */
export function processNamed(name: string): Family {
  return named('process', PROCESSES, name, ({ definition }) => definition.name);
}
