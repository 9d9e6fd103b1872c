/**
 * Runs the tests: `node test/run.js [name ...] [--backend reference]`. It bundles every `test/*.test.ts` with esbuild,
 * because Node 20 does not read TypeScript. It runs each file in its own process, and prints
 * `N passed, N failed, N skipped` at the end. A file that reports no test counts as one failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..');
// Each run has its own folder, so that two runs at the same time do not conflict.
const out = join(root, 'build', `test-${process.pid}`);
const { values, positionals: wanted } = parseArgs({
  options: { backend: { type: 'string', default: process.env.LANGEVIN_BACKEND ?? 'wasm' } },
  allowPositionals: true,
});
const files = readdirSync(here)
  .filter((f) => f.endsWith('.test.ts'))
  .filter((f) => wanted.length === 0 || wanted.some((w) => f.startsWith(w)));

mkdirSync(out, { recursive: true });
await build({
  entryPoints: files.map((f) => join(here, f)),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  loader: { '.wasm': 'binary' },
  sourcemap: 'inline',
  logLevel: 'warning',
});

const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of files) {
  const reportFile = join(out, `${file}.json`);
  const started = performance.now();
  console.log(`\n# ${file}`);
  const child = spawnSync(
    process.execPath,
    ['--enable-source-maps', '--expose-gc', join(out, file.replace(/\.ts$/, '.mjs'))],
    {
      stdio: 'inherit',
      cwd: root,
      env: { ...process.env, LANGEVIN_TEST_REPORT: reportFile, LANGEVIN_BACKEND: values.backend },
    },
  );
  const report = existsSync(reportFile)
    ? JSON.parse(readFileSync(reportFile, 'utf8'))
    : { passed: 0, failed: 0, skipped: 0 };
  const ran = report.passed + report.failed + report.skipped;
  const died = ran === 0 || (child.status !== 0 && report.failed === 0);
  if (died) console.log(`${file}: ended with status ${child.status ?? child.signal} after ${ran} tests`);
  total.passed += report.passed;
  total.failed += report.failed + (died ? 1 : 0);
  total.skipped += report.skipped;
  console.log(`# ${file}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
rmSync(out, { recursive: true, force: true });
if (files.length === 0) console.log(`no test file matches ${wanted.join(' ')}`);
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
