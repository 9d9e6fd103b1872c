/**
 * A second implementation of Philox4x32-10 and its inverse, written from the paper with BigInt. Each round is a
 * bijection of the counter. So every block of four words has a counter, and a test can make a kernel
 * produce chosen bits.
 *
 * Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
 */

/** Four words of 32 bits. The first is the lowest. */
export type Words = [number, number, number, number];

const M0 = 0xd2511f53n;
const M1 = 0xcd9e8d57n;
const W0 = 0x9e3779b9n;
const W1 = 0xbb67ae85n;
const MASK = 0xffffffffn;

const product = (m: bigint, c: bigint) => ({ high: (m * c) >> 32n, low: (m * c) & MASK });

/** The keys of the ten rounds. */
const schedule = (key: readonly [number, number]) =>
  Array.from({ length: 10 }, (_, i) => [
    (BigInt(key[0]) + BigInt(i) * W0) & MASK,
    (BigInt(key[1]) + BigInt(i) * W1) & MASK,
  ]) as [bigint, bigint][];

/** The block for `counter` and `key`. */
export function philoxBlock(counter: Readonly<Words>, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  for (const [k0, k1] of schedule(key)) {
    const [p, q] = [product(M0, c0), product(M1, c2)];
    [c0, c1, c2, c3] = [q.high ^ c1 ^ k0, q.low, p.high ^ c3 ^ k1, p.low];
  }
  return [c0, c1, c2, c3].map(Number) as Words;
}

/** 1/m mod 2^32 for odd m, by Newton's iteration: each step doubles the correct bits. */
function inverse(m: bigint): bigint {
  let x = m;
  for (let i = 0; i < 5; i++) x = (x * (2n - m * x)) & MASK;
  return x & MASK;
}
const M0_INVERSE = inverse(M0);
const M1_INVERSE = inverse(M1);

/** The counter whose block for `key` is `words`. */
export function counterFor(words: Readonly<Words>, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = words.map(BigInt) as [bigint, bigint, bigint, bigint];
  for (const [k0, k1] of schedule(key).reverse()) {
    const before0 = (c3 * M0_INVERSE) & MASK;
    const before2 = (c1 * M1_INVERSE) & MASK;
    const [p, q] = [product(M0, before0), product(M1, before2)];
    [c0, c1, c2, c3] = [before0, c0 ^ q.high ^ k0, before2, c2 ^ p.high ^ k1];
  }
  return [c0, c1, c2, c3].map(Number) as Words;
}
