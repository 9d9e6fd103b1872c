/**
 * A convolution of pictures as one op: y[b,h,w,out] = activation(x[b,height,width,in] * W[out,kh,kw,in/groups] + bias).
 * It is the cross-correlation that PyTorch calls conv2d, with the channels last.
 *
 * Bias and activation are applied before the kernel stores its result. In the backward pass dz = dy·activation'(z). dW
 * and dx each have a kernel, and the gradient of the bias is the sum of dz over all positions.
 */
import { defineOp } from '../autograd/op.ts';
import type { Shape } from '../autograd/variable.ts';
import { type ConvSizes, convPlaces } from '../backend/kernels.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { epilogueGradient, type FusedActivation } from './epilogue.ts';
import { checkPictures, checkSpan, checkTwo, type Two } from './pictures.ts';

export interface Convolution {
  readonly stride: Two;
  readonly padding: Two;
  readonly dilation: Two;
  readonly groups: number;
  readonly activation: FusedActivation;
}

/** The sizes of the convolution of x with w. */
export function sizesOf(x: Shape, w: Shape, { stride, padding, dilation, groups }: Convolution): ConvSizes {
  return {
    ...{ batch: x[0], height: x[1], width: x[2], inChannels: x[3] },
    ...{ outChannels: w[0], kernelHeight: w[1], kernelWidth: w[2], groups },
    ...{ strideHeight: stride[0], strideWidth: stride[1] },
    ...{ paddingHeight: padding[0], paddingWidth: padding[1] },
    ...{ dilationHeight: dilation[0], dilationWidth: dilation[1] },
  };
}

/** Throws unless the channels of x, the weights and the groups fit each other. */
function checkChannels(x: Shape, w: Shape, groups: number): void {
  const [from, to] = [x[3], w[0]];
  if (!Number.isInteger(groups) || groups < 1) {
    throw new ValueError(`conv2d: expected a whole number of groups >= 1, got ${groups}`);
  }
  if (from < 1 || to < 1) throw new ShapeError(`conv2d: expected channels >= 1, got ${from} -> ${to}`);
  if (from % groups > 0 || to % groups > 0) {
    throw new ShapeError(`conv2d: expected channels that ${groups} groups divide, got ${from} -> ${to}`);
  }
  if (w[3] !== from / groups) {
    const by = groups > 1 ? ` in ${groups} groups` : '';
    throw new ShapeError(
      `conv2d: expected weights [out,kh,kw,${from / groups}] for ${from} channels${by}, got [${w}]`,
    );
  }
}

/** Throws unless the kernel fits into the padded map. */
function checkMap(x: Shape, w: Shape, { padding, dilation }: Convolution): void {
  checkPictures('conv2d', x);
  const [kernelHeight, kernelWidth] = [w[1], w[2]];
  if (kernelHeight < 1 || kernelWidth < 1) {
    throw new ShapeError(`conv2d: expected a kernel of at least 1x1, got ${kernelHeight}x${kernelWidth}`);
  }
  const span = [dilation[0] * (kernelHeight - 1) + 1, dilation[1] * (kernelWidth - 1) + 1] as const;
  checkSpan('conv2d', x, padding, span);
}

/** The inputs are x, W and, if there is one, the bias [out]. */
export const conv2d = defineOp<Convolution>({
  name: 'conv2d',
  shape([x, w, b], attrs) {
    if (x.length !== 4 || w.length !== 4) {
      throw new ShapeError(
        `conv2d: expected x[batch,height,width,in] and weights [out,kh,kw,in], got [${x}] and [${w}]`,
      );
    }
    checkTwo('conv2d', 'stride', attrs.stride, 1);
    checkTwo('conv2d', 'padding', attrs.padding, 0);
    checkTwo('conv2d', 'dilation', attrs.dilation, 1);
    checkChannels(x, w, attrs.groups);
    checkMap(x, w, attrs);
    if (b && (b.length !== 1 || b[0] !== w[0])) {
      throw new ShapeError(`conv2d: expected a bias [${w[0]}], got [${b}]`);
    }
    return [x[0], ...convPlaces(sizesOf(x, w, attrs)), w[0]];
  },
  forward(k, y, [x, w, b], attrs) {
    k.conv2d({
      ...sizesOf(x.shape, w.shape, attrs),
      x: x.ptr,
      w: w.ptr,
      bias: b?.ptr ?? null,
      activation: attrs.activation,
      out: { ptr: y.ptr, accumulate: false },
    });
  },
  saves: [0, 1, 'y'],
  multilinear: true,
  vjp(k, dy, y, [x, w, b], into, attrs) {
    const sizes = sizesOf(x.shape, w.shape, attrs);
    const dz = epilogueGradient(k, attrs.activation, dy, y, b, into);
    into(1, (out) => k.conv2dWeightGradient({ ...sizes, x: x.ptr, dy: dz, out }));
    into(0, (out) => k.conv2dInputGradient({ ...sizes, dy: dz, w: w.ptr, out }));
  },
  benchmark: sample([4, 14, 14, 16], [16, 3, 3, 16], { padding: [1, 1] }, true),
  samples: () => [
    sample([2, 3, 5, 1], [1, 3, 3, 1], { padding: [1, 1] }, true),
    sample([1, 3, 5, 3], [5, 3, 3, 3], { padding: [1, 1], activation: 'relu' }, true),
    sample([7, 3, 5, 2], [9, 1, 1, 2], {}, true),
    sample([2, 4, 3, 2], [3, 1, 1, 2], { stride: [2, 2] }),
    sample([2, 5, 7, 2], [3, 3, 3, 2], { stride: [2, 2], padding: [1, 1], activation: 'tanh' }, true),
    sample([1, 7, 6, 1], [2, 2, 3, 1], { stride: [3, 1], dilation: [1, 2], padding: [0, 2] }),
    sample([1, 6, 6, 2], [2, 3, 2, 2], { stride: [4, 2], dilation: [2, 3], padding: [3, 1] }),
    sample([2, 4, 4, 4], [6, 3, 3, 2], { groups: 2, padding: [1, 0], activation: 'sigmoid' }, true),
    sample([1, 4, 5, 3], [3, 3, 3, 1], { groups: 3, stride: [2, 1], padding: [1, 1] }),
    sample([1, 1, 1, 1], [1, 3, 3, 1], { padding: [1, 1] }, true),
    sample([1, 2, 9, 1], [1, 1, 2, 1], { stride: [1, 5] }),
    sample([0, 3, 3, 2], [2, 3, 3, 2], {}, true),
  ],
});

function sample(x: Shape, w: Shape, given: Partial<Convolution> = {}, bias = false) {
  const attrs: Convolution = {
    ...{ stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1, activation: 'none' },
    ...given,
  };
  return { shapes: bias ? [x, w, [w[0]]] : [x, w], attrs };
}
