/**
 * A process: an equation with a name, parameters with units, a start, and its exact laws if they are known.
 * `defineProcess` makes a family of processes. Call the family for one process: `gbm({ mu: 0.1 })`.
 */
import { didYouMean, ValueError } from '../../errors.ts';
import type { Law } from '../law.ts';
import type { SDE } from '../sde.ts';

/** One parameter of a family of processes. */
export interface Parameter {
  /** The default. */
  readonly value: number;
  /** The unit, written with the state's unit X and the time's unit t; '' for a pure number. */
  readonly unit: string;
  /** What the parameter is, in a few words. */
  readonly meaning: string;
  /** The allowed values. Default: any finite number. */
  readonly range?: 'positive' | 'not negative' | 'correlation';
}

/** Exact results on a process, if they are known. */
export interface Known {
  /** The exact law of X(t) given X(s) = x. It is that of the first component if there are several. */
  law?(x: number, s: number, t: number): Law;
  /** The exact X(t) as a function of W(t) alone, from X(0) = x. */
  onPath?(x: number, t: number, w: number): number;
  /** The law of X(t) for t to infinity, if it exists. */
  readonly stationary?: Law;
}

export interface Process extends SDE, Known {
  readonly name: string;
  /** The title of its figures. */
  readonly title: string;
  /** The equation as text: `dX = μX dt + σX dW`. */
  readonly formula: string;
  /** The parameters that it was made with, by name. */
  readonly parameters: Readonly<Record<string, number>>;
  /** The start: one number per component. */
  readonly start: readonly number[];
  /** The names of the components, if there are several. */
  readonly components?: readonly string[];
  /** The last time at which the process is defined, if there is one. */
  readonly end?: number;
}

/** What `defineProcess` makes a family of: names, parameters with defaults, and the process for given parameters. */
export interface Definition<N extends string = string> {
  /** The name in the command line. */
  readonly name: string;
  /** The title of its figures. */
  readonly title: string;
  /** The equation as text. */
  readonly formula: string;
  /** The parameters by name, with their defaults. */
  readonly parameters: Readonly<Record<N, Parameter>>;
  /** The command's default end time. It is long enough to show the behaviour of the process. */
  readonly time: number;
  /** The process for these parameters: its SDE, its start, and what is known of its law. */
  build(p: Readonly<Record<N, number>>): Omit<Process, 'name' | 'title' | 'formula' | 'parameters'>;
}

/** A family of processes. Call it with the parameters that differ from the defaults. */
export interface Family<N extends string = string> {
  (values?: Partial<Record<N, number>>): Process;
  /** What the family was defined by. */
  readonly definition: Definition<N>;
}

const RANGES: Record<NonNullable<Parameter['range']>, [(x: number) => boolean, string]> = {
  positive: [(x) => x > 0, 'a number above 0'],
  'not negative': [(x) => x >= 0, 'a number of at least 0'],
  correlation: [(x) => x >= -1 && x <= 1, 'a number from -1 to 1'],
};

/** Makes a family of processes. A call of the family checks the parameters. */
export function defineProcess<const N extends string>(definition: Definition<N>): Family<N> {
  const { name, title, formula } = definition;
  const make = (values: Partial<Record<N, number>> = {}): Process => {
    const parameters = checked(definition, values);
    return { name, title, formula, parameters, ...definition.build(parameters) };
  };
  return Object.assign(make, { definition });
}

function checked<N extends string>({ name, parameters }: Definition<N>, values: Partial<Record<N, number>>) {
  const names = Object.keys(parameters) as N[];
  for (const given of Object.keys(values)) {
    if (!names.includes(given as N)) {
      throw new ValueError(
        `${name}: expected a parameter ${names.join(', ')}, got "${given}".${didYouMean(given, names)}`,
      );
    }
  }
  const all = {} as Record<N, number>;
  for (const key of names) {
    const { value, range } = parameters[key];
    const given = values[key] ?? value;
    const [holds, what] = range ? RANGES[range] : [() => true, 'a finite number'];
    if (!Number.isFinite(given) || !holds(given)) {
      throw new ValueError(`${name}: expected ${what} for ${key}, got ${given}`);
    }
    all[key] = given;
  }
  return all;
}
