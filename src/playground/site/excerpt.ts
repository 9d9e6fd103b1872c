/** Pieces of the project's source, found by the line that they begin with. */
import { readFileSync } from 'node:fs';
import { InternalError } from '../../errors.ts';
import type { Excerpt } from '../lesson.ts';

export interface Lines {
  readonly file: string;
  /** Lines `first` to `last`, both included. The first line of the file is 1. */
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

const indentOf = (line: string) => line.length - line.trimStart().length;

/** The last line of the piece that begins in line `start`. The first line of the file is 0. */
export function lastLine(lines: readonly string[], start: number): number {
  const indent = indentOf(lines[start]);
  let end = start;
  if (!/[;,]$/.test(lines[start])) {
    const closes = (line: string) =>
      /^\s*[)}\]]/.test(line) && indentOf(line) <= indent && !/[({[]$/.test(line);
    while (end + 1 < lines.length && !(end > start && closes(lines[end]))) {
      end++;
      if (/;$/.test(lines[end]) && indentOf(lines[end]) <= indent + 2 && !/[{([]$/.test(lines[start])) break;
    }
  }
  return end;
}

/**
 * The piece that begins in the first line with the text `from`. It ends at its closing line, with the same indent.
 * @throws InternalError if no line has this text
 */
export function excerpt({ file, from }: Excerpt): Lines {
  const lines = readFileSync(file, 'utf8').split('\n');
  const start = lines.findIndex((line) => line.includes(from));
  if (start < 0) throw new InternalError(`${file}: expected a line with "${from}", got none`);
  const indent = indentOf(lines[start]);
  const end = lastLine(lines, start);
  const part = lines.slice(start, end + 1);
  return { file, first: start + 1, last: end + 1, text: part.map((line) => line.slice(indent)).join('\n') };
}
