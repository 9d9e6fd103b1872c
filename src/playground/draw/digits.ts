/** Small grey pictures in rows. A row is one image, so that many of them stay small as text. */
import { type Color, pixels } from './pixels.ts';
import { px } from './svg.ts';

/** Between two pictures, in pixels of a picture. */
const GAP = 4;
/** A pixel of a picture has at most so many of the screen. */
const MOST_SCALE = 4;

/** Pictures of one size, row after row of pixels, one after the other. */
export interface Pictures {
  readonly width: number;
  readonly height: number;
  readonly bytes: ArrayLike<number>;
}

/** How pictures are laid out in a width. */
export interface Layout {
  /** Pictures in a row. */
  readonly across: number;
  /** Whole pixels of the screen for one of a picture. */
  readonly scale: number;
  /** From the left side of a picture to that of the next. */
  readonly pitch: number;
  /** The width of a full row. */
  readonly width: number;
}

/** Lays out `count` pictures: as many in a row as fit at twice their size, at most `most`. */
export function layoutOf(count: number, side: number, width: number, most = 10): Layout {
  const fits = (scale: number) => Math.floor((width / scale + GAP) / (side + GAP));
  const across = Math.max(1, Math.min(count, most, fits(2)));
  const unscaled = across * (side + GAP) - GAP;
  const scale = Math.max(1, Math.min(MOST_SCALE, Math.floor(width / unscaled)));
  return { across, scale, pitch: scale * (side + GAP), width: scale * unscaled };
}

/**
 * Pictures `from` to before `to` beside each other.
 * @param color of a byte and its place in the picture; default grey
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
  // The ground of the page lies over what is between the pictures.
  const gaps = Array.from({ length: n - 1 }, (_, i) => {
    const left = x + scale * (i * (width + GAP) + width);
    return `<rect class="paper" x="${px(left)}" y="${px(y)}" width="${scale * GAP}" height="${scale * height}"/>`;
  });
  return image + gaps.join('');
}
