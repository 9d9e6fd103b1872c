/**
 * Builds the site into a folder: `build.ts OUT`. The first picture of each figure is computed and drawn here, by the
 * code that runs in the page. That of a live figure is read from its file (still.ts).
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { noticesOf } from '../../notices.js';
import type { AnyFigure } from '../figure.ts';
import { BROWNIAN } from '../lessons/brownian/figure.ts';
import { LESSONS } from '../lessons/index.ts';
import { namesOnly } from './names-only.ts';
import { type Assets, indexPage, lessonPage } from './pages.ts';
import { computeStill, readStill, type Still } from './still.ts';

const HERE = 'src/playground';
const MODELS = 'src/models/published';

async function bundle(out: string): Promise<Assets> {
  const lessonScripts = LESSONS.map(({ slug }) => [slug, `${HERE}/lessons/${slug}/page.ts`] as const);
  const entries = {
    engine: `${HERE}/engine/worker.ts`,
    index: `${HERE}/site/index.ts`,
    ...Object.fromEntries(lessonScripts),
  };
  const shared = {
    bundle: true,
    minify: true,
    outdir: join(out, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    target: 'es2022',
    platform: 'browser',
    metafile: true,
    logLevel: 'warning',
  } as const;
  const modules = { ...shared, format: 'esm', splitting: true } as const;
  const { engine, ...pages } = entries;
  // The program of the threads is a file of its own, because the page's policy forbids workers from blobs.
  const thread = await build({
    ...shared,
    format: 'iife',
    entryPoints: { thread: 'src/backend/worker.ts' },
  });
  const define = { THREAD: JSON.stringify(basename(Object.keys(thread.metafile.outputs)[0])) };
  // Two bundles, because a module that both need would be whole in the page too.
  const [worker, scripts] = await Promise.all([
    build({
      ...modules,
      entryPoints: { engine },
      plugins: [wasmFiles, namesOnly],
      define,
      loader: { '.txt': 'empty' },
    }),
    build({ ...modules, entryPoints: pages, plugins: [namesOnly], loader: { '.wasm': 'empty' } }),
  ]);
  const styles = await build({
    ...shared,
    entryPoints: [`${HERE}/site/page.css`],
    loader: { '.woff2': 'file' },
  });
  const notices = noticesOf([worker.metafile, scripts.metafile, styles.metafile]);
  writeFileSync(join(out, 'third-party-notices.txt'), notices);
  const name = (meta: Metafile, test: (file: string, entry: string | undefined) => boolean) =>
    relative(out, Object.entries(meta.outputs).find(([file, { entryPoint }]) => test(file, entryPoint))![0]);
  const script = (meta: Metafile, source: string) => name(meta, (_file, entry) => entry === source);
  return {
    style: name(styles.metafile, (file) => file.endsWith('.css')),
    font: name(styles.metafile, (file) => file.endsWith('.woff2')),
    engine: script(worker.metafile, engine),
    scripts: new Map(
      [['index', entries.index] as const, ...lessonScripts].map(([slug, source]) => {
        const entry = script(scripts.metafile, source);
        return [
          slug,
          { entry, needs: needsOf(scripts.metafile, join(out, entry)).map((file) => relative(out, file)) },
        ];
      }),
    ),
  };
}

/** Kernels as files of their own, which the worker fetches before it begins. */
const wasmFiles: Plugin = {
  name: 'wasm-files',
  setup({ onLoad, onResolve }) {
    // Only the lesson on kernels computes with relaxed numerics. It fetches that build when it needs it.
    onResolve({ filter: /relaxed\.wasm$/ }, ({ path, importer }) =>
      /relaxed-build\.ts$/.test(importer) ? undefined : { path, namespace: 'left-out' },
    );
    onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'export default new Uint8Array();' }));
    onLoad({ filter: /\.wasm$/ }, ({ path, suffix }) =>
      suffix === '?file'
        ? { contents: readFileSync(path), loader: 'file' }
        : {
            contents: `import url from ${JSON.stringify(`${path}?file`)};
const response = await fetch(new URL(url, import.meta.url));
if (!response.ok) throw new Error(\`cannot load \${url}: HTTP \${response.status}\`);
export default new Uint8Array(await response.arrayBuffer());`,
            loader: 'js',
          },
    );
  },
};

/** The chunks that a script imports at once. */
function needsOf({ outputs }: Metafile, file: string, found = new Set<string>()): string[] {
  for (const { path, kind } of outputs[file].imports) {
    if (kind !== 'import-statement' || found.has(path)) continue;
    found.add(path);
    needsOf({ inputs: {}, outputs }, path, found);
  }
  return [...found];
}

/** The models that lessons load, by their names. The service worker stores them after the rest of the site. */
function copyModels(out: string): void {
  mkdirSync(join(out, 'models'));
  for (const file of readdirSync(MODELS).filter((name) => name.endsWith('.safetensors'))) {
    copyFileSync(join(MODELS, file), join(out, 'models', file));
  }
}

/** The service worker, which knows the names of all files. */
async function serviceWorker(out: string): Promise<void> {
  const files = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(out, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(out, file)));
  const models = files.filter((file) => file.startsWith('models/'));
  const first = files.filter((file) => !models.includes(file));
  const site = { version: hash.digest('hex').slice(0, 16), files: ['./', ...first], models };
  await build({
    entryPoints: [`${HERE}/sw.ts`],
    outfile: join(out, 'sw.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    define: { SITE: JSON.stringify(site) },
    logLevel: 'warning',
  });
}

const stills = new Map<AnyFigure, Promise<Still>>();
function stillFor(figure: AnyFigure): Promise<Still> {
  const known = stills.get(figure) ?? computeStill(figure);
  stills.set(figure, known);
  return known;
}

const [out] = process.argv.slice(2);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const assets = await bundle(out);
for (const file of ['icon.svg', 'noscript.css']) copyFileSync(join(HERE, 'site', file), join(out, file));
for (const lesson of LESSONS) {
  const still = async (figure: AnyFigure) => (figure.live ? readStill(lesson, figure) : stillFor(figure));
  writeFileSync(join(out, `${lesson.slug}.html`), await lessonPage(assets, LESSONS, lesson, still));
}
writeFileSync(join(out, 'index.html'), indexPage(assets, LESSONS, (await stillFor(BROWNIAN)).wide));
copyModels(out);
await serviceWorker(out);
process.exit(0); // worker threads that helped would keep the process
