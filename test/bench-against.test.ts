/**
 * `npm run bench -- --against FOLDER`: rows are paired with those of another checkout. A row that is slower here is a
 * loss. A folder that is not a checkout is refused in one line. In the tests the other checkout is this one, or three
 * small files that imitate an older one.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Comparison } from '../bench/against.ts';
import { medianOf } from '../bench/median.ts';
import { suite } from './suite.ts';

function bench(...args: string[]) {
  const all = ['bench/run.js', ...args, '--quick', '--threads', '1', '--numerics', 'strict'];
  return spawnSync(process.execPath, all, { encoding: 'utf8' });
}

/** The rows, and the last line. */
function compared(...args: string[]): { rows: Comparison[]; last: { rows: number; losses: number } } {
  const { status, stdout, stderr } = bench(...args, '--json');
  assert.is(status, 0, stderr);
  assert.is(stderr, '');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { rows: lines.slice(0, -1), last: lines.at(-1) };
}

/** Work that takes about the given number of milliseconds. */
const busy = (ms: number) =>
  `() => { const end = performance.now() + ${ms}; while (performance.now() < end); }`;

/** A checkout whose subject `gaussian` has the given rows, by the name, the shape and the work of each. */
const checkout = (rows: readonly (readonly [string, string, string])[]): Record<string, string> => ({
  'package.json': JSON.stringify({ type: 'module', scripts: { 'build:kernels': 'node built.js' } }),
  'built.js': "import { writeFileSync } from 'node:fs'; writeFileSync('built', '');",
  'bench/engine.ts': 'export const apply = ({ threads }: { threads: number }) => void threads;',
  'bench/operands.ts': 'export class Operands { release() {} }',
  'bench/subjects.ts': `export const SUBJECTS = [{ name: 'gaussian', cases: () => [${rows
    .map(([name, shape, run]) => `() => ({ name: '${name}', shape: '${shape}', run: ${run} })`)
    .join()}] }];`,
});

/** Runs `body` with a folder of those files. */
function withFolder(files: Readonly<Record<string, string>>, body: (folder: string) => void): void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'langevin-against-')));
  try {
    mkdirSync(join(folder, 'bench'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

suite('bench --against', (test) => {
  test('this checkout against itself has a ratio and its interval in every row', () => {
    const { rows, last } = compared('step', 'gaussian', '--against', '.');
    assert.equal(
      rows.map(({ name, shape }) => `${name} ${shape}`),
      [
        'denoiser step 64x784-400-400-400-784',
        ...['64x784', '1048576'].flatMap((n) =>
          ['gaussian', 'uniform', 'randomBits'].map((k) => `${k} ${n}`),
        ),
      ],
    );
    for (const { name, ms, msThere, ratio, low, high, pairs, threads, numerics } of rows) {
      assert.ok(ms! > 0 && msThere! > 0, name);
      assert.ok(0 < low! && low! <= ratio! && ratio! <= high! && high! < Infinity, name);
      assert.equal([pairs, threads, numerics], [6, 1, 'strict']);
    }
    assert.equal(last, { rows: 7, losses: rows.filter(({ verdict }) => verdict === 'loss').length });
  });

  test('a row that is slower here is a loss, one that is slower there is a gain, and unpaired rows are listed alone', () => {
    // Here both take about a tenth of a millisecond.
    const other = checkout([
      ['uniform', '64x784', '() => {}'],
      ['gaussian', '64x784', busy(20)],
      ['older', '1', '() => {}'],
    ]);
    withFolder(other, (folder) => {
      const { rows, last } = compared('gaussian', '--against', folder);
      const verdicts = rows.map(({ name, shape, verdict }) => [name, shape, verdict]);
      assert.equal(verdicts, [
        ['gaussian', '64x784', 'gain'],
        ['uniform', '64x784', 'loss'],
        ['randomBits', '64x784', 'only here'],
        ['gaussian', '1048576', 'only here'],
        ['uniform', '1048576', 'only here'],
        ['randomBits', '1048576', 'only here'],
        ['older', '1', 'only there'],
      ]);
      assert.equal(last, { rows: 7, losses: 1 });
      assert.ok(rows[0].ratio! < 0.1 && rows[1].ratio! > 10, `${rows[0].ratio} and ${rows[1].ratio}`);
      assert.ok(Math.abs(rows[0].msThere! / 20 - 1) < 0.5, 'times there are those of one run');
      assert.ok(rows.slice(2).every(({ ratio, ms, msThere }) => (ratio ?? ms ?? msThere) === undefined));
      assert.ok(readdirSync(folder).includes('built'), 'the kernels there are built first');
      assert.equal(readdirSync(join(folder, 'build')), [], 'the bundle is removed');
    });
  });

  test('the table ends with the number of losses', () => {
    withFolder(checkout([['uniform', '64x784', '() => {}']]), (folder) => {
      const { status, stdout } = bench('gaussian', '--against', folder);
      assert.is(status, 0);
      assert.match(stdout, /^subject +name +shape +threads +numerics +ms here +ms there +here\/there/);
      assert.match(stdout, /\ngaussian +uniform +64x784 .* loss\n/);
      assert.match(stdout, /\n6 rows, losses of more than 3 %: 1\n$/);
    });
  });

  test('checkouts that cannot be compared are refused in one line', () => {
    const valid = checkout([]);
    const { 'bench/operands.ts': _, ...incomplete } = valid;
    const cases: [Record<string, string>, number, RegExp][] = [
      [
        {},
        2,
        /^bench: expected --against as a folder with a checkout of langevin, got ".*" without package.json\n$/,
      ],
      [incomplete, 2, /without bench\/operands.ts\n$/],
      [
        { ...valid, 'built.js': "throw new Error('no compiler')" },
        1,
        /^bench: expected "npm run build:kernels" to succeed in .*, got: .*no compiler\n$/,
      ],
      [
        { ...valid, 'bench/engine.ts': 'export {};' },
        1,
        /^bench: expected the benchmark in .* to bundle, got: .*"apply".*\n$/,
      ],
      [
        checkout([['uniform', '64x784', "() => { throw new Error('no memory') }"]]),
        1,
        /^bench: the benchmark in .*: no memory\n$/,
      ],
      [
        checkout([['uniform', '64x784', '() => process.exit(3)']]),
        1,
        /^bench: the benchmark in .*: it ended with exit code 3\n$/,
      ],
    ];
    for (const [files, code, message] of cases) {
      withFolder(files, (folder) => {
        const { status, stdout, stderr } = bench('gaussian', '--against', folder);
        assert.match(stderr, message);
        assert.is(status, code, stderr);
        assert.is(stdout, '');
      });
    }
    const missing = bench('gaussian', '--against', '/no/such/folder');
    assert.is(missing.status, 2);
    assert.match(
      missing.stderr,
      /^bench: expected --against .*, got "\/no\/such\/folder" without package.json\n$/,
    );
    for (const args of [['peers'], ['gaussian', '--browser']]) {
      const { status, stderr } = bench(...args, '--against', '.');
      assert.is(status, 2);
      assert.is(stderr, 'bench: expected --against without --browser and without the subject peers\n');
    }
  });

  test("the median's interval has the ranks of the sign test", () => {
    // Ranks of the 95 % interval from tables of the binomial distribution, such as Conover's.
    const ranks = [
      [6, 1],
      [8, 1],
      [9, 2],
      [10, 2],
      [20, 6],
      [30, 10],
      [36, 12],
      [50, 18],
      [100, 40],
    ];
    for (const [n, k] of ranks) {
      const sample = Array.from({ length: n }, (_, i) => ((i * 7 + 3) % n) + 1);
      const shuffled = new Set(sample).size === n ? sample : sample.map((_, i) => n - i);
      assert.equal(medianOf(shuffled), { median: (n + 1) / 2, interval: [k, n + 1 - k] }, `${n}`);
    }
    assert.throws(() => medianOf([1, 2, 3, 4, 5]), /^internal: medianOf: expected at least 6 values, got 5$/);
  });
});
