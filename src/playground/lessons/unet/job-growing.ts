/** The job `growing`: digits that grow out of noise, as `langevin sample --gif` samples them. */
import type { Compute, Job } from '../../protocol.ts';
import { type TrajectoryResult, type TrajectorySettings, trajectoryJob } from './trajectory.ts';

export type GrowingJob = Job<TrajectorySettings, TrajectoryResult, TrajectoryResult | string>;

export const compute: Compute<GrowingJob> = (settings) => trajectoryJob(settings);
