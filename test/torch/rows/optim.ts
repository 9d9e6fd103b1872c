/** Optimisers: the parameters after several steps. Schedules: the learning rates of the first steps. */

import {
  Adam,
  AdamW,
  clipGradNorm,
  clipGradValue,
  cosineLr,
  exponentialLr,
  Linear,
  type LrSchedule,
  linearLr,
  mse,
  type Optimizer,
  polynomialLr,
  RMSprop,
  Sequential,
  SGD,
  stepLr,
  Tanh,
  type Tensor,
  tensor,
  zeros,
} from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Attributes, type Row, row } from '../row.ts';

/** The parameter after several steps, one with each gradient. */
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

/** The result of `clip`, and the gradients of the parameters after it. */
function clipped(gradients: readonly Tensor[], clip: (parameters: Tensor[]) => Tensor[]): Tensor[] {
  const parameters = gradients.map(({ shape }) => zeros(shape, { requiresGrad: true }));
  for (const [i, p] of parameters.entries()) p.mul(gradients[i]).sum().backward();
  return [...clip(parameters), ...parameters.map((p) => (p.grad as Tensor).detach())];
}

/** `options` draws the options of langevin. `torch` is the PyTorch expression with these options. */
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

interface ScheduleOptions {
  readonly steps: number;
  readonly end: number;
  readonly gamma: number;
  readonly power: number;
}

/** The learning rates of the first steps. `torch` is the PyTorch schedule of an optimiser o. */
function schedule(
  name: string,
  make: (lr: number, options: ScheduleOptions) => LrSchedule,
  { torch, within = false }: { torch: string; within?: boolean },
): Row {
  return row({
    name,
    bound: 2e-7,
    draw: (draw) => {
      const steps = draw.integer(1, 20);
      const count = within ? steps + 1 : 30;
      return {
        inputs: [],
        attributes: {
          lr: draw.uniform(0.001, 1),
          steps,
          count,
          end: draw.uniform(0.01, 1),
          gamma: draw.uniform(0.5, 1),
          power: draw.integer(1, 3),
        },
      };
    },
    langevin: (_, { lr, count, ...options }) => {
      const at = make(lr, options);
      return tensor(Array.from({ length: count }, (_, t) => at(t)));
    },
    torch: `lambda lr, count, steps, end, gamma, power: rates(lambda o: ${torch}, lr, count)`,
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
  optimizer(
    'RMSprop',
    (draw) => ({
      lr: draw.oneOf([0.001, 0.01]),
      alpha: draw.uniform(0.5, 0.99),
      eps: draw.oneOf([1e-8, 1e-3]),
      weightDecay: draw.oneOf([0, 0.1]),
      momentum: draw.oneOf([0, 0.9]),
      centered: draw.chance(0.3),
    }),
    (p, options) => new RMSprop([p], options),
    'lambda p, *gs, weightDecay, **rest: optimise(torch.optim.RMSprop, p, gs, weight_decay=weightDecay, **rest)',
  ),
  row({
    name: 'clipGradNorm',
    bound: 1e-6,
    draw: (draw) => {
      // PyTorch refuses the maximum of no numbers. langevin does not clip then.
      const shapes = Array.from({ length: draw.integer(1, 4) }, () => draw.shape({ least: 1 }));
      const gradients = shapes.map((shape) => draw.constant(shape, [-2, 2]));
      return {
        inputs: gradients,
        attributes: { maxNorm: draw.uniform(0.1, 20), normType: draw.oneOf([1, 2, 3, 0.5, 'inf']) },
      };
    },
    langevin: (gradients, { maxNorm, normType }) =>
      clipped(gradients, (parameters) => {
        const p = normType === 'inf' ? Infinity : Number(normType);
        return [tensor(clipGradNorm(parameters, maxNorm, { normType: p }))];
      }),
    torch:
      'lambda *gs, maxNorm, normType: ' +
      'clipped(gs, lambda ps: [nn.utils.clip_grad_norm_(ps, maxNorm, float(normType)).double()])',
  }),
  row({
    name: 'clipGradValue',
    bound: 2e-7,
    draw: (draw) => ({
      inputs: [draw.constant(draw.shape(), [-2, 2]), draw.constant(draw.shape(), [-2, 2])],
      attributes: { value: draw.uniform(0.1, 3) },
    }),
    langevin: (gradients, { value }) =>
      clipped(gradients, (parameters) => {
        clipGradValue(parameters, value);
        return [];
      }),
    torch: 'lambda *gs, value: clipped(gs, lambda ps: nn.utils.clip_grad_value_(ps, value))',
  }),
  row({
    name: 'training an MLP',
    bound: 1e-6,
    floor: 0.5,
    draw: (draw) => {
      const [rows, inner, hidden, out] = [draw.size(1), draw.size(1), draw.size(1), draw.size(1)];
      const scaled = [0.2 / inner, 1 / inner] as const;
      return {
        inputs: [
          draw.constant([rows, inner], [0.5, 1]),
          draw.constant([rows, out], [-3, -1]),
          draw.constant([hidden, inner], scaled),
          draw.constant([hidden], [0.1, 1]),
          draw.constant([out, hidden], [0.5 / hidden, 2 / hidden]),
          draw.constant([out], [0.1, 1]),
        ],
        attributes: { steps: draw.integer(1, 4) },
      };
    },
    langevin: ([x, target, w1, b1, w2, b2], { steps }) => {
      const [first, second] = [w1, w2].map(({ shape: [out, inner] }) => new Linear(inner, out));
      const model = new Sequential(first, new Tanh(), second);
      model.loadStateDict(
        new Map(Object.entries({ '0.weight': w1, '0.bias': b1, '2.weight': w2, '2.bias': b2 })),
      );
      const optimizer = new SGD(model.parameters(), { lr: 0.02, momentum: 0.5 });
      for (let step = 0; step < steps; step++) {
        optimizer.zeroGrad();
        mse(model.forward(x), target).backward();
        optimizer.step();
      }
      return model.parameters().map((p) => p.detach());
    },
    torch: 'lambda x, target, *parameters, steps: train_mlp(x, target, parameters, steps)',
  }),

  schedule('linearLr', (lr, { steps, end }) => linearLr(lr, end * lr, { steps }), {
    torch: 'schedule.LinearLR(o, 1.0, end, steps)',
  }),
  schedule('stepLr', (lr, { steps, gamma }) => stepLr(lr, { every: steps, gamma }), {
    torch: 'schedule.StepLR(o, steps, gamma)',
  }),
  schedule('exponentialLr', (lr, { gamma }) => exponentialLr(lr, { gamma }), {
    torch: 'schedule.ExponentialLR(o, gamma)',
  }),
  // After its last step PyTorch's cosine increases again.
  schedule('cosineLr', (lr, { steps, end }) => cosineLr(lr, { steps, end: end * lr }), {
    torch: 'schedule.CosineAnnealingLR(o, steps, end * lr)',
    within: true,
  }),
  schedule('polynomialLr', (lr, { steps, power }) => polynomialLr(lr, { steps, power }), {
    torch: 'schedule.PolynomialLR(o, steps, power)',
  }),
];
