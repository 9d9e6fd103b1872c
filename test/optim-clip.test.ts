/** Clipping of gradients, compared with PyTorch's numbers and with norms in float64. */
import * as assert from 'uvu/assert';
import { DivergenceError, ValueError } from '../src/errors.ts';
import { Linear } from '../src/nn/linear.ts';
import { clipGradNorm, clipGradValue } from '../src/optim/clip.ts';
import { SGD } from '../src/optim/sgd.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, onBackend, refused } from './helpers.ts';
import { giveGradient, onEach, parametersOf } from './helpers-optim.ts';
import { suite } from './suite.ts';

const GRADIENTS = [
  [0.9, -0.6, 0.3],
  [-1.2, 0.6, 1.5, 1.8],
];

/** Parameters with these gradients. */
function given(gradients: readonly number[][] = GRADIENTS): Tensor[] {
  const parameters = parametersOf(gradients);
  for (const [i, p] of parameters.entries()) giveGradient(p, gradients[i]);
  return parameters;
}

const gradsOf = (parameters: readonly Tensor[]) => parameters.map((p) => [...p.grad!.toTypedArray()]);

suite('clipping of gradients', (test) => {
  test('gradients are scaled as by clip_grad_norm_ of PyTorch, in a flat block and out of one', () => {
    onEach((tolerance) => {
      for (const inBlock of [false, true]) {
        const parameters = given();
        if (inBlock) new SGD(parameters).block.runs();
        close([clipGradNorm(parameters, 1.5)], [2.924038303442689], 3 * tolerance, 'norm');
        const torch = [
          [0.4616901005436364, -0.30779340036242436, 0.15389670018121218],
          [-0.6155868007248487, 0.30779340036242436, 0.7694835009060608, 0.9233802010872728],
        ];
        for (const [i, values] of gradsOf(parameters).entries())
          close(values, torch[i], tolerance, `grad ${i}`);
        const small = gradsOf(parameters);
        close([clipGradNorm(parameters, 10)], [1.5], 1e-5, 'norm after');
        assert.equal(gradsOf(parameters), small, 'a norm below the limit changes nothing');
      }
    });
  });

  test('the norm is that of the type, over all gradients together, and 1e-6 is added before the division', () => {
    const all = GRADIENTS.flat();
    onEach((tolerance) => {
      for (const normType of [1, 2, 3, 0.5, 2.5, Infinity]) {
        const norm =
          normType === Infinity
            ? Math.max(...all.map(Math.abs))
            : all.reduce((sum, g) => sum + Math.abs(g) ** normType, 0) ** (1 / normType);
        const parameters = given();
        const got = clipGradNorm(parameters, 1e-6, { normType });
        close([got], [norm], 4 * tolerance * norm, `the ${normType}-norm`);
        const scaled = all.map((g) => (g * 1e-6) / (norm + 1e-6));
        close(gradsOf(parameters).flat(), scaled, 4e-6 * tolerance, `scaled by the ${normType}-norm`);
      }
    });
  });

  test('1e-6 counts for gradients of its size: a norm of 5e-6 with that limit becomes 5/6 of it', () => {
    onEach((tolerance) => {
      const [p] = parametersOf([[0, 0]]);
      giveGradient(p, [3e-6, 4e-6]);
      clipGradNorm([p], 5e-6);
      close([...p.grad!.toTypedArray()], [2.5e-6, 4e-6 / 1.2], 1e-5 * tolerance, 'gradient');
    });
  });

  test('a parameter without a gradient is skipped, and a stale gradient is ignored', () => {
    const parameters = given([[2, 3], [1000], [6]]);
    const optimizer = new SGD(parameters);
    parameters[1].zeroGrad();
    close([clipGradNorm(parameters, 3.5)], [7], 1e-6, '√(4 + 9 + 36)');
    close(gradsOf([parameters[0], parameters[2]]).flat(), [1, 1.5, 3], 1e-6, 'gradients');
    clipGradValue(parameters, 1.25);
    close(gradsOf([parameters[0], parameters[2]]).flat(), [1, 1.25, 1.25], 1e-6, 'clamped');
    assert.is(parameters[1].grad, null);
    optimizer.zeroGrad();
    assert.is(clipGradNorm(parameters, 1), 0);
    assert.is(clipGradNorm([], 1), 0);
  });

  test('the norm of long gradients has the same bits for any place of the parameters in memory', () => {
    const norms = [false, true].map((inBlock) =>
      onBackend('wasm', () => {
        const rng = new Rng('long');
        const parameters = [[300, 301], [5], [200, 200]].map((shape) => rng.normal(shape).requireGrad());
        for (const p of parameters) p.grad = rng.normal(p.shape);
        if (inBlock) new SGD(parameters).block.runs();
        const squares = gradsOf(parameters).map((grad) => grad.reduce((sum, g) => sum + g * g, 0));
        const norm = clipGradNorm(parameters, 1);
        close([norm], [Math.sqrt(squares[0] + squares[1] + squares[2])], 1e-4, 'norm');
        return norm;
      }),
    );
    assert.is(norms[0], norms[1]);
  });

  test('a clipped step with a learning rate of 1 moves the parameters by maxNorm at most', () => {
    const layer = new Linear(4, 3, { rng: new Rng(1) });
    const before = layer.parameters().flatMap((p) => [...p.toTypedArray()]);
    const optimizer = new SGD(layer.parameters(), { lr: 1 });
    layer
      .forward(tensor([[30, 20, -10, 50]]))
      .sum()
      .backward();
    assert.ok(clipGradNorm(layer.parameters(), 0.25) > 50);
    optimizer.step();
    const after = layer.parameters().flatMap((p) => [...p.toTypedArray()]);
    close([Math.hypot(...after.map((x, i) => x - before[i]))], [0.25], 1e-6, 'length of the step');
  });

  test('values are clamped to both sides, in place', () => {
    onEach((tolerance) => {
      const parameters = given();
      const grads = parameters.map(({ grad }) => grad);
      clipGradValue(parameters, 0.75);
      close(
        gradsOf(parameters).flat(),
        [0.75, -0.6, 0.3, -0.75, 0.6, 0.75, 0.75],
        tolerance,
        'clamped gradients',
      );
      assert.equal(
        parameters.map(({ grad }, i) => grad === grads[i]),
        [true, true],
      );
      clipGradValue(parameters, 0);
      assert.ok(
        gradsOf(parameters)
          .flat()
          .every((g) => g === 0),
      );
    });
  });

  test('a norm that is not finite throws if the option says so, else it changes every gradient as in PyTorch', () => {
    onEach(() => {
      for (const [bad, finite] of [
        [NaN, NaN],
        [Infinity, 0],
      ]) {
        const parameters = given([[1, 2], [3]]);
        parameters[0].grad = tensor([1, bad]);
        const message = `clipGradNorm: expected a finite norm of the gradients, got ${bad}`;
        refused(() => clipGradNorm(parameters, 1, { errorIfNonfinite: true }), DivergenceError, message);
        assert.equal(gradsOf(parameters), [[1, bad], [3]], 'nothing was changed');
        for (const normType of [1, 2, 3, Infinity]) {
          const again = given([[1, 2], [3]]);
          again[0].grad = tensor([1, bad]);
          assert.equal(clipGradNorm(again, 1, { normType }), bad);
          assert.equal(gradsOf(again), [[finite, NaN], [finite]], `type ${normType}`);
        }
      }
    });
  });

  test('arguments that cannot be clipped are refused in one line', () => {
    const parameters = given();
    for (const bad of [0, -1, NaN])
      refused(
        () => clipGradNorm(parameters, bad),
        ValueError,
        `clipGradNorm: expected a norm > 0, got ${bad}`,
      );
    for (const normType of [0, -Infinity, NaN]) {
      const message = `clipGradNorm: expected a norm type > 0, got ${normType}`;
      refused(() => clipGradNorm(parameters, 1, { normType }), ValueError, message);
    }
    refused(() => clipGradValue(parameters, -1), ValueError, 'clipGradValue: expected a value >= 0, got -1');
    refused(
      () => clipGradValue([1] as never, 1),
      ValueError,
      'clipGradValue: expected an array of tensors such as model.parameters(), got 1',
    );
    refused(
      () => clipGradNorm(new Linear(1, 1) as never, 1),
      ValueError,
      'clipGradNorm: expected an array of tensors such as model.parameters(), got a Linear',
    );
  });
});
