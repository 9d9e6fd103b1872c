/**
 * IDX, the file format of MNIST (Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats"):
 *
 *     0 0 type rank | rank big-endian uint32 sizes | values, last axis fastest
 *
 * Only unsigned bytes (type 8) of rank 1 (labels) and rank 3 (pictures) are read and written. MNIST and the data sets
 * in its format use no others. Other types and ranks are refused, and the error names them.
 */
import { FormatError, ValueError } from '../errors.ts';

/** An array of bytes, as an IDX file stores it. */
export interface IdxArray {
  /** `[count]` or `[count, height, width]` */
  readonly shape: readonly number[];
  /** A view on the bytes that were decoded, not a copy. */
  readonly data: Uint8Array<ArrayBuffer>;
}

const UNSIGNED_BYTE = 0x08;
const TYPES: Readonly<Record<number, string>> = {
  8: 'unsigned bytes',
  9: 'signed bytes',
  11: 'int16',
  12: 'int32',
  13: 'float32',
  14: 'float64',
};

function describe(magic: number): string {
  const [type, rank] = [(magic >>> 8) & 255, magic & 255];
  const known = magic >>> 16 === 0 && TYPES[type];
  return `0x${magic.toString(16).padStart(8, '0')} (${known ? `${known}, rank ${rank}` : 'not an IDX file'})`;
}

/**
 * The array in an uncompressed IDX file.
 * @param source names the file in errors
 * @throws FormatError for another type or rank, a truncated file, or trailing bytes
 */
export function decodeIdx(bytes: Uint8Array<ArrayBuffer>, rank: 1 | 3, source = 'IDX data'): IdxArray {
  const header = 4 + 4 * rank;
  if (bytes.length < 4) throw new FormatError(`${source}: expected an IDX file, got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [expected, magic] = [(UNSIGNED_BYTE << 8) | rank, view.getUint32(0)];
  if (magic !== expected) {
    throw new FormatError(
      `${source}: expected the magic number ${describe(expected)}, got ${describe(magic)}`,
    );
  }
  if (bytes.length < header) {
    throw new FormatError(`${source}: expected a header of ${header} bytes, got ${bytes.length}`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  // The product is at most (2^32)^3. Beyond 2^53 it is rounded, but no array is that long: the check below refuses it.
  const size = header + shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== size) {
    const fault = bytes.length < size ? 'truncated' : 'trailing bytes';
    throw new FormatError(
      `${source}: expected ${header} + ${shape.join('·')} = ${size} bytes, got ${bytes.length} (${fault})`,
    );
  }
  return { shape, data: bytes.subarray(header) };
}

/** An uncompressed IDX file of `data`. @throws ValueError if `shape` does not fit `data`, or its rank is not 1 or 3 */
export function encodeIdx(shape: readonly number[], data: Uint8Array): Uint8Array<ArrayBuffer> {
  const fits = shape.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32);
  if (!fits || (shape.length !== 1 && shape.length !== 3)) {
    throw new ValueError(`encodeIdx: expected 1 or 3 sizes below 2^32, got [${shape}]`);
  }
  if (shape.reduce((product, n) => product * n, 1) !== data.length) {
    throw new ValueError(`encodeIdx: expected ${shape.join('·')} values, got ${data.length}`);
  }
  const header = 4 + 4 * shape.length;
  const bytes = new Uint8Array(header + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (UNSIGNED_BYTE << 8) | shape.length);
  for (const [axis, n] of shape.entries()) view.setUint32(4 + 4 * axis, n);
  bytes.set(data, header);
  return bytes;
}
