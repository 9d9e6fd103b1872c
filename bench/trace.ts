/**
 * The cost of the parts of a program. The kernel calls of one run are repeated and timed one by one. The program also
 * runs with kernels that do nothing. The time of this run is the cost of tape, tensors and garbage collector.
 */
import type { Kernels } from '../src/backend/kernels.ts';
import { type KernelCall, withKernels } from '../src/backend/recorder.ts';

/** All calls of one kernel with one shape. */
export interface Group extends Pick<KernelCall, 'label' | 'shape' | 'flop'> {
  readonly calls: number;
  /** The sum of the best times of the calls, in milliseconds. */
  readonly ms: number;
}

/** The best time of `times` runs of `body` with kernels that do nothing, in milliseconds. */
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

/** Repeats the calls in order, and sums their best times by kernel and shape. The first group has the longest time. */
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
