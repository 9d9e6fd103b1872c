/** Two samplers from the same noise: `langevin sample --model mnist-unet --sampler NAME`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { picture } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import { courseLayout, courseMoment, drawRows, MODEL, OWN } from '../unet/course-picture.ts';
import type { CoursesResult, CoursesSettings } from './job.ts';
import { coursesColumns, frameAt, hashKeys, longest, meanDifference } from './picture.ts';

const { count, label } = SAMPLE_TABLE;
const { sampler, steps, guidance, seed } = SAMPLING_TABLE;

/** The settings of both. Pictures that a preparation draws again would have other noise. */
const variantsOf = ({ other, ...values }: Values) =>
  [values.sampler, other].map((name) => ({ ...values, sampler: name, model: MODEL, prepare: 'none' }));

const namesOf = ({ courses }: CoursesResult) => courses.map((course) => course.sampler);

function draw(result: CoursesResult, frame: number, width: number): string {
  const { courses } = result;
  const layout = courseLayout(courses[0], width);
  const rows = courses.flatMap((course) => {
    const { pictures, predicted } = frameAt(course, frame);
    return [
      [`${course.sampler}: state x`, pictures],
      [`${course.sampler}: predicted data`, predicted ?? pictures],
    ] as const;
  });
  const { svg, height } = drawRows(courses[0], rows, layout);
  const words = `Digits by ${namesOf(result).join(' and ')} from the same noise, ${courseMoment(longest(courses), frame)}`;
  return picture(layout.width, height, words, svg);
}

export const SAMPLERS = defineFigure({
  id: 'samplers',
  title: 'Two samplers from the same noise',
  job: 'courses',
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
  request: (values) => ({ variants: variantsOf(values) }) as unknown as CoursesSettings,
  commands: (values) =>
    variantsOf(values).map((variant, i) => ({
      line: commandLine('sample', { ...variant, gif: true }),
      numbers: hashKeys(i),
    })),
  frames: ({ courses }) => longest(courses).frames.length,
  moment: ({ courses }, frame) => courseMoment(longest(courses), frame),
  draw,
  numbers(result, frame) {
    const [one, other] = result.courses.map((course) => frameAt(course, frame));
    return [
      { name: 'samplers', value: namesOf(result).join(', ') },
      { name: 'time t', value: one.t.toFixed(3) },
      {
        name: 'mean difference of the states’ greys',
        value: shown(meanDifference(one.pictures, other.pictures)),
      },
    ];
  },
  csv(result) {
    const { head, columns } = coursesColumns(result.courses, namesOf(result));
    return encodeCsv(head, columns);
  },
});
