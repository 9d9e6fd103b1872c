/**
 * Matrix product, y[m,n] = op(a)·op(b): op(a) is [m,k] and op(b) [k,n], each stored so or transposed.
 * The GEMM packs its operands anyway, so that a transpose costs nothing, and the gradients are GEMMs too:
 * da = dy·op(b)ᵀ and db = op(a)ᵀ·dy, transposed back where the operand was.
 */
import { BATCH, defineOp } from '../autograd/op.ts';
import type { Shape } from '../autograd/variable.ts';
import type { Matrix } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';

/** Whether an operand is stored transposed. */
export interface Transposes {
  readonly aT: boolean;
  readonly bT: boolean;
}

const T = (x: Matrix): Matrix => ({ ptr: x.ptr, transposed: !x.transposed });

const sides = (shape: Shape, transposed: boolean): [number, number] =>
  transposed ? [shape[1], shape[0]] : [shape[0], shape[1]];

/** A pair of shapes, and how they are stored. */
const sample = (a: Shape, b: Shape, aT = false, bT = false) => ({ shapes: [a, b], attrs: { aT, bT } });

export const matmul = defineOp<Transposes>({
  name: 'matmul',
  shape([a, b], { aT, bT }) {
    const form = `${aT ? '[k,m]ᵀ' : '[m,k]'}·${bT ? '[n,k]ᵀ' : '[k,n]'}`;
    const wrong = () => new ShapeError(`matmul: expected ${form}, got [${a}]·[${b}]`);
    if (a.length !== 2 || b.length !== 2) throw wrong();
    const [m, k] = sides(a, aT);
    const [k2, n] = sides(b, bT);
    if (k !== k2) throw wrong();
    return [m, n];
  },
  forward(kernels, y, [a, b], { aT, bT }) {
    const [m, n] = y.shape;
    const k = sides(a.shape, aT)[1];
    const out = { ptr: y.ptr, accumulate: false };
    kernels.gemm({ m, n, k, a: { ptr: a.ptr, transposed: aT }, b: { ptr: b.ptr, transposed: bT }, out });
  },
  saves: [0, 1],
  multilinear: true,
  vjp(kernels, dy, y, [a, b], into, { aT, bT }) {
    const [m, n] = y.shape;
    const k = sides(a.shape, aT)[1];
    const A = { ptr: a.ptr, transposed: aT };
    const B = { ptr: b.ptr, transposed: bT };
    const dY = { ptr: dy.ptr, transposed: false };
    into(0, (out) =>
      aT
        ? kernels.gemm({ m: k, n: m, k: n, a: B, b: T(dY), out })
        : kernels.gemm({ m, n: k, k: n, a: dY, b: T(B), out }),
    );
    into(1, (out) =>
      bT
        ? kernels.gemm({ m: n, n: k, k: m, a: T(dY), b: A, out })
        : kernels.gemm({ m: k, n, k: m, a: T(A), b: dY, out }),
    );
  },
  samples: () => [
    sample([3, 4], [4, 5]),
    sample([3, 4], [5, 4], false, true),
    sample([4, 3], [4, 5], true),
    sample([4, 3], [5, 4], true, true),
    sample([1, 1], [1, 1]),
    sample([2, 0], [0, 3]),
    sample([0, 2], [2, 3]),
    sample([9, 7], [7, 17]),
  ],
  benchmark: { shapes: [BATCH, [784, 400]], attrs: { aT: false, bT: false } },
});
