/**
 * What a program asks of the kernels: the calls of one run, recorded, so that each can be replayed and timed on
 * its own; and the program without them, run on kernels that do nothing, which is what tape, tensors and
 * collector cost. Replayed on the same memory with the same arguments, the calls do the same arithmetic.
 */
import { backend } from '../src/backend/backend.ts';
import type { Kernels } from '../src/backend/kernels.ts';

export interface Call {
  readonly kernel: keyof Kernels;
  /** The kernel and its form: `gemm NT`, `relu`, `sum`. */
  readonly label: string;
  readonly shape: string;
  /** Floating-point operations of one call, of products. */
  readonly flop?: number;
  run(): void;
}

/** All calls of one kernel in one shape. */
export interface Group extends Omit<Call, 'kernel' | 'run'> {
  readonly calls: number;
  /** Milliseconds of all of them, each at its best. */
  readonly ms: number;
}

type AnyKernel = (...args: unknown[]) => void;

/** Runs `body` with other kernels. */
function withKernels<T>(kernels: Kernels, body: () => T): T {
  const engine = backend() as { kernels: Kernels };
  const own = engine.kernels;
  engine.kernels = kernels;
  try {
    return body();
  } finally {
    engine.kernels = own;
  }
}

/** Runs `body` and returns the kernels it called, in order. */
export function record(body: () => void): Call[] {
  const calls: Call[] = [];
  const recorder = new Proxy(backend().kernels, {
    get(target, name: keyof Kernels) {
      const kernel = target[name] as AnyKernel;
      return (...args: unknown[]) => {
        calls.push({ kernel: name, ...describe(name, args), run: () => kernel.apply(target, args) });
        kernel.apply(target, args);
      };
    },
  });
  withKernels(recorder, body);
  return calls;
}

/** Milliseconds of a run of `body` in which the kernels do nothing: the best of `times`. */
export function timeWithoutKernels(body: () => void, calls: readonly Call[], times: number): number {
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

function describe(name: keyof Kernels, args: readonly unknown[]): Omit<Call, 'kernel' | 'run'> {
  const numbers = args as readonly number[];
  switch (name) {
    case 'gemm': {
      const [m, n, k] = numbers as [number, number, number];
      const form = `${args[4] ? 'T' : 'N'}${args[6] ? 'T' : 'N'}`;
      const activation = typeof args[10] === 'string' && args[10] !== 'none' ? ` ${args[10]}` : '';
      return { label: `gemm ${form}${activation}`, shape: `${m}x${k}x${n}`, flop: 2 * m * k * n };
    }
    case 'unary':
      return { label: String(args[0]), shape: String(args[1]) };
    case 'binary':
      return { label: String(args[0]), shape: numbers[1] === 1 ? `${args[2]}` : `${args[1]}x${args[2]}` };
    case 'reduce':
      return { label: String(args[0]), shape: `${args[1]}x${args[2]}x${args[3]}` };
    case 'copy':
      return { label: 'copy', shape: numbers[0] === 1 ? `${args[1]}` : `${args[0]}x${args[1]}` };
    default:
      return { label: name, shape: String(args[0]) };
  }
}

/** Replays the calls in order, and groups their times by kernel and shape, the longest first. */
export function timeCalls(calls: readonly Call[], replays: number): Group[] {
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
