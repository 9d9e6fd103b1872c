/**
 * Time as a vector that a network can use: sines and cosines of geometrically spaced frequencies, then an MLP.
 *
 *   [cos(w_0 t), ..., cos(w_{h-1} t), sin(w_0 t), ..., sin(w_{h-1} t)],  h = dimension/2,  w_i = maxPeriod^(-i/h)
 *
 * The order and the frequencies are those of guided-diffusion (Dhariwal and Nichol 2021). Vaswani et al. (2017) and Ho
 * et al. (2020) have sines first. The values are computed in float64, once for each distinct time of a batch. Their
 * bits are the same on every engine. The time has no gradient.
 */
import { ValueError } from '../errors.ts';
import { cos, pow, sin } from '../math.ts';
import { describe, withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Linear } from './linear.ts';
import { Module } from './module.ts';

/** The frequencies w_i of an embedding with `dimension` numbers, [dimension/2]. */
export function timestepFrequencies(dimension: number, maxPeriod = 10_000): Float64Array {
  const half = dimension / 2;
  return Float64Array.from({ length: half }, (_, i) => pow(maxPeriod, -i / half));
}

/**
 * Sinusoids of times, one for each sample, [batch, dimension]. Times are float64 here. Near 1000, neighbouring float32
 * numbers are 2^-14 apart, and the highest frequency is 1.
 * @throws ValueError for a dimension that is not an even number >= 2, a period that is not > 0, or times that are not a
 * list
 */
export function timestepEmbedding(t: ArrayLike<number>, dimension: number, maxPeriod = 10_000): Tensor {
  checkDimension(dimension);
  if (!Number.isInteger(t.length))
    throw new ValueError(`time embedding: expected a list of times, got ${describe(t)}`);
  if (!(maxPeriod > 0 && maxPeriod < Infinity)) {
    throw new ValueError(`time embedding: expected a longest period > 0, got ${describe(maxPeriod)}`);
  }
  const frequencies = timestepFrequencies(dimension, maxPeriod);
  const values = new Float64Array(t.length * dimension);
  const rows = new Map<number, Float64Array>();
  for (const [i, time] of Array.from(t).entries()) {
    let row = rows.get(time);
    if (!row) {
      row = Float64Array.from([
        ...frequencies.map((w) => cos(w * time)),
        ...frequencies.map((w) => sin(w * time)),
      ]);
      rows.set(time, row);
    }
    values.set(row, i * dimension);
  }
  return tensor(values, [t.length, dimension]);
}

function checkDimension(dimension: number): void {
  if (!Number.isInteger(dimension) || dimension < 2 || dimension % 2 !== 0) {
    throw new ValueError(`time embedding: expected an even dimension, got ${dimension}`);
  }
}

/** Options of `TimeEmbedding`. */
export interface TimeEmbeddingOptions {
  /** The generator for the initial values. */
  readonly rng?: Rng;
  /** A factor of the times before the sinusoids: 1 for times 0 .. 999, and 1000 for times in [0, 1]. */
  readonly scale?: number;
}

/** Sinusoids, a linear layer, SiLU and another linear layer: times, one for each sample, to [batch, hidden]. */
export class TimeEmbedding extends Module {
  /** From the sinusoids, [dimension], to [hidden]. */
  readonly first: Linear;
  /** From [hidden] to [hidden], after SiLU. */
  readonly second: Linear;
  private readonly scale: number;

  /** @throws ValueError for a dimension that is not an even number >= 2 */
  constructor(
    readonly dimension: number,
    readonly hidden: number,
    options: TimeEmbeddingOptions = {},
  ) {
    super();
    const { scale, rng } = withDefaults('TimeEmbedding', options, { scale: 1, rng: sharedRng() });
    checkDimension(dimension);
    this.scale = scale;
    this.first = new Linear(dimension, hidden, { rng });
    this.second = new Linear(hidden, hidden, { rng });
  }

  /** Times, one for each sample, to [batch, hidden]. */
  forward(t: ArrayLike<number>): Tensor {
    const scaled = this.scale === 1 ? t : Float64Array.from(t, (time) => time * this.scale);
    return this.second.forward(this.first.forward(timestepEmbedding(scaled, this.dimension)).silu());
  }
}
