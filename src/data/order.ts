/**
 * The order of an epoch: the samples that a loader reads, batch after batch. An order is a pure function of the seed
 * and the epoch's number, and is the same on every engine. It is one of
 *
 *     plain        every sample once, shuffled if there is a seed
 *     weighted     `length` draws with replacement; sample i has the probability weights[i]/Σ weights
 *     stratified   every sample once; a batch of b samples has floor or ceil of b·n_c/n samples of class c,
 *                  where n_c of all n samples are of class c
 *
 * Draws invert the distribution function. The incomplete batch is filled by largest remainders (Hamilton's method).
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

/** The order of `length` samples. @throws ValueError for options that do not fit the samples or each other */
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
 * Weights that give each class the same probability: 1/(the number of samples of its class).
 * @param labels the class of each sample
 */
export function balancedWeights(labels: ArrayLike<number>): Float64Array {
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  return Float64Array.from(labels, (label) => 1 / counts.get(label)!);
}

/** Cumulative sums of the weights. @throws ValueError unless all weights are >= 0 and some weight is > 0 */
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

/** Draws `length` samples with replacement, each with the probability weight/sum. */
function draws(sums: Float64Array, length: number, seed: string): Uint32Array {
  const random = seedrandom(seed);
  const total = sums[length - 1];
  const last = sums.indexOf(total);
  return Uint32Array.from({ length }, () => {
    // The first sample whose sum is above the number. Samples of weight 0 at the end are never taken.
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

/** The class of each sample, numbered from 0, and the number of samples of each class. */
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
 * Fills the batches of a stratified epoch. The incomplete last batch gets its share of each class, rounded by largest
 * remainders. The other samples are dealt to the other batches in turn, class by class. So the counts of one class in
 * two of these batches differ by at most 1. Each count is the floor or the ceiling of the batch's share. Inside a batch
 * the samples keep the sequence of `order`.
 */
function stratified(order: Uint32Array, { of, counts }: Classes, batchSize: number): Uint32Array {
  const n = order.length;
  const whole = Math.floor(n / batchSize);
  const left = largestRemainders(counts, n % batchSize, n);
  /** The number of samples dealt so far. Dealing continues with the next batch when a new class begins. */
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

/** Divides `seats` in the proportions of `counts` (sum `n`): the floors, plus 1 for the largest remainders. */
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
  throw new ValueError(`loader: expected ${length} ${what}, one per sample, got ${values.length}`);
}
