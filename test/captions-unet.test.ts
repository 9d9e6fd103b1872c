/**
 * A U-Net that takes captions: its text encoder, its attention to words, its derivative, its file, its training, and
 * refused conditions. Padding, other captions of the batch and words of other pictures must change nothing.
 */
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { classifierFree } from '../src/diffusion/guidance.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { WORDS } from '../src/models/captions/words.ts';
import { attentionFigure, captionAttention } from '../src/models/figures/attention.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { diffusionNetworkOf } from '../src/models/networks/registry.ts';
import { TEXT_SIZES, UNet, type UNetOptions } from '../src/models/networks/unet.ts';
import { DiffusionPipeline, diffusionOf } from '../src/models/pipeline.ts';
import { samplePictures } from '../src/models/sample.ts';
import { sampleGrid } from '../src/models/sample-grid.ts';
import { captionsFor, labelsFor } from '../src/models/sampling.ts';
import { defaultsOf } from '../src/models/setting.ts';
import { DIFFUSION_TABLE } from '../src/models/settings.ts';
import { resumeDiffusion } from '../src/models/training/diffusion.ts';
import { DISTILL_SETTINGS, distillTrainer } from '../src/models/training/distill.ts';
import { newDiffusionTrainer, samplesOf } from '../src/models/training/new-diffusion.ts';
import { encodeRun } from '../src/models/training/resume.ts';
import { hookActivations } from '../src/nn/hooks.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import { mse } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused } from './helpers.ts';
import { assertSlope } from './helpers-training.ts';
import { suite } from './suite.ts';

const TINY = { height: 8, width: 12, classes: 0, hidden: 32, fine: 4, heads: 2, condition: 8 };
const TEXT = { words: WORDS.length, tokens: 13, text: 8 };
const TIMES = [3, 500];
const PAIR = ['a thin slanted three', null];
const PROCESS = { schedule: 'flow', steps: 1000, predicts: 'flow' } as const;

/** A network with random values for all parameters, also those that start at 0. */
function network(options: UNetOptions = {}): UNet {
  const rng = new Rng(1);
  const made = new UNet({ ...TINY, ...TEXT, ...options, rng });
  for (const p of made.parameters()) rng.uniformInto(p, -0.15, 0.15);
  return made;
}

const pictures = (seed: number, batch = 2) => new Rng(seed).normal([batch, TINY.height, TINY.width, 1]);
const half = (v: ArrayLike<number>, i: number) =>
  Array.from(v).slice((i * v.length) / 2, ((i + 1) * v.length) / 2);

function training(more: object = {}) {
  const { seconds: _seconds, ...defaults } = defaultsOf(DIFFUSION_TABLE);
  const unet = { model: 'unet-tiny', schedule: 'flow', predicts: 'flow', times: 'logit-normal' } as const;
  const data = loadStrokes({ train: 200, test: 60 });
  const settings = { ...defaults, ...unet, condition: 'caption', batchSize: 16, epochs: 1, ...more } as const;
  return { data, trainer: newDiffusionTrainer(data, settings as never) };
}

suite('captions: network', (test) => {
  test('untrained it predicts 0, and the sizes of a label network are as before', () => {
    scope(() => {
      const model = new UNet({ ...TINY, ...TEXT, rng: new Rng(1) });
      const y = model.forward(pictures(2), TIMES, { captions: PAIR });
      assert.ok(y.toTypedArray().every((value) => value === 0));
      assert.equal(Object.keys(new UNet({ rng: new Rng(0) }).sizes).length, 8);
    });
  });

  test('the parameters that a label network also has get the same initial values', () => {
    const [with_, without] = [
      new UNet({ ...TINY, ...TEXT, rng: new Rng(1) }),
      new UNet({ ...TINY, rng: new Rng(1) }),
    ];
    const found = new Map(with_.namedParameters());
    for (const [name, p] of without.namedParameters())
      assert.equal(found.get(name)!.toTypedArray(), p.toTypedArray());
    assert.ok([...found.keys()].some((name) => name.startsWith('captions.')));
  });

  test('its gradient agrees with the slope along a random direction, by central differences', () => {
    scope(() => {
      const model = network();
      const [x, target] = [pictures(2), pictures(3)];
      const loss = () => mse(model.forward(x, TIMES, { captions: PAIR }), target);
      // Only the layers for captions, so that their part is not lost among the others.
      const parameters = model
        .namedParameters()
        .flatMap(([name, p]) => (name.startsWith('captions') ? [p] : []));
      assertSlope(parameters, loss, 2e-3);
    });
  });

  test('every parameter of the caption layers has a gradient', () => {
    scope(() => {
      const model = network();
      mse(model.forward(pictures(2), TIMES, { captions: PAIR }), pictures(3)).backward();
      for (const [name, p] of model.namedParameters()) {
        if (name.startsWith('captions'))
          assert.ok(
            p.grad!.toTypedArray().some((g) => g !== 0),
            name,
          );
      }
    });
  });

  test('padding changes nothing: with fewer places the result has the same bits', () => {
    scope(() => {
      const [long, short] = [network(), network({ tokens: 6 })];
      const values = new Map(long.namedParameters());
      for (const [name, p] of short.namedParameters()) {
        const from = values.get(name)!;
        p.copyFrom(p.size === from.size ? from.detached() : from.detached().slice([0], [6]));
      }
      const run = (of: UNet) => of.forward(pictures(2), TIMES, { captions: PAIR }).toTypedArray();
      assert.equal(run(short), run(long));
      // The oracle: with another position of the last word of the caption it has not.
      short.captions!.text.position.set(
        Array.from(short.captions!.text.position.toTypedArray(), (v, i) => (i >= 32 ? v + 1 : v)),
      );
      assert.not.equal(half(run(short), 0), half(run(long), 0));
      assert.equal(half(run(short), 1), half(run(long), 1), 'no caption has one token');
    });
  });

  test('a prediction depends on its own caption, and not on the others of the batch', () => {
    scope(() => {
      const model = network();
      const x = pictures(2);
      const run = (captions: readonly (string | null)[]) =>
        model.forward(x, TIMES, { captions }).toTypedArray();
      const both = run(PAIR);
      for (const other of ['a thick slanted three', 'a thin three', null, 'slanted thin three a']) {
        const changed = run([other, null]);
        assert.not.equal(half(changed, 0), half(both, 0), `${other}`);
        assert.equal(half(changed, 1), half(both, 1));
      }
      assert.equal(run(['A thin, slanted THREE.', null]), both);
      const alone = model.forward(x.slice([0], [1]), [3], { captions: [PAIR[0]] }).toTypedArray();
      const largest = Math.max(...both.map(Math.abs));
      assert.ok(alone.every((v, i) => Math.abs(v - both[i]) < 1e-5 * largest));
      assert.equal(model.forward(x, TIMES, {}).toTypedArray(), run([null, null]));
    });
  });

  test('the same network is read back from its file', () => {
    scope(() => {
      const model = network();
      const { classes: _none, ...sizes } = model.sizes;
      const bytes = encodeCheckpoint(model, { kind: model.kind, sizes });
      const loaded = diffusionNetworkOf(decodeCheckpoint(bytes, 'file'));
      const run = (of: typeof loaded) => of.forward(pictures(2), TIMES, { captions: PAIR }).toTypedArray();
      assert.equal(loaded.sizes, model.sizes);
      assert.equal(run(loaded), run(model));
    });
  });

  test('guidance is unconditional + scale·(conditional - unconditional), with captions as conditions', () => {
    scope(() => {
      const pipeline = new DiffusionPipeline(network(), PROCESS);
      const x = pictures(2);
      const captions = ['a thin 3', 'a wide 8'];
      const at = (scale: number) =>
        classifierFree(pipeline, captions, { scale }).predict(x, 0.5).toTypedArray();
      const [none, one, three] = [at(0), at(1), at(3)];
      assert.equal(one, pipeline.predict(x, 0.5, captions).toTypedArray());
      three.forEach((v, i) => {
        assert.ok(Math.abs(v - (none[i] + 3 * (one[i] - none[i]))) < 1e-5);
      });
    });
  });

  test('a run trains, stops and resumes to the same bits, without the held-out pictures', () => {
    const { data, trainer } = training();
    const all = [...trainer.run()];
    assert.ok(all.length > 0 && trainer.recipe.data.train.length < data.train.length);
    const whole = encodeRun(trainer, { resumable: true });
    const first = training().trainer;
    const events = first.run();
    for (let i = 0; i < 5; i++) events.next();
    const resumed = resumeDiffusion(decodeCheckpoint(encodeRun(first, { resumable: true }), 'run'), data);
    assert.ok(resumed.recipe.model.takesCaptions);
    for (const _ of resumed.run());
    const [a, b] = [whole, encodeRun(resumed, { resumable: true })].map((bytes) =>
      decodeCheckpoint(bytes, 'file'),
    );
    for (const [name, { data: values }] of a.parameters)
      assert.equal(b.parameters.get(name)!.data, values, name);
    const model = diffusionOf(a);
    const pictures = samplePictures(model, {
      labels: [3, null],
      captions: ['a thin 3', null],
      steps: 2,
      guidance: 2,
    });
    assert.is(pictures.length, 2 * 784);
    const { captions, rowLabels, labels } = samplesOf(resumed, 2, 2) as never as Record<string, unknown[]>;
    assert.equal([captions, rowLabels, labels.length], [undefined, ['', 'thin'], 20]);
  });

  test('the attention to words that a figure shows is that of the network: it gives the same result', () => {
    scope(() => {
      for (const text of [8, 64]) {
        const model = network({ text });
        const outputs: Tensor[] = [];
        const remove = hookActivations(model, (name, _, output) => {
          if (/captions\.(deep|half)\.attention$/.test(name)) outputs.push(output);
        });
        const [x, caption] = [pictures(2, 1), 'a thin slanted three'];
        const found = captionAttention(
          model,
          () => model.forward(x, [500], { captions: [caption] }),
          caption,
        );
        remove();
        assert.equal([found.length, outputs.length], [2, 2]);
        const { deep, half: fine } = model.captions!;
        for (const [i, { attention }] of [deep, fine].entries()) {
          const { tokens, probabilities, result } = found[i];
          assert.is(tokens, 5);
          for (let pixel = 0; pixel < probabilities.length / 5; pixel++) {
            const sum = probabilities.subarray(5 * pixel, 5 * pixel + 5).reduce((a, b) => a + b);
            assert.ok(Math.abs(sum - 1) < 1e-9);
          }
          const pixels = tensor(Float32Array.from(result), outputs[i].shape);
          const projected = attention.out_proj.forward(pixels).toTypedArray();
          const expected = outputs[i].toTypedArray();
          const largest = Math.max(...expected.map(Math.abs));
          projected.forEach((v, k) => {
            assert.ok(Math.abs(v - expected[k]) < 1e-5 * largest);
          });
        }
      }
    });
  });

  test('the figure has a map for each word, and the maps of a pixel sum to less than 1', () => {
    const pipeline = new DiffusionPipeline(network(), PROCESS);
    const { rows } = attentionFigure(pipeline, new Float64Array(96 * 2), ['a thin 3', 'the wide digit'], 0);
    assert.equal(
      rows.map(({ words }) => words.join(' ')),
      ['a thin 3', 'the wide digit'],
    );
    for (const { maps } of rows) {
      assert.is(maps.length, 3);
      const sums = maps[0].map((_, i) => maps.reduce((sum, map) => sum + map[i], 0));
      assert.ok(sums.every((sum) => sum > 0 && sum < 1));
      // A pixel of the half map is a square of four.
      assert.ok(maps.every((map) => map[0] === map[1] && map[0] === map[12] && map[0] !== map[2]));
    }
  });

  test('captions in turn, and a grid with a row for each', () => {
    const model = new DiffusionPipeline(network(), PROCESS);
    assert.equal(captionsFor(model, 'a thin 3 | the wide eight', 3), [
      'a thin 3',
      'the wide eight',
      'a thin 3',
    ]);
    assert.equal(captionsFor(model, undefined, 12)?.slice(8), ['an eight', 'a nine', 'a zero', 'a one']);
    refused(
      () => captionsFor(model, 'a 3|', 2),
      ValueError,
      /caption: expected words, .*got an empty caption/,
    );
    refused(
      () => labelsFor(model, [3], 2),
      ValueError,
      /--label: expected a model with labels, got one with captions; use --caption/,
    );
    const labelled = new DiffusionPipeline(network({ classes: 3, words: 0 }), PROCESS);
    const free = new DiffusionPipeline(network({ words: 0 }), PROCESS);
    refused(
      () => captionsFor(labelled, 'a 3', 1),
      ValueError,
      /expected a model with captions, got one with labels from 0 to 2; use --label/,
    );
    refused(
      () => captionsFor(free, 'a 3', 1),
      ValueError,
      /expected a model with captions, got an unconditional one/,
    );
    assert.is(captionsFor(labelled, undefined, 1), undefined);
    const captions = captionsFor(model, 'a thin 3|the wide eight', 25)!;
    const samples = {
      height: 4,
      width: 4,
      labels: captions.map(() => null),
      captions,
      pictures: new Float64Array(400),
    };
    // Rows of ten: 13 pictures of the first caption in two rows, 12 of the second in two.
    const [both, one] = [
      sampleGrid(samples),
      sampleGrid({ ...samples, captions: captions.map(() => 'a 3') }),
    ];
    assert.ok(both.height > 4 * 56 && both.height < 5 * 60 + 24 && both.width > one.width, `${both.height}`);
  });

  test('--condition none trains without labels and captions, and label with labels', () => {
    const [none, label] = (['none', 'label'] as const).map(
      (condition) => training({ condition }).trainer.recipe.model,
    );
    assert.equal([none.classes, none.takesCaptions, none.isConditional], [0, false, false]);
    assert.equal([label.classes, label.takesCaptions, label.isConditional], [10, false, true]);
  });

  test('conditions that do not fit are refused', () => {
    const model = new DiffusionPipeline(network(), PROCESS);
    const labelled = new DiffusionPipeline(network({ classes: 3, words: 0 }), PROCESS);
    const sample = (of: DiffusionPipeline, more: object) =>
      samplePictures(of, { labels: [null], steps: 1, ...more } as never);
    refused(
      () => sample(model, { labels: [1] }),
      ValueError,
      /expected captions for a model with captions, got the label 1/,
    );
    refused(
      () => sample(labelled, { captions: ['a 3'] }),
      ValueError,
      /expected labels from 0 to 2, got a 3/,
    );
    refused(
      () => sample(model, { captions: ['a 3', 'a 4'] }),
      ShapeError,
      /expected 1 captions, one per picture, got 2/,
    );
    refused(() => sample(model, { captions: ['purple'] }), ValueError, /expected known words, got "purple"/);
    scope(() => {
      refused(
        () => model.network.forward(pictures(1), TIMES, { captions: ['a 3'] }),
        ShapeError,
        /expected 2 captions/,
      );
      refused(
        () => labelled.network.forward(pictures(1), TIMES, { captions: PAIR }),
        ValueError,
        /expected no captions/,
      );
      const small = network({ words: 10, tokens: 3 });
      refused(
        () => small.forward(pictures(1, 1), [1], { captions: ['thin'] }),
        ValueError,
        /known words, got "thin"/,
      );
      refused(
        () => small.forward(pictures(1, 1), [1], { captions: ['the digit zero'] }),
        ValueError,
        /at most 2 words, got 3/,
      );
      const mlp = new DiffusionMlp({
        height: 8,
        width: 12,
        classes: 0,
        hidden: 8,
        inner: 8,
        depth: 1,
        condition: 4,
      });
      refused(() => mlp.forward(pictures(1), TIMES, { captions: PAIR }), ValueError, /expected no captions/);
    });
    refused(() => network({ text: 6 }), ValueError, /text to be a multiple of 4/);
    refused(
      () => training({ model: 'mlp' }),
      ValueError,
      /condition caption: expected a model of unet, unet-small/,
    );
    assert.is(TEXT_SIZES.tokens, 13);
  });

  test('a teacher of a student cannot have captions', () => {
    const teacher = new DiffusionPipeline(network(), PROCESS);
    refused(
      () => distillTrainer(teacher, teacher, { ...DISTILL_SETTINGS, student: 4, teacherSteps: 4 }),
      ValueError,
      /a teacher with labels or without, got one with captions/,
    );
  });
});
