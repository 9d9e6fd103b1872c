/** The flat block of parameters: its layout, its ranges, and gradients from other sources. */
import * as assert from 'uvu/assert';
import { backend, setBackend } from '../src/backend/backend.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Adam, AdamW } from '../src/optim/adam.ts';
import { clipGradNorm } from '../src/optim/clip.ts';
import { ParameterBlock } from '../src/optim/parameters.ts';
import { RMSprop } from '../src/optim/rmsprop.ts';
import { SGD } from '../src/optim/sgd.ts';
import { tensor } from '../src/tensor/create.ts';
import { refused } from './helpers.ts';
import { giveGradient, parametersOf } from './helpers-optim.ts';
import { suite } from './suite.ts';

suite('flat block', (test) => {
  test('parameters keep values and shapes when they are moved, and lie one after the other', () => {
    const a = tensor([[1, 2, 3]], { requiresGrad: true });
    const b = tensor(
      Array.from({ length: 17 }, (_, i) => i),
      { requiresGrad: true },
    );
    const c = tensor(7, { requiresGrad: true });
    const block = new ParameterBlock([a, b, c]);
    assert.equal(a.toArray(), [[1, 2, 3]]);
    assert.equal(
      b.toArray(),
      Array.from({ length: 17 }, (_, i) => i),
    );
    assert.is(c.item(), 7);
    const { elementBytes } = a.backend;
    assert.is(b.ptr - a.ptr, 16 * elementBytes);
    assert.is(c.ptr - b.ptr, 32 * elementBytes);
    assert.is(block.size, 64);
    assert.is(a.ptr % 64, 0);
    assert.equal(
      b.reshape(1, 17).slice([0, 3], [1, 6]).toArray(),
      [[3, 4, 5]],
      'a view begins at the parameter',
    );
    b.set(new Float32Array(17).fill(5));
    assert.equal(a.toArray(), [[1, 2, 3]], 'a write to one reaches no other');
  });

  test('gradients are one range if all are present, and split if one is missing or a step count differs', () => {
    const parameters = parametersOf([[1, 2], [3], [4, 5, 6]]);
    const block = new ParameterBlock(parameters);
    assert.equal(block.runs(), []);
    for (const p of parameters) giveGradient(p, new Array(p.size).fill(1));
    assert.equal(block.runs(), [{ from: 0, to: 48, first: 0 }]);
    assert.equal(block.indices(block.runs()[0]), [0, 1, 2]);
    assert.equal(
      block.runs((i, j) => i + j !== 2),
      [
        { from: 0, to: 32, first: 0 },
        { from: 32, to: 48, first: 2 },
      ],
    );
    parameters[1].zeroGrad();
    assert.equal(block.runs(), [
      { from: 0, to: 16, first: 0 },
      { from: 32, to: 48, first: 2 },
    ]);
  });

  test('a gradient from before the optimiser is kept, and later gradients are added', () => {
    const p = tensor([1, 1], { requiresGrad: true });
    giveGradient(p, [1, 2]);
    const optimizer = new SGD([p], { lr: 1 });
    giveGradient(p, [10, 20]);
    assert.equal(p.grad!.toArray(), [11, 22]);
    optimizer.step();
    assert.equal(p.toArray(), [-10, -21]);
    const other = tensor([1, 1], { requiresGrad: true });
    giveGradient(other, [1, 2]);
    new SGD([other], { lr: 1 }).step();
    assert.equal(other.toArray(), [0, -1]);
  });

  test('a gradient that was set by hand is used', () => {
    const p = tensor([1, 1], { requiresGrad: true });
    const optimizer = new SGD([p], { lr: 1 });
    giveGradient(p, [100, 100]);
    p.grad = tensor([3, 4]);
    giveGradient(p, [1, 1]);
    assert.equal(p.grad.toArray(), [4, 5]);
    p.grad = tensor([7, 8]);
    optimizer.step();
    assert.equal(p.toArray(), [-6, -7]);
    p.grad = tensor([1, 2, 3]);
    refused(() => optimizer.step(), ShapeError, 'grad: expected shape [2], got [3]');
  });

  test('an optimiser whose parameter moved to a later one refuses to step, and does not write old memory', () => {
    const [a, b] = parametersOf([[1], [2]]);
    const first = new SGD([a, b], { lr: 1 });
    const second = new SGD([b], { lr: 1 });
    giveGradient(b, [1]);
    refused(
      () => first.step(),
      ValueError,
      'optimiser: parameter 1 of shape [1] now belongs to a newer optimiser',
    );
    second.step();
    assert.is(b.item(), 1);
  });

  test('parameters of two backends are refused', () => {
    const before = backend().name;
    const a = tensor([1], { requiresGrad: true });
    setBackend(before === 'wasm' ? 'reference' : 'wasm');
    const b = tensor([1], { requiresGrad: true });
    setBackend(before);
    refused(() => new SGD([a, b]), ValueError, /^optimiser: expected parameters of one backend, got/);
  });

  test('the elements between parameters stay 0 through steps with momentum, decay and moments', () => {
    const parameters = parametersOf([[1, 2, 3], [4]]);
    const options = { lr: 0.1, weightDecay: 0.1 };
    const makers = [
      () => new SGD(parameters, { ...options, momentum: 0.9 }),
      () => new Adam(parameters, options),
      () => new AdamW(parameters, options),
      () => new RMSprop(parameters, { ...options, momentum: 0.9, centered: true }),
    ];
    for (const make of makers) {
      const optimizer = make();
      for (let t = 0; t < 3; t++) {
        giveGradient(parameters[0], [1, -2, 3]);
        giveGradient(parameters[1], [4]);
        clipGradNorm(parameters, 1);
        optimizer.step();
      }
      const { backend: on } = parameters[0];
      const all = Array.from(on.read(optimizer.block.valueAt(0), optimizer.block.size));
      assert.equal(all.slice(3, 16), new Array(13).fill(0));
      assert.equal(all.slice(17), new Array(15).fill(0));
    }
  });
});
