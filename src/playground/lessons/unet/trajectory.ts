/**
 * The trajectory of a sampling: the pictures after every step, and the data that the network predicted in that step. It is
 * that of `langevin sample --gif`, with the same hashes. Pictures are bytes here, since the page draws greys.
 */
import type { SamplerName } from '../../../diffusion/samplers/index.ts';
import { ValueError } from '../../../errors.ts';
import { toBytes } from '../../../image/bytes.ts';
import type { Edit } from '../../../models/edit.ts';
import { sampleAttention } from '../../../models/figures/attention.ts';
import type { AttentionFigure } from '../../../models/figures/attention-figure.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import { type GrowingSamples, growingSamples, MOST_FRAMES } from '../../../models/figures/samples.ts';
import type { DiffusionPipeline } from '../../../models/pipeline.ts';
import type { Preparation } from '../../../models/prepare.ts';
import { startPictures } from '../../../models/sample.ts';
import { firstSamples, MOST_SHOWN } from '../../../models/sample-grid.ts';
import { conditionsFor, type SampleConditions, samplingOf } from '../../../models/sampling.ts';
import { publishedModel } from '../../engine/published-model.ts';
import type { Hashed } from '../../figure.ts';

/** A page samples at most so many pictures and steps. */
const [MOST_PICTURES, MOST_STEPS] = [40, 1000];

/** What is left out is as the model's file says. */
export interface TrajectorySettings {
  /** The name of a published model. */
  readonly model: string;
  readonly count: number;
  readonly label?: readonly number[] | undefined;
  /** Captions, separated by |, for a model that takes them. */
  readonly caption?: string | undefined;
  /** Whether to compute the attention to the words of the captions. */
  readonly attention?: boolean | undefined;
  readonly sampler?: Exclude<SamplerName, 'ddim-inversion'> | undefined;
  readonly steps?: number | undefined;
  readonly guidance?: number | undefined;
  readonly guidanceAbove?: number | undefined;
  readonly prepare?: Preparation | undefined;
  readonly seed: string;
}

/** A moment of a trajectory. */
export interface TrajectoryFrame {
  /** Steps done. */
  readonly step: number;
  /** The schedule's time. It falls from noise to data. */
  readonly t: number;
  /** `[labels.length · height·width]` */
  readonly pictures: Uint8Array;
  /** The data that the network predicts in the step from these pictures; null at the end. */
  readonly predicted: Uint8Array | null;
}

export interface Trajectory extends SampleConditions {
  readonly height: number;
  readonly width: number;
  /** How it is sampled. */
  readonly sampler: string;
  /** Steps in all. Inpainting makes each of the sampler's steps several times. */
  readonly steps: number;
  readonly guidance: number;
  readonly frames: readonly TrajectoryFrame[];
  /** How many pictures the preparation has drawn again, over all rounds. */
  readonly redrawn: number;
  /** The attention to the words, for the first sample of each caption; absent before the end. */
  readonly attention?: AttentionFigure;
}

/** The hashes of a trajectory are those of the command's picture and animation, and of the attention. */
export interface TrajectoryHashes {
  readonly png: string;
  readonly gif: string;
  readonly attention?: string;
}

/** @throws ValueError for more than a page should compute */
function requireModest({ count, steps = 1 }: TrajectorySettings): void {
  if (count > MOST_PICTURES) {
    throw new ValueError(`--count: expected at most ${MOST_PICTURES} pictures on this page, got ${count}`);
  }
  if (steps > MOST_STEPS) {
    throw new ValueError(`--steps: expected at most ${MOST_STEPS} on this page, got ${steps}`);
  }
}

/**
 * Samples with a published model. Yields functions that make the trajectory so far, or words about a slow download.
 * @param edit makes the given picture of the pictures, from the model's pipeline
 * @throws as `publishedModel`, `samplingOf`, `conditionsFor` and `sampleDiffusion`; ValueError for too many pictures or steps
 */
export async function* trajectoryOf(
  settings: TrajectorySettings,
  edit?: Edit,
): AsyncGenerator<
  () => Trajectory | string,
  { readonly trajectory: Trajectory; readonly hashes: TrajectoryHashes },
  void
> {
  requireModest(settings);
  const model = yield* publishedModel(settings.model);
  const run = sampled(model, settings, edit);
  try {
    for (;;) {
      const { done, value } = run.next();
      if (!done) yield value;
      else {
        const { trajectory, growing } = value;
        const { attention } = trajectory;
        const hashes = {
          png: await numbersHash(firstSamples(growing.last)),
          gif: await numbersHash(growing),
          ...(attention && { attention: await numbersHash(attention) }),
        };
        return { trajectory, hashes };
      }
    }
  } finally {
    run.return(undefined as never); // frees the run's memory if the job was stopped
  }
}

function* sampled(
  model: DiffusionPipeline,
  settings: TrajectorySettings,
  edit: Edit | undefined,
): Generator<() => Trajectory, { readonly trajectory: Trajectory; readonly growing: GrowingSamples }, void> {
  const { count } = settings;
  const conditions = conditionsFor(model, settings, count);
  const { classifierGuidance: _, ...sampling } = samplingOf(model, settings, edit !== undefined);
  const { sampler, guidance, seed } = sampling;
  const { height, width } = model.network.sizes;
  const frames: TrajectoryFrame[] = [];
  let [steps, redrawn] = [0, 0];
  let now = { t: model.schedule.tMax, pictures: toBytes(startPictures(model, count, seed)) };
  const soFar = (): Trajectory => ({
    height,
    width,
    ...conditions,
    sampler,
    steps,
    guidance,
    frames,
    redrawn,
  });
  const run = growingSamples(model, { ...sampling, ...conditions, edit }, MOST_FRAMES, MOST_SHOWN);
  try {
    for (;;) {
      const { done, value } = run.next();
      if (done) {
        frames.push({ ...now, step: steps, pictures: toBytes(value.last.pictures), predicted: null });
        const attention = settings.attention && sampleAttention(model, value.last, seed);
        return { trajectory: { ...soFar(), ...(attention && { attention }) }, growing: value };
      }
      const { round, drawn, step, level } = value;
      if (round === 0) {
        steps = value.steps;
        if ((step - 1) % Math.ceil(steps / MOST_FRAMES) === 0) {
          frames.push({ ...now, step: step - 1, predicted: toBytes(value.predicted()) });
        }
        now = { t: level.t, pictures: toBytes(value.pictures()) };
      } else if (step === 1) redrawn += drawn;
      yield () => structuredClone(soFar());
    }
  } finally {
    run.return(undefined as never);
  }
}

/** The result of a job with one trajectory. */
export interface TrajectoryResult extends Hashed {
  readonly trajectory: Trajectory;
}

/**
 * Runs a job with one trajectory.
 * @param more what progress and result have beside the trajectory
 * @throws as `trajectoryOf`
 */
export async function* trajectoryJob<M extends object>(
  settings: TrajectorySettings,
  edit?: Edit,
  more = {} as M,
): AsyncGenerator<() => (TrajectoryResult & M) | string, TrajectoryResult & M, void> {
  const run = trajectoryOf(settings, edit);
  try {
    for (;;) {
      const { done, value } = await run.next();
      if (done) {
        const { trajectory, hashes } = value;
        const { png, gif, attention } = hashes;
        const named = {
          'samples.png': png,
          'samples.gif': gif,
          ...(attention && { 'attention.png': attention }),
        };
        return { trajectory, ...more, hashes: named };
      }
      yield () => {
        const trajectory = value();
        return typeof trajectory === 'string'
          ? trajectory
          : { trajectory, ...structuredClone(more), hashes: {} };
      };
    }
  } finally {
    await run.return(undefined as never);
  }
}
