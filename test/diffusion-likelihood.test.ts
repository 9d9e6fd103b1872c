/** Bits per dimension of complete models, on data whose likelihood is known. */
import * as assert from 'uvu/assert';
import { createDataset } from '../src/data/dataset.ts';
import { continuousSchedule } from '../src/diffusion/continuous-schedule.ts';
import { createSchedule } from '../src/diffusion/discrete-schedule.ts';
import { gaussian } from '../src/diffusion/gaussian-mixture.ts';
import type { NoiseSchedule } from '../src/diffusion/schedule.ts';
import { diffusionLikelihood } from '../src/models/evaluation/likelihood.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { suite } from './suite.ts';

const [HEIGHT, WIDTH] = [3, 4];
const PIXELS = HEIGHT * WIDTH;
/** Means and standard deviations of the pixels, in [-1, 1]. */
const MEANS = Float64Array.from({ length: PIXELS }, (_, i) => -0.5 + i / PIXELS);
const STD = 0.15;

/** Pictures of independent normal pixels in 256 grey levels. */
function pictures(n: number, seed: string) {
  const z = new Rng(seed).normal([n, PIXELS]).toTypedArray();
  const images = Uint8Array.from(z, (v, i) => Math.round(((MEANS[i % PIXELS]! + STD * v + 1) / 2) * 255));
  return createDataset({
    name: seed,
    height: HEIGHT,
    width: WIDTH,
    images,
    labels: new Uint8Array(n),
    classes: 1,
  });
}

const DATA = { train: pictures(200, 'train'), test: pictures(100, 'test') };
const best = gaussian(MEANS, STD * STD);

/** The entropy of a pixel in bins of 2/255, a lower bound for every code. */
const ENTROPY = Math.log2(STD * Math.sqrt(2 * Math.PI * Math.E)) - Math.log2(2 / 255);

/** The optimal predictor of these data, with `error` added to or subtracted from each pixel. */
function model(schedule: NoiseSchedule, error = 0) {
  const spoilt = Float64Array.from({ length: PIXELS }, (_, i) => (i % 2 ? error : -error));
  return {
    schedule,
    classes: 0,
    predicts: 'x0' as const,
    network: { parameters: () => [] },
    predict: (x: Tensor, t: number) =>
      best.denoise(x, schedule.level(t)).add(tensor(spoilt, [HEIGHT, WIDTH, 1])),
  };
}

suite('diffusion: likelihood of models', (test) => {
  test('with the best predictor the ODE gives the entropy in bits, and the bound is slightly above it', () => {
    for (const schedule of [createSchedule('cosine', 1000), createSchedule('linear', 1000)]) {
      const { bound, plain, ode } = diffusionLikelihood(model(schedule), DATA, 0);
      // 1,200 pixels: their mean log density has a standard error of 1/√(2·1200)/ln 2 = 0.03.
      assert.ok(Math.abs(ode! - ENTROPY) < 0.09, `${schedule.name}: ${ode} bits, entropy ${ENTROPY}`);
      // Each term has fresh noise: the bound varies by 0.1.
      const { bitsPerDimension } = bound!;
      assert.ok(Math.abs(bitsPerDimension - ENTROPY) < 0.3, `${bitsPerDimension}`);
      assert.ok(Math.abs(plain! - ENTROPY) < 0.3, `${plain} without the skip connection`);
    }
  });

  test('in continuous time there is no bound, and the ODE gives the same likelihood', () => {
    const { bound, plain, ode } = diffusionLikelihood(model(continuousSchedule('vp')), DATA, 0);
    assert.equal([bound, plain], [null, null]);
    assert.ok(Math.abs(ode! - ENTROPY) < 0.12, `${ode} bits, entropy ${ENTROPY}`);
  });

  test('an error that costs a network without skip connection hundreds of bits costs one or two bits with it', () => {
    const { bound, plain, ode } = diffusionLikelihood(model(createSchedule('cosine', 1000), 0.1), DATA, 0);
    assert.ok(plain! > 50, `${plain}`);
    assert.ok(bound!.bitsPerDimension < ENTROPY + 1.5, `${bound!.bitsPerDimension}`);
    assert.ok(bound!.bitsPerDimension > ENTROPY && ode! > ENTROPY);
  });
});
