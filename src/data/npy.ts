/**
 * NPY, NumPy's format of one array (NumPy Enhancement Proposal 1; versions 1.0, 2.0 and 3.0):
 *
 *     \x93NUMPY major minor | length of the header, uint16 (1.0) or uint32, little-endian | header | values
 *
 * The header is a Python dictionary of three entries: 'descr', the type; 'fortran_order'; 'shape', a tuple.
 *
 * The reader takes whole numbers and floats of the types below, little-endian and in C order. It refuses everything
 * else, and the error names it. The size in the header must fit the length of the file. The writer writes version 1.0,
 * little-endian, in C order.
 */
import type { FloatArray } from '../backend/backend.ts';
import { FormatError } from '../errors.ts';

/** The decoder of each type. */
const TYPES = {
  '|u1': { name: 'uint8', bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) },
  '|i1': { name: 'int8', bytes: 1, read: (view: DataView, at: number) => view.getInt8(at) },
  '<u2': { name: 'uint16', bytes: 2, read: (view: DataView, at: number) => view.getUint16(at, true) },
  '<i4': { name: 'int32', bytes: 4, read: (view: DataView, at: number) => view.getInt32(at, true) },
  '<i8': {
    name: 'int64',
    bytes: 8,
    read: (view: DataView, at: number) => Number(view.getBigInt64(at, true)),
  },
  '<f4': { name: 'float32', bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) },
  '<f8': { name: 'float64', bytes: 8, read: (view: DataView, at: number) => view.getFloat64(at, true) },
} as const;

/** A type of elements that is read, by NumPy's name. */
export type NpyType = (typeof TYPES)[keyof typeof TYPES]['name'];

/** An array of an `.npy` file. */
export interface NpyArray {
  /** The type of the elements in the file. */
  readonly type: NpyType;
  /** The dimensions. The empty shape is that of a scalar. */
  readonly shape: readonly number[];
  /** The values, row by row. A uint8 array is a view on the file's bytes. int64 beyond 2^53 is rounded. */
  readonly values: Uint8Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
}

const MAGIC = [0x93, ...new TextEncoder().encode('NUMPY')];
/** The longest header that is read, in bytes. Real headers are much shorter. */
export const LONGEST_HEADER = 2 ** 16;
export const MOST_AXES = 32;
const HEADER =
  /^\s*\{\s*'descr'\s*:\s*'(?<type>[^']*)'\s*,\s*'fortran_order'\s*:\s*(?<order>True|False)\s*,\s*'shape'\s*:\s*\((?<shape>[\d\s,]*)\)\s*,?\s*\}\s*$/;

/**
 * The array in an NPY file.
 * @param source names the file in errors
 * @throws FormatError if it is not a complete file of one of the types
 */
export function decodeNpy(bytes: Uint8Array<ArrayBuffer>, source = 'NPY data'): NpyArray {
  const { text, start } = headerOf(bytes, source);
  const { type: descr = '', order, shape: tuple = '' } = HEADER.exec(text)?.groups ?? {};
  if (order === undefined) {
    throw new FormatError(
      `${source}: expected a header of 'descr', 'fortran_order' and 'shape', got ${quoted(text)}`,
    );
  }
  if (order === 'True') throw new FormatError(`${source}: expected C order, got Fortran order`);
  const type = Object.hasOwn(TYPES, descr) ? TYPES[descr as keyof typeof TYPES] : undefined;
  if (!type) {
    const known = Object.keys(TYPES).join(', ');
    throw new FormatError(`${source}: expected values of type ${known}, got ${quoted(descr)}`);
  }
  const shape = shapeOf(tuple, source);
  const values = bytes.subarray(start);
  const size = shape.reduce((product, n) => product * n, type.bytes);
  if (values.length !== size) {
    const fault = values.length < size ? 'truncated' : 'trailing bytes';
    throw new FormatError(
      `${source}: expected ${size} bytes for ${type.name} [${shape.join(', ')}], got ${values.length} (${fault})`,
    );
  }
  if (type.name === 'uint8') return { type: type.name, shape, values };
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const numbers = new Float64Array(size / type.bytes);
  for (let i = 0; i < numbers.length; i++) numbers[i] = type.read(view, i * type.bytes);
  return { type: type.name, shape, values: numbers };
}

/** The header as text, and the offset of the values. */
function headerOf(bytes: Uint8Array<ArrayBuffer>, source: string): { text: string; start: number } {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new FormatError(`${source}: expected an NPY file, got ${bytes.length} bytes of something else`);
  }
  const version = bytes[6];
  if (version < 1 || version > 3) {
    throw new FormatError(`${source}: expected NPY version 1, 2 or 3, got ${version}.${bytes[7]}`);
  }
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw new FormatError(`${source}: expected a header, got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LONGEST_HEADER || start + length > bytes.length) {
    const most = Math.min(LONGEST_HEADER, bytes.length - start);
    throw new FormatError(`${source}: expected a header of at most ${most} bytes, got ${length}`);
  }
  return { text: new TextDecoder().decode(bytes.subarray(start, start + length)), start: start + length };
}

function shapeOf(tuple: string, source: string): number[] {
  const parts = tuple.split(',').map((part) => part.trim());
  // A tuple with one element ends with a comma: (7,).
  if (parts[parts.length - 1] === '') parts.pop();
  const shape = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  if (shape.length > MOST_AXES || !shape.every(Number.isSafeInteger)) {
    throw new FormatError(
      `${source}: expected a shape of at most ${MOST_AXES} sizes, got ${quoted(`(${tuple})`)}`,
    );
  }
  return shape;
}

/** A text from a file, quoted and shortened for an error. */
const quoted = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);

/** NumPy's name of the type of the numbers. */
function typeOf(values: FloatArray | Uint8Array): string {
  if (values instanceof Uint8Array) return '|u1';
  return values instanceof Float32Array ? '<f4' : '<f8';
}

/** An NPY file of `values` with this shape. The type is that of the array: float32, float64 or uint8. */
export function encodeNpy(values: FloatArray | Uint8Array, shape: readonly number[]): Uint8Array {
  const type = typeOf(values);
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // Magic (6), version (2), length (2) and header together are padded to a multiple of 64 bytes.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const file = new Uint8Array(length + values.byteLength);
  const header = `${text.padEnd(length - 11)}\n`;
  file.set([...MAGIC, 1, 0, header.length & 255, header.length >> 8]);
  file.set(new TextEncoder().encode(header), 10);
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), length);
  return file;
}
