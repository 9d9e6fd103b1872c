/**
 * Philox4x32-10 in plain TypeScript. assembly/random/philox.ts computes four blocks of it at a time.
 *
 * Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
 */
import type { Key } from './kernels.ts';

/**
 * The upper 32 bits of a·b for unsigned 32-bit a and b. We multiply 16-bit halves, because a double is exact only up to
 * 53 bits.
 */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** Writes the four words of one block to `words`, starting at `at`. */
export function philox(key: Key, block: number, words: Uint32Array, at: number): void {
  let c0 = block >>> 0;
  let c1 = Math.floor(block / 2 ** 32) >>> 0;
  let [c2, c3] = key.stream;
  let [k0, k1] = key.seed;
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(0xd2511f53, c0);
    const high0 = mulHigh(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    const high1 = mulHigh(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  words[at] = c0;
  words[at + 1] = c1;
  words[at + 2] = c2;
  words[at + 3] = c3;
}
