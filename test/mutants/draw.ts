/**
 * Draws mutants from files: all of their lines, or those that a diff changes.
 *
 * Each possible mutant has a rank: a hash of the seed, the file, the line and its faulty form. A sample has the mutants of
 * the lowest ranks. So a change of one line moves no other mutant into a sample or out of it.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { lineOf, type Mutation, mutations } from './mutations.ts';

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
  /** The line number, from 1. */
  readonly line: number;
  /** That line without the fault. */
  readonly right: string;
  /** That line with the fault. */
  readonly wrong: string;
}

/** All mutants of a file, in the order of the lines. Two that give the same text are one. */
export async function mutantsOf(file: string): Promise<Mutant[]> {
  const source = readFileSync(file, 'utf8');
  const lines = source.split('\n');
  const found = new Map<string, Mutant>();
  for (const mutation of await mutations(source)) {
    const { start, end, text } = mutation;
    const line = lineOf(source, mutation);
    const begin = source.lastIndexOf('\n', start - 1) + 1;
    const after = source.slice(end).split('\n', 1)[0];
    const [wrong] = `${source.slice(begin, start)}${text}${after}`.split('\n', 1);
    const named = { line, right: lines[line - 1].trim(), wrong: wrong.trim() };
    found.set(`${start} ${end} ${text}`, { ...mutation, file, source, ...named });
  }
  return [...found.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

/** The mutants with their ranks. Equal lines of one file differ by their number. */
function ranked(mutants: readonly Mutant[], seed: string): [rank: string, mutant: Mutant][] {
  const seen = new Map<string, number>();
  return mutants.map((mutant) => {
    const { file, right, wrong } = mutant;
    const name = [seed, file, right, wrong].join('\0');
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return [createHash('sha256').update(`${name}\0${before}`).digest('hex'), mutant];
  });
}

/** Draws `n` mutants, or all if there are fewer. @param lines the only lines that may have faults, by file */
export async function draw(
  files: readonly string[],
  n: number,
  seed: string,
  lines?: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<Mutant[]> {
  const all: [string, Mutant][] = [];
  for (const file of files) {
    const own = await mutantsOf(file);
    all.push(...ranked(lines ? own.filter(({ line }) => lines.get(file)?.has(line)) : own, seed));
  }
  return all
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, n)
    .map(([, mutant]) => mutant);
}

/** The place of a mutant, and its line without and with the fault. */
export const describe = ({ file, line, right, wrong }: Mutant): string =>
  `${file}:${line}\n    ${right}\n    ${wrong}`;
