/**
 * A network that learns to classify samples (class 1) and real pictures (class 0): cross-entropy, Adam at a rate that warms
 * up and falls along half a cosine. Pictures are not augmented, since that would hide how the two classes differ.
 * After every epoch the network classifies the pictures that choose. The epoch with the best accuracy counts; of equal
 * ones, that with the lower loss.
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
  readonly choose: Dataset;
  readonly test: Dataset;
}

/** How a network is doing. */
export interface NetworkProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly imagesPerSecond: number;
}

/** What a network reached on the test part. */
export interface NetworkVerdict {
  readonly accuracy: Proportion;
  /** The epoch that was chosen, from 1, and its accuracy on the pictures that choose. */
  readonly epoch: number;
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

/** A network of two classes before its training: with the layers of a trained one but for the last, or a detector. */
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

/** How many pictures are classified right, and the mean of -ln p(y), from ln p(1) - ln p(0) of each. */
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

/** Trains the network in place, and yields after every epoch. In the end it is as it was after the epoch that is chosen. */
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
  const best = new Snapshot([...network.stateDict().values()], 'its start');
  const said = (set: Dataset) => oddsOf(classify(network, pixelsOf(set)));
  let chosen = { epoch: 0, right: -1, loss: Infinity };
  try {
    for (const event of trainer.run()) {
      if (event.type !== 'epoch') continue;
      const score = scoreOf(said(choose), choose.labels);
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
  const certainty = said(test);
  const { right } = scoreOf(certainty, test.labels);
  return {
    accuracy: proportion(right, test.length),
    epoch: chosen.epoch,
    chosenBy: chosen.right / choose.length,
    certainty,
  };
}
