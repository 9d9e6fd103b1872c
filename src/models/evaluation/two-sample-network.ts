/**
 * Trains a network to classify samples (class 1) and real pictures (class 0). The loss is cross-entropy, and the
 * optimizer is Adam. The learning rate has a warm-up and then follows half a cosine. Pictures are not augmented,
 * because this would hide differences between the classes.
 *
 * After every epoch the network classifies the validation part. The result is the network of the epoch with the highest
 * validation accuracy. If two epochs have the same accuracy, the one with the lower loss is chosen.
 */
import type { CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import type { Dataset } from '../../data/dataset.ts';
import { ValueError } from '../../errors.ts';
import type { LrSchedule } from '../../optim/lr-schedule.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { ConvClassifier } from '../networks/conv-classifier.ts';
import {
  type Classified,
  classify,
  type PictureClassifier,
  pixelsOf,
} from '../networks/picture-classifier.ts';
import { createClassifier } from '../training/classifier-settings.ts';
import { CrossEntropyRecipe, crossEntropyTrainer } from '../training/cross-entropy.ts';
import { warmCosineLr } from '../training/rates.ts';
import { Snapshot } from '../training/snapshot.ts';
import { Detector } from './detector.ts';
import { softplus } from './logistic.ts';
import { type Proportion, proportion } from './wilson.ts';

const BATCH = 64;
const LEARNING_RATE = 1e-3;

/** Pictures of two classes in three parts. */
export interface Parts {
  readonly train: Dataset;
  /** The validation part. It chooses the epoch of a network, and the regularisation λ of the regression. */
  readonly choose: Dataset;
  readonly test: Dataset;
}

/** The progress of a network's training. */
export interface NetworkProgress {
  readonly epoch: number;
  readonly epochs: number;
  /** The mean training loss of the epoch. */
  readonly loss: number;
  readonly imagesPerSecond: number;
}

/** The result of a network on the test part. */
export interface NetworkVerdict {
  /** The fraction of test pictures that it classifies correctly as samples or as real pictures. */
  readonly accuracy: Proportion;
  /** The chosen epoch, counted from 1. */
  readonly epoch: number;
  /** The accuracy of the chosen epoch on the validation part. */
  readonly chosenBy: number;
  /** ln p(sample) - ln p(real) of each test picture. */
  readonly certainty: Float64Array;
}

class TwoSampleRecipe extends CrossEntropyRecipe {
  readonly streams = {};

  constructor(
    readonly module: PictureClassifier,
    readonly info: CheckpointInfo,
  ) {
    super();
  }

  override schedule(lr: number, steps: number): LrSchedule {
    return warmCosineLr(lr, steps, 0);
  }

  protected logits(images: Tensor): Tensor {
    return this.module.forward(images);
  }
}

/**
 * A network with two classes, before its training.
 * @param judge a trained classifier. The network gets its parameters except those of the last layer. Without a judge it
 *   is a new `Detector`.
 */
export function startNetwork(
  { height, width, channels }: Dataset,
  judge: PictureClassifier | null,
  seed: Seed,
): PictureClassifier {
  const sizes = { height, width, channels, classes: 2 };
  const rng = new Rng(seed).stream('two-sample');
  if (judge === null) return new Detector(sizes, rng);
  const network = createClassifier(judge instanceof ConvClassifier ? 'conv' : 'mlp', sizes, rng);
  const known = judge.stateDict();
  for (const [path, parameter] of network.stateDict()) {
    if (!path.startsWith('last.')) parameter.copyFrom(known.get(path) as Tensor);
  }
  return network;
}

/**
 * The number of pictures that are classified right, and the mean of -ln p(label).
 * @param odds ln p(1) - ln p(0) of each picture
 */
function scoreOf(odds: Float64Array, labels: Uint8Array): { right: number; loss: number } {
  let [right, loss] = [0, 0];
  for (const [i, z] of odds.entries()) {
    if (z > 0 === (labels[i] === 1)) right++;
    loss += softplus(labels[i] === 1 ? -z : z);
  }
  return { right, loss: loss / labels.length };
}

const oddsOf = ({ logits }: Classified): Float64Array =>
  Float64Array.from({ length: logits.length / 2 }, (_, i) => logits[2 * i + 1] - logits[2 * i]);

/**
 * Trains the network in place, and yields after every epoch. At the end the network has the parameters of the chosen
 * epoch.
 * @throws ValueError unless `epochs` is a whole number >= 1
 */
export function* judgeByNetwork(
  network: PictureClassifier,
  { train, choose, test }: Parts,
  epochs: number,
  seed: Seed,
): Generator<NetworkProgress, NetworkVerdict> {
  if (!Number.isSafeInteger(epochs) || epochs < 1) {
    throw new ValueError(`two-sample test: expected a whole number of epochs >= 1, got ${epochs}`);
  }
  const { kind, sizes } = network;
  const recipe = new TwoSampleRecipe(network, { kind, sizes: { ...sizes }, settings: {}, seed });
  const trainer = crossEntropyTrainer(
    recipe,
    { train },
    { epochs, lr: LEARNING_RATE, batchSize: BATCH, seed },
  );
  const best = new Snapshot([...network.stateDict().values()], 'its initial values');
  const oddsOn = (set: Dataset) => oddsOf(classify(network, pixelsOf(set)));
  let chosen = { epoch: 0, right: -1, loss: Infinity };
  try {
    for (const event of trainer.run()) {
      if (event.type !== 'epoch') continue;
      const score = scoreOf(oddsOn(choose), choose.labels);
      if (score.right > chosen.right || (score.right === chosen.right && score.loss < chosen.loss)) {
        chosen = { epoch: event.epoch, ...score };
        best.update(`epoch ${event.epoch}`);
      }
      const { epoch, trainLoss: loss, imagesPerSecond } = event;
      yield { epoch, epochs, loss, imagesPerSecond };
    }
    best.restore();
  } finally {
    best.dispose();
    trainer.dispose();
  }
  const certainty = oddsOn(test);
  const { right } = scoreOf(certainty, test.labels);
  return {
    accuracy: proportion(right, test.length),
    epoch: chosen.epoch,
    chosenBy: chosen.right / choose.length,
    certainty,
  };
}
