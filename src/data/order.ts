/**
 * The order of an epoch: which samples a loader reads, and how they fall into batches. An order is a pure function of
 * the seed and the epoch's number, the same on every engine. It is one of
 *
 *     plain        every sample once, shuffled where there is a seed
 *     weighted     `length` draws with replacement; sample i has the probability weights[i]/Σ weights
 *     stratified   every sample once; each batch has floor or ceil of b·n_c/n samples of class c, for its b samples
 *                  and the n_c of class c among all n
 *
 * Source: inverse of the distribution function for draws, largest remainders (Hamilton) for the incomplete batch.
 */
import seedrandom from 'seedrandom';
import { ValueError } from '../errors.ts';
import type { Seed } from '../random/rng.ts';
import { permutation } from './dataset.ts';

export interface OrderOptions {
  readonly batchSize: number;
  readonly seed: Seed | undefined;
  readonly weights: ArrayLike<number> | undefined;
  readonly stratify: ArrayLike<number> | undefined;
}

/** The samples of an epoch in their order. */
export type Order = (epoch: number) => Uint32Array;

/** The order of `length` samples. @throws ValueError for options that do not fit them or each other */
export function orderOf(length: number, { batchSize, seed, weights, stratify }: OrderOptions): Order {
  if (weights && stratify) throw new ValueError('loader: expected weights or stratify, got both');
  const stored = Uint32Array.from({ length }, (_, i) => i);
  const plain: Order = (epoch) => (seed === undefined ? stored : permutation(length, `${seed}/${epoch}`));
  if (weights) {
    if (seed === undefined) throw new ValueError('loader: expected a seed with weights, got none');
    const sums = cumulative(weights, length);
    return (epoch) => draws(sums, length, `${seed}/${epoch}`);
  }
  if (stratify) {
    const classes = classesOf(stratify, length);
    return (epoch) => stratified(plain(epoch), classes, batchSize);
  }
  return plain;
}

/**
 * Weights under which every class is drawn equally often: 1/(the number of samples of its class).
 * @param labels the class of each sample
 */
export function balancedWeights(labels: ArrayLike<number>): Float64Array {
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  return Float64Array.from(labels, (label) => 1 / counts.get(label)!);
}

/** Sums of the weights up to each sample. @throws ValueError unless they are numbers >= 0, some of them > 0 */
function cumulative(weights: ArrayLike<number>, length: number): Float64Array {
  requireLength('weights', weights, length);
  const sums = new Float64Array(length);
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const weight = weights[i];
    if (!(weight >= 0)) throw new ValueError(`loader: expected weights >= 0, got ${weight} at ${i}`);
    sums[i] = sum += weight;
  }
  if (sum > 0 && sum < Infinity) return sums;
  throw new ValueError(`loader: expected weights with a finite sum > 0, got the sum ${sum}`);
}

/** `length` samples, each drawn with its weight's share of the sum. */
function draws(sums: Float64Array, length: number, seed: string): Uint32Array {
  const random = seedrandom(seed);
  const total = sums[length - 1];
  const last = sums.indexOf(total);
  return Uint32Array.from({ length }, () => {
    // The first sample whose sum is above the number, and none behind the last that has a weight.
    const at = random.double() * total;
    let [from, to] = [0, last];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (sums[middle] > at) to = middle;
      else from = middle + 1;
    }
    return from;
  });
}

/** The class of each sample as a number from 0 on, and the samples of each class. */
interface Classes {
  readonly of: Uint32Array;
  readonly counts: readonly number[];
}

function classesOf(labels: ArrayLike<number>, length: number): Classes {
  requireLength('labels to stratify by', labels, length);
  const numbers = new Map<number, number>();
  const counts: number[] = [];
  const of = Uint32Array.from(labels, (label) => {
    const known = numbers.get(label) ?? numbers.size;
    numbers.set(label, known);
    counts[known] = (counts[known] ?? 0) + 1;
    return known;
  });
  return { of, counts };
}

/**
 * The incomplete last batch takes its share of each class, rounded by largest remainders. The rest is dealt class by
 * class to the other batches in turn, so that two of them differ by one sample of a class at most. Both are the floor
 * or the ceiling of their batch's share: what is left of a class is a whole number between the whole multiples of it.
 * Within its batch a sample keeps its place among `order`.
 */
function stratified(order: Uint32Array, { of, counts }: Classes, batchSize: number): Uint32Array {
  const n = order.length;
  const whole = Math.floor(n / batchSize);
  const left = largestRemainders(counts, n % batchSize, n);
  /** Where the first sample of each class is dealt; the classes follow one another without a gap. */
  let dealt = 0;
  const next = counts.map((count, c) => {
    const first = dealt;
    dealt += count - left[c];
    return first;
  });
  const filled = new Uint32Array(whole + 1);
  const result = new Uint32Array(n);
  for (const sample of order) {
    const c = of[sample];
    const batch = left[c] > 0 ? whole : next[c]++ % whole;
    if (left[c] > 0) left[c]--;
    result[batch * batchSize + filled[batch]++] = sample;
  }
  return result;
}

/** `seats` in the proportions of `counts`, whose sum is `n`: floors, and one more for the largest remainders. */
function largestRemainders(counts: readonly number[], seats: number, n: number): number[] {
  const shares = counts.map((count) => Math.floor((seats * count) / n));
  const remainders = counts.map((count, c) => ({ c, rest: (seats * count) % n }));
  remainders.sort((a, b) => b.rest - a.rest || a.c - b.c);
  const missing = seats - shares.reduce((sum, share) => sum + share, 0);
  for (const { c } of remainders.slice(0, missing)) shares[c]++;
  return shares;
}

function requireLength(what: string, values: ArrayLike<number>, length: number): void {
  if (values.length === length) return;
  throw new ValueError(`loader: expected ${length} ${what}, one a sample, got ${values.length}`);
}
