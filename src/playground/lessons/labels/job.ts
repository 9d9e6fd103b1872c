/** The job `trajectories`: several samplings from the same noise, a step of each in turn, each as `langevin sample --gif`. */
import { publishedModel } from '../../engine/published-model.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';
import { type Trajectory, type TrajectorySettings, trajectoryOf } from '../unet/trajectory.ts';
import { hashKeys } from './names.ts';

export interface TrajectoriesSettings {
  /** One or more. */
  readonly variants: readonly TrajectorySettings[];
}

export interface TrajectoriesResult extends Hashed {
  /** One for each variant. */
  readonly trajectories: readonly Trajectory[];
}

export type TrajectoriesJob = Job<TrajectoriesSettings, TrajectoriesResult, TrajectoriesResult | string>;

export const compute: Compute<TrajectoriesJob> = async function* ({ variants }) {
  // Each model once, and not by each run.
  for (const model of new Set(variants.map(({ model }) => model))) yield* publishedModel(model);
  const runs = variants.map((settings) => trajectoryOf(settings));
  /** For each variant: a function that copies its trajectory so far. */
  const latest: (() => Trajectory | string)[] = [];
  const trajectories: Trajectory[] = [];
  const hashes: Record<string, string> = {};
  try {
    for (let open = runs.length; open > 0; ) {
      for (const [i, run] of runs.entries()) {
        if (trajectories[i]) continue;
        const { done, value } = await run.next();
        if (!done) {
          latest[i] = value;
          continue;
        }
        const { trajectory, hashes: own } = value;
        const keys = hashKeys(i);
        [hashes[keys['.png']], hashes[keys['.gif']]] = [own.png, own.gif];
        trajectories[i] = trajectory;
        latest[i] = () => structuredClone(trajectory);
        open--;
      }
      yield () => {
        const made = latest.map((make) => make());
        const all = made.filter((trajectory): trajectory is Trajectory => typeof trajectory !== 'string');
        return { trajectories: all, hashes: {} };
      };
    }
    return { trajectories, hashes };
  } finally {
    for (const run of runs) await run.return(undefined as never);
  }
};
