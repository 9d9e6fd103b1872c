/**
 * The errors that langevin throws. Each message is one line that names what was expected and what came;
 * a message that begins with `internal:` is a defect of langevin, not of the caller.
 * They stand below every floor, so that any file may throw them.
 */
import { closest, distance } from 'fastest-levenshtein';

/** Root of everything that langevin throws on purpose. */
export class LangevinError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Shapes that do not fit an operation, or a dimension that is no whole number >= 0. */
export class ShapeError extends LangevinError {}

/** A value of the wrong type or outside its range. */
export class ValueError extends LangevinError {}

/** A tensor that was used after its scope ended, or disposed twice. */
export class LifetimeError extends LangevinError {}

/** The 4 GiB of WebAssembly memory, or what the machine gives of it, are used up. */
export class OutOfMemoryError extends LangevinError {}

/** A file or byte stream that is not what its format says: damaged, truncated or of another kind. */
export class FormatError extends LangevinError {}

/** A numeric result that is NaN or infinite where that means that training has diverged. */
export class DivergenceError extends LangevinError {}

/** Something that must never happen; the message begins with `internal:`. */
export class InternalError extends LangevinError {
  constructor(message: string) {
    super(`internal: ${message}`);
  }
}

/** What other libraries call an option of ours, in lower case and without marks between words. */
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
 * ` Did you mean "strokes"?` for the nearest of `names`, or the empty string when nothing is near. Case and marks
 * between words do not count: `weight_decay` is `weightDecay`. Of the longer word at most a third, rounded up, may
 * differ: two letters swapped in one of five are near.
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

/** A file that cannot be read, written or fetched: absent, a folder, forbidden, on a full disk or out of reach. */
export class FileError extends LangevinError {
  /** @param cause the system's or the network's own error */
  constructor(message: string, cause?: unknown) {
    super(message);
    if (cause !== undefined) this.cause = cause;
  }
}
