/**
 * The equation of a figure: either a named process, or a drift and a diffusion that a user writes as expressions.
 * Both become one record with a title, a start and an end time.
 */
import { ValueError } from '../errors.ts';
import { expressionSde } from './expression.ts';
import { type Process, processNamed } from './processes/index.ts';
import type { SDE } from './sde.ts';

/** The settings that choose an equation: `process`, or `drift` and `diffusion`. */
export interface EquationSettings {
  /** The name of a process. */
  readonly process?: string | undefined;
  /** a(x, t) of dx = a dt + b dW, as in `theta*(mu - x)`. */
  readonly drift?: string | undefined;
  /** b(x, t), as in `sigma*sqrt(x)`. */
  readonly diffusion?: string | undefined;
  /** Parameters that replace the defaults of the process, or the parameters of the expressions and their start `x0`. */
  readonly set?: Readonly<Record<string, number>> | undefined;
}

/** An equation with its start and its end time. */
export interface Equation {
  /** The process's name, or `sde`. */
  readonly name: string;
  /** The title of its figures. */
  readonly title: string;
  /** The formula and the parameters, in one line. */
  readonly subtitle: string;
  /** The drift and the diffusion. */
  readonly sde: SDE;
  /** The start: one number per component. */
  readonly start: readonly number[];
  /** The default end time. */
  readonly time: number;
  /** The process, if the settings named one. */
  readonly process: Process | null;
}

/** The default end time for expressions. */
const TIME = 10;

const listed = (values: Readonly<Record<string, number>>) =>
  Object.entries(values)
    .map(([key, value]) => `${key} = ${value}`)
    .join(', ');

/** The equation of these settings. @throws ValueError for an unknown process or parameter, or a wrong expression */
export function equationOf({ process, drift, diffusion, set = {} }: EquationSettings): Equation {
  if (process !== undefined && drift === undefined && diffusion === undefined) {
    return namedEquation(process, set);
  }
  if (process !== undefined || drift === undefined || diffusion === undefined) {
    throw new ValueError('equation: expected either a process or both of a drift and a diffusion');
  }
  const { x0 = 1, ...parameters } = set;
  if (!Number.isFinite(x0)) throw new ValueError(`set: expected a finite x0, got ${x0}`);
  const sde = expressionSde(drift, diffusion, parameters);
  const subtitle = listed(set);
  return { name: 'sde', title: sde.name!, subtitle, sde, start: [x0], time: TIME, process: null };
}

function namedEquation(name: string, values: Readonly<Record<string, number>>): Equation {
  const family = processNamed(name);
  const process = family(values);
  const { title, formula, parameters, start } = process;
  const { name: canonical, time } = family.definition;
  const subtitle = `${formula}; ${listed(parameters)}`;
  return { name: canonical, title, subtitle, sde: process, start, time, process };
}

/** The end time; default: the process's own. @throws ValueError for a time after the end of the process */
export function checkTime({ name, process, time: own }: Equation, time = own): number {
  const end = process?.end ?? Infinity;
  if (time <= end) return time;
  throw new ValueError(`time: expected at most ${end} for ${name}, got ${time}`);
}
