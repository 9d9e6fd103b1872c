/**
 * Elementwise functions of two tensors with NumPy's broadcasting, y = f(a, b), each with its two derivatives.
 * The gradient of an operand that was repeated is summed over its repetitions.
 */
import { BATCH, defineOp, type GradSink, type OpDef } from '../autograd/op.ts';
import { type Shape, sizeOf, type Variable } from '../autograd/variable.ts';
import type { BinaryName, Kernels, Ptr, UnaryName } from '../backend/kernels.ts';
import {
  broadcastShape,
  broadcastStrides,
  forEachPlane,
  intoBroadcast,
  mergeDimensions,
} from './broadcast.ts';

/** An operand: where it lies and its shape. */
interface Operand {
  readonly ptr: Ptr;
  readonly shape: Shape;
}

/** y[shape] = [y +] f(a, b), both broadcast to `shape`. */
function elementwise(
  k: Kernels,
  elementBytes: number,
  name: BinaryName,
  shape: Shape,
  a: Operand,
  b: Operand,
  y: Ptr,
  accumulate: boolean,
): void {
  const own = broadcastStrides(shape, shape);
  const merged = mergeDimensions(shape, [
    broadcastStrides(a.shape, shape),
    broadcastStrides(b.shape, shape),
    own,
  ]);
  const [rows, cols] = merged.shape.slice(-2) as [number, number];
  const view = (operand: Operand, index: number, offset: number) => {
    const [row, col] = merged.strides[index]!.slice(-2) as [number, number];
    return { ptr: operand.ptr + offset * elementBytes, row, col };
  };
  forEachPlane(merged.shape, merged.strides, ([aAt, bAt, yAt]) => {
    k.binary(name, rows, cols, view(a, 0, aAt!), view(b, 1, bAt!), y + yAt! * elementBytes, accumulate);
  });
}

/** What a derivative is written with: kernels over y's shape, into the gradient or into scratch memory. */
interface Calculus {
  readonly dy: Operand;
  readonly y: Operand;
  readonly a: Operand;
  readonly b: Operand;
  /** f(p, q), of the shape that theirs broadcast to, in scratch memory. */
  of(name: BinaryName, p: Operand, q: Operand): Operand;
  /** f(p) in scratch memory. */
  map(name: UnaryName, p: Operand): Operand;
  /** A scalar in scratch memory. */
  constant(value: number): Operand;
  /** d(input) = f(p, q), summed to the input's shape. */
  into(input: 0 | 1, name: BinaryName, p: Operand, q: Operand): void;
}

function calculus(k: Kernels, dy: Variable, y: Variable, xs: readonly Variable[], into: GradSink): Calculus {
  const { elementBytes } = y.backend;
  const operand = (x: Variable): Operand => ({ ptr: x.ptr, shape: x.shape });
  return {
    dy: operand(dy),
    y: operand(y),
    a: operand(xs[0]!),
    b: operand(xs[1]!),
    of(name, p, q) {
      const shape = broadcastShape(name, p.shape, q.shape);
      const ptr = into.scratch(sizeOf(shape));
      elementwise(k, elementBytes, name, shape, p, q, ptr, false);
      return { ptr, shape };
    },
    map(name, p) {
      const n = sizeOf(p.shape);
      const ptr = into.scratch(n);
      k.unary(name, n, p.ptr, ptr, false);
      return { ptr, shape: p.shape };
    },
    constant(value) {
      const ptr = into.scratch(1);
      k.fill(1, ptr, value);
      return { ptr, shape: [] };
    },
    into(input, name, p, q) {
      intoBroadcast(k, into, input, xs[input]!.shape, y.shape, (dx, accumulate) =>
        elementwise(k, elementBytes, name, y.shape, p, q, dx, accumulate),
      );
    },
  };
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

function binary(
  name: BinaryName,
  domain: readonly [number, number],
  derivatives: (c: Calculus, wants: (input: number) => boolean) => void,
): OpDef {
  return defineOp<void>({
    name,
    shape: ([a, b]) => broadcastShape(name, a!, b!),
    forward: (k, y, [a, b]) => elementwise(k, y.backend.elementBytes, name, y.shape, a!, b!, y.ptr, false),
    vjp: (k, dy, y, xs, into) => derivatives(calculus(k, dy, y, xs, into), (i) => into.wants(i)),
    samples: () => SHAPES.map((shapes) => ({ shapes, attrs: undefined, domain })),
    benchmark: { shapes: [BATCH, BATCH], attrs: undefined, domain },
  });
}

/** y = a + b; da = dy, db = dy */
export const add = binary('add', [-2, 2], ({ dy, constant, into }, wants) => {
  const one = constant(1);
  if (wants(0)) into(0, 'mul', dy, one);
  if (wants(1)) into(1, 'mul', dy, one);
});

/** y = a - b; da = dy, db = -dy */
export const sub = binary('sub', [-2, 2], ({ dy, constant, into }, wants) => {
  if (wants(0)) into(0, 'mul', dy, constant(1));
  if (wants(1)) into(1, 'mul', dy, constant(-1));
});

/** y = a·b; da = dy·b, db = dy·a */
export const mul = binary('mul', [-2, 2], ({ dy, a, b, into }, wants) => {
  if (wants(0)) into(0, 'mul', dy, b);
  if (wants(1)) into(1, 'mul', dy, a);
});

/** y = a/b; da = dy/b, db = -dy·y/b */
export const div = binary('div', [0.5, 2], ({ dy, y, b, of, constant, into }, wants) => {
  const overB = of('div', dy, b);
  if (wants(0)) into(0, 'mul', overB, constant(1));
  if (wants(1)) into(1, 'mul', of('mul', overB, y), constant(-1));
});

/** y = max(a, b); the larger has dy, and at a tie each has half of it */
export const maximum = binary('maximum', [-2, 2], ({ dy, a, b, of, into }, wants) => {
  if (wants(0)) into(0, 'mul', dy, of('greaterShare', a, b));
  if (wants(1)) into(1, 'mul', dy, of('greaterShare', b, a));
});

/** y = min(a, b); the smaller has dy, and at a tie each has half of it */
export const minimum = binary('minimum', [-2, 2], ({ dy, a, b, of, into }, wants) => {
  if (wants(0)) into(0, 'mul', dy, of('greaterShare', b, a));
  if (wants(1)) into(1, 'mul', dy, of('greaterShare', a, b));
});

/**
 * y = a^b; da = dy·b·a^(b-1), db = dy·y·ln a. Where these would be 0·∞ they are 0, which is the derivative: da at
 * b = 0, and db at a = 0 with b >= 0.
 */
export const pow = binary('pow', [0.5, 2], ({ dy, y, a, b, of, map, constant, into }, wants) => {
  if (wants(0)) {
    // b - 1, but at b = 0 the exponent 0: reluBackward(|b|, 1) is 1 where |b| > 0, else 0.
    const exponent = of('sub', b, of('reluBackward', map('abs', b), constant(1)));
    into(0, 'mul', of('mul', dy, b), of('pow', a, exponent));
  }
  if (wants(1)) {
    // a, but 1 where a = 0 and b >= 0, that is where max(|a|, -b) = 0: there greaterShare(0, it) is a half, else 0.
    const half = of('greaterShare', constant(0), of('maximum', map('abs', a), map('neg', b)));
    into(1, 'mul', of('mul', dy, y), map('log', of('add', of('add', a, half), half)));
  }
});
