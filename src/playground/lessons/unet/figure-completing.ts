/** Half of a digit, completed by the published U-Net: `langevin sample --from digit.png --inpaint mask.png`. */
import { commandLine } from '../../../models/command-line.ts';
import { choice } from '../../../models/setting.ts';
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { digitRow } from '../../draw/digits.ts';
import type { Color } from '../../draw/pixels.ts';
import { picture, text } from '../../draw/svg.ts';
import { defineFigure, type Values } from '../../figure.ts';
import type { CompletingResult, CompletingSettings, Half } from './job-completing.ts';
import {
  drawTrajectory,
  MODEL,
  OWN,
  TRAJECTORY_FIGURE,
  trajectoryLayout,
  trajectoryMoment,
  trajectoryNumbers,
} from './trajectory-picture.ts';

const { count, label, resamples } = SAMPLE_TABLE;
const { sampler, steps, guidance, seed } = SAMPLING_TABLE;
const HALVES: readonly Half[] = ['lower', 'upper', 'left', 'right'];
const half = choice(HALVES)('half', 'lower', 'The half that is made new.');

/** How large the given picture is drawn. */
const SCALE = 4;
/** Blue where a pixel is made new; a lighter blue where the drawing had ink there. */
const [NEW, NEW_INK]: readonly Color[] = [
  [0, 114, 178],
  [86, 180, 233],
];
/** The least grey that counts as ink. */
const INK = 64;

const request = (values: Values) => ({ ...values, model: MODEL }) as unknown as CompletingSettings;

function draw({ trajectory, given }: CompletingResult, frame: number, width: number): string {
  const { height: h, width: w } = trajectory;
  const colorOf = (byte: number, place: number): Color => {
    if (given.mask[place] === 0) return [byte, byte, byte];
    return byte < INK ? NEW : NEW_INK;
  };
  const size = SCALE * h;
  const top = 24 + size + 16;
  const source = { width: w, height: h, bytes: given.picture };
  const layout = trajectoryLayout(trajectory, width);
  const { svg, height } = drawTrajectory(trajectory, frame, layout, top);
  return picture(
    Math.max(layout.width, 240),
    top + height,
    `Half of a digit is given, and ${trajectory.labels.length} ways to complete it: ${trajectoryMoment(trajectory, frame)}`,
    text('label', 0, 16, 'given; what is blue is made new'),
    digitRow(source, [0, 1], { x: 0, y: 24, scale: SCALE }, colorOf),
    svg,
  );
}

export const COMPLETING = defineFigure({
  id: 'completing',
  title: 'Half a digit, completed',
  job: 'completing',
  live: 'Complete',
  short: { count: 2, steps: 4, resamples: 2 },
  table: { half, label, count, resamples, sampler, steps, guidance, seed },
  initial: {
    half: 'lower',
    label: [3, 2, 7, 8, 9],
    count: 5,
    resamples: 5,
    sampler: 'ddim',
    steps: 12,
    guidance: undefined,
    seed: '0',
  },
  labels: { half: 'half that is made new', label: 'digits, as in 3,1,4', count: 'pictures' },
  none: { label: 'all in turn', ...OWN },
  request,
  commands: (values) => [
    {
      line: commandLine('sample', {
        ...values,
        model: MODEL,
        gif: true,
        from: 'digit.png',
        inpaint: 'mask.png',
      }),
      numbers: { '.png': 'samples.png', '.gif': 'samples.gif' },
    },
  ],
  ...TRAJECTORY_FIGURE,
  draw,
  numbers: ({ trajectory }, frame) => trajectoryNumbers(trajectory, frame),
});
