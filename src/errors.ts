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

/**
 * ` Did you mean "strokes"?` for the nearest of `names`, whatever the case of its letters, or the empty string when nothing is near:
 * at most a third of the longer word, rounded up, may differ: two letters swapped in one of five are near.
 */
export function didYouMean(word: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const lower = names.map((name) => name.toLowerCase());
  const match = closest(word.toLowerCase(), lower);
  const near = distance(word.toLowerCase(), match) <= Math.ceil(Math.max(word.length, match.length) / 3);
  const nearest = names[lower.indexOf(match)];
  return near ? ` Did you mean "${nearest}"?` : '';
}

/** A file that cannot be read, written or fetched: absent, a folder, forbidden, on a full disk or out of reach. */
export class FileError extends LangevinError {
  /** @param cause the system's or the network's own error */
  constructor(message: string, cause?: unknown) {
    super(message);
    if (cause !== undefined) this.cause = cause;
  }
}
