/**
 * safetensors, the file format of checkpoints (https://huggingface.co/docs/safetensors, "Format"):
 *
 *     N: uint64 | N bytes of JSON, padded by spaces | the elements of all tensors, little-endian
 *
 *     { "__metadata__": { key: string }, name: { "dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end] } }
 *
 * Offsets count from the end of the header. The tensors cover the rest of the file without gaps or overlaps.
 *
 * This file implements the format on typed arrays. checkpoint.ts defines the contents of a model's file.
 */
import { ValueError } from '../errors.ts';
import { DTYPES, type Dtype, dtypeInfo, isDtype, swapToLittleEndian, type TensorData } from './dtype.ts';
import { elements, isSize, LARGEST_HEADER, METADATA, parseHeader } from './safetensors-header.ts';

/** One tensor of a file. */
export interface StoredTensor {
  /** The type of the elements in the file, such as `F32`. */
  readonly dtype: Dtype;
  /** The shape: empty for a scalar. A size can be 0. */
  readonly shape: readonly number[];
  /**
   * The elements, as many as the shape has. F16 and BF16 are read as a Float32Array. F16 is written from a Float32Array
   * or a Float64Array, rounded to the nearest half.
   */
  readonly data: TensorData;
}

/** The contents of a safetensors file. */
export interface Safetensors {
  /** The tensors, in the order of their bytes in the file. */
  readonly tensors: Map<string, StoredTensor>;
  /** The file's own entries of text. It is empty if the file has none. */
  readonly metadata: Map<string, string>;
}

/** The array types from which a tensor can be written: that of the file, or floats for F16. */
const sources = (dtype: Dtype) =>
  dtypeInfo(dtype).narrow ? [Float32Array, Float64Array] : [dtypeInfo(dtype).stored];

const isWritable = (dtype: Dtype) => !dtypeInfo(dtype).widen || dtypeInfo(dtype).narrow !== undefined;

function requireWritable(name: string, { dtype, shape, data }: StoredTensor): void {
  if (name === METADATA)
    throw new ValueError(`safetensors: expected the name of a tensor, got the reserved name ${METADATA}`);
  if (!isDtype(dtype) || !isWritable(dtype)) {
    const writable = DTYPES.filter(isWritable);
    throw new ValueError(`safetensors: ${name}: expected one of ${writable.join(' ')}, got ${dtype}`);
  }
  if (!sources(dtype).some((source) => data instanceof source)) {
    const expected = sources(dtype).map((source) => new source(new ArrayBuffer(0)).constructor.name);
    const got = data.constructor.name;
    throw new ValueError(
      `safetensors: ${name}: expected a ${expected.join(' or ')} for ${dtype}, got a ${got}`,
    );
  }
  if (!shape.every(isSize) || elements(shape) !== data.length) {
    throw new ValueError(`safetensors: ${name}: expected the elements of [${shape}], got ${data.length}`);
  }
}

/** The elements in the type of the file. @throws ValueError for a number that the type cannot represent */
function elementsOf(name: string, { dtype, data }: StoredTensor): TensorData {
  const { narrow } = dtypeInfo(dtype);
  if (!narrow) return data;
  try {
    return narrow(data as Float32Array | Float64Array);
  } catch (error) {
    throw new ValueError(`safetensors: ${name}: ${(error as Error).message}`);
  }
}

/**
 * The bytes of a safetensors file. Tensors are sorted by decreasing element size, and keep their order otherwise. So
 * each begins at a multiple of its element size.
 * @throws ValueError for a name that occurs twice, data that do not fit their shape or type, a type that cannot be
 *   written, or numbers beyond the largest half in a tensor of F16
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const layout = [...tensors].map(([name, tensor]) => {
    requireWritable(name, tensor);
    return { name, dtype: tensor.dtype, shape: tensor.shape, data: elementsOf(name, tensor) };
  });
  layout.sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const members: string[] = []; // as text, because an object would put names such as "0" first
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === 'string') continue;
    throw new ValueError(`safetensors: metadata ${key}: expected a string, got ${typeof value}`);
  }
  if (Object.keys(metadata).length > 0) members.push(`"${METADATA}":${JSON.stringify(metadata)}`);
  const names = new Set<string>();
  let end = 0;
  for (const { name, dtype, shape, data } of layout) {
    if (names.has(name)) throw new ValueError(`safetensors: the name ${name} is given twice`);
    names.add(name);
    const data_offsets = [end, (end += data.byteLength)];
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets })}`);
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const start = 8 + Math.ceil(json.length / 8) * 8;
  if (start - 8 > LARGEST_HEADER) {
    throw new ValueError(
      `safetensors: expected a header of at most ${LARGEST_HEADER} bytes, got ${start - 8}`,
    );
  }
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let at = start;
  for (const { data } of layout) {
    const place = bytes.subarray(at, (at += data.byteLength));
    place.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    swapToLittleEndian(place, data.BYTES_PER_ELEMENT);
  }
  return bytes;
}

/**
 * The tensors and metadata of a safetensors file. They are copies.
 * @param source names the file in errors
 * @throws FormatError if the bytes are not a valid safetensors file
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'safetensors'): Safetensors {
  const { entries, metadata, start } = parseHeader(bytes, source);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const { stored, widen } = dtypeInfo(dtype);
    const own = new Uint8Array(end - begin); // a copy is aligned for any offset in the file
    own.set(bytes.subarray(start + begin, start + end));
    swapToLittleEndian(own, stored.BYTES_PER_ELEMENT);
    const data = new stored(own.buffer);
    tensors.set(name, { dtype, shape, data: widen ? widen(data as Uint16Array) : data });
  }
  return { tensors, metadata };
}
