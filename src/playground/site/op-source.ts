/** The source of an op as HTML, line by line, with the lines of its forward pass and of its derivative marked. */
import { readFileSync } from 'node:fs';
import { excerpt, lastLine } from './excerpt.ts';
import { highlighted } from './markup.ts';

/** A line as HTML. A line in a comment of several lines begins with an asterisk. */
const lineHtml = (line: string) =>
  /^\s*(\/\*\*|\*)/.test(line) ? `<span class="hljs-comment">${escapedLine(line)}</span>` : highlighted(line);
const escapedLine = (line: string) => line.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/**
 * The source of an op that begins in the line with `from`.
 * @returns a block for the page, hidden until the stepper shows it
 */
export function opSource(op: string, file: string, from: string): string {
  const { first, last, text } = excerpt({ file, from });
  const lines = text.split('\n');
  const all = readFileSync(file, 'utf8').split('\n');
  const range = (start: RegExp): [number, number] => {
    const at = lines.findIndex((line) => start.test(line));
    return [at, lastLine(all, first - 1 + at) - first + 1];
  };
  const parts = { forward: range(/^\s*forward[:(]/), backward: range(/^\s*vjp[:(]/) };
  const partOf = (i: number) =>
    Object.entries(parts).find(([, [from, to]]) => i >= from && i <= to)?.[0] ?? 'other';
  const code = lines.map((line, i) => `<span data-part="${partOf(i)}">${lineHtml(line)}\n</span>`).join('');
  return `<div class="source" data-op="${op}" hidden><p class="where">${file}, lines ${first} to ${last}</p><pre tabindex="0"><code data-lines="${file}:${first}-${last}">${code}</code></pre></div>`;
}
