/**
 * The training step of the lecture's diffusion model with T = 5 times. Between five times there are four steps. A batch
 * of 64 pictures gets noise of variance 1/4 in each step. The model is 785-400-400-784 with ReLU. Its input is a
 * picture and the time, so the width is 785. In each step the model predicts (data - denoised)/dt with
 * denoised = noisy - randn·sqrt(dt). The loss needs four forward passes. There is one backward pass and one step of
 * Adam.
 */
import { scope } from '../src/autograd/tape.ts';
import { ReLU } from '../src/nn/activation.ts';
import { Linear } from '../src/nn/linear.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { Adam } from '../src/optim/adam.ts';
import { Rng } from '../src/random/rng.ts';
import { full } from '../src/tensor/create.ts';
import { cat, mse } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { type Program, productFlop, programCase } from './program.ts';
import type { Subject } from './subject.ts';

const BATCH = 64;
const PIXELS = 784;
const WIDTHS = [PIXELS + 1, 400, 400, PIXELS];
/** linspace(0, 1, 5). Four of these values are used as times. */
const TIMES = [0, 0.25, 0.5, 0.75];
const DT = 0.25;

export const lectureStep: Program = {
  name: 'lecture step',
  shape: `${TIMES.length}x${BATCH}x${WIDTHS.join('-')}`,
  flop: TIMES.length * productFlop(BATCH, WIDTHS),
  make() {
    const rng = new Rng('lecture');
    const layer = (i: number) => new Linear(WIDTHS[i]!, WIDTHS[i + 1]!, { rng });
    const model = new Sequential(layer(0), new ReLU(), layer(1), new ReLU(), layer(2));
    const adam = new Adam(model.parameters());
    const data = scope(() => rng.uniform([BATCH, PIXELS]).keep());
    const noise = () => rng.normal(data.shape).mul(Math.sqrt(DT));
    return (watch) =>
      scope(() => {
        let noisy = data;
        for (const _ of TIMES) noisy = noisy.add(noise());
        let loss: Tensor | undefined;
        for (const t of TIMES.toReversed()) {
          const denoised = noisy.sub(noise());
          const predicted = model.forward(cat([denoised, full([BATCH, 1], t)], 1));
          const term = mse(predicted, data.sub(denoised).div(DT));
          loss = loss ? loss.add(term) : term;
        }
        adam.zeroGrad();
        loss!.backward();
        adam.step();
        watch?.(loss!);
      });
  },
};

export const lecture: Subject = {
  name: 'lecture',
  title: "The lecture's five-step diffusion step and its kernels. Twin: the reference backend.",
  cases: ({ quick }) => [programCase(lectureStep, quick)],
};
