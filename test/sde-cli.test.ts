/** `langevin sde` and `langevin noise`, run as a user runs them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodePng } from '../src/image/png.ts';
import { inFolder, langevin, npmRun, ok } from './dist.ts';
import { suite } from './suite.ts';

npmRun('build:node');

const LECTURE = ['--paths', '5', '--steps', '1000', '--time', '10'];

suite('cli: sde', (test) => {
  test("each of the lecture's three figures is drawn by one command, with the same bytes every time", () =>
    inFolder(async (folder) => {
      for (const [name, ...more] of [['brownian'], ['drift', '--twin'], ['gbm']] as const) {
        await ok(['sde', name!, ...LECTURE, ...more], folder);
        const svg = readFileSync(join(folder, 'out', `${name}.svg`), 'utf8');
        assert.match(svg, /exact mean/);
        assert.not.match(svg, /NaN|Infinity/);
        if (name === 'drift') assert.match(svg, /solution without noise/);
        if (name !== 'gbm') continue;
        await ok(['sde', name, ...LECTURE, '--out', 'again', '--threads', '1'], folder);
        assert.is(readFileSync(join(folder, 'again', `${name}.svg`), 'utf8'), svg);
      }
      assert.equal(readdirSync(join(folder, 'out')).sort(), ['brownian.svg', 'drift.svg', 'gbm.svg']);
    }));

  test('enough paths give a histogram with the exact density, and --save writes their states', () =>
    inFolder(async (folder) => {
      const run = ['sde', 'ou', '--paths', '60', '--steps', '20', '--seed', 'a b'];
      const stdout = await ok([...run, '--save', 'x.npy'], folder);
      assert.match(stdout, /60 paths of 20 steps/);
      assert.match(readFileSync(join(folder, 'out', 'ou-end.svg'), 'utf8'), /exact density/);
      const npy = readFileSync(join(folder, 'x.npy'));
      const header = npy.subarray(10, 128).toString();
      assert.match(header, /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(21, 60\), \} *\n$/);
      assert.is(npy.length, 128 + 4 * 21 * 60);
      await ok([...run, '--save', 'x.csv'], folder);
      const rows = readFileSync(join(folder, 'x.csv'), 'utf8').trimEnd().split('\n');
      assert.is(rows.length, 22);
      assert.match(rows[0]!, /^t,path_0,.*,path_59$/);
      const last = rows[21]!.split(',').map(Number);
      assert.is(last[0], 5);
      const state = (p: number) => npy.readFloatLE(128 + 4 * (20 * 60 + p));
      for (const p of [0, 17, 59]) assert.ok(Math.abs(last[p + 1]! - state(p)) < 1e-6 * Math.abs(state(p)));
    }));

  test('other processes, the Stratonovich form, and expressions are drawn', () =>
    inFolder(async (folder) => {
      const list = await ok(['sde', '--list'], folder);
      assert.match(list, /gbm +Geometric Brownian motion \[10\]/);
      assert.match(list, /sri1 +Itô +additive 1.5\/2/);
      for (const name of ['cir', 'bridge', 'double-well', 'heston', 've']) {
        await ok(['sde', name, '--paths', '60', '--steps', '300'], folder);
        assert.ok(existsSync(join(folder, 'out', `${name}-end.svg`)), name);
      }
      for (const name of ['GBM', 'Heston']) {
        const heun = await ok(['sde', name, '--solver', 'heun', '--paths', '3', '--steps', '20'], folder);
        assert.match(heun, new RegExp(`${name.toLowerCase()} is solved in its Stratonovich form`));
      }
      const minus = [
        'sde',
        '--drift',
        '-x',
        '--diffusion',
        '1',
        '--seed',
        '-3',
        '--paths',
        '1',
        '--steps',
        '1',
      ];
      assert.match(await ok(minus, folder), /: 1 path of 1 step in/);
      const set = ['sde', 'ou', '--set', 'x0=-1', '--set', 'mu=-1', '--paths', '3', '--steps', '2'];
      assert.match(await ok(set, folder), /3 paths of 2 steps/);
      await ok(['sde', '--drift', 'a*x', '--diffusion', '1', '--set', 'a=-1,x0=3', '--paths', '3'], folder);
      assert.ok(existsSync(join(folder, 'out', 'sde.svg')));
    }));

  test('bad input is one line on standard error, and no picture', () =>
    inFolder(async (folder) => {
      const refused: [string[], number, RegExp][] = [
        [['sde'], 2, /expected a process/],
        [['sde', 'ou', 'more'], 2, /unexpected "more"/],
        [['sde', 'ou', '--steps', '0'], 2, /--steps: expected a whole number >= 1/],
        [['sde', 'ou', '--time', '0'], 2, /--time: expected a number > 0/],
        [['sde', 've', '--time', '2'], 2, /--time: expected at most 1 for ve/],
        [['sde', 'ou', '--set', 'mu=NaN'], 2, /expected a finite number for mu/],
        [['sde', 'ou', '--set', '__proto__=1'], 2, /--set: expected name=value/],
        [['sde', 'cir', '--set', 'sigma=3'], 2, /Feller's condition/],
        [['sde', 'ou', '--save', 'x.txt'], 2, /--save: expected a \.csv or \.npy file/],
        [['sde', '--drift', '0.1*', '--diffusion', '1'], 2, /error at character/],
        [
          ['sde', 'heston', '--solver', 'milstein'],
          2,
          /expected additive, diagonal, scalar noise, got general/,
        ],
        [
          ['sde', '--drift', 'x^3', '--diffusion', '1', '--set', 'x0=3'],
          1,
          /path \d+ of 1000 is .* at t = 0\.1/,
        ],
        [['sde', 'orders', '--steps', '3'], 2, /unknown option --steps/],
      ];
      for (const [words, code, message] of refused) {
        const outcome = await langevin(words, folder);
        assert.match(outcome.stderr, message, words.join(' '));
        assert.match(outcome.stderr, /^langevin: [^\n]+\n$/);
        assert.is(outcome.code, code, words.join(' '));
        assert.not(existsSync(join(folder, 'out')), words.join(' '));
      }
    }));

  test('orders prints declared and measured orders, and draws them', () =>
    inFolder(async (folder) => {
      const stdout = await ok(['sde', 'orders', '--solver', 'milstein', '--paths', '2000'], folder);
      assert.match(stdout, /milstein +diagonal +strong +1 +0\.9\d +0\.9\d to 1?[01]\.\d\d/);
      assert.match(stdout, /6 orders measured, 0 missed/);
      assert.match(
        readFileSync(join(folder, 'out', 'orders-strong-diagonal.svg'), 'utf8'),
        /milstein, 0\.9\d \(1\)/,
      );
    }));

  test('noise draws a strip and an animation', () =>
    inFolder(async (folder) => {
      await ok(['noise', '--steps', '48', '--pictures', '1'], folder);
      await ok(['noise', '--process', 'vp', '--steps', '48', '--pictures', '2', '--quiet'], folder);
      for (const name of ['noise-all', 'noise-vp']) {
        const strip = decodePng(new Uint8Array(readFileSync(join(folder, 'out', `${name}.png`))));
        assert.ok(strip.width > 9 * 84);
        assert.is(
          readFileSync(join(folder, 'out', `${name}.gif`))
            .subarray(0, 6)
            .toString(),
          'GIF89a',
        );
      }
    }));
});
