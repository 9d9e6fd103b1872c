/** Trajectories from the same noise, at the same moment. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import type { CommandOf, Values } from '../../figure.ts';
import type { Trajectory, TrajectoryFrame } from '../unet/trajectory.ts';
import { trajectoryColumns, trajectoryMoment } from '../unet/trajectory-picture.ts';
import type { TrajectoriesResult, TrajectoriesSettings } from './job.ts';
import { hashKeys } from './names.ts';

/** A trajectory's frame at a moment. A trajectory that has fewer frames stays at its last one. */
export const frameAt = ({ frames }: Trajectory, frame: number): TrajectoryFrame =>
  frames[Math.min(frame, frames.length - 1)];

/** The longest trajectory, which names the moments. */
export const longest = (trajectories: readonly Trajectory[]): Trajectory =>
  trajectories.reduce((one, other) => (other.frames.length > one.frames.length ? other : one));

/** The mean difference of two pictures' greys, as a share of white. */
export function meanDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / (255 * a.length);
}

/** The last pictures of all trajectories as columns of a table. @param names one for each trajectory */
function csv(trajectories: readonly Trajectory[], names: readonly string[]): string {
  const parts = trajectories.map((trajectory, i) => {
    const { head, columns } = trajectoryColumns(trajectory);
    return { head: head.map((words) => `${names[i]}, ${words}`), columns };
  });
  return encodeCsv(
    parts.flatMap(({ head }) => head),
    parts.flatMap(({ columns }) => columns),
  );
}

/**
 * What all figures of several trajectories have.
 * @param variantsOf the settings of each trajectory, as the command takes them
 * @param namesOf the name of each trajectory
 */
export const trajectoriesFigure = (
  variantsOf: (values: Values) => readonly Values[],
  namesOf: (result: TrajectoriesResult) => readonly string[],
) => ({
  request: (values: Values) => ({ variants: variantsOf(values) }) as unknown as TrajectoriesSettings,
  commands: (values: Values): CommandOf[] =>
    variantsOf(values).map((variant, i) => ({
      line: commandLine('sample', { ...variant, gif: true }),
      numbers: hashKeys(i),
    })),
  frames: ({ trajectories }: TrajectoriesResult) => longest(trajectories).frames.length,
  moment: ({ trajectories }: TrajectoriesResult, frame: number) =>
    trajectoryMoment(longest(trajectories), frame),
  csv: (result: TrajectoriesResult) => csv(result.trajectories, namesOf(result)),
});
