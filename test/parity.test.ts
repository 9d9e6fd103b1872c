/**
 * Every op computes the same on the WebAssembly backend and on the reference backend, forwards and backwards. The cases
 * are the samples of the op, random shapes with sizes 0, 1 and odd tails, and sizes at the ends of the GEMM's blocks.
 */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { OpDef } from '../src/autograd/op.ts';
import { apply } from '../src/autograd/tape.ts';
import { type Shape, sizeOf } from '../src/autograd/variable.ts';
import type { BackendName } from '../src/backend/backend.ts';
import * as ops from '../src/ops/index.ts';
import { ALL_OPS } from '../src/ops/table.ts';
import { tensor } from '../src/tensor/create.ts';
import { close, onBackend, U, uniforms } from './helpers.ts';
import { CASES, type Case } from './helpers-cases.ts';
import { suite } from './suite.ts';

/** The seed of the random tests: they are the same in every run. */
const RUNS = { seed: 20, numRuns: 120 };

/**
 * Largest error of a result, in units of the largest magnitude among the op's results (or of 1, if that is more):
 * the number of roundings of the op's longest chain, in half units in the last place.
 */
// biome-ignore format: a table
const ROUNDINGS: Readonly<Record<string, number>> = {
  add: 8, sub: 8, mul: 8, div: 8, maximum: 8, minimum: 8, pow: 12,
  neg: 1, abs: 1, exp: 4, log: 4, sqrt: 4, relu: 1, sigmoid: 8, tanh: 6, silu: 16, clamp: 1,
  sin: 6, cos: 6, erf: 6, gelu: 4, softplus: 8, leakyRelu: 2,
  sum: 16, mean: 16, max: 4, min: 4, prod: 8, mse: 16, matmul: 32, linear: 32,
  reshape: 0, permute: 0, flip: 0, slice: 0, cat: 0, broadcastTo: 16,
  conv2d: 32, convTranspose2d: 32, upsampleConv2d: 48,
  eq: 0, ne: 0, gt: 0, ge: 0, where: 16, softmax: 32, logSoftmax: 64, gather: 8, indexSelect: 16, cumsum: 4,
  affineSample: 64,
  groupNorm: 128, attention: 64,
  maxPool2d: 8, avgPool2d: 16, upsample: 16, pixelShuffle: 0, pixelUnshuffle: 0,
};

/** y and the gradients (if any) of an op on a backend, from the same float32 inputs and dL/dy. */
function run(on: BackendName, op: OpDef<unknown>, { shapes, attrs }: Case, inputs: readonly Float32Array[]) {
  return onBackend(on, () => {
    const xs = shapes.map((shape, i) => tensor(inputs[i]!, shape, { requiresGrad: true }));
    const y = apply(op, xs, attrs);
    if (!op.constant) y.backward(tensor(uniforms('dy', y.size), y.shape));
    const gradients = op.constant ? [] : xs.map((x) => x.grad!);
    return [y, ...gradients].map((t) => ({ shape: t.shape, values: t.toTypedArray() }));
  });
}

/** Checks one case of an op on both backends. */
function checkOp(
  op: OpDef<unknown>,
  shapes: readonly Shape[],
  attrs: unknown,
  domain: readonly [number, number],
) {
  const inputs = shapes.map((shape, i) => uniforms(`${op.name} ${i}`, sizeOf(shape), ...domain));
  const wasm = run('wasm', op, { shapes, attrs }, inputs);
  const reference = run('reference', op, { shapes, attrs }, inputs);
  for (const [i, { shape, values }] of reference.entries()) {
    const what = `${op.name} ${JSON.stringify({ shapes, attrs })}, ${i === 0 ? 'y' : `gradient ${i - 1}`}`;
    assert.equal(wasm[i]!.shape, shape, what);
    assert.instance(wasm[i]!.values, Float32Array);
    const largest = Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    close(wasm[i]!.values, Float32Array.from(values), (ROUNDINGS[op.name]! + 1) * U * largest, what);
  }
}

suite('parity of ops', (test) => {
  test('each op states its error', () => {
    assert.equal(
      ALL_OPS.filter(({ name }) => ROUNDINGS[name] === undefined).map(({ name }) => name),
      [],
    );
    assert.ok(Object.keys(CASES).every((name) => ALL_OPS.some((op) => op.name === name)));
  });

  for (const op of ALL_OPS) {
    test(`${op.name} agrees with the reference, forwards and backwards, on its samples`, () => {
      for (const { shapes, attrs, domain } of op.samples()) checkOp(op, shapes, attrs, domain ?? [-2, 2]);
    });

    const cases = CASES[op.name];
    if (!cases) continue;
    test(`${op.name} agrees with the reference, forwards and backwards, on random shapes`, () => {
      const domain = op.samples()[0]!.domain ?? ([-2, 2] as const);
      fc.assert(
        fc.property(cases, ({ shapes, attrs }) => checkOp(op, shapes, attrs, domain)),
        RUNS,
      );
    });
  }

  test('products agree beyond one block of k and one block of columns, in every transposition', () => {
    for (const [m, k, n] of [
      [5, 401, 9],
      [13, 803, 31],
      [3, 400, 250],
      [6, 450, 241],
      [2, 3, 12011],
    ] as const) {
      for (const aT of [false, true]) {
        for (const bT of [false, true]) {
          checkOp(
            ops.matmul as OpDef<unknown>,
            [aT ? [k, m] : [m, k], bT ? [n, k] : [k, n]],
            { aT, bT },
            [-1, 1],
          );
        }
      }
    }
    checkOp(
      ops.linear as OpDef<unknown>,
      [[7, 785], [401, 785], [401]],
      { activation: 'sigmoid' },
      [-0.1, 0.1],
    );
  });
});
