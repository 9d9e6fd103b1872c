/**
 * A pool of worker threads that help with the pieces of one job at a time. For the caller it is synchronous:
 * `run` publishes the pieces, computes its own share, and returns when all are done.
 *
 * Workers start on their own time; until one is there, the others do its share. A worker that throws, dies or
 * hangs is an error on the caller: a result is complete or there is none.
 */
import { host } from '#host';
import workerSource from '../../build/worker.txt';
import { LangevinError } from '../errors.ts';
import type { WorkerHandle } from '../platform/host.ts';
import {
  ARGUMENTS,
  CONTROL_BYTES,
  type Control,
  claim,
  controlOver,
  DONE,
  FAILED,
  failure,
  KERNEL,
  kernelNames,
  MAX_ARGUMENTS,
  REMAINING,
  runPiece,
  SIGNAL,
  SLEEPERS,
  STOP,
} from './control.ts';

/** A worker thread failed; the pool is gone, and `setThreads` starts another. */
export class WorkerError extends LangevinError {}

/** Without progress for so long, a piece's worker is taken for dead. The longest piece takes under a second. */
const HANG_MS = 10_000;

/** Whether threads can share memory here: always in Node, in a page only with cross-origin isolation. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true);
}

export class ThreadPool {
  private readonly block = new SharedArrayBuffer(CONTROL_BYTES);
  private readonly control: Control = controlOver(this.block);
  private readonly kernels: readonly ((...args: number[]) => void)[];
  private readonly position: ReadonlyMap<string, number>;
  private readonly workers: WorkerHandle[];
  private dead: string | null = null;

  /** @param scratch a scratch address for each worker, `threads - 1` of them */
  constructor(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    exports: WebAssembly.Exports,
    scratch: readonly number[],
    private readonly hangMs = HANG_MS,
  ) {
    const names = kernelNames(exports);
    this.kernels = names.map((name) => exports[name] as (...args: number[]) => void);
    this.position = new Map(names.map((name, i) => [name, i]));
    this.workers = scratch.map((address) =>
      host.startWorker(workerSource, { module, memory, control: this.block, scratch: address }, (cause) => {
        this.dead ??= cause;
      }),
    );
  }

  /** Computes every piece of `kernel`, each given by its arguments, at most 64 of them. */
  run(kernel: string, pieces: readonly (readonly number[])[]): void {
    if (this.dead) throw this.broken(this.dead);
    const { words, args } = this.control;
    for (const [i, piece] of pieces.entries()) args.set(piece, i * MAX_ARGUMENTS);
    words[KERNEL] = this.position.get(kernel)!;
    words[ARGUMENTS] = pieces[0].length;
    Atomics.store(words, DONE, 0);
    Atomics.store(words, REMAINING, pieces.length);
    Atomics.add(words, SIGNAL, 1);
    if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, SIGNAL);
    for (let piece = claim(words); piece >= 0; piece = claim(words))
      runPiece(piece, this.control, this.kernels);
    this.waitFor(pieces.length, kernel);
    if (Atomics.load(words, FAILED) !== 0) throw this.broken(`${kernel}: ${failure(words)}`);
  }

  /** Ends the workers. */
  stop(): void {
    Atomics.store(this.control.words, STOP, 1);
    Atomics.add(this.control.words, SIGNAL, 1);
    Atomics.notify(this.control.words, SIGNAL);
    for (const worker of this.workers) worker.stop();
  }

  /** Spins until the others' pieces are done: they were claimed already, so it is a matter of microseconds. */
  private waitFor(pieces: number, kernel: string): void {
    const { words } = this.control;
    let done = Atomics.load(words, DONE);
    let since = 0;
    for (let spins = 1; done < pieces; spins++) {
      const now = Atomics.load(words, DONE);
      if (now !== done) {
        done = now;
        since = 0;
      } else if (spins % 4096 === 0) {
        since ||= performance.now();
        if (performance.now() - since > this.hangMs) {
          throw this.broken(
            `${kernel}: a worker claimed a piece and did not finish it in ${this.hangMs / 1000} s`,
          );
        }
      }
    }
  }

  private broken(cause: string): WorkerError {
    this.dead ??= cause;
    this.stop();
    return new WorkerError(`a worker thread failed: ${cause}`);
  }
}
