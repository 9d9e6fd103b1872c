/** A student beside its teacher, from the same noise: `langevin sample --model mnist-unet-4step`. */
import { SAMPLE_TABLE, SAMPLING_TABLE } from '../../../models/settings.ts';
import { picture } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import type { TrajectoriesResult } from '../labels/job.ts';
import { frameAt, longest, meanDifference, trajectoriesFigure } from '../labels/picture.ts';
import type { Trajectory } from './trajectory.ts';
import { drawRows, MODEL, trajectoryLayout, trajectoryMoment } from './trajectory-picture.ts';

const { count, label } = SAMPLE_TABLE;
const { seed } = SAMPLING_TABLE;

/** The published student of the model of these lessons. */
const STUDENT_MODEL = 'mnist-unet-4step';

/** The settings of both. Pictures that a preparation draws again would have other noise. */
const variantsOf = (values: Values) =>
  [MODEL, STUDENT_MODEL].map((model) => ({ ...values, model, prepare: 'none' }));

const stepsOf = ({ sampler, steps }: Trajectory) => `${steps} steps of ${sampler}`;
const namesOf = ({ trajectories: [teacher, student] }: TrajectoriesResult) => [
  `teacher, ${stepsOf(teacher)}`,
  // The teacher's first step can be drawn before the student's.
  ...(student ? [`student, ${stepsOf(student)}`] : []),
];

function draw(result: TrajectoriesResult, frame: number, width: number): string {
  const { trajectories } = result;
  const names = namesOf(result);
  const layout = trajectoryLayout(trajectories[0], width);
  const rows = trajectories.map((trajectory, i) => {
    const { pictures, predicted } = frameAt(trajectory, frame);
    return [`${names[i]}: predicted data`, predicted ?? pictures] as const;
  });
  const { svg, height } = drawRows(trajectories[0], rows, layout);
  const words = `Digits by a teacher and its student from the same noise, ${trajectoryMoment(longest(trajectories), frame)}`;
  return picture(layout.width, height, words, svg);
}

export const STUDENT = defineFigure({
  id: 'student',
  title: 'A student of four steps beside its teacher',
  job: 'trajectories',
  live: 'Sample',
  short: { count: 2 },
  table: { label, count, seed },
  initial: { label: undefined, count: 10, seed: '0' },
  labels: { label: 'digits, as in 3,1,4', count: 'pictures' },
  none: { label: 'all in turn' },
  ...trajectoriesFigure(variantsOf, namesOf),
  draw,
  numbers(result, frame) {
    const [teacher, student] = result.trajectories.map((trajectory) => frameAt(trajectory, frame));
    return [
      ...namesOf(result).map((value, i) => ({ name: i === 0 ? 'first row' : 'second row', value })),
      { name: 'time t of the teacher', value: teacher.t.toFixed(3) },
      ...(student
        ? [
            { name: 'time t of the student', value: student.t.toFixed(3) },
            {
              name: 'mean difference of the pictures’ greys',
              value: shown(meanDifference(teacher.pictures, student.pictures)),
            },
          ]
        : []),
    ];
  },
});
