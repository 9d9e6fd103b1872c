/**
 * Histograms as densities. A plot draws them as bars under the curve of the exact density.
 */
import { ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';

export interface HistogramOptions {
  /**
   * The number of bins, all of one width. Default: twice the cube root of the number of samples (Rice), from 10 to 100.
   */
  readonly bins?: number;
  /** The range that the bins cover. Default: from the smallest to the largest sample. */
  readonly domain?: readonly [number, number];
}

/**
 * Counts samples into bins of one width. Bin i is [edges[i], edges[i + 1]); the last bin includes its end. `heights[i]`
 * is the share of *all* samples divided by the width of a bin. So the bars estimate the density even if some samples
 * lie outside the domain. If none does, the area of the bars is 1.
 * @throws {ValueError} for no samples, a sample that is not finite, a fractional number of bins, or an empty domain.
 */
export function histogram(
  samples: ArrayLike<number>,
  options: HistogramOptions = {},
): { edges: Float64Array; heights: Float64Array } {
  const count = samples.length;
  if (count === 0) throw new ValueError('histogram: expected at least one sample, got none');
  let [least, most] = [samples[0], samples[0]];
  for (let i = 0; i < count; i++) {
    const sample = samples[i];
    if (!Number.isFinite(sample))
      throw new ValueError(`histogram: expected finite samples, got ${sample} at ${i}`);
    least = Math.min(least, sample);
    most = Math.max(most, sample);
  }
  const range: readonly [number, number] = least < most ? [least, most] : [least - 0.5, least + 0.5];
  const rice = Math.min(100, Math.max(10, Math.ceil(2 * Math.cbrt(count))));
  const { bins, domain } = withDefaults('histogram', options, { bins: rice, domain: range });
  const [low, high] = domain;
  if (!Number.isInteger(bins) || bins < 1)
    throw new ValueError(`histogram: expected at least 1 bin, got ${bins}`);
  if (!(low < high)) throw new ValueError(`histogram: expected a rising domain, got ${low} to ${high}`);

  const width = (high - low) / bins;
  const heights = new Float64Array(bins);
  for (let i = 0; i < count; i++) {
    const sample = samples[i];
    if (sample < low || sample > high) continue;
    heights[Math.min(bins - 1, Math.floor((sample - low) / width))] += 1 / (count * width);
  }
  return { edges: Float64Array.from({ length: bins + 1 }, (_, i) => low + i * width), heights };
}
