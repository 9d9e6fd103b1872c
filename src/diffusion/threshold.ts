/**
 * Thresholding keeps predicted data in their range. It removes most of the error that an imperfect model makes in the
 * first steps.
 *
 * `clip`: clamps each element to [-limit, limit], as Ho et al. (2020) do for pictures in [-1, 1].
 * `dynamic`: for each sample, s is the quantile of |x0|, at least 1 and at most `most`; x0 = clamp(x0, -s, s)/s.
 * Source: Saharia et al., "Imagen" (2022), section 2.3. The quantile interpolates linearly, as torch.quantile.
 *
 * Both make the map of a sampler nonlinear. Then its order of convergence is not guaranteed.
 */
import { copyArray } from '../backend/kernels.ts';
import { ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * How predicted data are kept in their range: not at all, by clipping (to [-1, 1] by default), or by a quantile of each
 * sample.
 */
export type Threshold =
  | 'none'
  | 'clip'
  | { readonly kind: 'clip'; readonly limit: number }
  | {
      readonly kind: 'dynamic';
      /** Default 0.995. */
      readonly quantile?: number;
      /** The largest s. Default infinity. */
      readonly most?: number;
    };

/** Changes x0 [batch, ...] in place. */
export type Apply = (x0: Tensor) => void;

/** @throws ValueError for a limit that is not > 0, or a quantile outside (0, 1] */
export function thresholding(threshold: Threshold = 'none'): Apply {
  if (threshold === 'none') return () => {};
  if (threshold === 'clip') return clip(1);
  if (threshold.kind === 'clip') {
    return clip(withDefaults('threshold: clip', threshold, { kind: undefined, limit: undefined }).limit);
  }
  if (threshold.kind === 'dynamic') {
    const defaults = { kind: undefined, quantile: 0.995, most: Infinity };
    const { quantile, most } = withDefaults('threshold: dynamic', threshold, defaults);
    return dynamic(quantile, most);
  }
  throw new ValueError(`threshold: expected none, clip or dynamic, got ${JSON.stringify(threshold)}`);
}

function clip(limit: number): Apply {
  if (!(limit > 0)) throw new ValueError(`threshold: expected a limit > 0, got ${limit}`);
  const bounds = { lo: -limit, hi: limit };
  return (x0) => {
    const { backend, size, ptr } = x0;
    const out = { ptr, accumulate: false };
    backend.kernels.unary('clamp', { n: size, x: ptr, out, ...bounds });
    x0.markWritten();
  };
}

function dynamic(quantile: number, most: number): Apply {
  if (!(quantile > 0 && quantile <= 1)) {
    throw new ValueError(`threshold: expected a quantile in (0, 1], got ${quantile}`);
  }
  if (!(most > 0)) throw new ValueError(`threshold: expected a largest divisor > 0, got ${most}`);
  return (x0) => {
    const { kernels, elementBytes } = x0.backend;
    const batch = x0.shape[0] ?? 1;
    const n = x0.size / batch;
    const values = x0.backend.view(x0.ptr, x0.size);
    for (let i = 0; i < batch; i++) {
      const own = values.subarray(i * n, (i + 1) * n);
      const s = Math.min(Math.max(quantileOfSizes(own, quantile), 1), most);
      const at = x0.ptr + i * n * elementBytes;
      const out = { ptr: at, accumulate: false };
      kernels.unary('clamp', { n, x: at, out, lo: -s, hi: s });
      if (s !== 1) copyArray(kernels, n, at, out, 1 / s);
    }
    x0.markWritten();
  };
}

/** The quantile of |values|, with linear interpolation between the two nearest. */
function quantileOfSizes(values: Float32Array | Float64Array, quantile: number): number {
  const at = quantile * (values.length - 1);
  const i = Math.floor(at);
  const largest = largestSizes(values, values.length - i);
  return largest[0] + (at - i) * (largest[Math.min(1, largest.length - 1)] - largest[0]);
}

/** The m largest of |values|, increasing. A high quantile needs only a few: one pass is faster than sorting all. */
function largestSizes(values: Float32Array | Float64Array, m: number): Float64Array {
  if (m > 32) {
    const all = Float64Array.from(values, Math.abs).sort();
    return all.subarray(values.length - m);
  }
  const top = new Float64Array(m).fill(-Infinity);
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size <= top[0]) continue;
    let j = 1;
    for (; j < m && top[j] < size; j++) top[j - 1] = top[j];
    top[j - 1] = size;
  }
  return top;
}
