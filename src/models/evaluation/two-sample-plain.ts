/**
 * How well plain statistics (picture-statistics.ts) tell samples and real pictures apart. Each is standardised by its
 * mean and deviation z over the training part, and enters a logistic regression as z and as z²: the squares see a
 * statistic that spreads too much or too little. |z| is cut at 5. The ridge is the one
 * with the lowest loss on the pictures that choose.
 *
 * Beside it each statistic alone: its mean and deviation on both sides over all pictures, and the accuracy of the best
 * threshold, 1/2 + max |F_samples - F_real|/2 with the distribution functions F (Kolmogorov and Smirnov). That
 * accuracy is reached on the pictures that chose the threshold: of n a side, chance gives about 1/2 + 0.6/√n.
 */
import type { Dataset } from '../../data/dataset.ts';
import { fitLogistic, type LabelledRows, logisticAccuracy, meanLoss } from './logistic.ts';
import { pictureStatistics, STATISTICS } from './picture-statistics.ts';
import type { Parts } from './two-sample-network.ts';
import { type Proportion, proportion } from './wilson.ts';

const RIDGES = [0.01, 0.1, 1, 10, 100, 1000] as const;
const MOST = 5;

/** Mean and deviation (with n) of numbers. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

/** One statistic on both sides. */
export interface StatisticFigures {
  readonly name: string;
  readonly samples: Spread;
  readonly real: Spread;
  /** (mean of the samples - mean of the real ones) / deviation of the real ones; null where that is 0. */
  readonly shift: number | null;
  /** Accuracy of the best threshold, 0.5 to 1. */
  readonly alone: number;
  /** Weights of z and z² in the regression; above 0 more of it speaks for a sample. */
  readonly weight: number;
  readonly squareWeight: number;
}

export interface PlainVerdict {
  readonly accuracy: Proportion;
  readonly ridge: number;
  /** In the order of the accuracy that each reaches alone. */
  readonly statistics: readonly StatisticFigures[];
}

const D = STATISTICS.length;

/** Mean and deviation of each column of [n, columns]. */
export function spreads(values: Float64Array, columns: number): Spread[] {
  const n = values.length / columns;
  return Array.from({ length: columns }, (_, j) => {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) sum += values[i * columns + j];
    const mean = sum / n;
    for (let i = 0; i < n; i++)
      squares += (values[i * columns + j] - mean) * (values[i * columns + j] - mean);
    return { mean, deviation: Math.sqrt(squares / n) };
  });
}

/** [n, columns] to [n, 2·columns]: all z, then all z². A column that does not vary is 0. */
export function standardised(values: Float64Array, by: readonly Spread[]): Float64Array {
  const columns = by.length;
  const n = values.length / columns;
  const out = new Float64Array(2 * values.length);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < columns; j++) {
      const { mean, deviation } = by[j];
      const varies = deviation > 1e-12 * Math.max(1, Math.abs(mean));
      const z = varies ? (values[i * columns + j] - mean) / deviation : 0;
      const cut = Math.min(MOST, Math.max(-MOST, z));
      out[2 * i * columns + j] = cut;
      out[2 * i * columns + columns + j] = cut * cut;
    }
  }
  return out;
}

/** The accuracy of the best threshold between two sets of as many numbers: 1/2 + max |F_a - F_b|/2. */
export function bestThreshold(a: Float64Array, b: Float64Array): number {
  const [x, y] = [a.slice().sort(), b.slice().sort()];
  let [i, j, most] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const at = Math.min(x[i], y[j]);
    while (i < x.length && x[i] === at) i++;
    while (j < y.length && y[j] === at) j++;
    most = Math.max(most, Math.abs(i / x.length - j / y.length));
  }
  return 0.5 + most / 2;
}

/** Pictures of two classes, 1 for samples. */
export function judgeByStatistics(parts: Parts): PlainVerdict {
  const raw = [parts.train, parts.choose, parts.test].map((part) => pictureStatistics(part.images, part));
  const by = spreads(raw[0], D);
  const rowsOf = (values: Float64Array, { labels }: Dataset): LabelledRows => {
    return { values: standardised(values, by), columns: 2 * D, labels };
  };
  const [train, choose, test] = [parts.train, parts.choose, parts.test].map((part, i) =>
    rowsOf(raw[i], part),
  ) as [LabelledRows, LabelledRows, LabelledRows];
  const fits = RIDGES.map((ridge) => ({ ridge, model: fitLogistic(train, ridge) }));
  const losses = fits.map(({ model }) => meanLoss(model, choose));
  const { ridge, model } = fits[losses.indexOf(Math.min(...losses))];
  const right = Math.round(logisticAccuracy(model, test) * parts.test.length);
  const labels = [parts.train, parts.choose, parts.test].flatMap((part) => [...part.labels]);
  return {
    accuracy: proportion(right, parts.test.length),
    ridge,
    statistics: tableOf(Float64Array.from(raw.flatMap((part) => [...part])), labels, model.weights),
  };
}

function tableOf(
  values: Float64Array,
  labels: readonly number[],
  weights: Float64Array,
): readonly StatisticFigures[] {
  const side = (label: number) => values.filter((_, i) => labels[Math.floor(i / D)] === label);
  const sides = [side(1), side(0)];
  const [samples, real] = sides.map((of) => spreads(of, D));
  const column = (of: Float64Array, j: number) => of.filter((_, i) => i % D === j);
  return STATISTICS.map((name, j) => ({
    name,
    samples: samples[j],
    real: real[j],
    shift: real[j].deviation === 0 ? null : (samples[j].mean - real[j].mean) / real[j].deviation,
    alone: bestThreshold(column(sides[0], j), column(sides[1], j)),
    weight: weights[j],
    squareWeight: weights[D + j],
  })).sort((a, b) => b.alone - a.alone);
}
