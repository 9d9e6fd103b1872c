/**
 * What `langevin train lecture` leaves behind: the model, its losses, and a page of what it can and cannot learn,
 * every figure of which was measured or worked out in this run (models/lecture/figures.ts).
 */
import { type LectureFigures, lectureFigures, lectureStep } from '../../models/lecture/figures.ts';
import { lectureSchedule } from '../../models/lecture/lecture.ts';
import { sampledFigure, seenFigure } from '../../models/lecture/pictures.ts';
import type { LectureRecipe } from '../../models/training/lecture.ts';
import { counted } from '../report/counted.ts';
import { drawRows, FigureHashes } from './figures.ts';
import { type Part, page } from './html.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files by name, in the order in which they are written, and what is in each. */
export const LECTURE_FILES = {
  'model.safetensors': 'the trained model, readable by PyTorch too',
  'metrics.json': 'losses of every epoch, what theory says, and all settings',
  'seen.png': 'test digits, what the network sees, and the digit that its answer amounts to',
  'sampled.png': 'the loop from pure noise, time by time',
  'loss.svg': 'the loss over the epochs',
  'index.html': 'the page: what it can and cannot learn',
} as const;

/** The page. */
function pageOf({ trainer, data }: Run<LectureRecipe>, figures: LectureFigures): string {
  const { dimension, hidden } = trainer.recipe.module;
  const epochs = counted(trainer.history.epochs.length, 'epoch');
  const { times, zero, width, linear, byHeart, measured, timeMatters, size } = figures;
  const f = (value: number, digits = 2) => value.toFixed(digits);
  const step = lectureStep();
  const variance = times[0].variance;
  const alike = (100 * timeMatters) / size;
  const learnt = (100 * (zero - measured)) / zero;
  const parts: Part[] = [
    {
      kind: 'text',
      text: `A network of ${dimension + 1}-${hidden}-${hidden}-${dimension} learns to lead noisy pictures back to clean ones in T = 5 times, s = ${[...lectureSchedule()].join(', ')}. Here it was trained on ${data.train.length.toLocaleString('en')} pictures of ${setName(data)} for ${epochs}. Every figure on this page was measured or worked out in that run.`,
    },
    { kind: 'heading', text: 'What the network sees' },
    {
      kind: 'text',
      text: `All noise is added at once, of variance ${lectureSchedule().at(-1)}. What the loop then subtracts at each time is a fresh draw, not the noise that was added: that removes nothing, and adds ${step}. So at every time the network sees its picture under noise of the same variance, ${variance}, and nothing in its input differs between the times but the number that names them.`,
    },
    {
      kind: 'table',
      head: ['s', 'noise seen (variance)', 'loss of saying 0', 'loss measured'],
      rows: times.map((row) => [row.time, row.variance, f(row.variance / (step * step)), f(row.measured)]),
    },
    {
      kind: 'text',
      text: `What the network answers at s = ${times[0].time} and at s = ${times.at(-1)!.time}, for the same input, differs by ${f(alike, 1)} % of the mean square of an answer: the times are one task, learnt ${times.length} times over.`,
    },
    {
      kind: 'picture',
      file: 'seen.png',
      text: 'Test digits, the same under the noise that the network sees, and the digit that its answer amounts to at each time.',
    },
    { kind: 'heading', text: 'How good it can be' },
    {
      kind: 'table',
      head: ['network', 'loss, summed over times'],
      rows: [
        ['says 0, always', f(zero)],
        [`any with ${hidden} hidden units, at least`, f(width)],
        ['the best linear one of any width, by the covariance of the pictures', f(linear)],
        ['knows the training pictures by heart, and no others; asked for test pictures', f(byHeart)],
        ['this one, on test pictures', f(measured)],
      ],
    },
    {
      kind: 'text',
      text: `The target is the noise that is in the input, over the step of ${step}: a loss of ${f(zero)} means that nothing was learnt, and ${f(learnt, 1)} % of it was. Noise points in all ${dimension} directions alike, and the last layer can answer in ${hidden} of them: that is why no such network falls below ${f(width)}, whatever it is trained with. The figures look large because errors are divided by the step's square, ${step * step}.`,
    },
    { kind: 'picture', file: 'loss.svg', text: 'The loss while it was trained.' },
    { kind: 'heading', text: 'What it cannot do' },
    {
      kind: 'text',
      text: `From pure noise the loop should end in a digit. First, the width stands in its way: noise outside of the ${hidden} directions that the last layer reaches stays in the picture through every jump, here a share of at least ${f((100 * width) / zero, 1)} % of its variance.`,
    },
    {
      kind: 'text',
      text: 'Second, so does the loop itself, for a network of any width. The best answer at each time is one jump to the mean of all pictures that fit, which from pure noise is a blur between digits. From then on the input would be almost free of noise, which the network has never seen in training: nothing has taught it to sharpen a blur. More times do not change this, as what the network sees does not depend on the time. What is missing is that the noise falls from time to time, and that the network is asked for what it can say, the picture: langevin train diffusion.',
    },
    {
      kind: 'picture',
      file: 'sampled.png',
      text: 'Pure noise, and what the loop makes of it, time by time.',
    },
  ];
  return page("The lecture's diffusion model: what it can and cannot learn", parts);
}

/** Works the figures out, and says what is to be written. */
export function lectureResults(run: Run<LectureRecipe>): Results & { readonly summary: readonly string[] } {
  const { trainer, data } = run;
  const { module, settings } = trainer.recipe;
  const figures = lectureFigures(module, data.train, data.test, settings.seed);
  const { measured, zero, width } = figures;
  const f = (value: number) => value.toFixed(2);
  const hashes = new FigureHashes();
  return {
    titles: {
      title: `The lecture's diffusion model on ${setName(data)}`,
      subtitle: `T = ${settings.schedule.length}, batch ${settings.batchSize}, learning rate ${settings.lr}`,
      loss: 'squared error, summed over times, in 1/step²',
    },
    contents: {
      'seen.png': hashes.content('seen.png', () => seenFigure(module, data.test, settings.seed), drawRows),
      'sampled.png': hashes.content(
        'sampled.png',
        () => sampledFigure(module, data.test, settings.seed),
        drawRows,
      ),
      'index.html': () => pageOf(run, figures),
    },
    hashes,
    figures,
    summary: [
      `test loss ${f(measured)}; ${f(zero)} for a network that says 0, at least ${f(width)} for any of its width`,
    ],
  };
}
