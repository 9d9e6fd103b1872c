/** Optimisers: the parameter after several steps with given gradients. */

import { Adam, AdamW, type Optimizer, SGD, type Tensor, tensor } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Attributes, type Row, row } from '../row.ts';

/** The parameter after a step with each of the gradients. */
function optimise(make: (p: Tensor) => Optimizer, [x, ...gradients]: readonly Tensor[]): Tensor {
  const p = tensor(x.toTypedArray(), x.shape, { requiresGrad: true });
  const optimizer = make(p);
  for (const g of gradients) {
    optimizer.zeroGrad();
    p.mul(g).sum().backward();
    optimizer.step();
  }
  return p.detach();
}

/** `options` draws langevin's options; `torch` has them as PyTorch's. */
function optimizer<O extends Attributes>(
  name: string,
  options: (draw: Draw) => O,
  make: (p: Tensor, options: O) => Optimizer,
  torch: string,
): Row {
  return row({
    name,
    bound: 1e-6,
    draw: (draw) => {
      const shape = draw.shape();
      // Gradients of both signs, none near 0: there Adam's step changes its sign.
      const steps = Array.from({ length: draw.integer(1, 8) }, () => draw.constant(shape));
      return { inputs: [draw.constant(shape), ...steps], attributes: options(draw) };
    },
    langevin: (inputs, options: O) => optimise((p) => make(p, options), inputs),
    torch,
  });
}

const adamOptions = (draw: Draw) => ({
  lr: draw.oneOf([0.001, 0.01, 0.1]),
  betas: [draw.uniform(0, 0.95), draw.uniform(0.5, 0.9999)] as const,
  eps: draw.oneOf([1e-8, 1e-3]),
  weightDecay: draw.oneOf([0, 0.01, 0.1]),
});

const ADAM = 'lr=lr, betas=betas, eps=eps, weight_decay=weightDecay';

export const OPTIM: readonly Row[] = [
  optimizer(
    'Adam',
    adamOptions,
    (p, options) => new Adam([p], options),
    `lambda p, *gs, lr, betas, eps, weightDecay: optimise(torch.optim.Adam, p, gs, ${ADAM})`,
  ),
  optimizer(
    'AdamW',
    adamOptions,
    (p, options) => new AdamW([p], options),
    `lambda p, *gs, lr, betas, eps, weightDecay: optimise(torch.optim.AdamW, p, gs, ${ADAM})`,
  ),
  optimizer(
    'SGD',
    (draw) => {
      const nesterov = draw.chance(0.3);
      const momentum = nesterov || draw.chance(0.7) ? draw.uniform(0.1, 0.95) : 0;
      const dampening = nesterov ? 0 : draw.oneOf([0, 0.3]);
      return {
        lr: draw.oneOf([0.001, 0.1]),
        momentum,
        dampening,
        nesterov,
        weightDecay: draw.oneOf([0, 0.1]),
      };
    },
    (p, options) => new SGD([p], options),
    'lambda p, *gs, weightDecay, **rest: optimise(torch.optim.SGD, p, gs, weight_decay=weightDecay, **rest)',
  ),
];
