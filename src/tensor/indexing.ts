/**
 * Indices of elements: argmax and topk return them, and gather and indexSelect take them. They are Int32Array or arrays
 * of numbers. They are never float tensors, because float32 is exact only up to 2^24.
 */
import { ValueError } from '../errors.ts';
import { describe } from '../options.ts';
import type { Tensor } from './tensor.ts';

/** Whole numbers that are places of elements. */
export type Indices = ArrayLike<number>;

/** The result of `topk`: values, which have gradients, and their places along the axis. */
export interface TopK {
  /** The k values, in their order, with the axis replaced by k. */
  readonly values: Tensor;
  /** Row-major in the shape of `values`. */
  readonly indices: Int32Array;
}

/**
 * The indices as 32-bit words.
 * @throws ValueError unless each is a whole number in [0, n)
 */
export function checkIndices(op: string, index: Indices, n: number): Int32Array {
  if (typeof index !== 'object' || index === null || typeof index.length !== 'number') {
    throw new ValueError(`${op}: expected an Int32Array or an array of indices, got ${describe(index)}`);
  }
  for (let i = 0; i < index.length; i++) {
    if (!(Number.isInteger(index[i]) && index[i] >= 0 && index[i] < n)) {
      const range = n === 0 ? 'no indices, since the axis is empty' : `indices from 0 to ${n - 1}`;
      throw new ValueError(`${op}: expected ${range}, got ${describe(index[i])} at ${i}`);
    }
  }
  return new Int32Array(index);
}

/** Whether a comes before b in descending order. NaN is the largest, as in NumPy and PyTorch. */
const above = (a: number, b: number) => a > b || (Number.isNaN(a) && !Number.isNaN(b));
const below = (a: number, b: number) => above(b, a);

/** Up to this number of elements we keep a sorted list. For more we sort the whole row. */
const FEW = 32;

/** What `largestK` searches for. */
export interface Ranking {
  readonly rows: number;
  readonly n: number;
  readonly k: number;
  /** True: the largest in descending order. False: the smallest in ascending order. */
  readonly largest: boolean;
}

/**
 * The places of the first k elements of each row of [rows, n], in order. Equal elements keep the order of their places.
 */
export function largestK(values: ArrayLike<number>, { rows, n, k, largest }: Ranking): Int32Array {
  const before = largest ? above : below;
  const found = new Int32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const at = row * n;
    const places = found.subarray(row * k, (row + 1) * k);
    if (k > FEW) {
      const order = Int32Array.from({ length: n }, (_, j) => j);
      order.sort((i, j) =>
        before(values[at + i], values[at + j]) ? -1 : before(values[at + j], values[at + i]) ? 1 : i - j,
      );
      places.set(order.subarray(0, k));
      continue;
    }
    for (let j = 0; j < n; j++) {
      let to = Math.min(j, k);
      if (to === k && (k === 0 || !before(values[at + j], values[at + places[k - 1]]))) continue;
      // Insertion: the elements after j move by one place, and the last one is dropped.
      if (to === k) to--;
      for (; to > 0 && before(values[at + j], values[at + places[to - 1]]); to--) places[to] = places[to - 1];
      places[to] = j;
    }
  }
  return found;
}

/** Words of [outer, inner, k] as [outer, k, inner]. */
export function transposedWords(words: Int32Array, inner: number, k: number): Int32Array {
  return words.map((_, to) => {
    const [o, e] = [Math.floor(to / (k * inner)), to % (k * inner)];
    return words[o * k * inner + (e % inner) * k + Math.floor(e / inner)];
  });
}
