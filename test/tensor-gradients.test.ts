/** Gradients by PyTorch's rules: sums over uses and passes, used graphs, kinks, ties, powers; on both backends. */
import * as assert from 'uvu/assert';
import { isRecording, noGrad, tapeLength } from '../src/autograd/tape.ts';
import { backend, setBackend } from '../src/backend/backend.ts';
import { LangevinError, ShapeError, ValueError } from '../src/errors.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import type { Nested } from '../src/tensor/format.ts';
import { cat, mse } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, near, onBackend, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const leaf = (values: Nested): Tensor => tensor(values, { requiresGrad: true });

/** The gradient of a leaf as nested arrays, -0 as 0. */
const gradOf = (x: Tensor): Nested => {
  assert.ok(x.grad, 'a gradient was expected');
  return (x.grad as Tensor).add(0).toArray();
};

suite(
  'gradients',
  scoped((test) => {
    test('backward gives a gradient to each leaf that requires one, and to no others', () => {
      const w = leaf([
        [1, 2],
        [3, 4],
      ]);
      const x = tensor([1, 1]);
      const y = w.mul(w).mul(x);
      y.sum().backward();
      assert.equal(gradOf(w), [
        [2, 4],
        [6, 8],
      ]);
      assert.is(x.grad, null);
      assert.is(y.grad, null);
    });

    test('gradients of several uses, and of several backward calls, add up until zeroGrad', () => {
      const x = leaf([1, 2]);
      x.mul(3).add(x).add(x.mul(x)).sum().backward();
      assert.equal(gradOf(x), [6, 8]);
      x.sum().backward();
      assert.equal(gradOf(x), [7, 9]);
      x.zeroGrad();
      assert.is(x.grad, null);
      x.mul(2).sum().backward();
      assert.equal(gradOf(x), [2, 2]);
    });

    test('a gradient of a result of several elements is given; its shape must be theirs', () => {
      const x = leaf([1, 2, 3]);
      const y = x.mul(x);
      refused(
        () => y.backward(),
        ShapeError,
        'backward: expected a scalar or a gradient for it, got a tensor of shape [3]',
      );
      refused(
        () => y.backward(tensor([1, 1])),
        ShapeError,
        'backward: expected a gradient of shape [3], got [2]',
      );
      y.backward(tensor([1, 10, 100]));
      assert.equal(gradOf(x), [2, 40, 600]);
      const z = leaf([[5]]);
      z.mul(3).backward();
      assert.equal(gradOf(z), [[3]]);
      z.backward(tensor([[0.5]]));
      assert.equal(gradOf(z), [[3.5]]);
      z.reshape([]).backward();
      z.backward();
      assert.equal(gradOf(z), [[5.5]]);
    });

    test('a graph is used once, unless it is retained', () => {
      const x = leaf([2]);
      const y = x.mul(x);
      const loss = y.sum();
      loss.backward(null, { retainGraph: true });
      loss.backward();
      assert.equal(gradOf(x), [8]);
      refused(() => loss.backward(), LangevinError, /^backward: part of this graph was used .* retainGraph/);
      refused(() => y.exp().sum().backward(), LangevinError, /^backward: part of this graph was used/);
      assert.equal(gradOf(x), [8], 'what failed left no gradient');
      const again = x.mul(x).sum();
      again.backward();
      refused(() => again.backward(), LangevinError, /retainGraph/);
      refused(() => again.backward(), LangevinError, /retainGraph/);
    });

    test('two losses of one graph: the first must retain it', () => {
      const x = leaf([1, 2]);
      const h = x.mul(x);
      const [a, b] = [h.sum(), h.mul(2).sum()];
      a.backward(null, { retainGraph: true });
      b.backward();
      assert.equal(gradOf(x), [6, 12]);
      refused(() => a.backward(), LangevinError, /retainGraph/);
    });

    test('backward from a result of constants is refused', () => {
      const message = 'backward: expected a result of tensors that require gradients, got one of constants';
      refused(() => tensor(1).mul(2).backward(), ValueError, message);
      refused(() => noGrad(() => leaf(1).mul(2)).backward(), ValueError, message);
      refused(() => leaf(1).detach().mul(2).backward(), ValueError, message);
    });

    test('noGrad records nothing, nests, and ends with an error too', () => {
      const x = leaf([1]);
      const nodes = tapeLength();
      const y = noGrad(() => {
        assert.not(isRecording());
        noGrad(() => x.add(1));
        assert.not(isRecording());
        return x.mul(2);
      });
      assert.is(tapeLength(), nodes);
      assert.not(y.requiresGrad);
      assert.throws(() =>
        noGrad(() => {
          throw new RangeError('from within');
        }),
      );
      assert.ok(isRecording());
      assert.ok(x.mul(2).requiresGrad);
    });

    test('detach cuts the graph; a result cannot be made a leaf', () => {
      const x = leaf([3]);
      x.mul(x.detach()).sum().backward();
      assert.equal(gradOf(x), [3]);
      refused(
        () => x.mul(2).requireGrad(),
        ValueError,
        'requireGrad: expected a leaf, got the result of an operation: call detach() first',
      );
    });

    test('gradients of broadcast operands have the operands’ shapes', () => {
      const [a, b, c] = [leaf([[1, 2, 3]]), leaf([[1], [2]]), leaf(2)];
      a.mul(b).add(c).sum().backward();
      assert.equal(gradOf(a), [[3, 3, 3]]);
      assert.equal(gradOf(b), [[6], [6]]);
      assert.equal(gradOf(c), 6);
    });

    test('a maximum shares its gradient between those that reach it', () => {
      const x = leaf([
        [1, 3, 3],
        [2, 2, 2],
      ]);
      x.max(1).backward(tensor([1, 3]));
      assert.equal(gradOf(x), [
        [0, 0.5, 0.5],
        [1, 1, 1],
      ]);
      x.zeroGrad();
      x.min(0).backward(tensor([1, 2, 3]));
      assert.equal(gradOf(x), [
        [1, 0, 0],
        [0, 2, 3],
      ]);
      const [a, b] = [leaf([1, 2, 3]), leaf([3, 2, 1])];
      a.maximum(b).sum().backward();
      assert.equal(gradOf(a), [0, 0.5, 1]);
      assert.equal(gradOf(b), [1, 0.5, 0]);
      a.zeroGrad();
      a.minimum(2).sum().backward();
      assert.equal(gradOf(a), [1, 0.5, 0]);
    });

    test('a product has the right gradient where no, one and two factors are 0', () => {
      const x = leaf([
        [2, 3, 4],
        [2, 0, 4],
        [0, 5, 0],
      ]);
      const expected = [
        [12, 8, 6],
        [0, 8, 0],
        [0, 0, 0],
      ];
      x.prod(1).sum().backward();
      assert.equal(gradOf(x), expected);
      const columns = leaf(x.transpose().toArray());
      columns.prod(0).backward(tensor([1, 10, 100]));
      assert.equal(columns.grad!.transpose().toArray(), [
        [12, 8, 6],
        [0, 80, 0],
        [0, 0, 0],
      ]);
      // Over the outer axes: the products 0·1·2·3 and 4·5·6·7.
      const apart = leaf([
        [
          [0, 1],
          [4, 5],
        ],
        [
          [2, 3],
          [6, 7],
        ],
      ]);
      apart.prod([0, 2]).backward(tensor([2, 1]));
      assert.equal(gradOf(apart), [
        [
          [12, 0],
          [210, 168],
        ],
        [
          [0, 0],
          [140, 120],
        ],
      ]);
    });

    test('gradients at kinks: abs and relu have 0 there, clamp its inner side', () => {
      const x = leaf([-1, 0, 1]);
      x.abs().sum().backward();
      assert.equal(gradOf(x), [-1, 0, 1]);
      x.zeroGrad();
      x.relu().sum().backward();
      assert.equal(gradOf(x), [0, 0, 1]);
      const y = leaf([-2, -1, 0, 1, 2]);
      y.clamp(-1, 1).sum().backward();
      assert.equal(gradOf(y), [0, 1, 1, 1, 0]);
    });

    test('powers have finite gradients if the derivative is finite', () => {
      const gradients = (base: number[], exponent: number[]) => {
        const [a, b] = [leaf(base), leaf(exponent)];
        a.pow(b).sum().backward();
        return [a.grad!.toTypedArray(), b.grad!.toTypedArray()].map((values) =>
          Array.from(values, (x) => x + 0),
        );
      };
      // As PyTorch has them.
      assert.equal(gradients([0, 0, 0, 0], [0, 1, 2, 0.5]), [
        [0, 1, 0, Infinity],
        [0, 0, 0, 0],
      ]);
      assert.equal(gradients([0, 0], [-1, -2]), [
        [-Infinity, -Infinity],
        [-Infinity, -Infinity],
      ]);
      const [da, db] = gradients([1, 2, -2, 2 ** -140, 1], [0, 0, 0, 0, 3]);
      assert.equal(da, [0, 0, 0, 0, 3]);
      close(db!, [0, Math.LN2, NaN, -140 * Math.LN2, 0], 1e-4, 'by the exponent');
      assert.equal(gradients([-2, -3], [2, 3])[0], [-4, 27]);
      assert.ok(gradients([NaN, 2], [2, NaN]).every((values) => values.every(Number.isNaN)));
      const x = leaf([0, -1, 2]);
      x.pow(2).sum().backward();
      assert.equal(gradOf(x), [0, -2, 4]);
      const e = leaf([[0], [2]]);
      tensor([0, 1, Math.E]).pow(e).sum().backward();
      near(e.grad as Tensor, [[1], [Math.E * Math.E]], 1e-5);
    });

    test('functions that are steep at the edge of their domain have infinite gradients there', () => {
      const x = leaf([0, 4]);
      x.sqrt().sum().backward();
      assert.equal(gradOf(x), [Infinity, 0.25]);
      x.zeroGrad();
      x.log().sum().backward();
      assert.equal(gradOf(x), [Infinity, 0.25]);
    });

    test('saturated functions have gradients of 0, not NaN', () => {
      for (const f of [(x: Tensor) => x.sigmoid(), (x: Tensor) => x.tanh(), (x: Tensor) => x.silu()]) {
        const x = leaf([-1e4, -100, 100, 1e4]);
        f(x).sum().backward();
        const grad = (x.grad as Tensor).toTypedArray();
        close(grad, grad.map(Math.round), 1e-6, 'saturated gradients');
      }
    });

    test('a function of an empty tensor has an empty gradient', () => {
      const x = leaf([]);
      x.mul(2).exp().sum().backward();
      assert.equal(gradOf(x), []);
      const y = zeros([0, 3], { requiresGrad: true });
      const w = leaf([1, 2, 3]);
      y.mul(w).sum().backward();
      assert.equal(y.grad!.shape, [0, 3]);
      assert.equal(gradOf(w), [0, 0, 0]);
    });
  }),
);

suite('backends', (test) => {
  test('tensors of two backends do not mix', () => {
    const [a, b] = (['wasm', 'reference'] as const).map((name) => {
      const before = backend().name;
      setBackend(name);
      try {
        return tensor([1, 2], { requiresGrad: true });
      } finally {
        setBackend(before);
      }
    }) as [Tensor, Tensor];
    const message = /expected tensors of one backend, got wasm and reference$/;
    refused(() => a.add(b), ValueError, message);
    refused(() => a.reshape(1, 2).matmul(b.reshape(2, 1)), ValueError, message);
    refused(() => cat([a, b]), ValueError, message);
    refused(() => mse(a, b), ValueError, message);
    refused(
      () => a.mul(2).backward(b),
      ValueError,
      'backward: expected a gradient on the backend wasm, got one on reference',
    );
    // Numbers are moved to the other backend by a copy.
    const copy = a.detach().copyFrom(b.mul(2).detach());
    assert.equal(copy.toArray(), [2, 4]);
    for (const x of [a, b, copy]) x.dispose();
  });

  test('a tensor stays on its backend if another backend is selected', () => {
    const other = backend().name === 'wasm' ? 'reference' : 'wasm';
    const x = onBackend(other, () => tensor([0.1], { requiresGrad: true }).keep());
    const y = x.mul(0.1).sum();
    assert.is(y.backend.name, other);
    assert.ok(Math.abs(y.item() - 0.01) < 1e-8);
    x.dispose();
    y.dispose();
  });

  test('an unknown backend is refused, with the nearest name', () => {
    refused(
      () => setBackend('wasmm' as 'wasm'),
      ValueError,
      'backend: expected wasm or reference, got "wasmm". Did you mean "wasm"?',
    );
  });
});
