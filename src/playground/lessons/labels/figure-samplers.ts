/** Two samplers from the same noise: `langevin sample --model mnist-unet --sampler NAME`. */
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { picture } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import { drawRows, MODEL, OWN, trajectoryLayout, trajectoryMoment } from '../unet/trajectory-picture.ts';
import type { TrajectoriesResult } from './job.ts';
import { frameAt, longest, meanDifference, trajectoriesFigure } from './picture.ts';

const { count, label } = SAMPLE_TABLE;
const { sampler, steps, guidance, seed } = SAMPLING_TABLE;

/** The settings of both. Pictures that a preparation draws again would have other noise. */
const variantsOf = ({ other, ...values }: Values) =>
  [values.sampler, other].map((name) => ({ ...values, sampler: name, model: MODEL, prepare: 'none' }));

const namesOf = ({ trajectories }: TrajectoriesResult) =>
  trajectories.map((trajectory) => trajectory.sampler);

function draw(result: TrajectoriesResult, frame: number, width: number): string {
  const { trajectories } = result;
  const layout = trajectoryLayout(trajectories[0], width);
  const rows = trajectories.flatMap((trajectory) => {
    const { pictures, predicted } = frameAt(trajectory, frame);
    return [
      [`${trajectory.sampler}: state x`, pictures],
      [`${trajectory.sampler}: predicted data`, predicted ?? pictures],
    ] as const;
  });
  const { svg, height } = drawRows(trajectories[0], rows, layout);
  const words = `Digits by ${namesOf(result).join(' and ')} from the same noise, ${trajectoryMoment(longest(trajectories), frame)}`;
  return picture(layout.width, height, words, svg);
}

export const SAMPLERS = defineFigure({
  id: 'samplers',
  title: 'Two samplers from the same noise',
  job: 'trajectories',
  live: 'Sample',
  short: { count: 2, steps: 4 },
  table: { sampler, other: sampler, label, count, steps, guidance, seed },
  initial: {
    sampler: 'ddim',
    other: 'ddpm',
    label: [2, 3, 5, 8, 9],
    count: 5,
    steps: 20,
    guidance: undefined,
    seed: '0',
  },
  labels: { sampler: 'one sampler', other: 'the other', label: 'digits, as in 3,1,4', count: 'pictures' },
  none: { ...OWN, label: 'all in turn', other: OWN.sampler },
  ...trajectoriesFigure(variantsOf, namesOf),
  draw,
  numbers(result, frame) {
    const [one, other] = result.trajectories.map((trajectory) => frameAt(trajectory, frame));
    return [
      { name: 'samplers', value: namesOf(result).join(', ') },
      { name: 'time t', value: one.t.toFixed(3) },
      {
        name: 'mean difference of the states’ greys',
        value: shown(meanDifference(one.pictures, other.pictures)),
      },
    ];
  },
});
