/** Tones of diffusion models: their table, the way to it and back, and what a file may say of them. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { createDataset } from '../src/data/dataset.ts';
import { FormatError, ValueError } from '../src/errors.ts';
import { NoiseClassifier } from '../src/models/networks/noise-classifier.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionInfo, diffusionOf } from '../src/models/pipeline.ts';
import { samplePictures } from '../src/models/sample.ts';
import { decodeTones, encodeTones, matchedCuts, spreadTones } from '../src/models/tones.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const set = (images: Uint8Array) =>
  createDataset({
    name: 'greys',
    height: 1,
    width: images.length,
    classes: 1,
    images,
    labels: new Uint8Array(1),
  });

/** Mostly ground; the ink is half 254. */
const SPIKED = spreadTones(
  set(Uint8Array.from({ length: 1000 }, (_, i) => (i < 800 ? 0 : i % 2 ? 254 : i % 256))),
);
const GREYS = Float32Array.from({ length: 256 }, (_, grey) => grey / 255);

const TINY = { height: 4, width: 4, classes: 2, hidden: 32, fine: 4, heads: 2, condition: 8 };
const FLOW = { schedule: 'flow', steps: 10, predicts: 'flow' } as const;
const model = (tones: readonly number[]) =>
  new DiffusionPipeline(new UNet({ ...TINY, rng: new Rng(1) }), { ...FLOW, tones });

suite('tones', (test) => {
  test('a table holds 256 numbers that increase from -1 to 1, whatever the pictures', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), byte, (images, frequent) => {
        for (const some of [images, images.fill(frequent)]) {
          const tones = spreadTones(set(some));
          assert.is(tones.length, 256);
          assert.is(tones[0], -1);
          assert.ok(tones[1] >= -0.6 && tones[255] <= 1);
          assert.ok(tones.every((tone, i) => i === 0 || tone > tones[i - 1]));
        }
      }),
    );
  });

  test('a frequent grey has room in proportion to its share of the ink', () => {
    // 254 is half of the ink, and the shares have 0.7 of the range of 1.6. Half of its room lies on each side.
    const room = (SPIKED[255] - SPIKED[253]) / 2;
    const neighbours = [253, 255].map((grey) => SPIKED[grey] - SPIKED[grey - (grey === 253 ? 1 : 0)]);
    assert.ok(room > (1.6 * 0.7 * 0.5) / 2, `${room}`);
    assert.ok(room > 10 * neighbours[0]);
  });

  test('every grey comes back, on its tone and anywhere nearer to it than to its neighbours', () => {
    for (const tones of [SPIKED, []]) {
      scope(() => {
        const encoded = encodeTones(tensor(GREYS, [1, 16, 16, 1]), { tones }).toTypedArray();
        const greys = decodeTones(encoded, { tones });
        assert.ok(greys.every((value, grey) => Math.round(value * 255) === grey));
      });
    }
    for (let grey = 1; grey < 255; grey++) {
      const [below, at, above] = [SPIKED[grey - 1], SPIKED[grey], SPIKED[grey + 1]];
      const near = [at - 0.49 * (at - below), at + 0.49 * (above - at)];
      assert.equal([...decodeTones(near, { tones: SPIKED })], [grey / 255, grey / 255]);
    }
    assert.equal([...decodeTones([-7, 7], { tones: SPIKED })], [0, 1]);
    assert.ok(Number.isNaN(decodeTones([Number.NaN], { tones: SPIKED })[0]));
  });

  test('linear tones are 2·v - 1; a table interpolates between two greys', () => {
    scope(() => {
      const values = [0, 0.3, 0.77, 1];
      const linear = encodeTones(tensor(values, [1, 2, 2, 1]), {}).toTypedArray();
      assert.ok(linear.every((x, i) => Math.abs(x - (2 * values[i] - 1)) < 1e-6));
      const [between] = encodeTones(tensor([100.25 / 255], [1, 1, 1, 1]), { tones: SPIKED }).toTypedArray();
      assert.ok(Math.abs(between - (0.75 * SPIKED[100] + 0.25 * SPIKED[101])) < 1e-4);
    });
  });

  test('an untrained network, which predicts 0, samples greys of the table only', () => {
    const pictures = samplePictures(model(SPIKED), { labels: [0, 1], steps: 2, sampler: 'ddim', seed: 1 });
    assert.ok(pictures.every((value) => Number.isInteger(Math.round(value * 255 * 1e9) / 1e9)));
  });

  test('a file keeps the table, and says nothing of linear tones', () => {
    const written = (tones: readonly number[]) => {
      const made = model(tones);
      return decodeCheckpoint(encodeCheckpoint(made.network, { ...diffusionInfo(made), seed: 0 }), 'file');
    };
    assert.equal(diffusionOf(written(SPIKED)).settings.tones, SPIKED);
    assert.is('tones' in (written([]).settings as object), false);
    assert.equal(diffusionOf(written([])).settings, FLOW);
  });

  test('matched cuts give samples the greys of the data, and each cut is a quantile of the samples', () => {
    const rng = new Rng(4);
    const data = set(Uint8Array.from(rng.bits(5000), (word) => (word % 3 === 0 ? (word >>> 8) % 256 : 0)));
    const values = Float64Array.from(
      scope(() => rng.normal([20_000]).toTypedArray()),
      Math.tanh,
    );
    const cuts = matchedCuts(values, data);
    const shares = (greys: ArrayLike<number>) => {
      const counts = new Float64Array(256);
      for (let i = 0; i < greys.length; i++) counts[greys[i]] += 1 / greys.length;
      return counts;
    };
    const made = shares(decodeTones(values, { tones: SPIKED, cuts }).map((value) => Math.round(255 * value)));
    for (const [grey, share] of shares(data.images).entries()) {
      assert.ok(Math.abs(made[grey] - share) < 1e-3, `${grey}: ${made[grey]} for ${share}`);
    }
    assert.is(Math.round(255 * decodeTones([cuts[7]], { cuts })[0]) > 7, true);
    assert.ok(Number.isNaN(decodeTones([Number.NaN], { cuts })[0]));
    const pipeline = new DiffusionPipeline(new UNet({ ...TINY, rng: new Rng(1) }), { ...FLOW, cuts });
    assert.equal([...pipeline.decode(values)], [...decodeTones(values, { cuts })]);
    values[3] = Number.NaN;
    refused(() => matchedCuts(values, data), ValueError, /^cuts: expected samples of numbers, got NaN$/);
    values[3] = 0;
    const falling = cuts.with(100, 1);
    refused(
      () => new DiffusionPipeline(pipeline.network, { ...FLOW, cuts: falling }),
      ValueError,
      /^cuts: expected 255/,
    );
  });

  test('a table of another length, order or range is refused, in settings and in a file', () => {
    const swapped = SPIKED.with(3, SPIKED[5]);
    for (const tones of [SPIKED.slice(1), swapped, SPIKED.with(255, 1.5), SPIKED.with(9, Number.NaN)]) {
      refused(
        () => model(tones),
        ValueError,
        /^tones: expected 256 numbers that increase, from -1 to 1, or none, got/,
      );
      const made = model([]);
      const settings = { ...FLOW, tones };
      const bytes = encodeCheckpoint(made.network, { ...diffusionInfo(made), settings, seed: 0 });
      refused(
        () => diffusionOf(decodeCheckpoint(bytes, 'file')),
        FormatError,
        /^file: settings: expected tones to be 256 numbers that increase, from -1 to 1, got a list$/,
      );
    }
  });

  test('a classifier of noisy pictures guides only a model of its own tones', () => {
    const sizes = { height: 4, width: 4, channels: 1, classes: 2 };
    const guide = (tones: readonly number[]) => new NoiseClassifier(sizes, { ...FLOW, tones }, new Rng(1));
    const sampled = (tones: readonly number[]) =>
      samplePictures(model(SPIKED), {
        labels: [0],
        steps: 2,
        guidance: 0,
        classifier: { model: guide(tones), scale: 1 },
      });
    assert.is(sampled(SPIKED).length, 16);
    refused(() => sampled([]), ValueError, /expected a classifier of the same tones/);
  });
});
