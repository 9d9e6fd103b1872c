/**
 * The element types of a safetensors file and the typed arrays that hold them in memory. JavaScript has no
 * 16-bit floats (Float16Array is newer than Node 20): F16 and BF16 are widened to float32, exactly, and are
 * never written. The 8-bit floats are left out: nothing in langevin reads them.
 */
export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

interface DtypeInfo {
  /** The array of the elements as the file has them. */
  readonly stored: { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer): TensorData };
  /** From the bits to float32, for the types that have no array of their own. */
  readonly widen?: (bits: Uint16Array) => Float32Array;
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. */
function widenHalf(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  const value = new Float32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) {
    const [exponent, fraction] = [(bits[i] >>> 10) & 31, bits[i] & 1023];
    const sign = (bits[i] & 0x8000) << 16;
    if (exponent === 0) {
      value[i] = fraction / 16777216; // subnormal: fraction * 2^-24, a normal float32
      out[i] |= sign;
    } else {
      // The bias becomes 127; the highest exponent (infinity, NaN) stays the highest.
      out[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
    }
  }
  return value;
}

/** bfloat16 is the upper half of a float32. */
function widenBrain(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

const TABLE = {
  F64: { stored: Float64Array },
  F32: { stored: Float32Array },
  F16: { stored: Uint16Array, widen: widenHalf },
  BF16: { stored: Uint16Array, widen: widenBrain },
  I64: { stored: BigInt64Array },
  U64: { stored: BigUint64Array },
  I32: { stored: Int32Array },
  U32: { stored: Uint32Array },
  I16: { stored: Int16Array },
  U16: { stored: Uint16Array },
  I8: { stored: Int8Array },
  U8: { stored: Uint8Array },
  BOOL: { stored: Uint8Array },
} as const satisfies Record<string, DtypeInfo>;

export type Dtype = keyof typeof TABLE;

export const DTYPES = Object.keys(TABLE) as readonly Dtype[];

/** How the elements of `dtype` are held. */
export const dtypeInfo = (dtype: Dtype): DtypeInfo => TABLE[dtype];

export const isDtype = (name: unknown): name is Dtype => DTYPES.includes(name as Dtype);

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Turns elements of `size` bytes from the host's byte order to little-endian or back, in place: nothing to do
 * on nearly every machine. Bytes and not numbers are moved, so that the payload of a NaN survives.
 */
export function swapToLittleEndian(
  bytes: Uint8Array,
  size: number,
  hostIsLittle = HOST_IS_LITTLE_ENDIAN,
): void {
  if (hostIsLittle) return;
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}
