/** Sampling from given data: RePaint and SDEdit, in closed form on Gaussian data, and as edits of pictures. */
import * as assert from 'uvu/assert';
import { backend } from '../src/backend/backend.ts';
import { continuousSchedule } from '../src/diffusion/continuous-schedule.ts';
import { createSchedule } from '../src/diffusion/discrete-schedule.ts';
import { GaussianMixture, gaussian } from '../src/diffusion/gaussian-mixture.ts';
import { type Predictor, predictor } from '../src/diffusion/prediction.ts';
import { repaint } from '../src/diffusion/repaint.ts';
import {
  createSampler,
  runSampler,
  type Sampler,
  type SamplerName,
  startNoise,
} from '../src/diffusion/samplers/index.ts';
import type { NoiseSchedule } from '../src/diffusion/schedule.ts';
import { spacedLevels } from '../src/diffusion/spacing.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { pictureGrid } from '../src/image/grid.ts';
import type { Edit } from '../src/models/edit.ts';
import { growingSamples } from '../src/models/figures/samples.ts';
import { UNet } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, type TrainingSchedule } from '../src/models/pipeline.ts';
import { labelsInTurn, type SampleOptions, sampleDiffusion, samplePictures } from '../src/models/sample.ts';
import { sampleGrid } from '../src/models/sample-grid.ts';
import { PICTURE_SAMPLERS } from '../src/models/sampling-defaults.ts';
import { Rng } from '../src/random/rng.ts';
import { full, tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, onBackend, refused } from './helpers.ts';
import { suite } from './suite.ts';

/** Two dependent normal numbers: their means and covariance. */
const MEANS = [0.3, -0.2] as const;
const COVARIANCE = [0.3, 0.22, 0.25] as const;

/** E[x0 | x] of them: mean + alpha·C·(alpha²·C + sigma²)⁻¹·(x - alpha·mean). */
function dependent(schedule: NoiseSchedule): Predictor {
  const [a, b, d] = COVARIANCE;
  return predictor('x0', (x, t) => {
    const { alpha, sigma } = schedule.level(t);
    const [A, B, D] = [
      alpha * alpha * a + sigma * sigma,
      alpha * alpha * b,
      alpha * alpha * d + sigma * sigma,
    ];
    const k = alpha / (A * D - B * B);
    const gain = [
      [k * (a * D - b * B), k * (b * D - d * B)],
      [k * (b * A - a * B), k * (d * A - b * B)],
    ];
    return x
      .sub(tensor(MEANS.map((mean) => alpha * mean)))
      .matmul(tensor(gain))
      .add(tensor([...MEANS]));
  });
}

/** Draws nothing but 0: a sampler that is an affine map of its noise then makes its mean. */
class Silence extends Rng {
  constructor() {
    super(0);
  }

  override normalInto(out: Tensor): Tensor {
    return out.set(new Float64Array(out.size));
  }
}

const SCHEDULES = [continuousSchedule('flow'), continuousSchedule('vp'), createSchedule('cosine', 1000)];

const bitsOf = (sampler: Sampler, model: Predictor, schedule: NoiseSchedule, x: Tensor, seed = 'noise') => {
  const made = runSampler(sampler.sample(model, schedule, x, new Rng(seed)));
  const values = [...made.toTypedArray()];
  made.dispose();
  return values;
};

suite('inpainting: RePaint', (test) => {
  for (const schedule of SCHEDULES) {
    test(`the mean of what is made goes to the conditional mean as steps are repeated, on ${schedule.name}`, () =>
      onBackend('reference', () => {
        const known = 0.9;
        const expected = MEANS[1] + (COVARIANCE[1] / COVARIANCE[0]) * (known - MEANS[0]);
        const error = (name: SamplerName, resamples: number) => {
          // What stands at the place that is made must play no role.
          const inpainting = { known: tensor([[known, 1e9]]), mask: tensor([[0, 1]]), resamples };
          const sampler = repaint(name, { steps: 50 }, inpainting);
          const x = runSampler(
            sampler.sample(dependent(schedule), schedule, tensor([[0, 0]]), new Silence()),
          ).toTypedArray();
          assert.is(x[0], known);
          return Math.abs(x[1]! - expected);
        };
        // From the mean without any condition it is a way of 0.44.
        for (const [name, tolerance] of [
          ['ddpm', 0.02],
          ['ddim', 0.03],
          ['heun', 0.03],
          ['dpm-solver-2m', 0.03],
        ] as const) {
          const errors = [1, 4, 20].map((resamples) => error(name, resamples));
          assert.ok(errors[0]! > 0.13 && errors[2]! < tolerance, `${name}: ${errors}`);
          assert.equal(
            errors.toSorted((a, b) => b - a),
            errors,
            name,
          );
        }
      }));
  }

  test('what is made has the spread of the conditional distribution, within the error of few steps', () => {
    const variance = COVARIANCE[2] - COVARIANCE[1] ** 2 / COVARIANCE[0];
    const [n, steps] = [4000, 50];
    for (const schedule of SCHEDULES) {
      const inpainting = { known: tensor([[0.9, 0]]), mask: tensor([[0, 1]]), resamples: 4 };
      const x = startNoise(schedule, [n, 2], new Rng('start'));
      const sampler = repaint('ddim', { steps }, inpainting);
      const made = bitsOf(sampler, dependent(schedule), schedule, x).filter((_, i) => i % 2 === 1);
      const mean = made.reduce((sum, value) => sum + value) / n;
      const got = made.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
      assert.ok(Math.abs(got / variance - 1) < 0.2, `${schedule.name}: ${got} is not about ${variance}`);
    }
  });

  test('every sampler paints the mode of a mixture that the known number belongs to', () => {
    const schedule = continuousSchedule('flow');
    const variance = 0.02;
    const data = new GaussianMixture([
      { weight: 0.5, mean: [0.8, 0.6], variance },
      { weight: 0.5, mean: [-0.8, -0.6], variance },
    ]);
    const n = 200;
    const x = startNoise(schedule, [n, 2], new Rng('start'));
    for (const name of PICTURE_SAMPLERS) {
      const inpainting = { known: tensor([[0.7, 0]]), mask: tensor([[0, 1]]), resamples: 10 };
      const sampler = repaint(name, { steps: 30 }, inpainting);
      const made = bitsOf(sampler, data.predictor(schedule), schedule, x).filter((_, i) => i % 2 === 1);
      const mean = made.reduce((sum, value) => sum + value) / n;
      const spread = Math.sqrt(made.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
      assert.ok(Math.abs(mean - 0.6) < 0.05, `${name}: mean ${mean}`);
      assert.ok(spread > 0.07 && spread < 0.25, `${name}: standard deviation ${spread}`);
    }
  });

  test('where nothing is known it is the sampler itself, to the bit', () => {
    const data = new GaussianMixture([
      { weight: 0.7, mean: [0.5, -0.5, 0.1], variance: 0.1 },
      { weight: 0.3, mean: [-0.5, 0.2, 0.9], variance: 0.05 },
    ]);
    for (const schedule of SCHEDULES) {
      for (const name of ['ddim', 'euler', 'heun', 'dpm-solver-2s'] as const) {
        // Heun chooses its variables by the first level of a run, and here each step is a run.
        if (name === 'heun' && schedule.name === 'cosine') continue;
        const x = startNoise(schedule, [8, 3], new Rng('start'));
        const inpainting = { known: full([3], 0), mask: full([3], 1), resamples: 1 };
        const whole = bitsOf(createSampler(name, { steps: 9 }), data.predictor(schedule), schedule, x);
        const inParts = bitsOf(
          repaint(name, { steps: 9 }, inpainting),
          data.predictor(schedule),
          schedule,
          x,
        );
        assert.equal(inParts, whole, `${name} on ${schedule.name}`);
      }
    }
  });

  test('each step but the last is repeated, known numbers have the noise of their level, and no memory stays', () => {
    const schedule = continuousSchedule('flow');
    const [x, known, mask] = [startNoise(schedule, [500, 2], new Rng(1)), full([2], 0.6), tensor([0, 1])];
    const before = backend().heap.usedBytes;
    const sampler = repaint('heun', { steps: 4 }, { known, mask, resamples: 3 });
    const model = gaussian([0, 0], 0.1).predictor(schedule);
    const steps = [];
    for (const { step, steps: all, level, x: state, evaluations } of sampler.sample(
      model,
      schedule,
      x,
      new Rng(2),
    )) {
      const first = Array.from(state.toTypedArray()).filter((_, i) => i % 2 === 0);
      const mean = first.reduce((sum, value) => sum + value) / 500;
      const std = Math.sqrt(first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 500);
      assert.ok(
        Math.abs(mean - 0.6 * level.alpha) <= 0.15 * level.sigma + 1e-6,
        `mean ${mean} at ${level.t}`,
      );
      assert.ok(Math.abs(std - level.sigma) <= 0.15 * level.sigma + 1e-6, `std ${std} at ${level.t}`);
      steps.push([step, all, evaluations, level.sigma]);
      if (step === all) state.dispose();
    }
    const [, a, b, c] = spacedLevels(schedule, { steps: 4 }).map(({ sigma }) => sigma);
    const levels = [a, a, a, b, b, b, c, c, c, 0];
    assert.equal(
      steps,
      levels.map((sigma, i) => [i + 1, 10, i === 9 ? 19 : 2 * (i + 1), sigma]),
    );
    for (const _ of sampler.sample(model, schedule, x, new Rng(2))) break;
    assert.is(backend().heap.usedBytes, before);
  });

  test('resamples and options that there cannot be are refused', () => {
    const inpainting = { known: full([2], 0), mask: full([2], 1) };
    for (const resamples of [0, 1.5, Number.NaN]) {
      refused(
        () => repaint('ddim', {}, { ...inpainting, resamples }),
        ValueError,
        /repaint: resamples: expected a whole number, 1 or more/,
      );
    }
    refused(() => repaint('ddim', {}, { ...inpainting, jump: 1 } as never), ValueError, /got "jump"/);
    refused(() => repaint('ddi' as 'ddim', {}, inpainting), ValueError, /Did you mean "ddim"\?/);
  });
});

suite('inpainting: SDEdit', (test) => {
  test('a run of some strength begins at that share of the time, in place of the nearest level of the grid', () => {
    for (const schedule of SCHEDULES) {
      const grid = spacedLevels(schedule, { steps: 10 });
      assert.equal(spacedLevels(schedule, { steps: 10, strength: 1 }), grid);
      for (const strength of [1e-9, 0.03, 0.25, 0.5, 0.77, 0.99]) {
        const [first, ...rest] = spacedLevels(schedule, { steps: 10, strength });
        const share = schedule.times
          ? Math.floor(strength * 1000)
          : schedule.tMin + strength * (schedule.tMax - schedule.tMin);
        assert.equal(first, schedule.level(share));
        assert.equal(rest, grid.slice(-rest.length), 'the end of the grid');
        const replaced = grid[grid.length - 1 - rest.length]!;
        for (const { t } of grid.slice(0, -1)) {
          assert.ok(Math.abs(replaced.t - first!.t) <= Math.abs(t - first!.t), `${strength}: ${t} is nearer`);
        }
      }
      for (const strength of [0, -0.1, 1.1, Number.NaN])
        refused(() => spacedLevels(schedule, { strength }), ValueError, /strength above 0, at most 1, got/);
    }
  });

  test('Gaussian data come out with the mean and variance that the probability-flow ODE gives them', () =>
    onBackend('reference', () => {
      // The ODE keeps the standard score: x_end - mean = √(v/V)·(x - alpha·mean), of V = alpha²·v + sigma².
      const [mean, variance, given] = [0.7, 0.2, -0.4];
      const schedule = continuousSchedule('flow');
      for (const strength of [0.2, 0.5, 0.9]) {
        const sampler = createSampler('heun', { steps: 300, strength });
        const { alpha, sigma } = sampler.levels(schedule)[0]!;
        const starts = [0, 1].map((noise) => alpha * given + sigma * noise);
        const [middle, one] = bitsOf(
          sampler,
          gaussian([mean], variance).predictor(schedule),
          schedule,
          tensor(starts, [2, 1]),
        );
        const scale = Math.sqrt(variance / (alpha * alpha * variance + sigma * sigma));
        close(
          [middle!, one! - middle!],
          [mean + scale * alpha * (given - mean), scale * sigma],
          1e-4,
          'moments',
        );
      }
    }));
});

const SIZES = { height: 4, width: 4, hidden: 32, fine: 4, heads: 2, condition: 8 };
/** Tones that are not linear: greys crowd at both ends. */
const TONES = Array.from(
  { length: 256 },
  (_, grey) => Number(((grey / 127.5 - 1) ** 3).toFixed(6)) + 1e-6 * (grey - 127.5),
).map((tone) => Math.min(1, Math.max(-1, tone)));

/** A U-Net of 4x4 pictures with weights that make something. */
function model(schedule: TrainingSchedule, tones: readonly number[] = [], classes = 10): DiffusionPipeline {
  const rng = new Rng(1);
  const network = new UNet({ ...SIZES, classes, rng });
  for (const p of network.parameters()) rng.uniformInto(p, -0.2, 0.2);
  return new DiffusionPipeline(network, { schedule, steps: 40, predicts: 'v', tones });
}

const PICTURE = Float64Array.from({ length: 16 }, (_, i) => (17 * i) / 255);
/** The right half is made new. */
const MASK = Uint8Array.from({ length: 16 }, (_, i) => (i % 4 < 2 ? 0 : 1));

suite('inpainting: pictures', (test) => {
  for (const schedule of ['flow', 'vp', 'cosine'] as const) {
    for (const tones of [[], TONES]) {
      const where = `on ${schedule} with ${tones.length > 0 ? 'spread' : 'linear'} tones`;
      test(`strength 0 gives the picture back, and strength 1 samples from noise, to the bit, ${where}`, () => {
        const pipeline = model(schedule, tones);
        const make = (more: Partial<SampleOptions> = {}) =>
          samplePictures(pipeline, { labels: [3, 1, 4], steps: 6, seed: 's', ...more });
        const edited = (edit: Omit<Edit, 'picture'>) => make({ edit: { picture: PICTURE, ...edit } });
        for (const mask of [undefined, MASK])
          assert.equal(
            [...edited({ strength: 0, mask })],
            Array(3)
              .fill([...PICTURE])
              .flat(),
          );
        assert.equal(edited({ strength: 1 }), make());
        assert.equal(edited({}), edited({ strength: 0.5 }));
        assert.not.equal(edited({}), make());
        assert.not.equal(edited({}), make({ seed: 't', edit: { picture: PICTURE } }));
      });

      test(`pixels outside of the mask stay as they are, to the bit, ${where}`, () => {
        const pipeline = model(schedule, tones);
        // Beyond 250 pictures there is another part.
        const labels = labelsInTurn(pipeline, schedule === 'flow' ? 252 : 12);
        const edit = { picture: PICTURE, mask: MASK, resamples: 2 };
        const made = samplePictures(pipeline, { labels, steps: 2, edit });
        const isKnown = (i: number) => MASK[i % 16] === 0;
        for (const [i, value] of made.entries()) if (isKnown(i)) assert.is(value, PICTURE[i % 16]);
        const fresh = (from: number) => made.slice(16 * from, 16 * from + 16).filter((_, i) => !isKnown(i));
        assert.ok(fresh(0).some((value, i) => value !== PICTURE.filter((_, at) => !isKnown(at))[i]));
        assert.not.equal(fresh(0), fresh(10), 'the same label with other noise');
        if (labels.length > 250) assert.not.equal(fresh(0), fresh(250), 'in another part too');
      });
    }
  }

  test('the mean over strengths leads from the picture to what the model makes', () => {
    // The model is sure of one grey, whatever it is asked.
    const pipeline = model('flow', [], 0);
    const grey = full([1, 1, 1, 1], 0.2);
    pipeline.predict = (x, t) => {
      const { alpha, sigma } = pipeline.schedule.level(t);
      return x
        .sub(grey.mul(alpha))
        .mul(alpha / sigma)
        .sub(grey.mul(sigma));
    };
    const picture = new Float64Array(16).fill(1);
    const mask = Uint8Array.from({ length: 16 }, (_, i) => (i === 5 ? 1 : 0));
    const labels = [null, null];
    const made = samplePictures(pipeline, { labels, steps: 5, edit: { picture, mask, resamples: 3 } });
    close(
      [...made],
      Array.from({ length: 32 }, (_, i) => (i % 16 === 5 ? 0.6 : 1)),
      1e-5,
      'one new pixel',
    );
    const all = samplePictures(pipeline, { labels, steps: 5, edit: { picture, strength: 0.3 } });
    close([...all], Array(32).fill(0.6), 1e-5, 'every pixel');
  });

  test('labels, guidance, seed and number of pictures work as without a picture', () => {
    const pipeline = model('flow');
    const make = (more: Partial<SampleOptions>) =>
      samplePictures(pipeline, {
        labels: [7],
        steps: 4,
        edit: { picture: PICTURE, mask: MASK, resamples: 2 },
        ...more,
      });
    const one = make({});
    assert.equal(make({}), one, 'the same seed, the same bits');
    for (const other of [
      { labels: [8] },
      { guidance: 3 },
      { seed: 1 },
      { sampler: 'heun' },
      { edit: { picture: PICTURE, mask: MASK, resamples: 3 } },
      { edit: { picture: PICTURE, mask: MASK, resamples: 2, strength: 0.4 } },
    ] as const)
      assert.not.equal(make(other), one, JSON.stringify(Object.keys(other)));
    assert.is(make({ labels: [1, 2, 3] }).length, 48);
  });

  test('no memory stays behind, also where the caller stops half-way', () => {
    const pipeline = model('flow');
    for (const mask of [undefined, MASK]) {
      const options = { labels: [1, 2], steps: 4, edit: { picture: PICTURE, mask } };
      samplePictures(pipeline, options);
      const before = backend().heap.usedBytes;
      samplePictures(pipeline, options);
      for (const _ of sampleDiffusion(pipeline, options)) break;
      assert.is(backend().heap.usedBytes, before);
    }
  });

  test('the sheet shows the picture and the mask above what was made of them', () => {
    const run = growingSamples(
      model('flow'),
      { labels: [3, 1, 2], steps: 2, edit: { picture: PICTURE, mask: MASK, resamples: 1 } },
      0,
    );
    let next = run.next();
    while (!next.done) next = run.next();
    const { last } = next.value;
    const cell = (i: number) => last.pictures.subarray(16 * i, 16 * i + 16);
    const options = { height: 4, width: 4, scale: 14 };
    assert.equal(
      sampleGrid(last, 2),
      pictureGrid(
        [[PICTURE, Float64Array.from(MASK, (value) => 0.75 * value)], [cell(0), cell(1)], [cell(2)]],
        {
          ...options,
          captions: [['given', 'mask'], ['3', '1'], ['2']],
        },
      ),
    );
    assert.equal(
      sampleGrid({ height: 4, width: 4, labels: [null], pictures: PICTURE, given: { picture: PICTURE } }),
      pictureGrid([[PICTURE], [PICTURE]], { ...options, captions: [['given'], ['']] }),
    );
  });

  test('a picture, a mask, a strength and resamples that there cannot be are refused in one line', () => {
    const refuse = (edit: Partial<Edit>, kind: typeof ValueError, message: RegExp) =>
      refused(
        () => samplePictures(model('flow'), { labels: [1], edit: { picture: PICTURE, ...edit } }),
        kind,
        message,
      );
    refuse({ picture: [1, 2] }, ShapeError, /expected a picture of 4x4, 16 numbers, got 2/);
    for (const wrong of [Number.NaN, -0.1, 1.1, Infinity])
      refuse({ picture: PICTURE.with(3, wrong) }, ValueError, /expected pixels from 0 to 1, got/);
    refuse({ mask: [1] }, ShapeError, /expected a mask of 16 numbers, one per pixel, got 1/);
    refuse(
      { mask: new Uint8Array(16) },
      ValueError,
      /expected a mask with a number other than 0, got only 0/,
    );
    for (const strength of [-0.1, 1.01, Number.NaN])
      refuse({ strength }, ValueError, /edit: strength: expected a number, from 0 to 1, got/);
    refuse({ mask: MASK, resamples: 0 }, ValueError, /edit: resamples: expected a whole number, 1 or more/);
    refuse({ strenght: 1 } as Partial<Edit>, ValueError, /Did you mean "strength"\?/);
  });

  test("a preparation that would move known pixels is refused, and a model's own is not done to a given picture", () => {
    const network = new UNet({ ...SIZES, height: 28, width: 28, classes: 0, rng: new Rng(1) });
    const process = { schedule: 'flow', steps: 10, predicts: 'flow' } as const;
    const pipeline = new DiffusionPipeline(network, process, { prepare: 'mnist', steps: 2 });
    // Ink in a corner, which the preparation would move to the middle.
    const picture = Float64Array.from({ length: 784 }, (_, i) => (i < 3 ? 1 : 0));
    const edit = { picture, mask: Uint8Array.from({ length: 784 }, (_, i) => (i < 392 ? 0 : 1)) };
    for (const given of [edit, { picture, strength: 0 }]) {
      const made = samplePictures(pipeline, { labels: [null], edit: given });
      assert.equal(made.slice(0, 392), picture.slice(0, 392));
    }
    refused(
      () => samplePictures(pipeline, { labels: [null], prepare: 'mnist', edit }),
      ValueError,
      /prepare mnist: expected no mask, got one, whose known pixels it would move/,
    );
  });
});
