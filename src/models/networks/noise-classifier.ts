/**
 * A classifier of noised pictures, for guidance by a classifier: x [b, pixels] at times [b] to logits [b, classes],
 *
 *     c = silu(time embedding of t)
 *     z = relu(A·x + C·c)      400 numbers
 *     z = relu(B·z)            400 numbers
 *     logits = L·z
 *
 * for pictures of [-1, 1] under the noise of the diffusion model that it guides. It is trained by
 * training/noise-classifier.ts.
 *
 * Source: Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis" (2021), section 4; theirs is half a
 * UNet. Left out on purpose: convolutions.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { type Checkpoint, requireKind, restoreParameters } from '../../checkpoint/checkpoint.ts';
import type { Dataset } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import type { LogProbability } from '../../diffusion/guidance.ts';
import { diffuse } from '../../diffusion/process.ts';
import type { NoiseSchedule } from '../../diffusion/schedule.ts';
import { FormatError, ShapeError } from '../../errors.ts';
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import { TimeEmbedding } from '../../nn/time-embedding.ts';
import { Rng, type Seed, sharedRng } from '../../random/rng.ts';
import { full } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  networkTime,
  normalize,
  type ProcessSettings,
  TRAINING_SCHEDULES,
  trainingSchedule,
} from '../pipeline.ts';
import { argmax, type ClassifierSizes, classifierSizes, logProbabilities } from './classifier.ts';

/** Which noise a classifier knows. */
export type NoiseSettings = Omit<ProcessSettings, 'predicts'>;

const HIDDEN = 400;
const CONDITION = 64;
const TEST_BATCH = 250;

export class NoiseClassifier extends Module {
  /** What a checkpoint calls this model. */
  static readonly kind = 'noise-classifier';
  readonly time: TimeEmbedding;
  readonly first: Linear;
  readonly condition: Linear;
  readonly second: Linear;
  readonly last: Linear;

  /** The schedule that its pictures are noised by. */
  readonly schedule: NoiseSchedule;

  /** @throws ValueError for a schedule that there is not */
  constructor(
    readonly sizes: ClassifierSizes,
    readonly noise: NoiseSettings,
    rng: Rng = sharedRng(),
  ) {
    super();
    this.schedule = trainingSchedule(noise);
    const { height, width, classes } = sizes;
    this.time = new TimeEmbedding(CONDITION, CONDITION, { rng });
    this.first = new Linear(height * width, HIDDEN, { rng });
    this.condition = new Linear(CONDITION, HIDDEN, { bias: false, rng });
    this.second = new Linear(HIDDEN, HIDDEN, { rng });
    this.last = new Linear(HIDDEN, classes, { rng });
  }

  /**
   * Logits [b, classes] of x [b, pixels] at times t [b] of the schedule.
   * @throws ShapeError for times that are not one a picture
   */
  override forward(x: Tensor, t?: Tensor): Tensor {
    if (t?.shape.join() !== String(x.shape[0])) {
      const got = t ? `[${t.shape}]` : 'none';
      throw new ShapeError(`${NoiseClassifier.kind}: expected times [${x.shape[0]}], got ${got}`);
    }
    const c = this.time.forward(t.mul(networkTime(this.schedule, 1))).silu();
    const z = this.first.forward(x).add(this.condition.forward(c)).relu();
    return this.last.forward(this.second.forward(z, 'relu'));
  }

  /** ln p(label | x, t) of each sample for its own label: what `classifierGuided` takes the gradient of. */
  logProbability(labels: ArrayLike<number>): LogProbability {
    return (x, t) => logProbabilities(this.forward(x, full([labels.length], t)), labels);
  }
}

/**
 * The share of a set's pictures whose class is found when they are noised to time t.
 * @throws ValueError for a time that the schedule does not have
 */
export function noisedAccuracy(model: NoiseClassifier, dataset: Dataset, t: number, seed: Seed): number {
  const rng = new Rng(seed).stream('noised test pictures');
  const loader = new DataLoader(dataset, { batchSize: TEST_BATCH });
  let right = 0;
  try {
    for (const { images, labels } of loader) {
      scope(() =>
        noGrad(() => {
          const { x } = diffuse(normalize(images), model.schedule.level(t), rng);
          const logits = model.forward(x, full([labels.length], t));
          right += argmax(logits).filter((found, i) => found === labels[i]).length;
        }),
      );
    }
  } finally {
    loader.dispose();
  }
  return right / dataset.length;
}

/** The classifier in a file that was read. @throws FormatError for a file of anything else */
export function noiseClassifierOf(checkpoint: Checkpoint): NoiseClassifier {
  requireKind(checkpoint, NoiseClassifier.kind);
  const { schedule, steps } = (checkpoint.settings ?? {}) as unknown as NoiseSettings;
  if (!TRAINING_SCHEDULES.includes(schedule)) {
    throw new FormatError(
      `${checkpoint.source}: expected the schedule of a ${NoiseClassifier.kind}, got ${schedule}`,
    );
  }
  const model = new NoiseClassifier(classifierSizes(checkpoint), { schedule, steps }, new Rng(0));
  restoreParameters(model, checkpoint);
  return model;
}
