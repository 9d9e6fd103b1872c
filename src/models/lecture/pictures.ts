/**
 * Pictures from the lecture's model: its predictions for test digits with the noise of training, and the states of its
 * loop, which starts from pure noise. The picture that belongs to a prediction is x + step·prediction.
 */
import type { Dataset, PictureShape } from '../../data/dataset.ts';
import { combine } from '../../diffusion/combine.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type PictureRows, pictureRows } from '../figures/picture-rows.ts';
import { lectureNoise } from './analysis.ts';
import { lectureStep, tensorOf } from './figures.ts';
import type { LectureNetwork } from './lecture.ts';

/** The number of pictures in a row. A smaller test set makes shorter rows. */
const COLUMNS = 10;

const pictureRng = (seed: Seed) => new Rng(seed).stream('pictures');
const timeLabels = () => lectureNoise().map(({ time }) => `s = ${time}`);

const answer = (model: LectureNetwork, x: Tensor, time: number): Tensor =>
  combine(x.empty(x.shape), [1, x], [lectureStep(), model.at(x, time)]);

/** Test digits, the network's inputs, and the predicted digits at each time. */
export function seenFigure(model: LectureNetwork, test: Dataset, seed: Seed): PictureRows {
  const times = lectureNoise();
  const digits = tensorOf(test, COLUMNS);
  try {
    return pictureRows(test, ['digit', 'seen', ...timeLabels()], () => {
      const noise = pictureRng(seed).normal(digits.shape);
      const noisy = combine(noise, [Math.sqrt(times[0].variance), noise], [1, digits]);
      return [digits, noisy, ...times.map(({ time }) => answer(model, noisy, time))];
    });
  } finally {
    digits.dispose();
  }
}

/** Pure noise, and the state of the loop after each time. */
export function sampledFigure(model: LectureNetwork, shape: PictureShape, seed: Seed): PictureRows {
  return pictureRows(shape, ['noise', ...timeLabels()], () => {
    const rows = [pictureRng(seed).normal([COLUMNS, model.dimension])];
    for (const { time } of lectureNoise()) rows.push(answer(model, rows[rows.length - 1], time));
    return rows;
  });
}
