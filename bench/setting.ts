/** The settings of the engine during a measurement. */
export const NUMERICS = ['strict', 'relaxed'] as const;
export type Numerics = (typeof NUMERICS)[number];

export interface Setting {
  readonly threads: number;
  readonly numerics: Numerics;
  /** A few seconds for everything. It tests that the benchmark works; its results are not for publication. */
  readonly quick: boolean;
}
