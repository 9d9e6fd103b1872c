/**
 * Classifies samples and real pictures by simple statistics of their pixels (picture-statistics.ts).
 *
 * Each statistic is standardised to z, with its mean and its standard deviation over the training part. |z| is limited
 * to 5. The classifier is a logistic regression on z and z². z² shows a statistic that varies too much or too little.
 * The ridge is the one with the lowest loss on the validation part.
 *
 * There are also values for each statistic alone, over all pictures: its mean and standard deviation in each class, and
 * the accuracy of the best threshold. This accuracy is 1/2 + max |F_samples - F_real|/2, where F is the empirical
 * distribution function (the Kolmogorov-Smirnov statistic). The same pictures choose the threshold and measure the
 * accuracy, so it is too high. For n pictures on each side, two equal distributions give about 1/2 + 0.6/√n.
 */
import type { Dataset } from '../../data/dataset.ts';
import { fitLogistic, type LabelledRows, logisticAccuracy, meanLoss } from './logistic.ts';
import { pictureStatistics, STATISTICS } from './picture-statistics.ts';
import type { Parts } from './two-sample-network.ts';
import { type Proportion, proportion } from './wilson.ts';

const RIDGES = [0.01, 0.1, 1, 10, 100, 1000] as const;
/** The limit of |z|. */
const MOST = 5;

/** The mean and the standard deviation of numbers. The variance has the divisor n. */
export interface MeanAndDeviation {
  /** The mean. */
  readonly mean: number;
  /** The standard deviation. */
  readonly deviation: number;
}

/** One statistic of samples and of real pictures. */
export interface StatisticFigures {
  /** The name, one of `STATISTICS`. */
  readonly name: string;
  /** Of the samples. */
  readonly samples: MeanAndDeviation;
  /** Of the real pictures. */
  readonly real: MeanAndDeviation;
  /** (mean of samples - mean of real pictures) / deviation of real pictures. Null if this deviation is 0. */
  readonly shift: number | null;
  /** The accuracy of the best threshold for this statistic alone, 0.5 to 1. */
  readonly alone: number;
  /** The weight of z in the regression. A positive weight means that large values are typical of samples. */
  readonly weight: number;
  /** The weight of z². */
  readonly squareWeight: number;
}

/** The result of the statistics on the test part. */
export interface PlainVerdict {
  /** The fraction of test pictures that it classifies correctly as samples or as real pictures. */
  readonly accuracy: Proportion;
  /** The chosen ridge λ. */
  readonly ridge: number;
  /** All statistics. The first has the highest accuracy alone. */
  readonly statistics: readonly StatisticFigures[];
}

const D = STATISTICS.length;

/** The mean and the standard deviation of each column of [n, columns]. */
export function spreads(values: Float64Array, columns: number): MeanAndDeviation[] {
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

/** From [n, columns] to [n, 2·columns]: all z, then all z². A column without variation becomes 0. */
export function standardised(values: Float64Array, by: readonly MeanAndDeviation[]): Float64Array {
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

/** The accuracy of the best threshold between two sets of equally many numbers: 1/2 + max |F_a - F_b|/2. */
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

/** Trains and tests the logistic regression. In `parts` samples have the class 1, and real pictures have 0. */
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
