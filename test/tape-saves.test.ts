/**
 * Compares the arrays that an op declares for its backward pass (`saves`) with those that it reads. An array is
 * overwritten with NaN after the forward pass. This changes the gradients if, and only if, the array is declared.
 */
import * as assert from 'uvu/assert';
import { defineConstantOp, OPS, type OpDef, type Sample } from '../src/autograd/op.ts';
import { apply, tapeLength } from '../src/autograd/tape.ts';
import { sizeOf } from '../src/autograd/variable.ts';
import { BACKENDS, type BackendName } from '../src/backend/backend.ts';
import { rowOf } from '../src/backend/kernels.ts';
import { ALL_OPS } from '../src/ops/table.ts';
import { tensor } from '../src/tensor/create.ts';
import { into, onBackend, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

/** The gradients of all inputs after `spoilt` was overwritten between the passes, unnoticed by the tape. */
function gradients(
  on: BackendName,
  op: OpDef<unknown>,
  { shapes, attrs, domain = [-2, 2] }: Sample<unknown>,
  spoilt: OpDef['saves'],
  wanted: (input: number) => boolean = () => true,
  value = NaN,
) {
  return onBackend(on, () => {
    const xs = shapes.map((shape, i) =>
      tensor(uniforms(`${op.name} ${i}`, sizeOf(shape), ...domain), shape, { requiresGrad: wanted(i) }),
    );
    const y = apply(op, xs, attrs);
    for (const which of spoilt) {
      const array = which === 'y' ? y : xs[which]!;
      array.backend.write(array.ptr, new Float32Array(array.size).fill(value));
    }
    y.backward(tensor(uniforms('dy', y.size, 0.5, 1), y.shape));
    return xs.map((x) => x.grad && Array.from(x.grad.toTypedArray()));
  });
}

suite('what ops save', (test) => {
  for (const op of ALL_OPS.filter(({ constant }) => !constant)) {
    for (const on of BACKENDS) {
      test(`the backward pass of ${op.name} reads only the saved arrays, on ${on}`, () => {
        for (const sample of op.samples()) {
          const others = [...sample.shapes.keys(), 'y' as const].filter((which) => !op.saves.includes(which));
          assert.equal(gradients(on, op, sample, others), gradients(on, op, sample, []));
        }
      });
    }

    test(`the backward pass of ${op.name} reads all saved arrays`, () => {
      for (const which of op.saves) {
        const changes = op
          .samples()
          .filter(({ shapes }) => which === 'y' || which < shapes.length)
          .some((sample) => {
            const right = gradients('wasm', op, sample, []);
            // A NaN in a condition counts as true.
            return [NaN, 0].some(
              (value) =>
                !same(
                  gradients('wasm', op, sample, [which], () => true, value),
                  right,
                ),
            );
          });
        assert.ok(changes, `${op.name} saves ${which}, which changes no gradient`);
      }
    });

    if (!op.multilinear) continue;
    test(`the gradient of an input of ${op.name} does not read that input`, () => {
      for (const sample of op.samples()) {
        for (const i of sample.shapes.keys()) {
          const alone = (spoilt: OpDef['saves']) =>
            gradients('wasm', op, sample, spoilt, (input) => input === i);
          assert.equal(alone([i]), alone([]));
        }
      }
    });
  }

  test('an op without a gradient records nothing, and its result does not require one', () => {
    const known = OPS.length;
    const less = defineConstantOp({
      name: 'less',
      shape: ([a]) => a!,
      forward: (k, y, [a, b]) =>
        k.binary('gt', {
          rows: 1,
          cols: y.size,
          a: rowOf(b!.ptr, y.size),
          b: rowOf(a!.ptr, y.size),
          out: into(y.ptr),
        }),
      samples: () => [],
      benchmark: { shapes: [[3], [3]], attrs: undefined },
    });
    assert.is(OPS.pop(), less as OpDef<unknown>);
    assert.is(OPS.length, known);
    onBackend('wasm', () => {
      const before = tapeLength();
      const x = tensor([1, 2, 3], { requiresGrad: true });
      const mask = apply(less, [x, tensor([2, 2, 2])], undefined);
      assert.equal(mask.toArray(), [1, 0, 0]);
      assert.equal([mask.requiresGrad, tapeLength()], [false, before]);
      x.mul(mask).sum().backward();
      assert.equal(x.grad!.toArray(), [1, 0, 0]);
    });
  });
});

const same = (a: unknown, b: unknown): boolean => {
  try {
    assert.equal(a, b);
    return true;
  } catch {
    return false;
  }
};
