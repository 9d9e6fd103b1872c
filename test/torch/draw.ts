/**
 * Random cases for the comparison with PyTorch: shapes with sizes of 0 and 1 and odd tails, of rank 0 to 5, axes, and
 * float32 numbers. The same seed draws the same case, on every machine.
 *
 * The comparison is relative, so the inputs must be well-conditioned:
 * - The numbers of one tensor have the same sign, so that sums do not cancel (unless a row gives an interval around 0).
 * - The numbers are stratified: each of n numbers lies in its own n-th of the interval, away from the edges. So no two
 *   are almost equal, and a maximum has no ties.
 */
import seedrandom from 'seedrandom';
import { type Shape, sizeOf } from '../../src/autograd/variable.ts';
import { SPECIALS } from '../helpers-cases.ts';

/** An input tensor of a case. */
export interface Input {
  readonly shape: Shape;
  readonly values: Float32Array;
  /** Whether its gradient is compared too. */
  readonly grad: boolean;
}

/** Limits of a random shape. */
export interface ShapeLimits {
  /** Least and largest rank, 0 and 5 by default. */
  readonly rank?: readonly [number, number];
  /** The least size of an axis, 0 by default. */
  readonly least?: number;
}

/** Sizes by the rank. Low ranks have long axes, to test vectors of 4, blocks of 16 and tails. */
const SIZES: Readonly<Record<number, readonly number[]>> = {
  1: [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 67, 130, 257, 1001],
  2: [1, 2, 3, 4, 5, 7, 8, 15, 17, 33, 65],
  3: [1, 2, 3, 4, 5, 7, 9, 17],
  4: [1, 2, 3, 4, 5, 7],
  5: [1, 2, 3, 4, 5],
};

/** The probability that an axis has size 0. */
const EMPTY = 1 / 40;

export class Draw {
  private readonly next: () => number;

  constructor(seed: string) {
    this.next = seedrandom(seed);
  }

  /** A number in [lo, hi). */
  uniform(lo: number, hi: number): number {
    return lo + (hi - lo) * this.next();
  }

  /** A whole number from lo to hi, both included. */
  integer(lo: number, hi: number): number {
    return lo + Math.floor(this.next() * (hi - lo + 1));
  }

  integers(n: number, lo: number, hi: number): number[] {
    return Array.from({ length: n }, () => this.integer(lo, hi));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)];
  }

  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [result[i], result[j]] = [result[j], result[i]];
    }
    return result;
  }

  shape({ rank: [lo, hi] = [0, 5], least = 0 }: ShapeLimits = {}): number[] {
    const rank = this.integer(lo, hi);
    return Array.from({ length: rank }, () => this.size(least, rank));
  }

  /** The size of one axis of a tensor of that rank. */
  size(least = 0, rank = 2): number {
    if (least === 0 && this.chance(EMPTY)) return 0;
    return this.oneOf(SIZES[Math.max(rank, 1)].filter((n) => n >= least));
  }

  /** Two shapes that broadcast: the sizes of an axis are equal, or one is 1, or one shape lacks the leading axis. */
  broadcastPair(limits: ShapeLimits = {}): [number[], number[]] {
    const shape = this.shape(limits);
    const kinds = shape.map(() => this.oneOf(['both', 'both', 'left', 'right']));
    const left = shape.map((n, i) => (kinds[i] === 'right' ? 1 : n));
    const right = shape.map((n, i) => (kinds[i] === 'left' ? 1 : n)).slice(this.integer(0, shape.length));
    return this.chance(0.5) ? [left, right] : [right, left];
  }

  /** An axis of a tensor of that rank; half of them count from the end. */
  axis(rank: number): number {
    return this.integer(0, rank - 1) - (this.chance(0.5) ? rank : 0);
  }

  /** One or more axes in any order; null means all axes, and is always returned for rank 0. */
  axes(rank: number): number[] | null {
    if (rank === 0 || this.chance(0.2)) return null;
    return this.shuffled([...Array(rank).keys()])
      .slice(0, this.integer(1, rank))
      .map((axis) => axis - (this.chance(0.5) ? rank : 0));
  }

  /** Stratified numbers in [lo, hi); by default of one sign, and of magnitude 0.5 to 2. */
  values(n: number, interval?: readonly [number, number]): Float32Array {
    const sign = interval === undefined && this.chance(0.5) ? -1 : 1;
    const [lo, hi] = interval ?? [0.5, 2];
    const strata = this.shuffled([...Array(n).keys()]);
    return Float32Array.from(strata, (k) => sign * (lo + ((hi - lo) * (k + this.uniform(0.25, 0.75))) / n));
  }

  /** An input whose gradient is compared. */
  tensor(shape: Shape, interval?: readonly [number, number]): Input {
    return { shape, values: this.values(sizeOf(shape), interval), grad: true };
  }

  /** An input without a gradient: a target, a mask, a weight. */
  constant(shape: Shape, interval?: readonly [number, number]): Input {
    return { ...this.tensor(shape, interval), grad: false };
  }

  /** An input with few different numbers, so that many are equal. */
  ties(shape: Shape): Input {
    return this.mixed(shape, [-2, -1, 0, 1, 2]);
  }

  /** An input that repeats one number: an extreme float32, or one of a given list. */
  special(n: number, choices: readonly number[] = SPECIALS): Input {
    return { shape: [n], values: new Float32Array(n).fill(this.oneOf(choices)), grad: true };
  }

  /** An input whose numbers are drawn from a list. */
  mixed(shape: Shape, choices: readonly number[]): Input {
    return {
      shape,
      values: Float32Array.from({ length: sizeOf(shape) }, () => this.oneOf(choices)),
      grad: true,
    };
  }
}
