/** Comparisons, choices between tensors, and functions that find or take elements by their indices. */
import { type Tensor, where } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Row, row } from '../row.ts';

/** A row for a function of two tensors that broadcast, with many equal elements and without gradients. */
const comparison = (name: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le'): Row =>
  row({
    name,
    bound: 0,
    draw: (draw) => ({ inputs: draw.broadcastPair().map((shape) => draw.ties(shape)), attributes: {} }),
    langevin: ([a, b]) => a[name](b),
    torch: `lambda a, b: torch.${name}(a, b).double()`,
  });

/**
 * A shape, one of its axes, and the size of this axis. By default no axis is empty: an empty list of indices does not
 * give the size of an axis in gather's result.
 */
function withAxis(draw: Draw, least = 1) {
  const shape = draw.shape({ rank: [1, 5], least });
  const axis = draw.axis(shape.length);
  return { shape, axis, n: shape.at(axis) as number };
}

export const CHOICES: readonly Row[] = [
  ...(['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const).map(comparison),
  row({
    name: 'where',
    bound: 5e-7,
    draw: (draw) => {
      const [condition, a] = draw.broadcastPair();
      const [b] = draw.shuffled([condition, a, []]);
      const c = draw.ties(condition);
      return { inputs: [{ ...c, grad: false }, draw.tensor(a), draw.tensor(b)], attributes: {} };
    },
    langevin: ([c, a, b]) => where(c, a, b),
    torch: 'lambda c, a, b: torch.where(c != 0, a, b)',
  }),
  row({
    name: 'where of a comparison and numbers',
    bound: 0,
    draw: (draw) => ({ inputs: [draw.ties(draw.shape())], attributes: {} }),
    langevin: ([x]) => where(x.gt(0), x, -1).add(where(x.le(-1), 3, x)),
    torch: 'lambda x: torch.where(x > 0, x, x.new_tensor(-1)) + torch.where(x <= -1, x.new_tensor(3), x)',
  }),
  row({
    name: 'argmax',
    bound: 0,
    draw: (draw) => {
      const { shape, axis } = withAxis(draw);
      return { inputs: [draw.constant(shape, [-2, 2])], attributes: { axis } };
    },
    langevin: ([x], { axis }) => x.argmax(axis),
    torch: 'lambda x, axis: x.argmax(axis)',
  }),
  row({
    name: 'argmax of all, at ties and NaN',
    bound: 0,
    draw: (draw) => {
      const x = draw.ties(draw.shape({ least: 1 }));
      if (draw.chance(0.3)) x.values[draw.integer(0, x.values.length - 1)] = NaN;
      return { inputs: [{ ...x, grad: false }], attributes: {} };
    },
    langevin: ([x]) => Int32Array.of(x.argmax()),
    torch: 'lambda x: x.argmax()',
  }),
  row({
    name: 'topk',
    bound: 0,
    draw: (draw) => {
      const { shape, axis, n } = withAxis(draw, 0);
      return {
        inputs: [draw.tensor(shape, [-2, 2])],
        attributes: { k: draw.integer(0, n), axis, largest: draw.chance(0.5) },
      };
    },
    langevin: ([x], { k, axis, largest }) => {
      const { values, indices } = x.topk(k, axis, { largest });
      return [values, indices];
    },
    torch: 'lambda x, k, axis, largest: x.topk(k, axis, largest=largest)',
  }),
  row({
    name: 'gather',
    bound: 5e-7,
    draw: (draw) => {
      const { shape, axis, n } = withAxis(draw);
      const wanted = shape.with(axis, draw.integer(0, 6));
      const count = wanted.reduce((product, size) => product * size, 1);
      return {
        inputs: [draw.tensor(shape)],
        attributes: { axis, shape: wanted, index: draw.integers(count, 0, n - 1) },
      };
    },
    langevin: ([x], { axis, index }) => x.gather(axis, index),
    torch:
      'lambda x, axis, shape, index: x.gather(axis, torch.tensor(index, dtype=torch.long).reshape(shape))',
  }),
  row({
    name: 'indexSelect',
    bound: 5e-7,
    draw: (draw) => {
      const { shape, axis, n } = withAxis(draw);
      return {
        inputs: [draw.tensor(shape)],
        attributes: { axis, index: draw.integers(draw.integer(0, 40), 0, n - 1) },
      };
    },
    langevin: ([x], { axis, index }): Tensor => x.indexSelect(axis, index),
    torch: 'lambda x, axis, index: x.index_select(axis, torch.tensor(index, dtype=torch.long))',
  }),
];
