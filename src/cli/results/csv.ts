/** Numbers over time as a CSV file. */
import type { FloatArray } from '../../backend/backend.ts';

/** A CSV file: a column `t`, then one for each of the `names`; `values` is `[times, names]`. */
export function encodeCsv(times: Float64Array, names: readonly string[], values: FloatArray): string {
  const lines = [['t', ...names].join(',')];
  for (const [k, t] of times.entries()) {
    const row = values.subarray(k * names.length, (k + 1) * names.length);
    lines.push(`${Number(t.toPrecision(12))},${Array.from(row, (x) => Number(x.toPrecision(9))).join(',')}`);
  }
  return `${lines.join('\n')}\n`;
}
