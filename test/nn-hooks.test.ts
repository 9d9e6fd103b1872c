/** Hooks of activations: their arguments, their order, and their removal. */
import * as assert from 'uvu/assert';
import { scope, tapeLength } from '../src/autograd/tape.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { ValueError } from '../src/errors.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { ReLU, Tanh } from '../src/nn/activation.ts';
import { hookActivations } from '../src/nn/hooks.ts';
import { Linear } from '../src/nn/linear.ts';
import { Layer, Module } from '../src/nn/module.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const dense = (from: number, to: number, seed = 0) => new Linear(from, to, { rng: new Rng(seed) });

/** The names of the layers that ran, in order. */
const namesOf = (model: Module, run: () => unknown): string[] => {
  const names: string[] = [];
  const remove = hookActivations(model, (name) => names.push(name));
  run();
  remove();
  return names;
};

suite('hooks of activations', (test) => {
  scoped((test) => {
    test('a hook is called for each layer of the tree when it finishes, with its path', () => {
      const x = new Rng(1).normal([2, 3]);
      const model = new Sequential(dense(3, 4), new ReLU(), new Sequential(dense(4, 2), new Tanh()));
      assert.equal(
        namesOf(model, () => model.forward(x)),
        ['0', '1', '2.0', '2.1', '2', ''],
      );
      const denoiser = new Denoiser({ inputs: 4, hidden: 3, code: 2 });
      assert.equal(
        namesOf(denoiser, () => denoiser.forward(zeros([1, 2, 2, 1]))),
        ['encoder.0', 'encoder.1', 'encoder.2', 'encoder.3', 'encoder']
          .concat(['decoder.0', 'decoder.1', 'decoder.2', 'decoder.3', 'decoder'])
          .concat(''),
      );
      const network = new DiffusionMlp({ height: 2, width: 2, hidden: 4, inner: 4, depth: 1, condition: 2 });
      assert.equal(
        namesOf(network, () => network.forward(zeros([1, 2, 2, 1]), [5])),
        ['time.first', 'time.second', 'label', 'input', 'blocks.0.a', 'blocks.0.c', 'blocks.0.b', 'output'],
      );
    });

    test('a hook gets the layer, its input and its output, also if an activation would be fused', () => {
      const [linear, relu] = [dense(3, 5), new ReLU()];
      const model = new Sequential(linear, relu);
      const x = new Rng(1).normal([2, 3]);
      const [before, z] = [model.forward(x).toArray(), linear.forward(x).toArray()];
      const seen = new Map<Layer, [unknown, unknown]>();
      const remove = hookActivations(model, (_, layer, output, input) =>
        seen.set(layer, [input.toArray(), output.toArray()]),
      );
      assert.equal(model.forward(x).toArray(), before, 'the model computes the same bits');
      remove();
      assert.equal(seen.get(linear), [x.toArray(), z]);
      assert.equal(seen.get(relu), [z, before]);
      assert.equal(seen.get(model), [x.toArray(), before]);
      assert.not.equal(z, before, 'some elements are negative');
    });

    test('two layers are not fused if one of them has a hook', () => {
      for (const which of [0, 1]) {
        const layers = [dense(3, 5), new ReLU()];
        const model = new Sequential(...layers);
        const x = new Rng(1).normal([2, 3]).requireGrad();
        const nodes = () => {
          const before = tapeLength();
          model.forward(x);
          return tapeLength() - before;
        };
        assert.is(nodes(), 1);
        const remove = hookActivations(layers[which]!, () => {});
        assert.is(nodes(), 2);
        remove();
        assert.is(nodes(), 1);
      }
    });

    test('gradients of activations are available through a hook of the output', () => {
      const model = new Sequential(dense(1, 1), new Tanh());
      const x = tensor([[0.5]]);
      const gradients = new Map<string, number>();
      const remove = hookActivations(model, (name, _, output) => {
        if (name !== '') output.onGradient((g) => gradients.set(name, g.item()));
      });
      const y = model.forward(x);
      y.mul(3).sum().backward();
      remove();
      assert.is(gradients.get('1'), 3);
      assert.ok(Math.abs(gradients.get('0')! - 3 * (1 - y.item() ** 2)) < 1e-6);
    });

    test('removing hooks in any order restores the exact state', () => {
      class Own extends Layer {
        override forward = (x: Tensor): Tensor => x.mul(2);
      }
      const own = new Own();
      const model = new Sequential(dense(2, 2), own);
      const state = () => model.layers.map((layer) => Object.getOwnPropertyDescriptors(layer));
      const before = state();
      const x = zeros([1, 2]);
      const seen: string[] = [];
      const add = (name: string) => hookActivations(model, (path) => path === '1' && seen.push(name));
      const removers = [add('a'), add('b'), add('c')];
      model.forward(x);
      assert.equal(seen, ['a', 'b', 'c']);
      removers[0]!();
      removers[0]!();
      model.forward(x);
      assert.equal(seen.slice(3), ['b', 'c']);
      removers[2]!();
      removers[1]!();
      model.forward(x);
      assert.is(seen.length, 5);
      assert.equal(state(), before);
      assert.is(own.forward, before[1]!.forward!.value);
      assert.not.ok(Object.hasOwn(model, 'forward'));
    });

    test('a hooked model has the names, files and children of one without hooks', () => {
      const model = new Denoiser({ inputs: 4, hidden: 3, code: 2, rng: new Rng(0) });
      const facts = () => ({
        bytes: encodeCheckpoint(model, { kind: Denoiser.kind, sizes: { ...model.sizes } }),
        names: [...model.stateDict().keys()],
        keys: Object.keys(model.encoder.layers[0]!),
      });
      const before = facts();
      const remove = hookActivations(model, () => {});
      assert.equal(facts(), before);
      assert.ok(decodeCheckpoint(facts().bytes));
      remove();
    });

    test('a shared layer calls the hook in each run, with its first name', () => {
      const shared = dense(2, 2);
      const model = new Sequential(shared, new Tanh(), shared);
      assert.equal(
        namesOf(model, () => model.forward(zeros([1, 2]))),
        ['0', '1', '0', ''],
      );
    });

    test('a hook that throws ends the forward pass, and the next pass is correct', () => {
      const model = new Sequential(dense(2, 2), new ReLU());
      const remove = hookActivations(model, () => {
        throw new Error('from the hook');
      });
      assert.throws(() => model.forward(zeros([1, 2])), 'from the hook');
      remove();
      assert.equal(model.forward(zeros([1, 2])).shape, [1, 2]);
    });

    test('arguments that are not modules or functions are refused', () => {
      const model = dense(1, 1);
      refused(
        () => hookActivations({} as never, () => {}),
        ValueError,
        'hookActivations: expected a module, got an object {  }',
      );
      refused(
        () => hookActivations(model, 'print' as never),
        ValueError,
        'hookActivations: expected a function, got "print"',
      );
    });
  })(test);

  test('modules are named by their paths, each only once', () => {
    scope(() => {
      class Pair extends Module {
        readonly left = new ReLU();
        readonly right = new Sequential(this.left, new Tanh());
      }
      const pair = new Pair();
      assert.equal(
        pair.namedModules().map(([name, module]) => `${name}: ${module.constructor.name}`),
        [': Pair', 'left: ReLU', 'right: Sequential', 'right.1: Tanh'],
      );
    });
  });
});
