/**
 * Arrays as files: NPY (NumPy's format, version 1.0; little-endian, C order) and CSV.
 * Source: NumPy Enhancement Proposal 1.
 */
import { extname } from 'node:path';
import type { FloatArray } from '../../backend/backend.ts';

/** NumPy's name of the type of the numbers. */
function typeOf(values: FloatArray | Uint8Array): string {
  if (values instanceof Uint8Array) return '|u1';
  return values instanceof Float32Array ? '<f4' : '<f8';
}

/** An NPY file of `values` under `shape`: float32, float64 or uint8 as they are. */
export function encodeNpy(values: FloatArray | Uint8Array, shape: readonly number[]): Uint8Array {
  const type = typeOf(values);
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // Magic (6), version (2), length (2) and header fill a multiple of 64 bytes.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const file = new Uint8Array(length + values.byteLength);
  const header = `${text.padEnd(length - 11)}\n`;
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
  file.set(new TextEncoder().encode(header), 10);
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), length);
  return file;
}

/** Values from 0 to 1 as bytes: round(255·x). */
export const toBytes = (values: ArrayLike<number>): Uint8Array =>
  Uint8Array.from(values, (x) => Math.round(255 * Math.min(1, Math.max(0, x))));

/** The file of the labels beside a file of pictures: `s.npy` has `s.labels.npy`. */
export const labelsFileName = (file: string): string =>
  `${file.slice(0, file.length - extname(file).length)}.labels.npy`;

/** A CSV file: a column `t`, then one for each of the `names`; `values` is `[times, names]`. */
export function encodeCsv(times: Float64Array, names: readonly string[], values: FloatArray): string {
  const lines = [['t', ...names].join(',')];
  for (const [k, t] of times.entries()) {
    const row = values.subarray(k * names.length, (k + 1) * names.length);
    lines.push(`${Number(t.toPrecision(12))},${Array.from(row, (x) => Number(x.toPrecision(9))).join(',')}`);
  }
  return `${lines.join('\n')}\n`;
}
