/** Small grey pictures in rows. Each row is one SVG image, which keeps the text of the SVG short. */
import { type Color, pixels } from './pixels.ts';
import { px } from './svg.ts';

/** The gap between two pictures, in pixels of a picture. */
const GAP = 4;
/** The largest scale: the side of a picture's pixel, in screen pixels. */
const MOST_SCALE = 4;

/** Pictures of one size. `bytes` holds one picture after the other, each row by row. */
export interface Pictures {
  readonly width: number;
  readonly height: number;
  readonly bytes: ArrayLike<number>;
}

/** How pictures are laid out in a given width. */
export interface Layout {
  /** The number of pictures in a row. */
  readonly across: number;
  /** The side of a picture's pixel, in whole screen pixels. */
  readonly scale: number;
  /** The distance between the left sides of two neighbouring pictures, in screen pixels. */
  readonly pitch: number;
  /** The width of a full row, in screen pixels. */
  readonly width: number;
}

/** Lays out `count` pictures. A row has as many as fit at scale 2, and at most `most`. */
export function layoutOf(count: number, side: number, width: number, most = 10): Layout {
  const fits = (scale: number) => Math.floor((width / scale + GAP) / (side + GAP));
  const across = Math.max(1, Math.min(count, most, fits(2)));
  const unscaled = across * (side + GAP) - GAP;
  const scale = Math.max(1, Math.min(MOST_SCALE, Math.floor(width / unscaled)));
  return { across, scale, pitch: scale * (side + GAP), width: scale * unscaled };
}

/**
 * Draws the pictures [from, to) beside each other.
 * @param color gives the color for a byte and its place in the picture. By default it is grey.
 */
export function digitRow(
  { width, height, bytes }: Pictures,
  [from, to]: readonly [number, number],
  { x, y, scale }: { readonly x: number; readonly y: number; readonly scale: number },
  color: (byte: number, place: number) => Color = (byte) => [byte, byte, byte],
): string {
  const n = to - from;
  const across = n * (width + GAP) - GAP;
  const at = (column: number, row: number): Color => {
    const [i, left] = [Math.floor(column / (width + GAP)), column % (width + GAP)];
    if (left >= width) return [0, 0, 0];
    const place = row * width + left;
    return color(bytes[(from + i) * width * height + place], place);
  };
  const image = pixels({ x, y, width: scale * across, height: scale * height }, across, height, at);
  // Rectangles of class `paper`, the page's background, cover the gaps between the pictures.
  const gaps = Array.from({ length: n - 1 }, (_, i) => {
    const left = x + scale * (i * (width + GAP) + width);
    return `<rect class="paper" x="${px(left)}" y="${px(y)}" width="${scale * GAP}" height="${scale * height}"/>`;
  });
  return image + gaps.join('');
}
