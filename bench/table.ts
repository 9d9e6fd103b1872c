/** Formats rows as a table. A field has a column if at least one row has the field. Numbers have three digits. */
import type { Row } from './row.ts';

export interface Column<R> {
  readonly head: string;
  readonly cell: (row: R) => string | undefined;
  /** Whether the column is aligned left, for words. Default: right, for numbers. */
  readonly left?: boolean;
}

export const number = (x: number | undefined) => (x === undefined ? undefined : plain(x));
const percent = (x: number | undefined) => (x === undefined ? undefined : `${(100 * x).toFixed(1)} %`);
export const times = (x: number | undefined) => (x === undefined ? undefined : `${plain(x)}x`);

/** Three digits, never with an exponent. */
function plain(x: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(x) || 1)));
  return x.toFixed(Math.min(digits, 6));
}

/** The columns of measured rows. */
export const COLUMNS: readonly Column<Row>[] = [
  { head: 'name', cell: (r) => r.name, left: true },
  { head: 'shape', cell: (r) => r.shape, left: true },
  { head: 'peer', cell: (r) => r.peer, left: true },
  { head: 'threads', cell: (r) => String(r.threads) },
  { head: 'numerics', cell: (r) => r.numerics, left: true },
  { head: 'ms', cell: (r) => number(r.ms) },
  { head: 'median', cell: (r) => number(r.msMedian) },
  { head: 'GFLOP/s', cell: (r) => number(r.gflops) },
  { head: 'GB/s', cell: (r) => number(r.gbps) },
  { head: 'flop/B', cell: (r) => number(r.gflops && r.gbps && r.gflops / r.gbps) },
  { head: 'of peak', cell: (r) => percent(r.ofPeak) },
  { head: 'ns/element', cell: (r) => number(r.nsPerElement) },
  { head: 'ns/sample', cell: (r) => number(r.nsPerSample) },
  { head: 'M samples/s', cell: (r) => number(r.samplesPerSecond && r.samplesPerSecond / 1e6) },
  { head: 'over twin', cell: (r) => times(r.speedup) },
  { head: 'calls', cell: (r) => r.calls?.toString() },
  { head: 'share', cell: (r) => percent(r.share) },
  { head: 'over one thread', cell: (r) => times(r.overOne) },
  { head: 'grain', cell: (r) => r.grain?.toString() },
  { head: 'of model', cell: (r) => percent(r.ofModel) },
  { head: 'time over langevin', cell: (r) => times(r.relative) },
];

/** The table as text: a line of column heads, and a line per row. All lines have the same width. */
export function table<R>(rows: readonly R[], among: readonly Column<R>[]): string {
  const columns = among
    .filter(({ cell }) => rows.some((row) => cell(row) !== undefined))
    .map((column) => {
      const cells = [column.head, ...rows.map((row) => column.cell(row) ?? '')];
      const width = Math.max(...cells.map((cell) => cell.length));
      return cells.map((cell) => (column.left ? cell.padEnd(width) : cell.padStart(width)));
    });
  const lines = [...Array(rows.length + 1).keys()].map((i) => columns.map((cells) => cells[i]).join('  '));
  lines.splice(1, 0, '-'.repeat(lines[0]!.length));
  return lines.map((line) => line.trimEnd()).join('\n');
}
