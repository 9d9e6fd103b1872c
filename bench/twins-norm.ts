/** The twins of group normalisation. twins.ts says what a twin is. */

/** The statistics of one group of channels in one picture x[positions, channels]. The group starts at `first`. */
function statistics(x: Float32Array, first: number, positions: number, channels: number, size: number) {
  const n = positions * size;
  let mean = 0;
  for (let p = 0; p < positions; p++) for (let c = 0; c < size; c++) mean += x[first + p * channels + c];
  mean /= n;
  let variance = 0;
  for (let p = 0; p < positions; p++) {
    for (let c = 0; c < size; c++) variance += (x[first + p * channels + c] - mean) ** 2;
  }
  return { mean, rstd: 1 / Math.sqrt(variance / n + 1e-5) };
}

export interface Sizes {
  readonly batch: number;
  readonly positions: number;
  readonly channels: number;
  readonly groups: number;
  readonly silu: boolean;
}

/** y = x̂·weight + bias, or SiLU of that. */
export function groupNorm(
  { batch, positions, channels, groups, silu }: Sizes,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  y: Float32Array,
): void {
  const size = channels / groups;
  for (let group = 0; group < batch * groups; group++) {
    const begin = (group % groups) * size;
    const first = Math.floor(group / groups) * positions * channels + begin;
    const { mean, rstd } = statistics(x, first, positions, channels, size);
    for (let p = 0; p < positions; p++) {
      for (let c = 0; c < size; c++) {
        const e = first + p * channels + c;
        const z = (x[e] - mean) * rstd * weight[begin + c] + bias[begin + c];
        y[e] = silu ? z / (1 + Math.exp(-z)) : z;
      }
    }
  }
}

/** dx from dy. */
export function groupNormBackward(
  { batch, positions, channels, groups, silu }: Sizes,
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
): void {
  const size = channels / groups;
  const n = positions * size;
  for (let group = 0; group < batch * groups; group++) {
    const begin = (group % groups) * size;
    const first = Math.floor(group / groups) * positions * channels + begin;
    const { mean, rstd } = statistics(x, first, positions, channels, size);
    const dz = (e: number, c: number) => {
      if (!silu) return dy[e];
      const z = (x[e] - mean) * rstd * weight[begin + c] + bias[begin + c];
      const s = 1 / (1 + Math.exp(-z));
      return dy[e] * s * (1 + z * (1 - s));
    };
    let [g1, g2] = [0, 0];
    for (let p = 0; p < positions; p++) {
      for (let c = 0; c < size; c++) {
        const e = first + p * channels + c;
        dx[e] = dz(e, c) * weight[begin + c];
        g1 += dx[e];
        g2 += dx[e] * (x[e] - mean) * rstd;
      }
    }
    for (let p = 0; p < positions; p++) {
      for (let c = 0; c < size; c++) {
        const e = first + p * channels + c;
        dx[e] = rstd * (dx[e] - g1 / n - ((x[e] - mean) * rstd * g2) / n);
      }
    }
  }
}
