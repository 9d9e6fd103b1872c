/** The U-Net of diffusion models: its first prediction, its derivative, its file, and refused arguments. */
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { edmPredictor } from '../src/diffusion/edm.ts';
import { classifierFree } from '../src/diffusion/guidance.ts';
import { conversion, PREDICTIONS } from '../src/diffusion/prediction.ts';
import { createSampler, runSampler } from '../src/diffusion/samplers/index.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { diffusionNetworkOf } from '../src/models/networks/registry.ts';
import { UNet, type UNetOptions } from '../src/models/networks/unet.ts';
import { DiffusionPipeline } from '../src/models/pipeline.ts';
import { Rng } from '../src/random/rng.ts';
import { mse } from '../src/tensor/functions.ts';
import { refused } from './helpers.ts';
import { assertSlope } from './helpers-training.ts';
import { suite } from './suite.ts';

const TINY = { height: 8, width: 12, classes: 3, hidden: 32, fine: 4, heads: 2, condition: 8 };
const TIMES = [3, 500];

/** A network with random values for all parameters, also those that start at 0. */
function network(options: UNetOptions = {}): UNet {
  const rng = new Rng(1);
  const made = new UNet({ ...TINY, ...options, rng });
  for (const p of made.parameters()) rng.uniformInto(p, -0.15, 0.15);
  return made;
}

const pictures = (seed: number, batch = 2) => new Rng(seed).normal([batch, TINY.height, TINY.width, 1]);

suite('unet', (test) => {
  test('untrained it predicts 0', () => {
    scope(() => {
      const model = new UNet({ ...TINY, rng: new Rng(1) });
      const y = model.forward(pictures(2), TIMES, { labels: [0, null] });
      assert.equal(y.shape, [2, TINY.height, TINY.width, 1]);
      assert.ok(y.toTypedArray().every((value) => value === 0));
    });
  });

  test('the default network has 1,378,097 parameters', () => {
    const total = new UNet({ rng: new Rng(1) }).parameters().reduce((sum, p) => sum + p.size, 0);
    assert.is(total, 1_378_097);
  });

  test('its gradient agrees with the slope along a random direction, by central differences', () => {
    scope(() => {
      const model = network();
      const [x, target] = [pictures(2), pictures(3)];
      const loss = () => mse(model.forward(x, TIMES, { labels: [1, null] }), target);
      const parameters = model.parameters();
      assertSlope(parameters, loss, 1e-3);
    });
  });

  test('the prediction for a picture depends only on the picture, its time and its label', () => {
    scope(() => {
      const model = network();
      const x = pictures(2);
      const size = TINY.height * TINY.width;
      const both = model.forward(x, TIMES, { labels: [1, 2] }).toTypedArray();
      const alone = model
        .forward(x.slice([1, 0, 0, 0], [2, 8, 12, 1]), [500], { labels: [2] })
        .toTypedArray();
      const largest = Math.max(...both.map(Math.abs));
      const difference = Math.max(...Array.from(alone, (v, i) => Math.abs(v - both[size + i])));
      assert.ok(difference < 1e-5 * largest, `${difference} of ${largest}`);
      for (const [t, labels] of [
        [
          [4, 500],
          [1, 2],
        ],
        [TIMES, [0, 2]],
        [TIMES, [null, 2]],
      ] as const) {
        const other = model.forward(x, t, { labels }).toTypedArray();
        assert.not.equal(other.slice(0, size), both.slice(0, size));
        assert.equal(other.slice(size), both.slice(size));
      }
    });
  });

  test('the same network is read back from its file', () => {
    scope(() => {
      const model = network();
      const bytes = encodeCheckpoint(model, { kind: model.kind, sizes: { ...model.sizes } });
      const loaded = diffusionNetworkOf(decodeCheckpoint(bytes, 'file'));
      const x = pictures(2);
      const run = (of: typeof loaded) => of.forward(x, TIMES, { labels: [1, null] }).toTypedArray();
      assert.equal(run(loaded), run(model));
    });
  });

  test('in a pipeline its output is the prediction, for every kind of prediction', () => {
    scope(() => {
      const model = network();
      const x = pictures(2);
      for (const predicts of PREDICTIONS.filter((kind) => kind !== 'edm')) {
        const pipeline = new DiffusionPipeline(model, { schedule: 'cosine', steps: 1000, predicts });
        const expected = model.forward(x, [300, 300], { labels: [1, 2] }).toTypedArray();
        assert.equal(pipeline.predict(x, 300, [1, 2]).toTypedArray(), expected);
        assert.equal(pipeline.predictEach(x, [300, 300], [1, 2]).toTypedArray(), expected);
      }
    });
  });

  test('in a pipeline that predicts edm it is the denoiser of EDM, with an input of variance 1', () => {
    scope(() => {
      const model = network();
      const x = pictures(2);
      for (const schedule of ['flow', 'cosine'] as const) {
        const pipeline = new DiffusionPipeline(model, { schedule, steps: 1000, predicts: 'edm' });
        const [t, other] = schedule === 'flow' ? [0.3, 0.9] : [300, 900];
        const level = pipeline.schedule.level(t);
        const denoiser = edmPredictor(
          (input) => model.forward(input, [300, 300], { labels: [1, 2] }),
          pipeline.schedule,
        );
        const wanted = denoiser.predict(x, t).toTypedArray();
        const [ofX, ofF] = conversion('edm', 'x0', level);
        for (const prediction of [pipeline.predict(x, t, [1, 2]), pipeline.predictEach(x, [t, t], [1, 2])]) {
          const data = x.mul(ofX).add(prediction.mul(ofF)).toTypedArray();
          data.forEach((value, i) => {
            assert.ok(
              Math.abs(value - wanted[i]) < 1e-5 * Math.max(1, Math.abs(wanted[i])),
              `${value}, ${wanted[i]}`,
            );
          });
        }
        const pair = pipeline.predictEach(x, [t, other], [1, 2]).toTypedArray();
        const second = pipeline.predict(x, other, [1, 2]).toTypedArray();
        assert.equal(pair.slice(pair.length / 2), second.slice(pair.length / 2));
      }
    });
  });

  test('with a learnt variance a pipeline splits the output, guides the prediction, and DDPM adds that noise', () => {
    scope(() => {
      const model = network({ variances: 1 });
      const x = pictures(2);
      const settings = { schedule: 'cosine', steps: 1000, predicts: 'eps' } as const;
      const pipeline = new DiffusionPipeline(model, settings);
      const output = model.forward(x, [300, 300], { labels: [1, 2] }).toTypedArray();
      const [mean, v] = [0, 1].map((half) => output.filter((_, i) => i % 2 === half));
      assert.equal(pipeline.predict(x, 300, [1, 2]).toTypedArray(), mean);
      assert.equal(pipeline.predictEach(x, [300, 300], [1, 2]).toTypedArray(), mean);
      const { share } = pipeline.predictWithVariance!(x, 300, [1, 2]);
      share.toTypedArray().forEach((value, i) => {
        assert.ok(Math.abs(value - (v[i] + 1) / 2) < 1e-6);
      });
      const guided = classifierFree(pipeline, [1, 2], { scale: 3 });
      const both = guided.predictWithVariance!(x, 300);
      assert.equal(both.prediction.toTypedArray(), guided.predict(x, 300).toTypedArray());
      assert.equal(both.share.toTypedArray(), share.toTypedArray());
      // The sampler's noise follows from the model: another one with the smallest variance gives other samples.
      const run = (variance?: 'small' | 'learned') =>
        runSampler(
          createSampler('ddpm', { steps: 4, threshold: 'clip', ...(variance && { variance }) }).sample(
            classifierFree(pipeline, [1, 2]),
            pipeline.schedule,
            x,
            new Rng(0),
          ),
        ).toTypedArray();
      assert.equal(run(), run('learned'));
      assert.not.equal(run(), run('small'));
      refused(
        () => new DiffusionPipeline(model, { ...settings, schedule: 'flow' }),
        ValueError,
        /learnt variance: expected a schedule with steps, such as cosine, got flow/,
      );
      const bytes = encodeCheckpoint(model, { kind: model.kind, sizes: { ...model.sizes } });
      const loaded = diffusionNetworkOf(decodeCheckpoint(bytes, 'file'));
      assert.equal(loaded.forward(x, [300, 300], { labels: [1, 2] }).toTypedArray(), output);
    });
  });

  test('sizes, times and labels that do not fit are refused', () => {
    refused(() => new UNet({ height: 30 }), ValueError, /multiples of 4, got 30 and 28/);
    refused(() => new UNet({ variances: 2 }), ValueError, /variances to be 0 or 1, got 2/);
    refused(() => new UNet({ hidden: 48 }), ValueError, /multiple of 32, got 48/);
    refused(() => new UNet({ heads: 3 }), ValueError, /heads that divide 128 channels, got 3/);
    const model = network();
    scope(() => {
      refused(() => model.forward(pictures(1), [1]), ShapeError, /expected 2 times/);
      refused(() => model.forward(pictures(1), TIMES, { labels: [3, 0] }), ValueError, /from 0 to 2, got 3/);
    });
  });
});
