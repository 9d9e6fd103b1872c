/** Digits that grow out of noise by the published U-Net: `langevin sample --model mnist-unet`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { picture } from '../../draw/svg.ts';
import { defineFigure, type Values } from '../../figure.ts';
import type { CourseSettings } from './course.ts';
import {
  courseColumns,
  courseLayout,
  courseMoment,
  courseNumbers,
  drawCourse,
  MODEL,
  OWN,
} from './course-picture.ts';
import type { GrowingResult } from './job-growing.ts';

const { count, label } = SAMPLE_TABLE;
const { sampler, steps, guidance, seed } = SAMPLING_TABLE;

const request = (values: Values) => ({ ...values, model: MODEL }) as unknown as CourseSettings;

function draw({ course }: GrowingResult, frame: number, width: number): string {
  const layout = courseLayout(course, width);
  const { svg, height } = drawCourse(course, frame, layout);
  const words = `${course.labels.length} digits and the data that the network predicts, ${courseMoment(course, frame)}`;
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
  frames: ({ course }) => course.frames.length,
  moment: ({ course }, frame) => courseMoment(course, frame),
  draw,
  numbers: ({ course }, frame) => [
    ...courseNumbers(course, frame),
    { name: 'drawn again, since their longer side is not 20 pixels', value: String(course.redrawn) },
  ],
  csv({ course }) {
    const { head, columns } = courseColumns(course);
    return encodeCsv(head, columns);
  },
});
