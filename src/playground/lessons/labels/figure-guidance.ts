/** The same noise under four scales of guidance: `langevin sample --model mnist-unet --guidance SCALE`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { picture } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import { courseLayout, courseMoment, drawRows, MODEL, OWN } from '../unet/course-picture.ts';
import type { CoursesResult, CoursesSettings } from './job.ts';
import { coursesColumns, frameAt, hashKeys, longest } from './picture.ts';

const { count, label } = SAMPLE_TABLE;
const { sampler, steps, guidanceAbove, seed } = SAMPLING_TABLE;
const SCALES = [0, 1, 2, 5] as const;

const variantsOf = (values: Values) =>
  SCALES.map((guidance) => ({ ...values, guidance, model: MODEL, prepare: 'none' }));
const nameOf = (scale: number) => `guidance ${scale}${scale === 0 ? ', no label' : ''}`;

function draw({ courses }: CoursesResult, frame: number, width: number): string {
  const layout = courseLayout(courses[0], width);
  const rows = courses.map((course) => {
    const { pictures, predicted } = frameAt(course, frame);
    return [`${nameOf(course.guidance)}: predicted data`, predicted ?? pictures] as const;
  });
  const { svg, height } = drawRows(courses[0], rows, layout);
  const words = `Digits under guidance ${SCALES.join(', ')} from the same noise, ${courseMoment(longest(courses), frame)}`;
  return picture(layout.width, height, words, svg);
}

/** How much ink is in pictures: the mean grey, as a share of white. */
const inkOf = (pictures: Uint8Array) =>
  pictures.reduce((sum, byte) => sum + byte, 0) / (255 * pictures.length);

export const GUIDANCE = defineFigure({
  id: 'guidance',
  title: 'Guidance: how much the label counts',
  job: 'courses',
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
  request: (values) => ({ variants: variantsOf(values) }) as unknown as CoursesSettings,
  commands: (values) =>
    variantsOf(values).map((variant, i) => ({
      line: commandLine('sample', { ...variant, gif: true }),
      numbers: hashKeys(i),
    })),
  frames: ({ courses }) => longest(courses).frames.length,
  moment: ({ courses }, frame) => courseMoment(longest(courses), frame),
  draw,
  numbers: ({ courses }, frame) => [
    { name: 'time t', value: frameAt(courses[0], frame).t.toFixed(3) },
    ...courses.map((course) => {
      const { pictures, predicted } = frameAt(course, frame);
      return { name: `ink, ${nameOf(course.guidance)}`, value: shown(inkOf(predicted ?? pictures)) };
    }),
  ],
  csv({ courses }) {
    const names = courses.map((course) => nameOf(course.guidance));
    const { head, columns } = coursesColumns(courses, names);
    return encodeCsv(head, columns);
  },
});
