/** Columns of numbers as a CSV file (RFC 4180, with line feeds). */

/**
 * A CSV file with a head and a row for each index. A column that is shorter than the others ends in empty cells.
 * @param head the names of the columns; a name with a comma, a quote or a line end is quoted
 */
export function encodeCsv(head: readonly string[], columns: readonly ArrayLike<number>[]): string {
  const rows = Math.max(0, ...columns.map(({ length }) => length));
  const quoted = head.map((name) => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name));
  const lines = [quoted.join(',')];
  for (let i = 0; i < rows; i++) lines.push(columns.map((column) => String(column[i] ?? '')).join(','));
  return `${lines.join('\n')}\n`;
}
