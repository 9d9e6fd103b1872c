/**
 * The scales of a plot: the range that they show, the places of their ticks, and the text at each tick.
 */
import { didYouMean, InternalError, ValueError } from '../errors.ts';
import { extent, type ScaleType } from './curves.ts';
import type { Layer, Prepared } from './plot-layers.ts';

export interface AxisOptions {
  /** The quantity with its unit. */
  readonly label: string;
  /** Default `linear`. */
  readonly scale?: ScaleType;
  /** The range that is shown. Points outside are cut off. Default: the range of the data, in round numbers along y. */
  readonly domain?: readonly [number, number];
}

/** Checks the name of the scale. */
export function scaleType({ scale = 'linear' }: AxisOptions, axis: 'x' | 'y'): ScaleType {
  if (scale === 'linear' || scale === 'log') return scale;
  const hint = didYouMean(String(scale), ['linear', 'log']);
  throw new ValueError(`plot: expected the ${axis} scale linear or log, got "${scale}".${hint}`);
}

/** Plot's options for one scale. */
export interface Scale {
  readonly type: ScaleType;
  readonly domain: number[];
  readonly nice: boolean;
  readonly inset: number;
}

/** The scale of an axis. @throws ValueError for a domain that does not rise, or that a log scale cannot show */
export function scaleOf(options: AxisOptions, axis: 'x' | 'y', prepared: readonly Prepared[]): Scale {
  const type = scaleType(options, axis);
  const domain = options.domain ?? domainOf(axis, type, prepared);
  const [low, high] = domain;
  if (!(Number.isFinite(low) && low < high && Number.isFinite(high) && (type === 'linear' || low > 0))) {
    throw new ValueError(
      `plot: expected a rising ${axis} domain on its ${type} scale, got ${low} to ${high}`,
    );
  }
  const has = (...kinds: Layer['kind'][]) => prepared.some(({ layer }) => kinds.includes(layer.kind));
  const free = !options.domain;
  // A curve reaches from edge to edge along x. Dots keep a distance from the frame.
  const nice = free && type === 'linear' && (axis === 'y' || !has('line', 'area'));
  const inset = free && !nice && (has('points') || axis === 'y') ? 8 : 0;
  return { type, domain: [low, high], nice, inset };
}

/** The extent of all data. It is widened if the data has a single value. */
function domainOf(axis: 'x' | 'y', type: ScaleType, prepared: readonly Prepared[]): [number, number] {
  const [low, high] = extent(prepared.flatMap((layer) => (axis === 'x' ? [layer.x] : layer.ys)));
  if (Number.isNaN(low)) return type === 'log' ? [1, 10] : [0, 1]; // rules across the other axis only
  if (low < high) return [low, high];
  const room = 0.1 * Math.abs(low) || 1;
  return type === 'log' ? [low / 2, low * 2] : [low - room, low + room];
}

/** Plot's options for the ticks of an axis. */
export interface Ticks {
  /** About how many pixels there are between ticks, if Plot chooses them. */
  readonly tickSpacing?: number;
  readonly ticks?: number[];
  readonly tickFormat?: (value: number) => string;
  /** Replaces `tickFormat` on a log scale, where Plot drops some of the numbers that it formats. */
  readonly text?: (value: number) => string;
}

/** An axis with numbers at its ticks. */
export interface Axis {
  readonly axis: 'x' | 'y';
  readonly scale: Pick<Scale, 'type' | 'domain'>;
  /** The length from end to end, in pixels. */
  readonly length: number;
  /** The width in pixels of a written number. */
  readonly textWidth: (text: string) => number;
}

/** Plot's own ticks, but with powers of ten for large and small numbers. On a log scale the ticks are our own. */
export function ticksOf({ scale: { type, domain }, ...axis }: Axis): Ticks {
  const [low, high] = domain;
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (type === 'linear') {
    // Numbers are written with three digits. They must differ within the domain.
    const tellApart = high - low > 0.05 * largest;
    return tellApart && (largest < 1e-3 || largest >= 1e6)
      ? { tickFormat: (value) => powerOfTen(value) }
      : {};
  }
  return logTicks(low, high, axis);
}

/** The least height of a number along y, and the least distance between numbers along x, in pixels. */
const [LINE, SPACE] = [16, 10];
const MOST_TICKS = 9;

/**
 * Selects ticks on a log scale: the largest set whose numbers do not touch. If none fits, it returns the two ends of
 * the domain.
 */
function logTicks(low: number, high: number, { axis, length, textWidth }: Omit<Axis, 'scale'>): Ticks {
  const place = (value: number) => (length * Math.log(value / low)) / Math.log(high / low);
  for (const { ticks, digits } of tickSets(low, high)) {
    const plain = ticks.every((tick) => tick >= 1e-3 && tick <= 1e4);
    const text = (value: number) => (plain ? formatPlain(value, digits) : powerOfTen(value, digits));
    const room = (value: number) => (axis === 'y' ? LINE : textWidth(text(value)) + SPACE);
    const fit = ticks.every((tick, i) => {
      if (i === 0) return true;
      return place(tick) - place(ticks[i - 1]) >= (room(tick) + room(ticks[i - 1])) / 2;
    });
    if (fit) return { ticks, text };
  }
  throw new InternalError(`plot: no ticks fit between ${low} and ${high}`);
}

interface TickSet {
  readonly ticks: number[];
  /** The number of digits that distinguishes the ticks. */
  readonly digits: number;
}

/** Leading digits of the ticks in a decade, from the most to the fewest. */
const LEADING = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]];

/** Distances between powers of ten, in decades. */
const STRIDES = [1, 2, 3, 5, 10, 20, 50, 100];

/** Sets of ticks within a domain on a log scale, from the most ticks to the fewest. The last set is the two ends. */
function tickSets(low: number, high: number): TickSet[] {
  const sets: TickSet[] = high < 6 * low ? evenTicks(low, high) : [];
  const [first, last] = [decade(low), decade(high)];
  for (const stride of STRIDES) {
    if ((last - first) / stride > MOST_TICKS) continue;
    for (const leading of stride > 1 ? [[1]] : LEADING) {
      const ticks: number[] = [];
      for (let power = Math.ceil(first / stride) * stride; power <= last; power += stride) {
        for (const digit of leading) ticks.push(Number(`${digit}e${power}`));
      }
      sets.push({ ticks, digits: 1 });
    }
  }
  const useful = sets
    .map(({ ticks, digits }) => ({ ticks: ticks.filter((tick) => tick >= low && tick <= high), digits }))
    .filter(({ ticks }) => ticks.length >= 2 && ticks.length <= MOST_TICKS)
    .sort((a, b) => b.ticks.length - a.ticks.length);
  const digits = Math.max(3, decade(high) - decade(high - low) + 2);
  return [...useful, { ticks: [low, high], digits }, { ticks: [high], digits }];
}

/** Round numbers at equal distances, for less than a decade. */
function evenTicks(low: number, high: number): TickSet[] {
  const top = decade(high - low);
  return [top - 1, top].flatMap((power) =>
    [1, 2, 5].map((digit) => {
      const step = Number(`${digit}e${power}`);
      const [from, to] = [Math.ceil(low / step), Math.floor(high / step)];
      const ticks = Array.from({ length: to - from + 1 }, (_, i) => Number(`${(from + i) * digit}e${power}`));
      return { ticks, digits: decade(high) - power + 1 };
    }),
  );
}

/** The exponent of ten of the first digit. */
const decade = (value: number) => Number(value.toExponential().split('e')[1]);

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** `2×10⁻⁵`, `10³`, `0`. */
function powerOfTen(value: number, digits = 3): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const [mantissa, exponent] = size.toExponential(Math.max(2, digits - 1)).split('e') as [string, string];
  const raised = exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (d) => SUPERSCRIPTS[Number(d)]);
  const sign = value < 0 ? '−' : '';
  return Number(mantissa) === 1 ? `${sign}10${raised}` : `${sign}${Number(mantissa)}×10${raised}`;
}

const formatPlain = (value: number, digits: number) =>
  value.toLocaleString('en-US', { maximumSignificantDigits: Math.max(3, digits) });
