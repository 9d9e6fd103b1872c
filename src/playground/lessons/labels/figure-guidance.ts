/** The same noise under four scales of guidance: `langevin sample --model mnist-unet --guidance SCALE`. */
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { picture } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import { drawRows, MODEL, OWN, trajectoryLayout, trajectoryMoment } from '../unet/trajectory-picture.ts';
import type { TrajectoriesResult } from './job.ts';
import { frameAt, longest, trajectoriesFigure } from './picture.ts';

const { count, label } = SAMPLE_TABLE;
const { sampler, steps, guidanceAbove, seed } = SAMPLING_TABLE;
const SCALES = [0, 1, 2, 5] as const;

const variantsOf = (values: Values) =>
  SCALES.map((guidance) => ({ ...values, guidance, model: MODEL, prepare: 'none' }));
const nameOf = (scale: number) => `guidance ${scale}${scale === 0 ? ', no label' : ''}`;

function draw({ trajectories }: TrajectoriesResult, frame: number, width: number): string {
  const layout = trajectoryLayout(trajectories[0], width);
  const rows = trajectories.map((trajectory) => {
    const { pictures, predicted } = frameAt(trajectory, frame);
    return [`${nameOf(trajectory.guidance)}: predicted data`, predicted ?? pictures] as const;
  });
  const { svg, height } = drawRows(trajectories[0], rows, layout);
  const words = `Digits under guidance ${SCALES.join(', ')} from the same noise, ${trajectoryMoment(longest(trajectories), frame)}`;
  return picture(layout.width, height, words, svg);
}

/** How much ink is in pictures: the mean grey, as a share of white. */
const inkOf = (pictures: Uint8Array) =>
  pictures.reduce((sum, byte) => sum + byte, 0) / (255 * pictures.length);

export const GUIDANCE = defineFigure({
  id: 'guidance',
  title: 'Guidance: how much the label counts',
  job: 'trajectories',
  live: 'Sample',
  short: { count: 2, steps: 3 },
  table: { label, count, sampler, steps, guidanceAbove, seed },
  initial: { label: [7], count: 5, sampler: 'ddim', steps: 20, guidanceAbove: 0, seed: '0' },
  labels: {
    label: 'digits, as in 3,1,4',
    count: 'pictures',
    guidanceAbove: 'guide where σ/α is at least',
  },
  none: { ...OWN, label: 'all in turn', guidanceAbove: "the model's own" },
  ...trajectoriesFigure(variantsOf, ({ trajectories }) =>
    trajectories.map(({ guidance }) => nameOf(guidance)),
  ),
  draw,
  numbers: ({ trajectories }, frame) => [
    { name: 'time t', value: frameAt(trajectories[0], frame).t.toFixed(3) },
    ...trajectories.map((trajectory) => {
      const { pictures, predicted } = frameAt(trajectory, frame);
      return { name: `ink, ${nameOf(trajectory.guidance)}`, value: shown(inkOf(predicted ?? pictures)) };
    }),
  ],
});
