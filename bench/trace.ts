/**
 * The cost of a program. The kernel calls of one run are repeated and timed one by one. The program is also run with
 * kernels that do nothing; that time is the cost of tape, tensors and garbage collector.
 */
import type { Kernels } from '../src/backend/kernels.ts';
import { type KernelCall, withKernels } from '../src/backend/recorder.ts';

/** All calls of one kernel with one shape. */
export interface Group extends Pick<KernelCall, 'label' | 'shape' | 'flop'> {
  readonly calls: number;
  /** Milliseconds of all of them together, the best of each. */
  readonly ms: number;
}

/** Milliseconds of a run of `body` with kernels that do nothing: the best of `times`. */
export function timeWithoutKernels(body: () => void, calls: readonly KernelCall[], times: number): number {
  const idle = Object.fromEntries(calls.map(({ kernel }) => [kernel, () => {}])) as unknown as Kernels;
  return withKernels(idle, () => {
    let best = Infinity;
    for (let i = 0; i < times; i++) {
      const start = performance.now();
      body();
      best = Math.min(best, performance.now() - start);
    }
    return best;
  });
}

/** Repeats the calls in order, and groups their times by kernel and shape, the longest first. */
export function timeCalls(calls: readonly KernelCall[], replays: number): Group[] {
  const best = calls.map(() => Infinity);
  for (let replay = 0; replay < replays; replay++) {
    for (const [i, call] of calls.entries()) {
      const start = performance.now();
      call.run();
      best[i] = Math.min(best[i]!, performance.now() - start);
    }
  }
  const groups = new Map<string, Group>();
  for (const [i, { label, shape, flop }] of calls.entries()) {
    const key = `${label} ${shape}`;
    const { calls: count, ms } = groups.get(key) ?? { calls: 0, ms: 0 };
    groups.set(key, {
      label,
      shape,
      ...(flop !== undefined && { flop }),
      calls: count + 1,
      ms: ms + best[i]!,
    });
  }
  return [...groups.values()].sort((a, b) => b.ms - a.ms);
}
