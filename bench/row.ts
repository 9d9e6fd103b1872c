/**
 * One measured figure: a line of `--json`, a row of the tables, an entry of the results file. A field that does
 * not apply is absent.
 */
export interface Row {
  readonly subject: string;
  /** The kernel in the form that was measured, or the program. */
  readonly name: string;
  /** Sizes: m x k x n of a product, rows x columns of an array. */
  readonly shape: string;
  readonly threads: number;
  readonly numerics: string;
  /** Milliseconds of one run: the best of many. */
  readonly ms: number;
  /** Milliseconds of one run: the median. */
  readonly msMedian?: number;
  /** 10^9 floating-point operations a second. */
  readonly gflops?: number;
  /** 10^9 bytes a second: what the kernel must at least read and write. */
  readonly gbps?: number;
  /** The share of the roof that was measured in the same moments (harness.ts). */
  readonly ofPeak?: number;
  readonly nsPerElement?: number;
  readonly nsPerSample?: number;
  /** Updates of paths of an SDE a second. */
  readonly samplesPerSecond?: number;
  /** How many times as fast as the twin in plain TypeScript. */
  readonly speedup?: number;
  /** Part of a program: how many calls of this kernel one run makes, and its share of the time. */
  readonly calls?: number;
  readonly share?: number;
  /** Of a sampler's own arithmetic: its time over that of the network. */
  readonly ofModel?: number;
  /** How many times as fast as the same work on the calling thread alone. */
  readonly overOne?: number;
  /** The least elements of a chunk from which on further threads win. */
  readonly grain?: number;
  /** Whose figure this is, where several libraries do the same work; and its time over langevin's. */
  readonly peer?: string;
  readonly relative?: number;
}

/** Four significant digits: more than a shared machine can promise. */
export const round = (x: number): number => Number(x.toPrecision(4));

/** What one run of some work amounts to; absent where it does not apply. */
export interface Work {
  /** Floating-point operations. */
  readonly flop?: number;
  /** Bytes that must be read and written. */
  readonly bytes?: number;
  /** Elements of the result. */
  readonly elements?: number;
  /** Random numbers. */
  readonly samples?: number;
  /** Updates of paths: paths times steps. */
  readonly updates?: number;
}

/** The rates at which work that takes `ms` milliseconds is done. */
export function rates({ flop, bytes, elements, samples, updates }: Work, ms: number): Partial<Row> {
  return {
    ...(flop !== undefined && { gflops: round(flop / ms / 1e6) }),
    ...(bytes !== undefined && { gbps: round(bytes / ms / 1e6) }),
    ...(elements !== undefined && { nsPerElement: round((ms * 1e6) / elements) }),
    ...(samples !== undefined && { nsPerSample: round((ms * 1e6) / samples) }),
    ...(updates !== undefined && { samplesPerSecond: round((updates / ms) * 1e3) }),
  };
}
