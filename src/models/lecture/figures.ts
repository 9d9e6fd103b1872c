/**
 * The lecture's diffusion model in figures: what it could reach at each time by theory, and what a trained one does
 * on pictures it has not learnt from. In units of the loss, MSE over (s[t+1] - s[t])², and as its parts:
 *
 *     zero      of a network that always says 0
 *     width     the least that any network of that width can have: the target is noise of equal variance in all D
 *               directions, and the last layer reaches `hidden` of them; zero·(1 - hidden/D) is out of its reach
 *     linear    of the best linear network of any width, by the covariance of the training pictures
 *     by heart  of a network that knows the training pictures and nothing else: the mean of all that fit
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

/** Training pictures that theory looks at, at most, and test pictures that "by heart" is measured on. */
const POINTS = 5000;
const QUERIES = 200;
const TEST_BATCH = 250;
export const TEST_PICTURES = 2000;

/** One time of the loop. */
export interface LectureTime {
  readonly t: number;
  /** s[t] */
  readonly time: number;
  /** The variance of the noise that the network sees. */
  readonly variance: number;
  /** The measured loss of the trained network on test pictures. */
  readonly measured: number;
}

export interface LectureFigures {
  readonly zero: number;
  readonly width: number;
  readonly linear: number;
  readonly byHeart: number;
  readonly measured: number;
  readonly times: readonly LectureTime[];
  /** The mean square difference between what the network says at the first and at the last time, on equal input. */
  readonly timeMatters: number;
  /** The mean square of what it says. */
  readonly size: number;
}

/** All pictures of a set, or the first `most`, [n, pixels]. The caller disposes of it. */
export function tensorOf(dataset: Dataset, most: number): Tensor {
  const part = take(dataset, most);
  const loader = new DataLoader(part, { batchSize: part.length });
  return scope(() => new Flatten().forward(loader.next().images).keep());
}

/** The mean loss over test pictures under noise that follows from the seed alone. */
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

/** Works the figures out: a few seconds. */
export function lectureFigures(
  model: LectureNetwork,
  train: Dataset,
  test: Dataset,
  seed: Seed,
): LectureFigures {
  const rng = new Rng(seed).stream('figures');
  const [points, queries] = [tensorOf(train, POINTS), tensorOf(test, QUERIES)];
  const pictures = tensorOf(test, TEST_PICTURES);
  try {
    return {
      zero: lectureZeroLoss(),
      width: lectureZeroLoss() * Math.max(0, 1 - model.hidden / model.dimension),
      linear: lectureLinearBest(covarianceOf(points)),
      byHeart: lecturePointsBest(points, queries, rng),
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
    for (const x of [points, queries, pictures]) x.dispose();
  }
}

/** Noise of that variance on the pictures. */
function seen(pictures: Tensor, variance: number, rng: Rng): Tensor {
  const x = rng.normalInto(pictures.empty(pictures.shape));
  return combine(x, [Math.sqrt(variance), x], [1, pictures]);
}

/** The mean square error of the picture that the network's answer amounts to, x + step·answer. */
function errorAt(model: LectureNetwork, pictures: Tensor, time: number, variance: number, rng: Rng): number {
  const step = lectureStep();
  return scope(() =>
    noGrad(() => {
      const x = seen(pictures, variance, rng);
      return mse(combine(x.empty(x.shape), [1, x], [step, model.at(x, time)]), pictures).item();
    }),
  );
}

/** Every s[t+1] - s[t] of the lecture. */
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
