/**
 * What a trained network means: the process that it was trained in, and how files and samplers know it. The
 * network's time input runs from 0 to 1000 whatever the schedule's own times are, so that its sinusoids fit them all.
 *
 * A network whose `outputs` is `prediction`, such as the U-Net, computes what is predicted. The MLP's output y is always
 * an estimate of the data, since it has fewer numbers inside than a picture has pixels: it can say what a digit looks
 * like, but it cannot repeat a noise of all pixels, which eps, v, flow and score ask for. What is predicted then follows
 * from y and x. Take the data to be normal around y with deviation e; then the best
 * prediction p·x0 + q·eps at a level is
 *
 *     ((p·e²·alpha + q·sigma)·x + (p·sigma² - q·alpha·sigma)·y) / (e²·alpha² + sigma²)
 *
 * of which the score is that of N(alpha·y, e²·alpha² + sigma²). e keeps the errors of eps and its kin bounded where
 * sigma goes to 0, and stays in samples as a grain of that size: 0.05 on [-1, 1]. To predict x0 it is not needed, and
 * with e = 0 the prediction is y itself.
 */
import {
  type Checkpoint,
  type CheckpointInfo,
  loadCheckpoint,
  onFile,
  requireKind,
} from '../checkpoint/checkpoint.ts';
import { oneOf, readFields, whole } from '../checkpoint/fields.ts';
import { BETA_SCHEDULES, type BetaSchedule } from '../diffusion/betas.ts';
import { type ContinuousName, continuousSchedule } from '../diffusion/continuous-schedule.ts';
import { createSchedule } from '../diffusion/discrete-schedule.ts';
import type { ConditionalModel, Labels } from '../diffusion/guidance.ts';
import type { NoiseLevel } from '../diffusion/level.ts';
import { sameTime } from '../diffusion/objective.ts';
import {
  checkPrediction,
  type Pair,
  PREDICTIONS,
  type Prediction,
  predictionRow,
} from '../diffusion/prediction.ts';
import { perSample } from '../diffusion/process.ts';
import type { NoiseSchedule } from '../diffusion/schedule.ts';
import { ValueError } from '../errors.ts';
import { oneOf as nameOf } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DiffusionNetwork } from './networks/diffusion-network.ts';
import { MOST_STEPS } from './networks/limits.ts';
import { DIFFUSION_KINDS, diffusionNetworkOf } from './networks/registry.ts';
import { checkOwnSampling, type OwnSampling, readOwnSampling, samplingSetting } from './sampling-defaults.ts';
import { decodeTones, encodeTones, TONES_FIELDS, type TonesSettings, tonesSettings } from './tones.ts';

const CONTINUOUS = ['vp', 'sub-vp', 'flow'] as const satisfies readonly ContinuousName[];

/** The schedules that a network is trained in. Those whose variance explodes would need scaled inputs. */
export const TRAINING_SCHEDULES = [...BETA_SCHEDULES, ...CONTINUOUS] as const;
export type TrainingSchedule = (typeof TRAINING_SCHEDULES)[number];

/** Which process a network was trained in; a file holds it. */
export interface ProcessSettings extends TonesSettings {
  readonly schedule: TrainingSchedule;
  /** T of a schedule with discrete steps; the others have none and ignore it. */
  readonly steps: number;
  readonly predicts: Prediction;
}

/** The name, whatever its case. @throws ValueError for an unknown one */
export const checkTrainingSchedule = (name: TrainingSchedule): TrainingSchedule =>
  nameOf('schedule', TRAINING_SCHEDULES, name);

/** The schedule of that name. @throws ValueError for an unknown name or steps that it cannot have */
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

/** The network's time input for the time t: from about 0 to about 1000. */
export function networkTime({ times, tMax }: NoiseSchedule, t: number): number {
  return (1000 * t) / (times ? times.length : tMax);
}

/** A network, and the process that it belongs to, as samplers and guidance ask it. */
export class DiffusionPipeline implements ConditionalModel {
  readonly schedule: NoiseSchedule;
  readonly predicts: Prediction;
  readonly settings: ProcessSettings;

  /**
   * @param sampling how it samples where nobody says otherwise
   * @throws ValueError for unknown names, or steps that the schedule cannot have
   */
  constructor(
    readonly network: DiffusionNetwork,
    { schedule, steps, predicts, ...given }: ProcessSettings,
    readonly sampling: OwnSampling = {},
  ) {
    this.schedule = trainingSchedule({ schedule, steps });
    this.predicts = checkPrediction(predicts);
    const known = { schedule: checkTrainingSchedule(schedule), predicts: this.predicts };
    this.settings = { ...known, steps, ...tonesSettings(given) };
    checkOwnSampling(sampling, network.sizes, this.schedule.times?.length ?? Infinity);
  }

  get classes(): number {
    return this.network.sizes.classes;
  }

  /** Pictures in [0, 1] as the network sees them, in [-1, 1]. */
  encode(images: Tensor): Tensor {
    return encodeTones(images, this.settings);
  }

  /** What the network made, in [-1, 1] where it is done, as pixels in [0, 1]. */
  decode(values: ArrayLike<number>): Float64Array {
    return decodeTones(values, this.settings);
  }

  /** Whether the network's output is the prediction itself. */
  private get isDirect(): boolean {
    return this.predicts === 'x0' || this.network.outputs === 'prediction';
  }

  predict(x: Tensor, t: number, labels: Labels): Tensor {
    const y = this.network.forward(x, sameTime(x, networkTime(this.schedule, t)), { labels });
    if (this.isDirect) return y;
    const [ofX, ofY] = coefficients(this.predicts, this.schedule.level(t));
    return x.mul(ofX).add(y.mul(ofY));
  }

  /** The prediction for each sample at its own time t of the schedule, as training asks it. */
  predictEach(x: Tensor, t: ArrayLike<number>, labels?: Labels): Tensor {
    const times = Float64Array.from(t, (time) => networkTime(this.schedule, time));
    const y = this.network.forward(x, times, labels ? { labels } : {});
    if (this.isDirect) return y;
    const pairs = Array.from(t, (time) => coefficients(this.predicts, this.schedule.level(time)));
    const [ofX, ofY] = [0, 1].map((i) =>
      perSample(
        pairs.map((pair) => pair[i]),
        x,
      ),
    );
    return x.mul(ofX).add(y.mul(ofY));
  }
}

/** e, of the file's header. */
const DEVIATION = 0.05;

/** Coefficients of x and of the network's answer: see the file's header. */
function coefficients(kind: Prediction, level: NoiseLevel): Pair {
  const { alpha, sigma } = level;
  const [p, q] = predictionRow(kind, level);
  const variance = DEVIATION * DEVIATION;
  const total = variance * alpha * alpha + sigma * sigma;
  return [(p * variance * alpha + q * sigma) / total, (p * sigma * sigma - q * alpha * sigma) / total];
}

/** What a file says of a network and its process, beside the parameters. */
export function diffusionInfo(
  { network, settings, sampling }: DiffusionPipeline,
  more: object = {},
): CheckpointInfo {
  // A size of 0, no classes, is left out.
  const sizes = Object.fromEntries(Object.entries(network.sizes).filter(([, size]) => size > 0));
  return { kind: network.kind, sizes, settings: { ...settings, ...more, ...samplingSetting(sampling) } };
}

/** The process in a file's settings. */
export const PROCESS_FIELDS = {
  schedule: oneOf(TRAINING_SCHEDULES),
  steps: whole(1, MOST_STEPS),
  predicts: oneOf(PREDICTIONS),
  ...TONES_FIELDS,
};

/** The network and the process of a file that was read. @throws FormatError for a file of anything else */
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
 * The network and process in a file that `langevin train diffusion` wrote.
 * @throws FileError for a file that cannot be read, FormatError for one that holds something else
 */
export async function loadDiffusion(path: string): Promise<DiffusionPipeline> {
  return diffusionOf(await loadCheckpoint(path));
}
