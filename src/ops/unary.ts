/**
 * Elementwise functions of one tensor, y = f(x), and their derivatives, dx = df(dy, kept), where the forward pass kept x
 * or y. Functions and derivatives stand in backend/formulas.ts; an op follows from each.
 */
import { BATCH, defineOp, type OpDef } from '../autograd/op.ts';
import { type Bounds, UNARY_FORMULAS } from '../backend/formulas.ts';
import { UNARY, type UnaryName } from '../backend/kernels.ts';

const SHAPES = [[5], [2, 3], [0], [], [1, 4, 2]];
const BOUNDS: Bounds = { lo: -0.5, hi: 0.75 };

/** An op with the bounds of clamp as attributes; other functions take none. */
function unaryOp(name: UnaryName): OpDef<Partial<Bounds>> {
  const { keeps, domain } = UNARY_FORMULAS[name];
  return defineOp<Partial<Bounds>>({
    name,
    shape: ([x]) => x,
    forward: (k, y, [x], { lo, hi }) =>
      k.unary(name, { n: y.size, x: x.ptr, out: { ptr: y.ptr, accumulate: false }, lo, hi }),
    saves: keeps === null ? [] : [keeps === 'x' ? 0 : 'y'],
    vjp: (k, dy, y, [x], into, { lo, hi }) =>
      into(0, (out) => {
        const kept = keeps === 'y' ? y.ptr : x.ptr;
        k.unaryBackward(name, { n: dy.size, dy: dy.ptr, kept, out, lo, hi });
      }),
    benchmark: { shapes: [BATCH], attrs: name === 'clamp' ? BOUNDS : {}, domain },
    samples: () =>
      SHAPES.map((shape) => ({ shapes: [shape], attrs: name === 'clamp' ? BOUNDS : {}, domain })),
  });
}

/** By the names of their functions. */
export const unary = Object.fromEntries(UNARY.map((name) => [name, unaryOp(name)])) as Readonly<
  Record<UnaryName, OpDef<Partial<Bounds>>>
>;
