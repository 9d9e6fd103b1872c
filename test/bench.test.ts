/**
 * The benchmark. Its rows are complete and consistent. The plain-TypeScript twins compute the same as the kernels, so
 * that their ratio has a meaning. Mistakes in the command line are reported. No test depends on a measured time.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { Operands } from '../bench/operands.ts';
import type { Row } from '../bench/row.ts';
import type { Setting } from '../bench/setting.ts';
import { SUBJECTS } from '../bench/subjects.ts';
import { ComparisonUNet } from '../bench/unet.ts';
import { ALL_OPS } from '../src/ops/table.ts';
import { Rng } from '../src/random/rng.ts';
import { suite } from './suite.ts';

const QUICKLY = ['--quick', '--json', '--threads', '1', '--numerics', 'strict'];
const QUICK: Setting = { threads: 1, numerics: 'strict', quick: true };

/** Runs the command as a user does. */
function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/run.js', ...args], {
    encoding: 'utf8',
  });
  return {
    status,
    stdout,
    stderr,
    rows: () =>
      stdout
        .trim()
        .split('\n')
        .map((line): Row => JSON.parse(line)),
  };
}

/** All subjects, once, for several tests. */
let once: (ReturnType<typeof bench> & { kept: boolean }) | undefined;
function quickRun() {
  if (!once) {
    const before = savedResults().join();
    const result = bench(...SUBJECTS.map(({ name }) => name), ...QUICKLY);
    once = { ...result, kept: savedResults().join() !== before };
  }
  return once;
}

/** The fields of each subject's rows, in addition to name, shape, threads, numerics and ms. */
const PROMISED: Record<string, readonly (keyof Row)[]> = {
  gemm: ['gflops', 'gbps', 'ofPeak', 'speedup'],
  elementwise: ['gbps', 'nsPerElement', 'ofPeak', 'speedup'],
  rows: ['gbps', 'ofPeak', 'speedup'],
  norm: ['gbps', 'ofPeak', 'speedup'],
  conv: ['gflops', 'ofPeak', 'speedup'],
  attention: ['gflops', 'ofPeak', 'speedup'],
  ops: ['speedup'],
  gaussian: ['nsPerSample', 'gbps', 'speedup'],
  grains: ['nsPerElement'],
  step: ['gflops', 'ofPeak', 'speedup'],
  lecture: ['gflops', 'ofPeak', 'speedup'],
  unet: ['gflops', 'ofPeak', 'speedup'],
  sde: ['samplesPerSecond', 'gbps'],
  sampler: [],
};

/** The files of the results folder. */
function savedResults(): string[] {
  const folder = 'bench/results';
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => `${name} ${statSync(`${folder}/${name}`).mtimeMs}`);
}

function checkRow(row: Row): void {
  assert.type(row.subject, 'string');
  assert.ok(row.name.length > 0 && row.shape.length > 0);
  assert.not.match(`${row.name} ${row.shape}`, /undefined/);
  assert.is(row.threads, 1);
  assert.is(row.numerics, 'strict');
  for (const [field, value] of Object.entries(row)) {
    if (typeof value === 'number')
      assert.ok(value >= 0 && value < Infinity, `${row.name}: ${field} is ${value}`);
  }
}

suite('bench', (test) => {
  for (const { name: subject, cases } of SUBJECTS) {
    if (['gaussian', 'sde', 'sampler'].includes(subject)) continue; // twins that draw other numbers, or none
    test(`every twin of ${subject} computes what its kernel computes`, () => {
      for (const make of cases(QUICK)) {
        const memory = new Operands();
        const { name, shape, run, twin, difference } = make(memory);
        const where = `${name} ${shape}`;
        if (difference) assert.ok(difference() < 1e-5, where);
        else if (twin) {
          run();
          assert.ok(memory.difference() > 1e-3, `${where}: the kernel wrote nothing`);
          twin();
          assert.ok(memory.difference() < 1e-4, `${where}: differs by ${memory.difference()}`);
        }
        memory.release();
      }
    });
  }

  test('--quick --json prints the promised fields of every subject, one object a line', () => {
    const { status, stderr, rows, kept } = quickRun();
    assert.is(status, 0, stderr);
    assert.is(stderr, '');
    assert.equal([...new Set(rows().map((row) => row.subject))], Object.keys(PROMISED));
    for (const row of rows()) {
      checkRow(row);
      // Rows for a part of a program, and for the peak, have fewer fields.
      const whole = row.share === undefined && row.shape !== 'registers';
      for (const field of whole ? PROMISED[row.subject]! : []) {
        assert.type(row[field], 'number', `${row.name}: ${field}`);
      }
    }
    assert.not(kept, 'a quick run must not overwrite results');
  });

  test('the U-Net that is compared with PyTorch has the parameters that it should', () => {
    const model = new ComparisonUNet(new Rng(0));
    assert.is(
      model.parameters().reduce((n, p) => n + p.size, 0),
      174_817,
    );
    model.dispose();
  });

  test('rates are computed from shape and time', () => {
    for (const { subject, name, shape, ms, gflops, gbps, nsPerElement, nsPerSample } of quickRun().rows()) {
      if (subject === 'ops') continue; // shapes of several inputs
      const sizes = shape.split('x').map(Number);
      const close = (got: number | undefined, expected: number) =>
        assert.ok(Math.abs(got! / expected - 1) < 2e-3, `${name} ${shape}`);
      if (name.startsWith('gemm ')) {
        const [m, k, n] = sizes as [number, number, number];
        close(gflops, (2 * m * k * n) / ms / 1e6);
        close(gbps, (4 * (m * k + k * n + m * n)) / ms / 1e6);
      }
      const n = sizes.reduce((a, b) => a * b, 1);
      if (name === 'add') close(gbps, (12 * n) / ms / 1e6);
      if (name === 'adam') close(nsPerElement, (ms * 1e6) / n);
      if (name === 'gaussian') close(nsPerSample, (ms * 1e6) / n);
      if (name === 'denoiser step') close(gflops, 323.6e6 / ms / 1e6);
      if (name === 'lecture step') close(gflops, 1.0492e9 / ms / 1e6);
    }
  });

  test('every op of the table has a row forwards, and one with its gradients if it has some', () => {
    const rows = quickRun()
      .rows()
      .filter(({ subject }) => subject === 'ops');
    assert.equal(
      rows.map(({ name }) => name).sort(),
      ALL_OPS.flatMap(({ name, constant }) => (constant ? [name] : [name, `${name} with gradients`])).sort(),
    );
  });

  test('the parts of a step are all of its kernels and the time outside of them', () => {
    const parts = quickRun()
      .rows()
      .filter(({ subject, share }) => subject === 'step' && share !== undefined);
    const calls = (kernel: string) =>
      parts.filter(({ name }) => name.includes(`: ${kernel}`)).reduce((n, row) => n + row.calls!, 0);
    // Four layers: forwards, dW, and dx but for the first.
    assert.equal([calls('gemm NT'), calls('gemm TN'), calls('gemm NN')], [4, 4, 3]);
    assert.equal([calls('gaussian'), calls('mseBackward'), calls('adam')], [1, 1, 1]);
    const [together, ...single] = parts;
    assert.is(
      together!.calls,
      single.reduce((n, row) => n + (row.calls ?? 0), 0),
    );
    assert.is(single.at(-1)!.name, 'denoiser step: outside of kernels');
    const sum = single.reduce((ms, row) => ms + row.ms, 0);
    assert.ok(Math.abs(sum / together!.ms - 1) < 0.01, `${sum} of ${together!.ms} ms`);
  });

  test('a sampler evaluates the network as often as its order says, and its own time is reported', () => {
    const asked = new Map(
      quickRun()
        .rows()
        .filter(({ subject, ofModel }) => subject === 'sampler' && ofModel !== undefined)
        .map(({ name, calls, ofModel }) => [name.split(',')[0], [calls, ofModel]] as const),
    );
    assert.equal(
      ['ddim', 'heun', 'dpm-solver-2m'].map((name) => asked.get(name)?.[0]),
      [10, 19, 10],
    );
    for (const [name, [, ofModel]] of asked) assert.ok(ofModel! > 0, name);
  });

  test('peers that are not installed are left out, with the reason', () => {
    const { status, stderr, rows } = bench('peers', ...QUICKLY, '--python', 'no-such-python');
    assert.is(status, 0, stderr);
    assert.match(stderr, /without torch_peer\.py: .*no-such-python/);
    assert.ok(rows().length >= 9);
    for (const row of rows()) {
      checkRow(row);
      assert.is(row.peer, 'langevin');
      assert.is(row.relative, 1);
    }
  });

  test('a wrong subject, flag or value is one line with the nearest word, and exit code 2', () => {
    const mistakes: [string[], RegExp][] = [
      [['gem'], /^bench: expected a subject of .*, got "gem"\. Did you mean "gemm"\?\n$/],
      [['--thread', '1'], /^bench: expected a flag of .*, got "--thread"\. Did you mean "--threads"\?\n$/],
      [['--threads', '0'], /^bench: expected --threads .* >= 1 or all, got "0"\n$/],
      [['--numerics', 'strickt'], /^bench: expected .*, got "strickt"\. Did you mean "strict"\?\n$/],
      [['peers', '--browser'], /^bench: expected --browser without the subject peers\n$/],
    ];
    for (const [args, message] of mistakes) {
      const { status, stdout, stderr } = bench(...args);
      assert.is(status, 2, args.join(' '));
      assert.match(stderr, message);
      assert.is(stdout, '');
    }
  });
});
