/**
 * How each op of langevin is written with the operators of ONNX (opset 17). A network's export needs no more than a rule for
 * each op that its forward pass uses. Values are maps with the channels first wherever an operator needs it (graph.ts).
 *
 * Opset 17 has no GroupNormalization: the groups become the channels of an InstanceNormalization. A pixelShuffle is a
 * DepthToSpace in the order CRD, which is PyTorch's. Its inverse has no operator with this order, so it is a transposition.
 */
import { InternalError } from '../../errors.ts';
import type { Convolution } from '../../ops/conv2d.ts';
import type { FusedActivation } from '../../ops/epilogue.ts';
import type { GroupNormAttributes } from '../../ops/group-norm.ts';
import type { Axes } from '../../ops/reduce.ts';
import { attention } from './attention.ts';
import { AXIS_FIRST, type Graph, type Order, type Value } from './graph.ts';

/** What a rule gets: the inputs, the attributes of the op, and the shape of its result. */
export interface Call<A> {
  readonly xs: readonly Value[];
  readonly attrs: A;
  readonly shape: readonly number[];
  readonly batched: boolean;
}

/** Adds the nodes of one op. Returns the name of the result with its order of axes, or only a name for `last`. */
type Rule<A> = (g: Graph, call: Call<A>) => string | Pick<Value, Order | 'of'>;

const ACTIVATIONS = { relu: 'Relu', sigmoid: 'Sigmoid', tanh: 'Tanh' } as const;

const activated = (g: Graph, activation: FusedActivation, z: string) =>
  activation === 'none' ? z : g.node(ACTIVATIONS[activation], [z]);

const silu = (g: Graph, z: string) => g.node('Mul', [z, g.node('Sigmoid', [z])]);

/** x·Φ(x), with the normal distribution function Φ(x) = (1 + erf(x/√2))/2. */
function gelu(g: Graph, x: string): string {
  const erf = g.node('Erf', [g.node('Mul', [x, g.number(Math.SQRT1_2)])]);
  return g.node('Mul', [g.node('Mul', [x, g.number(0.5)]), g.node('Add', [erf, g.number(1)])]);
}

/** An op that computes each element by itself. */
const elementwise =
  (write: (g: Graph, ...xs: string[]) => string): Rule<unknown> =>
  (g, { xs, shape }) => {
    const order = g.orderOf(xs, shape.length);
    return { [order]: write(g, ...xs.map((x) => g.in(order, x))) };
  };

const operator = (op: string) => elementwise((g, ...xs) => g.node(op, xs));

function convolution(g: Graph, xs: readonly string[], attrs: Convolution, kernel: readonly number[]) {
  const { stride, padding, dilation, groups, activation } = attrs;
  const attributes = {
    ...{ kernel_shape: kernel, strides: stride, pads: [...padding, ...padding] },
    ...{ dilations: dilation, group: groups },
  };
  return { first: activated(g, activation, g.node('Conv', xs, attributes)) };
}

/** The names of x, W and perhaps the bias of a convolution. The bias has one axis. */
const operands = (g: Graph, [x, w, b]: readonly Value[]) => [
  ...[x, w].map((map) => g.in('first', map)),
  ...(b ? [g.in('last', b)] : []),
];

const conv2d: Rule<Convolution> = (g, { xs, attrs }) =>
  convolution(g, operands(g, xs), attrs, xs[1].shape.slice(1, 3));

const upsampleConv2d: Rule<{ readonly activation: FusedActivation }> = (g, { xs, attrs }) => {
  const [x, ...parameters] = operands(g, xs);
  const scales = g.constant({
    ...{ name: 'scales', type: 'float', shape: [4] },
    data: Float32Array.of(1, 1, 2, 2),
  });
  const larger = g.node('Resize', [x, '', scales], {
    ...{ mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
  });
  const square = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } as const;
  return convolution(g, [larger, ...parameters], { ...square, ...attrs }, [3, 3]);
};

const linear: Rule<{ readonly activation: FusedActivation }> = (g, { xs, attrs }) => {
  const rows = xs.map((x) => g.in('last', x));
  return activated(g, attrs.activation, g.node('Gemm', rows, { transB: 1 }));
};

const groupNorm: Rule<GroupNormAttributes> = (g, { xs, attrs, shape }) => {
  const [x, ...parameters] = xs;
  const { groups, eps } = attrs;
  const [, height, width, channels] = shape;
  const grouped = g.node('Reshape', [g.in('first', x), g.ints(0, groups, -1)]);
  const filled = (value: number) =>
    g.constant({
      ...{ name: `filled_${groups}_${value}`, type: 'float', shape: [groups] },
      data: new Float32Array(groups).fill(value),
    });
  const normal = g.node('InstanceNormalization', [grouped, filled(1), filled(0)], {
    epsilon: { float: eps },
  });
  let y = g.reshape(normal, [1, channels, height, width], true);
  const [weight, bias] = attrs.weight ? parameters : [undefined, parameters[0]];
  if (weight) y = g.node('Mul', [y, g.in('first', weight)]);
  if (bias) y = g.node('Add', [y, g.in('first', bias)]);
  return { first: attrs.silu ? silu(g, y) : y };
};

const pixelShuffle: Rule<{ readonly factor: number }> = (g, { xs, attrs: { factor } }) => ({
  first: g.node('DepthToSpace', [g.in('first', xs[0])], { blocksize: factor, mode: 'CRD' }),
});

const pixelUnshuffle: Rule<{ readonly factor: number }> = (g, { xs, attrs: { factor }, shape }) => {
  const [, height, width, deep] = shape;
  const channels = deep / factor ** 2;
  const split = g.reshape(g.in('first', xs[0]), [1, channels, height, factor, width, factor], true);
  const moved = g.node('Transpose', [split], { perm: [0, 1, 3, 5, 2, 4] });
  return { first: g.reshape(moved, [1, deep, height, width], true) };
};

/** A map of one place can have both orders without a transposition. */
const reshape: Rule<unknown> = (g, { xs: [x], shape, batched }) => {
  const of = x.of ?? x;
  const [, height, width, channels] = shape;
  if (shape.length === 4 && height * width === 1) {
    return { of, first: g.reshape(g.in('last', of), [1, channels, 1, 1], batched) };
  }
  return { of, last: g.reshape(g.in('last', of), shape, batched) };
};

const cat: Rule<{ readonly axis: number }> = (g, { xs, attrs: { axis }, shape }) => {
  const order = g.orderOf(xs, shape.length);
  const inputs = xs.map((x) => g.in(order, x));
  return { [order]: g.node('Concat', inputs, { axis: order === 'first' ? AXIS_FIRST[axis] : axis }) };
};

/** Only the axes that lose elements are cut. So the batch keeps its size. */
const slice: Rule<{ readonly begin: readonly number[]; readonly size: readonly number[] }> = (
  g,
  { xs: [x], attrs: { begin, size } },
) => {
  const order = g.orderOf([x], x.shape.length);
  const cut = begin.map((_, axis) => axis).filter((axis) => size[axis] !== x.shape[axis]);
  const inputs = [
    cut.map((axis) => begin[axis]),
    cut.map((axis) => begin[axis] + size[axis]),
    cut.map((axis) => (order === 'first' ? AXIS_FIRST[axis] : axis)),
  ];
  return { [order]: g.node('Slice', [g.in(order, x), ...inputs.map((list) => g.ints(...list))]) };
};

const mean: Rule<Axes> = (g, { xs: [x], attrs: { axes, keepDims } }) =>
  g.node('ReduceMean', [g.in('last', x)], { axes, keepdims: Number(keepDims) });

/** The second input is the row of each place. trace.ts adds it. */
const indexSelect: Rule<{ readonly axis: number }> = (g, { xs: [table, rows], attrs: { axis } }) =>
  g.node('Gather', [g.in('last', table), g.in('last', rows)], { axis });

// biome-ignore lint/suspicious/noExplicitAny: each op has attributes of its own type
const RULES: Readonly<Record<string, Rule<any>>> = {
  ...{ add: operator('Add'), sub: operator('Sub'), mul: operator('Mul'), div: operator('Div') },
  ...{ relu: operator('Relu'), sqrt: operator('Sqrt') },
  ...{ silu: elementwise(silu), gelu: elementwise(gelu) },
  ...{ linear, conv2d, upsampleConv2d, groupNorm, attention },
  ...{ pixelShuffle, pixelUnshuffle, reshape, cat, slice, mean, indexSelect },
};

/** Adds the nodes of an op to the graph. @throws InternalError for an op without a rule */
export function writeOp(g: Graph, op: string, call: Call<unknown>): Value {
  if (!Object.hasOwn(RULES, op)) throw new InternalError(`onnx: expected an op with a rule, got ${op}`);
  const written = RULES[op](g, call);
  const names = typeof written === 'string' ? { last: written } : written;
  return { shape: call.shape, batched: call.batched, ...names };
}
