/**
 * The Brownian bridge: the law of a Brownian motion inside an interval, given its increment over the interval.
 * These are pure formulas on pieces (W, H) of a path. W is the increment of the piece and H is its space-time Lévy
 * area (null if the path has no areas). brownian-path.ts builds the path from them.
 *
 * Let the interval have length h, let r in [0, 1] be a fraction of it, and q = r(1 - r). Given W and H,
 *   W_r = r W + 6q H + noise of variance h q(1 - 3q),
 *   A_r = ∫₀^{rh} W_s ds = h ((r²/2) W + (3r² - 2r³) H) + noise of variance h³ (r³/3 - r⁴/4 - 12(r²/4 - r³/6)²).
 * The two noises are jointly normal with covariance h² (r²/2 - r³/2 - 6q(r²/4 - r³/6)). These formulas follow from
 * Cov(W_s, W_t) = min(s, t).
 */
import { InternalError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A path over one interval: its increment and its area. */
export interface Piece {
  readonly w: Tensor;
  readonly h: Tensor | null;
  /** The interval's length. */
  readonly span: number;
}

/** Standard normals for one bridge step: one array, or two if the path has areas. */
export type BridgeNoise = readonly [Tensor, Tensor | null];

/** The two halves of a piece. */
export function halve({ w, h, span }: Piece, [z, n]: BridgeNoise): [Piece, Piece] {
  const half = span / 2;
  if (!h || !n) {
    const left = w.mul(0.5).add(z.mul(Math.sqrt(span) / 2));
    return [
      { w: left, h: null, span: half },
      { w: w.sub(left), h: null, span: half },
    ];
  }
  const kick = z.mul(Math.sqrt(span) / 4);
  const left = w.mul(0.5).add(h.mul(1.5)).add(kick);
  const common = h.mul(0.25).sub(kick.mul(0.5));
  const apart = n.mul(Math.sqrt(span / 12) / 2);
  return [
    { w: left, h: common.add(apart), span: half },
    { w: w.sub(left), h: common.sub(apart), span: half },
  ];
}

/** The piece over two adjacent intervals. */
export function combine(first: Piece, second: Piece): Piece {
  const span = first.span + second.span;
  const w = first.w.add(second.w);
  if (!first.h || !second.h) return { w, h: null, span };
  const [p, q] = [first.span / span, second.span / span];
  const areas = first.h.mul(p).add(second.h.mul(q));
  return { w, h: areas.add(first.w.mul(q / 2)).sub(second.w.mul(p / 2)), span };
}

/** The part of a piece between the fractions `from` < `to`. All parts of one piece use the same normals. */
export function bridgeAt(piece: Piece, noise: BridgeNoise, from: number, to: number): Piece {
  const [begin, end] = [pointAt(piece, noise, from), pointAt(piece, noise, to)];
  const span = (to - from) * piece.span;
  if (!end) throw new InternalError('an empty part of a piece');
  if (!begin) return { w: end.w, h: end.a ? end.a.mul(1 / span).sub(end.w.mul(0.5)) : null, span };
  const w = end.w.sub(begin.w);
  if (!end.a || !begin.a) return { w, h: null, span };
  const area = end.a
    .sub(begin.a)
    .mul(1 / span)
    .sub(begin.w);
  return { w, h: area.sub(w.mul(0.5)), span };
}

/** W and its integral from the beginning of the piece to the fraction r; null for r = 0. */
function pointAt(
  { w, h, span }: Piece,
  [z, n]: BridgeNoise,
  r: number,
): { w: Tensor; a: Tensor | null } | null {
  if (r === 0) return null;
  if (r === 1) return { w, a: h ? h.add(w.mul(0.5)).mul(span) : null };
  const q = r * (1 - r);
  if (!h || !n) return { w: w.mul(r).add(z.mul(Math.sqrt(span * q))), a: null };
  const s = r * r * (1 / 4 - r / 6);
  const deviation = Math.sqrt(q * (1 - 3 * q));
  const shared = (r * r * (1 - r)) / 2 - 6 * q * s;
  const second = shared / deviation;
  const own = r * r * r * (1 / 3 - r / 4) - 12 * s * s - second * second;
  const at = w
    .mul(r)
    .add(h.mul(6 * q))
    .add(z.mul(Math.sqrt(span) * deviation));
  const mean = w.mul((r * r) / 2).add(h.mul(12 * s));
  const root = Math.sqrt(span);
  const rest = z.mul(root * second).add(n.mul(root * Math.sqrt(Math.max(0, own))));
  return { w: at, a: mean.add(rest).mul(span) };
}
