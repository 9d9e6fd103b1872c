/**
 * A training step as a case. Its first row has its time and its flop per second. Flop are those of the matrix products
 * in both passes. The other rows are its parts: every kernel that it calls, and the time outside kernels. Twin: the
 * same program on the reference backend, which is plain TypeScript in float64.
 */
import { backend, setBackend } from '../src/backend/backend.ts';
import { recordKernels } from '../src/backend/recorder.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import type { Case } from './harness.ts';
import type { Operands } from './operands.ts';
import { type Row, rates, round } from './row.ts';
import type { Make } from './subject.ts';
import { timeCalls, timeWithoutKernels } from './trace.ts';

/** One step. `watch` is called with the loss while it is valid. */
export type Step = (watch?: (loss: Tensor) => void) => void;

export interface Program {
  readonly name: string;
  readonly shape: string;
  readonly flop: number;
  /** Makes model, optimiser and data on the current backend. The same seed gives the same numbers. */
  make(): Step;
}

/**
 * The number of repetitions of each kernel call, and of runs without kernels. With these numbers the engine compiles
 * all code.
 */
const REPLAYS = { quick: 3, full: 50 };
const IDLE_RUNS = { quick: 50, full: 2000 };

export const programCase =
  (program: Program, quick: boolean): Make =>
  (memory: Operands): Case => {
    const { name, shape, flop } = program;
    const step = program.make();
    let slow: Step | undefined;
    // The first step sets the arena's size. So the addresses do not change after the third step, which is recorded.
    step();
    step();
    return {
      name,
      shape,
      flop,
      roof: memory.multiplyAddPeak(),
      run: () => step(),
      twin: () =>
        onReference(() => {
          slow ??= program.make();
          slow();
        }),
      difference: () => Math.abs(lossOf(program) / onReference(() => lossOf(program)) - 1),
      parts: (row) => parts(row, program, step, quick),
    };
  };

/** The loss of the first step. */
function lossOf(program: Program): number {
  let value = Number.NaN;
  program.make()((loss) => {
    value = loss.item();
  });
  return value;
}

/** Runs `body` on the reference backend. */
export function onReference<T>(body: () => T): T {
  const before = backend().name;
  setBackend('reference');
  try {
    return body();
  } finally {
    setBackend(before);
  }
}

/** Floating-point operations of a dense network's matrix products: y, dW, and dx except in the first layer. */
export function productFlop(batch: number, widths: readonly number[]): number {
  const products = widths.slice(1).map((width, i) => 2 * batch * widths[i]! * width);
  return 3 * products.reduce((a, b) => a + b, 0) - products[0]!;
}

/**
 * The rows of the parts. Each kernel and shape has a row, with the best time of each call. One row has the time outside
 * kernels, and one has the sum. The sum is the time of a step without interruptions. `share` is relative to the sum.
 */
function parts(whole: Row, { flop }: Program, step: Step, quick: boolean): Row[] {
  const calls = recordKernels(() => step());
  const outside = timeWithoutKernels(() => step(), calls, quick ? IDLE_RUNS.quick : IDLE_RUNS.full);
  const groups = timeCalls(calls, quick ? REPLAYS.quick : REPLAYS.full);
  const total = groups.reduce((sum, { ms }) => sum + ms, outside);
  const { subject, threads, numerics } = whole;
  const row = (part: string, shape: string, ms: number): Row => ({
    subject,
    name: `${whole.name}: ${part}`,
    shape,
    threads,
    numerics,
    ms: round(ms),
    share: round(ms / total),
  });
  return [
    { ...row('parts together', whole.shape, total), calls: calls.length, ...rates({ flop }, total) },
    ...groups.map(
      ({ label, shape, flop, calls: count, ms }): Row => ({
        ...row(label, shape, ms),
        calls: count,
        ...(flop !== undefined && rates({ flop: flop * count }, ms)),
      }),
    ),
    row('outside of kernels', '-', outside),
  ];
}
