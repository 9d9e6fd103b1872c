/** What only moves elements: results are equal to the bit, and gradients too where nothing repeats. */
import { cat } from '../../../src/index.ts';
import { type Row, row } from '../row.ts';

export const SHAPES: readonly Row[] = [
  row({
    name: 'reshape',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape();
      const other = shape.includes(0) ? [0, 3] : draw.shuffled([...shape, 1]);
      // One dimension may be left to be found out, unless there are several answers.
      if (!shape.includes(0) && draw.chance(0.5)) other[draw.integer(0, other.length - 1)] = -1;
      return { inputs: [draw.tensor(shape, [-2, 2])], attributes: { shape: other } };
    },
    langevin: ([x], { shape }) => x.reshape(shape),
    torch: 'lambda x, shape: x.reshape(shape)',
  }),
  row({
    name: 'transpose',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape();
      return {
        inputs: [draw.tensor(shape, [-2, 2])],
        attributes: { order: draw.shuffled([...shape.keys()]) },
      };
    },
    langevin: ([x], { order }) => x.transpose(...order),
    torch: 'lambda x, order: x.permute(order)',
  }),
  row({
    name: 'slice',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape();
      const begin = shape.map((n) => draw.integer(0, n));
      const size = shape.map((n, i) => draw.integer(0, n - begin[i]));
      return { inputs: [draw.tensor(shape, [-2, 2])], attributes: { begin, size } };
    },
    langevin: ([x], { begin, size }) =>
      x.slice(
        begin,
        begin.map((b, i) => b + size[i]),
      ),
    torch: 'lambda x, begin, size: box(x, begin, size)',
  }),
  row({
    name: 'cat',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape({ rank: [1, 5] });
      const axis = draw.axis(shape.length);
      const sizes = [shape.at(axis) as number, ...draw.integers(draw.integer(0, 3), 0, 5)];
      return {
        inputs: sizes.map((n) => draw.tensor(shape.with(axis, n), [-2, 2])),
        attributes: { axis },
      };
    },
    langevin: (xs, { axis }) => cat(xs, axis),
    torch: 'lambda *xs, axis: torch.cat(xs, axis)',
  }),
  row({
    name: 'broadcastTo',
    bound: 5e-7,
    draw: (draw) => {
      const shape = draw.shape({ rank: [0, 4] });
      const x = shape.map((n) => (draw.chance(0.4) ? 1 : n)).slice(draw.integer(0, shape.length));
      return { inputs: [draw.tensor(x)], attributes: { shape } };
    },
    langevin: ([x], { shape }) => x.broadcastTo(shape),
    torch: 'lambda x, shape: x.broadcast_to(shape)',
  }),
];
