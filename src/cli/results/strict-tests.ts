/**
 * The tests of `langevin evaluate` that train classifiers, and the quiz. This file checks their inputs, runs them,
 * reports their progress, and defines their files.
 */
import type { Dataset, TrainTest } from '../../data/dataset.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import { classificationScoreRun } from '../../models/evaluation/classification-score.ts';
import { type JudgedPictures, matchLabels } from '../../models/evaluation/judged.ts';
import { type TwoSampleTest, twoSampleRun } from '../../models/evaluation/two-sample.ts';
import type { NetworkProgress } from '../../models/evaluation/two-sample-network.ts';
import { meanDifferenceFigure } from '../../models/figures/mean-difference.ts';
import { type QuizPicture, quizFigure, quizKey, quizPictures } from '../../models/figures/quiz.ts';
import type { Sheet } from '../../models/figures/sheet.ts';
import { MOST_SUSPECTS, suspectsFigure } from '../../models/figures/suspects.ts';
import type { PictureClassifier } from '../../models/networks/picture-classifier.ts';
import { asUsage, UsageError } from '../options/arguments.ts';
import type { Reporter } from '../report/reporter.ts';
import { runReported } from '../report/run-reported.ts';
import { scoreLines, twoSampleLines } from './evaluation-lines.ts';
import { drawSheet, type FigureHashes } from './figures.ts';
import type { Content } from './out-folder.ts';

const TWO_SAMPLE_FILES = {
  'suspects.png': 'the samples and the real pictures that the new network classifies with most certainty',
  'mean-difference.png': 'mean pictures of samples and of real pictures, and their difference',
} as const;
const QUIZ_FILES = {
  'quiz.png': 'samples and real pictures in random order',
  'quiz-key.txt': 'the answers to the quiz',
} as const;

/** The tests to run. */
export interface Wanted {
  readonly twoSample: boolean;
  readonly score: boolean;
  readonly quiz: boolean;
}

/** The files of these tests, each with its description. */
export const strictFiles = ({ twoSample, quiz }: Wanted): Readonly<Record<string, string>> => ({
  ...(twoSample && TWO_SAMPLE_FILES),
  ...(quiz && QUIZ_FILES),
});

/** The pictures to judge, and the inputs of the tests. */
export interface Strict {
  readonly samples: JudgedPictures;
  readonly data: TrainTest;
  readonly judge: PictureClassifier;
  readonly seed: string;
  /** The pictures of the quiz, from `requireStrict`. */
  readonly quiz: readonly QuizPicture[] | null;
}

/** The results of the tests. */
export interface StrictResults {
  /** The measures for evaluation.json. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** The measures as lines of text. */
  readonly lines: readonly string[];
  readonly contents: Readonly<Record<string, Content>>;
}

/**
 * Checks the inputs of the tests before any picture is sampled.
 * @returns the pictures of the quiz, if it is to run
 * @throws UsageError
 */
export function requireStrict(
  { twoSample, score, quiz }: Wanted,
  labels: Labels,
  train: Dataset,
  seed: string,
): readonly QuizPicture[] | null {
  if (score && labels.includes(null)) {
    const isUnlabelled = labels.every((label) => label === null);
    const got = isUnlabelled ? 'an unconditional one' : 'one with captions, some of them without a digit';
    throw new UsageError(`--score: expected a model with labels, got ${got}`);
  }
  const name = twoSample ? '--two-sample' : '--score';
  if (twoSample || score) asUsage(() => matchLabels(name, labels, train, seed));
  return quiz ? asUsage(() => quizPictures(labels, train, seed)) : null;
}

/** Runs the tests, and reports every epoch of their classifiers. */
export async function strictTests(
  wanted: Wanted,
  { samples, data, judge, seed, quiz }: Strict,
  hashes: FigureHashes,
  reporter: Reporter,
): Promise<StrictResults> {
  const report = (name: string, progress: NetworkProgress) => {
    const { epoch, epochs, loss, imagesPerSecond } = progress;
    reporter.event({ type: 'preparation', name, epoch, epochs, loss, imagesPerSecond });
  };
  const { train } = data;
  const test = wanted.twoSample
    ? await runReported(twoSampleRun(samples, train, { judge, seed }), (progress) =>
        report(`two-sample network, ${progress.classifier === 'fresh' ? 'new' : 'from the judge'}`, progress),
      )
    : null;
  const score = wanted.score
    ? await runReported(classificationScoreRun(samples, data, { seed }), (progress) =>
        report(`classifier of ${progress.learnsFrom === 'real' ? 'real pictures' : 'samples'}`, progress),
      )
    : null;
  const sheet = (name: string, compute: () => Sheet) => ({
    [name]: hashes.content(name, compute, drawSheet),
  });
  return {
    figures: {
      ...(test && { twoSample: shortened(test) }),
      ...(score && { classificationScore: score }),
    },
    lines: [...(test ? twoSampleLines(test) : []), ...(score ? scoreLines(score) : [])],
    contents: {
      ...(test && sheet('suspects.png', () => suspectsFigure(samples, train, test))),
      ...(test && sheet('mean-difference.png', () => meanDifferenceFigure(samples, train, test.matched))),
      ...(quiz && sheet('quiz.png', () => quizFigure(samples, train, quiz))),
      ...(quiz && { 'quiz-key.txt': () => quizKey(quiz) }),
    },
  };
}

/** The result of the two-sample test for evaluation.json. It has only the pictures that suspects.png shows. */
function shortened({ matched: _, suspects, genuine, ...rest }: TwoSampleTest) {
  return { ...rest, suspects: suspects.slice(0, MOST_SUSPECTS), genuine: genuine.slice(0, MOST_SUSPECTS) };
}
