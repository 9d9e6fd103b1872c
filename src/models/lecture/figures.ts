/**
 * The figures of the lecture's diffusion model: the losses that are possible in theory at each time, and the measured
 * loss of a trained model on test pictures. All have the unit of the loss, which is MSE / (s[t+1] - s[t])²:
 *
 *     zero      the loss of a network that always predicts 0
 *     width     the lowest loss of any network with `hidden` units. The target is noise with equal variance in all D
 *               directions. The last layer can predict only `hidden` directions, so zero·(1 - hidden/D) remains.
 *     linear    the loss of the best linear network of any width, from the covariance of the training pictures
 *     by heart  the loss of a network that has memorised the training pictures: it predicts the mean of all training
 *               pictures that are consistent with the input
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import type { Dataset } from '../../data/dataset.ts';
import { take } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import { combine } from '../../diffusion/combine.ts';
import { Flatten } from '../../nn/flatten.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { mse } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { testLoss } from '../training/test-loss.ts';
import {
  covarianceOf,
  lectureLinearBest,
  lectureNoise,
  lecturePointsBest,
  lectureZeroLoss,
} from './analysis.ts';
import { type LectureLossOptions, type LectureNetwork, lectureLoss, lectureSchedule } from './lecture.ts';

/** The theory uses at most so many training pictures. */
const POINTS = 5000;
/** "by heart" is measured on at most so many test pictures. */
const QUERIES = 200;
const TEST_BATCH = 250;
export const TEST_PICTURES = 2000;

/** One time of the loop. */
export interface LectureTime {
  readonly t: number;
  /** s[t] */
  readonly time: number;
  /** The variance of the noise in the network's input. */
  readonly variance: number;
  /** The measured loss of the trained network on test pictures. */
  readonly measured: number;
}

/** The losses that are possible in theory: see the head of this file. */
export interface LectureTheory {
  readonly zero: number;
  readonly width: number;
  readonly linear: number;
  readonly byHeart: number;
}

export interface LectureFigures extends LectureTheory {
  readonly measured: number;
  readonly times: readonly LectureTime[];
  /** The mean square difference between the predictions at the first and at the last time, for the same input. */
  readonly timeMatters: number;
  /** The mean square of the predictions. */
  readonly size: number;
}

/** The first `most` pictures of a set, [n, pixels]. The caller disposes of the tensor. */
export function tensorOf(dataset: Dataset, most: number): Tensor {
  const part = take(dataset, most);
  const loader = new DataLoader(part, { batchSize: part.length });
  return scope(() => new Flatten().forward(loader.next().images).keep());
}

/** The mean loss over test pictures. The noise is a function of the seed only. */
export function testLecture(
  model: LectureNetwork,
  test: Dataset,
  seed: Seed,
  options: LectureLossOptions = {},
): number {
  const rng = new Rng(seed).stream('test');
  return testLoss(take(test, TEST_PICTURES), TEST_BATCH, ({ images }) =>
    lectureLoss((x, t) => model.at(x, t), images, rng, options),
  );
}

const figuresRng = (seed: Seed) => new Rng(seed).stream('figures');

/** The losses that are possible in theory. They do not depend on the training. This takes a second. */
export function lectureTheory(
  sizes: Pick<LectureNetwork, 'dimension' | 'hidden'>,
  train: Dataset,
  test: Dataset,
  seed: Seed,
): LectureTheory {
  return theoryOf(sizes, train, test, figuresRng(seed));
}

function theoryOf(
  { dimension, hidden }: Pick<LectureNetwork, 'dimension' | 'hidden'>,
  train: Dataset,
  test: Dataset,
  rng: Rng,
): LectureTheory {
  const [points, queries] = [tensorOf(train, POINTS), tensorOf(test, QUERIES)];
  try {
    return {
      zero: lectureZeroLoss(),
      width: lectureZeroLoss() * Math.max(0, 1 - hidden / dimension),
      linear: lectureLinearBest(covarianceOf(points)),
      byHeart: lecturePointsBest(points, queries, rng),
    };
  } finally {
    for (const x of [points, queries]) x.dispose();
  }
}

/** Computes the figures. This takes a few seconds. */
export function lectureFigures(
  model: LectureNetwork,
  train: Dataset,
  test: Dataset,
  seed: Seed,
): LectureFigures {
  const rng = figuresRng(seed);
  const theory = theoryOf(model, train, test, rng);
  const [queries, pictures] = [tensorOf(test, QUERIES), tensorOf(test, TEST_PICTURES)];
  try {
    return {
      ...theory,
      measured: testLecture(model, test, seed),
      times: lectureNoise().map(({ t, time, step, variance }) => ({
        t,
        time,
        variance,
        measured: errorAt(model, pictures, time, variance, rng) / (step * step),
      })),
      ...timeDifference(model, queries, rng),
    };
  } finally {
    for (const x of [queries, pictures]) x.dispose();
  }
}

/** The pictures with noise of this variance. */
function seen(pictures: Tensor, variance: number, rng: Rng): Tensor {
  const x = rng.normalInto(pictures.empty(pictures.shape));
  return combine(x, [Math.sqrt(variance), x], [1, pictures]);
}

/** The mean square error of the predicted picture, x + step·prediction. */
function errorAt(model: LectureNetwork, pictures: Tensor, time: number, variance: number, rng: Rng): number {
  const step = lectureStep();
  return scope(() =>
    noGrad(() => {
      const x = seen(pictures, variance, rng);
      return mse(combine(x.empty(x.shape), [1, x], [step, model.at(x, time)]), pictures).item();
    }),
  );
}

/** The step s[t+1] - s[t] of the lecture's schedule, which is the same for all t. */
export const lectureStep = (): number => lectureSchedule()[1] - lectureSchedule()[0];

function timeDifference(
  model: LectureNetwork,
  pictures: Tensor,
  rng: Rng,
): { timeMatters: number; size: number } {
  const { variance } = lectureNoise()[0];
  const [first, last] = [lectureSchedule().at(-2)!, lectureSchedule()[0]];
  return scope(() =>
    noGrad(() => {
      const x = seen(pictures, variance, rng);
      const [a, b] = [model.at(x, first), model.at(x, last)];
      return { timeMatters: mse(a, b).item(), size: a.mul(a).mean().item() };
    }),
  );
}
