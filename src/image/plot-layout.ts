/**
 * The layout of a plot. The margins are as wide as the numbers at the ticks. There are as many ticks as there is room
 * for their numbers. Plot does not know how wide a text is. So we first draw each axis alone and read its numbers.
 */
import * as Plot from '@observablehq/plot';
import { estimateWidth } from './plot-header.ts';
import { type Scale, type Ticks, ticksOf } from './plot-scale.ts';

export const FONT = {
  'font-family': "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  'font-size': 12,
};
export const AXIS = {
  tickSize: 5,
  tickPadding: 4,
  labelAnchor: 'center',
  labelArrow: 'none',
  color: '#333333',
} as const;
/** The margin around the whole picture, in pixels. */
export const MARGIN = 16;
/** The height for the numbers and the label below the x axis, in pixels. */
const BELOW = 54;
/** Two distances in pixels: from the outer edge of the y label to the numbers, and from the numbers to the axis. */
const Y_LABEL = 22;
const Y_TICK = AXIS.tickSize + AXIS.tickPadding;

/** The size of the whole picture, and the place of its header. */
interface Space {
  readonly document: Document;
  readonly width: number;
  readonly height: number;
  readonly marginTop: number;
  readonly x: Scale;
  readonly y: Scale;
}

/**
 * The margins that the numbers at the ticks need, and the largest number of ticks along x whose numbers do not touch.
 */
export function layOut(space: Space, equal: boolean) {
  const { width, height, marginTop, x, y } = space;
  const frame = { ...space, height: equal ? width : height, marginRight: MARGIN + 12, marginBottom: BELOW };
  const tickSpacing = equal ? { tickSpacing: 60 } : {};
  const length = frame.height - marginTop - BELOW;
  const ticksY: Ticks = { ...ticksOf({ axis: 'y', scale: y, length, textWidth }), ...tickSpacing };
  const left = drawAxis('y', frame, ticksY);
  const marginLeft = MARGIN + Y_LABEL + Math.max(0, ...left.numbers.map((number) => number.width)) + Y_TICK;
  const inner = width - marginLeft - frame.marginRight;
  let ticksX: Ticks = { ...ticksOf({ axis: 'x', scale: x, length: inner, textWidth }), ...tickSpacing };
  let { numbers } = drawAxis('x', { ...frame, marginLeft }, ticksX);
  for (let spacing = 100; spacing < inner && touch(numbers); spacing *= 1.3) {
    ticksX = { ...ticksX, tickSpacing: spacing };
    numbers = drawAxis('x', { ...frame, marginLeft }, ticksX).numbers;
  }
  const last = numbers[numbers.length - 1];
  const beyond = last ? last.place + last.width / 2 - (marginLeft + inner) : 0;
  const marginRight = Math.max(frame.marginRight, Math.ceil(beyond) + 4);
  if (equal) {
    const side = width - marginLeft - marginRight;
    frame.height = Math.round(marginTop + side * left.heightPerWidth + BELOW);
  }
  return { frame: { ...frame, marginLeft, marginRight }, ticksX, ticksY };
}

const textWidth = (text: string) => estimateWidth(text, FONT['font-size']);

/** A number at a tick: its middle and its width, in pixels. */
interface AxisNumber {
  readonly place: number;
  readonly width: number;
}

const touch = (numbers: readonly AxisNumber[]) =>
  numbers.some(({ place, width }, i) => {
    const before = numbers[i - 1];
    return before && place - before.place < (width + before.width) / 2 + 6;
  });

/**
 * Draws one axis alone. It returns the numbers of the axis, and the ratio of height to width of the shown domains. We
 * compute this ratio, because Plot's `aspectRatio` does not use our margins.
 */
function drawAxis(name: 'x' | 'y', frame: Plot.PlotOptions, ticks: Ticks) {
  const options = { ...AXIS, ...ticks, label: null };
  const axis = name === 'x' ? Plot.axisX(options) : Plot.axisY(options);
  // Without `axis: null` Plot adds the other axis too.
  const scales = { x: { ...frame.x, axis: null }, y: { ...frame.y, axis: null } };
  const alone = Plot.plot({ ...frame, ...scales, marks: [axis] });
  const numbers = [...alone.querySelectorAll('text')].map((text): AxisNumber => {
    const [x, y] = text.getAttribute('transform')!.match(/-?[\d.]+/g)!;
    return { place: Number(name === 'x' ? x : y), width: textWidth(text.textContent ?? '') };
  });
  const length = (side: 'x' | 'y') => {
    const [low, high] = alone.scale(side)!.domain as [number, number];
    return high - low;
  };
  return { numbers, heightPerWidth: length('y') / length('x') };
}
