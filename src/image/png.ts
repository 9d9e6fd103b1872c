/**
 * Pictures as PNG (W3C PNG, third edition), with the package fast-png.
 *
 * A `Picture` is `height x width x channels` bytes, row after row: 1 channel is grey, 3 are RGB, 4 are RGBA. A picture
 * that is encoded and decoded again has the same bytes. The decoder accepts every colour type and bit depth and
 * converts it to a `Picture`. A palette becomes RGB or RGBA. Of 16 bits only the upper 8 stay. Greys of 1, 2 and 4 bits
 * are scaled to 0..255. Grey with alpha becomes RGBA.
 *
 * The decoder does not trust its input. png-chunks.ts checks the file first, and bounds its inflated size. Then fast-png
 * decodes it, and checks the CRCs. Left out on purpose: colour profiles and gamma, a transparent colour without a
 * palette, and animation. Interlaced pictures of less than 8 bits are refused, because fast-png reads them wrongly.
 */
import { convertIndexedToRgb, type DecodedPng, decode, encode } from 'fast-png';
import { FormatError, ShapeError, ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { checkedPng } from './png-chunks.ts';

/** `height x width x channels` bytes, row after row; 1 channel is grey, 3 are RGB, 4 are RGBA. */
export interface Picture {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** Bytes of a pixel: 1 for grey, 3 for RGB, 4 for RGBA. */
  readonly channels: 1 | 3 | 4;
  /** `[height, width, channels]`, from 0 to 255. */
  readonly pixels: Uint8Array;
}

/** The largest number of pixels that `decodePng` decodes by default. */
export const MOST_PIXELS = 2 ** 24;

/** Options of `decodePng`. */
export interface DecodePngOptions {
  /** The name of the bytes in messages, for example the file's name. Default `PNG`. */
  readonly name?: string;
  /** The largest number of pixels to decode. Default 2^24 (4096 x 4096). */
  readonly maxPixels?: number;
}

/**
 * Encodes a picture as a PNG of 8 bits a channel. The same picture gives the same bytes.
 * @throws {ShapeError} if `pixels` does not hold `height x width x channels` bytes.
 */
export function encodePng({ width, height, channels, pixels }: Picture): Uint8Array {
  if (![1, 3, 4].includes(channels))
    throw new ValueError(`PNG: expected 1, 3 or 4 channels, got ${channels}`);
  for (const side of [width, height]) {
    if (!Number.isInteger(side) || side < 1) {
      throw new ShapeError(`PNG: expected a width and height of at least 1, got ${width}x${height}`);
    }
  }
  if (pixels.length !== width * height * channels) {
    throw new ShapeError(
      `PNG: expected ${width * height * channels} bytes for ${width}x${height}x${channels}, got ${pixels.length}`,
    );
  }
  return encode({ width, height, channels, data: pixels, depth: 8 }, { zlib: { level: 9 } });
}

/**
 * Decodes the bytes of a PNG file.
 * @throws {FormatError} if the bytes are no PNG, damaged, truncated, of more than `maxPixels` pixels, or interlaced
 * with less than 8 bits.
 */
export function decodePng(bytes: Uint8Array, options: DecodePngOptions = {}): Picture {
  const { name, maxPixels } = withDefaults('PNG', options, { name: 'PNG', maxPixels: MOST_PIXELS });
  const checked = checkedPng(bytes, name, maxPixels);
  try {
    return toPicture(decode(checked, { checkCrc: true }), bytes[COLOUR_TYPE] === INDEXED);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(`${name}: expected an undamaged PNG, got: ${reason}`);
  }
}

/** The place of the colour type in the file. The header always comes first. */
const COLOUR_TYPE = 25;
const INDEXED = 3;

function toPicture(png: DecodedPng, indexed: boolean): Picture {
  const { width, height, depth, channels } = png;
  if (indexed) {
    const colour = png.palette?.[0];
    if (!colour) throw new FormatError('no palette');
    return { width, height, channels: colour.length as 3 | 4, pixels: convertIndexedToRgb(png) };
  }
  if (depth < 8) {
    // Packed grey levels are indices into a palette of one channel: the even ramp from 0 to 255.
    const top = 2 ** depth - 1;
    const palette = Array.from({ length: top + 1 }, (_, level) => [(level * 255) / top]);
    return { width, height, channels: 1, pixels: convertIndexedToRgb({ ...png, palette }) };
  }
  const pixels = Uint8Array.from(png.data, depth === 16 ? (v) => v >> 8 : (v) => v);
  if (channels !== 2) return { width, height, channels: channels as 1 | 3 | 4, pixels };
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    rgba.fill(pixels[2 * i], 4 * i, 4 * i + 3);
    rgba[4 * i + 3] = pixels[2 * i + 1];
  }
  return { width, height, channels: 4, pixels: rgba };
}
