/**
 * The suites that a change affects: those that import the changed file, directly or through other files.
 *
 * A file at the bottom, such as errors.ts, affects nearly all suites. So only the nearest ones count: those with the
 * shortest chain of imports to the file. A changed kernel affects the suites that compare kernels.
 */
import { build } from 'esbuild';

/** For each file its imports, as paths from the root of the project. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** Suites of the kernels. Their names begin so. */
const KERNEL_SUITES = ['abi', 'kernels', 'parity-kernels', 'parity.'];

/** The imports of all suites, and of all files that they import. */
export async function importGraph(root: string, suites: readonly string[]): Promise<Graph> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: suites.map((suite) => `test/${suite}`),
    outdir: 'unwritten',
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    external: ['*.wasm', '*.txt'],
    logLevel: 'silent',
  });
  return new Map(
    Object.entries(metafile.inputs).map(([file, { imports }]) => [file, imports.map((i) => i.path)]),
  );
}

/** The length of the shortest chain of imports from `from` to `to`; Infinity if there is none. */
export function distance(graph: Graph, from: string, to: string): number {
  const seen = new Set([from]);
  let files = [from];
  for (let steps = 0; files.length > 0; steps++) {
    if (files.includes(to)) return steps;
    files = files
      .flatMap((file) => graph.get(file) ?? [])
      .filter((file) => !seen.has(file) && seen.add(file));
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * The suites that a change of `file` affects, nearest first.
 * @param file a path from the root, such as `src/ops/linear.ts`
 */
export function affectedBy(file: string, suites: readonly string[], graph: Graph): string[] {
  if (file.startsWith('assembly/')) {
    return suites.filter((suite) => KERNEL_SUITES.some((name) => suite.startsWith(name)));
  }
  const distances = suites.map((suite) => distance(graph, `test/${suite}`, file));
  const least = Math.min(...distances);
  return suites.filter((_, i) => distances[i] === least && least < Number.POSITIVE_INFINITY);
}
