/** Reductions over random axes, which stay or not. PyTorch's reductions of many axes do not take none: None is all. */
import type { Tensor } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Row, row } from '../row.ts';

type Axes = {
  readonly axes: number[] | null;
  readonly keepDims: boolean;
};

const axesOf = (draw: Draw, rank: number): Axes => ({ axes: draw.axes(rank), keepDims: draw.chance(0.5) });

/** A reduction over several axes; `torch` is a function of x, dim and keepdim. */
function reduction(
  name: 'sum' | 'mean' | 'max',
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
  // As amax does, langevin shares dy equally among the elements that reach the maximum; torch.max(x, dim) picks one.
  reduction('max', 'torch.amax', { bound: 2e-7, least: 1, ties: true }),
];
