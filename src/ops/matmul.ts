/**
 * Matrix product, y[m,n] = op(a)·op(b): op(a) is [m,k] and op(b) [k,n], each stored so or transposed.
 * The GEMM packs its operands anyway, so that a transpose costs nothing, and the gradients are GEMMs too:
 * da = dy·op(b)ᵀ and db = op(a)ᵀ·dy, transposed back where the operand was.
 */
import { BATCH, defineOp } from '../autograd/op.ts';
import type { Shape } from '../autograd/variable.ts';
import { ShapeError } from '../errors.ts';

/** Whether an operand is stored transposed. */
export interface Transposes {
  readonly aT: boolean;
  readonly bT: boolean;
}

const sides = (shape: Shape, transposed: boolean): [number, number] =>
  transposed ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];

export const matmul = defineOp<Transposes>({
  name: 'matmul',
  shape([a, b], { aT, bT }) {
    const form = `${aT ? '[k,m]ᵀ' : '[m,k]'}·${bT ? '[n,k]ᵀ' : '[k,n]'}`;
    const wrong = () => new ShapeError(`matmul: expected ${form}, got [${a}]·[${b}]`);
    if (a!.length !== 2 || b!.length !== 2) throw wrong();
    const [m, k] = sides(a!, aT);
    const [k2, n] = sides(b!, bT);
    if (k !== k2) throw wrong();
    return [m, n];
  },
  forward(k, y, [a, b], { aT, bT }) {
    const [m, n] = y.shape as [number, number];
    k.gemm(m, n, sides(a!.shape, aT)[1], a!.ptr, aT, b!.ptr, bT, y.ptr, false);
  },
  vjp(k, dy, y, [a, b], into, { aT, bT }) {
    const [m, n] = y.shape as [number, number];
    const inner = sides(a!.shape, aT)[1];
    into(0, (da, accumulate) =>
      aT
        ? k.gemm(inner, m, n, b!.ptr, bT, dy.ptr, true, da, accumulate)
        : k.gemm(m, inner, n, dy.ptr, false, b!.ptr, !bT, da, accumulate),
    );
    into(1, (db, accumulate) =>
      bT
        ? k.gemm(n, inner, m, dy.ptr, true, a!.ptr, aT, db, accumulate)
        : k.gemm(inner, n, m, a!.ptr, !aT, dy.ptr, false, db, accumulate),
    );
  },
  samples: () => [
    {
      shapes: [
        [3, 4],
        [4, 5],
      ],
      attrs: { aT: false, bT: false },
    },
    {
      shapes: [
        [3, 4],
        [5, 4],
      ],
      attrs: { aT: false, bT: true },
    },
    {
      shapes: [
        [4, 3],
        [4, 5],
      ],
      attrs: { aT: true, bT: false },
    },
    {
      shapes: [
        [4, 3],
        [5, 4],
      ],
      attrs: { aT: true, bT: true },
    },
    {
      shapes: [
        [1, 1],
        [1, 1],
      ],
      attrs: { aT: false, bT: false },
    },
    {
      shapes: [
        [2, 0],
        [0, 3],
      ],
      attrs: { aT: false, bT: false },
    },
    {
      shapes: [
        [0, 2],
        [2, 3],
      ],
      attrs: { aT: false, bT: false },
    },
    {
      shapes: [
        [9, 7],
        [7, 17],
      ],
      attrs: { aT: false, bT: false },
    },
  ],
  benchmark: { shapes: [BATCH, [784, 400]], attrs: { aT: false, bT: false } },
});
