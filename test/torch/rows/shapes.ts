/** Functions that only move elements. Results are equal to the bit, and gradients too if no element repeats. */
import { cat, stack } from '../../../src/index.ts';
import { type Row, row } from '../row.ts';

export const SHAPES: readonly Row[] = [
  row({
    name: 'reshape',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape();
      const other = shape.includes(0) ? [0, 3] : draw.shuffled([...shape, 1]);
      // One dimension can be -1, unless it is ambiguous.
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
  row({
    name: 'stack',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape({ rank: [0, 4] });
      const parts = Array.from({ length: draw.integer(1, 4) }, () => draw.tensor(shape, [-2, 2]));
      return { inputs: parts, attributes: { axis: draw.axis(shape.length + 1) } };
    },
    langevin: (xs, { axis }) => stack(xs, axis),
    torch: 'lambda *xs, axis: torch.stack(xs, axis)',
  }),
  row({
    name: 'split into parts of a size',
    bound: 0,
    draw: (draw) => {
      // For an empty axis PyTorch returns one empty part, and langevin none.
      const shape = draw.shape({ rank: [1, 5], least: 1 });
      return {
        inputs: [draw.tensor(shape, [-2, 2])],
        attributes: { size: draw.integer(1, 7), axis: draw.axis(shape.length) },
      };
    },
    langevin: ([x], { size, axis }) => x.split(size, axis),
    torch: 'lambda x, size, axis: x.split(size, axis)',
  }),
  row({
    name: 'split into parts of given sizes',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape({ rank: [1, 5] });
      const axis = draw.axis(shape.length);
      const sizes = draw.integers(draw.integer(1, 4), 0, 4);
      const whole = sizes.reduce((sum, n) => sum + n, 0);
      return { inputs: [draw.tensor(shape.with(axis, whole), [-2, 2])], attributes: { sizes, axis } };
    },
    langevin: ([x], { sizes, axis }) => x.split(sizes, axis),
    torch: 'lambda x, sizes, axis: x.split(sizes, axis)',
  }),
  row({
    name: 'squeeze and unsqueeze',
    bound: 3e-7,
    draw: (draw) => {
      const shape = draw.shape({ rank: [0, 4] });
      return { inputs: [draw.tensor(shape, [-2, 2])], attributes: { axis: draw.axis(shape.length + 1) } };
    },
    langevin: ([x], { axis }) => [x.unsqueeze(axis), x.unsqueeze(axis).squeeze(axis), x.squeeze()],
    torch: 'lambda x, axis: [x.unsqueeze(axis), x.unsqueeze(axis).squeeze(axis), x.squeeze()]',
  }),
  row({
    name: 'flatten',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape();
      const [begin, end] = draw.integers(2, 0, Math.max(0, shape.length - 1)).sort();
      return {
        inputs: [draw.tensor(shape, [-2, 2])],
        attributes: draw.chance(0.3) ? { begin: 0, end: -1 } : { begin, end },
      };
    },
    langevin: ([x], { begin, end }) => x.flatten(begin, end),
    torch: 'lambda x, begin, end: x.flatten(begin, end)',
  }),
  row({
    name: 'flip',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape();
      return { inputs: [draw.tensor(shape, [-2, 2])], attributes: { axes: draw.axes(shape.length) } };
    },
    langevin: ([x], { axes }) => x.flip(axes ?? undefined),
    torch: 'lambda x, axes: x.flip(tuple(range(x.dim())) if axes is None else axes)',
  }),
  row({
    name: 'repeat',
    bound: 5e-7,
    draw: (draw) => {
      const shape = draw.shape({ rank: [0, 4] });
      const times = draw.integers(shape.length + draw.integer(0, 1), 0, 3);
      return { inputs: [draw.tensor(shape)], attributes: { times } };
    },
    langevin: ([x], { times }) => x.repeat(times),
    torch: 'lambda x, times: x.repeat(times)',
  }),
  ...(['tril', 'triu'] as const).map((name) =>
    row({
      name,
      bound: 0,
      draw: (draw) => ({
        inputs: [draw.tensor(draw.shape({ rank: [2, 4] }), [-2, 2])],
        attributes: { offset: draw.integer(-5, 5) },
      }),
      langevin: ([x], { offset }) => x[name](offset),
      torch: `lambda x, offset: x.${name}(offset)`,
    }),
  ),
  row({
    name: 'clone',
    bound: 0,
    draw: (draw) => ({ inputs: [draw.tensor(draw.shape(), [-2, 2])], attributes: {} }),
    langevin: ([x]) => x.clone(),
    torch: 'lambda x: x.clone()',
  }),
];
