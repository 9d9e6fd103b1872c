/** Batch normalisation, in training and in evaluation. langevin has the channels last, PyTorch has them second. */
import { BatchNorm2d } from '../../../src/index.ts';
import { type Row, row } from '../row.ts';

/** x normalised by a module, and the module's averages after it. */
const torch = (mode: string) =>
  `lambda x, weight, bias, mean, var, momentum, eps: (lambda m, v: [F.batch_norm(x.permute(0, 3, 1, 2), m, v, weight, bias, ${mode}, momentum, eps).permute(0, 2, 3, 1), m, v])(mean.detach().clone(), var.detach().clone())`;

const normalisation = (name: string, training: boolean): Row =>
  row({
    name,
    bound: 3e-6,
    // The gradient of the weight is a sum of dy·x̂, in which x̂ has the mean 0: it cancels.
    floor: 10,
    draw: (draw) => {
      const channels = draw.integer(1, 20);
      const map = [draw.integer(1, 6), draw.integer(1, 6)];
      return {
        inputs: [
          draw.tensor([draw.oneOf([2, 3, 7]), ...map, channels], [-2, 2]),
          draw.tensor([channels]),
          draw.tensor([channels]),
          draw.constant([channels], [-1, 1]),
          draw.constant([channels], [0.5, 2]),
        ],
        attributes: { momentum: draw.uniform(0, 1), eps: 0.1 },
      };
    },
    langevin: ([x, weight, bias, mean, variance], options) => {
      const layer = new BatchNorm2d(weight.shape[0], options).train(training);
      layer.running_mean!.copyFrom(mean);
      layer.running_var!.copyFrom(variance);
      const y = Object.assign(layer, { weight, bias }).forward(x);
      return [y, layer.running_mean!, layer.running_var!];
    },
    torch: torch(training ? 'True' : 'False'),
  });

export const BATCH_NORM: readonly Row[] = [
  normalisation('BatchNorm2d', true),
  normalisation('BatchNorm2d in evaluation', false),
];
