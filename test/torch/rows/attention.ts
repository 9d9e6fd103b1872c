/** Attention of tokens [batch, tokens, channels]. In PyTorch the heads are before the tokens. */
import { MultiheadAttention, scaledDotProductAttention, type Tensor } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Row, row } from '../row.ts';

/**
 * Below this norm the error is absolute. The gradient of scores sums to 0 over the keys: it is 0 if there
 * is one key, and has cancellation if there are few.
 */
const FLOOR = 10;

function sizes(draw: Draw) {
  return {
    batch: draw.oneOf([1, 2, 7]),
    heads: draw.oneOf([1, 2, 4]),
    queries: draw.oneOf([1, 3, 8, 13, 49]),
    keys: draw.oneOf([1, 2, 5, 15, 49]),
    dim: draw.oneOf([1, 3, 5, 8]),
  };
}

/** A mask of a shape that broadcasts. Every query has the first key. */
function mask(draw: Draw, { batch, heads, queries, keys }: ReturnType<typeof sizes>) {
  const shape = draw.oneOf([
    [queries, keys],
    [1, keys],
    [heads, queries, keys],
    [batch, 1, 1, keys],
  ]);
  const { values } = draw.mixed(shape, [0, 1]);
  return { shape, values: values.map((x, i) => (i % keys === 0 ? 1 : x)), grad: false };
}

const apart = (names: string) =>
  names
    .split(' ')
    .map((name) => `apart(${name}, heads)`)
    .join(', ');

export const ATTENTION: readonly Row[] = [
  row({
    name: 'scaledDotProductAttention',
    bound: 3e-6,
    floor: FLOOR,
    draw: (draw) => {
      const given = sizes(draw);
      const { batch, heads, queries, keys, dim } = given;
      const isCausal = draw.chance(0.3);
      const shapes = [
        [batch, queries, heads * dim],
        [batch, keys, heads * dim],
        [batch, keys, heads * draw.oneOf([dim, 4])],
      ];
      const inputs = shapes.map((shape) => draw.tensor(shape, [-2, 2]));
      return {
        inputs: isCausal || draw.chance(0.4) ? inputs : [...inputs, mask(draw, given)],
        attributes: { heads, isCausal },
      };
    },
    langevin: ([q, k, v, mask = null], options) => scaledDotProductAttention(q, k, v, { mask, ...options }),
    torch: `lambda q, k, v, mask=None, *, heads, isCausal: together(F._scaled_dot_product_attention(${apart('q k v')},
      None if mask is None else mask.bool(), is_causal=isCausal)[0])`,
  }),
  row({
    name: 'scaledDotProductAttention with a bias',
    bound: 3e-6,
    floor: FLOOR,
    draw: (draw) => {
      const { batch, heads, queries, keys, dim } = sizes(draw);
      const x = (tokens: number) => draw.tensor([batch, tokens, heads * dim], [-2, 2]);
      const bias = draw.tensor(
        draw.oneOf([
          [queries, keys],
          [heads, queries, 1],
          [batch, 1, 1, keys],
        ]),
        [-3, 3],
      );
      return {
        inputs: [x(queries), x(keys), x(keys), bias],
        attributes: { heads, scale: draw.uniform(-0.5, 0.5) },
      };
    },
    langevin: ([q, k, v, bias], options) => scaledDotProductAttention(q, k, v, { bias, ...options }),
    torch: `lambda q, k, v, bias, *, heads, scale: together((scale * apart(q, heads) @ apart(k, heads).mT + bias)
      .softmax(-1) @ apart(v, heads))`,
  }),
  row({
    name: 'MultiheadAttention',
    bound: 3e-6,
    floor: FLOOR,
    draw: (draw) => {
      const { batch, heads, queries, keys, dim } = sizes(draw);
      const channels = heads * dim;
      const self = draw.chance(0.5);
      const x = (tokens: number) => draw.tensor([batch, tokens, channels], [-1, 1]);
      const parameters = [[3 * channels, channels], [3 * channels], [channels, channels], [channels]];
      const bias = draw.constant([queries, self ? queries : keys], [-2, 2]);
      return {
        inputs: [
          ...parameters.map((shape) => draw.tensor(shape, [-0.5, 0.5])),
          bias,
          ...(self ? [x(queries)] : [x(queries), x(keys), x(keys)]),
        ],
        attributes: { heads, channels },
      };
    },
    langevin: ([in_proj_weight, in_proj_bias, weight, outBias, bias, ...xs], { heads, channels }) => {
      const layer = new MultiheadAttention(channels, heads);
      Object.assign(layer, { in_proj_weight, in_proj_bias });
      Object.assign(layer.out_proj, { weight, bias: outBias });
      const [query, key = query, value = key]: Tensor[] = xs;
      return layer.forward(query, key, value, { bias });
    },
    torch: `lambda w, b, out_w, out_b, bias, *x, heads, channels: attend(
      nn.MultiheadAttention(channels, heads, batch_first=True), *(x * 3 if len(x) == 1 else x), attn_mask=bias,
      parameters={'in_proj_weight': w, 'in_proj_bias': b, 'out_proj.weight': out_w, 'out_proj.bias': out_b})`,
  }),
];
