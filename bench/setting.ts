/** What the engine is set to while something is measured. */
export const NUMERICS = ['strict', 'relaxed'] as const;
export type Numerics = (typeof NUMERICS)[number];

export interface Setting {
  readonly threads: number;
  readonly numerics: Numerics;
  /** A few seconds for everything: to see that it works, not to publish. */
  readonly quick: boolean;
}
