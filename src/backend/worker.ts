/**
 * What a worker thread runs: an instance of the kernels over the shared memory, and a loop that claims chunks
 * of the current job. It is bundled to text (build/worker.txt) and started by the host from that.
 */
import {
  type Control,
  claim,
  controlOver,
  type Kernel,
  kernelNames,
  REMAINING,
  runChunk,
  SIGNAL,
  SLEEPERS,
  STOP,
} from './control.ts';

/** What the pool sends to a worker, once. */
export interface WorkerSetup {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  /** This thread's scratch memory. */
  readonly scratch: number;
  /** This thread's number; the caller's is 0. */
  readonly thread: number;
}

/** Looks at the block before sleeping: some 100 µs, longer than the gap between two kernels of a training step. */
const SPINS = 20_000;

/** Claims chunks until it must stop: spins briefly, then sleeps until the next job. */
function work(control: Control, kernels: readonly Kernel[]): void {
  const { words } = control;
  let idle = 0;
  while (Atomics.load(words, STOP) === 0) {
    const chunk = claim(words);
    if (chunk >= 0) {
      runChunk(chunk, control, kernels);
      idle = 0;
    } else if (++idle > SPINS) {
      // The signal is read before the last look, and a job raises it after it is published: no job is missed.
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
  const { exports } = new WebAssembly.Instance(data.module, { env: { memory: data.memory } });
  (exports.attach as (scratch: number, thread: number) => void)(data.scratch, data.thread);
  work(
    controlOver(data.control),
    kernelNames(exports).map((name) => exports[name] as Kernel),
  );
};
