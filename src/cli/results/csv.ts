/** Numbers over time as a CSV file. */
import type { FloatArray } from '../../backend/backend.ts';
import { encodeCsv } from '../../data/csv.ts';

const rounded = (x: number, digits: number) => Number(x.toPrecision(digits));

/** A CSV file with a column `t` and one column for each name. @param values [times, names] */
export function timesCsv(times: Float64Array, names: readonly string[], values: FloatArray): string {
  const column = (c: number) => Array.from(times, (_, k) => rounded(values[k * names.length + c], 9));
  const columns = names.map((_, c) => column(c));
  return encodeCsv(['t', ...names], [times.map((t) => rounded(t, 12)), ...columns]);
}
