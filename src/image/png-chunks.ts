/**
 * The check of a PNG file before it is decoded. fast-png trusts its input: it allocates the size that the header names,
 * lets a second header replace the first, does not stop at the end of the file, and inflates whatever is compressed. A
 * file of 600 KB can inflate to 600 MB. So we do three things first.
 *
 * - We walk through the chunks: one header, and it is first; all chunks lie within the file; there is an end.
 * - We leave out the chunks with compressed content that a picture does not need. So they are not inflated.
 * - We inflate the rows in small steps, and stop when they are longer than the header allows. We keep nothing of them.
 *
 * Source: W3C PNG, third edition. Left out on purpose: the CRCs, which fast-png checks in the chunks that stay.
 */
import { hasPngSignature } from 'fast-png';
import { Unzlib } from 'fflate';
import { concatBytes } from '../bytes.ts';
import { FormatError } from '../errors.ts';

const SIGNATURE_BYTES = 8;
const LENGTH_TYPE_CRC = 12;
/** Colour profiles, compressed text, and the frames of an animation. A picture does not need these chunks. */
const LEFT_OUT = ['iCCP', 'zTXt', 'iTXt', 'acTL', 'fcTL', 'fdAT'];
/** The number of values of a pixel for each colour type. */
const VALUES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** The passes of an interlaced picture: first column, first row, step between columns, step between rows. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
/** Compressed bytes of a step. They inflate to at most 1032 times as many: 4 MB. */
const STEP = 4096;

/** The file without the chunks of `LEFT_OUT`. @throws FormatError for a file that fails the check */
export function checkedPng(bytes: Uint8Array, name: string, maxPixels: number): Uint8Array {
  if (!hasPngSignature(bytes)) throw new FormatError(`${name}: expected a PNG signature, got other bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept = [bytes.subarray(0, SIGNATURE_BYTES)];
  const rows: Uint8Array[] = [];
  let rowBytes = 0;
  let type = '';
  for (let at = SIGNATURE_BYTES, count = 0; type !== 'IEND'; count++) {
    const left = bytes.length - at - LENGTH_TYPE_CRC;
    const length = left >= 0 ? view.getUint32(at) : 0;
    if (length > left)
      throw new FormatError(`${name}: expected a whole PNG, got a truncated one (${bytes.length} bytes)`);
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if ((type === 'IHDR') !== (count === 0)) {
      throw new FormatError(`${name}: expected one PNG header at the start, got ${type} as chunk ${count}`);
    }
    const content = at + 8;
    if (type === 'IHDR') rowBytes = checkHeader(view, content, length, name, maxPixels);
    if (type === 'IDAT') rows.push(bytes.subarray(content, content + length));
    if (!LEFT_OUT.includes(type)) kept.push(bytes.subarray(at, at + length + LENGTH_TYPE_CRC));
    at += length + LENGTH_TYPE_CRC;
  }
  checkRows(rows, rowBytes, name);
  return concatBytes(kept);
}

/** Checks the header, and returns the number of bytes that the rows have when they are inflated. */
function checkHeader(view: DataView, at: number, length: number, name: string, maxPixels: number): number {
  if (length !== 13) throw new FormatError(`${name}: expected a PNG header of 13 bytes, got ${length}`);
  const [width, height] = [view.getUint32(at), view.getUint32(at + 4)];
  if (width === 0 || height === 0 || width * height > maxPixels) {
    throw new FormatError(`${name}: expected 1 to ${maxPixels} pixels, got ${width}x${height}`);
  }
  const [depth, colourType, interlace] = [8, 9, 12].map((offset) => view.getUint8(at + offset));
  if (interlace !== 0 && depth < 8) {
    throw new FormatError(`${name}: expected at least 8 bits in an interlaced PNG, got ${depth}`);
  }
  const values = VALUES[colourType];
  if (values === undefined || ![1, 2, 4, 8, 16].includes(depth)) {
    throw new FormatError(
      `${name}: expected a PNG of 1 to 16 bits, got colour type ${colourType} of ${depth} bits`,
    );
  }
  const passes = interlace === 0 ? [[0, 0, 1, 1]] : PASSES;
  return passes.reduce((sum, [left, top, stepX, stepY]) => {
    const columns = Math.ceil((width - left) / stepX);
    const lines = Math.ceil((height - top) / stepY);
    return columns > 0 && lines > 0 ? sum + lines * (1 + Math.ceil((columns * values * depth) / 8)) : sum;
  }, 0);
}

/** Inflates the rows in steps. @throws FormatError if they have more bytes than `most`, or are damaged */
function checkRows(rows: readonly Uint8Array[], most: number, name: string): void {
  let inflated = 0;
  const inflate = new Unzlib((part) => {
    inflated += part.length;
    if (inflated > most) throw new FormatError(`${name}: expected ${most} bytes of rows, got more`);
  });
  try {
    for (const part of rows) {
      for (let at = 0; at < part.length; at += STEP) inflate.push(part.subarray(at, at + STEP));
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${name}: expected an undamaged PNG, got: ${(error as Error).message}`);
  }
}
