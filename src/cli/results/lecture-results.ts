/**
 * The results of `langevin train lecture`: the model, its losses, and a page about what it can and cannot learn. Every
 * number on this page is measured or computed in the same run (models/lecture/figures.ts).
 */
import { type LectureFigures, lectureFigures, lectureStep } from '../../models/lecture/figures.ts';
import { lectureSchedule } from '../../models/lecture/lecture.ts';
import { sampledFigure, seenFigure } from '../../models/lecture/pictures.ts';
import type { LectureRecipe } from '../../models/training/lecture.ts';
import { counted } from '../report/counted.ts';
import { drawRows, FigureHashes } from './figures.ts';
import { type Part, page } from './html.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files in the order of writing, each with its description. */
export const LECTURE_FILES = {
  'model.safetensors': 'the trained model, readable by PyTorch too',
  'metrics.json': 'losses of every epoch, losses in theory, and all settings',
  'seen.png': 'test digits, the inputs of the network, and its predictions of the digits',
  'sampled.png': 'samples: pure noise, and the picture after each step',
  'loss.svg': 'the loss over the epochs',
  'index.html': 'a page about what the model can and cannot learn',
} as const;

/** The page. */
function pageOf({ trainer, data }: Run<LectureRecipe>, figures: LectureFigures): string {
  const { dimension, hidden } = trainer.recipe.module;
  const epochs = counted(trainer.history.epochs.length, 'epoch');
  const { times, zero, width, linear, byHeart, measured, timeMatters, size } = figures;
  const f = (value: number, digits = 2) => value.toFixed(digits);
  const step = lectureStep();
  const variance = times[0].variance;
  const difference = (100 * timeMatters) / size;
  const learnt = (100 * (zero - measured)) / zero;
  const parts: Part[] = [
    {
      kind: 'text',
      text: `A network of ${dimension + 1}-${hidden}-${hidden}-${dimension} learns to turn noisy pictures into clean pictures in T = 5 steps. Their times are s = ${[...lectureSchedule()].join(', ')}. In this run it was trained on ${data.train.length.toLocaleString('en')} pictures of ${setName(data)} for ${epochs}. Every number on this page was measured or computed in this run.`,
    },
    { kind: 'heading', text: 'The inputs of the network' },
    {
      kind: 'text',
      text: `All the noise is added at once, with variance ${lectureSchedule().at(-1)}. At each time the training loop subtracts new random noise, and not the noise that was added. This does not remove noise. It adds noise of variance ${step}. So at every time the input is a picture with noise of the same variance, ${variance}. The inputs at two times differ only in the number of the time.`,
    },
    {
      kind: 'table',
      head: ['s', 'noise variance of the input', 'loss of a network that predicts 0', 'measured loss'],
      rows: times.map((row) => [row.time, row.variance, f(row.variance / (step * step)), f(row.measured)]),
    },
    {
      kind: 'text',
      text: `For the same input, the predictions at s = ${times[0].time} and at s = ${times.at(-1)!.time} differ by ${f(difference, 1)} % of the mean square of a prediction. So the network learns the same task at all ${times.length} times.`,
    },
    {
      kind: 'picture',
      file: 'seen.png',
      text: 'Test digits, the same digits with the noise of the inputs, and the digits that follow from the predictions at each time.',
    },
    { kind: 'heading', text: 'How small its loss can be' },
    {
      kind: 'table',
      head: ['network', 'loss, summed over the times'],
      rows: [
        ['a network that predicts 0 for every input', f(zero)],
        [`every network with ${hidden} hidden units: at least`, f(width)],
        ['the best linear network of any width, from the covariance of the pictures', f(linear)],
        ['a network that has memorised the training pictures, on test pictures', f(byHeart)],
        ['this network, on test pictures', f(measured)],
      ],
    },
    {
      kind: 'text',
      text: `The target is the noise in the input, divided by the step of ${step}. A network that has learned nothing has a loss of ${f(zero)}. The loss of this network is ${f(learnt, 1)} % smaller. The noise has the same variance in all ${dimension} directions of a picture, but the last layer can predict only ${hidden} directions. So no network of this width has a loss below ${f(width)}, with any training. The losses are large because the squared errors are divided by the square of the step, ${step * step}.`,
    },
    { kind: 'picture', file: 'loss.svg', text: 'The loss during the training.' },
    { kind: 'heading', text: 'What it cannot do' },
    {
      kind: 'text',
      text: `The loop starts from pure noise and should end with a digit. The first obstacle is the width of the network. The last layer reaches only ${hidden} directions. The noise in all other directions stays in the picture through every step. This is at least ${f((100 * width) / zero, 1)} % of the noise variance.`,
    },
    {
      kind: 'text',
      text: 'The second obstacle is the loop itself, for a network of any width. The best prediction at each time is one jump to the mean of all pictures that fit the input. From pure noise, this mean is a blur between digits. After this jump the input has almost no noise, but the network had no such inputs in training. So it has not learned to sharpen a blur. More times do not help, because the noise of the input does not depend on the time. Two changes are needed. The noise must decrease from time to time, and the network must predict the picture, which it can represent. langevin train diffusion makes both changes.',
    },
    {
      kind: 'picture',
      file: 'sampled.png',
      text: 'Samples: pure noise, and the picture after each step of the loop.',
    },
  ];
  return page("The lecture's diffusion model: what it can and cannot learn", parts);
}

/** Computes the figures, and returns the contents of the files. */
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
      'index.html': hashes.content(
        'index.html',
        () => figures,
        () => pageOf(run, figures),
      ),
    },
    hashes,
    figures,
    summary: [
      `test loss ${f(measured)}; a network that predicts 0 has ${f(zero)}, any network of this width at least ${f(width)}`,
    ],
  };
}
