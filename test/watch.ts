/**
 * `npm run watch [-- SUITE ...]`: after each change in src/, assembly/ or test/ it builds what follows from the change,
 * and runs the suites that the change affects (affected.ts), or of these the named ones.
 *
 * A change in assembly/ builds the kernels. A change in src/ builds the program of the worker threads and the library.
 * Both builds are those of package.json. Left out on purpose: type checks and lint, which take longer than most suites.
 */
import { spawn } from 'node:child_process';
import { readdirSync, watch } from 'node:fs';
import { affectedBy, importGraph } from './affected.ts';

const ROOT = process.cwd();
/** Milliseconds without another change before the work begins. An editor writes several files at once. */
const QUIET = 150;

const named = process.argv.slice(2);
const changed = new Set<string>();
let timer: NodeJS.Timeout | undefined;
let busy = false;

/** Runs a command and shows its output. Returns whether it succeeded. */
function succeeds(command: string, ...args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', shell: process.platform === 'win32' });
    child.on('error', () => resolve(false)).on('exit', (code) => resolve(code === 0));
  });
}

/** Builds what follows from the changed files. Returns false if a build fails. */
async function buildFor(files: readonly string[]): Promise<boolean> {
  if (files.some((file) => file.startsWith('assembly/'))) {
    if (!(await succeeds('npm', 'run', '--silent', 'build:kernels'))) return false;
  }
  if (!files.some((file) => file.startsWith('src/') || file.startsWith('assembly/'))) return true;
  return (
    (await succeeds(process.execPath, 'src/build.js', 'worker')) &&
    succeeds('npm', 'run', '--silent', 'build:js')
  );
}

/** The suites to run for the changed files. @throws what esbuild throws for a file that it cannot read */
async function suitesFor(files: readonly string[]): Promise<string[]> {
  const suites = readdirSync('test').filter((file) => file.endsWith('.test.ts'));
  const graph = await importGraph(ROOT, suites);
  const affected = new Set(files.flatMap((file) => affectedBy(file, suites, graph)));
  return [...affected].filter((suite) => named.length === 0 || named.some((name) => suite.startsWith(name)));
}

/** Builds and tests until no change is left. */
async function work(): Promise<void> {
  if (busy) return;
  busy = true;
  while (changed.size > 0) {
    const files = [...changed];
    changed.clear();
    console.log(`\n== ${files.join(' ')}`);
    try {
      if (!(await buildFor(files))) continue;
      const suites = await suitesFor(files);
      if (suites.length === 0) console.log('no suite imports it');
      else await succeeds(process.execPath, 'test/run.js', ...suites);
    } catch (error) {
      console.error((error as Error).message);
    }
  }
  busy = false;
  console.log('\nwaiting for a change');
}

for (const folder of ['src', 'assembly', 'test']) {
  watch(folder, { recursive: true }, (_, name) => {
    const file = `${folder}/${String(name).replaceAll('\\', '/')}`;
    if (!/\.(ts|js)$/.test(file)) return;
    changed.add(file);
    clearTimeout(timer);
    timer = setTimeout(work, QUIET);
  });
}
console.log('waiting for a change in src, assembly or test');
