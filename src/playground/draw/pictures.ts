/** Rows of pictures as strips: pictures beside each other, ten in a line, or five where the page is narrow. */
import { grey16, pixels } from './pixels.ts';
import { path, text } from './svg.ts';

export interface StripRow {
  readonly label: string;
  /** The grey of a pixel, from 0 to 1: of picture after picture. */
  at(index: number): number;
}

export interface Strips {
  readonly height: number;
  readonly width: number;
  readonly rows: readonly StripRow[];
  /** Pictures in a row. Default 10. */
  readonly pictures?: number;
}

const PICTURES = 10;
const NARROW = 560;

/** The strips and their height. A pixel is a whole number of screen pixels. */
export function drawPictures(
  { height: h, width: w, rows, pictures = PICTURES }: Strips,
  room: number,
): { readonly svg: string; readonly height: number } {
  const across = Math.min(pictures, room < NARROW ? PICTURES / 2 : PICTURES);
  const scale = Math.max(1, Math.floor(room / (across * w)));
  const [wide, high] = [across * w * scale, h * scale];
  let [svg, y] = ['', 0];
  for (let first = 0; first < pictures; first += across) {
    for (const { label, at } of rows) {
      svg += text('label', 0, y + 14, label);
      const pixel = (x: number, row: number) =>
        grey16(at((first + Math.floor(x / w)) * w * h + row * w + (x % w)));
      svg += pixels({ x: 0, y: y + 20, width: wide, height: high }, across * w, h, pixel);
      const gaps = Array.from({ length: across - 1 }, (_, i) => `M${(i + 1) * w * scale} ${y + 20}v${high}`);
      svg += path('gap', gaps.join(''));
      y += high + 28;
    }
    y += 8;
  }
  return { svg, height: y - 16 };
}
