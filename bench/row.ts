import type { Work } from '../src/models/benchmark/work.ts';

/**
 * One measurement: a line of `--json`, a row of the tables, an entry of the results file. A field that does not apply
 * is missing.
 */
export interface Row {
  readonly subject: string;
  /** The name of the kernel with its variant, or of the program. */
  readonly name: string;
  /** Sizes: m x k x n of a product, rows x columns of an array. */
  readonly shape: string;
  readonly threads: number;
  readonly numerics: string;
  /** Milliseconds of one run: the best of many. */
  readonly ms: number;
  /** Milliseconds of one run: the median. */
  readonly msMedian?: number;
  /** 10^9 floating-point operations per second. */
  readonly gflops?: number;
  /** 10^9 bytes per second. It counts each byte once that the kernel must read or write. */
  readonly gbps?: number;
  /** The rate divided by the roof's rate. Both are measured in turns (harness.ts). */
  readonly ofPeak?: number;
  readonly nsPerElement?: number;
  readonly nsPerSample?: number;
  /** Updates of paths of an SDE per second. */
  readonly samplesPerSecond?: number;
  /** The time of the twin in plain TypeScript divided by this time. */
  readonly speedup?: number;
  /** For a part of a program: the number of calls of this kernel in one run, and the fraction of the time. */
  readonly calls?: number;
  readonly share?: number;
  /** For a sampler: the time of its own arithmetic divided by that of the network. */
  readonly ofModel?: number;
  /** The time of the same work on the calling thread alone divided by this time. */
  readonly overOne?: number;
  /** The smallest number of elements in a chunk from which on more threads are faster. */
  readonly grain?: number;
  /** If several libraries do the same work: the library, and its time divided by langevin's. */
  readonly peer?: string;
  readonly relative?: number;
}

/** Four significant digits. A shared machine does not allow more. */
export const round = (x: number): number => Number(x.toPrecision(4));

/** The rates of work that takes `ms` milliseconds. */
export function rates({ flop, bytes, elements, samples, updates }: Work, ms: number): Partial<Row> {
  return {
    ...(flop !== undefined && { gflops: round(flop / ms / 1e6) }),
    ...(bytes !== undefined && { gbps: round(bytes / ms / 1e6) }),
    ...(elements !== undefined && { nsPerElement: round((ms * 1e6) / elements) }),
    ...(samples !== undefined && { nsPerSample: round((ms * 1e6) / samples) }),
    ...(updates !== undefined && { samplesPerSecond: round((updates / ms) * 1e3) }),
  };
}
