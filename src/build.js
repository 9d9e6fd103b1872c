/**
 * Bundles the package with esbuild: `node src/build.js worker | node | browser | modules | page | notices`.
 *
 *   worker   the program of the worker threads, as text for the other two: build/worker.txt
 *   node     dist/index.js, sde.js, diffusion.js and cli.js, the chunks that they share, and dist/published, the models
 *            with their cards
 *   browser  dist/browser.js, one file for a page without a bundler, and dist/worker.js, the program of its threads
 *   modules  dist/modules/, one file for each module, for the bundler of a page: build-modules.js
 *   page     dist/page/, by a program that is bundled and run here: it draws the first pictures of the lessons
 *   notices  dist/THIRD_PARTY_NOTICES.txt, the licences of the packages whose code is in the bundles node and browser
 *
 * When an error is thrown, Node prints the source line above the message. So the files for Node are not minified, and
 * the lines of the browser's file are short.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { buildModules } from './build-modules.js';
import { noticesOf } from './notices.js';

const SHARED = { bundle: true, logLevel: 'warning' };
const LIBRARY = { ...SHARED, format: 'esm', keepNames: true, loader: { '.wasm': 'binary' } };

/** The files that programs import: `langevin`, `langevin/sde` and `langevin/diffusion`. */
const ENTRIES = { index: 'src/index.ts', sde: 'src/sde/index.ts', diffusion: 'src/diffusion/index.ts' };
const PAGE = { ...LIBRARY, platform: 'browser', target: 'es2022' };

const BUILDS = {
  worker: {
    ...SHARED,
    entryPoints: ['src/backend/worker.ts'],
    outfile: 'build/worker.txt',
    format: 'iife',
    target: 'es2022',
    minify: true,
    lineLimit: 120,
  },
  node: {
    ...LIBRARY,
    entryPoints: { ...ENTRIES, cli: 'src/cli/index.ts' },
    outdir: 'dist',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    platform: 'node',
    target: 'node20',
    // Plots need no style sheets. The parser of linkedom would be bundled for them.
    alias: { 'cssomnom/parse': './src/image/no-style-sheets.ts' },
    external: ['cac', 'cli-progress', 'jsep', 'wasm-feature-detect'],
  },
  browser: {
    ...PAGE,
    entryPoints: ['src/index.ts'],
    outfile: 'dist/browser.js',
    minify: true,
    lineLimit: 120,
  },
};

/** Builds the page. Below the project's folder, where node_modules is found. */
async function buildPage() {
  const folder = mkdtempSync(join('build', 'page-'));
  const outfile = join(folder, 'build.mjs');
  try {
    await build({
      ...SHARED,
      entryPoints: ['src/playground/site/build.ts'],
      outfile,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      loader: { '.wasm': 'binary' },
    });
    execFileSync(process.execPath, [outfile, 'dist/page'], { stdio: 'inherit' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeNotices() {
  const inputsOf = (options) => build({ ...options, metafile: true, write: false });
  const bundles = await Promise.all([BUILDS.node, BUILDS.browser].map(inputsOf));
  writeFileSync('dist/THIRD_PARTY_NOTICES.txt', noticesOf(bundles.map(({ metafile }) => metafile)));
}

const PROGRAMS = {
  modules: () => buildModules(PAGE, Object.values(ENTRIES)),
  page: buildPage,
  notices: writeNotices,
};
/** What a build replaces as a whole, because the names of its files depend on the source. */
const REPLACED = { node: 'dist/chunks', modules: 'dist/modules' };

const [name] = process.argv.slice(2);
if (!Object.hasOwn(PROGRAMS, name) && !Object.hasOwn(BUILDS, name)) {
  throw new Error(
    `expected one of ${[...Object.keys(BUILDS), ...Object.keys(PROGRAMS)].join(', ')}, got ${name}`,
  );
}
if (Object.hasOwn(REPLACED, name)) rmSync(REPLACED[name], { recursive: true, force: true });
await (PROGRAMS[name]?.() ?? build(BUILDS[name]));
if (name === 'node') {
  rmSync('dist/published', { recursive: true, force: true });
  const filter = (path) => basename(path) !== 'README.md';
  cpSync('src/models/published', 'dist/published', { recursive: true, filter });
}
if (name === 'browser') cpSync('build/worker.txt', 'dist/worker.js');
