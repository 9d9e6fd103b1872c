/**
 * `npm run bench -- [subject ...]`: bundles the benchmark with esbuild, because Node 20 does not read TypeScript. The
 * bundle is in a new folder under build/. Runs the bundle in this process, and then removes the folder.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const out = join(here, '..', 'build', `bench-${process.pid}`);
process.on('exit', () => rmSync(out, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const shared = {
  bundle: true,
  format: 'esm',
  loader: { '.wasm': 'binary', '.txt': 'text' },
  logLevel: 'warning',
};
await build({
  ...shared,
  entryPoints: [join(here, 'main.ts')],
  outfile: join(out, 'main.mjs'),
  platform: 'node',
  target: 'node20',
  packages: 'external',
});
if (process.argv.includes('--browser')) {
  await build({
    ...shared,
    entryPoints: [join(here, 'page.ts')],
    outfile: join(out, 'page.js'),
    platform: 'browser',
    target: 'es2022',
    // mitata imports these dynamically, and only in Bun or Node.
    external: ['bun:jsc', 'node:*', '@mitata/counters'],
  });
}
await import(pathToFileURL(join(out, 'main.mjs')).href);
