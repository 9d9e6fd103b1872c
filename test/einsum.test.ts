/** Compares Einstein summation with a loop in float64 over all indices. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/autograd/gradcheck.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import { einsum } from '../src/tensor/einsum.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, near, onBackend, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const rng = new Rng(3);

/** The sum over all values of all letters. */
function bySum(
  inputs: readonly string[],
  output: string,
  xs: readonly Tensor[],
  sizes: Record<string, number>,
) {
  const letters = [...new Set(inputs.join(''))];
  const arrays = xs.map((x) => x.toTypedArray());
  const place = (axes: string, at: Record<string, number>) =>
    [...axes].reduce((offset, letter) => offset * sizes[letter] + at[letter], 0);
  const result = new Float64Array([...output].reduce((n, letter) => n * sizes[letter], 1));
  const walk = (depth: number, at: Record<string, number>): void => {
    if (depth === letters.length) {
      const product = inputs.reduce((p, axes, i) => p * arrays[i][place(axes, at)], 1);
      result[place(output, at)] += product;
      return;
    }
    for (let i = 0; i < sizes[letters[depth]]; i++) walk(depth + 1, { ...at, [letters[depth]]: i });
  };
  walk(0, {});
  return result;
}

suite(
  'einsum',
  scoped((test) => {
    test('it agrees with the sum over all indices for random equations of one to three operands', () => {
      const letters = fc.constantFrom(...'ijkl');
      const sizes = fc.record({ i: size(), j: size(), k: size(), l: size() });
      const inputs = fc.array(
        fc.array(letters, { maxLength: 4 }).map((axes) => axes.join('')),
        {
          minLength: 1,
          maxLength: 3,
        },
      );
      fc.assert(
        fc.property(inputs, sizes, fc.infiniteStream(fc.boolean()), (axes, n, keep) => {
          const all = [...new Set(axes.join(''))];
          const output = all.filter(() => keep.next().value).join('');
          onBackend('wasm', () => {
            const xs = axes.map((names) => rng.normal([...names].map((letter) => n[letter as 'i'])));
            const y = einsum(`${axes.join(', ')} -> ${output}`, ...xs);
            assert.equal(
              y.shape,
              [...output].map((letter) => n[letter as 'i']),
            );
            close(y.toTypedArray(), bySum(axes, output, xs, n), 1e-3, `${axes}->${output}`);
          });
        }),
        { seed: 7, numRuns: 300 },
      );
    });

    test('known equations equal the usual operators', () => {
      const a = tensor([
        [1, 2],
        [3, 4],
      ]);
      near(einsum('ij->ji', a), [
        [1, 3],
        [2, 4],
      ]);
      near(einsum('ii', a), 5);
      near(einsum('ii->i', a), [1, 4]);
      near(einsum('ij->', a), 10);
      near(einsum('ij,jk', a, a), a.matmul(a).toArray());
      near(einsum('i,j->ij', tensor([1, 2]), tensor([3, 5])), [
        [3, 5],
        [6, 10],
      ]);
    });

    test('gradients flow through products, sums and diagonals', () => {
      const check = (equation: string, ...shapes: number[][]) => {
        const error = gradcheck(
          (...xs: Tensor[]) => einsum(equation, ...xs),
          shapes.map((shape) => rng.normal(shape)),
        );
        assert.ok(error < 1e-6, `${equation}: ${error}`);
      };
      check('bhid,bhjd->bhij', [2, 2, 3, 2], [2, 2, 2, 2]);
      check('iij,jk->ik', [2, 2, 3], [3, 2]);
      check('ij,jk,kl->il', [2, 3], [3, 2], [2, 2]);
    });

    test('errors name the wrong index', () => {
      const a = zeros([2, 3]);
      refused(
        () => einsum('ij,jk->ik', a, a),
        ShapeError,
        'einsum: expected index j of one size, got 3 and 2',
      );
      refused(
        () => einsum('ij->ik', a),
        ValueError,
        'einsum: index k of the result is in no operand of "ij->ik"',
      );
      refused(
        () => einsum('ij->ii', a),
        ValueError,
        'einsum: expected index i once in the result of "ij->ii"',
      );
      refused(
        () => einsum('ijk->i', a),
        ShapeError,
        'einsum: expected 3 axes for the indices "ijk", got shape [2,3]',
      );
      refused(() => einsum('ij,jk->ik', a), ValueError, 'einsum: expected 2 tensors for "ij,jk->ik", got 1');
      refused(() => einsum('...i->i', a), ValueError, /einsum: expected letters, commas and one ->/);
      refused(() => einsum(a as never), ValueError, /einsum: expected an equation/);
    });
  }),
);

function size() {
  return fc.integer({ min: 1, max: 3 });
}
