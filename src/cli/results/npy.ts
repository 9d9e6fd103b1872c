/**
 * Arrays as files: NPY (NumPy's format, version 1.0; little-endian, C order) and CSV.
 * Source: NumPy Enhancement Proposal 1.
 */
import type { FloatArray } from '../../backend/backend.ts';

/** An NPY file of `values` under `shape`, float32 or float64 as they are. */
export function encodeNpy(values: FloatArray, shape: readonly number[]): Uint8Array {
  const type = values instanceof Float32Array ? '<f4' : '<f8';
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

/** A CSV file: a column `t`, then one for each of the `names`; `values` is `[times, names]`. */
export function encodeCsv(times: Float64Array, names: readonly string[], values: FloatArray): string {
  const lines = [['t', ...names].join(',')];
  for (const [k, t] of times.entries()) {
    const row = values.subarray(k * names.length, (k + 1) * names.length);
    lines.push(`${Number(t.toPrecision(12))},${Array.from(row, (x) => Number(x.toPrecision(9))).join(',')}`);
  }
  return `${lines.join('\n')}\n`;
}
