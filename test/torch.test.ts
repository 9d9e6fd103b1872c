/**
 * Compares langevin with PyTorch on a few random cases of every row of torch/table.ts. `npm run check:torch` takes 200
 * cases. The suite is skipped if no Python has torch.
 */
import * as assert from 'uvu/assert';
import { suite } from './suite.ts';
import { compare, errorOf, type Report } from './torch/compare.ts';
import { findPython } from './torch/python.ts';
import { ROUNDED, type Row, unary } from './torch/row.ts';
import { ROWS } from './torch/table.ts';

const CASES = 8;

/** Rows with an error: in the value, the gradient, the shape, or the PyTorch line. */
const interval = [0.5, 2] as const;
const WRONG: readonly [Row, RegExp][] = [
  [unary('value', (x) => x.mul(1.00001), 'x', { bound: 1e-6, interval }), /y 1\.0e-5/],
  [unary('gradient', (x) => x.mul(x.detach()), 'x * x', { bound: 1e-6, interval }), /gradient 5\.0e-1/],
  [unary('shape', (x) => x.reshape(-1, 1), 'x', { bound: 1e-6, interval }), /shapes \[\[\d+,1\]\], PyTorch/],
  [
    unary('constant', (x) => x.detach(), 'x * 1', { bound: 1e-6, interval }),
    /0 differentiable results, PyTorch 1/,
  ],
  [unary('name', (x) => x.exp(), 'x.expp()', { bound: 1e-6, interval }), /PyTorch: .*expp/],
  [unary('refusal', (x) => x.reshape(7, 11, 13), 'x', { bound: 1e-6, interval }), /reshape: expected/],
];

const python = findPython();
const reports = new Map<string, Report>(
  python === null
    ? []
    : compare(python, [...ROWS, ...WRONG.map(([row]) => row)], CASES).map((r) => [r.name, r]),
);

suite('torch', (test) => {
  test('the error is the norm of the difference over the norm, and infinite for other indices', () => {
    const expected = { shape: [2], values: Float64Array.of(3, 4) };
    assert.is(errorOf({ shape: [2], values: [3, 4] }, expected, 0), 0);
    assert.is(errorOf({ shape: [2], values: [3, 4.5] }, expected, 0), 0.1);
    assert.is(errorOf({ shape: [2], values: [3, 4.5] }, expected, 10), 0.05);
    assert.is(errorOf({ shape: null, values: [3, 5] }, expected, 0), Infinity);
    assert.is(errorOf({ shape: [2], values: [3, NaN] }, expected, 0), Infinity);
    assert.is(
      errorOf({ shape: [1], values: [1e-20] }, { shape: [1], values: Float64Array.of(0) }, 0),
      Infinity,
    );
    const ends = { shape: [2], values: Float64Array.of(NaN, -Infinity) };
    assert.is(errorOf({ shape: [2], values: [NaN, -Infinity] }, ends, 0), 0);
    assert.is(errorOf({ shape: [2], values: [NaN, Infinity] }, ends, 0), Infinity);
  });

  test('rows have unique names, and bounds that a wrong formula exceeds', () => {
    assert.is(new Set(ROWS.map(({ name }) => name)).size, ROWS.length);
    for (const { name, bound } of ROWS) assert.ok(bound === 0 || (bound >= ROUNDED && bound <= 3e-6), name);
  });

  for (const [{ name }, message] of WRONG) {
    test.when(python !== null, `a row whose ${name} is wrong fails`, () => {
      assert.match(reports.get(name)?.failures.join('\n') ?? '', message);
    });
  }

  for (const { name } of ROWS) {
    test.when(python !== null, `${name} agrees with PyTorch`, () => {
      const report = reports.get(name);
      assert.is(report?.cases, CASES);
      assert.equal(report?.failures, []);
    });
  }
});
