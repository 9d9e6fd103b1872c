/**
 * The tape: depth, its state after scopes and backward passes, the accumulation of gradients, and the errors for a
 * graph that is freed. Expected gradients are closed-form derivatives.
 */
import * as assert from 'uvu/assert';
import { isRecording, noGrad, recordedNodes, scope, tapeLength } from '../src/autograd/tape.ts';
import { backend, setBackend } from '../src/backend/backend.ts';
import { LangevinError, LifetimeError, ShapeError, ValueError } from '../src/errors.ts';
import { ones, tensor, zeros } from '../src/tensor/create.ts';
import { linear, mse } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const leaf = (values: number | number[]): Tensor => tensor(values, { requiresGrad: true });
const GONE =
  'backward: part of this graph was used by an earlier backward() or ended with its scope: compute it again, or call backward(null, { retainGraph: true }) the first time';

suite('tape', (test) => {
  test('a chain of 100,000 operations has a backward pass without a stack overflow, and its gradient is right', () => {
    const x = leaf(1);
    scope(() => {
      let y: Tensor = x;
      for (let i = 0; i < 100_000; i++) y = i % 2 === 0 ? y.mul(-1) : y.add(x);
      assert.is(tapeLength(), 100_000);
      // Each pair of operations is y -> x - y, and two pairs are the identity: at the end y is x.
      assert.is(y.item(), 1);
      y.backward();
    });
    assert.is(x.grad!.item(), 1);
    assert.is(tapeLength(), 0);
  });

  test('a leaf that is used many times gets the sum over its uses', () => {
    const x = leaf([2, 3]);
    scope(() => x.mul(x).mul(x).add(x.mul(4)).add(x).sum().backward());
    assert.equal(x.grad!.toArray(), [3 * 4 + 5, 3 * 9 + 5]);
  });

  test('the operations of a result are those it depends on, in their order, and without those on constants', () => {
    scope(() => {
      const [x, c] = [leaf([2, 3]), tensor([1, 2]).mul(3)];
      const a = x.mul(c);
      x.exp();
      const y = a.add(x).sum();
      assert.equal(
        recordedNodes(y).map(({ op }) => op.name),
        ['mul', 'add', 'sum'],
      );
      assert.equal(recordedNodes(x), []);
      assert.is(recordedNodes(y)[0].xs[1], c);
      a.sum().backward();
      refused(() => recordedNodes(y), LangevinError, GONE);
    });
  });

  test('a tensor that is both operands of an op gets both gradients', () => {
    const w = leaf([3]);
    scope(() => w.div(w).add(w.sub(w)).add(w.mul(w)).sum().backward());
    assert.equal(w.grad!.toArray(), [6]);
    const a = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    scope(() => a.matmul(a).sum().backward());
    // d/dA of Σ A·A is (1·Aᵀ) + (Aᵀ·1): row sums along rows, column sums along columns.
    assert.equal(a.grad!.toArray(), [
      [3 + 4, 7 + 4],
      [3 + 6, 7 + 6],
    ]);
    scope(() => {
      a.zeroGrad();
      linear(a, a, null).sum().backward(); // A·Aᵀ: twice the column sums
    });
    assert.equal(a.grad!.toArray(), [
      [8, 12],
      [8, 12],
    ]);
  });

  test('several backward calls accumulate until zeroGrad, in the same buffer', () => {
    const x = leaf([1, 2]);
    scope(() => x.mul(3).sum().backward());
    const { ptr } = x.grad!;
    scope(() => x.mul(x).sum().backward());
    assert.equal(x.grad!.toArray(), [5, 7]);
    x.zeroGrad();
    assert.is(x.grad, null);
    for (let step = 0; step < 5; step++) {
      x.zeroGrad();
      scope(() => x.mul(step).sum().backward());
      assert.equal(x.grad!.toArray(), [step, step], 'the last pass overwrote');
      assert.is(x.grad!.ptr, ptr);
    }
  });

  test('a tensor that does not require a gradient gets none, and its part is not recorded', () => {
    const [x, w, c] = [tensor([2]), leaf([3]), tensor([5])];
    const before = tapeLength();
    const constant = x.mul(c);
    assert.is(tapeLength(), before);
    assert.is(constant.requiresGrad, false);
    constant.mul(w).sum().backward();
    assert.equal(w.grad!.toArray(), [10]);
    assert.equal([x.grad, c.grad, constant.grad], [null, null, null]);
  });

  test('a part of the graph that the root does not depend on is not changed', () => {
    const x = leaf([2]);
    scope(() => {
      const other = x.mul(100).sum();
      x.mul(3).sum().backward();
      assert.equal(x.grad!.toArray(), [3]);
      other.backward();
      assert.equal(x.grad!.toArray(), [103]);
    });
  });

  test('detach ends the graph', () => {
    const x = leaf([2]);
    scope(() => x.mul(x.mul(x).detach()).sum().backward());
    assert.equal(x.grad!.toArray(), [4]);
  });

  test('a seed weights the elements of the root, and its shape is checked', () => {
    const x = leaf([1, 2, 3]);
    scope(() => {
      x.mul(x).backward(tensor([1, 10, 100]));
      assert.equal(x.grad!.toArray(), [2, 40, 600]);
      refused(
        () => x.mul(2).backward(),
        ShapeError,
        'backward: expected a scalar or a gradient for it, got a tensor of shape [3]',
      );
      refused(
        () => x.mul(2).backward(tensor([1, 2])),
        ShapeError,
        'backward: expected a gradient of shape [3], got [2]',
      );
    });
    assert.equal(x.grad!.toArray(), [2, 40, 600], 'nothing was added by the refused calls');
  });

  test('a leaf may be its own root', () => {
    const x = leaf([3]);
    x.backward();
    x.backward();
    x.backward(tensor([5]));
    assert.equal(x.grad!.toArray(), [7]);
    refused(
      () => tensor([1]).backward(),
      ValueError,
      'backward: expected a result of tensors that require gradients, got one of constants',
    );
  });
});

suite('used graphs', (test) => {
  test('a graph is freed by its backward pass', () => {
    const x = leaf([2]);
    const y = x.mul(x).mul(x).sum();
    assert.is(tapeLength(), 3);
    y.backward();
    assert.is(tapeLength(), 0);
  });

  test('a second backward pass over a graph is an error, and adds nothing', () => {
    const x = leaf([2]);
    const y = x.mul(x).sum();
    y.backward();
    refused(() => y.backward(), LangevinError, GONE);
    assert.equal(x.grad!.toArray(), [4]);
  });

  test('a loss on a subgraph that another loss has used up is an error, not a missing gradient', () => {
    const x = leaf([2]);
    scope(() => {
      const shared = x.mul(x);
      const [first, second] = [shared.sum(), shared.mul(3).sum()];
      first.backward();
      refused(() => second.backward(), LangevinError, GONE);
      refused(() => shared.mul(5).sum().backward(), LangevinError, GONE);
    });
    assert.equal(x.grad!.toArray(), [4]);
  });

  test('after such an error the tape works as before', () => {
    const x = leaf([2]);
    scope(() => {
      const used = x.mul(x);
      used.sum().backward();
      x.zeroGrad();
      const y = x.mul(3);
      const loss = y.mul(y).sum().add(used.sum());
      refused(() => loss.backward(null, { retainGraph: true }), LangevinError, GONE);
      x.zeroGrad();
      // The failed pass had already added gradients of y: they must not be counted again.
      y.mul(y).sum().backward();
      assert.equal(x.grad!.toArray(), [36]);
    });
    assert.is(tapeLength(), 0);
  });

  test('two losses share a subgraph with retainGraph, and three passes give three times the gradient', () => {
    const x = leaf([2]);
    scope(() => {
      const shared = x.mul(x);
      const [first, second] = [shared.sum(), shared.mul(3).sum()];
      first.backward(null, { retainGraph: true });
      second.backward(null, { retainGraph: true });
      assert.equal(x.grad!.toArray(), [4 + 12]);
      second.backward();
      assert.equal(x.grad!.toArray(), [4 + 12 + 12]);
    });
  });

  test('a loss that outlives its scope has no graph any more', () => {
    const x = leaf([2]);
    const loss = scope(() => x.mul(x).sum());
    refused(() => loss.backward(), LangevinError, GONE);
    const kept = scope(() => x.mul(x).sum().keep());
    assert.is(kept.item(), 4);
    refused(() => kept.backward(), ValueError, /got one of constants/);
    assert.is(x.grad, null);
  });

  test('a new graph at the position of a used graph is not treated as used', () => {
    const x = leaf([2]);
    const old = x.mul(10).sum();
    old.backward();
    const fresh = x.mul(7).sum();
    refused(() => old.backward(), LangevinError, GONE);
    fresh.backward();
    assert.equal(x.grad!.toArray(), [17]);
  });
});

suite('scopes', (test) => {
  test('a scope removes its part of the tape, and an outer graph stays', () => {
    const x = leaf([2]);
    const outer = x.mul(3);
    const before = tapeLength();
    scope(() => {
      x.mul(4).add(outer);
      assert.is(tapeLength(), before + 2);
      scope(() => assert.is(x.mul(5).node, before + 2));
      assert.is(tapeLength(), before + 2);
    });
    assert.is(tapeLength(), before);
    outer.sum().backward();
    assert.equal(x.grad!.toArray(), [3]);
  });

  test('a scope that uses up an outer graph leaves nothing on the tape', () => {
    const x = leaf([2]);
    for (let i = 0; i < 3; i++) {
      const outer = x.mul(3);
      scope(() => {
        outer.sum().backward();
        x.mul(4);
      });
      assert.is(tapeLength(), 0);
    }
  });

  test('an exception ends the scope, and those around it, as a return does', () => {
    const { arena } = backend();
    const { frame } = arena;
    const x = leaf([2]);
    const before = tapeLength();
    let inner: Tensor | null = null;
    assert.throws(
      () =>
        scope(() =>
          scope(() => {
            inner = x.mul(2);
            throw new Error('from inside');
          }),
        ),
      'from inside',
    );
    assert.is(arena.frame, frame);
    assert.is(tapeLength(), before);
    refused(
      () => inner!.toArray(),
      LifetimeError,
      'tensor [1] was used after its scope ended: return it with keep()',
    );
    refused(() => inner!.add(1), LifetimeError, /keep\(\)/);
  });

  test('an asynchronous function is refused, and its later operations have no effect on others', async () => {
    const message = (name: string) =>
      `${name}: expected a synchronous function, got one that returns a Promise`;
    const { frame } = backend().arena;
    const late = async () => {
      const x = ones([2]);
      await Promise.resolve();
      if (!x.alive) throw new Error('nobody listens');
    };
    refused(() => scope(late), LangevinError, message('scope'));
    assert.is(backend().arena.frame, frame);
    refused(
      () => noGrad(async () => Promise.reject(new Error('nobody listens'))),
      LangevinError,
      message('noGrad'),
    );
    assert.ok(isRecording());
    await new Promise((resolve) => setTimeout(resolve, 5)); // an unhandled rejection would end the process
  });

  test('noGrad nests, returns, and goes back to recording when its body throws', () => {
    const x = leaf([2]);
    const before = tapeLength();
    const y = noGrad(() => {
      assert.is(
        noGrad(() => isRecording()),
        false,
      );
      assert.is(isRecording(), false, 'recording is still off after the inner noGrad');
      return x.mul(3);
    });
    assert.is(y.requiresGrad, false);
    assert.is(tapeLength(), before);
    assert.throws(() =>
      noGrad(() => {
        throw new Error('from inside');
      }),
    );
    assert.is(isRecording(), true);
    assert.is(x.mul(3).requiresGrad, true);
  });

  test('the gradient of a leaf of an outer scope outlives the inner scope that computed it', () => {
    scope(() => {
      const w = leaf([1, 2]);
      for (let i = 1; i <= 3; i++) {
        scope(() => {
          zeros([64]); // advances the arena, so that a use of stale memory would be visible
          w.mul(w).mul(i).sum().backward();
        });
      }
      assert.equal(w.grad!.toArray(), [2 * 6, 4 * 6]);
    });
  });

  test('the gradient of a leaf of the same scope is freed with the scope', () => {
    const { heap } = backend();
    scope(() => leaf([1]).mul(2).sum().backward());
    const before = heap.blocks;
    for (let i = 0; i < 10; i++) {
      const gradient = scope(() => {
        const w = leaf([1, 2]);
        w.mul(w).sum().backward();
        return w.grad!.toArray();
      });
      assert.equal(gradient, [2, 4]);
    }
    assert.is(heap.blocks, before);
  });

  test('a tensor of one backend and one of the other do not mix', () => {
    const before = backend().name;
    const a = tensor([1]);
    setBackend(before === 'wasm' ? 'reference' : 'wasm');
    const b = tensor([1]);
    const name = backend().name;
    setBackend(before);
    refused(() => mse(a, b), ValueError, `mse: expected tensors of one backend, got ${before} and ${name}`);
  });

  /** y = tanh(w·x + b) summed; all leaves require gradients. */
  const leaves = () => [leaf([0.5, -1]), leaf([2, 3]), leaf([0.1, -0.2])] as const;
  const lossOf = ([w, x, b]: readonly [Tensor, Tensor, Tensor]) => w.mul(x).add(b).tanh().sum();
  const gradients = (all: readonly Tensor[]) => all.map((x) => Array.from(x.grad!.toTypedArray()));

  test('the stepwise pass visits each node once, from the end, and gives the gradients of backward()', () => {
    const [whole, stepped] = [leaves(), leaves()];
    const before = tapeLength();
    scope(() => lossOf(whole).backward());
    scope(() => {
      const visited: string[] = [];
      for (const { op, y, xs } of lossOf(stepped).backwardSteps()) {
        visited.push(op.name);
        assert.equal(y.adjoint!.shape, y.shape);
        for (const x of xs)
          assert.ok((x.adjoint ?? x.grad) !== null, `${op.name} has given its inputs gradients`);
      }
      assert.equal(visited, ['sum', 'tanh', 'add', 'mul']);
    });
    assert.equal(gradients(stepped), gradients(whole));
    assert.is(tapeLength(), before);
  });

  test('a stepwise pass that stops early frees its memory, and another pass is correct', () => {
    const [whole, stepped] = [leaves(), leaves()];
    scope(() => lossOf(whole).backward());
    scope(() => {
      const loss = lossOf(stepped);
      const pass = loss.backwardSteps();
      pass.next();
      pass.next();
      pass.return();
    });
    for (const x of stepped) x.zeroGrad();
    scope(() => lossOf(stepped).backward());
    assert.equal(gradients(stepped), gradients(whole));
  });
});
