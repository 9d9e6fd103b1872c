/**
 * A figure of a lesson: which job computes it, from which settings, and how its result becomes a picture, a table and
 * a file. It knows neither the page nor the worker. The page draws with it, and so does the build, whose pictures
 * stand in the page before anything runs.
 */
import type { Settings, Value } from '../models/setting.ts';
import type { JobName, Jobs } from './protocol.ts';

/** Settings by their names in a table. One without a value is left out. */
export type Values = Readonly<Record<string, Value | undefined>>;

/** What every result has: the SHA-256 of the numbers of each figure that a command makes too. */
export interface Hashed {
  readonly hashes: Readonly<Record<string, string>>;
}

/** A line of the command that makes the same numbers. */
export interface CommandOf {
  readonly line: string;
  /** The names of the figures in the end event of `--json`, each with its key among the result's hashes. */
  readonly numbers: Readonly<Record<string, string>>;
}

/** A row of the tab Numbers. */
export interface NumberRow {
  readonly name: string;
  readonly value: string;
}

export interface Figure<K extends JobName = JobName> {
  /** The name in the page's address and in the names of files. */
  readonly id: string;
  readonly title: string;
  readonly job: K;
  /** The settings that a person changes, from the tables in `models`. */
  readonly table: Settings;
  /** What they are at first. */
  readonly initial: Values;
  /** Settings that have no place for the given values, such as an expression beside a process. */
  hidden?(values: Values): readonly string[];
  /** What the page calls a setting, and the value that stands for none. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly none?: Readonly<Record<string, string>>;
  /** What the job takes. */
  request(values: Values): Jobs[K]['settings'];
  commands(values: Values): readonly CommandOf[];
  /** How many pictures a run goes through. */
  frames(result: Jobs[K]['result']): number;
  /** Which of them stands there before a run; the last one by default. */
  still?(result: Jobs[K]['result']): number;
  /** Which moment a picture shows: `t = 0.50`. */
  moment(result: Jobs[K]['result'], frame: number): string;
  /** An SVG element of that width, in pixels. */
  draw(result: Jobs[K]['result'], frame: number, width: number): string;
  numbers(result: Jobs[K]['result'], frame: number): readonly NumberRow[];
  csv(result: Jobs[K]['result']): string;
}

/** The compiler's help for a figure: what it infers of one job. */
export const defineFigure = <K extends JobName>(figure: Figure<K>): Figure<K> => figure;

/** A figure of whichever job. */
// biome-ignore lint/suspicious/noExplicitAny: a figure takes and gives what its own job does
export type AnyFigure = Figure<any>;

/** The picture that stands there before a run. */
export const stillOf = (figure: AnyFigure, result: Hashed): number =>
  figure.still?.(result) ?? figure.frames(result) - 1;

/** A number as tables show it: four digits, and a true minus. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : '-';
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(3) : value.toPrecision(4);
  return text.replaceAll('-', '−');
}

/** Rows of numbers under a head, as a CSV file. */
export function csvOf(head: readonly string[], columns: readonly ArrayLike<number>[]): string {
  const rows = Math.max(0, ...columns.map(({ length }) => length));
  const quoted = head.map((name) => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name));
  const lines = [quoted.join(',')];
  for (let i = 0; i < rows; i++) lines.push(columns.map((column) => String(column[i] ?? '')).join(','));
  return `${lines.join('\n')}\n`;
}
