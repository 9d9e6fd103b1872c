/** Captions that show what a model has learned: a row for each word, and a column for each digit. */
import { meaningOf, NUMERALS } from './words.ts';

const ROWS: readonly string[] = [
  ...['a #', 'a thin #', 'a thick #', 'a # leaning left', 'a # leaning right'],
  ...['a narrow #', 'a wide #', 'a short #', 'a tall #', 'a thick slanted #'],
];

/** A row with the name of each digit in the place of #. */
const withDigits = (row: string): string[] =>
  NUMERALS.map((numeral) => row.replace('#', numeral).replace(/^a eight/, 'an eight'));

/** A caption for each digit: "a zero", "a one", ... */
export const digitCaptions = (): string[] => withDigits(ROWS[0]);

/** The captions of the first rows, with the digits as labels, and the words of each row. */
export function captionsByRow(rows: number) {
  const used = Array.from({ length: rows }, (_, r) => ROWS[r % ROWS.length]);
  const captions = used.flatMap(withDigits);
  return {
    captions,
    labels: captions.map((caption) => meaningOf(caption).digit),
    rowLabels: used.map((row) => row.replace(/^a | ?#/g, '').trim()),
  };
}
