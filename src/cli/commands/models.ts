/** `langevin models`: lists the published models, by their cards. */
import type { ModelCard } from '../../models/card.ts';
import { flag } from '../../models/setting.ts';
import { type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { WIDTH, wrap } from '../options/help.ts';
import { publishedCards } from '../options/model.ts';
import { PROGRAM } from '../options/program.ts';

const TABLE = {
  json: flag('json', 'Print one JSON object per model, with all rows and figures of its card.'),
} as const;

/** The rows of a card that are printed. */
const ROWS = ['data', 'network', 'sampling'];
/** The number of figures that are printed. */
const MOST_FIGURES = 4;

export const MODELS: Command = {
  name: 'models',
  summary: 'List the published models, with their figures',
  groups: { Output: TABLE },
  examples: ['models', 'models --json'],
  run: modelsCommand,
};

/** Runs the command and returns the exit code. */
export async function modelsCommand(options: Options): Promise<number> {
  const { json } = readSettings(TABLE, options);
  const cards = await publishedCards();
  const texts = json ? cards.map((card) => JSON.stringify(card)) : [...cards.map(textOf), hintOf(cards)];
  process.stdout.write(`${texts.join(json ? '\n' : '\n\n')}\n`);
  return 0;
}

/** A card as lines of text: its name, its paragraph, some rows, and the first figures. */
function textOf({ name, summary, rows, figures }: ModelCard): string {
  const shown = ROWS.filter((row) => rows[row] !== undefined);
  const indent = 2 + Math.max(...shown.map((row) => row.length)) + 2;
  const described = shown.flatMap((row) => {
    const lines = wrap(rows[row], WIDTH - indent);
    return lines.map((line, i) => `  ${(i === 0 ? row : '').padEnd(indent - 2)}${line}`);
  });
  return [
    name,
    ...wrap(summary, WIDTH - 2).map((line) => `  ${line}`),
    ...described,
    ...aligned(figures),
  ].join('\n');
}

/** The head and the first rows of the figures, in columns. */
function aligned(figures: ModelCard['figures']): string[] {
  const rows = figures.slice(0, 1 + MOST_FIGURES);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i])).join('  ')}`.trimEnd());
}

/** A command to try. */
const hintOf = ([first]: readonly ModelCard[]) =>
  first ? `${PROGRAM} sample --model ${first.name}` : 'There are no published models here.';
