/**
 * Makes a picture of any size and any number of channels fit a data set: grey or RGB, of a given size.
 *
 *     opaque    RGBA over black: each colour is multiplied by alpha/255
 *     grey      round(0.299 R + 0.587 G + 0.114 B), the luma of ITU-R BT.601; a picture with R = G = B keeps its greys
 *     scaled    area averaging: a pixel of the result is the mean of the rectangle that it covers in the source. A source
 *               pixel at the edge of the rectangle counts with the share of it that is inside. So it also enlarges.
 *     fitted    scaled so that the longer side has the given length, in the middle of a black square
 *
 * Only + - * / and rounding are used, so the bytes are the same on every machine. Left out on purpose: gamma (the mean is
 * that of the bytes, as in Pillow and OpenCV), and other filters.
 */
import type { Picture } from './png.ts';

/** A picture without alpha. */
export interface OpaquePicture extends Picture {
  readonly channels: 1 | 3;
}

/** The picture over black. A picture whose pixels have no colour gets one channel. */
export function opaque({ width, height, channels, pixels }: Picture): OpaquePicture {
  if (channels === 1) return { width, height, channels, pixels };
  const area = width * height;
  const colours = new Uint8Array(3 * area);
  let coloured = false;
  for (let i = 0; i < area; i++) {
    const alpha = channels === 4 ? pixels[4 * i + 3] / 255 : 1;
    const at = channels * i;
    for (let c = 0; c < 3; c++) colours[3 * i + c] = Math.round(pixels[at + c] * alpha);
    coloured ||= pixels[at] !== pixels[at + 1] || pixels[at] !== pixels[at + 2];
  }
  if (coloured) return { width, height, channels: 3, pixels: colours };
  return { width, height, channels: 1, pixels: colours.filter((_, i) => i % 3 === 0) };
}

/** The picture in grey. */
export function grey(picture: OpaquePicture): OpaquePicture {
  const { width, height, channels, pixels } = picture;
  if (channels === 1) return picture;
  const luma = (i: number) =>
    Math.round((299 * pixels[i] + 587 * pixels[i + 1] + 114 * pixels[i + 2]) / 1000);
  const greys = Uint8Array.from({ length: width * height }, (_, i) => luma(3 * i));
  return { width, height, channels: 1, pixels: greys };
}

/** A grey picture as RGB, for a data set in which others have colour. */
export function coloured(picture: OpaquePicture): OpaquePicture {
  if (picture.channels === 3) return picture;
  const pixels = new Uint8Array(3 * picture.pixels.length);
  for (const [i, value] of picture.pixels.entries()) pixels.fill(value, 3 * i, 3 * i + 3);
  return { ...picture, channels: 3, pixels };
}

/** The source pixels of each pixel of the result along one axis, and the shares that they count with. */
function overlaps(from: number, to: number): { readonly first: number; readonly shares: number[] }[] {
  const step = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [begin, end] = [i * step, Math.min(from, (i + 1) * step)];
    const first = Math.floor(begin);
    const last = Math.max(first + 1, Math.ceil(end));
    const shares = Array.from({ length: last - first }, (_, k) => {
      return Math.max(0, Math.min(end, first + k + 1) - Math.max(begin, first + k)) / (end - begin);
    });
    return { first, shares };
  });
}

/** The picture with another size, by area averaging: first along rows, then along columns. */
export function scaled(picture: OpaquePicture, height: number, width: number): OpaquePicture {
  const { channels } = picture;
  if (picture.height === height && picture.width === width) return picture;
  const rows = new Float64Array(picture.height * width * channels);
  for (const [x, { first, shares }] of overlaps(picture.width, width).entries()) {
    for (let y = 0; y < picture.height; y++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [k, share] of shares.entries()) {
          sum += share * picture.pixels[(y * picture.width + first + k) * channels + c];
        }
        rows[(y * width + x) * channels + c] = sum;
      }
    }
  }
  const stride = width * channels;
  const pixels = new Uint8Array(height * stride);
  for (const [y, { first, shares }] of overlaps(picture.height, height).entries()) {
    for (let i = 0; i < stride; i++) {
      let sum = 0;
      for (const [k, share] of shares.entries()) sum += share * rows[(first + k) * stride + i];
      pixels[y * stride + i] = Math.round(sum);
    }
  }
  return { width, height, channels, pixels };
}

/** The picture in a square of `side` pixels. It keeps its proportions; the rest of the square is black. */
export function fitted(picture: OpaquePicture, side: number): OpaquePicture {
  const factor = side / Math.max(picture.width, picture.height);
  const length = (of: number) => Math.max(1, Math.round(of * factor));
  const inner = scaled(picture, length(picture.height), length(picture.width));
  const { channels, pixels } = inner;
  if (inner.width === side && inner.height === side) return inner;
  const square = new Uint8Array(side * side * channels);
  const [left, top] = [Math.floor((side - inner.width) / 2), Math.floor((side - inner.height) / 2)];
  const stride = inner.width * channels;
  for (let y = 0; y < inner.height; y++) {
    square.set(pixels.subarray(y * stride, (y + 1) * stride), ((top + y) * side + left) * channels);
  }
  return { width: side, height: side, channels, pixels: square };
}
