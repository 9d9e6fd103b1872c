/** Tensors through public names: creation, reading, printing, operators, and refused arguments. */
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { backend } from '../src/backend/backend.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { arange, empty, eye, full, linspace, ones, tensor, zeros } from '../src/tensor/create.ts';
import { cat, linear, mse } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { near, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

suite(
  'creation',
  scoped((test) => {
    test('as JSON a tensor is its nested arrays', () => {
      const x = tensor([
        [1, 2],
        [3, 4.5],
      ]);
      assert.is(JSON.stringify(x), '[[1,2],[3,4.5]]');
      assert.is(JSON.stringify({ loss: x.sum() }), '{"loss":10.5}');
    });

    test('a tensor is made of a number, of nested arrays or of a typed array', () => {
      assert.equal(tensor(3).shape, []);
      assert.is(tensor(3).toArray(), 3);
      assert.equal(tensor([1, 2, 3]).shape, [3]);
      const nested = [[[1, 2]], [[3, 4]], [[5, 6]]];
      assert.equal(tensor(nested).shape, [3, 1, 2]);
      assert.equal(tensor(nested).toArray(), nested);
      for (const values of [
        Float32Array.of(1, 2, 3, 4),
        Float64Array.of(1, 2, 3, 4),
        Uint8Array.of(1, 2, 3, 4),
        Int16Array.of(1, 2, 3, 4),
        Uint8ClampedArray.of(1, 2, 3, 4),
      ]) {
        assert.equal(tensor(values).shape, [4]);
        assert.equal(tensor(values, [2, 2]).toArray(), [
          [1, 2],
          [3, 4],
        ]);
      }
      assert.equal(tensor([1, 2, 3, 4], [2, 2]).shape, [2, 2]);
      assert.equal(tensor([]).shape, [0]);
      assert.equal(tensor([[], []]).shape, [2, 0]);
      assert.equal(tensor([[], []]).toArray(), [[], []]);
    });

    test('a tensor owns its memory: it shares it neither with its source nor with a copy', () => {
      const source = Float32Array.of(1, 2);
      const x = tensor(source);
      source[0] = 9;
      assert.equal(x.toArray(), [1, 2]);
      const out = x.toTypedArray();
      out[1] = 9;
      assert.equal(x.toArray(), [1, 2]);
      assert.instance(out, backend().name === 'wasm' ? Float32Array : Float64Array);
    });

    test('a tensor requires a gradient only if this is set', () => {
      assert.not(tensor([1]).requiresGrad);
      assert.ok(tensor([1], { requiresGrad: true }).requiresGrad);
      assert.ok(tensor(Float32Array.of(1), [1], { requiresGrad: true }).requiresGrad);
      assert.ok(zeros([2], { requiresGrad: true }).requiresGrad);
      assert.ok(tensor([1]).requireGrad().requiresGrad);
      assert.not(tensor([1], { requiresGrad: true }).requireGrad(false).requiresGrad);
    });

    test('zeros, ones, full, arange, linspace and eye', () => {
      assert.equal(zeros([2, 2]).toArray(), [
        [0, 0],
        [0, 0],
      ]);
      assert.equal(ones([3]).toArray(), [1, 1, 1]);
      assert.equal(full([2, 1], -0.5).toArray(), [[-0.5], [-0.5]]);
      assert.is(full([], Infinity).item(), Infinity);
      assert.equal(zeros([0, 3]).toArray(), []);
      assert.equal(zeros([3, 0]).toArray(), [[], [], []]);
      assert.equal(arange(4).toArray(), [0, 1, 2, 3]);
      assert.equal(arange(2, 5).toArray(), [2, 3, 4]);
      assert.equal(arange(1, 0, -0.25).toArray(), [1, 0.75, 0.5, 0.25]);
      assert.equal(arange(0, 1, 0.3).shape, [4]);
      assert.equal(arange(5, 5).shape, [0]);
      assert.equal(arange(5, 2).shape, [0]);
      assert.equal(linspace(0, 1, 5).toArray(), [0, 0.25, 0.5, 0.75, 1]);
      assert.equal(linspace(3, -1, 1).toArray(), [3]);
      assert.equal(linspace(0, 1, 0).shape, [0]);
      assert.is(linspace(0, 0.7, 11).slice([10]).item(), tensor(0.7).item());
      assert.equal(eye(2).toArray(), [
        [1, 0],
        [0, 1],
      ]);
      assert.equal(eye(2, 3).toArray(), [
        [1, 0, 0],
        [0, 1, 0],
      ]);
      assert.equal(eye(3, 1).toArray(), [[1], [0], [0]]);
    });

    test('arrays that are ragged, or of anything but numbers, are refused', () => {
      const bad = (values: unknown, error: typeof ShapeError | typeof ValueError, message: string) =>
        refused(() => tensor(values as number[]), error, message);
      bad([[1, 2], [3]], ShapeError, 'tensor: expected rows of equal length as in [2,2], got one of 1');
      bad([[1], 2], ShapeError, 'tensor: expected rows of equal depth as in [2,1], got 2');
      bad([1, [2]], ShapeError, 'tensor: expected rows of equal length as in [2], got one of 1');
      bad([[], [1]], ShapeError, 'tensor: expected rows of equal length as in [2,0], got one of 1');
      bad(['1'], ValueError, 'tensor: expected numbers, got string');
      bad([1, undefined], ValueError, 'tensor: expected numbers, got undefined');
      bad([[null]], ValueError, 'tensor: expected numbers, got null');
      bad('12', ValueError, 'tensor: expected numbers, got string');
      bad(undefined, ValueError, 'tensor: expected numbers, got undefined');
      bad({ length: 2 }, ValueError, 'tensor: expected numbers, got object');
      bad([1n], ValueError, 'tensor: expected numbers, got bigint');
      bad(BigInt64Array.of(1n), ValueError, 'tensor: expected a typed array of numbers, got BigInt64Array');
      refused(() => tensor([1, 2, 3], [2, 2]), ShapeError, 'tensor: expected 4 elements for [2,2], got 3');
      refused(
        () => tensor(new Float32Array(3), [2, 2]),
        ShapeError,
        'set: expected 4 elements for [2,2], got 3',
      );
      refused(() => full([2], '1' as unknown as number), ValueError, 'full: expected a number, got "1"');
    });

    test('invalid shapes are refused', () => {
      const whole = 'expected dimensions that are whole numbers >= 0, got';
      refused(() => zeros([2, -1]), ShapeError, `zeros: ${whole} [2,-1]`);
      refused(() => ones([1.5]), ShapeError, `ones: ${whole} [1.5]`);
      refused(() => empty([NaN]), ShapeError, `empty: ${whole} [NaN]`);
      refused(() => empty(['2'] as unknown as number[]), ShapeError, `empty: ${whole} [2]`);
      refused(
        () => zeros(3 as unknown as number[]),
        ShapeError,
        'zeros: expected a shape such as [2,3], got 3',
      );
      refused(() => tensor([1, 2], [-2, -1]), ShapeError, `tensor: ${whole} [-2,-1]`);
      refused(
        () => zeros([2 ** 20, 2 ** 11]),
        ShapeError,
        'zeros: expected at most 2^30 elements, got [1048576,2048]',
      );
      refused(() => eye(-1), ShapeError, /^eye: .* got \[-1,-1\]$/);
      refused(() => linspace(0, 1, -2), ShapeError, /^linspace: .* got \[-2\]$/);
      refused(() => linspace(0, 1, 1.5), ShapeError, /^linspace: /);
      refused(
        () => linspace(0, Infinity, 2),
        ValueError,
        'linspace: expected finite numbers, got 0 and Infinity',
      );
      refused(
        () => arange(0, 1, 0),
        ValueError,
        'arange: expected finite numbers and a step other than 0, got 0, 1, 0',
      );
      refused(() => arange(NaN), ValueError, /^arange: .* got 0, NaN, 1$/);
      refused(() => arange(1e12), ShapeError, /^arange: expected at most 2\^30 elements/);
    });
  }),
);

suite(
  'reading and printing',
  scoped((test) => {
    test('item gives the only element', () => {
      assert.is(tensor(2).item(), 2);
      assert.is(tensor([[[7]]]).item(), 7);
      refused(() => tensor([1, 2]).item(), ShapeError, 'item: expected one element, got shape [2]');
      refused(() => tensor([]).item(), ShapeError, 'item: expected one element, got shape [0]');
    });

    test('a tensor prints its shape and its elements, aligned, long axes cut', () => {
      assert.is(String(tensor(1.5)), 'tensor [] 1.500');
      assert.is(String(tensor([1, -2, 3])), 'tensor [3] [ 1, -2,  3]');
      assert.is(String(tensor([])), 'tensor [0] []');
      assert.is(
        String(
          tensor([
            [1, 0.5],
            [NaN, -Infinity],
          ]),
        ),
        'tensor [2,2] \n[[        1,    0.5000],\n [      NaN, -Infinity]]',
      );
      assert.is(String(arange(10)), 'tensor [10] [0, 1, 2, …, 7, 8, 9]');
      assert.is(String(tensor([1e9, 1e-9])), 'tensor [2] [1.000e+9, 1.000e-9]');
      assert.is(String(zeros([2, 1, 1])), 'tensor [2,1,1] \n[[[0]],\n [[0]]]');
      assert.is(inspect(tensor([1])), 'tensor [1] [1]');
      const gone = scope(() => tensor([1]));
      assert.is(String(gone), 'tensor [1] (released)');
    });

    test('set and copyFrom overwrite in place, and refuse another size', () => {
      const x = zeros([2, 2]);
      assert.is(x.set([1, 2, 3, 4]), x);
      assert.equal(x.toArray(), [
        [1, 2],
        [3, 4],
      ]);
      const y = zeros([2, 2]).copyFrom(x);
      x.set(new Float64Array(4));
      assert.equal(y.toArray(), [
        [1, 2],
        [3, 4],
      ]);
      refused(() => x.set([1]), ShapeError, 'set: expected 4 elements for [2,2], got 1');
      refused(() => x.copyFrom(zeros([4])), ShapeError, 'copyFrom: expected shape [2,2], got [4]');
    });
  }),
);

suite(
  'shape',
  scoped((test) => {
    const x = () => arange(24).reshape(2, 3, 4);

    test('reshape keeps the order, computes one dimension, and shares the memory', () => {
      assert.equal(arange(6).reshape(2, 3).toArray(), [
        [0, 1, 2],
        [3, 4, 5],
      ]);
      assert.equal(x().reshape(-1).shape, [24]);
      assert.equal(x().reshape([6, -1]).shape, [6, 4]);
      assert.equal(x().reshape(-1, 24, 1).shape, [1, 24, 1]);
      assert.equal(tensor([5]).reshape([]).toArray(), 5);
      assert.equal(tensor(5).reshape(1, 1).toArray(), [[5]]);
      assert.equal(zeros([0, 3]).reshape(3, 0).shape, [3, 0]);
      const base = zeros([4]);
      const view = base.reshape(2, 2);
      base.set([1, 2, 3, 4]);
      assert.equal(view.toArray(), [
        [1, 2],
        [3, 4],
      ]);
      refused(
        () => x().reshape(5, 5),
        ShapeError,
        'reshape: expected 24 elements as in [2,3,4], got shape [5,5]',
      );
      refused(() => x().reshape(-1, 5), ShapeError, 'reshape: expected 24 elements, got shape [-1,5]');
      refused(() => x().reshape(-1, -1), ShapeError, /^reshape: expected dimensions/);
      refused(() => x().reshape(-2, -12), ShapeError, /^reshape: expected dimensions/);
      refused(() => zeros([0]).reshape(-1, 0), ShapeError, 'reshape: expected 0 elements, got shape [-1,0]');
    });

    test('transpose reverses the axes, or puts them in a given order', () => {
      assert.equal(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ])
          .transpose()
          .toArray(),
        [
          [1, 4],
          [2, 5],
          [3, 6],
        ],
      );
      assert.equal(x().transpose().shape, [4, 3, 2]);
      const y = x().transpose(1, 0, 2);
      assert.equal(y.shape, [3, 2, 4]);
      assert.equal((y.toArray() as number[][][])[2]![1], [20, 21, 22, 23]);
      assert.equal(x().transpose(-1, 0, 1).shape, [4, 2, 3]);
      assert.equal(tensor(1).transpose().shape, []);
      refused(() => x().transpose(0, 1), ShapeError, 'transpose: expected each of 3 axes once, got [0,1]');
      refused(
        () => x().transpose(0, 0, 1),
        ShapeError,
        'transpose: expected each of 3 axes once, got [0,0,1]',
      );
      refused(() => x().transpose(0, 1, 3), ShapeError, 'transpose: expected an axis from -3 to 2, got 3');
    });

    test('slice returns a box; negative numbers count from the end', () => {
      assert.equal(arange(6).slice([2]).toArray(), [2, 3, 4, 5]);
      assert.equal(arange(6).slice([-2]).toArray(), [4, 5]);
      assert.equal(arange(6).slice([1], [-1]).toArray(), [1, 2, 3, 4]);
      assert.equal(arange(6).slice([], [2]).toArray(), [0, 1]);
      assert.equal(arange(6).slice([3], [3]).shape, [0]);
      assert.equal(x().slice([1, 0, -2], [2, 2]).toArray(), [
        [
          [14, 15],
          [18, 19],
        ],
      ]);
      assert.equal(x().slice([]).shape, [2, 3, 4]);
      refused(() => arange(6).slice([4], [2]), ShapeError, /^slice: expected .* got \[-2\]$/);
      refused(
        () => arange(6).slice([0], [7]),
        ShapeError,
        'slice: expected a box inside [6], got [7] from [0] on',
      );
      refused(
        () => arange(6).slice([-7]),
        ShapeError,
        'slice: expected a box inside [6], got [7] from [-1] on',
      );
      refused(() => arange(6).slice([0, 0]), ShapeError, 'slice: expected at most 1 axes, got [0,0] to []');
      refused(
        () => arange(6).slice([0.5], [1.5]),
        ShapeError,
        'slice: expected whole numbers, got [0.5] to [1.5]',
      );
    });

    test('cat joins tensors along an axis if the other axes are equal', () => {
      const a = tensor([
        [1, 2],
        [3, 4],
      ]);
      assert.equal(cat([a, tensor([[5, 6]])]).toArray(), [
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
      assert.equal(cat([a, tensor([[5], [6]]), a], -1).toArray(), [
        [1, 2, 5, 1, 2],
        [3, 4, 6, 3, 4],
      ]);
      assert.equal(cat([zeros([0, 2]), a]).toArray(), a.toArray());
      assert.equal(cat([a]).toArray(), a.toArray());
      refused(
        () => cat([a, zeros([1, 3])]),
        ShapeError,
        'cat: expected shapes equal but for axis 0, got [2,2] and [1,3]',
      );
      refused(() => cat([a, zeros([2])]), ShapeError, /^cat: .* got \[2,2\] and \[2\]$/);
      refused(() => cat([]), ShapeError, 'cat: expected at least one tensor, got none');
      refused(() => cat([tensor(1)]), ShapeError, 'cat: expected tensors of rank 1 or more, got a scalar');
      refused(() => cat([a], 2), ShapeError, 'cat: expected an axis from -2 to 1, got 2');
      refused(
        () => cat(a as unknown as Tensor[]),
        ValueError,
        'cat: expected an array of tensors, got a tensor [2,2]',
      );
    });

    test('broadcastTo repeats dimensions of 1 and adds some in front', () => {
      assert.equal(
        tensor([[1], [2]])
          .broadcastTo(2, 3)
          .toArray(),
        [
          [1, 1, 1],
          [2, 2, 2],
        ],
      );
      assert.equal(tensor([1, 2]).broadcastTo([2, 2]).toArray(), [
        [1, 2],
        [1, 2],
      ]);
      assert.equal(tensor(3).broadcastTo(2).toArray(), [3, 3]);
      assert.equal(tensor([1]).broadcastTo(0).shape, [0]);
      refused(
        () => tensor([1, 2]).broadcastTo(3),
        ShapeError,
        'broadcastTo: expected a shape that [2] broadcasts to, got [3]',
      );
      refused(() => tensor([[1]]).broadcastTo(1), ShapeError, /^broadcastTo: /);
    });

    test('transposes of random boxes agree with a loop over their elements', () => {
      const axis = fc.integer({ min: 0, max: 4 });
      fc.assert(
        fc.property(axis, axis, axis, fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (a, b, c, order) => {
          scope(() => {
            const dims = [a, b, c];
            const values = arange(a * b * c).reshape(dims);
            const at = (i: number[]) => (i[0]! * b + i[1]!) * c + i[2]!;
            const moved = values.transpose(...order);
            const expected: number[] = [];
            for (let p = 0; p < dims[order[0]!]!; p++)
              for (let q = 0; q < dims[order[1]!]!; q++)
                for (let r = 0; r < dims[order[2]!]!; r++) {
                  const index = [0, 0, 0];
                  for (const [i, value] of [p, q, r].entries()) index[order[i]!] = value;
                  expected.push(at(index));
                }
            assert.equal(Array.from(moved.toTypedArray()), expected);
          });
        }),
        { seed: 3, numRuns: 100 },
      );
    });
  }),
);

suite(
  'elementwise',
  scoped((test) => {
    test('operands are tensors or numbers, and broadcast as in NumPy', () => {
      const a = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      assert.equal(a.add(10).toArray(), [
        [11, 12, 13],
        [14, 15, 16],
      ]);
      // np.array([[1,2,3],[4,5,6]]) * np.array([10,20,30])
      assert.equal(a.mul(tensor([10, 20, 30])).toArray(), [
        [10, 40, 90],
        [40, 100, 180],
      ]);
      // a - np.array([[1],[2]])
      assert.equal(a.sub(tensor([[1], [2]])).toArray(), [
        [0, 1, 2],
        [2, 3, 4],
      ]);
      // np.array([[1],[2]]) / np.array([1, 2, 4]) is an outer quotient
      assert.equal(
        tensor([[1], [2]])
          .div(tensor([1, 2, 4]))
          .toArray(),
        [
          [1, 0.5, 0.25],
          [2, 1, 0.5],
        ],
      );
      // (2,1,2) + (3,1): each of two rows to each of three numbers
      assert.equal(
        tensor([[[0, 1]], [[2, 3]]])
          .add(tensor([[10], [20], [30]]))
          .toArray(),
        [
          [
            [10, 11],
            [20, 21],
            [30, 31],
          ],
          [
            [12, 13],
            [22, 23],
            [32, 33],
          ],
        ],
      );
      assert.equal(
        tensor(2)
          .mul(tensor([[1, 2]]))
          .toArray(),
        [[2, 4]],
      );
      assert.equal(
        tensor([[1, 2]])
          .maximum(tensor([[2], [1]]))
          .toArray(),
        [
          [2, 2],
          [1, 2],
        ],
      );
      assert.equal(tensor([1, 5, 3]).minimum(2).toArray(), [1, 2, 2]);
      assert.equal(zeros([0, 3]).add(tensor([1, 2, 3])).shape, [0, 3]);
      assert.equal(zeros([2, 1]).add(zeros([0])).shape, [2, 0]);
      refused(
        () => a.add(tensor([1, 2])),
        ShapeError,
        'add: expected shapes that broadcast, got [2,3] and [2]',
      );
      refused(() => zeros([2]).mul(zeros([0])), ShapeError, /^mul: .* got \[2\] and \[0\]$/);
      refused(
        () => a.sub('1' as unknown as number),
        ValueError,
        'sub: expected a tensor or a number, got "1"',
      );
      refused(
        () => a.pow(null as unknown as number),
        ValueError,
        'pow: expected a tensor or a number, got null',
      );
    });

    test('functions of one tensor', () => {
      const x = tensor([-1, 0, 2]);
      assert.equal(x.neg().add(0).toArray(), [1, 0, -2]);
      assert.equal(x.abs().toArray(), [1, 0, 2]);
      assert.equal(x.relu().toArray(), [0, 0, 2]);
      assert.equal(x.clamp(-0.5, 1).toArray(), [-0.5, 0, 1]);
      near(x.exp(), [Math.exp(-1), 1, Math.exp(2)]);
      near(tensor([1, Math.E, 10]).log(), [0, 1, Math.log(10)]);
      assert.equal(tensor([0, 4, 2.25]).sqrt().toArray(), [0, 2, 1.5]);
      near(x.sigmoid(), [1 / (1 + Math.E), 0.5, 1 / (1 + Math.exp(-2))]);
      near(x.tanh(), [Math.tanh(-1), 0, Math.tanh(2)]);
      near(x.silu(), [-1 / (1 + Math.E), 0, 2 / (1 + Math.exp(-2))]);
      near(x.sin(), [Math.sin(-1), 0, Math.sin(2)]);
      near(x.cos(), [Math.cos(-1), 1, Math.cos(2)]);
      near(x.erf(), [-0.8427007929497149, 0, 0.9953222650189527]);
      near(x.gelu(), [-0.15865525393145705, 0, 1.9544997361036416]);
      near(x.softplus(), [Math.log1p(Math.exp(-1)), Math.LN2, Math.log1p(Math.exp(2))]);
      near(x.leakyRelu(), [-0.01, 0, 2]);
      near(x.leakyRelu(0.25), [-0.25, 0, 2]);
      assert.equal(tensor([2, -2, 0.5]).pow(3).toArray(), [8, -8, 0.125]);
      refused(() => x.clamp(1, 0), ValueError, 'clamp: expected lo <= hi, got 1 and 0');
      refused(() => x.clamp(NaN, 0), ValueError, /^clamp: /);
      refused(() => x.leakyRelu(NaN), ValueError, 'leakyRelu: expected a finite slope, got NaN');
    });

    test('operators do not change their operands', () => {
      const x = tensor([1, 2, 3]);
      x.add(1).mul(x).exp().relu();
      x.sum();
      assert.equal(x.toArray(), [1, 2, 3]);
    });
  }),
);

suite(
  'reductions and products',
  scoped((test) => {
    test('sum, mean, max, min and prod go over all axes, or over those given', () => {
      const x = arange(24).reshape(2, 3, 4);
      assert.is(x.sum().item(), 276);
      assert.is(x.mean().item(), 11.5);
      assert.is(x.max().item(), 23);
      assert.equal(x.sum(0).toArray(), [
        [12, 14, 16, 18],
        [20, 22, 24, 26],
        [28, 30, 32, 34],
      ]);
      assert.equal(x.sum([0, 2]).toArray(), [60, 92, 124]);
      assert.equal(x.sum([2, 0]).toArray(), [60, 92, 124]);
      assert.equal(x.mean(-1).toArray(), [
        [1.5, 5.5, 9.5],
        [13.5, 17.5, 21.5],
      ]);
      assert.equal(x.max(1).toArray(), [
        [8, 9, 10, 11],
        [20, 21, 22, 23],
      ]);
      assert.is(x.min().item(), 0);
      assert.equal(x.min([0, 2]).toArray(), [0, 4, 8]);
      assert.ok(Number.isNaN(tensor([NaN, 1]).min().item()));
      assert.equal(x.prod(1).toArray(), [
        [0, 45, 120, 231],
        [3840, 4641, 5544, 6555],
      ]);
      assert.equal(x.max([1], { keepDims: true }).shape, [2, 1, 4]);
      assert.equal(x.sum(undefined, { keepDims: true }).shape, [1, 1, 1]);
      assert.equal(x.sum([]).toArray(), x.toArray());
      assert.is(tensor(3).max().item(), 3);
      assert.is(tensor([-Infinity, -3]).max().item(), -3);
      assert.ok(Number.isNaN(tensor([1, NaN, 3]).max().item()));
    });

    test('prod reduces adjacent axes and axes that are not adjacent', () => {
      const x = arange(24).add(1).div(4).reshape(2, 3, 4);
      const factor = (i: number, j: number, k: number) => (1 + 12 * i + 4 * j + k) / 4;
      const over = (...indices: [number, number, number][]) =>
        indices.reduce((product, index) => product * factor(...index), 1);
      const grid = (is: number[], js: number[], ks: number[]) =>
        is.flatMap((i) => js.flatMap((j) => ks.map((k) => [i, j, k] as [number, number, number])));
      const [is, js, ks] = [
        [0, 1],
        [0, 1, 2],
        [0, 1, 2, 3],
      ];
      const apart = js.map((j) => over(...grid(is, [j], ks)));
      const all = over(...grid(is, js, ks));
      near(x.prod([0, 2]).div(tensor(apart)), [1, 1, 1]);
      near(x.prod([2, 0], { keepDims: true }).reshape(3).div(tensor(apart)), [1, 1, 1]);
      near(x.prod([1, 2]).div(tensor(is.map((i) => over(...grid([i], js, ks))))), [1, 1]);
      near(x.prod().div(all), 1);
      assert.equal(x.prod([0, 2], { keepDims: true }).shape, [1, 3, 1]);
      assert.equal(x.prod(undefined, { keepDims: true }).shape, [1, 1, 1]);
      assert.equal(x.prod([]).toArray(), x.toArray());
      assert.is(tensor(3).prod().item(), 3);
    });

    test('an empty tensor has sum 0, product 1, no mean and no maximum', () => {
      assert.equal(zeros([0, 2]).prod(0).toArray(), [1, 1]);
      assert.is(zeros([0, 2]).prod().item(), 1);
      assert.equal(zeros([0, 2]).sum(0).toArray(), [0, 0]);
      assert.is(zeros([0]).sum().item(), 0);
      assert.ok(Number.isNaN(zeros([0]).mean().item()));
      assert.equal(zeros([2, 0]).sum(0).shape, [0]);
      refused(
        () => zeros([0, 2]).max(0),
        ShapeError,
        'max: expected at least one element along axes [0], got shape [0,2]',
      );
      refused(
        () => zeros([0]).min(),
        ShapeError,
        'min: expected at least one element along axes [0], got shape [0]',
      );
      assert.equal(zeros([0, 2]).max(1).shape, [0]);
    });

    test('invalid or repeated axes are refused', () => {
      const x = zeros([2, 3]);
      refused(() => x.sum(2), ShapeError, 'sum: expected an axis from -2 to 1, got 2');
      refused(() => x.mean([0, 0]), ShapeError, 'mean: expected distinct axes, got [0,0]');
      refused(() => x.max([1, -1]), ShapeError, 'max: expected distinct axes, got [1,-1]');
      refused(() => x.sum(0.5), ShapeError, 'sum: expected an axis from -2 to 1, got 0.5');
      refused(() => tensor(1).sum(0), ShapeError, 'sum: expected no axes for a scalar, got 0');
      refused(() => x.sum({ keepDims: true } as unknown as number), ShapeError, /^sum: expected an axis/);
    });

    test('matmul multiplies [m,k] by [k,n], stored directly or transposed', () => {
      const a = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const b = tensor([
        [1, 0],
        [0, 1],
        [2, -1],
      ]);
      const product = [
        [7, -1],
        [16, -1],
      ];
      assert.equal(a.matmul(b).toArray(), product);
      assert.equal(a.transpose().matmul(b, { aT: true }).toArray(), product);
      assert.equal(a.matmul(b.transpose(), { bT: true }).toArray(), product);
      assert.equal(a.transpose().matmul(b.transpose(), { aT: true, bT: true }).toArray(), product);
      assert.equal(
        zeros([2, 0])
          .matmul(zeros([0, 3]))
          .toArray(),
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
      );
      assert.equal(zeros([0, 2]).matmul(zeros([2, 3])).shape, [0, 3]);
      refused(
        () => zeros([32, 784]).matmul(zeros([512, 10])),
        ShapeError,
        'matmul: expected [m,k]·[k,n], got [32,784]·[512,10]',
      );
      refused(
        () => zeros([2, 3]).matmul(zeros([3, 2]), { bT: true }),
        ShapeError,
        'matmul: expected [m,k]·[n,k]ᵀ, got [2,3]·[3,2]',
      );
      refused(
        () => zeros([3]).matmul(zeros([2, 3])),
        ShapeError,
        'matmul: expected [m,k]·[k,n], got [1,3]·[2,3]',
      );
      refused(() => a.matmul(2 as unknown as Tensor), ValueError, 'matmul: expected a tensor, got 2');
    });

    test('linear is x·Wᵀ + b with its activation', () => {
      const x = tensor([[1, 2]]);
      const w = tensor([
        [1, 1],
        [-1, -1],
        [0.5, 0],
      ]);
      const b = tensor([0.5, 0.5, -1]);
      assert.equal(linear(x, w, b).toArray(), [[3.5, -2.5, -0.5]]);
      assert.equal(linear(x, w, null).toArray(), [[3, -3, 0.5]]);
      assert.equal(linear(x, w, b, 'relu').toArray(), [[3.5, 0, 0]]);
      near(linear(x, w, b, 'tanh'), [[Math.tanh(3.5), Math.tanh(-2.5), Math.tanh(-0.5)]]);
      refused(
        () => linear(x, zeros([2, 3]), null),
        ShapeError,
        'linear: expected x[m,in]·W[out,in]ᵀ, got [1,2]·[2,3]ᵀ',
      );
      refused(() => linear(x, w, zeros([2])), ShapeError, 'linear: expected a bias [3], got [2]');
    });

    test('mse is the mean of the squared differences', () => {
      assert.is(mse(tensor([1, 2, 3]), tensor([1, 4, 0])).item(), tensor(13 / 3).item());
      assert.ok(Number.isNaN(mse(zeros([0]), zeros([0])).item()));
      refused(
        () => mse(zeros([2]), zeros([2, 1])),
        ShapeError,
        'mse: expected equal shapes, got [2] and [2,1]',
      );
      refused(() => mse(zeros([]), 1 as unknown as Tensor), ValueError, 'mse: expected tensors, got number');
    });
  }),
);
