/**
 * `npm run release:check -- [--out FOLDER]`: whether the package is ready to be published. The npm script builds first.
 * This program packs, installs the archive in an empty folder as a user does, and checks what it installed. It needs
 * npm's registry, for the packages that langevin depends on. Nothing is published.
 *
 * FOLDER (by default out/release) gets the archive and its bill of materials. The last line is `N passed, N failed`, and
 * the number of skipped checks if there are any.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../dist.ts';
import {
  pack,
  pkg,
  publintMessages,
  RESOLUTIONS,
  read,
  typeErrors,
  typeProblems,
} from '../helpers-package.ts';
import { disagreements, repository } from './metadata.ts';
import { bundledPackages, createSbom } from './sbom.ts';
import { programSizes, sizeRow } from './sizes.ts';

/** A result: what is wrong (nothing if the check has passed), and a note. `skipped` says why there was no check. */
interface Result {
  readonly wrong: readonly string[];
  readonly note?: string;
  readonly skipped?: string;
}

/** A program of a user, with each entry of the package. */
const PROGRAM = `
import { tensor } from 'langevin';
import { ddim } from 'langevin/diffusion';
import { eulerMaruyama, gbm, solve } from 'langevin/sde';
const { states } = solve(gbm(), eulerMaruyama, tensor([1, 2]), { t1: 1, steps: 4 });
console.log(states.shape.join(), ddim({}).name, import.meta.resolve('langevin/worker').endsWith('/dist/worker.js'));
`;

/** Runs a command in a folder. Its output counts as wrong if it fails, or if it writes to standard error. */
function run(folder: string, command: string, ...words: string[]): { stdout: string; wrong: string[] } {
  const shell = process.platform === 'win32';
  const { status, stdout, stderr } = spawnSync(command, words, { cwd: folder, encoding: 'utf8', shell });
  const wrong = [
    ...(status === 0 ? [] : [`${command} ${words.join(' ')}: exit code ${status}`]),
    ...stderr.split('\n').filter((line) => line.trim() !== ''),
  ];
  return { stdout, wrong };
}

/** Installs the archive. npm may print how many packages it added, and no warning. */
function install(folder: string, archive: string): Result {
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }');
  const { stdout, wrong } = run(
    folder,
    'npm',
    'install',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    archive,
  );
  return { wrong, note: stdout.trim() };
}

function runProgram(folder: string): Result {
  writeFileSync(join(folder, 'program.js'), PROGRAM);
  const { stdout, wrong } = run(folder, process.execPath, 'program.js');
  return { wrong: stdout === '5,2 ddim true\n' ? wrong : [...wrong, `got ${stdout}`] };
}

function checkTypes(folder: string): Result {
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  // Node's types are those of the project: a user installs them, too.
  run(
    folder,
    'npm',
    'install',
    '--no-audit',
    '--no-fund',
    `@types/node@${pkg.devDependencies['@types/node']}`,
  );
  const resolutions = Object.keys(RESOLUTIONS) as (keyof typeof RESOLUTIONS)[];
  return {
    wrong: resolutions.map((name) => typeErrors(folder, name, ['program.ts'])).filter((text) => text !== ''),
  };
}

/** The command by npx alone, in an empty folder. */
function sample(folder: string, archive: string): Result {
  const words = [
    '--yes',
    '--package',
    archive,
    'langevin',
    'sample',
    '--model',
    'mnist-unet',
    '--count',
    '4',
    '--json',
  ];
  const { stdout, wrong } = run(folder, 'npx', ...words);
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return {
    wrong: /"numbers":\{/.test(last) ? wrong : [...wrong, `expected the hashes of the pictures, got ${last}`],
  };
}

/** Writes the bill of materials. */
function bill(out: string): Result {
  const sbom = createSbom();
  writeFileSync(join(out, `${pkg.name}-${pkg.version}.cdx.json`), `${JSON.stringify(sbom, null, 2)}\n`);
  const listed = new Set(sbom.components.map((component) => `${component.name}@${component.version}`));
  const names = new Set(sbom.components.map(({ name }) => name));
  const missing = [
    ...Object.keys(pkg.dependencies).filter((name) => !names.has(name)),
    ...[...bundledPackages()].filter((ref) => !listed.has(ref)),
  ];
  return {
    wrong: missing.map((name) => `expected ${name} in it, got none`),
    note: `${listed.size} packages`,
  };
}

/** A size may differ by a tenth from the table in README.md. With a larger difference the table needs the new sizes. */
async function sizes(): Promise<Result> {
  const rows = read('README.md').split('\n');
  const measured = await programSizes();
  const wrong = measured.filter(([line, kilobytes]) => {
    const row = rows.find((text) => text.startsWith(sizeRow([line, 0]).slice(0, -4)));
    const difference = Math.abs(Number(row?.split('|').at(-2)) / kilobytes - 1);
    return !(difference < 0.1); // also for a row that is missing
  });
  const note = measured.map(([, kilobytes]) => kilobytes).join(', ');
  return { wrong: wrong.map((size) => `README.md: expected ${sizeRow(size)}`), note: `${note} KB` };
}

/** npm proves where a package was built, if it knows the repository. */
function provenance(): Result {
  const asked = pkg.publishConfig?.provenance === true;
  const wrong = asked ? [] : ['expected publishConfig.provenance to be true'];
  if (repository() !== undefined) return { wrong, note: repository()! };
  return { wrong, skipped: 'package.json has no repository yet: CONTRIBUTING.md says what to fill in' };
}

const { values } = parseArgs({ options: { out: { type: 'string', default: 'out/release' } } });
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'langevin-release-'));
const [user, empty] = ['user', 'empty'].map((name) => join(folder, name)) as [string, string];
for (const path of [user, empty]) mkdirSync(path);
const packed = pack(out);
const archive = join(out, packed.filename);
const size = `${(packed.size / 1e6).toFixed(1)} MB, ${packed.files.length} files`;

const checks: readonly (readonly [name: string, check: () => Result | Promise<Result>])[] = [
  ['version, changelog, citation and licence agree', () => ({ wrong: disagreements() })],
  [
    'the archive installs in an empty folder without a warning',
    () => ({ ...install(user, archive), note: size }),
  ],
  ['a program imports each entry', () => runProgram(user)],
  ['its types resolve under nodenext and bundler', () => checkTypes(user)],
  [
    'publint finds nothing',
    async () => ({
      wrong: (await publintMessages(join(user, 'node_modules', pkg.name))).map(String),
    }),
  ],
  ['arethetypeswrong finds nothing', async () => ({ wrong: await typeProblems(archive) })],
  ['npx --package ARCHIVE langevin sample runs in an empty folder', () => sample(empty, archive)],
  ['programs of a page have the sizes that README.md says', sizes],
  ['the bill of materials has every package', () => bill(out)],
  ['npm will publish it with provenance', provenance],
];

const count = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const [name, check] of checks) {
    const { wrong, note = '', skipped } = await check();
    const state = wrong.length > 0 ? 'failed' : skipped === undefined ? 'passed' : 'skipped';
    count[state]++;
    console.log(`${state.padEnd(8)} ${name.padEnd(62)} ${skipped ?? note}`.trimEnd());
    for (const line of wrong) console.log(`         ${line}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${archive.replace(`${ROOT}/`, '')} and its bill of materials are in ${values.out}`);
const { passed, failed, skipped } = count;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
