/**
 * The job `five-steps`: the lecture's model is trained as `langevin train lecture` does it. Before the training,
 * the job computes what is possible in theory. After the training, it computes what the model has learned.
 */
import { firstStrokes } from '../../../data/strokes-set.ts';
import { toBytes } from '../../../image/bytes.ts';
import { type LossFigure, lossFigure } from '../../../models/figures/loss.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import {
  type LectureFigures,
  type LectureTheory,
  lectureFigures,
  lectureTheory,
} from '../../../models/lecture/figures.ts';
import { sampledFigure, seenFigure } from '../../../models/lecture/pictures.ts';
import { type LectureSettings, newLectureTrainer } from '../../../models/training/lecture.ts';
import { meanLoss, Timeline, trainAlong } from '../../engine/timeline.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, LiveJob } from '../../protocol.ts';

/** Moments of a run that are kept, besides the newest. Each has 40 KB. */
const MOST_MOMENTS = 12;

export interface FiveStepsSettings extends Pick<LectureSettings, 'epochs' | 'seed'> {
  /** Training pictures. */
  readonly limit: number;
}

/** The model after a step of its training. Pixels are bytes, `[pictures · pixels]`. */
export interface FiveStepsMoment {
  readonly step: number;
  /** The running mean of the batches' losses; NaN before the first step. */
  readonly loss: number;
  /** The model's predictions for noisy digits as pictures: x + step·prediction. */
  readonly predicted: Uint8Array;
  /** The state after each time of the loop that starts from pure noise. */
  readonly states: readonly Uint8Array[];
  /** The mean square of a pixel: of the noise, and of each state. */
  readonly power: readonly number[];
}

export interface FiveStepsResult extends Hashed {
  /** Steps of the whole run. */
  readonly steps: number;
  readonly epochs: number;
  readonly height: number;
  readonly width: number;
  /** Test digits, the network's inputs for them, and pure noise: bytes. */
  readonly digits: Uint8Array;
  readonly seen: Uint8Array;
  readonly noise: Uint8Array;
  readonly loss: LossFigure;
  readonly theory: LectureTheory;
  /** What the trained model has learned; null until the training ends. */
  readonly learned: LectureFigures | null;
  readonly moments: readonly FiveStepsMoment[];
}

export type FiveStepsJob = LiveJob<FiveStepsSettings, FiveStepsResult>;

/** The mean square of numbers. */
export const powerOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum / values.length;
};

export const compute: Compute<FiveStepsJob> = async function* ({ limit, ...settings }) {
  const { seed } = settings;
  const data = firstStrokes(limit);
  const { height, width } = data.train;
  const trainer = newLectureTrainer({ ...data, ...settings });
  const { module } = trainer.recipe;
  const seenRows = () => seenFigure(module, data.test, seed).rows.map(({ pixels }) => pixels);
  const sampledRows = () => sampledFigure(module, data.test, seed).rows.map(({ pixels }) => pixels);
  const theory = lectureTheory(module, data.train, data.test, seed);
  const [digits, seen] = seenRows().map(toBytes);
  const noise = toBytes(sampledRows()[0]);
  const timeline = new Timeline<FiveStepsMoment>(MOST_MOMENTS, () => {
    const rows = sampledRows();
    return {
      step: trainer.progress.step,
      loss: meanLoss(trainer),
      predicted: toBytes(seenRows()[2]),
      states: rows.slice(1).map(toBytes),
      power: rows.map(powerOf),
    };
  });
  const result = (): FiveStepsResult => ({
    steps: trainer.steps,
    epochs: settings.epochs,
    height,
    width,
    digits,
    seen,
    noise,
    loss: lossFigure(trainer.history),
    theory,
    learned: null,
    moments: timeline.until(trainer.progress.step),
    hashes: {},
  });
  try {
    for (const _step of trainAlong(trainer, timeline)) yield () => structuredClone(result());
    const last = result();
    const learned = lectureFigures(module, data.train, data.test, seed);
    const hashes = {
      'seen.png': await numbersHash(seenFigure(module, data.test, seed)),
      'sampled.png': await numbersHash(sampledFigure(module, data.test, seed)),
      'loss.svg': await numbersHash(last.loss),
      'index.html': await numbersHash(learned),
    };
    return { ...last, learned, hashes };
  } finally {
    trainer.dispose();
    module.dispose();
  }
};
