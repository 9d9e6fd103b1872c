/**
 * A figure of a lesson: the job that computes it, its settings, and how its result becomes a picture, a table and a file.
 * It does not depend on the page or the worker. The build draws with it too: the page shows these pictures until a person
 * runs the figure.
 */
import type { Settings, Value } from '../models/setting.ts';
import type { JobName, Jobs } from './protocol.ts';

/** Settings by their names in a table. One without a value is left out. */
export type Values = Readonly<Record<string, Value | undefined>>;

/** Every result has the SHA-256 of the numbers of each figure. The command makes the same figures and hashes. */
export interface Hashed {
  readonly hashes: Readonly<Record<string, string>>;
  /** Files that the command's lines name, such as a drawing. The page offers them beside the lines. */
  readonly files?: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/** A line of the command that makes the same numbers. */
export interface CommandOf {
  readonly line: string;
  /**
   * The names of the figures in the end event of `--json`, each with its key among the result's hashes. The end of a
   * name stands for a name that only the command knows, such as `.gif`.
   */
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
  /** Their first values. */
  readonly initial: Values;
  /** Settings that these values make meaningless, such as an expression beside a named process. */
  hidden?(values: Values): readonly string[];
  /** Labels of settings that differ from the option's name, and the text that the page shows for no value. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly none?: Readonly<Record<string, string>>;
  /** The settings of the job. */
  request(values: Values): Jobs[K]['settings'];
  commands(values: Values): readonly CommandOf[];
  /**
   * A live figure has a long job, such as a training. Its progress is its result so far (`LiveJob`), and the page draws
   * it while the job runs. The value is the word on the button that starts it. Changed settings do not start it. Its
   * first picture is computed by `npm run page:frames`, not at each build.
   */
  readonly live?: string;
  /**
   * A figure of measured times has no hashes and no command, because no two runs are equal. The value says so in one
   * sentence, in the place of both.
   */
  readonly unhashed?: string;
  /** Settings with which a live figure ends within seconds. The checks of the page run it with these. */
  readonly short?: Values;
  /** The number of pictures in a run. */
  frames(result: Jobs[K]['result']): number;
  /**
   * The picture that is shown before a run. Default the last one. A live figure that has it shows moments of one result,
   * which a person can play. One without it has a picture more with each step, and shows the newest.
   */
  still?(result: Jobs[K]['result']): number;
  /** The moment of a picture: `t = 0.50`. */
  moment(result: Jobs[K]['result'], frame: number): string;
  /** An SVG element of that width, in pixels. */
  draw(result: Jobs[K]['result'], frame: number, width: number): string;
  numbers(result: Jobs[K]['result'], frame: number): readonly NumberRow[];
  csv(result: Jobs[K]['result']): string;
}

/** Returns the figure. With it the compiler infers the types of the job. */
export const defineFigure = <K extends JobName>(figure: Figure<K>): Figure<K> => figure;

/** A figure of any job. */
// biome-ignore lint/suspicious/noExplicitAny: a figure takes and gives what its own job does
export type AnyFigure = Figure<any>;

/** The picture that is shown before a run. */
export const stillOf = (figure: AnyFigure, result: Hashed): number =>
  figure.still?.(result) ?? figure.frames(result) - 1;

/** A number as tables show it: four digits, and a true minus. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : '-';
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(3) : value.toPrecision(4);
  return text.replaceAll('-', '−');
}
