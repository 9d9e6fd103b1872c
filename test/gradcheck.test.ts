/** Compares the gradients of every op with finite differences, and checks that wrong gradients are found. */
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/autograd/gradcheck.ts';
import type { OpDef, Sample } from '../src/autograd/op.ts';
import { apply, tapeLength } from '../src/autograd/tape.ts';
import { sizeOf } from '../src/autograd/variable.ts';
import { backend } from '../src/backend/backend.ts';
import { copyArray } from '../src/backend/kernels.ts';
import { ValueError } from '../src/errors.ts';
import * as ops from '../src/ops/index.ts';
import { ALL_OPS } from '../src/ops/table.ts';
import { tensor } from '../src/tensor/create.ts';
import { cat, linear, mse } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { into, onBackend, refused, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

/** The bound that all ops must satisfy. */
const BOUND = 1e-6;

const draw = (seed: string, shape: readonly number[], lo = -1.5, hi = 1.5): Tensor =>
  tensor(Float64Array.from(uniforms(seed, sizeOf(shape), lo, hi)), shape);

/** The tensors of a sample, in the current scope. */
const inputsOf = (op: OpDef<unknown>, { shapes, domain }: Sample<unknown>, seed = ''): Tensor[] =>
  shapes.map((shape, i) => draw(`${op.name} ${i} ${seed}`, shape, ...(domain ?? [])));

/** The largest error of the check of `f` at tensors of those shapes. */
const worst = (
  f: (...xs: Tensor[]) => Tensor,
  shapes: readonly (readonly number[])[],
  lo?: number,
  hi?: number,
) =>
  onBackend('reference', () =>
    gradcheck(
      f,
      shapes.map((shape, i) => draw(`x${i}`, shape, lo, hi)),
    ),
  );

const right = (error: number, what: string) =>
  assert.ok(error <= BOUND, `${what}: relative error ${error} > ${BOUND}`);

/** dL/dx of each input for a fixed dL/dy; null if an input has no gradient. */
function gradientsOf(
  op: OpDef<unknown>,
  sample: Sample<unknown>,
  wanted: (i: number) => boolean,
  passes = 1,
) {
  return onBackend('reference', () => {
    const xs = inputsOf(op, sample);
    for (const [i, x] of xs.entries()) x.requiresGrad = wanted(i);
    const y = apply(op, xs, sample.attrs);
    const dy = draw('dy', y.shape);
    for (let pass = 0; pass < passes; pass++) y.backward(dy, { retainGraph: true });
    return xs.map((x) => x.grad && Array.from(x.grad.toTypedArray()));
  });
}

suite('gradcheck', (test) => {
  test('every op has samples, and a name of its own', () => {
    assert.ok(ALL_OPS.length >= 20);
    for (const op of ALL_OPS) assert.ok(op.samples().length > 0, `${op.name} has no samples`);
    assert.is(new Set(ALL_OPS.map((op) => op.name)).size, ALL_OPS.length);
  });

  for (const op of ALL_OPS.filter(({ constant }) => !constant)) {
    test(`the gradients of ${op.name} are the derivatives of what it computes`, () => {
      for (const sample of op.samples()) {
        for (const seed of ['first', 'second']) {
          const error = onBackend('reference', () =>
            gradcheck(op, inputsOf(op, sample, seed), { attrs: sample.attrs }),
          );
          right(error, `${op.name} ${JSON.stringify(sample.shapes)}`);
        }
      }
    });

    test(`the gradients of ${op.name} accumulate over passes, and do not depend on which inputs require them`, () => {
      for (const sample of op.samples()) {
        const all = gradientsOf(op, sample, () => true);
        const twice = gradientsOf(op, sample, () => true, 2);
        assert.equal(
          twice,
          all.map((dx) => dx!.map((value) => value + value)),
        );
        for (const only of all.keys()) {
          const alone = gradientsOf(op, sample, (i) => i === only);
          assert.equal(alone[only], all[only]);
          assert.ok(
            alone.every((dx, i) => i === only || dx === null),
            `${op.name} wrote a gradient that nobody wanted`,
          );
        }
      }
    });
  }

  test('functions with kinks have the right derivatives on both sides', () => {
    for (const [lo, hi] of [
      [-2, -0.1],
      [0.1, 2],
    ]) {
      for (const op of [ops.unary.relu, ops.unary.abs]) {
        const error = onBackend('reference', () =>
          gradcheck(op, [draw(op.name, [9], lo, hi)], { attrs: {} }),
        );
        right(error, `${op.name} on [${lo}, ${hi}]`);
      }
    }
    right(
      worst((x) => x.clamp(-0.5, 0.5), [[20]]),
      'clamp',
    );
    right(
      worst((x) => x.pow(3), [[5]]),
      'pow of negative numbers',
    );
    for (const zeros of [1, 2]) {
      const x = [0.5, -2, 3, 1.5].map((value, i) => (i < zeros ? 0 : value));
      right(
        onBackend('reference', () => gradcheck((a: Tensor) => a.prod(), [tensor(x)])),
        `prod with ${zeros} zeros`,
      );
    }
  });

  test('a gradient that is wrong is caught', () => {
    const wrong: Record<string, OpDef['vjp']> = {
      'off by two parts in a million': (k, dy, _y, _xs, sink) =>
        sink(0, (out) => copyArray(k, dy.size, dy.ptr, out, 1 + 2e-6)),
      'of the wrong sign': (k, dy, _y, _xs, sink) =>
        sink(0, (out) => k.unary('neg', { n: dy.size, x: dy.ptr, out })),
      missing: () => {},
      'not a number': (k, dy, _y, _xs, sink) =>
        sink(0, ({ ptr }) => k.fill({ n: dy.size, out: ptr, value: NaN })),
      'of another element': (k, dy, _y, _xs, sink) =>
        sink(0, ({ ptr, accumulate }) => {
          const last = ptr + (dy.size - 1) * dy.backend.elementBytes;
          const x = { ptr: dy.ptr, row: 0, col: 1 };
          k.copy({ rows: 1, cols: dy.size, alpha: 1, x, y: { ptr: last, row: 0, col: -1 }, accumulate });
        }),
    };
    const identity: OpDef = {
      name: 'identity',
      shape: ([x]) => x!,
      forward: (k, y, [x]) => copyArray(k, y.size, x!.ptr, into(y.ptr)),
      saves: [],
      vjp: (k, dy, _y, _xs, sink) => sink(0, (out) => copyArray(k, dy.size, dy.ptr, out)),
      samples: () => [],
      benchmark: { shapes: [[4]], attrs: undefined },
    };
    onBackend('reference', () => {
      const x = draw('x', [4]);
      assert.ok(gradcheck(identity, [x]) < 1e-9);
      for (const [what, vjp] of Object.entries(wrong)) {
        assert.not.ok(gradcheck({ ...identity, vjp }, [x]) <= BOUND, `a gradient ${what} passed`);
      }
    });
  });

  test('the error is relative to the entry, and to the floor where entries are small', () => {
    const scaled = (factor: number, off: number): OpDef => ({
      name: 'scaled',
      shape: ([x]) => x!,
      forward: (k, y, [x]) => copyArray(k, y.size, x!.ptr, into(y.ptr), factor),
      saves: [],
      vjp: (k, dy, _y, _xs, sink) => sink(0, (out) => copyArray(k, dy.size, dy.ptr, out, factor + off)),
      samples: () => [],
      benchmark: { shapes: [[4]], attrs: undefined },
    });
    onBackend('reference', () => {
      const x = draw('x', [3]);
      assert.ok(Math.abs(gradcheck(scaled(1000, 1), [x]) - 1 / 1001) < 1e-8);
      assert.ok(Math.abs(gradcheck(scaled(1e-6, 1e-6), [x]) - 1e-3) < 1e-8);
      assert.ok(Math.abs(gradcheck(scaled(1e-6, 1e-6), [x], { floor: 1e-9 }) - 0.5) < 1e-4);
    });
  });

  test('composed functions, branches and reused tensors have the right gradients', () => {
    right(
      worst((x) => x.mul(x).add(x).mul(x), [[4]]),
      'x used four times',
    );
    right(
      worst((x) => x.matmul(x).sub(x.transpose().matmul(x)), [[3, 3]]),
      'x on both sides',
    );
    right(
      worst((x, w, b) => x.matmul(w).add(b).tanh().sum(1).exp().mean(), [[3, 4], [4, 5], [5]]),
      'a layer, a sum and a mean',
    );
    right(
      worst(
        (x, y) =>
          cat([x, y.mul(x), x], 1)
            .slice([0, 1], [2, 8])
            .silu()
            .max(0),
        [
          [2, 3],
          [2, 3],
        ],
      ),
      'cat, slice and max',
    );
    right(
      worst(
        (x, w, b, t) => mse(linear(linear(x, w, b, 'tanh'), w, null, 'sigmoid'), t),
        [[3, 4], [4, 4], [4], [3, 4]],
      ),
      'a weight used in two layers',
    );
    right(
      worst(
        (x) => {
          const h = x.reshape(2, 6);
          return h.div(h.pow(2).sum(1, { keepDims: true }).sqrt()).reshape(-1);
        },
        [[12]],
      ),
      'rows divided by their norms',
    );
  });

  test('gradients of broadcast operands are summed over the repeated elements', () => {
    const shapes = [[2, 3, 4], [4], [3, 1], [2, 1, 1], [], [1, 1, 1]];
    right(
      worst((a, b, c, d, e, f) => a.mul(b).add(c.div(d)).maximum(e).mul(f.exp()), shapes, 0.5, 2),
      'one op after another',
    );
    right(
      worst((a, b) => a.mul(b).sum(), [[0, 3], [3]]),
      'over nothing',
    );
  });

  test('an input that the function does not use has a gradient of zero', () => {
    right(
      worst((x, _y) => x, [[2], [3]]),
      'the second of two inputs',
    );
    assert.ok(
      worst((x, y) => x.detach().mul(y), [[2], [2]]) > 0.1,
      'detach hides a derivative that is not 0',
    );
  });

  test('the check takes tensors of either backend and leaves everything as it was', () => {
    const { name } = backend();
    const x = tensor([0.5, -1], { requiresGrad: true });
    x.mul(x).sum().backward();
    const { grad } = x;
    const nodes = tapeLength();
    const error = gradcheck((a) => a.mul(a).exp(), [x]);
    assert.ok(error > 0 && error < 1e-9, `${error}`);
    assert.equal(x.toArray(), [0.5, -1]);
    assert.is(x.grad, grad);
    assert.is(tapeLength(), nodes);
    assert.is(backend().name, name);
    assert.throws(() =>
      gradcheck(
        (_x: Tensor): Tensor => {
          throw new Error('from within');
        },
        [x],
      ),
    );
    assert.is(backend().name, name);
    for (const [options, got] of [
      [{ step: 0 }, '0 and 0.001'],
      [{ floor: 0 }, '0.0001 and 0'],
      [{ step: Number.NaN }, 'NaN and 0.001'],
    ] as const) {
      refused(
        () => gradcheck(ops.unary.exp, [x], options),
        ValueError,
        `gradcheck: expected a step and a floor > 0, got ${got}`,
      );
    }
    x.dispose();
  });
});
