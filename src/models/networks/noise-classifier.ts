/**
 * A classifier of noised pictures, for classifier guidance: from x [b, height, width, channels] at times [b] to logits
 * [b, classes]. Inside, a picture is a row of numbers:
 *
 *     c = silu(time embedding of t)
 *     z = relu(A·x + C·c)      400 numbers
 *     z = relu(B·z)            400 numbers
 *     logits = L·z
 *
 * Pixels are in [-1, 1], with the noise of the diffusion model that it guides. It is trained by
 * training/noise-classifier.ts.
 *
 * Source: Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis" (2021), section 4. Their classifier is
 * half of a U-Net. Left out on purpose: convolutions.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { type Checkpoint, requireKind } from '../../checkpoint/checkpoint.ts';
import { readFields } from '../../checkpoint/fields.ts';
import { type ModelFormat, readModel } from '../../checkpoint/model-format.ts';
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import type { LogProbability } from '../../diffusion/guidance.ts';
import { sameTime } from '../../diffusion/objective.ts';
import { diffuse } from '../../diffusion/process.ts';
import type { NoiseSchedule } from '../../diffusion/schedule.ts';
import { ShapeError } from '../../errors.ts';
import { Linear } from '../../nn/linear.ts';
import { logProbabilities } from '../../nn/loss.ts';
import { Module } from '../../nn/module.ts';
import { TimeEmbedding } from '../../nn/time-embedding.ts';
import { withDefaults } from '../../options.ts';
import { Rng, type Seed, sharedRng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  checkTrainingSchedule,
  networkTime,
  PROCESS_FIELDS,
  type ProcessSettings,
  trainingSchedule,
} from '../pipeline.ts';
import { encodeTones, tonesSettings } from '../tones.ts';
import {
  CLASSIFIER_DEFAULTS,
  CLASSIFIER_FIELDS,
  type ClassifierOptions,
  type ClassifierSizes,
} from './picture-classifier.ts';
import { pictureRows } from './pictures.ts';

/** The noise schedule of a classifier, and the tones of its pictures. */
export type NoiseClassifierSettings = Omit<ProcessSettings, 'predicts' | 'cuts' | 'kinds'>;

const HIDDEN = 400;
const CONDITION = 64;
const TEST_BATCH = 250;

/**
 * A classifier of noised pictures, for classifier guidance: an MLP with time. `time` embeds the times, and `condition`
 * adds them to the output of `first`. `second` and `last` follow.
 */
export class NoiseClassifier extends Module {
  /** The kind of this model in a checkpoint. */
  static readonly kind = 'noise-classifier';
  readonly time: TimeEmbedding;
  readonly first: Linear;
  readonly condition: Linear;
  readonly second: Linear;
  readonly last: Linear;

  /** The schedule that noises the pictures, and its settings. */
  readonly schedule: NoiseSchedule;
  /** The settings of that schedule, and the tones of the pictures. */
  readonly noise: NoiseClassifierSettings;
  readonly sizes: ClassifierSizes;

  /** @throws ValueError for an unknown schedule */
  constructor(
    sizes: ClassifierOptions,
    { schedule, steps, tones = [] }: NoiseClassifierSettings,
    rng: Rng = sharedRng(),
  ) {
    super();
    this.noise = { schedule: checkTrainingSchedule(schedule), steps, ...tonesSettings({ tones }) };
    this.schedule = trainingSchedule(this.noise);
    this.sizes = withDefaults(NoiseClassifier.kind, sizes, CLASSIFIER_DEFAULTS);
    this.time = new TimeEmbedding(CONDITION, CONDITION, { rng });
    this.first = new Linear(pictureSize(this.sizes), HIDDEN, { rng });
    this.condition = new Linear(CONDITION, HIDDEN, { bias: false, rng });
    this.second = new Linear(HIDDEN, HIDDEN, { rng });
    this.last = new Linear(HIDDEN, sizes.classes, { rng });
  }

  /** Encodes pictures in [0, 1] as the classifier's input, in [-1, 1]. */
  encode(images: Tensor): Tensor {
    return encodeTones(images, this.noise);
  }

  /**
   * Logits [b, classes] of x [b, height, width, channels] at times t of the schedule, one per picture.
   * @throws ShapeError for other pictures, or another number of times
   */
  forward(x: Tensor, t: ArrayLike<number>): Tensor {
    if (t.length !== x.shape[0]) {
      throw new ShapeError(`${NoiseClassifier.kind}: expected ${x.shape[0]} times, got ${t.length}`);
    }
    const times = Float64Array.from(t, (time) => networkTime(this.schedule, time));
    const c = this.time.forward(times).silu();
    const rows = pictureRows(NoiseClassifier.kind, x, this.sizes);
    const z = this.first.forward(rows).add(this.condition.forward(c)).relu();
    return this.last.forward(this.second.forward(z, 'relu'));
  }

  /** ln p(label | x, t) of each sample for its label, as `classifierGuided` needs it. */
  logProbability(labels: ArrayLike<number>): LogProbability {
    return (x, t) => logProbabilities(this.forward(x, sameTime(x, t)), labels);
  }
}

/**
 * The accuracy on a set's pictures, noised to time t.
 * @throws ValueError for a time that is not in the schedule
 */
export function noisedAccuracy(model: NoiseClassifier, dataset: Dataset, t: number, seed: Seed): number {
  const rng = new Rng(seed).stream('noised test pictures');
  const loader = new DataLoader(dataset, { batchSize: TEST_BATCH });
  let right = 0;
  for (let batch = 0; batch < loader.batches; batch++) {
    scope(() =>
      noGrad(() => {
        const { images, labels } = loader.next();
        const { x } = diffuse(model.encode(images), model.schedule.level(t), rng);
        const logits = model.forward(x, sameTime(x, t));
        right += logits.argmax(1).filter((found, i) => found === labels[i]).length;
      }),
    );
  }
  return right / dataset.length;
}

const format = (noise: NoiseClassifierSettings): ModelFormat<NoiseClassifier, ClassifierSizes> => ({
  kind: NoiseClassifier.kind,
  sizes: CLASSIFIER_FIELDS,
  shapes: (sizes) => [
    ['time.first.weight', [CONDITION, CONDITION]],
    ['time.second.weight', [CONDITION, CONDITION]],
    ['first.weight', [HIDDEN, pictureSize(sizes)]],
    ['condition.weight', [HIDDEN, CONDITION]],
    ['second.weight', [HIDDEN, HIDDEN]],
    ['last.weight', [sizes.classes, HIDDEN]],
  ],
  create: (sizes) => new NoiseClassifier(sizes, noise, new Rng(0)),
});

/** The classifier in a file that was read. @throws FormatError for a file of another kind */
export function noiseClassifierOf(checkpoint: Checkpoint): NoiseClassifier {
  requireKind(checkpoint, NoiseClassifier.kind);
  const { predicts: _predicts, cuts: _cuts, kinds: _kinds, ...fields } = PROCESS_FIELDS;
  const noise = readFields(checkpoint.settings, fields, `${checkpoint.source}: settings`);
  return readModel(checkpoint, format(noise));
}
