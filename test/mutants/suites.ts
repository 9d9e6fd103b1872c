/**
 * The suites that should notice a fault in a file, the nearest first.
 *
 * A kernel and its plain twin have the suites of a table. Any other file has the suites with the shortest chains of imports
 * to it. Among equal chains, suites that share more words with the file's path come first.
 */
import { distance, type Graph } from '../affected.ts';

/** The most suites for one mutant. */
const MOST = 4;

/** The suites that compare a kernel with its twin, by the begin of a path. The first entry that fits counts. */
const PARITY: readonly (readonly [path: string, suites: readonly string[]])[] = [
  ['assembly/attention', ['parity-attention']],
  ['assembly/conv', ['conv-kernels', 'winograd']],
  ['assembly/norm', ['parity-norm']],
  ['assembly/pool', ['parity-pool']],
  ['assembly/random', ['random']],
  ['assembly/sde', ['sde-solvers']],
  ['assembly/optim', ['optim.test', 'parity-kernels']],
  ['assembly', ['parity-kernels', 'parity-rows', 'kernels']],
  // The twins of all kernels are in this one class.
  [
    'src/backend/reference.ts',
    ['parity-kernels', 'parity-rows', 'parity-attention', 'parity-norm', 'parity-pool', 'conv-kernels'],
  ],
];

const wordsOf = (path: string): string[] => path.split(/[/-]/);

/** @param suites the names of all suites, such as `random.test.ts` */
export function suitesFor(file: string, suites: readonly string[], graph: Graph): string[] {
  const [, parity] = PARITY.find(([path]) => file.startsWith(path)) ?? [];
  if (parity) return parity.flatMap((name) => suites.filter((suite) => suite.startsWith(name)));
  const words = new Set(wordsOf(file.replace(/\.ts$/, '')));
  const near = suites.map((suite) => {
    const common = wordsOf(suite.replace(/\.test\.ts$/, '')).filter((word) => words.has(word)).length;
    return { suite, steps: distance(graph, `test/${suite}`, file), common };
  });
  return near
    .filter(({ steps }) => steps < Infinity)
    .sort((a, b) => a.steps - b.steps || b.common - a.common || (a.suite < b.suite ? -1 : 1))
    .slice(0, MOST)
    .map(({ suite }) => suite);
}
