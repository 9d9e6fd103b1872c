/** Losses and layers. A layer computes with the parameters of the case, in langevin and in PyTorch's own module. */

import { crossEntropy, type Layer, Linear, mse, type Tensor } from '../../../src/index.ts';
import { type Row, row } from '../row.ts';

/** A layer at x, with the given tensors in place of its own parameters. */
function call(layer: Layer, x: Tensor, parameters: Readonly<Record<string, Tensor>>): Tensor {
  return Object.assign(layer, parameters).forward(x);
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
  row({
    name: 'crossEntropy with labels',
    bound: 1e-6,
    floor: 0.5,
    draw: (draw) => {
      const [rows, classes] = [draw.size(1), draw.size(1)];
      return {
        inputs: [draw.tensor([rows, classes], [-4, 4])],
        attributes: { labels: draw.integers(rows, 0, classes - 1) },
      };
    },
    langevin: ([x], { labels }) => crossEntropy(x, labels),
    torch: 'lambda x, labels: F.cross_entropy(x, torch.tensor(labels))',
  }),
  row({
    name: 'Linear',
    bound: 1e-6,
    draw: (draw) => {
      const [inFeatures, outFeatures] = [draw.size(1), draw.size(1)];
      return {
        inputs: [[draw.size(), inFeatures], [outFeatures, inFeatures], [outFeatures]].map((s) =>
          draw.tensor(s),
        ),
        attributes: { inFeatures, outFeatures },
      };
    },
    langevin: ([x, weight, bias], { inFeatures, outFeatures }) =>
      call(new Linear(inFeatures, outFeatures), x, { weight, bias }),
    torch:
      'lambda x, w, b, inFeatures, outFeatures: call(nn.Linear(inFeatures, outFeatures), x, weight=w, bias=b)',
  }),
];
