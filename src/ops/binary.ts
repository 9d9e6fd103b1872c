/**
 * Elementwise functions of two tensors with NumPy's broadcasting, y = f(a, b), and their two derivatives. If an operand
 * was repeated, its gradient is summed over the repetitions. Functions and derivatives are defined in
 * backend/formulas.ts, and each becomes an op here. A derivative that is dy or -dy is passed on as a copy.
 */
import { BATCH, defineConstantOp, defineOp, type GradSink, type OpDef } from '../autograd/op.ts';
import type { Shape, Variable } from '../autograd/variable.ts';
import { BINARY_FORMULAS, type BinaryFormula, COMPARISONS } from '../backend/formulas.ts';
import {
  type Binary,
  type ComparisonName,
  copyArray,
  DIFFERENTIABLE,
  type DifferentiableName,
  type Kernels,
  type NonlinearName,
  rowOf,
  type Target,
  type View2d,
} from '../backend/kernels.ts';
import { broadcast, broadcastShape, dense, forEachPlane, intoBroadcast } from './broadcast.ts';

/** An operand as one row of n elements: a dense array, or one number n times. */
function rowLike({ ptr, size }: Variable, n: number): View2d | null {
  if (size === n) return rowOf(ptr, n);
  return size === 1 ? { ptr, row: 0, col: 0 } : null;
}

/** f(a, b), or a derivative of it: `call` runs the kernel on the views of each plane of y's shape. */
function elementwise(
  y: Variable,
  [a, b]: readonly Variable[],
  out: Target,
  call: (record: Binary, offset: number) => void,
): void {
  // Most operands have y's shape or are one number. Then the whole array is one row.
  const [row, other] = [rowLike(a, y.size), rowLike(b, y.size)];
  if (row && other) return call({ rows: 1, cols: y.size, a: row, b: other, out }, 0);
  const operands = [
    broadcast(a.ptr, a.shape, y.shape),
    broadcast(b.ptr, b.shape, y.shape),
    dense(0, y.shape),
  ];
  forEachPlane(y.backend, y.shape, operands, ([va, vb, { ptr: offset }], rows, cols) =>
    call({ rows, cols, a: va, b: vb, out: { ...out, ptr: out.ptr + offset } }, offset),
  );
}

/** What a derivative reads from the forward pass. */
interface Pass {
  readonly dy: Variable;
  readonly y: Variable;
  readonly xs: readonly Variable[];
}

/** The derivative for one operand. It is computed in y's shape and summed to the operand's shape. */
function derivative(k: Kernels, name: DifferentiableName, operand: 'a' | 'b', pass: Pass, into: GradSink) {
  const { dy, y, xs } = pass;
  const input = operand === 'a' ? 0 : 1;
  const formula = BINARY_FORMULAS[name][operand === 'a' ? 'da' : 'db'];
  intoBroadcast(into, input, xs[input], y.shape, (out) => {
    if (typeof formula === 'string') return copyArray(k, dy.size, dy.ptr, out, formula === '+dy' ? 1 : -1);
    // The fields are written out: spreading the record would cost as much as a small kernel.
    elementwise(y, xs, out, ({ rows, cols, a, b, out }, offset) =>
      k.binaryBackward(name as NonlinearName, operand, {
        rows,
        cols,
        dy: dy.ptr + offset,
        y: y.ptr + offset,
        a,
        b,
        out,
      }),
    );
  });
}

const SHAPES: Shape[][] = [
  [[6], [6]],
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 3],
    [2, 1],
  ],
  [[2, 3], []],
  [[], [4]],
  [
    [1, 3],
    [2, 1],
  ],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [
    [2, 1, 2, 1],
    [3, 1, 5],
  ],
  [[0, 3], [3]],
];

/** An operand's number. */
const SAVED = { a: 0, b: 1, y: 'y' } as const;

function binaryOp(name: DifferentiableName): OpDef {
  const formula: BinaryFormula = BINARY_FORMULAS[name];
  return defineOp<void>({
    name,
    shape: ([a, b]) => broadcastShape(name, a, b),
    forward: (k, y, xs) =>
      elementwise(y, xs, { ptr: y.ptr, accumulate: false }, (record) => k.binary(name, record)),
    saves: formula.keeps.map((kept) => SAVED[kept]),
    ...(name === 'mul' && { multilinear: true }),
    vjp(k, dy, y, xs, into) {
      derivative(k, name, 'a', { dy, y, xs }, into);
      derivative(k, name, 'b', { dy, y, xs }, into);
    },
    benchmark: { shapes: [BATCH, BATCH], attrs: undefined, domain: formula.domain },
    samples: () => SHAPES.map((shapes) => ({ shapes, attrs: undefined, domain: formula.domain })),
  });
}

function comparisonOp(name: ComparisonName): OpDef {
  return defineConstantOp<void>({
    name,
    shape: ([a, b]) => broadcastShape(name, a, b),
    forward: (k, y, xs) =>
      elementwise(y, xs, { ptr: y.ptr, accumulate: false }, (record) => k.binary(name, record)),
    benchmark: { shapes: [BATCH, BATCH], attrs: undefined },
    samples: () => SHAPES.map((shapes) => ({ shapes, attrs: undefined })),
  });
}

/** Comparisons by their names: 1 if they hold, else 0. They have no gradient. */
export const comparison = Object.fromEntries(
  Object.keys(COMPARISONS).map((name) => [name, comparisonOp(name as ComparisonName)]),
) as Readonly<Record<ComparisonName, OpDef>>;

/** The ops by the names of their functions. */
export const binary = Object.fromEntries(DIFFERENTIABLE.map((name) => [name, binaryOp(name)])) as Readonly<
  Record<DifferentiableName, OpDef>
>;
