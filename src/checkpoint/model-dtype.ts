/**
 * The types of numbers that a model's file is written in. float32 is what the WebAssembly backend computes in. float16
 * takes half of the bytes: each parameter rounds to the nearest half, ties to even, by at most 2^-11 of its value, and
 * below 2^-14 by at most 2^-25.
 */
import { ValueError } from '../errors.ts';
import type { StoredTensor } from './safetensors.ts';

export const MODEL_DTYPES = ['float32', 'float16'] as const;
export type ModelDtype = (typeof MODEL_DTYPES)[number];

/**
 * A model's tensor, of any floating type, in the type of a file. The writer rounds to halves, so that numbers round once.
 * @throws ValueError for a finite number that float32 does not hold
 */
export function inDtype(name: string, { shape, data }: StoredTensor, dtype: ModelDtype): StoredTensor {
  if (dtype === 'float16') return { dtype: 'F16', shape, data };
  if (data instanceof Float32Array) return { dtype: 'F32', shape, data };
  const rounded = Float32Array.from(data as Float64Array);
  const lost = rounded.findIndex((x, i) => Number.isFinite(x) !== Number.isFinite(data[i] as number));
  if (lost < 0) return { dtype: 'F32', shape, data: rounded };
  throw new ValueError(`${name}: expected numbers that float32 holds, got ${data[lost]}`);
}
