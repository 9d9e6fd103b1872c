/**
 * The control block: a few words in shared memory through which threads share a kernel's work.
 *
 * A job is one kernel, the record of its arguments, and up to 64 chunks, each with its bounds. A free thread claims the
 * next chunk by decreasing REMAINING. The caller claims chunks too. The job is done when DONE has counted every chunk.
 * A worker reads the job only after it has claimed a chunk of it. The caller cannot start another job before that chunk
 * is done, so the worker reads consistent data. A worker that comes late, or never, only makes the job slower.
 */

/** Positions of the words in the block. */
export const REMAINING = 0;
export const DONE = 1;
/** The number of jobs so far. A sleeping worker waits for it to change. */
export const SIGNAL = 2;
/** The number of workers that sleep and must be woken. */
export const SLEEPERS = 3;
/** The kernel's position among the module's exports, the address of its record, and the number of bounds of a chunk. */
export const KERNEL = 4;
export const RECORD = 5;
export const BOUNDS = 6;
/** The number of pages of the memory when the job was published. */
export const PAGES = 7;
/** Set when a chunk has thrown. The message follows: its length, and then one character in each word. */
export const FAILED = 8;
export const MESSAGE_LENGTH = 9;
export const MESSAGE = 10;
export const MESSAGE_LIMIT = 200;
/** Set when the workers must end. */
export const STOP = MESSAGE + MESSAGE_LIMIT;

export const MAX_CHUNKS = 64;
export const MAX_BOUNDS = 4;
/** The chunks' bounds follow, one in each word. */
const BOUNDS_AT = STOP + 1;

export const CONTROL_BYTES = 4 * (BOUNDS_AT + MAX_CHUNKS * MAX_BOUNDS);

export interface Control {
  readonly words: Int32Array;
  /** MAX_BOUNDS words for each chunk. */
  readonly bounds: Int32Array;
}

export function controlOver(block: SharedArrayBuffer): Control {
  return {
    words: new Int32Array(block, 0, BOUNDS_AT),
    bounds: new Int32Array(block, 4 * BOUNDS_AT, MAX_CHUNKS * MAX_BOUNDS),
  };
}

/** Claims a chunk of the current job. Returns its index, or -1 if none is left. */
export function claim(words: Int32Array): number {
  for (;;) {
    const remaining = Atomics.load(words, REMAINING);
    if (remaining <= 0) return -1;
    if (Atomics.compareExchange(words, REMAINING, remaining, remaining - 1) === remaining)
      return remaining - 1;
  }
}

/** The names of a kernel module's exports, in the same order for every thread. @internal */
export function kernelNames(exports: WebAssembly.Exports): string[] {
  return Object.keys(exports).sort();
}

/** An exported kernel: the bounds of a chunk, then the address of a record. */
export type Kernel = (...boundsAndRecord: number[]) => void;

/** Calls a kernel with 2 or 4 bounds, from `at` on. Spreading an array of them would cost more than a small kernel. */
export function callKernel(
  kernel: Kernel,
  bounds: ArrayLike<number>,
  at: number,
  count: number,
  record: number,
): void {
  if (count === 2) kernel(bounds[at], bounds[at + 1], record);
  else kernel(bounds[at], bounds[at + 1], bounds[at + 2], bounds[at + 3], record);
}

/**
 * Runs one claimed chunk. If it fails, we store the message and count the chunk as done, so that no thread waits for
 * it.
 */
export function runChunk(chunk: number, { words, bounds }: Control, kernels: readonly Kernel[]): void {
  try {
    callKernel(kernels[words[KERNEL]], bounds, chunk * MAX_BOUNDS, words[BOUNDS], words[RECORD]);
  } catch (error) {
    if (Atomics.compareExchange(words, FAILED, 0, 1) === 0) {
      const message = String(error).slice(0, MESSAGE_LIMIT);
      for (let i = 0; i < message.length; i++) words[MESSAGE + i] = message.charCodeAt(i);
      words[MESSAGE_LENGTH] = message.length;
    }
  }
  Atomics.add(words, DONE, 1);
}

/** The message of the chunk that failed. */
export function failure(words: Int32Array): string {
  return String.fromCharCode(...words.subarray(MESSAGE, MESSAGE + words[MESSAGE_LENGTH]));
}
