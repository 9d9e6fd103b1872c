/**
 * The element types of a safetensors file, and the typed arrays for them. Node 20 has no 16-bit floats (Float16Array is
 * newer). So F16 and BF16 are converted to float32, which is exact. F16 can be written too: numbers round to the
 * nearest half, ties to even. BF16 is never written. The 8-bit floats are left out, because langevin does not read
 * them.
 */
import { ValueError } from '../errors.ts';

/** The elements of a stored tensor, in a typed array that holds them exactly. */
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
  /** The array type of the elements in the file. */
  readonly stored: { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer): TensorData };
  /** Converts bits to float32, for the types without a typed array. */
  readonly widen?: (bits: Uint16Array) => Float32Array;
  /** Converts numbers to bits, for F16. The other types need no conversion, or are never written. */
  readonly narrow?: (values: Float32Array | Float64Array) => Uint16Array;
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
      // The bias becomes 127. The largest exponent (infinity, NaN) becomes the largest exponent of a float32.
      out[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
    }
  }
  return value;
}

/** The largest finite half: 2^15 (2 - 2^-10). */
const LARGEST_HALF = 65504;

/** Rounds x in [0, 2^52) to a whole number, ties to even. Above 2^52 a double has no bits for a fraction. */
const roundToEven = (x: number): number => x + 2 ** 52 - 2 ** 52;

/**
 * The nearest halves, ties to even. Let 2^e <= |x| < 2^(e + 1) with e >= -14. Near |x| two halves are
 * `ulp` = 2^(e - 10) apart. |x| rounds to n ulp, a half with the bits 1024 (e + 14) + n. A normal half has n >= 1024,
 * whose bit 10 adds 1 to the exponent. A subnormal half has n < 1024. If n rounds up to 2048, the bits are those of the
 * next power of two. Infinity stays infinity. A NaN keeps the upper bits of its fraction if they are not 0.
 * @throws ValueError for a finite number beyond the largest half
 */
function narrowToHalf(values: Float32Array | Float64Array): Uint16Array {
  const out = new Uint16Array(values.length);
  const double = new DataView(new ArrayBuffer(8));
  const nanBits = values instanceof Float32Array ? nanOfFloat(values) : () => 0x7e00;
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    if (Number.isNaN(x)) {
      out[i] = nanBits(i);
      continue;
    }
    double.setFloat64(0, x);
    const high = double.getUint32(0);
    const sign = (high >>> 31) << 15;
    const e = Math.max(-14, ((high >>> 20) & 2047) - 1023);
    // 65520 is the middle between the largest half and 2^16.
    if (Math.abs(x) < 65520) out[i] = sign | (1024 * (e + 14) + roundToEven(Math.abs(x) / 2 ** (e - 10)));
    else if (Math.abs(x) === Infinity) out[i] = sign | 0x7c00;
    else throw new ValueError(`expected numbers from -${LARGEST_HALF} to ${LARGEST_HALF} for F16, got ${x}`);
  }
  return out;
}

/** The half for a NaN at an index: its sign and the upper ten bits of its fraction, or the quiet NaN if they are 0. */
function nanOfFloat({ buffer, byteOffset, length }: Float32Array): (i: number) => number {
  const bits = new Uint32Array(buffer, byteOffset, length);
  return (i) => ((bits[i] >>> 16) & 0x8000) | 0x7c00 | ((bits[i] >>> 13) & 1023 || 0x200);
}

/** bfloat16 is the upper half of a float32. */
function widenBrain(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

const TABLE = {
  F64: { stored: Float64Array },
  F32: { stored: Float32Array },
  F16: { stored: Uint16Array, widen: widenHalf, narrow: narrowToHalf },
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

/** The arrays and conversions of `dtype`. */
export const dtypeInfo = (dtype: Dtype): DtypeInfo => TABLE[dtype];

export const isDtype = (name: unknown): name is Dtype => DTYPES.includes(name as Dtype);

const HOST_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Converts elements of `size` bytes from the host's byte order to little-endian or back, in place. Almost all machines
 * are little-endian, and then it does nothing. It swaps bytes, not numbers, so that the bits of a NaN stay the same.
 */
export function swapToLittleEndian(
  bytes: Uint8Array,
  size: number,
  hostIsLittle = HOST_IS_LITTLE_ENDIAN,
): void {
  if (hostIsLittle) return;
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}
