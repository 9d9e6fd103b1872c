/**
 * `npm run docs`: the API reference of `src/index.ts` as HTML in `dist/docs`. `npm run docs -- --check` writes nothing.
 * Both fail if a public name is undocumented (`undocumented.js` has the rules), if a public signature refers to a type
 * that is not exported (`reference.js` has the exceptions), or if typedoc warns. They name what is wrong.
 *
 * typedoc reads types with TypeScript's compiler API, which TypeScript 7 does not have. So this folder has its own
 * package.json and lock file, with a TypeScript of its own. This program installs both if they are absent or outdated.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

/** The versions of a lock file, by folder. */
function versionsOf(lock) {
  if (!existsSync(lock)) return '';
  const entries = Object.entries(JSON.parse(readFileSync(lock, 'utf8')).packages);
  return JSON.stringify(entries.filter(([at]) => at !== '').map(([at, { version }]) => [at, version]));
}

// npm writes the second file when it has installed everything.
if (
  versionsOf(join(here, 'package-lock.json')) !== versionsOf(join(here, 'node_modules', '.package-lock.json'))
) {
  const words = ['ci', '--prefix', here, '--no-audit', '--no-fund'];
  execFileSync('npm', words, { stdio: 'inherit', shell: process.platform === 'win32' });
}
const { reference } = await import('./reference.js');
process.exitCode = (await reference(values.check)) ? 0 : 1;
