/**
 * The package as users install it. dist/ is built by the package's own scripts, and its command runs in a temporary
 * folder, as a user runs it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeIdx } from '../src/data/idx.ts';

/** Tests run from the project's folder (test/run.js). */
export const ROOT = process.cwd();
const CLI = join(ROOT, 'dist', 'cli.js');

/** A training of a tiny diffusion network on 60 pictures: three steps an epoch. */
export const TRAIN_TINY = 'train diffusion --model mlp-tiny --limit 60 --batch-size 20 --threads 1'.split(
  ' ',
);

/**
 * Runs scripts of package.json, such as `build:node`. In a run of several suites each script runs once, because a suite
 * must not build dist/ while another one uses it. `LANGEVIN_TEST_BUILDS` is a folder with a mark for each script.
 */
export function npmRun(...scripts: string[]): void {
  const marks = process.env.LANGEVIN_TEST_BUILDS;
  for (const script of scripts) {
    if (marks === undefined) runScript(script);
    else once(join(marks, script.replace(':', '-')), () => runScript(script));
  }
}

/** Milliseconds after which a build counts as failed. The machine can be busy. */
const LONGEST_BUILD = 900_000;

/** Calls `action` in the first of all processes with the same `mark`, a path. The others wait until it has ended. */
function once(mark: string, action: () => void): void {
  const done = join(mark, 'done');
  const failed = join(mark, 'failed');
  if (mkdirSync(mark, { recursive: true }) !== undefined) {
    try {
      action();
    } catch (error) {
      writeFileSync(failed, '');
      throw error;
    }
    writeFileSync(done, '');
    return;
  }
  const sleep = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + LONGEST_BUILD;
  while (!existsSync(done)) {
    if (existsSync(failed) || performance.now() > end) throw new Error(`the build failed: ${mark}`);
    Atomics.wait(sleep, 0, 0, 50);
  }
}

function runScript(script: string): void {
  execFileSync('npm', ['run', '--silent', script], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}

/** The result of a process: its exit code, or the signal that ended it, and its output. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `langevin` with these arguments in the folder `cwd`. `during` is called with every part of its output, and
 * may send it signals.
 * @param cli the program: that of dist/ by default
 */
export function langevin(
  words: readonly string[],
  cwd: string,
  during: (child: ChildProcess, stdout: string) => void = () => {},
  cli = CLI,
): Promise<Outcome> {
  const child = spawn(process.execPath, [cli, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    during(child, stdout);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs it, and asserts that it succeeds. Returns its standard output. */
export async function ok(words: readonly string[], cwd: string, cli = CLI): Promise<string> {
  const { code, stdout, stderr } = await langevin(words, cwd, () => {}, cli);
  assert.equal([code, stderr], [0, ''], words.join(' '));
  return stdout;
}

/** Asserts an error of one line on standard error, nothing on standard output, and the exit code. */
export function failed({ code, stdout, stderr }: Outcome, expected: number, message: RegExp): void {
  assert.match(stderr, message);
  assert.is(code, expected, stderr);
  assert.match(stderr, /^langevin: [^\n]+\n$/, 'one line');
  assert.is(stdout, '');
}

/** Calls `body` with an empty folder, and removes it afterwards. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'langevin-test-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder of a user who has installed langevin. */
export const asConsumer = <T>(body: (folder: string) => Promise<T>) =>
  inFolder((folder) => {
    mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
    symlinkSync(ROOT, join(folder, 'node_modules', 'langevin'), 'junction');
    symlinkSync(
      join(ROOT, 'node_modules', '@types', 'node'),
      join(folder, 'node_modules', '@types', 'node'),
      'junction',
    );
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    return body(folder);
  });

/** A folder `tiny` of pictures of 8x8 pixels in ten classes. */
export function tinyData(folder: string): void {
  mkdirSync(join(folder, 'tiny'));
  for (const [part, n] of [
    ['train', 40],
    ['t10k', 20],
  ] as const) {
    const pixels = Uint8Array.from({ length: n * 64 }, (_, i) => (i * 37) % 256);
    const labels = Uint8Array.from({ length: n }, (_, i) => i % 10);
    writeFileSync(join(folder, 'tiny', `${part}-images-idx3-ubyte`), encodeIdx([n, 8, 8], pixels));
    writeFileSync(join(folder, 'tiny', `${part}-labels-idx1-ubyte`), encodeIdx([n], labels));
  }
}
