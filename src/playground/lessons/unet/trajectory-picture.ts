/** How a trajectory is drawn: the pictures at a moment, below them what the network predicts from them, and the labels. */
import { encodeCsv } from '../../../data/csv.ts';
import { digitRow, type Layout, layoutOf } from '../../draw/digits.ts';
import { text } from '../../draw/svg.ts';
import { type NumberRow, shown } from '../../figure.ts';
import type { Trajectory, TrajectoryResult } from './trajectory.ts';

const SIDE = 28;
/** The height of a line of words. */
const LINE = 24;

/** The published model of these lessons. */
export const MODEL = 'mnist-unet';

/** What fields show for a setting that the model's file decides. */
export const OWN = { sampler: "the model's own", steps: 'own', guidance: "the model's own" } as const;

/** The trajectory's pictures laid out in a width. */
export const trajectoryLayout = (trajectory: Trajectory, width: number): Layout =>
  layoutOf(trajectory.labels.length, SIDE, width);

export interface Drawn {
  readonly svg: string;
  readonly height: number;
}

/** @param rows pictures with their words; a label stands below each of the last ones */
export function drawRows(
  { labels, width: w, height: h }: Trajectory,
  rows: readonly (readonly [words: string, bytes: Uint8Array])[],
  { across, scale, pitch }: Layout,
  top = 0,
): Drawn {
  const size = scale * SIDE;
  let [svg, y] = ['', top];
  for (let from = 0; from < labels.length; from += across) {
    const to = Math.min(labels.length, from + across);
    for (const [words, bytes] of rows) {
      svg += text('label', 0, y + 16, words);
      svg += digitRow({ width: w, height: h, bytes }, [from, to], { x: 0, y: y + LINE, scale });
      y += LINE + size + 8;
    }
    for (let i = from; i < to; i++) {
      const word = labels[i] === null ? '' : String(labels[i]);
      svg += text('label strong', (i - from) * pitch + size / 2, y + 12, word, 'middle');
    }
    y += LINE + 8;
  }
  return { svg, height: y - top - 8 };
}

/** A moment of a trajectory: its pictures, and below them what the network predicts. */
export function drawTrajectory(trajectory: Trajectory, frame: number, layout: Layout, top = 0): Drawn {
  const { pictures, predicted } = trajectory.frames[frame];
  const rows = [
    ['state x', pictures],
    ['predicted data', predicted ?? pictures],
  ] as const;
  return drawRows(trajectory, rows, layout, top);
}

/** `step 3 of 12, t = 0.75` */
export function trajectoryMoment({ frames, steps, redrawn }: Trajectory, frame: number): string {
  const { step, t, predicted } = frames[frame];
  if (predicted === null) return `done: step ${step} of ${steps}`;
  const again = redrawn > 0 && frame === frames.length - 1 ? ', drawing again' : '';
  return `step ${step} of ${steps}, t = ${t.toFixed(2)}${again}`;
}

/** How a trajectory was sampled, as rows of the tab Numbers. */
export const trajectoryNumbers = (
  { sampler, steps, guidance, frames }: Trajectory,
  frame: number,
): NumberRow[] => [
  { name: 'sampler', value: `${sampler}, ${steps} steps` },
  { name: 'guidance', value: shown(guidance) },
  { name: 'steps done', value: String(frames[frame].step) },
  { name: 'time t', value: frames[frame].t.toFixed(3) },
];

/** The trajectory's last pictures as columns of greys, 0 to 255. */
export function trajectoryColumns({ labels, frames, width, height }: Trajectory): {
  head: string[];
  columns: Uint8Array[];
} {
  const { pictures } = frames[frames.length - 1];
  const size = width * height;
  return {
    head: labels.map((label, i) => `picture ${i + 1}${label === null ? '' : `, label ${label}`}`),
    columns: labels.map((_, i) => pictures.subarray(i * size, (i + 1) * size)),
  };
}

/** What all figures of one trajectory have. */
export const TRAJECTORY_FIGURE = {
  frames: ({ trajectory }: TrajectoryResult) => trajectory.frames.length,
  moment: ({ trajectory }: TrajectoryResult, frame: number) => trajectoryMoment(trajectory, frame),
  csv({ trajectory }: TrajectoryResult) {
    const { head, columns } = trajectoryColumns(trajectory);
    return encodeCsv(head, columns);
  },
};
