/**
 * Layers of maps. langevin has the channels last and PyTorch has them second, so the lambdas permute the axes.
 */
import { GroupNorm, groupNorm, type Tensor } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Row, row } from '../row.ts';

/** The Python expression of `f(x, ...)` with the channels last. */
const turned = (expression: string) => `${expression}.movedim(1, -1)`;

/** A map, whose channels are a multiple of a number of groups. */
function grouped(draw: Draw) {
  const groups = draw.oneOf([1, 2, 3, 8]);
  const places = draw.shape({ rank: [1, 3], least: 1 });
  const single = places.slice(1).every((n) => n === 1);
  // The gradient of a group of one element is 0: its rounding errors are ignored.
  const size = draw.oneOf(single ? [2, 3, 4, 5] : [1, 2, 3, 4, 5]);
  // With few elements all deviations can be small, and their gradient large or 0: then ε is large.
  const few = places.slice(1).reduce((n, p) => n * p, size) < 5;
  return { x: [...places, groups * size], channels: groups * size, groups, eps: few ? 0.5 : 1e-3 };
}

function normalisation(
  name: string,
  f: (xs: Tensor[], attributes: { groups: number; channels: number; eps: number }) => Tensor,
  torch: string,
): Row {
  return row({
    name,
    bound: 3e-6,
    // The gradient of the weight is a sum of dy·x̂, in which x̂ has the mean 0: it cancels.
    floor: 10,
    draw: (draw) => {
      const { x, ...attributes } = grouped(draw);
      const parameters = draw.chance(0.7) ? [[attributes.channels], [attributes.channels]] : [];
      return {
        inputs: [draw.tensor(x, [-2, 2]), ...parameters.map((shape) => draw.tensor(shape))],
        attributes,
      };
    },
    langevin: f,
    torch,
  });
}

export const MAPS: readonly Row[] = [
  normalisation(
    'groupNorm',
    ([x, weight = null, bias = null], { groups, eps }) => groupNorm(x, groups, { weight, bias, eps }),
    `lambda x, weight=None, bias=None, *, groups, channels, eps: ${turned(
      'F.group_norm(x.movedim(-1, 1), groups, weight, bias, eps)',
    )}`,
  ),
  normalisation(
    'GroupNorm and SiLU',
    ([x, weight, bias], { groups, channels, eps }) => {
      const layer = new GroupNorm(groups, channels, {
        eps,
        affine: weight !== undefined,
        activation: 'silu',
      });
      return Object.assign(layer, weight ? { weight, bias } : {}).forward(x);
    },
    `lambda x, *affine, groups, channels, eps: ${turned(
      'F.silu(call(nn.GroupNorm(groups, channels, eps, bool(affine)), x.movedim(-1, 1), ' +
        "**dict(zip(['weight', 'bias'], affine))))",
    )}`,
  ),
];
