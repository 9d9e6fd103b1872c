/**
 * The number types of a model's file. float32 is the type of the WebAssembly backend. float16 needs half of the bytes:
 * each parameter rounds to the nearest half, ties to even. The error is at most 2^-11 of the value, or at most 2^-25
 * for values below 2^-14.
 */
import { ValueError } from '../errors.ts';
import type { StoredTensor } from './safetensors.ts';

export const MODEL_DTYPES = ['float32', 'float16'] as const;
/** The type of the numbers in a model's file. */
export type ModelDtype = (typeof MODEL_DTYPES)[number];

/**
 * Converts a model's tensor of any floating type to the type of a file. For float16 it returns floats, which the writer
 * rounds to halves: so each number is rounded only once.
 * @throws ValueError for a finite number that float32 cannot represent
 */
export function inDtype(name: string, { shape, data }: StoredTensor, dtype: ModelDtype): StoredTensor {
  if (dtype === 'float16') return { dtype: 'F16', shape, data };
  if (data instanceof Float32Array) return { dtype: 'F32', shape, data };
  const rounded = Float32Array.from(data as Float64Array);
  const lost = rounded.findIndex((x, i) => Number.isFinite(x) !== Number.isFinite(data[i] as number));
  if (lost < 0) return { dtype: 'F32', shape, data: rounded };
  throw new ValueError(`${name}: expected numbers that float32 can represent, got ${data[lost]}`);
}
