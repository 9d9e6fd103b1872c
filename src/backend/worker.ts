/**
 * The program of a worker thread: an instance of the kernels over the shared memory, and a loop that claims chunks of
 * the current job. It is bundled to text (build/worker.txt), and the host starts it from that. The package has the same
 * text as the file `langevin/worker`, for pages whose policy forbids workers from blobs.
 */
import { VERSION } from '../version.ts';
import {
  type Control,
  claim,
  controlOver,
  type Kernel,
  kernelNames,
  PAGES,
  REMAINING,
  runChunk,
  SIGNAL,
  SLEEPERS,
  STOP,
} from './control.ts';

/** The message that the pool sends to a worker once. */
export interface WorkerSetup {
  /** The version of the library. A file of another version would read the block wrongly, so it refuses. */
  readonly version: string;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  /** This thread's scratch memory. */
  readonly scratch: number;
  /** This thread's number. The caller's is 0. */
  readonly thread: number;
}

/**
 * How often a worker reads the block before it sleeps. It takes about 100 µs, longer than the gap between two kernels
 * of a training step.
 */
const SPINS = 20_000;

/**
 * Claims chunks until it must stop. Without a job it spins briefly, and then sleeps until the next job.
 *
 * Another thread can grow the memory. V8 keeps a size of the memory in each thread, and `memory.copy` checks its
 * addresses against that size. If the memory grows while this thread receives it, the size stays too small. Growing by
 * no page reads the size again. So we do that before the first job after each growth.
 */
function work(control: Control, kernels: readonly Kernel[], memory: WebAssembly.Memory): void {
  const { words } = control;
  let idle = 0;
  let pages = 0;
  while (Atomics.load(words, STOP) === 0) {
    const chunk = claim(words);
    if (chunk >= 0) {
      if (words[PAGES] !== pages) {
        pages = words[PAGES];
        memory.grow(0);
      }
      runChunk(chunk, control, kernels);
      idle = 0;
    } else if (++idle > SPINS) {
      // We read the signal before we look for a chunk the last time. A job raises the signal after it is published. So
      // no job is missed.
      const seen = Atomics.load(words, SIGNAL);
      Atomics.add(words, SLEEPERS, 1);
      if (Atomics.load(words, REMAINING) <= 0 && Atomics.load(words, STOP) === 0)
        Atomics.wait(words, SIGNAL, seen);
      Atomics.sub(words, SLEEPERS, 1);
      idle = 0;
    }
  }
}

globalThis.onmessage = ({ data }: MessageEvent<WorkerSetup>) => {
  if (data.version !== VERSION) {
    throw new Error(`expected the worker.js of langevin ${data.version}, got that of ${VERSION}`);
  }
  const { exports } = new WebAssembly.Instance(data.module, { env: { memory: data.memory } });
  (exports.attach as (scratch: number, thread: number) => void)(data.scratch, data.thread);
  work(
    controlOver(data.control),
    kernelNames(exports).map((name) => exports[name] as Kernel),
    data.memory,
  );
};
