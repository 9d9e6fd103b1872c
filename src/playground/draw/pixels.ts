/**
 * Pictures of pixels inside an SVG: as the bytes of a bitmap file, which every browser reads and which needs no
 * compression on the way; enlarged without blur.
 */
import { px } from './svg.ts';

/** Red, green and blue, 0 to 255. */
export type Color = readonly [number, number, number];

/** From 0 (black) to 1 (white). */
export const grey = (value: number): Color => {
  const byte = Math.max(0, Math.min(255, Math.round(255 * value)));
  return [byte, byte, byte];
};

/** The same in 16 levels, which take half the bytes. */
export const grey16 = (value: number): Color => {
  const byte = 17 * Math.max(0, Math.min(15, Math.round(15 * value)));
  return [byte, byte, byte];
};

/** Blue for −1, white for 0, vermilion for 1: signs that the colour-blind tell apart. */
export function signed(value: number): Color {
  const share = Math.max(-1, Math.min(1, value));
  const [r, g, b] = share < 0 ? [0, 114, 178] : [213, 94, 0];
  const mix = (byte: number) => Math.round(255 + Math.abs(share) * (byte - 255));
  return [mix(r), mix(g), mix(b)];
}

/** Bytes of the two headers of a bitmap file. */
const HEADER = 54;

/** Bits of a pixel: 4 where all are greys of 16 levels, 8 for other greys, else 24. */
function depthOf(colors: readonly Color[]): 4 | 8 | 24 {
  if (!colors.every(([r, g, b]) => r === g && g === b)) return 24;
  return colors.every(([r]) => r % 17 === 0) ? 4 : 8;
}

/** A bitmap file, whose rows run from the bottom up. Greys have a palette. */
function bitmap(width: number, height: number, colors: readonly Color[]): Uint8Array {
  const depth = depthOf(colors);
  const greys = depth === 24 ? 0 : 2 ** depth;
  const row = Math.ceil((depth * width) / 32) * 4;
  const start = HEADER + 4 * greys;
  const bytes = new Uint8Array(start + row * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, start, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, depth, true);
  view.setUint32(34, row * height, true);
  for (let i = 0; i < greys; i++) {
    const level = (255 * i) / (greys - 1);
    bytes.set([level, level, level], HEADER + 4 * i);
  }
  for (const [i, [r, g, b]] of colors.entries()) {
    const [x, y] = [i % width, height - 1 - Math.floor(i / width)];
    const at = start + y * row;
    if (depth === 24) bytes.set([b, g, r], at + 3 * x);
    else if (depth === 8) bytes[at + x] = r;
    else bytes[at + (x >> 1)] |= (r / 17) << (x % 2 === 0 ? 4 : 0);
  }
  return bytes;
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(binary);
}

/** The pixels as an image element at a place, each pixel a square. */
export function pixels(
  place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  width: number,
  height: number,
  colorAt: (x: number, y: number) => Color,
): string {
  const colors = Array.from({ length: width * height }, (_, i) => colorAt(i % width, Math.floor(i / width)));
  const url = `data:image/bmp;base64,${base64(bitmap(width, height, colors))}`;
  const { x, y } = place;
  const size = `x="${px(x)}" y="${px(y)}" width="${px(place.width)}" height="${px(place.height)}"`;
  return `<image class="pixels" ${size} preserveAspectRatio="none" href="${url}"/>`;
}
