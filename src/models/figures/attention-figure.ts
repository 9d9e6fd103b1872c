/** The figure of the attention to words (attention.ts computes it). A drawing needs this file, and no tensor engine. */

/** A picture, and a map for each word of its caption. */
export interface AttentionRow {
  readonly words: readonly string[];
  /** [height·width], 0 to 1. */
  readonly picture: Float64Array;
  /** One map per word, [height·width]: probabilities. */
  readonly maps: readonly Float64Array[];
}

export interface AttentionFigure {
  readonly height: number;
  readonly width: number;
  readonly rows: readonly AttentionRow[];
}

/** The largest probability in the maps of a row. A drawing scales by it. */
export const mostAttention = ({ maps }: AttentionRow): number =>
  Math.max(...maps.map((map) => map.reduce((a, b) => Math.max(a, b), 0)));
