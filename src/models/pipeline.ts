/**
 * A trained network together with its process: the noise schedule and the predicted quantity. Samplers, guidance and
 * files use this pair.
 *
 * The network's time input is 0 to 1000 for every schedule, so one time embedding fits all schedules.
 *
 * The network's `outputs` says what its output is. For `prediction`, as in the U-Net, the output is the predicted
 * quantity: x0, eps, v, flow, score or edm. The MLP's output y is always an estimate of the data x0. Its hidden layers
 * have fewer numbers than a picture has pixels. So it can represent a digit, but not independent noise in all pixels.
 * Such noise is a part of eps, v, flow, score and edm.
 *
 * For the MLP the prediction is computed from y and x. We assume that the data are normal around y with the standard
 * deviation e. Then the best prediction of p·x0 + q·eps at a noise level is
 *
 *     ((p·e²·alpha + q·sigma)·x + (p·sigma² - q·alpha·sigma)·y) / (e²·alpha² + sigma²)
 *
 * If the predicted quantity is the score, the formula gives the score of N(alpha·y, e²·alpha² + sigma²). With e > 0
 * the errors of eps, v, flow and score stay bounded as sigma goes to 0. The cost is noise in the samples, with the
 * standard deviation e. e is 0.05, with pixels in [-1, 1]. A prediction of x0 needs no e: it is y itself.
 *
 * If a network with the output `prediction` predicts `edm`, its input is x/√(sigma² + d²·alpha²), as in EDM
 * (diffusion/preconditioning.ts).
 */
import {
  type Checkpoint,
  type CheckpointInfo,
  loadCheckpoint,
  onFile,
  requireKind,
} from '../checkpoint/checkpoint.ts';
import { oneOf, optional, readFields, whole } from '../checkpoint/fields.ts';
import { pictureSize } from '../data/dataset.ts';
import { BETA_SCHEDULES, type BetaSchedule } from '../diffusion/betas.ts';
import { type ContinuousName, continuousSchedule } from '../diffusion/continuous-schedule.ts';
import { createSchedule, DiscreteSchedule } from '../diffusion/discrete-schedule.ts';
import type { ConditionalModel, Conditions, Labels } from '../diffusion/guidance.ts';
import { splitVariance } from '../diffusion/learned-variance.ts';
import type { NoiseLevel } from '../diffusion/level.ts';
import { sameTime } from '../diffusion/objective.ts';
import { scalingsAt } from '../diffusion/preconditioning.ts';
import {
  type Coefficients,
  checkPrediction,
  PREDICTIONS,
  type Prediction,
  predictionRow,
} from '../diffusion/prediction.ts';
import { perSample } from '../diffusion/process.ts';
import type { NoiseSchedule } from '../diffusion/schedule.ts';
import { ValueError } from '../errors.ts';
import { oneOf as nameOf } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Condition, DiffusionNetwork } from './networks/diffusion-network.ts';
import { MOST_STEPS } from './networks/limits.ts';
import { DIFFUSION_KINDS, diffusionNetworkOf } from './networks/registry.ts';
import type { Captions } from './networks/text-encoder.ts';
import { checkOwnSampling, type OwnSampling, readOwnSampling, samplingSetting } from './sampling-defaults.ts';
import { studentDefaults } from './student.ts';
import { decodeTones, encodeTones, TONES_FIELDS, type TonesSettings, tonesSettings } from './tones.ts';

const CONTINUOUS = ['vp', 'sub-vp', 'flow'] as const satisfies readonly ContinuousName[];

/** The noise schedules for training. Variance-exploding schedules are left out: their inputs would need scaling. */
export const TRAINING_SCHEDULES = [...BETA_SCHEDULES, ...CONTINUOUS] as const;
export type TrainingSchedule = (typeof TRAINING_SCHEDULES)[number];

/** The process of a network's training. A file of the network has these settings. */
export interface ProcessSettings extends TonesSettings {
  /** The name of the noise schedule. */
  readonly schedule: TrainingSchedule;
  /** T, the number of steps of a discrete schedule. A continuous schedule ignores it. */
  readonly steps: number;
  /** The predicted quantity. */
  readonly predicts: Prediction;
  /** The number of steps in which a student samples (student.ts). 0 or absent for other models. */
  readonly student?: number;
}

/** The name of a training schedule. Upper and lower case are the same. @throws ValueError for an unknown name */
export const checkTrainingSchedule = (name: TrainingSchedule): TrainingSchedule =>
  nameOf('schedule', TRAINING_SCHEDULES, name);

/** Creates a schedule by its name. @throws ValueError for an unknown name, or steps that the schedule does not allow */
export function trainingSchedule({
  schedule,
  steps,
}: Pick<ProcessSettings, 'schedule' | 'steps'>): NoiseSchedule {
  const known = checkTrainingSchedule(schedule);
  const continuous = CONTINUOUS.find((name) => name === known);
  if (steps > MOST_STEPS) {
    throw new ValueError(`schedule: expected at most ${MOST_STEPS} steps, got ${steps}`);
  }
  return continuous ? continuousSchedule(continuous) : createSchedule(known as BetaSchedule, steps);
}

/** The network's time input for the time t of the schedule: from about 0 to about 1000. */
export function networkTime({ times, tMax }: NoiseSchedule, t: number): number {
  return (1000 * t) / (times ? times.length : tMax);
}

/** A network with its process. Samplers and guidance call `predict`, and training calls `predictEach`. */
export class DiffusionPipeline implements ConditionalModel<number | string> {
  /** The noise schedule that the network was trained in. */
  readonly schedule: NoiseSchedule;
  /** What the network predicts. */
  readonly predicts: Prediction;
  /** The settings of the process, as a file stores them. */
  readonly settings: ProcessSettings;
  /** The model's default settings for sampling. */
  readonly sampling: OwnSampling;
  /** Absent without a learnt variance. */
  readonly predictWithVariance: ConditionalModel<number | string>['predictWithVariance'];

  /**
   * @param sampling the model's default settings for sampling
   * @throws ValueError for unknown names, steps that the schedule does not allow, or a learnt variance on a schedule
   * without steps
   */
  constructor(
    readonly network: DiffusionNetwork,
    { schedule, steps, predicts, student = 0, ...given }: ProcessSettings,
    sampling: OwnSampling = {},
  ) {
    this.schedule = trainingSchedule({ schedule, steps });
    this.predicts = checkPrediction(predicts);
    const known = { schedule: checkTrainingSchedule(schedule), predicts: this.predicts };
    this.settings = { ...known, steps, ...(student > 0 && { student }), ...tonesSettings(given) };
    this.sampling = studentDefaults(student, sampling);
    checkOwnSampling(this.sampling, network, this.schedule.times?.length ?? Infinity);
    if (network.learnsVariance) {
      if (!(this.schedule instanceof DiscreteSchedule)) {
        throw new ValueError(
          `learnt variance: expected a schedule with steps, such as cosine, got ${this.schedule.name}`,
        );
      }
      this.predictWithVariance = (x, t, labels) => splitVariance(this.outputAt(x, t, labels));
    }
  }

  /** The number of classes. 0 for a network without labels. */
  get classes(): number {
    return this.network.sizes.classes;
  }

  /** Whether the condition is a caption, and not a label. */
  get takesCaptions(): boolean {
    return this.network.takesCaptions;
  }

  /** Whether the model has labels or captions, so that it can be guided. */
  get isConditional(): boolean {
    return this.classes > 0 || this.takesCaptions;
  }

  /** Converts pictures in [0, 1] to inputs of the network, in [-1, 1]. */
  encode(images: Tensor): Tensor {
    return encodeTones(images, this.settings);
  }

  /** Converts states of sampling to pixels. Values in [-1, 1] become pixels in [0, 1]. */
  decode(values: ArrayLike<number>): Float64Array {
    return decodeTones(values, this.settings, pictureSize(this.network.sizes));
  }

  /** Whether the network's output is the predicted quantity itself. */
  get isDirect(): boolean {
    return this.predicts === 'x0' || this.network.outputs === 'prediction';
  }

  /** Whether the network's input is scaled, as EDM's is. An estimate of the data needs no scaled input. */
  get isScaled(): boolean {
    return this.predicts === 'edm' && this.isDirect;
  }

  /**
   * The prediction for x [batch, height, width, channels] at time t of the schedule, of x's shape.
   * @param labels the label or the caption of each sample; null for none
   */
  predict(x: Tensor, t: number, labels: Conditions): Tensor {
    if (this.predictWithVariance) return this.predictWithVariance(x, t, labels).prediction;
    const y = this.outputAt(x, t, labels);
    if (this.isDirect) return y;
    const [ofX, ofY] = coefficients(this.predicts, this.schedule.level(t));
    return x.mul(ofX).add(y.mul(ofY));
  }

  /** The network's output at time t of the schedule. */
  private outputAt(x: Tensor, t: number, labels: Conditions): Tensor {
    const input = this.isScaled ? x.mul(scalingsAt(this.schedule.level(t)).in) : x;
    return this.network.forward(input, sameTime(x, networkTime(this.schedule, t)), this.conditionOf(labels));
  }

  /** The same with one time t per sample, for training. */
  predictEach(x: Tensor, t: ArrayLike<number>, labels?: Conditions): Tensor {
    const y = this.outputEach(x, t, labels);
    if (this.network.learnsVariance) return splitVariance(y).prediction;
    if (this.isDirect) return y;
    const [ofX, ofY] = ([0, 1] as const).map((i) =>
      this.eachLevel(x, t, (level) => coefficients(this.predicts, level)[i]),
    );
    return x.mul(ofX).add(y.mul(ofY));
  }

  /** The network's output with one time t per sample. With a learnt variance it has both halves. */
  outputEach(x: Tensor, t: ArrayLike<number>, labels?: Conditions): Tensor {
    const times = Float64Array.from(t, (time) => networkTime(this.schedule, time));
    const input = this.isScaled ? x.mul(this.eachLevel(x, t, (level) => scalingsAt(level).in)) : x;
    return this.network.forward(input, times, labels ? this.conditionOf(labels) : {});
  }

  /** The network checks that they are labels, or captions. */
  private conditionOf(given: Conditions): Condition {
    return this.takesCaptions ? { captions: given as Captions } : { labels: given as Labels };
  }

  /** One number per sample, from the level at its time. */
  private eachLevel(x: Tensor, t: ArrayLike<number>, value: (level: NoiseLevel) => number): Tensor {
    return perSample(
      Array.from(t, (time) => value(this.schedule.level(time))),
      x,
    );
  }
}

/** e in the header of this file. */
export const DATA_DEVIATION = 0.05;

/** The coefficients of x and of the network's output y. See the header of this file. */
function coefficients(kind: Prediction, level: NoiseLevel): Coefficients {
  const { alpha, sigma } = level;
  const [p, q] = predictionRow(kind, level);
  const variance = DATA_DEVIATION * DATA_DEVIATION;
  const total = variance * alpha * alpha + sigma * sigma;
  return [(p * variance * alpha + q * sigma) / total, (p * sigma * sigma - q * alpha * sigma) / total];
}

/** The metadata for a file of a network and its process: everything except the parameters. */
export function diffusionInfo(
  { network, settings, sampling }: DiffusionPipeline,
  more: object = {},
): CheckpointInfo {
  // A size of 0 is not written. Only the number of classes can be 0.
  const sizes = Object.fromEntries(Object.entries(network.sizes).filter(([, size]) => size > 0));
  return { kind: network.kind, sizes, settings: { ...settings, ...more, ...samplingSetting(sampling) } };
}

/** The fields of the process in a file's settings. */
export const PROCESS_FIELDS = {
  schedule: oneOf(TRAINING_SCHEDULES),
  steps: whole(1, MOST_STEPS),
  predicts: oneOf(PREDICTIONS),
  student: optional(whole(0, MOST_STEPS), 0),
  ...TONES_FIELDS,
};

/** The network and the process in a checkpoint. @throws FormatError for a file without a diffusion model */
export function diffusionOf(checkpoint: Checkpoint): DiffusionPipeline {
  const { source, settings } = checkpoint;
  requireKind(checkpoint, ...DIFFUSION_KINDS);
  const process = readFields(settings, PROCESS_FIELDS, `${source}: settings`);
  const sampling = readOwnSampling(settings ?? {}, source);
  const network = diffusionNetworkOf(checkpoint);
  try {
    return onFile(source, () => new DiffusionPipeline(network, process, sampling));
  } catch (error) {
    network.dispose();
    throw error;
  }
}

/**
 * Reads a network and its process from a file of `langevin train diffusion`.
 * @throws FileError for a file that cannot be read
 * @throws FormatError for a file without a diffusion model
 */
export async function loadDiffusion(path: string): Promise<DiffusionPipeline> {
  return diffusionOf(await loadCheckpoint(path));
}
