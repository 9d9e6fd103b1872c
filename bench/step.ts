/**
 * The denoiser's training step. 64 pictures get noise of the standard deviation 0.5. The model is 784-400-400-400-784,
 * with ReLU between the layers and a sigmoid at the end. A step has the forward pass, the mean squared error, the
 * backward pass, and Adam.
 */
import { scope } from '../src/autograd/tape.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { addNoise } from '../src/models/training/denoiser.ts';
import { Adam } from '../src/optim/adam.ts';
import { Rng } from '../src/random/rng.ts';
import { mse } from '../src/tensor/functions.ts';
import { type Program, productFlop, programCase } from './program.ts';
import type { Subject } from './subject.ts';

const BATCH = 64;
const WIDTHS = [784, 400, 400, 400, 784];
const NOISE = 0.5;

export const denoiserStep: Program = {
  name: 'denoiser step',
  shape: `${BATCH}x${WIDTHS.join('-')}`,
  flop: productFlop(BATCH, WIDTHS),
  make() {
    const rng = new Rng('denoiser');
    const model = new Denoiser({ rng });
    const adam = new Adam(model.parameters());
    const clean = scope(() => rng.uniform([BATCH, WIDTHS[0]!]).keep());
    return (watch) =>
      scope(() => {
        adam.zeroGrad();
        const loss = mse(model.forward(addNoise(clean, NOISE, rng)), clean);
        loss.backward();
        adam.step();
        watch?.(loss);
      });
  },
};

export const step: Subject = {
  name: 'step',
  title: "The denoiser's training step and its kernels. Twin: the reference backend, float64 in TypeScript.",
  cases: ({ quick }) => [programCase(denoiserStep, quick)],
};
