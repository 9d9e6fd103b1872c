/**
 * The layers of a plot: what a caller may draw, and how Observable Plot draws it.
 *
 * Values that are not finite are gaps. So are values <= 0 on a log scale. A line breaks at a gap, and no NaN is written
 * into the picture. Lines and bands of more than `MOST_POINTS` points are thinned: the lowest and the highest point of
 * each stretch stay, so the outline does not change. Scattered points and vectors beyond `MOST_DOTS` are thinned
 * evenly. Left out on purpose: categories, time axes, colour scales.
 */
import * as Plot from '@observablehq/plot';
import { didYouMean, ShapeError, ValueError } from '../errors.ts';
import {
  checkCurves,
  clean,
  evenIndices,
  extent,
  type Numbers,
  pick,
  type ScaleType,
  thin,
  thinnedNote,
  usable,
} from './curves.ts';

interface Style {
  /**
   * Text in the legend. A layer without a name has no entry there, and neither has a layer with the name of an earlier
   * one.
   */
  readonly name?: string;
  /** A colour `#rrggbb`. Default: the next of `PALETTE`; grey for a rule. */
  readonly color?: string;
  /** 0 to 1. */
  readonly opacity?: number;
}

interface Stroke extends Style {
  /** In pixels. */
  readonly width?: number;
  /** Default `solid`; `dashed` for a rule; the dash of `seriesStyle` for a line without a colour. */
  readonly dash?: Dash;
}

/** Points joined in their order. */
export interface LineLayer extends Stroke {
  readonly kind: 'line';
  readonly x: Numbers;
  readonly y: Numbers;
}

/** The region between two curves, such as a two-sigma band. */
export interface AreaLayer extends Style {
  readonly kind: 'area';
  readonly x: Numbers;
  readonly lower: Numbers;
  readonly upper: Numbers;
}

/** A histogram: bar i reaches from `edges[i]` to `edges[i + 1]`, and from 0 up to `heights[i]`. */
export interface BarsLayer extends Style {
  readonly kind: 'bars';
  readonly edges: Numbers;
  readonly heights: Numbers;
}

export interface PointsLayer extends Style {
  readonly kind: 'points';
  readonly x: Numbers;
  readonly y: Numbers;
  /** In pixels. Default 3, and less if there are many points. */
  readonly radius?: number;
}

/** Arrows from (x, y) along (u, v), in units of the axes. */
export interface VectorsLayer extends Stroke {
  readonly kind: 'vectors';
  readonly x: Numbers;
  readonly y: Numbers;
  readonly u: Numbers;
  readonly v: Numbers;
  /** The length of the arrow of a unit vector. Default: the longest arrow is as long as the distance between arrows. */
  readonly length?: number;
}

/** A straight line across the whole plot, at one x or at one y. */
export interface RuleLayer extends Stroke {
  readonly kind: 'rule';
  readonly x?: number;
  readonly y?: number;
}

export type Layer = LineLayer | AreaLayer | BarsLayer | PointsLayer | VectorsLayer | RuleLayer;

/** Colours that people with any kind of colour vision can distinguish (Okabe and Ito, 2008), without the yellow. */
export const PALETTE = {
  blue: '#0072b2',
  vermilion: '#d55e00',
  green: '#009e73',
  purple: '#b05a8c',
  orange: '#e69f00',
  sky: '#56b4e9',
  grey: '#767676',
} as const;

/** Lengths of strokes and gaps in pixels. */
export const DASHES = {
  solid: 'none',
  dashed: '6 4',
  dotted: '1.8 3',
  'dash-dot': '9 3 2 3',
} as const;
export type Dash = keyof typeof DASHES;

/** How a series is distinguished from the others. */
export interface SeriesStyle {
  readonly color: string;
  readonly dash: Dash;
}

/**
 * The style of series i, counted from 0. The colours come in turn, and then again with the next dash. The first 28
 * styles are distinct.
 */
export function seriesStyle(i: number): SeriesStyle {
  const [colors, dashes] = [Object.values(PALETTE), Object.keys(DASHES) as Dash[]];
  return {
    color: colors[i % colors.length],
    dash: dashes[Math.floor(i / colors.length) % dashes.length],
  };
}

/** A layer that has been checked, cleaned, thinned and coloured. */
export interface Prepared {
  readonly layer: Layer;
  readonly color: string;
  readonly dash: Dash;
  /** Finite coordinates, and NaN for gaps. `x` may have one value more (the edges of bars). */
  readonly x: Float64Array;
  /** The curves over x: one curve, or the lower and the upper one. */
  readonly ys: readonly Float64Array[];
  readonly marks: readonly Plot.Markish[];
  /** What was thinned, as a text for the description, or the empty string. */
  readonly note: string;
}

/**
 * Prepares every layer for drawing.
 * @throws {ShapeError} for arrays of different lengths.
 * @throws {ValueError} for a layer without a point that can be drawn, and for an unknown kind.
 */
export function prepare(layers: readonly Layer[], xType: ScaleType, yType: ScaleType): Prepared[] {
  let used = 0;
  return layers.map((layer, i) => {
    const draw = Object.hasOwn(KINDS, layer.kind) ? KINDS[layer.kind] : undefined;
    if (!draw) {
      const names = Object.keys(KINDS);
      const hint = didYouMean(String(layer.kind), names);
      throw new ValueError(`plot: expected a layer of kind ${names.join(', ')}, got "${layer.kind}".${hint}`);
    }
    const style: SeriesStyle =
      layer.kind === 'rule' ? { color: '#555555', dash: 'dashed' } : seriesStyle(layer.color ? 0 : used++);
    const { color = style.color, dash = style.dash } = layer as Stroke;
    if (!/^#[0-9a-f]{6}$/i.test(color)) {
      throw new ValueError(`plot: expected a colour #rrggbb, got "${color}"`);
    }
    const what = `plot: ${layer.kind} ${layer.name ? `"${layer.name}"` : `(layer ${i})`}`;
    if (!Object.hasOwn(DASHES, dash)) {
      const names = Object.keys(DASHES);
      throw new ValueError(
        `plot: expected the dash ${names.join(', ')}, got "${dash}".${didYouMean(String(dash), names)}`,
      );
    }
    const drawn = (draw as Draw<Layer>)(layer, {
      color,
      dash,
      what,
      onX: usable(xType),
      onY: usable(yType),
    });
    return { layer, color, dash, note: '', ...drawn };
  });
}

interface Context {
  readonly color: string;
  readonly dash: Dash;
  readonly what: string;
  readonly onX: (value: number) => number;
  readonly onY: (value: number) => number;
}
type Drawn = Pick<Prepared, 'x' | 'ys' | 'marks'> & { readonly note?: string };
type Draw<L extends Layer> = (layer: L, context: Context) => Drawn;

const KINDS: { readonly [K in Layer['kind']]: Draw<Extract<Layer, { kind: K }>> } = {
  line(layer, { color, dash: name, what, onX, onY }) {
    const all = { x: clean(layer.x, onX), ys: [clean(layer.y, onY)] };
    const { x, ys, note } = thin(checkCurves(all, what));
    const stroke = { stroke: color, strokeWidth: layer.width ?? 1.8, strokeOpacity: layer.opacity ?? 1 };
    const dash = name === 'solid' ? {} : { strokeDasharray: DASHES[name], strokeLinecap: 'butt' as const };
    return { x, ys, note, marks: [Plot.line(indices(x), { x, y: ys[0], ...stroke, ...dash })] };
  },

  area(layer, { color, what, onX, onY }) {
    const all = { x: clean(layer.x, onX), ys: [clean(layer.lower, onY), clean(layer.upper, onY)] };
    const { x, ys, note } = thin(checkCurves(all, what));
    const fill = { fill: color, fillOpacity: layer.opacity ?? 0.18 };
    return { x, ys, note, marks: [Plot.areaY(indices(x), { x, y1: ys[0], y2: ys[1], ...fill })] };
  },

  bars(layer, { color, what, onX, onY }) {
    const x = clean(layer.edges, onX);
    const heights = clean(layer.heights, onY);
    if (x.length !== heights.length + 1) {
      throw new ShapeError(`${what}: expected ${heights.length + 1} edges, got ${x.length}`);
    }
    if (Number.isNaN(onY(0))) throw new ValueError(`${what}: expected a linear y scale, got log`);
    const y = checkCurves({ x: x.slice(0, -1), ys: [heights] }, what).ys[0];
    const inset = y.length > 120 ? 0 : 0.5;
    const fill = { fill: color, fillOpacity: layer.opacity ?? 0.6, insetLeft: inset, insetRight: inset };
    const floor = new Float64Array(y.length);
    const marks = [Plot.rect(indices(y), { x1: x.slice(0, -1), x2: x.slice(1), y1: floor, y2: y, ...fill })];
    return { x, ys: [y, floor], marks };
  },

  points(layer, { color, what, onX, onY }) {
    const all = checkCurves({ x: clean(layer.x, onX), ys: [clean(layer.y, onY)] }, what);
    const kept = evenIndices(all.x.length);
    const [x, y] = [pick(all.x, kept), pick(all.ys[0], kept)];
    const r = layer.radius ?? (x.length > 1000 ? 1.5 : x.length > 200 ? 2 : 3);
    const fill = { fill: color, fillOpacity: layer.opacity ?? (x.length > 200 ? 0.6 : 0.9) };
    return {
      x,
      ys: [y],
      note: thinnedNote(kept, all.x),
      marks: [Plot.dot(indices(x), { x, y, r, ...fill })],
    };
  },

  vectors(layer, { color, what, onX, onY }) {
    const any = usable('linear');
    const all = checkCurves(
      { x: clean(layer.x, onX), ys: [layer.y, layer.u, layer.v].map((a) => clean(a, any)) },
      what,
    );
    const kept = evenIndices(all.x.length);
    const x = pick(all.x, kept);
    const [y, u, v] = all.ys.map((a) => pick(a, kept)) as [Float64Array, Float64Array, Float64Array];
    const length = layer.length ?? arrowLength(x, y, u, v);
    const x2 = x.map((value, i) => onX(value + length * u[i]));
    const y2 = y.map((value, i) => onY(value + length * v[i]));
    const stroke = { stroke: color, strokeWidth: layer.width ?? 1.2, strokeOpacity: layer.opacity ?? 0.85 };
    const marks = [Plot.arrow(indices(x), { x1: x, y1: y, x2, y2, headLength: 5, headAngle: 50, ...stroke })];
    return {
      x: Float64Array.of(...extent([x, x2])),
      ys: [Float64Array.of(...extent([y, y2]))],
      note: thinnedNote(kept, all.x),
      marks,
    };
  },

  rule(layer, { color, dash: name, what, onX, onY }) {
    const { x, y } = layer;
    if ((x === undefined) === (y === undefined)) throw new ValueError(`${what}: expected either x or y`);
    const at = x === undefined ? onY(y!) : onX(x);
    if (Number.isNaN(at))
      throw new ValueError(`${what}: expected a finite value on the scale, got ${x ?? y}`);
    const stroke = { stroke: color, strokeWidth: layer.width ?? 1.2, strokeOpacity: layer.opacity ?? 1 };
    const dash = { strokeDasharray: DASHES[name] };
    const mark = (x === undefined ? Plot.ruleY : Plot.ruleX)([at], { ...stroke, ...dash });
    const only = Float64Array.of(at);
    const none = new Float64Array(0);
    return x === undefined ? { x: none, ys: [only], marks: [mark] } : { x: only, ys: [none], marks: [mark] };
  },
};

const indices = (values: Numbers) => ({ length: values.length });

/** A length with which the longest arrow spans the mean distance between neighbours on an even grid. */
function arrowLength(x: Float64Array, y: Float64Array, u: Float64Array, v: Float64Array): number {
  const [[x0, x1], [y0, y1]] = [extent([x]), extent([y])];
  const apart = Math.sqrt(((x1 - x0) * (y1 - y0)) / x.length) || Math.max(x1 - x0, y1 - y0) / x.length || 1;
  let longest = 0;
  for (let i = 0; i < x.length; i++) longest = Math.max(longest, Math.sqrt(u[i] ** 2 + v[i] ** 2) || 0);
  return longest === 0 ? 1 : apart / longest;
}
