/**
 * The arrays that a kernel and its twin work on. The engine's memory and a Float32Array hold the same numbers. So the
 * results can be compared after one run of each.
 */
import { type Backend, backend } from '../../backend/backend.ts';
import type { Ptr } from '../../backend/kernels.ts';
import type { Roof } from './work.ts';

export interface Operand {
  readonly ptr: Ptr;
  readonly twin: Float32Array;
}

/** The flop of one turn of assembly/peak.ts, and the number of turns in about a tenth of a millisecond. */
const PEAK_FLOP = 224;
const PEAK_TURNS = 20_000;

export class Operands {
  private readonly arrays: Operand[] = [];
  private readonly blocks: Ptr[] = [];
  private state = 1;
  readonly backend: Backend = backend();

  /** n numbers in [lo, hi). They are the same in every run. */
  array(n: number, lo = -1, hi = 1): Operand {
    const twin = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      // A linear congruential generator (Numerical Recipes). It is good enough, because the numbers only have to
      // differ.
      this.state = (Math.imul(this.state, 1664525) + 1013904223) | 0;
      twin[i] = lo + (hi - lo) * ((this.state >>> 8) / 2 ** 24);
    }
    const ptr = this.block(n);
    this.backend.write(ptr, twin);
    const made = { ptr, twin };
    this.arrays.push(made);
    return made;
  }

  /** Memory for n elements without a twin, filled with 1. */
  block(n: number): Ptr {
    const { heap, kernels, elementBytes } = this.backend;
    const ptr = heap.alloc(n * elementBytes);
    this.blocks.push(ptr);
    kernels.fill({ n: n, out: ptr, value: 1 });
    return ptr;
  }

  /** The largest difference between an array and its twin. It is relative for numbers larger than 1. */
  difference(): number {
    let worst = 0;
    for (const { ptr, twin } of this.arrays) {
      const values = this.backend.view(ptr, twin.length);
      for (let i = 0; i < twin.length; i++) {
        const d = Math.abs(values[i]! - twin[i]!) / Math.max(1, Math.abs(twin[i]!));
        if (!(d <= worst)) worst = d;
      }
    }
    return worst;
  }

  /** The upper bound for flop: multiply-adds from registers, on all threads at once. */
  multiplyAddPeak(): Roof {
    const kernels = this.backend.kernels as unknown as { threads: number; peakMulAdd(turns: number): void };
    return { amount: PEAK_FLOP * PEAK_TURNS * kernels.threads, run: () => kernels.peakMulAdd(PEAK_TURNS) };
  }

  /**
   * The upper bound for bytes: a plain copy of n elements. So the copy and the case use the same level of the caches.
   */
  copyPeak(n: number): Roof {
    const { kernels } = this.backend;
    const [x, y] = [this.block(n), this.block(n)];
    return {
      amount: 8 * n,
      run: () =>
        kernels.copy({
          rows: 1,
          cols: n,
          alpha: 1,
          x: { ptr: x, row: n, col: 1 },
          y: { ptr: y, row: n, col: 1 },
          accumulate: false,
        }),
    };
  }

  release(): void {
    for (const ptr of this.blocks) this.backend.heap.release(ptr);
    this.blocks.length = 0;
    this.arrays.length = 0;
  }
}
