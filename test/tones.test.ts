/** Tones of diffusion models: their table, the way to it and back, and what a file may say of them. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { createDataset } from '../src/data/dataset.ts';
import { FormatError, ValueError } from '../src/errors.ts';
import { matchedCuts, matchedGreys, matchedKinds } from '../src/models/cuts.ts';
import { NoiseClassifier } from '../src/models/networks/noise-classifier.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionInfo, diffusionOf } from '../src/models/pipeline.ts';
import { samplePictures } from '../src/models/sample.ts';
import { decodeTones, encodeTones, spreadTones } from '../src/models/tones.ts';
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

  /** Pictures of 16 pixels, half of them ground; the plateau has 5 pixels, and each grey of the slope is another. */
  const ofPlateau = (plateau: number) => [
    ...new Array(8).fill(0),
    60,
    120,
    180,
    ...new Array(5).fill(plateau),
  ];
  const pictures = (plateaus: readonly number[]) =>
    createDataset({
      name: 'plateaus',
      height: 4,
      width: 4,
      classes: 1,
      images: Uint8Array.from(plateaus.flatMap(ofPlateau)),
      labels: new Uint8Array(plateaus.length),
    });

  test('kinds give each sample the greys of the pictures of its own plateau', () => {
    const data = pictures(new Array(30).fill([250, 250, 254, 254, 254]).flat());
    const rng = new Rng(5);
    const noise = scope(() => rng.normal([200 * 16]).toTypedArray());
    // A network that gives every picture its own brightness, and mixes the numbers within it.
    const values = Float64Array.from({ length: 200 * 16 }, (_, i) => {
      const [sample, pixel] = [Math.floor(i / 16), i % 16];
      const brightness = 0.6 + (0.3 * ((sample * 7) % 200)) / 200;
      if (pixel < 8) return -0.9 + 0.01 * noise[i];
      return (pixel < 11 ? -0.6 + 0.3 * (pixel - 8) : brightness) + 0.004 * noise[i];
    });
    const greys = matchedGreys(values, data);
    assert.is(greys.kinds.length, 2);
    const made = (settings: object, size?: number) =>
      [...decodeTones(values, settings, size)].map((value) => Math.round(255 * value));
    const plateausOf = (all: readonly number[]) =>
      Array.from({ length: 200 }, (_, i) => new Set(all.slice(16 * i + 11, 16 * i + 16)));
    const apart = plateausOf(made(greys, 16));
    const counts = [250, 254].map((grey) => apart.filter((set) => set.size === 1 && set.has(grey)).length);
    assert.ok(Math.abs(counts[0] - 80) <= 2 && Math.abs(counts[1] - 120) <= 2, `${counts}`);
    const mixed = plateausOf(made({ cuts: greys.cuts })).filter((set) => set.size > 1);
    assert.ok(mixed.length > 0, 'common cuts split the numbers of a picture');
    assert.equal(
      made(greys, 16).filter((grey) => grey === 0).length,
      200 * 8,
      'the ground is common to all kinds',
    );
    // A sample has the same greys alone as among others.
    const alone = decodeTones(values.subarray(16 * 3, 16 * 4), greys, 16);
    assert.equal([...alone], [...decodeTones(values, greys, 16)].slice(16 * 3, 16 * 4));
  });

  test('a rare plateau belongs to the nearest kind, the kinds have the shares of the data, and one kind is none', () => {
    // Of a hundred pictures three have the plateau 251, which is nearer to 250 than to 254.
    const plateaus = [...new Array(40).fill(250), 251, 251, 251, ...new Array(57).fill(254)];
    const cuts = Array.from({ length: 255 }, (_, i) => -0.9 + i / 200);
    const brightness = (sample: number) => 0.5 + 0.004 * ((sample * 7) % 100);
    const values = Float64Array.from({ length: 100 * 16 }, (_, i) =>
      i % 16 < 8 ? -1 : brightness(Math.floor(i / 16)),
    );
    const kinds = matchedKinds(values, pictures(plateaus), cuts);
    assert.equal(
      kinds.map(({ from }) => from),
      [-1, 0.672],
    );
    for (const kind of kinds) assert.is(kind.cuts[0], cuts[0]);
    // The darker kind has no 254. Its largest number is at all the last cuts.
    const greys = decodeTones(values, { cuts, kinds }, 16);
    const lightest = Array.from({ length: 100 }, (_, i) => Math.round(255 * greys[16 * i + 15]));
    assert.is(lightest.filter((grey) => grey === 254).length > 0, true);
    for (const [i, grey] of lightest.entries())
      if (brightness(i) < 0.667) assert.ok(grey <= 251, `${i}: ${grey}`);
    assert.equal(matchedKinds(values, pictures(new Array(20).fill(200)), cuts), []);
  });

  test('a file keeps the kinds, a file of one table of cuts stays readable, and wrong kinds are refused', () => {
    const cuts = Array.from({ length: 255 }, (_, i) => i / 255);
    const kinds = [
      { from: -1, cuts },
      { from: 0.7, cuts: cuts.map((cut) => cut / 2) },
    ];
    const read = (settings: object) => {
      const made = model([]);
      const info = { ...diffusionInfo(made), settings: { ...FLOW, ...settings }, seed: 0 };
      return diffusionOf(decodeCheckpoint(encodeCheckpoint(made.network, info), 'file')).settings;
    };
    assert.equal(read({ cuts, kinds }), { ...FLOW, cuts, kinds });
    assert.equal(read({ cuts }), { ...FLOW, cuts });
    refused(() => read({ kinds }), FormatError, /^file: kinds: expected common cuts beside them, got none$/);
    const wrong: readonly unknown[] = [
      7,
      [7],
      [{ from: -1 }],
      [{ from: 0, cuts }],
      [kinds[0], { from: -2, cuts }],
      [kinds[0], { from: Number.NaN, cuts }],
      [{ from: -1, cuts: cuts.slice(1) }],
      [{ from: -1, cuts: [] }],
      [...kinds, { from: 0.5, cuts }],
    ];
    for (const kinds of wrong) {
      refused(
        () => read({ cuts, kinds }),
        FormatError,
        /^file: settings: expected kinds to be at most 256 kinds/,
      );
    }
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
