/**
 * A dense layer as one op: y[m,out] = activation(x[m,in]·Wᵀ + b), with W stored [out,in] as in PyTorch. The GEMM
 * applies bias and activation before it stores its result. In the backward pass dz = dy·activation'(z). Then dW = dzᵀ·x
 * is added directly to the gradient, db is the sum of dz over the rows, and dx = dz·W is computed if x needs a
 * gradient.
 */
import { BATCH, defineOp } from '../autograd/op.ts';
import { stored, transposed } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import { epilogueGradient, type FusedActivation } from './epilogue.ts';

/** The inputs are x[m,in], W[out,in] and, if the layer has one, the bias b[out]. */
export const linear = defineOp<{ readonly activation: FusedActivation }>({
  name: 'linear',
  shape([x, w, b]) {
    if (x.length !== 2 || w.length !== 2 || x[1] !== w[1]) {
      throw new ShapeError(`linear: expected x[m,in]·W[out,in]ᵀ, got [${x}]·[${w}]ᵀ`);
    }
    if (b && (b.length !== 1 || b[0] !== w[0])) {
      throw new ShapeError(`linear: expected a bias [${w[0]}], got [${b}]`);
    }
    return [x[0], w[0]];
  },
  forward(k, y, [x, w, b], { activation }) {
    const [m, n] = y.shape;
    k.gemm({
      m,
      n,
      k: x.shape[1],
      a: stored(x.ptr),
      b: transposed(w.ptr),
      bias: b?.ptr ?? null,
      activation,
      out: { ptr: y.ptr, accumulate: false },
    });
  },
  saves: [0, 1, 'y'],
  multilinear: true,
  vjp(k, dy, y, [x, w, b], into, { activation }) {
    const [m, n] = y.shape;
    const inner = x.shape[1];
    const dz = epilogueGradient(k, activation, dy, y, b, into);
    into(1, (out) => k.gemm({ m: n, n: inner, k: m, a: transposed(dz), b: stored(x.ptr), out }));
    into(0, (out) => k.gemm({ m, n: inner, k: n, a: stored(dz), b: stored(w.ptr), out }));
  },
  benchmark: { shapes: [BATCH, [400, 784], [400]], attrs: { activation: 'relu' } },
  samples: () => [
    ...(['none', 'relu', 'sigmoid', 'tanh'] as const).map((activation) => ({
      shapes: [[3, 4], [5, 4], [5]],
      attrs: { activation },
    })),
    { shapes: [[9, 7], [13, 7], [13]], attrs: { activation: 'sigmoid' } },
    {
      shapes: [
        [2, 3],
        [4, 3],
      ],
      attrs: { activation: 'none' },
    },
    { shapes: [[0, 3], [4, 3], [4]], attrs: { activation: 'relu' } },
  ],
});
