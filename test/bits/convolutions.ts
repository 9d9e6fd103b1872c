/**
 * Four training steps of a network with each kind of convolution, pooling, normalisation and attention. Its
 * convolutions are a first and a last layer with few channels, 3x3 by Winograd, strides, groups, a transposed and an
 * upsampling one. Maps have odd sides, so that the edges of all tiles are used.
 */
import { scope } from '../../src/autograd/tape.ts';
import { setConvolutions } from '../../src/backend/backend.ts';
import { MultiheadAttention } from '../../src/nn/attention.ts';
import { BatchNorm2d } from '../../src/nn/batch-norm.ts';
import { Conv2d } from '../../src/nn/conv.ts';
import { ConvTranspose2d } from '../../src/nn/conv-transpose.ts';
import { Module } from '../../src/nn/module.ts';
import { GroupNorm } from '../../src/nn/norm.ts';
import { AvgPool2d, MaxPool2d } from '../../src/nn/pool.ts';
import { UpsampleConv2d } from '../../src/nn/upsample-conv.ts';
import { Adam } from '../../src/optim/adam.ts';
import { Rng, type Seed } from '../../src/random/rng.ts';
import { cat, mse } from '../../src/tensor/functions.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { Hash } from './hash.ts';

const STEPS = 4;
const BATCH = 9;
const SIDE = 15;

class Network extends Module {
  readonly first: Conv2d;
  readonly firstNorm = new GroupNorm(8, 32, { activation: 'silu' });
  readonly same: Conv2d;
  readonly batchNorm = new BatchNorm2d(32);
  readonly down: Conv2d;
  readonly grouped: Conv2d;
  readonly depthwise: Conv2d;
  readonly attention: MultiheadAttention;
  readonly max = new MaxPool2d(2, { padding: 1 });
  readonly mean = new AvgPool2d(2, { padding: 1 });
  readonly back: ConvTranspose2d;
  readonly up: UpsampleConv2d;
  readonly pointwise: Conv2d;
  readonly last: Conv2d;

  constructor(rng: Rng) {
    super();
    this.first = new Conv2d(1, 32, 3, { padding: 1, rng });
    this.same = new Conv2d(32, 32, 3, { padding: 1, rng });
    this.down = new Conv2d(32, 48, 3, { stride: 2, padding: 1, rng });
    this.grouped = new Conv2d(48, 48, 3, { padding: 2, dilation: 2, groups: 3, rng });
    this.depthwise = new Conv2d(48, 48, 3, { padding: 1, groups: 48, rng });
    this.attention = new MultiheadAttention(48, 4, { rng });
    this.back = new ConvTranspose2d(48, 32, 4, { stride: 2, padding: 2, outputPadding: 1, rng });
    this.up = new UpsampleConv2d(96, 32, { rng });
    this.pointwise = new Conv2d(80, 48, 1, { rng });
    this.last = new Conv2d(32, 1, 5, { padding: 2, rng });
  }

  forward(x: Tensor): Tensor {
    const fine = this.batchNorm
      .forward(this.same.forward(this.firstNorm.forward(this.first.forward(x))))
      .relu();
    const coarse = this.depthwise.forward(this.grouped.forward(this.down.forward(fine), 'tanh'));
    const [batch, height, width, channels] = coarse.shape;
    const tokens = coarse.reshape([batch, height * width, channels]);
    const attended = tokens.add(this.attention.forward(tokens)).reshape(coarse.shape);
    const pooled = cat([this.max.forward(attended), this.mean.forward(attended)], 3);
    const up = this.up.forward(pooled).slice([0, 0, 0, 0], [batch, height, width, 32]);
    const back = this.back.forward(this.pointwise.forward(cat([up, attended], 3)));
    return this.last.forward(fine.add(back));
  }
}

/** The same with fast convolutions. */
export async function fastConvolutions(seed: Seed): Promise<string> {
  setConvolutions('fast');
  try {
    return await convolutions(seed);
  } finally {
    setConvolutions('standard');
  }
}

export async function convolutions(seed: Seed): Promise<string> {
  const rng = new Rng(seed);
  const model = new Network(rng);
  const adam = new Adam(model.parameters());
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    scope(() => {
      const x = rng.normal([BATCH, SIDE, SIDE, 1]);
      const loss = mse(model.forward(x.add(rng.normal(x.shape))), x);
      adam.zeroGrad();
      loss.backward();
      adam.step();
      losses.push(loss.item());
    });
  }
  const hash = new Hash().tensors(model.stateDict()).numbers('losses', losses);
  model.dispose();
  return hash.digest();
}
