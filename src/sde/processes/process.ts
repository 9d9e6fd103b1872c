/**
 * A process: an equation with a name, parameters with units, a start, and what is known of it exactly. A family
 * is made once by `defineProcess` and called for a member: `gbm({ mu: 0.1 })`.
 */
import { didYouMean, ValueError } from '../../errors.ts';
import type { Law } from '../law.ts';
import type { SDE } from '../sde.ts';

/** One parameter of a family of processes. */
export interface Parameter {
  /** The default. */
  readonly value: number;
  /** In units of the state X and of time t; '' for a pure number. */
  readonly unit: string;
  readonly meaning: string;
  /** What it may be; default: any finite number. */
  readonly range?: 'positive' | 'not negative' | 'correlation';
}

/** What is known of a process beyond its equation. */
export interface Known {
  /** The exact law of X(t) given X(s) = x; of the first component for a process of several. */
  law?(x: number, s: number, t: number): Law;
  /** The exact X(t) as a function of W(t) alone, from X(0) = x. */
  onPath?(x: number, t: number, w: number): number;
  /** The law it tends to for t to infinity, where there is one. */
  readonly stationary?: Law;
}

export interface Process extends SDE, Known {
  readonly name: string;
  readonly title: string;
  /** As a person writes it: `dX = μX dt + σX dW`. */
  readonly formula: string;
  readonly parameters: Readonly<Record<string, number>>;
  /** Where it begins: one number a component. */
  readonly start: readonly number[];
  /** The names of the components, of several. */
  readonly components?: readonly string[];
  /** The last time it is defined for, where there is one. */
  readonly end?: number;
}

export interface Definition<N extends string = string> {
  readonly name: string;
  readonly title: string;
  readonly formula: string;
  readonly parameters: Readonly<Record<N, Parameter>>;
  /** The time that shows what the process does: the command's default. */
  readonly time: number;
  build(p: Readonly<Record<N, number>>): Omit<Process, 'name' | 'title' | 'formula' | 'parameters'>;
}

/** A family of processes: call it with what differs from the defaults. */
export interface Family<N extends string = string> {
  (values?: Partial<Record<N, number>>): Process;
  readonly definition: Definition<N>;
}

const RANGES: Record<NonNullable<Parameter['range']>, [(x: number) => boolean, string]> = {
  positive: [(x) => x > 0, 'a number above 0'],
  'not negative': [(x) => x >= 0, 'a number of at least 0'],
  correlation: [(x) => x >= -1 && x <= 1, 'a number from -1 to 1'],
};

/** Makes a family of processes, whose members check their parameters. */
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
