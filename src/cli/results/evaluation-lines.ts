/** The measures of `langevin evaluate` as lines of text. */
import type { ClassificationScore } from '../../models/evaluation/classification-score.ts';
import type { Evaluation } from '../../models/evaluation/evaluate.ts';
import type { DiffusionLikelihood } from '../../models/evaluation/likelihood.ts';
import type { TwoSampleTest } from '../../models/evaluation/two-sample.ts';
import type { Proportion } from '../../models/evaluation/wilson.ts';
import type { Judge } from './classifiers.ts';

const line = (name: string, text: string) => `${name.padEnd(12)}${text}`;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The judge's accuracy, and its measures of the samples. */
export function evaluationLines(judge: Judge, found: Evaluation): string[] {
  const {
    conditionalAccuracy,
    conditionalAccuracyByClass,
    frechet,
    precision,
    recall,
    density,
    coverage,
    nearest,
  } = found;
  return [
    line('classifier', `${percent(judge.accuracy)} of test pictures classified correctly`),
    line(
      'by label',
      conditionalAccuracy === null
        ? 'none: the samples have no labels'
        : `${percent(conditionalAccuracy)} of samples classified as their label`,
    ),
    line(
      '  per class',
      `${conditionalAccuracyByClass.map((share) => (share === null ? '-' : Math.round(100 * share))).join(' ')} %`,
    ),
    line('predicted', `${found.found.join(' ')} samples in each class`),
    line('Fréchet', `${frechet.samples.toFixed(2)}; of real pictures ${frechet.real.toFixed(2)}`),
    line('precision', `${percent(precision.samples)}; of real pictures ${percent(precision.real)}`),
    line('recall', `${percent(recall.samples)}; of real pictures ${percent(recall.real)}`),
    line('density', `${density.samples.toFixed(3)}; of real pictures ${density.real.toFixed(3)}`),
    line('coverage', `${percent(coverage.samples)}; of real pictures ${percent(coverage.real)}`),
    line(
      'nearest',
      `distance to the nearest training picture ${nearest.samples.toFixed(2)}; of real pictures ${nearest.real.toFixed(2)}`,
    ),
  ];
}

/** The likelihood of test pictures under the model. @param likelihood null for a model whose tones are not linear */
export function likelihoodLines(likelihood: DiffusionLikelihood | null): string[] {
  if (likelihood === null)
    return [line('likelihood', 'none: the tones of the model are not linear, or it is a student')];
  const { bound, plain, ode } = likelihood;
  const bits = (value: number | null, reason: string) =>
    value === null ? `none ${reason}` : `${value.toFixed(3)} bits per dimension`;
  return [
    line('bound', bits(bound?.bitsPerDimension ?? null, 'for this schedule')),
    line('plain bound', bits(plain, 'for this schedule')),
    line('ODE', bits(ode, 'for a schedule that ends with alpha = 0')),
  ];
}

const withInterval = ({ value, low, high }: Proportion) =>
  `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;

/** The number of statistics that a line names. */
const NAMED = 3;

/** The accuracies of the two-sample test with their intervals. */
export function twoSampleLines({ pairs, fresh, fromJudge, plain }: TwoSampleTest): string[] {
  const best = plain.statistics.slice(0, NAMED).map(({ name, alone }) => `${name} ${alone.toFixed(2)}`);
  return [
    line('two-sample', `accuracy on ${pairs.test} samples and ${pairs.test} real pictures; chance is 0.5`),
    line('  new', `${withInterval(fresh.accuracy)} by a new network`),
    ...(fromJudge
      ? [line('  judge', `${withInterval(fromJudge.accuracy)} by a network that starts from the classifier`)]
      : []),
    line(
      '  plain',
      `${withInterval(plain.accuracy)} by plain statistics; the best single ones: ${best.join(', ')}`,
    ),
  ];
}

/** The accuracies of classifiers that were trained on samples and on real pictures. */
export function scoreLines({ pictures, samples, real }: ClassificationScore): string[] {
  const share = ({ value, low, high }: Proportion) =>
    `${percent(value)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
  return [
    line('score', `accuracy on test pictures, after training on ${pictures} pictures`),
    line('  samples', share(samples)),
    line('  real', share(real)),
  ];
}
