/**
 * The scales of a plot: which range they show, and where their ticks stand and what is written there.
 */
import { didYouMean, InternalError, ValueError } from '../errors.ts';
import { extent, type ScaleType } from './curves.ts';
import type { Layer, Prepared } from './plot-layers.ts';

export interface AxisOptions {
  /** What is measured, with its unit. */
  readonly label: string;
  /** Default `linear`. */
  readonly scale?: ScaleType;
  /** The range that is shown; what lies outside is cut. Default: all of the data, in round numbers along y. */
  readonly domain?: readonly [number, number];
}

/** Checks the name of the scale. */
export function typeOf({ scale = 'linear' }: AxisOptions, axis: 'x' | 'y'): ScaleType {
  if (scale === 'linear' || scale === 'log') return scale;
  const hint = didYouMean(String(scale), ['linear', 'log']);
  throw new ValueError(`plot: expected the ${axis} scale linear or log, got "${scale}".${hint}`);
}

/** Plot's options for one scale, and for the numbers at its ticks. */
export function scaleOf(options: AxisOptions, axis: 'x' | 'y', prepared: readonly Prepared[]) {
  const type = typeOf(options, axis);
  const domain = options.domain ?? domainOf(axis, type, prepared);
  const [low, high] = domain;
  if (!(Number.isFinite(low) && low < high && Number.isFinite(high) && (type === 'linear' || low > 0))) {
    throw new ValueError(
      `plot: expected a rising ${axis} domain on its ${type} scale, got ${low} to ${high}`,
    );
  }
  const has = (...kinds: Layer['kind'][]) => prepared.some(({ layer }) => kinds.includes(layer.kind));
  const free = !options.domain;
  // a curve reaches from edge to edge along x; dots keep clear of the frame
  const nice = free && type === 'linear' && (axis === 'y' || !has('line', 'area'));
  const inset = free && !nice && (has('points') || axis === 'y') ? 8 : 0;
  return { scale: { type, domain: [low, high], nice, inset }, ticks: ticksOf(type, low, high) };
}

/** The extent of all data, widened where it is a single value. */
function domainOf(axis: 'x' | 'y', type: ScaleType, prepared: readonly Prepared[]): [number, number] {
  const [low, high] = extent(prepared.flatMap((layer) => (axis === 'x' ? [layer.x] : layer.ys)));
  if (Number.isNaN(low)) return type === 'log' ? [1, 10] : [0, 1]; // rules across the other axis alone
  if (low < high) return [low, high];
  const room = 0.1 * Math.abs(low) || 1;
  return type === 'log' ? [low / 2, low * 2] : [low - room, low + room];
}

export interface Ticks {
  readonly ticks?: number[];
  readonly tickFormat?: (value: number) => string;
  /** In place of `tickFormat` on a log scale, where Plot leaves out some of the numbers that it formats. */
  readonly text?: (value: number) => string;
}

/** Plot's own ticks, but powers of ten for large and small numbers, and few and round ones on a log scale. */
function ticksOf(type: ScaleType, low: number, high: number): Ticks {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (type === 'linear') {
    const tellApart = high - low > 0.05 * largest; // by the three digits that are written
    return tellApart && (largest < 1e-3 || largest >= 1e6) ? { tickFormat: powerOfTen } : {};
  }
  const [first, last] = [low, high].map(decade) as [number, number];
  for (const digits of LOG_DIGITS) {
    const every = digits.length > 1 ? 1 : Math.ceil((last - first + 1) / MOST_TICKS);
    const ticks: number[] = [];
    for (let power = first; power <= last; power += every) {
      for (const digit of digits) ticks.push(Number(`${digit}e${power}`));
    }
    const shown = ticks.filter((tick) => tick >= low && tick <= high);
    const plain = shown.every((tick) => tick >= 1e-3 && tick <= 1e4);
    if (shown.length <= MOST_TICKS) return { ticks: shown, text: plain ? formatPlain : powerOfTen };
  }
  throw new InternalError('plot: more powers of ten than were asked for');
}

const MOST_TICKS = 9;
/** Leading digits of ticks on a log scale, from the finest to the coarsest choice. */
const LOG_DIGITS = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].map((step) =>
    Array.from({ length: Math.round(9 / step) }, (_, i) => (1 + i * step).toFixed(2)),
  ),
  ['1', '2', '5'],
  ['1'],
];

/** The power of ten of the first digit. */
const decade = (value: number) => Number(value.toExponential().split('e')[1]);

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** `2×10⁻⁵`, `10³`, `0`. */
function powerOfTen(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const [mantissa, exponent] = size.toExponential(2).split('e') as [string, string];
  const raised = exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (d) => SUPERSCRIPTS[Number(d)]);
  const sign = value < 0 ? '−' : '';
  return Number(mantissa) === 1 ? `${sign}10${raised}` : `${sign}${Number(mantissa)}×10${raised}`;
}

const formatPlain = (value: number) => value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
