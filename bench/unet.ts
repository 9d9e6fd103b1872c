/**
 * A training step of a small U-Net with 174,817 parameters. PyTorch has the same network in bench/peers. The network
 * predicts the noise of 64 pictures of 28x28. A step has the forward pass, the mean squared error, the backward pass,
 * and Adam.
 *
 *     3x3 1->32                                28x28
 *     block 32                                 28x28   kept for the skip
 *     3x3 32->64, stride 2                     14x14
 *     block 64                                 14x14
 *     nearest upsampling, 3x3 64->32           28x28
 *     concatenation with the skip, block 64->32
 *     3x3 32->1
 *
 * A block starts with a 3x3 convolution, GroupNorm(8) and SiLU. Then it adds a linear layer of the time embedding. A
 * second 3x3 convolution, GroupNorm(8) and SiLU follow. At the end it adds the block's input. If the channels differ,
 * the input first passes a 1x1 convolution. The time embedding is 32 sinusoids, linear 64, SiLU, linear 64.
 */
import { scope } from '../src/autograd/tape.ts';
import { withFastConvolutions } from '../src/models/benchmark/works.ts';
import { Conv2d } from '../src/nn/conv.ts';
import { Linear } from '../src/nn/linear.ts';
import { Module } from '../src/nn/module.ts';
import { GroupNorm } from '../src/nn/norm.ts';
import { TimeEmbedding } from '../src/nn/time-embedding.ts';
import { UpsampleConv2d } from '../src/nn/upsample-conv.ts';
import { Adam } from '../src/optim/adam.ts';
import { Rng } from '../src/random/rng.ts';
import { cat, mse } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { type Program, programCase } from './program.ts';
import type { Make, Subject } from './subject.ts';

const BATCH = { quick: 2, full: 64 };
const SIDE = 28;
const GROUPS = 8;
/** The size of the time embedding. */
const SINUSOIDS = 32;
const HIDDEN = 64;
const NOISE = 0.5;

class Block extends Module {
  readonly first: Conv2d;
  readonly firstNorm: GroupNorm;
  readonly time: Linear;
  readonly second: Conv2d;
  readonly secondNorm: GroupNorm;
  readonly skip: Conv2d | null;

  constructor(from: number, to: number, rng: Rng) {
    super();
    this.first = new Conv2d(from, to, 3, { padding: 1, rng });
    this.firstNorm = new GroupNorm(GROUPS, to, { activation: 'silu' });
    this.time = new Linear(HIDDEN, to, { rng });
    this.second = new Conv2d(to, to, 3, { padding: 1, rng });
    this.secondNorm = new GroupNorm(GROUPS, to, { activation: 'silu' });
    this.skip = from === to ? null : new Conv2d(from, to, 1, { rng });
  }

  forward(x: Tensor, embedding: Tensor): Tensor {
    const shift = this.time.forward(embedding).unsqueeze(1).unsqueeze(1);
    const inner = this.firstNorm.forward(this.first.forward(x)).add(shift);
    const outer = this.secondNorm.forward(this.second.forward(inner));
    return outer.add(this.skip ? this.skip.forward(x) : x);
  }
}

/** The network. It is exported because a test counts its parameters. */
export class ComparisonUNet extends Module {
  readonly time: TimeEmbedding;
  readonly stem: Conv2d;
  readonly fine: Block;
  readonly down: Conv2d;
  readonly coarse: Block;
  readonly up: UpsampleConv2d;
  readonly merge: Block;
  readonly last: Conv2d;

  constructor(rng: Rng) {
    super();
    this.time = new TimeEmbedding(SINUSOIDS, HIDDEN, { rng });
    this.stem = new Conv2d(1, 32, 3, { padding: 1, rng });
    this.fine = new Block(32, 32, rng);
    this.down = new Conv2d(32, 64, 3, { stride: 2, padding: 1, rng });
    this.coarse = new Block(64, 64, rng);
    this.up = new UpsampleConv2d(64, 32, { rng });
    this.merge = new Block(64, 32, rng);
    this.last = new Conv2d(32, 1, 3, { padding: 1, rng });
  }

  /** From pictures [b, 28, 28, 1] and one time per picture to predicted noise of the same shape. */
  forward(x: Tensor, times: ArrayLike<number>): Tensor {
    const embedding = this.time.forward(times);
    const skip = this.fine.forward(this.stem.forward(x), embedding);
    const coarse = this.coarse.forward(this.down.forward(skip), embedding);
    const both = cat([skip, this.up.forward(coarse)], 3);
    return this.last.forward(this.merge.forward(both, embedding));
  }
}

/** The convolutions: pixels of the result, kernel, channels. The first one needs no gradient to its input. */
const FINE = SIDE * SIDE;
const COARSE = FINE / 4;
const CONVOLUTIONS = [
  [FINE, 3, 1, 32],
  [FINE, 3, 32, 32],
  [FINE, 3, 32, 32],
  [COARSE, 3, 32, 64],
  [COARSE, 3, 64, 64],
  [COARSE, 3, 64, 64],
  [FINE, 3, 64, 32],
  [FINE, 3, 64, 32],
  [FINE, 3, 32, 32],
  [FINE, 1, 64, 32],
  [FINE, 3, 32, 1],
] as const;

/** The flop of the convolutions in a step, counted for the direct sum. */
function convolutionFlop(batch: number): number {
  const forward = CONVOLUTIONS.map(
    ([pixels, kernel, from, to]) => 2 * batch * pixels * kernel * kernel * from * to,
  );
  return 3 * forward.reduce((a, b) => a + b, 0) - forward[0]!;
}

const unetStep = (batch: number): Program => ({
  name: 'comparison unet step',
  shape: `${batch}x${SIDE}x${SIDE}`,
  flop: convolutionFlop(batch),
  make() {
    const rng = new Rng('unet');
    const model = new ComparisonUNet(rng);
    const adam = new Adam(model.parameters());
    const clean = scope(() => rng.uniform([batch, SIDE, SIDE, 1]).keep());
    const times = Float64Array.from({ length: batch }, (_, i) => Math.floor((1000 * i) / batch));
    return (watch) =>
      scope(() => {
        adam.zeroGrad();
        const noise = rng.normal(clean.shape);
        const loss = mse(model.forward(clean.add(noise.mul(NOISE)), times), noise);
        loss.backward();
        adam.step();
        watch?.(loss);
      });
  },
});

export const comparisonUNetStep = unetStep(BATCH.full);

/** The same step with fast convolutions. Its kernels have no rows, because the replay of a single call is standard. */
const fastly = ({ name, make, ...rest }: Program): Program => ({
  ...rest,
  name: `${name}, fast convolutions`,
  make() {
    const step = make();
    return (watch) => withFastConvolutions(() => step(watch));
  },
});

/** The twin of a whole batch would take a minute, so a full run has none. */
const withoutTwin =
  (make: Make): Make =>
  (memory) => {
    const { twin: _, difference: __, ...rest } = make(memory);
    return rest;
  };

const withoutParts =
  (make: Make): Make =>
  (memory) => {
    const { parts: _, ...rest } = make(memory);
    return rest;
  };

export const unet: Subject = {
  name: 'unet',
  title:
    'A training step of a small U-Net and its kernels; flop of its convolutions by their direct sums. Twin: the reference backend.',
  cases: ({ quick }) => {
    const step = quick ? unetStep(BATCH.quick) : comparisonUNetStep;
    const both = [programCase(step, quick), withoutParts(programCase(fastly(step), quick))];
    return quick ? both : both.map(withoutTwin);
  },
};
