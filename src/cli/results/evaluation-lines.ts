/** The figures of `langevin evaluate` for people, a line each. */
import type { ClassificationScore } from '../../models/evaluation/classification-score.ts';
import type { Evaluation } from '../../models/evaluation/evaluate.ts';
import type { DiffusionLikelihood } from '../../models/evaluation/likelihood.ts';
import type { TwoSampleTest } from '../../models/evaluation/two-sample.ts';
import type { Proportion } from '../../models/evaluation/wilson.ts';
import type { Judge } from './classifiers.ts';

const line = (name: string, text: string) => `${name.padEnd(12)}${text}`;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** What the judge and the distances say. */
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
    line('classifier', `${percent(judge.accuracy)} of test pictures right`),
    line('as asked', conditionalAccuracy === null ? 'nothing was asked for' : percent(conditionalAccuracy)),
    line(
      'by class',
      conditionalAccuracyByClass.map((share) => (share === null ? '-' : Math.round(100 * share))).join(' '),
    ),
    line('found', `${found.found.join(' ')} pictures of each class`),
    line('Fréchet', `${frechet.samples.toFixed(2)}; real against real ${frechet.real.toFixed(2)}`),
    line('precision', `${percent(precision.samples)}; real against real ${percent(precision.real)}`),
    line('recall', `${percent(recall.samples)}; real against real ${percent(recall.real)}`),
    line('density', `${density.samples.toFixed(3)}; real against real ${density.real.toFixed(3)}`),
    line('coverage', `${percent(coverage.samples)}; real against real ${percent(coverage.real)}`),
    line(
      'nearest',
      `${nearest.samples.toFixed(2)} to a training picture; test pictures ${nearest.real.toFixed(2)}`,
    ),
  ];
}

/** How likely the model finds test pictures; null for a model whose tones are not linear. */
export function likelihoodLines(likelihood: DiffusionLikelihood | null): string[] {
  if (likelihood === null) return [line('likelihood', 'none: the tones of the model are not linear')];
  const { bound, plain, ode } = likelihood;
  const bits = (value: number | null, otherwise: string) =>
    value === null ? otherwise : `${value.toFixed(3)} bits per dimension`;
  return [
    line('bound', bits(bound?.bitsPerDimension ?? null, 'none for this schedule')),
    line('plain bound', bits(plain, 'none for this schedule')),
    line('ODE', bits(ode, 'none where nothing of the data is left in the noise')),
  ];
}

const withInterval = ({ value, low, high }: Proportion) =>
  `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;

/** Statistics that a line names. */
const NAMED = 3;

/** The accuracies of the two-sample test with their intervals. */
export function twoSampleLines({ pairs, fresh, fromJudge, plain }: TwoSampleTest): string[] {
  const best = plain.statistics.slice(0, NAMED).map(({ name, alone }) => `${name} ${alone.toFixed(2)}`);
  return [
    line('two-sample', `accuracy on ${pairs.test} samples and ${pairs.test} real pictures; 0.5 is chance`),
    line('  fresh', `${withInterval(fresh.accuracy)} by a new network`),
    ...(fromJudge
      ? [line('  judge', `${withInterval(fromJudge.accuracy)} by a network that starts from the classifier`)]
      : []),
    line('  plain', `${withInterval(plain.accuracy)} by plain statistics; alone: ${best.join(', ')}`),
  ];
}

/** What classifiers learn from samples and from real pictures. */
export function scoreLines({ pictures, samples, real }: ClassificationScore): string[] {
  const share = ({ value, low, high }: Proportion) =>
    `${percent(value)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
  return [
    line('score', `accuracy on test pictures after ${pictures} pictures`),
    line('  samples', share(samples)),
    line('  real', share(real)),
  ];
}
