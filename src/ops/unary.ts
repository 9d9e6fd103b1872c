/**
 * Elementwise functions of one tensor, y = f(x), and their derivatives, dx = df(dy, kept). `kept` is x or y of the
 * forward pass. Functions and derivatives are defined in backend/formulas.ts, and each becomes an op here.
 */
import { BATCH, defineOp, type OpDef } from '../autograd/op.ts';
import { UNARY_FORMULAS, type UnaryAttributes } from '../backend/formulas.ts';
import { UNARY, type UnaryName } from '../backend/kernels.ts';

const SHAPES = [[5], [2, 3], [0], [], [1, 4, 2]];
/** Attributes of the functions that have some, for samples and benchmark. */
const ATTRIBUTES: Readonly<Partial<Record<UnaryName, Partial<UnaryAttributes>>>> = {
  clamp: { lo: -0.5, hi: 0.75 },
  leakyRelu: { slope: 0.1 },
};

function unaryOp(name: UnaryName): OpDef<Partial<UnaryAttributes>> {
  const { keeps, domain } = UNARY_FORMULAS[name];
  const attrs = ATTRIBUTES[name] ?? {};
  return defineOp<Partial<UnaryAttributes>>({
    name,
    shape: ([x]) => x,
    forward: (k, y, [x], { lo, hi, slope }) =>
      k.unary(name, { n: y.size, x: x.ptr, out: { ptr: y.ptr, accumulate: false }, lo, hi, slope }),
    saves: keeps === null ? [] : [keeps === 'x' ? 0 : 'y'],
    vjp: (k, dy, y, [x], into, { lo, hi, slope }) =>
      into(0, (out) => {
        const kept = keeps === 'y' ? y.ptr : x.ptr;
        k.unaryBackward(name, { n: dy.size, dy: dy.ptr, kept, out, lo, hi, slope });
      }),
    benchmark: { shapes: [BATCH], attrs, domain },
    samples: () => SHAPES.map((shape) => ({ shapes: [shape], attrs, domain })),
  });
}

/** The ops by the names of their functions. */
export const unary = Object.fromEntries(UNARY.map((name) => [name, unaryOp(name)])) as Readonly<
  Record<UnaryName, OpDef<Partial<UnaryAttributes>>>
>;
