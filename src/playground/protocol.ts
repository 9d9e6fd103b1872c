/**
 * The messages between the page and its engine. The engine runs in one worker, since it blocks its thread while it
 * computes. The page only draws. The page sends a job by its name. The engine sends its progress, at most 30 times a
 * second, and its result. Arrays are transferred, not copied.
 */
import type { SdeJob } from './lessons/brownian/job.ts';
import type { DenoiserFileJob, DenoiserJob, DenoiserOpenJob } from './lessons/denoiser/job.ts';
import type { ThreadsJob } from './lessons/denoiser/job-threads.ts';
import type { OnePathJob } from './lessons/equations/job-one-path.ts';
import type { OrdersJob } from './lessons/equations/job-orders.ts';
import type { FiveStepsJob } from './lessons/five-steps/job.ts';
import type { KernelsJob } from './lessons/kernels/job.ts';
import type { TrajectoriesJob } from './lessons/labels/job.ts';
import type { NoisingJob } from './lessons/noising/job-noising.ts';
import type { SchedulesJob } from './lessons/noising/job-schedules.ts';
import type { PureNoiseJob } from './lessons/pure-noise/job.ts';
import type { ScoresJob } from './lessons/scores/job.ts';
import type { StartJob } from './lessons/start/job.ts';
import type { BrokenJob, DifferenceJob, StepJob, TensorJob } from './lessons/step/jobs.ts';
import type { CompletingJob } from './lessons/unet/job-completing.ts';
import type { GrowingJob } from './lessons/unet/job-growing.ts';

/** The settings of a job, its result, and the values of its progress. */
export interface Job<Settings, Result, Progress = never> {
  readonly settings: Settings;
  readonly result: Result;
  readonly progress: Progress;
}

/** The jobs by name; engine/jobs.ts has their programs. */
export interface Jobs {
  readonly sde: SdeJob;
  readonly 'one-path': OnePathJob;
  readonly orders: OrdersJob;
  readonly noising: NoisingJob;
  readonly schedules: SchedulesJob;
  readonly scores: ScoresJob;
  readonly growing: GrowingJob;
  readonly completing: CompletingJob;
  readonly trajectories: TrajectoriesJob;
  readonly denoiser: DenoiserJob;
  readonly 'denoiser-file': DenoiserFileJob;
  readonly 'denoiser-open': DenoiserOpenJob;
  readonly 'denoiser-threads': ThreadsJob;
  readonly kernels: KernelsJob;
  readonly step: StepJob;
  readonly 'step-tensor': TensorJob;
  readonly 'step-difference': DifferenceJob;
  readonly 'step-broken': BrokenJob;
  readonly 'pure-noise': PureNoiseJob;
  readonly start: StartJob;
  readonly 'five-steps': FiveStepsJob;
}
export type JobName = keyof Jobs;

/** A job of a live figure (figure.ts): its progress is its result so far, without hashes. */
export type LiveJob<Settings, Result> = Job<Settings, Result, Result>;

/**
 * A job's program. A long one is a generator. It can be stopped and paused where it yields. It yields functions that
 * make the progress, since most of them are not sent. Their arrays are transferred, so they must be copies.
 */
export type Compute<J extends Job<unknown, unknown, unknown>> = (
  settings: J['settings'],
) => Promise<J['result']> | AsyncGenerator<() => J['progress'], J['result'], void>;

/** What the page shows of the engine. */
export interface EngineFacts {
  /** Threads that compute. */
  readonly threads: number;
  /** Processors that the browser reports. */
  readonly processors: number;
  /** Whether memory can be shared between threads. */
  readonly isolated: boolean;
}

/** The prefix of the name of the lock that a worker holds while it lives. The rest is the name of the worker. */
export const LIFE_LOCK = 'langevin-engine-';

export type ToEngine =
  | {
      readonly type: 'run';
      readonly id: number;
      readonly job: JobName;
      readonly settings: unknown;
      /** How often the job may yield before it waits. Infinity lets it run. */
      readonly yields: number;
    }
  | { readonly type: 'stop'; readonly id: number }
  /** The job goes on for so many yields, then waits. */
  | { readonly type: 'allow'; readonly id: number; readonly yields: number }
  | { readonly type: 'threads'; readonly threads: number };

export type FromEngine =
  | { readonly type: 'ready'; readonly facts: EngineFacts }
  /** The engine cannot start: no memory, or no WebAssembly SIMD. */
  | { readonly type: 'broken'; readonly message: string }
  | { readonly type: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly type: 'done'; readonly id: number; readonly result: unknown }
  | { readonly type: 'stopped'; readonly id: number }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly message: string;
      /** Whether memory was refused. WebAssembly memory never shrinks, so only another engine has it free again. */
      readonly outOfMemory: boolean;
    };
