/**
 * Matrix products, y[...,m,n] = op(a)·op(b). op(a) is [...,m,k] and op(b) is [...,k,n]; each may be stored transposed.
 * The leading dimensions are a batch and broadcast as in NumPy. Without them it is one product. The GEMM packs its
 * operands in any case, so a transpose costs nothing. The gradients are products too: da = dy·op(b)ᵀ and db =
 * op(a)ᵀ·dy. If an operand is stored transposed, its gradient is too. If an operand was repeated by broadcasting, its
 * gradient is summed over the repetitions.
 */
import { BATCH, defineOp } from '../autograd/op.ts';
import type { Shape, Variable } from '../autograd/variable.ts';
import type { Kernels, Matrix, Target } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import { broadcastShape, broadcastStrides, forEachPlane, intoBroadcast } from './broadcast.ts';

/** Whether an operand is stored transposed. */
export interface Transposes {
  readonly aT: boolean;
  readonly bT: boolean;
}

/** A matrix, or a batch of matrices with its own batch shape. */
interface Operand extends Matrix {
  /** The leading dimensions. */
  readonly batch: Shape;
  /** The number of elements of one matrix. */
  readonly size: number;
}

/** The sizes of a product. */
interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const T = (x: Operand): Operand => ({ ...x, transposed: !x.transposed });

/** Rows and columns of op(x). */
const sides = (shape: Shape, transposed: boolean): [number, number] => {
  const [rows, cols] = shape.slice(-2);
  return transposed ? [cols, rows] : [rows, cols];
};

/** The matrices at `ptr` of an array of that shape. */
function operand(ptr: number, shape: Shape, transposed = false): Operand {
  const [rows, cols] = shape.slice(-2);
  return { ptr, transposed, batch: shape.slice(0, -2), size: rows * cols };
}

/** Element strides of a batch of matrices that is read as one of shape `to`. */
const stepsOf = ({ batch, size }: Operand, to: Shape): number[] =>
  broadcastStrides(batch, to).map((stride) => stride * size);

/** out[batch...] = [out +] a·b of each pair of matrices; `out` is dense. */
function products(
  kernels: Kernels,
  y: Variable,
  sizes: Sizes,
  a: Operand,
  b: Operand,
  { ptr, accumulate }: Target,
): void {
  const batch = y.shape.slice(0, -2);
  if (batch.length === 0) return kernels.gemm({ ...sizes, a, b, out: { ptr, accumulate } });
  const all = { batch, size: sizes.m * sizes.n };
  const operands = [a, b, { ...all, ptr, transposed: false }].map((x) => ({
    ptr: x.ptr,
    strides: stepsOf(x, batch),
  }));
  forEachPlane(y.backend, batch, operands, ([p, q, out], rows, cols) => {
    const bytes = y.backend.elementBytes;
    for (let i = 0; i < rows; i++) {
      kernels.gemmBatch({
        ...sizes,
        batch: cols,
        a: { ptr: p.ptr + i * p.row * bytes, transposed: a.transposed },
        b: { ptr: q.ptr + i * q.row * bytes, transposed: b.transposed },
        out: { ptr: out.ptr + i * out.row * bytes, accumulate },
        aStep: p.col,
        bStep: q.col,
        outStep: out.col,
      });
    }
  });
}

/** A pair of shapes, and how they are stored. */
const sample = (a: Shape, b: Shape, aT = false, bT = false) => ({ shapes: [a, b], attrs: { aT, bT } });

export const matmul = defineOp<Transposes>({
  name: 'matmul',
  shape([a, b], { aT, bT }) {
    const batch = a.length > 2 || b.length > 2 ? '...,' : '';
    const form = `[${batch}${aT ? 'k,m]ᵀ' : 'm,k]'}·[${batch}${bT ? 'n,k]ᵀ' : 'k,n]'}`;
    const wrong = () => new ShapeError(`matmul: expected ${form}, got [${a}]·[${b}]`);
    if (a.length < 2 || b.length < 2) throw wrong();
    const [m, k] = sides(a, aT);
    const [k2, n] = sides(b, bT);
    if (k !== k2) throw wrong();
    return [...broadcastShape('matmul', a.slice(0, -2), b.slice(0, -2)), m, n];
  },
  forward(kernels, y, [a, b], { aT, bT }) {
    const [m, n] = y.shape.slice(-2);
    const sizes = { m, n, k: sides(a.shape, aT)[1] };
    const [A, B] = [operand(a.ptr, a.shape, aT), operand(b.ptr, b.shape, bT)];
    products(kernels, y, sizes, A, B, { ptr: y.ptr, accumulate: false });
  },
  saves: [0, 1],
  multilinear: true,
  vjp(kernels, dy, y, [a, b], into, { aT, bT }) {
    const [m, n] = y.shape.slice(-2);
    const k = sides(a.shape, aT)[1];
    const A = operand(a.ptr, a.shape, aT);
    const B = operand(b.ptr, b.shape, bT);
    const dY = operand(dy.ptr, dy.shape);
    const batch = y.shape.slice(0, -2);
    intoBroadcast(into, 0, a, [...batch, ...a.shape.slice(-2)], (out) =>
      aT
        ? products(kernels, y, { m: k, n: m, k: n }, B, T(dY), out)
        : products(kernels, y, { m, n: k, k: n }, dY, T(B), out),
    );
    intoBroadcast(into, 1, b, [...batch, ...b.shape.slice(-2)], (out) =>
      bT
        ? products(kernels, y, { m: n, n: k, k: m }, T(dY), A, out)
        : products(kernels, y, { m: k, n, k: m }, T(A), dY, out),
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
    sample([3, 2, 4], [3, 4, 5]),
    sample([3, 4, 2], [5, 4], true, true),
    sample([2, 3], [2, 3, 4]),
    sample([2, 1, 3, 2], [3, 2, 4]),
    sample([2, 3, 2, 1], [1, 3, 1, 2], true, true),
    sample([0, 2, 3], [3, 2]),
  ],
  benchmark: { shapes: [BATCH, [784, 400]], attrs: { aT: false, bT: false } },
});
