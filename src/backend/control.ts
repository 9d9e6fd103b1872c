/**
 * The control block through which threads share a kernel's work: a few words in shared memory.
 *
 * A job is one kernel and up to 64 pieces, each a list of arguments. Whoever is free claims the next piece by
 * taking one from REMAINING; the caller claims too, and the job is done when DONE has counted every piece. A
 * worker reads the job only after it has claimed a piece of it: until that piece is done the caller cannot
 * begin another, so that what the worker reads is whole. A worker that comes late, or never, is only slow help.
 */

/** Words of the block. */
export const REMAINING = 0;
export const DONE = 1;
/** Counts jobs: what a sleeping worker waits on. */
export const SIGNAL = 2;
/** Workers that sleep and must be woken. */
export const SLEEPERS = 3;
/** The kernel's position among the module's exports, and the number of arguments a piece. */
export const KERNEL = 4;
export const ARGUMENTS = 5;
/** Set once a piece has thrown; the message follows, its length first, a character a word. */
export const FAILED = 6;
export const MESSAGE_LENGTH = 7;
export const MESSAGE = 8;
export const MESSAGE_LIMIT = 200;
/** Tells the workers to end. */
export const STOP = MESSAGE + MESSAGE_LIMIT;

export const MAX_PIECES = 64;
export const MAX_ARGUMENTS = 16;
/** The pieces' arguments begin here, as float64. */
const ARGUMENTS_AT = 1024;

export interface Control {
  readonly words: Int32Array;
  readonly args: Float64Array;
}

export const CONTROL_BYTES = ARGUMENTS_AT + MAX_PIECES * MAX_ARGUMENTS * 8;

export function controlOver(block: SharedArrayBuffer): Control {
  return {
    words: new Int32Array(block, 0, ARGUMENTS_AT / 4),
    args: new Float64Array(block, ARGUMENTS_AT, MAX_PIECES * MAX_ARGUMENTS),
  };
}

/** Claims a piece of the current job: its index, or -1 where none is left. */
export function claim(words: Int32Array): number {
  for (;;) {
    const remaining = Atomics.load(words, REMAINING);
    if (remaining <= 0) return -1;
    if (Atomics.compareExchange(words, REMAINING, remaining, remaining - 1) === remaining)
      return remaining - 1;
  }
}

/** A kernel module's exports in an order that every thread agrees on. */
export function kernelNames(exports: WebAssembly.Exports): string[] {
  return Object.keys(exports).sort();
}

/** The arguments of the piece that runs, kept from piece to piece: a call makes no array of its own. */
const call: number[] = [];

/** Runs one claimed piece. A failure is recorded, and the piece counts as done, so that nobody waits for it. */
export function runPiece(
  piece: number,
  { words, args }: Control,
  kernels: readonly ((...args: number[]) => void)[],
): void {
  try {
    call.length = words[ARGUMENTS];
    for (let i = 0; i < call.length; i++) call[i] = args[piece * MAX_ARGUMENTS + i];
    kernels[words[KERNEL]](...call);
  } catch (error) {
    if (Atomics.compareExchange(words, FAILED, 0, 1) === 0) {
      const message = String(error).slice(0, MESSAGE_LIMIT);
      for (let i = 0; i < message.length; i++) words[MESSAGE + i] = message.charCodeAt(i);
      words[MESSAGE_LENGTH] = message.length;
    }
  }
  Atomics.add(words, DONE, 1);
}

/** The message of the piece that failed. */
export function failure(words: Int32Array): string {
  return String.fromCharCode(...words.subarray(MESSAGE, MESSAGE + words[MESSAGE_LENGTH]));
}
