/** Random choices of the fuzzer. They are a function of the seed alone. */
import seedrandom from 'seedrandom';

export class Choices {
  private readonly random: () => number;

  constructor(seed: string) {
    this.random = seedrandom.alea(seed);
  }

  /** A whole number from 0 to n - 1; 0 for n = 0. */
  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  has(probability: number): boolean {
    return this.random() < probability;
  }

  oneOf<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  bytes(n: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: n }, () => this.below(256));
  }

  /** A range [from, to) within [0, n], mostly short. */
  range(n: number): [number, number] {
    const from = this.below(n + 1);
    return [from, Math.min(n, from + this.below(this.has(0.9) ? 9 : n + 1))];
  }
}
