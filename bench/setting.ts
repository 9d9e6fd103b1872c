/** The settings of the engine during a measurement. */
export const NUMERICS = ['strict', 'relaxed'] as const;
export type Numerics = (typeof NUMERICS)[number];

export interface Setting {
  readonly threads: number;
  readonly numerics: Numerics;
  /** Measures everything within a few seconds. This tests the benchmark; the results are not for publication. */
  readonly quick: boolean;
}
