/** Axes: where a value stands between two ends, ticks in round numbers, and a grid behind what is drawn. */
import { ticksOf } from '../../image/plot-scale.ts';
import { type Place, px, text } from './svg.ts';

export interface Axis {
  readonly label: string;
  readonly domain: readonly [number, number];
  readonly log?: boolean;
  /** Default: as many as fit. */
  readonly ticks?: readonly number[];
}

/** The inside of a plot, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Round numbers between two ends, about `count` of them: steps of 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= 0.999 * rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The ends, moved out to round numbers. */
export function niceDomain(low: number, high: number): [number, number] {
  if (!(low < high)) return [low - 1, low + 1];
  const [a, b] = niceTicks(low, high, 5);
  const step = b === undefined ? high - low : b - a;
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

function tickText(value: number, step: number): string {
  const size = Math.abs(value);
  if (size >= 1e5 || (size > 0 && size < 1e-4))
    return value.toExponential().replace('e+', 'e').replace('-', '−');
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return value.toFixed(Math.min(8, digits)).replace('-', '−');
}

/** A place for each value between the ends of an axis. */
export function placeOn({ domain: [low, high], log }: Axis, from: number, to: number): Place {
  if (!log) return (value) => from + ((to - from) * (value - low)) / (high - low);
  const [a, b] = [Math.log(low), Math.log(high)];
  return (value) => from + ((to - from) * (Math.log(value) - a)) / (b - a);
}

interface Tick {
  readonly value: number;
  readonly text: string;
}

function ticksFor(axis: Axis, side: 'x' | 'y', length: number): Tick[] {
  const { domain, log } = axis;
  if (log) {
    const scale = { type: 'log' as const, domain: [...domain] };
    const { ticks = [], text: write } = ticksOf({
      axis: side,
      scale,
      length,
      textWidth: (word) => 7 * word.length,
    });
    return ticks.map((value) => ({ value, text: write!(value) }));
  }
  const values = axis.ticks ?? niceTicks(...domain, length / (side === 'x' ? 72 : 44));
  const step = values.length > 1 ? values[1] - values[0] : 1;
  return values.map((value) => ({ value, text: tickText(value, step) }));
}

/** What an axis leaves out: the names of ticks, or all of it. */
export type Shows = 'all' | 'grid' | 'none';

/** The grid and the words of two axes, and where values stand on them. */
export function axes(
  box: Box,
  x: Axis,
  y: Axis,
  { showX = 'all', showY = 'all' }: { showX?: Shows; showY?: Shows } = {},
): { readonly X: Place; readonly Y: Place; readonly svg: string } {
  const { left, top, right, bottom } = box;
  const X = placeOn(x, left, right);
  const Y = placeOn(y, bottom, top);
  let svg = '';
  if (showY !== 'none') {
    for (const { value, text: word } of ticksFor(y, 'y', bottom - top)) {
      svg += `<path class="grid" d="M${px(left)} ${px(Y(value))}H${px(right)}"/>`;
      if (showY === 'all') svg += text('tick', left - 8, Y(value) + 4, word, 'end');
    }
  }
  if (showX !== 'none') {
    for (const { value, text: word } of ticksFor(x, 'x', right - left)) {
      svg += `<path class="grid" d="M${px(X(value))} ${px(top)}V${px(bottom)}"/>`;
      if (showX === 'all') svg += text('tick', X(value), bottom + 18, word, 'middle');
    }
  }
  svg += `<path class="axis" d="M${px(left)} ${px(bottom)}H${px(right)}"/>`;
  if (x.label) svg += text('label', right, bottom + 36, x.label, 'end');
  if (y.label) svg += text('label', left, top - 10, y.label);
  return { X, Y, svg };
}
