/**
 * Runs the tests: `node test/run.js [name ...] [--jobs N] [--times] [--backend reference]`. It bundles every
 * `test/*.test.ts` with esbuild, because Node 20 does not read TypeScript. It runs each file in its own process, and
 * prints `N passed, N failed, N skipped` at the end. A file that reports no test counts as one failure.
 *
 * It runs `--jobs` files at a time: one a core, at most 4. The output of a file is printed whole when the file ends.
 * `--times` also prints the seconds of each test that takes half a second or more.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

/** The slowest files start first. Otherwise one of them would run last, with nothing beside it. */
const SLOWEST = [
  'page.',
  'bench.',
  'cli-diffusion.',
  'two-sample.',
  'readme.',
  'cli-runs.',
  'bits.',
  'page-',
  'package-exports.',
  'examples-package.',
];
/** Files that run last, with no other file beside them and with all cores, and why. */
const ALONE = {
  'threads.': 'its threads wait for each other, so each needs a core',
  'bench-against.': 'it compares times, and builds the kernels of this checkout',
};

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..');
// Each run has its own folder, so that two runs at the same time do not conflict.
const out = join(root, 'build', `test-${process.pid}`);
const { values, positionals: wanted } = parseArgs({
  options: {
    backend: { type: 'string', default: process.env.LANGEVIN_BACKEND ?? 'wasm' },
    jobs: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    times: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const jobs = Number(values.jobs);
if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`expected --jobs N, N >= 1, got ${values.jobs}`);
const place = (file) => {
  const at = SLOWEST.findIndex((name) => file.startsWith(name));
  return at < 0 ? SLOWEST.length : at;
};
const files = readdirSync(here)
  .filter((f) => f.endsWith('.test.ts'))
  .filter((f) => wanted.length === 0 || wanted.some((w) => f.startsWith(w)))
  .sort((a, b) => place(a) - place(b));
const needsAll = (file) => Object.keys(ALONE).some((name) => file.startsWith(name));

mkdirSync(join(out, 'builds'), { recursive: true });
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
const seconds = new Map();

/** The environment of a file. Beside another file it computes with one thread: two threads would share one core. */
function environment(report, oneCore) {
  const { NODE_OPTIONS = '', ...env } = process.env;
  return {
    ...env,
    NODE_OPTIONS: oneCore
      ? `${NODE_OPTIONS} --import=${pathToFileURL(join(here, 'one-core.js'))}`
      : NODE_OPTIONS,
    LANGEVIN_BACKEND: values.backend,
    LANGEVIN_TEST_BUILDS: join(out, 'builds'),
    LANGEVIN_TEST_REPORT: report,
  };
}

/** Runs a file. Its output is shown at once if it runs alone, else when it has ended. */
async function run(file, alone) {
  const [reportFile, log] = [join(out, `${file}.json`), join(out, `${file}.log`)];
  const started = performance.now();
  if (alone) console.log(`\n# ${file}`);
  const output = alone ? 'inherit' : openSync(log, 'w');
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', '--expose-gc', join(out, file.replace(/\.ts$/, '.mjs'))],
    {
      stdio: ['ignore', output, output],
      cwd: root,
      env: environment(reportFile, !alone),
    },
  );
  const status = await new Promise((resolve) => {
    child.on('error', resolve).on('exit', (code, signal) => resolve(code ?? signal));
  });
  seconds.set(file, (performance.now() - started) / 1000);
  if (!alone) {
    closeSync(output);
    console.log(`\n# ${file}\n${readFileSync(log, 'utf8').trimEnd()}`);
  }
  count(file, status, reportFile);
}

/** Adds the counts of a file to the total. */
function count(file, status, reportFile) {
  const report = existsSync(reportFile)
    ? JSON.parse(readFileSync(reportFile, 'utf8'))
    : { passed: 0, failed: 0, skipped: 0, times: [] };
  const ran = report.passed + report.failed + report.skipped;
  const died = ran === 0 || (status !== 0 && report.failed === 0);
  if (died) console.log(`${file}: ended with status ${status} after ${ran} tests`);
  total.passed += report.passed;
  total.failed += report.failed + (died ? 1 : 0);
  total.skipped += report.skipped;
  if (values.times) {
    for (const [sentence, s] of report.times.filter(([, s]) => s >= 0.5))
      console.log(`${s.toFixed(1).padStart(8)} s  ${sentence}`);
  }
  console.log(`# ${file}: ${seconds.get(file).toFixed(1)} s`);
}

const together = files.filter((file) => jobs > 1 && files.length > 1 && !needsAll(file));
const alone = files.filter((file) => !together.includes(file));
const lane = async () => {
  for (let file = together.shift(); file !== undefined; file = together.shift()) await run(file, false);
};
await Promise.all(Array.from({ length: jobs }, lane));
for (const file of alone) await run(file, true);
rmSync(out, { recursive: true, force: true });

if (files.length === 0) console.log(`no test file matches ${wanted.join(' ')}`);
if (files.length > 10) {
  const slowest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, 10);
  console.log(
    `\nslowest: ${slowest.map(([file, s]) => `${file.split('.')[0]} ${s.toFixed(0)} s`).join(', ')}`,
  );
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
