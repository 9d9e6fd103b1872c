/**
 * Attention as a function and as a layer, compared with attention made of products and a softmax. Names and initial
 * values are PyTorch's. Gradients are compared with finite differences. Mistakes are refused.
 */
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/autograd/gradcheck.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { MultiheadAttention } from '../src/nn/attention.ts';
import { summary } from '../src/nn/summary.ts';
import { Rng } from '../src/random/rng.ts';
import { type AttentionOptions, scaledDotProductAttention } from '../src/tensor/attention.ts';
import { full, tensor, zeros } from '../src/tensor/create.ts';
import { linear, where } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { near, onBackend, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const rng = new Rng(32);

/** Attention by the formula in PyTorch's documentation. */
function plain(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { heads = 1, mask, bias, scale, isCausal } = options;
  // [batch, heads, tokens, channels of a head]
  const apart = (x: Tensor) =>
    x.reshape(x.shape[0], x.shape[1], heads, x.shape[2] / heads).transpose(0, 2, 1, 3);
  const factor = scale ?? 1 / Math.sqrt(q.shape[2] / heads);
  let s = apart(q).matmul(apart(k), { bT: true }).mul(factor);
  if (bias) s = s.add(bias);
  if (mask) s = where(mask, s, -Infinity);
  if (isCausal) s = where(full([q.shape[1], k.shape[1]], 1).tril(), s, -Infinity);
  const y = s.softmax().matmul(apart(v));
  return y.transpose(0, 2, 1, 3).reshape(q.shape[0], q.shape[1], v.shape[2]);
}

/** A mask of zeros and ones in which each query has its first key. */
const someKeys = (shape: number[]) => {
  const mask = rng.uniform(shape).gt(0.5);
  const first = full(shape, 1).cumsum(-1).le(1);
  return mask.maximum(first);
};

const tokens = (batch: number, n: number, channels: number) => rng.normal([batch, n, channels]);

suite(
  'attention',
  scoped((test) => {
    test('attention is softmax(scale·q·kᵀ)·v in each head, for self and cross attention', () => {
      const [q, k, v] = [tokens(2, 15, 12), tokens(2, 15, 12), tokens(2, 15, 12)];
      for (const heads of [1, 3, 4, 12]) {
        near(scaledDotProductAttention(q, k, v, { heads }), plain(q, k, v, { heads }).toArray(), 3e-6);
      }
      const [more, values] = [tokens(2, 7, 12), tokens(2, 7, 8)];
      const options = { heads: 2, scale: 0.3 };
      near(
        scaledDotProductAttention(q, more, values, options),
        plain(q, more, values, options).toArray(),
        3e-6,
      );
      // Over one token every weight is 1.
      near(
        scaledDotProductAttention(q, k.slice([0, 0], [2, 1]), v.slice([0, 0], [2, 1])),
        v.slice([0, 0], [2, 1]).broadcastTo(2, 15, 12).toArray(),
      );
    });

    test('a mask, a bias and causal attention act alone and together, and broadcast', () => {
      const [q, k, v] = [tokens(3, 5, 6), tokens(3, 9, 6), tokens(3, 9, 6)];
      for (const shape of [[9], [5, 9], [1, 9], [2, 5, 9], [2, 1, 9], [3, 1, 1, 9], [3, 2, 5, 9]]) {
        const [mask, bias] = [someKeys(shape), rng.normal(shape)];
        for (const options of [{ mask }, { bias }, { mask, bias }, { bias, isCausal: true }]) {
          const all = { ...options, heads: 2 };
          near(scaledDotProductAttention(q, k, v, all), plain(q, k, v, all).toArray(), 3e-6);
        }
      }
      // The same number for all keys: as a bias it changes nothing.
      const column = rng.normal([5, 1]);
      near(scaledDotProductAttention(q, k, v, { bias: column }), plain(q, k, v).toArray(), 3e-6);
      near(scaledDotProductAttention(q, k, v, { bias: tensor(2) }), plain(q, k, v).toArray(), 3e-6);
    });

    test('a query without keys gets zeros and no gradient', () => {
      const [q, k, v] = [tokens(1, 2, 3), tokens(1, 4, 3), tokens(1, 4, 3)].map((x) => x.requireGrad());
      const mask = tensor([
        [0, 0, 0, 0],
        [1, 0, 1, 1],
      ]);
      const y = scaledDotProductAttention(q, k, v, { mask });
      assert.equal(y.slice([0, 0], [1, 1]).toArray(), [[[0, 0, 0]]]);
      y.sum().backward();
      assert.equal((q.grad as Tensor).slice([0, 0], [1, 1]).toArray(), [[[0, 0, 0]]]);
      // The second key is masked for both queries.
      assert.equal((v.grad as Tensor).slice([0, 1], [1, 2]).toArray(), [[[0, 0, 0]]]);
    });

    test('gradients are the derivatives, also of a bias, and of one tensor that is query, key and value', () => {
      const right = (f: (...xs: Tensor[]) => Tensor, ...shapes: number[][]) => {
        const error = onBackend('reference', () =>
          gradcheck(
            f,
            shapes.map((shape) => rng.normal(shape)),
          ),
        );
        assert.ok(error <= 1e-6, `relative error ${error}`);
      };
      right((x) => scaledDotProductAttention(x, x, x, { heads: 2 }), [2, 5, 4]);
      right((x, y) => scaledDotProductAttention(x, y, y, { isCausal: true }), [1, 6, 3], [1, 4, 3]);
      const mask = [1, 1, 0, 1, 1, 1, 0, 0, 1];
      right(
        (q, k, v, bias) => scaledDotProductAttention(q, k, v, { bias, mask: tensor(mask, [3, 3]) }),
        ...[
          [2, 3, 2],
          [2, 3, 2],
          [2, 3, 2],
          [2, 1, 1, 3],
        ],
      );
    });

    test('one tensor as query, key and value has the sum of their gradients', () => {
      const x = tokens(2, 300, 2).requireGrad();
      const dy = tokens(2, 300, 2);
      scaledDotProductAttention(x, x, x).backward(dy);
      const copies = [0, 1, 2].map(() => x.detach().requireGrad());
      scaledDotProductAttention(copies[0], copies[1], copies[2]).backward(dy);
      const [a, b, c] = copies.map((copy) => copy.grad as Tensor);
      near(x.grad as Tensor, a.add(b).add(c).toArray(), 1e-5);
    });

    test('MultiheadAttention has PyTorch’s parameters and initial values', () => {
      const names = (layer: MultiheadAttention) =>
        layer.namedParameters().map(([name, p]) => `${name} [${p.shape}]`);
      const layer = new MultiheadAttention(8, 2, { rng: new Rng(1) });
      assert.equal(names(layer).sort(), [
        ...['in_proj_bias [24]', 'in_proj_weight [24,8]', 'out_proj.bias [8]', 'out_proj.weight [8,8]'],
      ]);
      const largest = (x: Tensor) => x.abs().max().item();
      assert.equal([layer.in_proj_bias!, layer.out_proj.bias!].map(largest), [0, 0]);
      const bound = Math.sqrt(6 / 32);
      assert.ok(largest(layer.in_proj_weight!) <= bound && largest(layer.in_proj_weight!) > 0.9 * bound);
      assert.equal(names(new MultiheadAttention(4, 1, { bias: false })).sort(), [
        ...['in_proj_weight [12,4]', 'out_proj.weight [4,4]'],
      ]);
      assert.equal(names(new MultiheadAttention(4, 1, { kdim: 3, vdim: 5, bias: false })).sort(), [
        ...['k_proj_weight [4,3]', 'out_proj.weight [4,4]', 'q_proj_weight [4,4]', 'v_proj_weight [4,5]'],
      ]);
    });

    test('MultiheadAttention projects, attends and projects back, and self attention equals attention to a copy', () => {
      const layer = new MultiheadAttention(6, 3, { rng });
      layer.in_proj_bias!.copyFrom(rng.normal([18]));
      const [x, other] = [tokens(2, 5, 6), tokens(2, 4, 6)];
      const [wq, wk, wv] = layer.in_proj_weight!.split(6);
      const [bq, bk, bv] = layer.in_proj_bias!.split(6);
      const by = (key: Tensor, value: Tensor, options: AttentionOptions = {}) => {
        const [k, v] = [linear(key, wk, bk), linear(value, wv, bv)];
        return layer.out_proj.forward(plain(linear(x, wq, bq), k, v, { heads: 3, ...options })).toArray();
      };
      near(layer.forward(x), by(x, x), 3e-6);
      near(layer.forward(x, x.clone()), by(x, x), 3e-6);
      near(layer.forward(x, other), by(other, other), 3e-6);
      const values = tokens(2, 4, 6);
      near(layer.forward(x, other, values), by(other, values), 3e-6);
      const mask = someKeys([2, 1, 1, 5]);
      near(layer.forward(x, x, x, { mask, isCausal: true }), by(x, x, { mask, isCausal: true }), 3e-6);
      const cross = new MultiheadAttention(6, 2, { kdim: 3, vdim: 4, rng });
      assert.equal(cross.forward(x, tokens(2, 7, 3), tokens(2, 7, 4)).shape, [2, 5, 6]);
    });

    test('summary counts the products of attention', () => {
      const [b, n, channels] = [3, 10, 8];
      const result = summary(new MultiheadAttention(channels, 2), [b, n, channels]);
      const projections = 2 * b * n * channels * channels;
      const own = 3 * projections + 4 * b * n * n * channels;
      assert.is(result.flop, own + projections);
      assert.is(result.rows.find(({ name }) => name === '')!.flop, own);
    });

    test('shapes that do not fit, and a mask of another size, are refused in one line', () => {
      const x = zeros([2, 5, 6]);
      const no = (
        f: () => unknown,
        message: string,
        error: typeof ShapeError | typeof ValueError = ShapeError,
      ) => refused(f, error, message);
      const attend = scaledDotProductAttention;
      no(
        () => attend(x, x, x, { heads: 4 }),
        'scaledDotProductAttention: expected channels that 4 heads divide, got 6',
      );
      no(
        () => attend(x, x, x, { heads: 0 }),
        'scaledDotProductAttention: expected a number of heads >= 1, got 0',
        ValueError,
      );
      no(
        () => attend(x, x, x, { scale: Number.NaN }),
        'scaledDotProductAttention: expected a finite scale, got NaN',
        ValueError,
      );
      no(
        () => attend(zeros([5, 6]), x, x),
        'scaledDotProductAttention: expected queries, keys and values [batch, tokens, channels], got [5,6], [2,5,6] and [2,5,6]',
      );
      no(
        () => attend(x, zeros([2, 5, 3]), x),
        'scaledDotProductAttention: expected keys [2, tokens, 6], got [2,5,3]',
      );
      no(
        () => attend(x, x, zeros([2, 4, 6])),
        'scaledDotProductAttention: expected values [2, 5, channels], got [2,4,6]',
      );
      for (const shape of [[4], [5, 4], [3, 5, 5], [3, 1, 5, 5], [1, 2, 1, 5, 5]]) {
        no(
          () => attend(x, x, x, { heads: 2, mask: zeros(shape) }),
          `scaledDotProductAttention: expected a mask that broadcasts to [2,2,5,5], got [${shape}]`,
        );
      }
      no(
        () => new MultiheadAttention(6, 4),
        'MultiheadAttention: expected channels that 4 heads divide, got 6',
        ValueError,
      );
      no(
        () => new MultiheadAttention(6, 2).forward(zeros([2, 5, 4])),
        'MultiheadAttention: expected a query [batch, tokens, 6], got shape [2,5,4]',
      );
    });
  }),
);
