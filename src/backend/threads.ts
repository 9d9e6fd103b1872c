/**
 * A pool of worker threads that share the chunks of one job at a time. For the caller it is synchronous: `run`
 * publishes the chunks, computes its own share, and returns when all are done. `start` only publishes the chunks. The
 * workers then compute while the caller continues, and `finish` computes the remaining chunks.
 *
 * Workers need time to start. Until a worker is ready, the other threads do its share. If a worker throws, dies or
 * hangs, the caller throws an error. So a result is either complete or there is none.
 */
import { host } from '#host';
import workerSource from '../../build/worker.txt';
import { InternalError, LangevinError } from '../errors.ts';
import type { WorkerHandle } from '../platform/host.ts';
import { VERSION } from '../version.ts';
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
  PAGES,
  RECORD,
  REMAINING,
  runChunk,
  SIGNAL,
  SLEEPERS,
  STOP,
} from './control.ts';
import type { Bounds } from './partition.ts';
import { PAGE } from './wasm-memory.ts';
import type { WorkerSetup } from './worker.ts';

/** A worker thread failed. The pool is ended, and `setThreads` starts a new one. */
export class WorkerError extends LangevinError {}

/**
 * If a chunk makes no progress for this time, we consider its worker dead. The longest chunk takes less than a second. The
 * error is thrown within ten seconds.
 */
const HANG_MS = 8_000;

/** Whether threads can share memory here: always in Node, and in a page only with cross-origin isolation. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true);
}

let workerUrl: string | undefined;

/**
 * Sets the address of langevin's worker.js, from which later pools of a page start their threads. The default,
 * `undefined`, starts them from a blob.
 */
export function setWorkerUrl(url: string | undefined): void {
  workerUrl = url;
}

/** The published chunks of a kernel. */
export interface Job {
  readonly kernel: string;
  readonly chunks: number;
}

/** @internal because its constructor has parameters of WebAssembly types */
export class ThreadPool {
  private readonly block = new SharedArrayBuffer(CONTROL_BYTES);
  private readonly control: Control = controlOver(this.block);
  private readonly kernels: readonly Kernel[];
  private readonly position: ReadonlyMap<string, number>;
  private readonly workers: WorkerHandle[];
  private dead: string | null = null;
  /** The job that is not finished yet. */
  private job: Job | null = null;

  /** @param scratch an address of scratch memory for each worker, `threads - 1` of them */
  constructor(
    module: WebAssembly.Module,
    private readonly memory: WebAssembly.Memory,
    exports: WebAssembly.Exports,
    scratch: readonly number[],
    private readonly hangMs = HANG_MS,
  ) {
    const names = kernelNames(exports);
    this.kernels = names.map((name) => exports[name] as Kernel);
    this.position = new Map(names.map((name, i) => [name, i]));
    this.workers = scratch.map((address, i) => {
      const thread = { scratch: address, thread: i + 1 };
      const setup: WorkerSetup = { version: VERSION, module, memory, control: this.block, ...thread };
      return host.startWorker({ source: workerSource, url: workerUrl }, setup, (cause) => {
        this.dead ??= cause;
      });
    });
  }

  /**
   * Computes all chunks of `kernel`, at most 64. The arguments are in the record at that address.
   * @throws WorkerError if a worker failed, InternalError for a job that does not fit the control block
   */
  run(kernel: string, record: number, chunks: readonly Bounds[]): void {
    this.start(kernel, record, chunks);
    this.finish();
  }

  /**
   * First finishes the previous job, then publishes the chunks of `kernel`. The record and the operands must
   * not change until this job is finished. @throws as `run`
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
    words[PAGES] = this.memory.buffer.byteLength / PAGE;
    Atomics.store(words, DONE, 0);
    Atomics.store(words, REMAINING, chunks.length);
    Atomics.add(words, SIGNAL, 1);
    if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, SIGNAL);
    this.job = { kernel, chunks: chunks.length };
    return this.job;
  }

  /**
   * Finishes the last started job, if it is `job`. It computes the chunks that no thread has claimed, and waits for the
   * others. @throws WorkerError if a worker failed
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

  /** Ends the workers, after the current job. */
  stop(): void {
    if (!this.dead) this.finish();
    Atomics.store(this.control.words, STOP, 1);
    Atomics.add(this.control.words, SIGNAL, 1);
    Atomics.notify(this.control.words, SIGNAL);
    for (const worker of this.workers) worker.stop();
  }

  /** Spins until the other threads' chunks are done. They are all claimed, so this takes only microseconds. */
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
