/**
 * Modules: names and shapes of parameters as in PyTorch, saving and loading a state, and initial values, which must
 * follow the uniform distribution. The fused layers of Sequential are compared with the separate layers.
 */
import * as assert from 'uvu/assert';
import { noGrad, scope, tapeLength } from '../src/autograd/tape.ts';
import { backend, setBackend } from '../src/backend/backend.ts';
import { LifetimeError, ShapeError, ValueError } from '../src/errors.ts';
import { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh } from '../src/nn/activation.ts';
import { Linear } from '../src/nn/linear.ts';
import { Layer, Module } from '../src/nn/module.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { SGD } from '../src/optim/sgd.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, refused } from './helpers.ts';
import { suite } from './suite.ts';

const dense = (from: number, to: number, seed: number | string = 1) =>
  new Linear(from, to, { rng: new Rng(seed) });

class Autoencoder extends Layer {
  readonly encoder = new Sequential(dense(6, 4), new ReLU(), dense(4, 3, 2), new ReLU());
  readonly decoder = new Sequential(dense(3, 4, 3), new ReLU(), dense(4, 6, 4), new Sigmoid());
  override forward(x: Tensor): Tensor {
    return this.decoder.forward(this.encoder.forward(x));
  }
}

const valuesOf = (m: Module) => [...m.stateDict().values()].flatMap((p) => Array.from(p.toTypedArray()));

suite('modules', (test) => {
  test('parameters have the names and shapes that PyTorch gives to the same modules', () => {
    const named = new Autoencoder().namedParameters().map(([name, p]) => `${name} [${p.shape}]`);
    assert.equal(named, [
      'encoder.0.weight [4,6]',
      'encoder.0.bias [4]',
      'encoder.2.weight [3,4]',
      'encoder.2.bias [3]',
      'decoder.0.weight [4,3]',
      'decoder.0.bias [4]',
      'decoder.2.weight [6,4]',
      'decoder.2.bias [6]',
    ]);
    assert.equal(
      new Linear(2, 3, { bias: false }).namedParameters('head.').map(([name]) => name),
      ['head.weight'],
    );
  });

  test('a state contains the parameter tensors, and another model loads them by name', () => {
    const [from, to] = [new Autoencoder(), new Autoencoder()];
    for (const p of from.parameters()) p.set(Array.from(p.toTypedArray(), (x, i) => x + i));
    assert.is(from.stateDict().get('decoder.0.bias'), from.parameters()[5]);
    const shuffled = new Map([...from.stateDict()].reverse());
    to.loadStateDict(shuffled);
    assert.equal(valuesOf(to), valuesOf(from));
    to.parameters()[0].set(new Float32Array(24));
    assert.not.equal(valuesOf(to), valuesOf(from), 'a copy');
  });

  test('a state that does not fit changes nothing, and the error names what is wrong', () => {
    const model = new Autoencoder();
    const before = valuesOf(model);
    const state = () =>
      new Map([...model.stateDict()].map(([name, p]): [string, Tensor] => [name, zeros(p.shape)]));
    const table: [(s: Map<string, Tensor>) => unknown, new (m: string) => Error, string][] = [
      [
        (s) => s.set('decoder.2.bais', zeros([6])),
        ValueError,
        'loadStateDict: unknown parameter "decoder.2.bais". Did you mean "decoder.2.bias"?',
      ],
      [
        (s) => s.delete('decoder.2.bias'),
        ValueError,
        'loadStateDict: expected a parameter "decoder.2.bias", got none',
      ],
      [
        (s) => s.set('decoder.2.weight', zeros([4, 6])),
        ShapeError,
        'loadStateDict: expected decoder.2.weight of shape [6,4], got [4,6]',
      ],
      [
        (s) => s.get('decoder.2.weight')!.dispose(),
        LifetimeError,
        'loadStateDict: decoder.2.weight was disposed or its scope ended',
      ],
    ];
    for (const [spoil, type, message] of table) {
      const bad = state();
      spoil(bad);
      refused(() => model.loadStateDict(bad), type, message);
      assert.equal(valuesOf(model), before);
    }
  });

  test('a state of the other backend is converted', () => {
    const before = backend().name;
    const here = dense(3, 2);
    setBackend(before === 'wasm' ? 'reference' : 'wasm');
    const there = dense(3, 2, 7);
    setBackend(before);
    here.loadStateDict(there.stateDict());
    close(valuesOf(here), valuesOf(there), 1e-7, 'values');
  });

  test('a frozen parameter and a table of constants are saved but not trained; a private field is not saved', () => {
    class Features extends Layer {
      readonly frequencies = tensor([1, 2, 4]);
      readonly frozen = tensor([5], { requiresGrad: true });
      readonly free = tensor([6], { requiresGrad: true });
      readonly #cache = tensor([7], { requiresGrad: true });
      override forward(x: Tensor): Tensor {
        return x.mul(this.#cache);
      }
    }
    const m = new Features();
    m.frozen.requireGrad(false);
    assert.equal([...m.stateDict().keys()], ['frequencies', 'frozen', 'free']);
    assert.equal(m.namedParameters(), [['free', m.free]]);
    new SGD(m.parameters());
    assert.equal(valuesOf(m), [1, 2, 4, 5, 6]);
  });

  test('a module whose forward does not take one tensor has parameters, a mode and a state too', () => {
    class Product extends Module {
      readonly left = dense(2, 3);
      readonly right = dense(2, 3, 2);
      forward(x: Tensor, y: Tensor): Tensor {
        return this.left.forward(x).mul(this.right.forward(y));
      }
    }
    const m = new Product().eval();
    assert.equal([m.training, m.left.training], [false, false]);
    assert.equal([...m.stateDict().keys()], ['left.weight', 'left.bias', 'right.weight', 'right.bias']);
    assert.not('forward' in Module.prototype);
    // @ts-expect-error Sequential takes layers, and this is not one
    refused(() => new Sequential(m), ValueError, 'Sequential: expected layers, got a Product at 0');
  });

  test('a tensor that a forward pass stores in a property is not part of the state', () => {
    class Remembering extends Layer {
      readonly layer = dense(2, 2);
      last: Tensor | null = null;
      override forward(x: Tensor): Tensor {
        return (this.last = this.layer.forward(x));
      }
    }
    const m = new Remembering();
    m.forward(zeros([1, 2]));
    assert.equal([...m.stateDict().keys()], ['layer.weight', 'layer.bias']);
    scope(() => m.forward(zeros([1, 2])));
    assert.equal(m.parameters().length, 2);
  });

  test('a shared layer is one set of parameters with a name for each place', () => {
    class Tied extends Layer {
      readonly a = dense(2, 2);
      readonly b = this.a;
      override forward(x: Tensor): Tensor {
        return this.b.forward(this.a.forward(x));
      }
    }
    const m = new Tied();
    assert.equal(
      m.namedParameters().map(([name]) => name),
      ['a.weight', 'a.bias'],
    );
    assert.equal([...m.stateDict().keys()], ['a.weight', 'a.bias', 'b.weight', 'b.bias']);
    new SGD(m.parameters(), { lr: 0.1 });
    m.loadStateDict(new Map([...m.stateDict()].map(([name, p]) => [name, zeros(p.shape)])));
    assert.equal(valuesOf(m), new Array(12).fill(0));
    m.dispose();
    assert.is(m.a.weight.alive, false, 'disposed once');
  });

  test('a property that refers back to the parent is not followed', () => {
    class Child extends Layer {
      readonly layer = dense(1, 1);
      parent: Module | null = null;
      override forward(x: Tensor): Tensor {
        return this.layer.forward(x);
      }
    }
    const child = new Child();
    const root = new Sequential(child);
    child.parent = root;
    assert.equal(
      root
        .eval()
        .namedParameters()
        .map(([name]) => name),
      ['0.layer.weight', '0.layer.bias'],
    );
  });

  test('train and eval reach every module of the tree', () => {
    const m = new Autoencoder();
    const modes = () =>
      [m, m.encoder, ...m.encoder.layers, m.decoder, ...m.decoder.layers].map((x) => x.training);
    assert.equal(new Set(modes()), new Set([true]));
    assert.is(m.eval(), m);
    assert.equal(new Set(modes()), new Set([false]));
    m.decoder.train();
    assert.equal(modes().filter(Boolean).length, 5);
    m.train();
    assert.equal(new Set(modes()), new Set([true]));
  });

  test('disposing of a model frees all its memory', () => {
    const { heap } = backend();
    const [blocks, bytes] = [heap.blocks, heap.usedBytes];
    const m = new Autoencoder();
    assert.is(heap.blocks, blocks + 8);
    m.dispose();
    assert.equal([heap.blocks, heap.usedBytes], [blocks, bytes]);
    refused(() => m.forward(zeros([1, 6])), LifetimeError, 'tensor [4,6] was used after dispose()');
  });
});

suite('linear layers', (test) => {
  test('the layer computes x·Wᵀ + b', () => {
    const layer = new Linear(2, 3);
    layer.weight.set([1, 2, 3, 4, 5, 6]);
    layer.bias!.set([0.5, 0, -1]);
    assert.equal(
      layer
        .forward(
          tensor([
            [1, 10],
            [0, 1],
          ]),
        )
        .toArray(),
      [
        [21.5, 43, 64],
        [2.5, 4, 5],
      ],
    );
  });

  test('weights and biases start uniform in ±1/√in: range, moments and twenty equal bins', () => {
    const layer = dense(400, 300, 'init');
    const bound = 1 / 20;
    for (const [what, p] of [
      ['weight', layer.weight],
      ['bias', layer.bias!],
    ] as const) {
      const values = Float64Array.from(p.toTypedArray());
      const n = values.length;
      const mean = values.reduce((a, b) => a + b, 0) / n;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
      assert.ok(
        values.every((x) => Math.abs(x) <= Math.fround(bound)),
        `${what}: range`,
      );
      // Five standard errors of each: σ/√n of the mean, σ²·√(4/5n) of the variance, for a uniform.
      const sigma = bound / Math.sqrt(3);
      assert.ok(Math.abs(mean) < (5 * sigma) / Math.sqrt(n), `${what}: mean ${mean}`);
      assert.ok(
        Math.abs(variance / sigma ** 2 - 1) < 5 * Math.sqrt(0.8 / n),
        `${what}: variance ${variance}`,
      );
      const bins = new Array<number>(20).fill(0);
      for (const x of values) bins[Math.min(19, Math.floor(((x + bound) / (2 * bound)) * 20))]++;
      const chi2 = bins.reduce((sum, count) => sum + (count - n / 20) ** 2 / (n / 20), 0);
      assert.ok(chi2 < 50.8, `${what}: χ² ${chi2} of 19 degrees of freedom, p < 1e-4 beyond 50.8`);
    }
  });

  test('a seed gives the same layer again; weight, bias and the next layer are different numbers', () => {
    const rng = new Rng('seed');
    const [a, b] = [new Linear(4, 4, { rng }), new Linear(4, 4, { rng })];
    assert.equal(valuesOf(a), valuesOf(dense(4, 4, 'seed')));
    assert.not.equal(valuesOf(a), valuesOf(b));
    assert.not.equal(a.weight.toTypedArray().slice(0, 4), a.bias!.toTypedArray());
  });

  test('a layer made inside a scope outlives it', () => {
    const layer = scope(() => dense(2, 1));
    assert.ok(layer.weight.alive && layer.weight.requiresGrad && layer.weight.isLeaf);
    scope(() =>
      layer
        .forward(zeros([1, 2]))
        .sum()
        .backward(),
    );
    assert.equal(layer.weight.grad!.toArray(), [[0, 0]]);
    assert.equal(layer.bias!.grad!.toArray(), [1]);
  });

  test('sizes that are not whole numbers >= 1, and inputs of another width, are refused', () => {
    for (const [from, to] of [
      [0, 1],
      [1, -1],
      [1.5, 2],
      [NaN, 2],
      ['3', 2],
    ] as [number, number][]) {
      refused(() => new Linear(from, to), ValueError, `Linear: expected sizes >= 1, got ${from} and ${to}`);
    }
    refused(
      () => dense(3, 2).forward(zeros([4, 5])),
      ShapeError,
      'linear: expected x[m,in]·W[out,in]ᵀ, got [4,5]·[2,3]ᵀ',
    );
  });
});

suite('sequential', (test) => {
  /** Output, and the gradients of x, W and b, of `forward` on the same numbers. */
  function run(forward: (layer: Linear, x: Tensor) => Tensor): { nodes: number; results: number[][] } {
    const layer = dense(7, 9, 'fused');
    const x = new Rng('x').normal([5, 7]).requireGrad();
    const weights = new Rng('weights').normal([5, 9]);
    const before = tapeLength();
    const y = forward(layer, x);
    const nodes = tapeLength() - before;
    y.mul(weights).sum().backward();
    const tensors = [y, x.grad!, layer.weight.grad!, layer.bias!.grad!];
    return { nodes, results: tensors.map((t) => Array.from(t.toTypedArray())) };
  }

  for (const [name, activation, apart] of [
    ['ReLU', new ReLU(), (z: Tensor) => z.relu()],
    ['sigmoid', new Sigmoid(), (z: Tensor) => z.sigmoid()],
    ['tanh', new Tanh(), (z: Tensor) => z.tanh()],
  ] as const) {
    test(`a linear layer with ${name} is fused to one op, with the same values and gradients`, () => {
      const fused = run((layer, x) => new Sequential(layer, activation).forward(x));
      const two = run((layer, x) => apart(layer.forward(x)));
      assert.equal([fused.nodes, two.nodes], [1, 2]);
      assert.equal(fused.results, two.results);
    });
  }

  for (const [name, activation, apart] of [
    ['SiLU', new SiLU(), (z: Tensor) => z.silu()],
    ['GELU', new GELU(), (z: Tensor) => z.gelu()],
    ['softplus', new Softplus(), (z: Tensor) => z.softplus()],
    ['leaky ReLU', new LeakyReLU(), (z: Tensor) => z.leakyRelu(0.01)],
    ['leaky ReLU of another slope', new LeakyReLU(0.3), (z: Tensor) => z.leakyRelu(0.3)],
  ] as const) {
    test(`${name} is not fused, because its derivative needs its input`, () => {
      const { nodes, results } = run((layer, x) => new Sequential(layer, activation).forward(x));
      assert.is(nodes, 2);
      assert.equal(results, run((layer, x) => apart(layer.forward(x))).results);
    });
  }

  test('a class derived from a fused activation, or from Linear, keeps its own forward', () => {
    class Leaky extends ReLU {
      override forward(x: Tensor): Tensor {
        return x.maximum(x.mul(0.1));
      }
    }
    class Doubled extends Linear {
      override forward(x: Tensor): Tensor {
        return super.forward(x).mul(2);
      }
    }
    const layer = new Linear(1, 1);
    layer.weight.set([-1]);
    layer.bias!.set([0]);
    const x = tensor([[5]]);
    close(noGrad(() => new Sequential(layer, new Leaky()).forward(x)).toTypedArray(), [-0.5], 1e-7, 'leaky');
    const doubled = new Doubled(1, 1);
    doubled.loadStateDict(layer.stateDict());
    assert.equal(noGrad(() => new Sequential(doubled, new ReLU()).forward(x)).toArray(), [[0]]);
  });

  test('an empty Sequential is the identity, and nested ones have names by their positions', () => {
    const x = tensor([1, 2]);
    assert.is(new Sequential().forward(x), x);
    const nested = new Sequential(new ReLU(), new Sequential(dense(1, 1), new Sequential(dense(1, 1))));
    assert.equal(
      nested.namedParameters().map(([name]) => name),
      ['1.0.weight', '1.0.bias', '1.1.0.weight', '1.1.0.bias'],
    );
  });
});
