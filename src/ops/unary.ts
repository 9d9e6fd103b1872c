/**
 * Elementwise functions of one tensor, y = f(x), each with its derivative: dx = dy·f'(x), written by what the
 * forward pass kept, x or y.
 */
import { BATCH, defineOp, type GradSink, type OpDef } from '../autograd/op.ts';
import type { Variable } from '../autograd/variable.ts';
import type { BinaryName, Bounds, Kernels, UnaryName } from '../backend/kernels.ts';

const SHAPES = [[5], [2, 3], [0], [], [1, 4, 2]];

/** dx = f(kept, dy) for one of the kernels of two arrays. */
function pull(
  k: Kernels,
  into: GradSink,
  name: BinaryName,
  kept: Variable,
  dy: Variable,
  bounds?: Bounds,
): void {
  const n = dy.size;
  const dense = (ptr: number) => ({ ptr, row: n, col: 1 });
  into(0, (dx, accumulate) => k.binary(name, 1, n, dense(kept.ptr), dense(dy.ptr), dx, accumulate, bounds));
}

function unary(
  name: UnaryName,
  domain: readonly [number, number],
  vjp: (k: Kernels, dy: Variable, y: Variable, x: Variable, into: GradSink) => void,
): OpDef {
  return defineOp<void>({
    name,
    shape: ([x]) => x!,
    forward: (k, y, [x]) => k.unary(name, y.size, x!.ptr, y.ptr, false),
    vjp: (k, dy, y, [x], into) => vjp(k, dy, y, x!, into),
    samples: () => SHAPES.map((shape) => ({ shapes: [shape], attrs: undefined, domain })),
    benchmark: { shapes: [BATCH], attrs: undefined, domain },
  });
}

/** y = -x; dx = -dy */
export const neg = unary('neg', [-2, 2], (k, dy, _y, _x, into) =>
  into(0, (dx, accumulate) => k.unary('neg', dy.size, dy.ptr, dx, accumulate)),
);

/** y = |x|; dx = dy·sign(x), 0 at 0 */
export const abs = unary('abs', [0.1, 2], (k, dy, _y, x, into) => pull(k, into, 'absBackward', x, dy));

/** y = e^x; dx = dy·y */
export const exp = unary('exp', [-2, 2], (k, dy, y, _x, into) => pull(k, into, 'mul', y, dy));

/** y = ln x; dx = dy/x */
export const log = unary('log', [0.2, 3], (k, dy, _y, x, into) => {
  const n = dy.size;
  into(0, (dx, accumulate) =>
    k.binary('div', 1, n, { ptr: dy.ptr, row: n, col: 1 }, { ptr: x.ptr, row: n, col: 1 }, dx, accumulate),
  );
});

/** y = √x; dx = dy/(2y) */
export const sqrt = unary('sqrt', [0.2, 3], (k, dy, y, _x, into) => pull(k, into, 'sqrtBackward', y, dy));

/** y = max(x, 0); dx = dy where y > 0 */
export const relu = unary('relu', [0.1, 2], (k, dy, y, _x, into) => pull(k, into, 'reluBackward', y, dy));

/** y = 1/(1 + e^-x); dx = dy·y(1 - y) */
export const sigmoid = unary('sigmoid', [-3, 3], (k, dy, y, _x, into) =>
  pull(k, into, 'sigmoidBackward', y, dy),
);

/** y = tanh x; dx = dy·(1 - y²) */
export const tanh = unary('tanh', [-3, 3], (k, dy, y, _x, into) => pull(k, into, 'tanhBackward', y, dy));

/** y = x·s with s = sigmoid(x); dx = dy·s(1 + x(1 - s)) */
export const silu = unary('silu', [-3, 3], (k, dy, _y, x, into) => pull(k, into, 'siluBackward', x, dy));

/** y = min(max(x, lo), hi); dx = dy where lo <= x <= hi */
export const clamp = defineOp<Bounds>({
  name: 'clamp',
  shape: ([x]) => x!,
  forward: (k, y, [x], bounds) => k.unary('clamp', y.size, x!.ptr, y.ptr, false, bounds),
  vjp: (k, dy, _y, [x], into, bounds) => pull(k, into, 'clampBackward', x!, dy, bounds),
  samples: () => SHAPES.map((shape) => ({ shapes: [shape], attrs: { lo: -0.5, hi: 0.75 }, domain: [-2, 2] })),
  benchmark: { shapes: [BATCH], attrs: { lo: -0.5, hi: 0.75 } },
});
