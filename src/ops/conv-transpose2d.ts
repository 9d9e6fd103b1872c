/**
 * A transposed convolution of pictures as one op: PyTorch's conv_transpose2d with the channels last. Each pixel of
 * x[b,h,w,in] is multiplied by the kernel W[in,kh,kw,out/groups] and added to the result, at places `stride` pixels
 * apart.
 *
 * The op equals the gradient to the input of a convolution from y to x, so it uses that kernel (assembly/conv/). Its
 * own gradient to x is that convolution, applied to dy. Its gradient to W is the convolution's, with x in place of its
 * dy. Bias and activation are applied before the kernel stores its result.
 */
import { defineOp } from '../autograd/op.ts';
import type { Shape } from '../autograd/variable.ts';
import type { ConvSizes } from '../backend/kernels.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { type Convolution, sizesOf } from './conv2d.ts';
import { epilogueGradient } from './epilogue.ts';
import { checkPictures, checkTwo, type Two } from './pictures.ts';

export interface TransposedConvolution extends Convolution {
  /** Rows that are added at the bottom, and columns that are added at the right. */
  readonly outputPadding: Two;
}

const OP = 'convTranspose2d';

/** The shape of y. */
function shapeOf(x: Shape, w: Shape, attrs: TransposedConvolution): Shape {
  const { stride, padding, dilation, outputPadding, groups } = attrs;
  const side = (i: 0 | 1) =>
    (x[i + 1] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (w[i + 1] - 1) + outputPadding[i] + 1;
  return [x[0], side(0), side(1), w[3] * groups];
}

/** The convolution from y to x. */
const convolution = (x: Shape, w: Shape, attrs: TransposedConvolution): ConvSizes =>
  sizesOf(shapeOf(x, w, attrs), w, attrs);

function check(x: Shape, w: Shape, attrs: TransposedConvolution): void {
  const { groups, stride, outputPadding } = attrs;
  checkPictures(OP, x);
  if (w.length !== 4) throw new ShapeError(`${OP}: expected weights [in,kh,kw,out/groups], got [${w}]`);
  checkTwo(OP, 'stride', stride, 1);
  checkTwo(OP, 'padding', attrs.padding, 0);
  checkTwo(OP, 'dilation', attrs.dilation, 1);
  checkTwo(OP, 'outputPadding', outputPadding, 0);
  if (outputPadding.some((n, i) => n >= stride[i])) {
    throw new ValueError(
      `${OP}: expected an outputPadding below the stride ${stride[0]} and ${stride[1]}, got ${outputPadding[0]} and ${outputPadding[1]}`,
    );
  }
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ValueError(`${OP}: expected a whole number of groups >= 1, got ${groups}`);
  }
  if (w[0] !== x[3] || w.includes(0) || w[0] % groups > 0) {
    const by = groups > 1 ? ` in ${groups} groups` : '';
    throw new ShapeError(
      `${OP}: expected weights [${x[3]},kh,kw,out/groups] for ${x[3]} channels${by}, got [${w}]`,
    );
  }
}

/** The inputs are x, W and, if there is one, the bias [out]. */
export const convTranspose2d = defineOp<TransposedConvolution>({
  name: OP,
  shape([x, w, b], attrs) {
    check(x, w, attrs);
    const y = shapeOf(x, w, attrs);
    if (y[1] < 1 || y[2] < 1) {
      throw new ShapeError(`${OP}: expected a result of at least 1x1, got ${y[1]}x${y[2]}`);
    }
    if (b && (b.length !== 1 || b[0] !== y[3])) {
      throw new ShapeError(`${OP}: expected a bias [${y[3]}], got [${b}]`);
    }
    return y;
  },
  forward(k, y, [x, w, b], attrs) {
    k.conv2dInputGradient({
      ...convolution(x.shape, w.shape, attrs),
      dy: x.ptr,
      w: w.ptr,
      bias: b?.ptr ?? null,
      activation: attrs.activation,
      out: { ptr: y.ptr, accumulate: false },
    });
  },
  saves: [0, 1, 'y'],
  multilinear: true,
  vjp(k, dy, y, [x, w, b], into, attrs) {
    const sizes = convolution(x.shape, w.shape, attrs);
    const dz = epilogueGradient(k, attrs.activation, dy, y, b, into);
    into(1, (out) => k.conv2dWeightGradient({ ...sizes, x: dz, dy: x.ptr, out }));
    into(0, (out) => k.conv2d({ ...sizes, x: dz, w: w.ptr, out }));
  },
  benchmark: sample([4, 7, 7, 16], [16, 4, 4, 16], { stride: [2, 2], padding: [1, 1] }, true),
  samples: () => [
    sample([1, 3, 5, 1], [1, 3, 3, 1], {}, true),
    sample([7, 3, 5, 2], [2, 2, 2, 3], { stride: [2, 2], activation: 'tanh' }, true),
    sample([2, 2, 3, 3], [3, 3, 2, 5], { stride: [3, 2], padding: [1, 0], outputPadding: [2, 1] }, true),
    sample([1, 4, 3, 4], [4, 3, 3, 2], { groups: 2, dilation: [2, 1], padding: [2, 1] }, true),
    sample([2, 3, 2, 3], [3, 1, 3, 1], { groups: 3, stride: [2, 1], activation: 'relu' }),
    sample([2, 3, 3, 5], [5, 1, 1, 4], { activation: 'sigmoid' }, true),
    sample([1, 1, 2, 1], [1, 1, 1, 1], { stride: [3, 3] }, true),
    sample([0, 2, 2, 2], [2, 2, 2, 3], {}, true),
  ],
});

function sample(x: Shape, w: Shape, given: Partial<TransposedConvolution> = {}, bias = false) {
  const attrs: TransposedConvolution = {
    ...{ stride: [1, 1], padding: [0, 0], dilation: [1, 1], outputPadding: [0, 0], groups: 1 },
    activation: 'none',
    ...given,
  };
  return { shapes: bias ? [x, w, [w[3] * attrs.groups]] : [x, w], attrs };
}
