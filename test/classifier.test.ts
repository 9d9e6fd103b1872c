/** The classifiers of clean pictures: their training, the analysis of their mistakes, and their files. */
import * as assert from 'uvu/assert';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { decodeSafetensors } from '../src/checkpoint/safetensors.ts';
import { createDataset } from '../src/data/dataset.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { classification, confusionMatrix } from '../src/models/evaluation/classification.ts';
import { MOST_MISTAKES, mistakesFigure } from '../src/models/figures/mistakes.ts';
import { ConvClassifier } from '../src/models/networks/conv-classifier.ts';
import {
  accuracy,
  type ClassifierSizes,
  classify,
  PictureClassifier,
  pixelsOf,
} from '../src/models/networks/picture-classifier.ts';
import { classifierOf } from '../src/models/networks/registry.ts';
import { classifierTrainer, trainClassifier } from '../src/models/training/classifier.ts';
import { classifierSettings } from '../src/models/training/classifier-settings.ts';
import { encodeRun } from '../src/models/training/resume.ts';
import { Identity } from '../src/nn/identity.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, refused } from './helpers.ts';
import { epochsOf } from './helpers-training.ts';
import { suite } from './suite.ts';

const strokes = loadStrokes({ train: 200, test: 100 });
const SIZES = { height: 28, width: 28, channels: 1, classes: 10 };
const SMALL = { height: 5, width: 7, channels: 2, classes: 3 };
const RUN = { epochs: 8, batchSize: 20, lr: 3e-3, seed: 0 };

/** A classifier whose logits are the 64 pixels. */
class Pixels extends PictureClassifier {
  readonly kind = 'pixels';
  readonly description = 'the pixels';
  readonly sizes: ClassifierSizes = { height: 8, width: 8, channels: 1, classes: 64 };
  readonly last = new Identity();
  override features(x: Tensor): Tensor {
    return x.reshape([x.shape[0], 64]);
  }
}

/** Pictures of 8x8: black, but for the given bytes at the given pixels. */
function spots(labels: readonly number[], lit: readonly Readonly<Record<number, number>>[]) {
  const images = new Uint8Array(64 * lit.length);
  for (const [i, pixels] of lit.entries()) {
    for (const [at, byte] of Object.entries(pixels)) images[64 * i + Number(at)] = byte;
  }
  const size = { height: 8, width: 8, classes: 64 };
  return createDataset({ name: 'spots', ...size, images, labels: Uint8Array.from(labels) });
}

suite('classifier', (test) => {
  test('the confusion matrix has the counts of a small example', () => {
    const labels = [0, 0, 0, 1, 1, 2, 2, 2, 2];
    const predicted = [0, 1, 0, 1, 1, 0, 2, 2, 1];
    assert.equal(confusionMatrix(labels, predicted, 3), [
      [2, 1, 0],
      [0, 2, 0],
      [1, 1, 2],
    ]);
    refused(
      () => confusionMatrix(labels, [0], 3),
      ShapeError,
      /^confusionMatrix: expected 9 predictions, one per label, got 1$/,
    );
  });

  test('mistakes come with their probability, the worst first; recall and precision are shares of row and column', () => {
    // Logits are bytes over 255, so that each probability has a closed form.
    const set = spots([1, 2, 1, 1], [{ 1: 255 }, { 1: 255, 2: 51 }, { 2: 255 }, { 1: 204, 2: 255 }]);
    const found = classification(new Pixels(), set);
    const share = (own: number, other: number) => Math.exp(own) / (Math.exp(own) + Math.exp(other) + 62);
    assert.is(found.accuracy, 1 / 4);
    assert.equal(
      found.mistakes.map(({ picture, given, predicted }) => [picture, given, predicted]),
      [
        [2, 1, 2],
        [1, 2, 1],
        [3, 1, 2],
      ],
    );
    close(
      found.mistakes.map(({ probability }) => probability),
      [share(0, 1), share(0.2, 1), share(0.8, 1)],
      1e-6,
      'probabilities',
    );
    assert.equal(found.confusion[1].slice(0, 4), [0, 1, 2, 0]);
    assert.equal(found.classes[1], { label: 1, pictures: 3, recall: 1 / 3, precision: 1 / 2 });
    assert.equal(found.classes[2], { label: 2, pictures: 1, recall: 0, precision: 0 });
    assert.equal(found.classes[3], { label: 3, pictures: 0, recall: null, precision: null });
  });

  test('the figure of mistakes shows the worst ones as they are, each with its label and its prediction', () => {
    const set = spots([1, 2], [{ 3: 7 }, { 5: 9 }]);
    const mistake = { picture: 1, given: 2, predicted: 5, probability: 0.1 };
    const { captions, pixels } = mistakesFigure(set, [mistake, { ...mistake, picture: 0, given: 1 }]);
    assert.equal(captions, ['2 as 5', '1 as 5']);
    assert.equal([pixels[5], pixels[64 + 3], pixels.length], [9, 7, 128]);
    const many = mistakesFigure(set, Array(100).fill(mistake));
    assert.is(many.captions.length, MOST_MISTAKES);
    const images = Uint8Array.of(10, 20, 60, 0, 0, 0);
    const colour = { name: 'colour', height: 1, width: 2, channels: 3, classes: 2, images };
    const grey = mistakesFigure(createDataset({ ...colour, labels: Uint8Array.of(0) }), [
      { ...mistake, picture: 0 },
    ]);
    assert.equal([...grey.pixels], [30, 0]);
  });

  test('the convolutional classifier learns drawn digits in seconds, and is read back from its file', () => {
    const model = new ConvClassifier(SIZES, new Rng(0));
    const epochs = epochsOf(trainClassifier(model, strokes, RUN));
    assert.ok(epochs[7].trainLoss < 0.5 * epochs[0].trainLoss);
    assert.ok(accuracy(model, strokes.test) > 0.85, `${accuracy(model, strokes.test)}`);
    const bytes = encodeCheckpoint(model, { kind: model.kind, sizes: SIZES });
    const back = classifierOf(decodeCheckpoint(bytes));
    assert.equal(classify(back, pixelsOf(strokes.test)), classify(model, pixelsOf(strokes.test)));
  });

  test('training in place ends with the moving average, which is what the file of a run has', () => {
    const few = loadStrokes({ train: 20, test: 5 });
    const run = { ...RUN, epochs: 3 };
    const [model, again] = [0, 0].map((seed) => new ConvClassifier(SIZES, new Rng(seed)));
    for (const _ of trainClassifier(model, few, run));
    const trainer = classifierTrainer(again, few, run);
    for (const _ of trainer.run());
    const { parameters } = decodeCheckpoint(encodeRun(trainer));
    for (const [name, p] of model.namedParameters()) {
      assert.equal(p.toTypedArray(), parameters.get(name)!.data, name);
    }
    assert.not.equal(again.last.weight.toTypedArray(), model.last.weight.toTypedArray());
    trainer.dispose();
  });

  test('its file has the weights of convolutions in the order of PyTorch, [out, in, rows, columns]', () => {
    const model = new ConvClassifier(SMALL, new Rng(1));
    const { tensors } = decodeSafetensors(encodeCheckpoint(model, { kind: model.kind, sizes: SMALL }));
    const stored = tensors.get('blocks.0.conv.weight')!;
    const weight = model.blocks[0].conv.weight;
    assert.equal(
      [weight.shape, stored.shape],
      [
        [32, 5, 5, 2],
        [32, 2, 5, 5],
      ],
    );
    assert.equal(stored.data, weight.transpose(0, 3, 1, 2).toTypedArray());
  });

  test('pictures of odd sizes and several channels have logits, and others are refused', () => {
    const model = new ConvClassifier(SMALL, new Rng(1));
    assert.equal(model.forward(new Rng(2).uniform([3, 5, 7, 2])).shape, [3, 3]);
    const tiny = new ConvClassifier({ height: 1, width: 1, classes: 2 }, new Rng(1));
    assert.equal(tiny.forward(tensor([[[[0.5]]]])).shape, [1, 2]);
    refused(
      () => model.forward(new Rng(2).uniform([3, 7, 5, 2])),
      ShapeError,
      'conv-classifier: expected pictures [b,5,7,2], got [3,7,5,2]',
    );
    refused(
      () => classifierTrainer(model, strokes, RUN),
      ShapeError,
      /^training: expected pictures of 5x7x2, got strokes train with 28x28$/,
    );
    refused(
      () => classifierTrainer(new ConvClassifier({ ...SIZES, classes: 9 }, new Rng(1)), strokes, RUN),
      ValueError,
      'training: expected at most 9 classes, got 10',
    );
  });

  test('fewer pictures take more epochs by default, and a given number of epochs is used', () => {
    assert.is(classifierSettings('conv', 100, {}).epochs, 60);
    assert.ok(classifierSettings('conv', 60_000, {}).epochs < 20);
    const { epochs, batchSize, lr } = classifierSettings('mlp', 60_000, { lr: 0.1 });
    assert.equal([epochs, batchSize, lr], [13, 128, 0.1]);
    assert.equal(classifierSettings('conv', 100, { ...RUN, epochs: 7 }), { ...RUN, epochs: 7 });
  });
});
