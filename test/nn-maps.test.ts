/**
 * Layers of maps [batch, height, width, channels], compared with their formulas in float64. Names, initial values and
 * errors are PyTorch's.
 */
import * as assert from 'uvu/assert';
import { ShapeError, ValueError } from '../src/errors.ts';
import { groupNorm, layerNorm } from '../src/nn/functional.ts';
import { GroupNorm } from '../src/nn/norm.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import { near, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const rng = new Rng(31);

suite(
  'layers of maps',
  scoped((test) => {
    test('groupNorm is layerNorm over the positions and channels of a group', () => {
      const x = rng.normal([2, 3, 5, 6]).mul(3).add(1);
      const [weight, bias] = [rng.normal([6]), rng.normal([6])];
      // [batch, groups, positions, size]
      const groups = x.reshape(2, 15, 3, 2).transpose(0, 2, 1, 3);
      const normal = layerNorm(groups, [15, 2]).transpose(0, 2, 1, 3).reshape(2, 3, 5, 6);
      near(groupNorm(x, 3), normal.toArray(), 3e-6);
      const z = normal.mul(weight).add(bias);
      near(groupNorm(x, 3, { weight, bias }), z.toArray(), 4e-6);
      near(groupNorm(x, 3, { weight, bias, activation: 'silu' }), z.silu().toArray(), 4e-6);
    });

    test('GroupNorm starts with weight 1 and bias 0, and follows its options', () => {
      const names = (layer: GroupNorm) => layer.namedParameters().map(([name, p]) => `${name} [${p.shape}]`);
      assert.equal(names(new GroupNorm(2, 4)), ['weight [4]', 'bias [4]']);
      assert.equal(names(new GroupNorm(2, 4, { affine: false })), []);
      const x = rng.normal([3, 4]);
      near(new GroupNorm(2, 4).forward(x), groupNorm(x, 2).toArray());
      const layer = new GroupNorm(4, 4, { eps: 1 });
      layer.bias!.set([1, 2, 3, 4]);
      // One element per group: its deviation is 0.
      near(layer.forward(tensor([[5, 6, 7, 8]])), [[1, 2, 3, 4]]);
    });

    test('channels that do not fit the groups, and parameters of another size, are refused', () => {
      const x = zeros([2, 3, 3, 6]);
      const unequal = 'groupNorm: expected channels in 4 equal groups, got 6';
      refused(() => groupNorm(x, 4), ShapeError, unequal);
      refused(() => groupNorm(x, 0), ValueError, 'groupNorm: expected a number of groups >= 1, got 0');
      refused(
        () => groupNorm(zeros([6]), 2),
        ShapeError,
        /expected \[batch, ..., channels\], got shape \[6\]/,
      );
      const weight = zeros([3]);
      refused(
        () => groupNorm(x, 2, { weight }),
        ShapeError,
        'groupNorm: expected a weight and a bias [6], got [3]',
      );
      refused(() => new GroupNorm(4, 6), ValueError, 'GroupNorm: expected channels in 4 equal groups, got 6');
      refused(
        () => new GroupNorm(2, 4).forward(x),
        ShapeError,
        'GroupNorm: expected [batch, ..., 4], got shape [2,3,3,6]',
      );
      refused(
        () => groupNorm(x, 2, { activation: 'relu' as never }),
        ValueError,
        /activation: expected none or silu/,
      );
    });
  }),
);
