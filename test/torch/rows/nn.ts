/**
 * Losses and layers. A layer computes with the parameters of the case, in langevin and in PyTorch's own module.
 *
 * Classes lie along the last axis in langevin, and along the second one in PyTorch.
 */
import {
  bceWithLogits,
  crossEntropy,
  Embedding,
  Flatten,
  huberLoss,
  type Layer,
  LayerNorm,
  Linear,
  l1Loss,
  layerNorm,
  mse,
  RMSNorm,
  rmsNorm,
  type Tensor,
} from '../../../src/index.ts';
import type { Draw, Input } from '../draw.ts';
import { type Row, row } from '../row.ts';

/** A layer at x, with the given tensors in place of its own parameters. */
function call(layer: Layer, x: Tensor, parameters: Readonly<Record<string, Tensor>>): Tensor {
  return Object.assign(layer, parameters).forward(x);
}

const reductionOf = (draw: Draw) => draw.oneOf(['mean', 'mean', 'sum', 'none'] as const);

/** Rows of [..., classes] and their number. */
function logits(draw: Draw) {
  const shape = draw.shape({ rank: [1, 3], least: 1 });
  const rows = shape.reduce((product, n) => product * n, 1);
  const classes = draw.size(1);
  return { x: draw.tensor([...shape, classes], [-4, 4]), rows, classes };
}

/** A distribution in each row, of that shape. */
function distributions(draw: Draw, { shape }: Input): Input {
  const target = draw.tensor(shape, [0.1, 1]);
  const classes = shape[shape.length - 1];
  for (let at = 0; at < target.values.length; at += classes) {
    const row = target.values.subarray(at, at + classes);
    const sum = row.reduce((total, value) => total + value, 0);
    row.forEach((value, i) => {
      row[i] = value / sum;
    });
  }
  return target;
}

/** A loss of a prediction and a target whose difference is larger than rounding errors. */
function loss(
  name: string,
  f: (a: Tensor, b: Tensor, options: { reduction: 'mean' | 'sum' | 'none' }) => Tensor,
  torch: string,
): Row {
  return row({
    name,
    bound: 5e-7,
    draw: (draw) => {
      const shape = draw.shape({ least: 1 });
      const [a, b] = draw.shuffled([
        [1, 2],
        [-2, 0.75],
      ] as const);
      return {
        inputs: [draw.tensor(shape, a), draw.tensor(shape, b)],
        attributes: { reduction: reductionOf(draw) },
      };
    },
    langevin: ([a, b], options) => f(a, b, options),
    torch: `lambda a, b, reduction: ${torch}`,
  });
}

/** A loss whose differences are often 0, 1 or 2, which are kinks. */
function tied(name: string, f: (a: Tensor, b: Tensor) => Tensor, torch: string): Row {
  return row({
    name,
    bound: 2e-7,
    draw: (draw) => {
      const shape = draw.shape({ least: 1 });
      return { inputs: [draw.ties(shape), draw.ties(shape)], attributes: {} };
    },
    langevin: ([a, b]) => f(a, b),
    torch: `lambda a, b: ${torch}`,
  });
}

/**
 * The normalised last axes, and ε. With few elements all deviations can be small, and their gradient large or
 * 0: then ε is large.
 */
function normalised(draw: Draw, x: readonly number[]) {
  const shape = x.slice(draw.integer(0, x.length - 1));
  const few = shape.reduce((product, n) => product * n, 1) < 5;
  return { shape, eps: few ? 0.5 : draw.oneOf([1e-5, 1e-3]) };
}

/** A normalisation with that many parameters of the normalised shape: all of them, or none. */
function normalisation(
  name: string,
  parameters: number,
  f: (xs: Tensor[], attributes: { shape: readonly number[]; eps: number }) => Tensor,
  torch: string,
): Row {
  return row({
    name,
    bound: 2e-6,
    floor: 1,
    draw: (draw) => {
      const x = draw.shape({ rank: [1, 4], least: 1 });
      const attributes = normalised(draw, x);
      const affine = Array.from({ length: draw.chance(0.7) ? parameters : 0 }, () =>
        draw.tensor(attributes.shape),
      );
      return { inputs: [draw.tensor(x, [-2, 2]), ...affine], attributes };
    },
    langevin: f,
    torch,
  });
}

export const NN: readonly Row[] = [
  row({
    name: 'mse',
    bound: 5e-7,
    draw: (draw) => {
      const shape = draw.shape({ least: 1 });
      return { inputs: [draw.tensor(shape, [1, 2]), draw.tensor(shape, [-2, 0.5])], attributes: {} };
    },
    langevin: ([a, b]) => mse(a, b),
    torch: 'lambda a, b: F.mse_loss(a, b)',
  }),
  loss('l1Loss', l1Loss, 'F.l1_loss(a, b, reduction=reduction)'),
  loss(
    'huberLoss',
    (a, b, options) => huberLoss(a, b, { ...options, delta: 1.5 }),
    'F.huber_loss(a, b, reduction=reduction, delta=1.5)',
  ),
  tied('mse at ties', (a, b) => mse(a, b), 'F.mse_loss(a, b)'),
  tied('l1Loss at ties', (a, b) => l1Loss(a, b), 'F.l1_loss(a, b)'),
  tied('huberLoss at ties', (a, b) => huberLoss(a, b, { delta: 2 }), 'F.huber_loss(a, b, delta=2)'),
  row({
    name: 'bceWithLogits',
    bound: 1e-6,
    floor: 0.1,
    draw: (draw) => {
      const shape = draw.shape({ least: 1 });
      const far = draw.oneOf([4, 4, 60]);
      return {
        inputs: [draw.tensor(shape, [-far, far]), draw.tensor(shape, [0, 1])],
        attributes: { reduction: reductionOf(draw), posWeight: draw.oneOf([1, 1, 0.25, 3]) },
      };
    },
    langevin: ([x, t], options) => bceWithLogits(x, t, options),
    torch:
      'lambda x, t, reduction, posWeight: F.binary_cross_entropy_with_logits(' +
      'x, t, reduction=reduction, pos_weight=torch.tensor(posWeight))',
  }),
  row({
    name: 'crossEntropy with labels',
    bound: 1e-6,
    floor: 0.1,
    draw: (draw) => {
      const { x, rows, classes } = logits(draw);
      return {
        inputs: [x],
        attributes: {
          labels: draw.integers(rows, 0, classes - 1),
          reduction: reductionOf(draw),
          weight: draw.chance(0.3) ? Array.from(draw.values(classes, [0.5, 2])) : null,
          labelSmoothing: draw.oneOf([0, 0, 0.125]),
        },
      };
    },
    langevin: ([x], { labels, ...options }) => crossEntropy(x, labels, options),
    torch:
      'lambda x, labels, **options: cross_entropy(x, torch.tensor(labels).reshape(x.shape[:-1]), **options)',
  }),
  row({
    name: 'crossEntropy with probabilities',
    bound: 1e-6,
    floor: 0.1,
    draw: (draw) => {
      const { x, classes } = logits(draw);
      return {
        inputs: [x, distributions(draw, x)],
        attributes: {
          reduction: reductionOf(draw),
          weight: draw.chance(0.3) ? Array.from(draw.values(classes, [0.5, 2])) : null,
          labelSmoothing: draw.oneOf([0, 0, 0.125]),
        },
      };
    },
    langevin: ([x, target], options) => crossEntropy(x, target, options),
    torch:
      'lambda x, target, **options: cross_entropy(x, target.movedim(-1, min(1, x.dim() - 1)), **options)',
  }),

  normalisation(
    'layerNorm',
    2,
    ([x, weight = null, bias = null], { shape, eps }) => layerNorm(x, shape, { weight, bias, eps }),
    'lambda x, weight=None, bias=None, *, shape, eps: F.layer_norm(x, shape, weight, bias, eps)',
  ),
  normalisation(
    'rmsNorm',
    1,
    ([x, weight = null], { shape, eps }) => rmsNorm(x, shape, { weight, eps }),
    'lambda x, weight=1, *, shape, eps: rms_norm(x, shape, eps) * weight',
  ),
  normalisation(
    'LayerNorm',
    2,
    ([x, weight, bias], { shape, eps }) =>
      call(new LayerNorm(shape, { eps, affine: weight !== undefined }), x, weight ? { weight, bias } : {}),
    'lambda x, *affine, shape, eps: ' +
      "call(nn.LayerNorm(shape, eps, bool(affine)), x, **dict(zip(['weight', 'bias'], affine)))",
  ),
  normalisation(
    'RMSNorm',
    1,
    ([x, weight], { shape, eps }) =>
      call(new RMSNorm(shape, { eps, affine: weight !== undefined }), x, weight ? { weight } : {}),
    'lambda x, weight=1, *, shape, eps: rms_norm(x, shape, eps) * weight',
  ),
  row({
    name: 'Linear',
    bound: 1e-6,
    draw: (draw) => {
      const [inFeatures, outFeatures] = [draw.size(1), draw.size(1)];
      const x = [...draw.shape({ rank: [1, 3] }), inFeatures];
      return {
        inputs: [x, [outFeatures, inFeatures], [outFeatures]].map((shape) => draw.tensor(shape)),
        attributes: { inFeatures, outFeatures },
      };
    },
    langevin: ([x, weight, bias], { inFeatures, outFeatures }) =>
      call(new Linear(inFeatures, outFeatures), x, { weight, bias }),
    torch:
      'lambda x, w, b, inFeatures, outFeatures: call(nn.Linear(inFeatures, outFeatures), x, weight=w, bias=b)',
  }),
  row({
    name: 'Embedding',
    bound: 5e-7,
    draw: (draw) => {
      const [count, features] = [draw.size(1), draw.size(1)];
      const rows = Array.from({ length: draw.integer(1, 5) }, () => draw.integers(3, 0, count - 1));
      return { inputs: [draw.tensor([count, features])], attributes: { indices: rows } };
    },
    langevin: ([weight], { indices }) =>
      Object.assign(new Embedding(weight.shape[0], weight.shape[1]), { weight }).forward(indices),
    torch: 'lambda weight, indices: call(nn.Embedding(*weight.shape), torch.tensor(indices), weight=weight)',
  }),
  row({
    name: 'Flatten',
    bound: 0,
    draw: (draw) => ({ inputs: [draw.tensor(draw.shape({ rank: [2, 5] }), [-2, 2])], attributes: {} }),
    langevin: ([x]) => new Flatten().forward(x),
    torch: 'lambda x: nn.Flatten()(x)',
  }),
];
