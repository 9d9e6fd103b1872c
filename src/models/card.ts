/**
 * Reads the card of a published model, a Markdown file by the template of published/README.md:
 *
 *     # NAME                       the name
 *     One paragraph.               what the model makes
 *     | row | value |              its data, its network, its sampling and so on
 *     ## Figures
 *     | figure | samples | ... |   the first table of this section; the most important figure comes first
 *
 * The card is the only place that has the figures. Left out on purpose: all other Markdown.
 */
import { FormatError } from '../errors.ts';

/** What a card says. */
export interface ModelCard {
  /** The name of the model. */
  readonly name: string;
  /** What the model makes. */
  readonly summary: string;
  /** The rows of the table at the top, such as `network`, each with its value. */
  readonly rows: Readonly<Record<string, string>>;
  /** The head of the table of figures, and then its rows. All have the same number of cells. */
  readonly figures: readonly (readonly string[])[];
}

/** The text of a cell or a paragraph, without the marks of code. */
const plain = (text: string) => text.replaceAll('`', '').replaceAll('\\|', '|').trim();

/** The cells of a line such as `| a | b |`. */
const cellsIn = (line: string) =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map(plain);

/** The rows of the first table of a text, without the line below its head. Empty if there is no table. */
function firstTable(text: string): string[][] {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith('|'));
  if (from < 0) return [];
  const length = lines.slice(from).findIndex((line) => !line.startsWith('|'));
  const table = lines.slice(from, length < 0 ? undefined : from + length);
  return table.filter((_, i) => i !== 1).map(cellsIn);
}

/**
 * The card in a Markdown text.
 * @param source names the file in errors
 * @throws FormatError for a card without a title, a paragraph or one of the two tables
 */
export function readCard(text: string, source: string): ModelCard {
  const [head, ...sections] = text.replaceAll('\r\n', '\n').split(/^## /m);
  const [, name, summary] = /^# (\S+)\n\n([^|]+?)\n\n/.exec(head) ?? [];
  if (name === undefined) throw new FormatError(`${source}: expected a title and a paragraph, got neither`);
  const [, ...rows] = firstTable(head);
  if (rows.length === 0 || rows.some((row) => row.length !== 2)) {
    throw new FormatError(`${source}: expected a table of rows and values below the title, got none`);
  }
  const figures = firstTable(sections.find((section) => section.startsWith('Figures\n')) ?? '');
  if (figures.length < 2 || figures.some((row) => row.length !== figures[0].length)) {
    throw new FormatError(`${source}: expected a table in the section Figures, got none`);
  }
  return {
    name,
    summary: plain(summary.replaceAll('\n', ' ')),
    rows: Object.fromEntries(rows) as Record<string, string>,
    figures,
  };
}
