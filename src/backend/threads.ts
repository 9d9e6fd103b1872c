/**
 * A pool of worker threads that help with the chunks of one job at a time. For the caller it is synchronous:
 * `run` publishes the chunks, computes its own share, and returns when all are done. `start` only publishes them: the
 * workers compute while the caller does something else, and `finish` computes what is left.
 *
 * Workers start on their own time; until one is there, the others do its share. A worker that throws, dies or
 * hangs is an error on the caller: a result is complete or there is none.
 */
import { host } from '#host';
import workerSource from '../../build/worker.txt';
import { InternalError, LangevinError } from '../errors.ts';
import type { WorkerHandle } from '../platform/host.ts';
import {
  BOUNDS,
  CONTROL_BYTES,
  type Control,
  claim,
  controlOver,
  DONE,
  FAILED,
  failure,
  KERNEL,
  type Kernel,
  kernelNames,
  MAX_BOUNDS,
  MAX_CHUNKS,
  RECORD,
  REMAINING,
  runChunk,
  SIGNAL,
  SLEEPERS,
  STOP,
} from './control.ts';
import type { Bounds } from './partition.ts';

/** A worker thread failed; the pool is gone, and `setThreads` starts another. */
export class WorkerError extends LangevinError {}

/** Without progress for so long, a chunk's worker is taken for dead. The longest chunk takes under a second. */
const HANG_MS = 10_000;

/** Whether threads can share memory here: always in Node, in a page only with cross-origin isolation. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true);
}

/** Chunks of a kernel that were published. */
export interface Job {
  readonly kernel: string;
  readonly chunks: number;
}

/** @internal its constructor names WebAssembly */
export class ThreadPool {
  private readonly block = new SharedArrayBuffer(CONTROL_BYTES);
  private readonly control: Control = controlOver(this.block);
  private readonly kernels: readonly Kernel[];
  private readonly position: ReadonlyMap<string, number>;
  private readonly workers: WorkerHandle[];
  private dead: string | null = null;
  /** The job that is not finished. */
  private job: Job | null = null;

  /** @param scratch a scratch address for each worker, `threads - 1` of them */
  constructor(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    exports: WebAssembly.Exports,
    scratch: readonly number[],
    private readonly hangMs = HANG_MS,
  ) {
    const names = kernelNames(exports);
    this.kernels = names.map((name) => exports[name] as Kernel);
    this.position = new Map(names.map((name, i) => [name, i]));
    this.workers = scratch.map((address, i) => {
      const setup = { module, memory, control: this.block, scratch: address, thread: i + 1 };
      return host.startWorker(workerSource, setup, (cause) => {
        this.dead ??= cause;
      });
    });
  }

  /**
   * Computes every chunk of `kernel`, at most 64 of them, whose arguments are in the record at that address.
   * @throws WorkerError where a worker failed, InternalError for a job that does not fit the control block
   */
  run(kernel: string, record: number, chunks: readonly Bounds[]): void {
    this.start(kernel, record, chunks);
    this.finish();
  }

  /**
   * Publishes the chunks of `kernel`, after the job before it is finished. The record and the operands stay as they are
   * until the job is finished. @throws as `run`
   */
  start(kernel: string, record: number, chunks: readonly Bounds[]): Job {
    this.finish();
    if (this.dead) throw this.broken(this.dead);
    const { words, bounds } = this.control;
    const position = this.position.get(kernel);
    const count = chunks[0].length;
    if (position === undefined) throw new InternalError(`threads: no kernel is called ${kernel}`);
    if (chunks.length > MAX_CHUNKS || (count !== 2 && count !== MAX_BOUNDS)) {
      throw new InternalError(
        `threads: expected at most ${MAX_CHUNKS} chunks of 2 or ${MAX_BOUNDS} bounds, got ${chunks.length} of ${count} for ${kernel}`,
      );
    }
    for (let i = 0; i < chunks.length; i++) bounds.set(chunks[i], i * MAX_BOUNDS);
    words[KERNEL] = position;
    words[RECORD] = record;
    words[BOUNDS] = count;
    Atomics.store(words, DONE, 0);
    Atomics.store(words, REMAINING, chunks.length);
    Atomics.add(words, SIGNAL, 1);
    if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, SIGNAL);
    this.job = { kernel, chunks: chunks.length };
    return this.job;
  }

  /**
   * Finishes the job that was started last, if it is `job`: computes the chunks that nobody has claimed, and waits for
   * the others. @throws WorkerError where a worker failed
   */
  finish(job = this.job): void {
    if (job === null || job !== this.job) return;
    this.job = null;
    if (this.dead) throw this.broken(this.dead);
    const { words } = this.control;
    for (let chunk = claim(words); chunk >= 0; chunk = claim(words)) {
      runChunk(chunk, this.control, this.kernels);
    }
    this.waitFor(job.chunks, job.kernel);
    if (Atomics.load(words, FAILED) !== 0) throw this.broken(`${job.kernel}: ${failure(words)}`);
  }

  /** Ends the workers, after the job that was started. */
  stop(): void {
    if (!this.dead) this.finish();
    Atomics.store(this.control.words, STOP, 1);
    Atomics.add(this.control.words, SIGNAL, 1);
    Atomics.notify(this.control.words, SIGNAL);
    for (const worker of this.workers) worker.stop();
  }

  /** Spins until the others' chunks are done: they were claimed already, so it is a matter of microseconds. */
  private waitFor(chunks: number, kernel: string): void {
    const { words } = this.control;
    let done = Atomics.load(words, DONE);
    let since = 0;
    for (let spins = 1; done < chunks; spins++) {
      const now = Atomics.load(words, DONE);
      if (now !== done) {
        done = now;
        since = 0;
      } else if (spins % 4096 === 0) {
        since ||= performance.now();
        if (performance.now() - since > this.hangMs) {
          throw this.broken(
            `${kernel}: a worker claimed a chunk and did not finish it in ${this.hangMs / 1000} s`,
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
