/** Draws mutants from files: all of their lines, or those that a diff changes. */
import { readFileSync } from 'node:fs';
import type { Choices } from '../fuzz/random.ts';
import { lineOf, type Mutation, mutated, mutations } from './mutations.ts';

/** The lines that a diff of git without context adds or changes, by file. */
export function changedLines(diff: string): Map<string, Set<number>> {
  const lines = new Map<string, Set<number>>();
  let current = new Set<number>();
  for (const line of diff.split('\n')) {
    const [, file] = /^\+\+\+ b\/(.*)$/.exec(line) ?? [];
    if (file) lines.set(file, (current = new Set()));
    const [, from, count = '1'] = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line) ?? [];
    for (let i = 0; from && i < Number(count); i++) current.add(Number(from) + i);
  }
  return lines;
}

export interface Mutant extends Mutation {
  readonly file: string;
  readonly source: string;
}

/** Draws mutants, each at most once. */
export async function draw(
  files: readonly string[],
  n: number,
  r: Choices,
  lines?: Map<string, Set<number>>,
) {
  const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
  const total = [...sources.values()].reduce((sum, { length }) => sum + length, 0);
  const parsed = new Map<string, Mutation[]>();
  const faultsOf = async (file: string, source: string) => {
    const own = lines?.get(file);
    const all = parsed.get(file) ?? (await mutations(source));
    parsed.set(file, all);
    return own ? all.filter((one) => own.has(lineOf(source, one))) : all;
  };
  const drawn = new Map<string, Mutant>();
  for (let attempt = 0; total > 0 && drawn.size < n && attempt < 20 * n; attempt++) {
    let at = r.below(total);
    const [file, source] = [...sources].find(([, text]) => (at -= text.length) < 0)!;
    const all = await faultsOf(file, source);
    if (all.length === 0) continue;
    const mutation = r.oneOf(all);
    drawn.set(`${file} ${mutation.start} ${mutation.text}`, { ...mutation, file, source });
  }
  return [...drawn.values()];
}

/** The place of a mutant, and its line without and with the fault. */
export const describe = ({ file, source, ...mutation }: Mutant): string => {
  const line = (text: string) => text.split('\n')[lineOf(source, mutation) - 1].trim();
  return `${file}:${lineOf(source, mutation)}\n    ${line(source)}\n    ${line(mutated(source, mutation))}`;
};
