/** Reductions over random axes, with and without keepdim. PyTorch takes None for all axes, not an empty list. */
import { type Tensor, where } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Row, row } from '../row.ts';

type Axes = {
  readonly axes: number[] | null;
  readonly keepDims: boolean;
};

const axesOf = (draw: Draw, rank: number): Axes => ({ axes: draw.axes(rank), keepDims: draw.chance(0.5) });

/** A reduction over several axes; `torch` is a function of x, dim and keepdim. */
function reduction(
  name: 'sum' | 'mean' | 'max' | 'min' | 'prod',
  torch: string,
  { bound, least = 0, ties = false }: { bound: number; least?: number; ties?: boolean },
): Row {
  return row({
    name: ties ? `${name} at ties` : name,
    bound,
    draw: (draw) => {
      const shape = draw.shape({ least });
      const x = ties ? draw.ties(shape) : draw.tensor(shape);
      return { inputs: [x], attributes: axesOf(draw, shape.length) };
    },
    langevin: ([x], { axes, keepDims }: Axes): Tensor => x[name](axes ?? undefined, { keepDims }),
    torch: `lambda x, axes, keepDims: reduce(${torch}, x, axes, keepDims)`,
  });
}

export const REDUCTIONS: readonly Row[] = [
  reduction('sum', 'torch.sum', { bound: 5e-7 }),
  reduction('mean', 'torch.mean', { bound: 5e-7, least: 1 }),
  reduction('max', 'torch.amax', { bound: 2e-7, least: 1 }),
  reduction('min', 'torch.amin', { bound: 2e-7, least: 1 }),
  // langevin divides dy equally among equal maxima, as amax and amin do. torch.max(x, dim) selects one of them.
  reduction('max', 'torch.amax', { bound: 2e-7, least: 1, ties: true }),
  reduction('min', 'torch.amin', { bound: 2e-7, least: 1, ties: true }),
  reduction('prod', 'prod', { bound: 5e-7 }),
  // With one zero, its gradient is the product of the others. With two zeros all gradients are 0.
  reduction('prod', 'prod', { bound: 5e-7, ties: true }),
  ...(['var', 'std'] as const).map((name) =>
    row({
      name,
      bound: 1e-6,
      floor: 0.01,
      draw: (draw) => {
        const shape = draw.shape({ least: 2, rank: [1, 4] });
        return {
          inputs: [draw.tensor(shape, [-2, 2])],
          attributes: { ...axesOf(draw, shape.length), correction: draw.integer(0, 1) },
        };
      },
      langevin: ([x], { axes, ...options }) => x[name](axes ?? undefined, options),
      torch: `lambda x, axes, correction, keepDims: reduce(partial(torch.${name}, correction=correction), x, axes, keepDims)`,
    }),
  ),
  row({
    name: 'std of equal elements',
    bound: 0,
    draw: (draw) => ({
      inputs: [draw.special(draw.integer(2, 20), [-2, 0, 0.1, 0.5, 3, 1e6])],
      attributes: {},
    }),
    langevin: ([x]) => x.std(),
    torch: 'lambda x: x.std()',
  }),
  row({
    name: 'norm',
    bound: 1e-6,
    draw: (draw) => {
      const shape = draw.shape({ least: 1 });
      return {
        inputs: [
          draw.tensor(
            shape,
            draw.oneOf([
              [-2, 2],
              [0.5, 2],
            ] as const),
          ),
        ],
        attributes: { p: draw.oneOf([1, 2, 3, 2.5, 'inf']), ...axesOf(draw, shape.length) },
      };
    },
    langevin: ([x], { p, axes, keepDims }) =>
      x.norm(p === 'inf' ? Infinity : Number(p), axes ?? undefined, { keepDims }),
    torch: 'lambda x, p, axes, keepDims: norm(x, float(p), axes, keepDims)',
  }),
  row({
    name: 'norm of zeros',
    bound: 0,
    draw: (draw) => ({
      inputs: [{ ...draw.special(draw.integer(1, 9), [0]) }],
      attributes: { p: draw.oneOf([1, 2, 3]) },
    }),
    langevin: ([x], { p }) => x.norm(p),
    torch: 'lambda x, p: norm(x, p, None, False)',
  }),
  ...(['softmax', 'logSoftmax'] as const).map((name) =>
    row({
      name,
      bound: 1e-6,
      floor: 0.5,
      draw: (draw) => {
        const shape = draw.shape({ rank: [1, 5] });
        const far = draw.oneOf([0, 100, -100]);
        return {
          inputs: [draw.tensor(shape, [far - 4, far + 4])],
          attributes: { axis: draw.axis(shape.length) },
        };
      },
      langevin: ([x], { axis }) => x[name](axis),
      torch: `lambda x, axis: x.${name === 'softmax' ? 'softmax' : 'log_softmax'}(axis)`,
    }),
  ),
  row({
    name: 'cumsum',
    bound: 1e-6,
    draw: (draw) => {
      const shape = draw.shape({ rank: [1, 5] });
      return { inputs: [draw.tensor(shape)], attributes: { axis: draw.axis(shape.length) } };
    },
    langevin: ([x], { axis }) => x.cumsum(axis),
    torch: 'lambda x, axis: x.cumsum(axis)',
  }),
  ...(['softmax', 'logSoftmax'] as const).map((name) =>
    row({
      name: `${name} of masked scores`,
      bound: 1e-6,
      floor: 0.5,
      draw: (draw) => {
        const [rows, n] = [draw.size(), draw.size(1)];
        const mask = draw.mixed([rows, n], [0, 1]);
        // At least one score of a row is not masked. If all are masked, both have NaN.
        for (let i = 0; i < rows; i++) mask.values[i * n + draw.integer(0, n - 1)] = 1;
        return { inputs: [{ ...mask, grad: false }, draw.tensor([rows, n], [-4, 4])], attributes: {} };
      },
      langevin: ([mask, x]) => {
        const y = where(mask, x, -Infinity)[name]();
        return name === 'softmax' ? y : where(mask, y, 0);
      },
      torch:
        name === 'softmax'
          ? 'lambda mask, x: torch.where(mask == 1, x, -torch.inf).softmax(-1)'
          : 'lambda mask, x: torch.where(mask == 1, torch.where(mask == 1, x, -torch.inf).log_softmax(-1), 0.0)',
    }),
  ),
  row({
    name: 'reductions with infinities and NaN',
    bound: 1e-6,
    floor: 0.5,
    draw: (draw) => {
      const choices = draw.oneOf([
        [1, 2, -Infinity],
        [1, 2, Infinity],
        [1, NaN, 2, Infinity, -Infinity],
      ]);
      const shape = draw.shape({ least: 1, rank: [1, 3] });
      return {
        inputs: [{ ...draw.mixed(shape, choices), grad: false }],
        attributes: { axis: draw.axis(shape.length) },
      };
    },
    langevin: ([x], { axis }) => [
      x.sum(axis),
      x.mean(axis),
      x.max(axis),
      x.min(axis),
      x.prod(axis),
      x.norm(2, axis),
      x.norm(Infinity, axis),
      x.cumsum(axis),
      x.softmax(axis),
      x.logSoftmax(axis),
      x.argmax(axis),
    ],
    torch:
      'lambda x, axis: [x.sum(axis), x.mean(axis), x.amax(axis), x.amin(axis), x.prod(axis), norm(x, 2, [axis], False), ' +
      'norm(x, torch.inf, [axis], False), x.cumsum(axis), x.softmax(axis), x.log_softmax(axis), x.argmax(axis)]',
  }),
  row({
    name: 'reductions of empty tensors',
    bound: 0,
    draw: (draw) => {
      const shape = draw.shape({ rank: [1, 4], least: 1 });
      const axis = draw.axis(shape.length);
      return { inputs: [draw.tensor(shape.with(axis, 0))], attributes: { axis } };
    },
    langevin: ([x], { axis }) => [
      x.sum(axis),
      x.prod(axis),
      x.mean(axis),
      x.norm(2, axis),
      x.std(axis),
      x.cumsum(axis),
    ],
    torch:
      'lambda x, axis: [x.sum(axis), x.prod(axis), x.mean(axis), norm(x, 2, [axis], False), x.std(axis), x.cumsum(axis)]',
  }),
  row({
    name: 'var of one element',
    bound: 0,
    draw: (draw) => ({ inputs: [draw.tensor([1])], attributes: { correction: draw.integer(0, 1) } }),
    langevin: ([x], { correction }) => [x.var(undefined, { correction }), x.std(undefined, { correction })],
    torch: 'lambda x, correction: [x.var(0, correction=correction), x.std(0, correction=correction)]',
  }),
];
