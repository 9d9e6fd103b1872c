/**
 * The errors that langevin throws. Each message is one line that names what was expected and what came. A message that
 * begins with `internal:` is a defect of langevin, not of the caller. This file lies below every floor, so that any
 * file may throw these errors.
 */
import { closest, distance } from 'fastest-levenshtein';

/** The text with control characters, and the separators of lines, as escapes. */
const visible = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The most characters of an input that a message quotes. */
const MOST_QUOTED = 100;

/** The beginning of a long text, for a message that quotes it. */
export const shortened = (text: string): string =>
  text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text;

/** The base class of every error that langevin throws on purpose. */
export class LangevinError extends Error {
  /**
   * The name of the error is that of its class. A message can quote a file or an input of others. So control characters
   * and line ends in it are written as `\u000a`: the message stays one line, and cannot control a terminal.
   * @param message one line: what was expected, and what came
   * @param options `cause`: the error that led to this one
   */
  constructor(message: string, options?: ErrorOptions) {
    super(visible(message), options);
    this.name = new.target.name;
  }
}

/** Shapes that do not fit an operation, or a dimension that is not a whole number >= 0. */
export class ShapeError extends LangevinError {}

/** A value of the wrong type or outside its range. */
export class ValueError extends LangevinError {}

/** A tensor that was used after its scope ended, or disposed twice. */
export class LifetimeError extends LangevinError {}

/** The memory is used up: the 4 GiB of WebAssembly, or the memory that the machine has. */
export class OutOfMemoryError extends LangevinError {}

/** A file or byte stream that does not have its format: damaged, truncated or of another kind. */
export class FormatError extends LangevinError {}

/** A result that is NaN or infinite because the training has diverged. */
export class DivergenceError extends LangevinError {}

/** A state that must never occur. The message begins with `internal:`. */
export class InternalError extends LangevinError {
  constructor(message: string) {
    super(`internal: ${message}`);
  }
}

/** Names that other libraries use for our options, in lower case and without marks between words. */
const SYNONYMS: Readonly<Record<string, string>> = {
  learningrate: 'lr',
  clip: 'threshold',
  clipsample: 'threshold',
  numinferencesteps: 'steps',
  guidancescale: 'guidance',
  l2: 'weightDecay',
  unbiased: 'correction',
  epsilon: 'eps',
  elementwiseaffine: 'affine',
  attnmask: 'mask',
  numheads: 'heads',
};

/**
 * The text ` Did you mean "strokes"?` for the nearest of `names`, or the empty string if none is near. Case and marks
 * between words do not count: `weight_decay` equals `weightDecay`. A name is near if at most a third of the longer word
 * differs, rounded up. So a word of five letters with two letters swapped is near.
 */
export function didYouMean(word: string, names: readonly string[]): string {
  const plain = (name: string) => name.toLowerCase().replace(/[-_ ]/g, '');
  const given = plain(word);
  const synonym = Object.hasOwn(SYNONYMS, given) ? SYNONYMS[given] : undefined;
  if (synonym !== undefined && names.includes(synonym)) return ` Did you mean "${synonym}"?`;
  if (names.length === 0) return '';
  const plains = names.map(plain);
  const nearest = closest(given, plains);
  const near = distance(given, nearest) <= Math.ceil(Math.max(given.length, nearest.length) / 3);
  return near ? ` Did you mean "${names[plains.indexOf(nearest)]}"?` : '';
}

/**
 * A file that cannot be read, written or fetched: it is absent, a folder or forbidden, the disk is full, or the server
 * cannot be reached.
 */
export class FileError extends LangevinError {
  /**
   * An error that may have a cause.
   * @param cause the error of the system or the network
   */
  constructor(message: string, cause?: unknown) {
    super(message);
    if (cause !== undefined) this.cause = cause;
  }
}
