/**
 * A classifier of small pictures, [b, height·width] in [0, 1] to logits [b, classes], by which samples are judged:
 *
 *     Linear(pixels, 800)  ReLU  Linear(800, 400)  ReLU  Linear(400, 64)  ReLU  Linear(64, classes)
 *
 * The 64 numbers before the last layer are its features. Trained by cross-entropy on pictures that are shifted by up
 * to two pixels either way, anew in every epoch, with Adam under a rate that falls along half a cosine to 0.
 *
 * Left out on purpose: convolutions, dropout, elastic distortions (Simard, Steinkraus and Platt 2003 have those).
 */
import { noGrad, scope } from '../autograd/tape.ts';
import { type Checkpoint, requireKind, restoreParameters } from '../checkpoint/checkpoint.ts';
import type { Dataset, TrainTest } from '../data/dataset.ts';
import { DataLoader } from '../data/loader.ts';
import { DivergenceError, FormatError } from '../errors.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { Adam } from '../optim/adam.ts';
import { cosineLr } from '../optim/lr-schedule.ts';
import { Rng, type Seed, sharedRng } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface ClassifierSizes {
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

const HIDDEN = [800, 400] as const;
/** Numbers that a picture is described by. */
export const FEATURES = 64;
const MOST_SHIFT = 2;
const BATCH = 250;

export class Classifier extends Module {
  /** What a checkpoint calls this model. */
  static readonly kind = 'classifier';
  readonly first: Linear;
  readonly second: Linear;
  readonly third: Linear;
  readonly last: Linear;

  constructor(
    readonly sizes: ClassifierSizes,
    rng: Rng = sharedRng(),
  ) {
    super();
    const { height, width, classes } = sizes;
    this.first = new Linear(height * width, HIDDEN[0], { rng });
    this.second = new Linear(HIDDEN[0], HIDDEN[1], { rng });
    this.third = new Linear(HIDDEN[1], FEATURES, { rng });
    this.last = new Linear(FEATURES, classes, { rng });
  }

  /** [b, pixels] to [b, FEATURES] */
  features(x: Tensor): Tensor {
    return this.third.forward(this.second.forward(this.first.forward(x, 'relu'), 'relu'), 'relu');
  }

  /** Logits [b, classes]. */
  override forward(x: Tensor): Tensor {
    return this.last.forward(this.features(x));
  }
}

/** The mean over rows of -ln softmax(logits)[label]. */
export function crossEntropy(logits: Tensor, labels: ArrayLike<number>): Tensor {
  const [rows, classes] = logits.shape as [number, number];
  const oneHot = new Float32Array(rows * classes);
  for (let i = 0; i < rows; i++) oneHot[i * classes + labels[i]!] = 1;
  const largest = logits.detach().max(1, { keepDims: true });
  const shifted = logits.sub(largest);
  const own = shifted.mul(tensor(oneHot, [rows, classes])).sum();
  return shifted
    .exp()
    .sum(1)
    .log()
    .sum()
    .sub(own)
    .mul(1 / rows);
}

/** What the classifier says of pictures in [0, 1]: for each its class and its features. */
export function classify(
  model: Classifier,
  pictures: Float32Array | Float64Array,
): { classes: Uint8Array; features: Float64Array } {
  const pixels = model.sizes.height * model.sizes.width;
  const n = pictures.length / pixels;
  const classes = new Uint8Array(n);
  const features = new Float64Array(n * FEATURES);
  for (let from = 0; from < n; from += BATCH) {
    const to = Math.min(n, from + BATCH);
    scope(() =>
      noGrad(() => {
        const seen = model.features(
          tensor(pictures.subarray(from * pixels, to * pixels), [to - from, pixels]),
        );
        features.set(seen.toTypedArray(), from * FEATURES);
        const logits = model.last.forward(seen).toTypedArray();
        const count = logits.length / (to - from);
        for (let i = from; i < to; i++) {
          const row = logits.subarray((i - from) * count, (i - from + 1) * count);
          classes[i] = row.indexOf(Math.max(...row));
        }
      }),
    );
  }
  return { classes, features };
}

/** All pictures of a set in [0, 1]. */
export const pixelsOf = ({ images }: Dataset): Float32Array =>
  Float32Array.from(images, (byte) => byte / 255);

/** The share of a set's pictures whose class is found. */
export function accuracy(model: Classifier, dataset: Dataset): number {
  const { classes } = classify(model, pixelsOf(dataset));
  return classes.filter((found, i) => found === dataset.labels[i]).length / dataset.length;
}

export interface ClassifierSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: Seed;
}

/** One epoch of training that is over. */
export interface ClassifierEpoch {
  readonly epoch: number;
  readonly loss: number;
}

/**
 * Trains a classifier in place, and yields after every epoch.
 * @throws DivergenceError where the loss is no number
 */
export function* trainClassifier(
  model: Classifier,
  { train }: TrainTest,
  { epochs, batchSize, lr, seed }: ClassifierSettings,
): Generator<ClassifierEpoch, void> {
  const loader = new DataLoader(train, { batchSize, seed });
  const adam = new Adam(model.parameters(), { lr });
  const rate = cosineLr(lr, { steps: epochs * loader.batches });
  const rng = new Rng(seed).stream('shifts');
  let step = 0;
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      let sum = 0;
      for (const { images, labels } of loader) {
        adam.lr = rate(step++);
        sum += scope(() => {
          adam.zeroGrad();
          const loss = crossEntropy(model.forward(shifted(images, model.sizes, rng)), labels);
          loss.backward();
          adam.step();
          return loss.item() * labels.length;
        });
      }
      const loss = sum / train.length;
      if (!Number.isFinite(loss))
        throw new DivergenceError(`classifier: expected a finite loss, got ${loss}`);
      yield { epoch, loss };
    }
  } finally {
    loader.dispose();
  }
}

/** The pictures, each moved by -2 to 2 pixels down and across; what enters is black. */
function shifted(images: Tensor, { height, width }: ClassifierSizes, rng: Rng): Tensor {
  const from = images.toTypedArray();
  const to = new Float32Array(from.length);
  const size = 2 * MOST_SHIFT + 1;
  const pixels = height * width;
  for (const [i, word] of rng.bits(from.length / pixels).entries()) {
    const at = Math.floor((word / 2 ** 32) * size * size);
    const [down, across] = [Math.floor(at / size) - MOST_SHIFT, (at % size) - MOST_SHIFT];
    for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
      const begin = Math.max(0, across);
      const source = i * pixels + (y - down) * width + begin - across;
      const count = width - Math.abs(across);
      to.set(from.subarray(source, source + count), i * pixels + y * width + begin);
    }
  }
  return tensor(to, images.shape);
}

/** The classifier in a file that was read. @throws FormatError for a file of anything else */
export function classifierOf(checkpoint: Checkpoint): Classifier {
  requireKind(checkpoint, Classifier.kind);
  const { height, width, classes } = checkpoint.sizes;
  if (!height || !width || !classes) {
    throw new FormatError(
      `${checkpoint.source}: expected the sizes height, width and classes of a classifier`,
    );
  }
  const model = new Classifier({ height, width, classes }, new Rng(0));
  restoreParameters(model, checkpoint);
  return model;
}
