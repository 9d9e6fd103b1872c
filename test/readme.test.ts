/**
 * README.md does what it says. Every program of a code block runs as it stands. Every shell line runs in one folder, in
 * the order of the document, with the smaller budget that helpers-readme.ts states. Output that the README quotes is
 * compared. A new block or line fails until it is listed here. `npm run readme:check` runs the lines unshortened.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodePng } from '../src/image/png.ts';
import { PICTURE_SAMPLERS } from '../src/models/sampling-defaults.ts';
import { PROCESSES } from '../src/sde/processes/index.ts';
import { SOLVERS } from '../src/sde/solvers/index.ts';
import { asConsumer, langevin, npmRun } from './dist.ts';
import {
  type Block,
  blocksOf,
  commandsOf,
  LINES,
  ownPictures,
  shellWords,
  shortened,
  writePhotos,
} from './helpers-readme.ts';
import { suite } from './suite.ts';

const README = readFileSync('README.md', 'utf8');
const blocks = blocksOf('README.md');
const lines = blocks.filter(({ language }) => language === 'sh').flatMap(commandsOf);
const mnist = process.env.LANGEVIN_MNIST !== undefined;

npmRun('build:node', 'build:page');

const at = ({ line }: Block) => `README.md:${line}`;

/** Runs a program of the README in the folder of a user. Returns its output. */
function run(folder: string, program: string): string {
  writeFileSync(join(folder, 'program.mjs'), program);
  return execFileSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' });
}

/** What each program of the README must do, found by a part of its text. */
const PROGRAMS: Readonly<Record<string, (program: string, folder: string) => void>> = {
  'denoised.png': (program, folder) => {
    const own = program.split('\n').filter((line) => line !== '' && !line.startsWith('import '));
    assert.ok(own.length <= 15, `fifteen lines after its imports, got ${own.length}`);
    run(folder, program);
    const { width, height, pixels } = decodePng(readFileSync(join(folder, 'denoised.png')));
    assert.ok(width > 10 * 84 && height > 3 * 84, `${width}x${height}`);
    // The lowest row (denoised) is nearer to the highest (clean) than the middle row (noisy) is.
    const row = (r: number) => pixels.subarray((12 + r * 86) * width, (12 + r * 86 + 84) * width);
    const distance = (a: Uint8Array, b: Uint8Array) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);
    assert.ok(distance(row(0), row(2)) < 0.25 * distance(row(0), row(1)));
  },
  saveCheckpoint: (program, folder) => {
    const shown = `${program}\nconsole.log(model.parameters().map((p) => p.size).join());`;
    assert.is(run(folder, shown), '16,8,8,1\n');
    assert.ok(existsSync(join(folder, 'mine.safetensors')));
  },
  GaussianMixture: (program, folder) => {
    const shown = program.replaceAll('console.log(', 'process.stdout.write(JSON.stringify(');
    const points = JSON.parse(run(folder, shown.replace('.toArray());', '.toArray()));')));
    assert.is(points.length, 5);
    for (const [x, y] of points) assert.ok(Math.abs(Math.hypot(x, y) - 1) < 0.5, `${x}, ${y}`);
  },
  'summary(': (program, folder) => {
    const quoted = blocks.find(({ language }) => language === '')!;
    assert.is(run(folder, program), quoted.text);
  },
};

const partsIn = ({ text }: Block) => Object.keys(PROGRAMS).filter((part) => text.includes(part));

suite('README', (test) => {
  test('every block is a program or shell lines that this test knows, or quoted output', () => {
    assert.ok(blocks.length > 8, `${blocks.length} blocks`);
    const quoted = blocks.filter(({ language }) => language === '');
    assert.is(quoted.length, 1, 'the table of summary() is the only quoted output');
    for (const block of blocks) {
      const known = ['', 'sh', 'js'].includes(block.language);
      assert.ok(known, `${at(block)}: expected sh, js or quoted output, got ${block.language}`);
      if (block.language === 'js')
        assert.is(partsIn(block).length, 1, `${at(block)}: expected an entry of PROGRAMS`);
    }
    for (const line of lines) assert.ok(line in LINES, `${line}: expected an entry in helpers-readme.ts`);
    const unused = Object.keys(LINES).filter((line) => !lines.includes(line));
    assert.equal(unused, [], 'entries that the README does not have');
  });

  test('its numbers of processes, solvers and samplers are right', () => {
    const words = { eleven: 11, sixteen: 16 };
    const counted = [...README.matchAll(/\b(eleven|sixteen)( samplers)?/g)].map(
      ([, word, samplers]) => [words[word as keyof typeof words], samplers !== undefined] as const,
    );
    assert.equal(counted, [
      [PROCESSES.length, false],
      [SOLVERS.length, false],
      [PICTURE_SAMPLERS.length, true],
    ]);
  });

  test('the scripts of npm that it names exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const named = [...README.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, script]) => script);
    assert.ok(named.length >= 4);
    for (const script of named) assert.ok(script in scripts, script);
  });

  for (const block of blocks.filter(({ language }) => language === 'js')) {
    const [part] = partsIn(block);
    if (part === undefined) continue;
    test(`the program with ${part} does what the README says`, () =>
      asConsumer(async (folder) => PROGRAMS[part](block.text, folder)));
  }

  const folder = mkdtempSync(join(tmpdir(), 'langevin-readme-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const [name, png] of ownPictures()) writeFileSync(join(folder, name), png);
  writePhotos(folder);

  for (const line of lines) {
    const way = LINES[line];
    if (way === undefined || way.not !== undefined) continue;
    const shown = shortened(line, way);
    test.when(mnist || way.mnist === undefined, `it runs: ${shown}`, async () => {
      if (way.replace) assert.ok(line.includes(way.replace[0]), `${line} has ${way.replace[0]}`);
      const [program, name, ...words] = shellWords(shown);
      assert.equal([program, name], ['npx', 'langevin']);
      const { code, stdout, stderr } = await langevin(words, folder, (child, said) => {
        if (way.until?.test(said)) child.kill('SIGINT');
      });
      assert.is(code, 0, `${stdout.slice(-300)}${stderr}`);
      if (way.until) assert.match(stdout, way.until);
      for (const file of way.makes ?? []) assert.ok(existsSync(join(folder, file)), `${file} after ${shown}`);
    });
  }

  test('lines that do not run here say why', () => {
    const skipped = lines.filter((line) => LINES[line]?.not !== undefined);
    for (const line of skipped) assert.ok(LINES[line].not!.length > 20, line);
    assert.ok(skipped.length < lines.length / 4, `${skipped.length} of ${lines.length}`);
  });
});
