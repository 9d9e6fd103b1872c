/**
 * A classifier of noised pictures, for guidance by a classifier: x [b, pixels] at times [b] to logits [b, classes],
 *
 *     c = silu(time embedding of t)
 *     z = relu(A·x + C·c)      400 numbers
 *     z = relu(B·z)            400 numbers
 *     logits = L·z
 *
 * trained by cross-entropy on pictures of [-1, 1] that are noised to times drawn uniformly from the schedule of the
 * diffusion model that it shall guide, with Adam under a rate that falls along half a cosine to 0.
 *
 * Source: Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis" (2021), section 4; theirs is half a
 * UNet. Left out on purpose: convolutions.
 */
import { noGrad, scope } from '../autograd/tape.ts';
import { type Checkpoint, requireKind, restoreParameters } from '../checkpoint/checkpoint.ts';
import type { Dataset, TrainTest } from '../data/dataset.ts';
import { DataLoader } from '../data/loader.ts';
import type { LogProbability } from '../diffusion/guidance.ts';
import { Objective } from '../diffusion/objective.ts';
import { diffuse, diffuseEach } from '../diffusion/process.ts';
import type { NoiseSchedule } from '../diffusion/schedule.ts';
import { Linear } from '../nn/linear.ts';
import { Module } from '../nn/module.ts';
import { TimeEmbedding } from '../nn/time-embedding.ts';
import { Rng, type Seed, sharedRng } from '../random/rng.ts';
import { full, tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  type ClassifierEpoch,
  type ClassifierSettings,
  type ClassifierSizes,
  classifierSizes,
  fitClassifier,
  likeliest,
  logProbabilities,
} from './classifier.ts';
import { networkTime } from './diffusion-run.ts';

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

  constructor(
    readonly sizes: ClassifierSizes,
    rng: Rng = sharedRng(),
  ) {
    super();
    const { height, width, classes } = sizes;
    this.time = new TimeEmbedding(CONDITION, CONDITION, { rng });
    this.first = new Linear(height * width, HIDDEN, { rng });
    this.condition = new Linear(CONDITION, HIDDEN, { bias: false, rng });
    this.second = new Linear(HIDDEN, HIDDEN, { rng });
    this.last = new Linear(HIDDEN, classes, { rng });
  }

  /** Logits [b, classes] of x [b, pixels] at network times [b]: 0 to about 1000, see `networkTime`. */
  override forward(x: Tensor, t?: Tensor): Tensor {
    const c = this.time.forward(t!).silu();
    const z = this.first.forward(x).add(this.condition.forward(c)).relu();
    return this.last.forward(this.second.forward(z, 'relu'));
  }

  /** ln p(label | x, t) of each sample for its own label: what `classifierGuided` takes the gradient of. */
  logProbability(schedule: NoiseSchedule, labels: ArrayLike<number>): LogProbability {
    return (x, t) =>
      logProbabilities(this.forward(x, full([labels.length], networkTime(schedule, t))), labels);
  }
}

/** Trains a classifier on pictures that are noised by a schedule: see `fitClassifier`. */
export function trainNoiseClassifier(
  model: NoiseClassifier,
  { train }: TrainTest,
  schedule: NoiseSchedule,
  settings: ClassifierSettings,
): Generator<ClassifierEpoch, void> {
  const rng = new Rng(settings.seed).stream('noise');
  const objective = new Objective(schedule);
  return fitClassifier(model, train, settings, (images) => {
    const times = objective.times(images.shape[0]!, rng);
    const x0 = images.mul(2).sub(1);
    const levels = Array.from(times, (t) => schedule.level(t));
    const x = diffuseEach(x0, levels, rng.normalInto(x0.empty(x0.shape)));
    return model.forward(x, tensor(times.map((t) => networkTime(schedule, t))));
  });
}

/** The share of a set's pictures whose class is found when they are noised to time t. */
export function noisedAccuracy(
  model: NoiseClassifier,
  dataset: Dataset,
  schedule: NoiseSchedule,
  t: number,
  seed: Seed,
): number {
  const rng = new Rng(seed).stream('noised test pictures');
  const loader = new DataLoader(dataset, { batchSize: TEST_BATCH });
  let right = 0;
  try {
    for (const { images, labels } of loader) {
      scope(() =>
        noGrad(() => {
          const { x } = diffuse(images.mul(2).sub(1), schedule.level(t), rng);
          const logits = model.forward(x, full([labels.length], networkTime(schedule, t)));
          right += likeliest(logits).filter((found, i) => found === labels[i]).length;
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
  const model = new NoiseClassifier(classifierSizes(checkpoint), new Rng(0));
  restoreParameters(model, checkpoint);
  return model;
}
