/** Digits that grow out of noise by the published U-Net: `langevin sample --model mnist-unet`. */
import { commandLine } from '../../../models/command-line.ts';
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { picture } from '../../draw/svg.ts';
import { defineFigure, type Values } from '../../figure.ts';
import type { TrajectoryResult, TrajectorySettings } from './trajectory.ts';
import {
  drawTrajectory,
  MODEL,
  OWN,
  TRAJECTORY_FIGURE,
  trajectoryLayout,
  trajectoryMoment,
  trajectoryNumbers,
} from './trajectory-picture.ts';

const { count, label } = SAMPLE_TABLE;
const { sampler, steps, guidance, seed } = SAMPLING_TABLE;

const request = (values: Values) => ({ ...values, model: MODEL }) as unknown as TrajectorySettings;

function draw({ trajectory }: TrajectoryResult, frame: number, width: number): string {
  const layout = trajectoryLayout(trajectory, width);
  const { svg, height } = drawTrajectory(trajectory, frame, layout);
  const words = `${trajectory.labels.length} digits and the data that the network predicts, ${trajectoryMoment(trajectory, frame)}`;
  return picture(layout.width, height, words, svg);
}

export const GROWING = defineFigure({
  id: 'growing',
  title: 'Digits grow out of noise',
  job: 'growing',
  live: 'Sample',
  short: { count: 2, steps: 4, label: [7] },
  table: { label, count, sampler, steps, guidance, seed },
  initial: {
    label: undefined,
    count: 10,
    sampler: undefined,
    steps: undefined,
    guidance: undefined,
    seed: '0',
  },
  labels: { label: 'digits, as in 3,1,4', count: 'pictures' },
  none: { label: 'all in turn', ...OWN },
  request,
  commands: (values) => [
    {
      line: commandLine('sample', { ...values, model: MODEL, gif: true }),
      numbers: { '.png': 'samples.png', '.gif': 'samples.gif' },
    },
  ],
  ...TRAJECTORY_FIGURE,
  draw,
  numbers: ({ trajectory }, frame) => [
    ...trajectoryNumbers(trajectory, frame),
    { name: 'drawn again, since their longer side is not 20 pixels', value: String(trajectory.redrawn) },
  ],
});
