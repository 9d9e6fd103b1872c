/**
 * The floors of the source tree. Every import in src/ goes to a file's own floor or below. Only some folders use
 * WebAssembly, Node or a page. esbuild reads the imports and leaves out type imports, as the build does. The same rules
 * are also tested on a small tree of files that break each rule.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { build, transformSync } from 'esbuild';
import * as assert from 'uvu/assert';
import { suite } from './suite.ts';

/** The floors, lowest first: folders of src/, and files that are in no folder. */
const FLOORS = [
  ['bytes.ts', 'errors.ts', 'generators.ts', 'linear-algebra.ts', 'math.ts', 'options.ts', 'version.ts'],
  ['memory', 'image'],
  ['backend'],
  ['autograd'],
  ['ops'],
  ['tensor'],
  ['random'],
  ['nn', 'sde', 'data'],
  ['optim', 'checkpoint'],
  ['diffusion'],
  ['models'],
  ['index.ts'],
  ['cli', 'playground'],
];
/** The folder of the hosts, on the lowest floor. Other folders import it by the name `#host`. */
const ASIDE = 'platform';
const KNOW_THE_HOST = ['backend', 'data', 'checkpoint', 'cli', 'playground'];
const KNOW_NODE = [ASIDE, 'cli', 'playground'];

/** The folder in src/, or the file if it is in no folder: `src/ops/add.ts` is in `ops`. */
const partOf = (file: string): string => file.split('/')[1];
const floorOf = (part: string): number =>
  part === ASIDE ? 0 : FLOORS.findIndex((floor) => floor.includes(part));

type Graph = Map<string, string[]>;

/**
 * The run-time imports of every file of `root`/src: paths from root, or the name of an external module. All files are in
 * one bundle: with a bundle for each file esbuild would print each file hundreds of times.
 */
async function importsOf(root: string): Promise<Graph> {
  const files = readdirSync(join(root, 'src'), { recursive: true })
    .map((file) => `src/${String(file).replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
  const { metafile } = await build({
    absWorkingDir: resolve(root),
    stdin: {
      contents: files.map((file, i) => `export * as file${i} from './${file}';`).join('\n'),
      resolveDir: resolve(root),
    },
    outdir: 'unwritten',
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    external: ['#host', '*.wasm', '*.txt'],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  return new Map(files.map((file) => [file, metafile.inputs[file].imports.map(({ path }) => path)] as const));
}

/** The imports of every file of `root`/assembly. It is AssemblyScript, so they are read as text. */
function importsOfAssembly(root: string): Graph {
  const files = readdirSync(join(root, 'assembly'), { recursive: true })
    .map((file) => `assembly/${String(file).replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => {
      const source = readFileSync(join(root, file), 'utf8');
      const paths = [...source.matchAll(/from '(\.[^']*)'/g)].map(([, path]) =>
        join(dirname(file), `${path}.ts`),
      );
      return [file, paths.map((path) => path.replaceAll('\\', '/'))];
    }),
  );
}

/** One line for every import that breaks the rules. */
function breaches(graph: Graph): string[] {
  const found: string[] = [];
  for (const [file, imports] of graph) {
    const part = partOf(file);
    const floor = floorOf(part);
    if (floor < 0) found.push(`${file}: ${part} is on no floor`);
    for (const target of imports) {
      const breach = (why: string) => found.push(`${file} -> ${target}: ${why}`);
      if (target === '#host') {
        if (!KNOW_THE_HOST.includes(part)) breach('may not know the host');
      } else if (target.startsWith('node:')) {
        if (!KNOW_NODE.includes(part)) breach('may not know Node');
      } else if (/\.(wasm|txt)$/.test(target)) {
        if (part !== 'backend') breach('only backend knows the kernels');
      } else if (target.startsWith('src/')) {
        const to = partOf(target);
        if (to === ASIDE && !KNOW_NODE.includes(part)) breach('the platform is entered by #host');
        if (floorOf(to) > floor) breach('goes up');
      }
    }
  }
  return found;
}

/** Files that import one another in a circle, each circle once. */
function cycles(graph: Graph): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, above: readonly string[]) => {
    const at = above.indexOf(file);
    if (at >= 0) found.push([...above.slice(at), file].join(' -> '));
    if (at >= 0 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...above, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** Files outside backend/ whose code, comments and types aside, uses WebAssembly. */
function usesOfWebAssembly(root: string, files: Iterable<string>): string[] {
  return [...files].filter((file) => {
    if (partOf(file) === 'backend') return false;
    const source = readFileSync(join(root, file), 'utf8');
    const { code } = transformSync(source, { loader: 'ts', minifyWhitespace: true });
    return /\bWebAssembly\s*[.[]|typeof WebAssembly\b/.test(code);
  });
}

/** A tree of files in a temporary folder, while `body` runs. */
async function withTree(files: Record<string, string>, body: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'langevin-layering-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    await body(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

suite('layering', (test) => {
  const house = importsOf('.');

  test('every import goes to its own floor or below, and there is no circle', async () => {
    const graph = await house;
    assert.ok(graph.size > 50, `${graph.size} files were read`);
    assert.ok(graph.get('src/nn/linear.ts')!.includes('src/tensor/functions.ts'), 'imports were found');
    assert.equal(breaches(graph), []);
    assert.equal(cycles(graph), []);
  });

  test('the kernels import only kernels, and there is no circle among them', () => {
    const graph = importsOfAssembly('.');
    assert.ok(graph.get('assembly/gemm/gemm.ts')!.includes('assembly/scratch.ts'), 'imports were found');
    for (const [file, targets] of graph) {
      for (const target of targets) assert.ok(graph.has(target), `${file} imports ${target}`);
    }
    assert.equal(cycles(graph), []);
  });

  test('only backend/ uses WebAssembly', async () => {
    const files = (await house).keys();
    assert.equal(usesOfWebAssembly('.', files), []);
    assert.match(readFileSync('src/backend/wasm-memory.ts', 'utf8'), /new WebAssembly\.Memory/);
  });

  test('a tree that breaks every rule is caught at every breach, and nowhere else', async () => {
    const files = {
      'src/errors.ts': "import { t } from './tensor/tensor.ts'; export const e = t;",
      'src/tensor/tensor.ts': `
        import type { N } from '../nn/linear.ts';
        import { type M } from '../nn/linear.ts';
        import { add } from '../ops/add.ts';
        export const t: N | M = add;`,
      'src/ops/add.ts': "export { t as add } from '../tensor/tensor.ts';",
      'src/ops/raw.ts': `
        import bytes from '../../build/strict.wasm';
        // WebAssembly.compile in a comment is not a use
        export const raw = () => new WebAssembly.Module(bytes);`,
      'src/nn/linear.ts': `
        import { readFileSync } from 'node:fs';
        import { host } from '#host';
        export type N = number; export type M = number;
        export const later = () => [import('../cli/index.ts'), readFileSync, host];`,
      'src/data/mnist.ts': `
        import { host } from '#host';
        import { node } from '../platform/node.ts';
        import { tile } from '../image/grid.ts';
        export const m = [host, node, tile];`,
      'src/image/grid.ts': 'export const tile = "WebAssembly";',
      'src/platform/node.ts': "import * as fs from 'node:fs'; export const node = fs;",
      'src/cli/index.ts': "import { node } from '../platform/node.ts'; export const run = node;",
      'src/backend/wasm-memory.ts': `
        import bytes from '../../build/strict.wasm';
        export const module = () => new WebAssembly.Module(bytes);`,
      'src/extra/thing.ts': 'export const x = 1;',
    };
    await withTree(files, async (root) => {
      const graph = await importsOf(root);
      assert.equal(breaches(graph).sort(), [
        'src/data/mnist.ts -> src/platform/node.ts: the platform is entered by #host',
        'src/errors.ts -> src/tensor/tensor.ts: goes up',
        'src/extra/thing.ts: extra is on no floor',
        'src/nn/linear.ts -> #host: may not know the host',
        'src/nn/linear.ts -> node:fs: may not know Node',
        'src/nn/linear.ts -> src/cli/index.ts: goes up',
        'src/ops/add.ts -> src/tensor/tensor.ts: goes up',
        'src/ops/raw.ts -> ../../build/strict.wasm: only backend knows the kernels',
      ]);
      const [cycle, ...more] = cycles(graph);
      assert.equal(more, []);
      assert.equal(new Set(cycle.split(' -> ')), new Set(['src/tensor/tensor.ts', 'src/ops/add.ts']));
      assert.equal(usesOfWebAssembly(root, graph.keys()), ['src/ops/raw.ts']);
    });
  });
});
