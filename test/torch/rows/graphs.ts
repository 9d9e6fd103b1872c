/**
 * Random graphs: programs of up to twelve steps on square matrices. Each step is a function of earlier results. A
 * result can be used several times or never. So gradients are sums over several uses, through views and broadcasts.
 */
import { cat, type Tensor } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Row, row } from '../row.ts';

/** A step: its name, and the positions of its operands among inputs and earlier results. */
type Step = readonly [string, number, number];

/** Functions of matrices [n, n]. expressions.py has them under the same names. Results have magnitudes of about 1. */
const STEPS: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  add: (a, b) => a.add(b).mul(0.5),
  mul: (a, b) => a.mul(b),
  tanh: (a) => a.tanh(),
  sigmoid: (a) => a.sigmoid(),
  softmax: (a) => a.softmax(0),
  matmul: (a, b) => a.matmul(b, { bT: true }).div(a.shape[0]),
  transpose: (a) => a.transpose(),
  view: (a, b) => a.reshape(-1).add(b.reshape(-1)).reshape(a.shape),
  column: (a, b) => a.mul(b.mean(1, { keepDims: true })),
  row: (a, b) => a.add(b.mean(0)),
  scalar: (a, b) => a.mul(b.mean()),
  halves: (a, b) => cat([a.slice([0], [1]), b.slice([1])]),
  cumsum: (a) => a.cumsum(1).div(a.shape[1]),
  same: (a) => a.mul(a).add(a),
};

function program(draw: Draw, inputs: number): Step[] {
  return Array.from({ length: draw.integer(1, 12) }, (_, i) => {
    // Mostly the last results, so that graphs are deep.
    const operand = () => Math.max(draw.integer(0, inputs + i - 1), draw.integer(0, inputs + i - 1));
    return [draw.oneOf(Object.keys(STEPS)), operand(), operand()];
  });
}

export const GRAPHS: readonly Row[] = [
  row({
    name: 'graphs',
    bound: 3e-6,
    // Gradients become small in sigmoids and means.
    floor: 0.1,
    draw: (draw) => {
      const n = draw.integer(1, 9);
      const inputs = Array.from({ length: draw.integer(1, 3) }, () => draw.tensor([n, n], [-1, 1]));
      return { inputs, attributes: { program: program(draw, inputs.length), results: draw.integer(1, 2) } };
    },
    langevin: (xs, { program, results }) => {
      const found = [...xs];
      for (const [name, i, j] of program) found.push(STEPS[name](found[i], found[j]));
      // Never an input, because an input has no graph.
      return found.slice(Math.max(xs.length, found.length - results));
    },
    torch: 'lambda *xs, program, results: run_program(xs, program, results)',
  }),
];
