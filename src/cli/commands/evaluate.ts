/** `langevin evaluate`: a diffusion model's pictures in figures, each beside what real pictures reach. */
import { dirname } from 'node:path';
import { type Evaluation, evaluatePictures } from '../../models/evaluation/evaluate.ts';
import { type DiffusionLikelihood, diffusionLikelihood } from '../../models/evaluation/likelihood.ts';
import { neighboursFigure } from '../../models/figures/neighbours.ts';
import { labelsInTurn, samplePictures } from '../../models/sample.ts';
import { EVALUATE_TABLE, RECIPES, SAMPLING_TABLE } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions, engineLine, engineReport } from '../options/engine.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { loadModel, loadModelData, readSampling, samplingLine } from '../options/sampling.ts';
import { counted } from '../report/counted.ts';
import { createReporter } from '../report/reporter.ts';
import { guideLine, guideOf, type Judge, judgeOf, requireJudge } from '../results/classifiers.ts';
import { drawRows, FigureHashes } from '../results/figures.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';
import { setName } from '../results/run-results.ts';

const FILES = {
  'evaluation.json': 'all figures',
  'neighbours.png': 'pictures of the model, and the nearest training pictures',
} as const;

const OUTPUT = { out: outSetting(null, "the model's"), ...REPORT_TABLE } as const;

export const EVALUATE: Command = {
  name: 'evaluate',
  summary: 'Judge the pictures of a trained diffusion model',
  groups: { ...RECIPES.evaluate, Output: OUTPUT },
  examples: ['evaluate', 'evaluate --guidance 1 --count 2000'],
  run: evaluateCommand,
};

/** Runs the command; the exit code. */
export async function evaluateCommand(options: Options): Promise<number> {
  // What is wrong with the words comes before what is wrong with a file.
  const { count: n, judge: given } = readSettings(EVALUATE_TABLE, options);
  requireJudge(given);
  readSettings(SAMPLING_TABLE, options);
  const { out: folder } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const { path, checkpoint, model } = await loadModel(options);
  const sampling = readSampling(options, model);
  const out = folder ?? dirname(path);
  const tidy = requireWritable(out, Object.keys(FILES));
  try {
    const data = await loadModelData(options, checkpoint, model, reporter);
    const least = Math.min(data.train.length, data.test.length);
    if (least < 100) {
      throw new UsageError(`--data: expected 100 pictures or more to compare with, got ${least}`);
    }
    const engine = await engineReport();
    const run = {
      langevin: VERSION,
      model: path,
      judge: given,
      count: n,
      ...sampling,
      data: setName(data),
      ...engine,
    };
    const lines = [
      `model    ${path}: ${model.settings.schedule}, predicts ${model.predicts}`,
      `${samplingLine(sampling)}, ${counted(n, 'picture')}`,
      `data     ${setName(data)}`,
      `engine   ${engineLine(engine)}`,
      '',
    ];
    reporter.event({ type: 'start', epochs: 1, run, lines });
    const judge = await judgeOf(given, data, engine.numerics, reporter);
    const { classifierGuidance, ...rest } = sampling;
    const guide = classifierGuidance > 0 ? await guideOf(model, data, engine.numerics, reporter) : null;
    const classifier = guide ? { model: guide.classifier, scale: classifierGuidance } : undefined;
    const labels = labelsInTurn(guide?.classifier.sizes ?? model, n);
    const pictures = samplePictures(model, { ...rest, labels, classifier });
    const found = evaluatePictures(judge.classifier, data, pictures, labels);
    const likelihood = diffusionLikelihood(model, data, sampling.seed);
    const { neighbours, ...figures } = found;
    const report = {
      ...run,
      classifier: { accuracy: judge.accuracy },
      ...(guide && { guide: guide.accuracies }),
      ...figures,
      likelihood,
    };
    const hashes = new FigureHashes();
    const files = await writeAll(out, FILES, {
      'evaluation.json': () => `${JSON.stringify(report, null, 2)}\n`,
      'neighbours.png': hashes.content(
        'neighbours.png',
        () => neighboursFigure(data.train, pictures, neighbours),
        drawRows,
      ),
    });
    const next = [[`${PROGRAM} evaluate --help`, 'all options']] as const;
    reporter.event({
      type: 'end',
      stopped: null,
      files,
      numbers: hashes.numbers,
      summary: [...(guide ? [guideLine(guide)] : []), ...summary(judge, found, likelihood)],
      next,
    });
    return 0;
  } finally {
    reporter.close();
    tidy();
  }
}

/** The figures for people. */
function summary(judge: Judge, found: Evaluation, { bound, plain, ode }: DiffusionLikelihood): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const bits = (value: number | null, otherwise: string) =>
    value === null ? otherwise : `${value.toFixed(3)} bits per dimension`;
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
  const rows: [string, string][] = [
    ['classifier', `${percent(judge.accuracy)} of test pictures right`],
    ['as asked', conditionalAccuracy === null ? 'nothing was asked for' : percent(conditionalAccuracy)],
    [
      'by class',
      conditionalAccuracyByClass.map((share) => (share === null ? '-' : Math.round(100 * share))).join(' '),
    ],
    ['found', `${found.found.join(' ')} pictures of each class`],
    ['Fréchet', `${frechet.samples.toFixed(2)}; real against real ${frechet.real.toFixed(2)}`],
    ['precision', `${percent(precision.samples)}; real against real ${percent(precision.real)}`],
    ['recall', `${percent(recall.samples)}; real against real ${percent(recall.real)}`],
    ['density', `${density.samples.toFixed(3)}; real against real ${density.real.toFixed(3)}`],
    ['coverage', `${percent(coverage.samples)}; real against real ${percent(coverage.real)}`],
    [
      'nearest',
      `${nearest.samples.toFixed(2)} to a training picture; test pictures ${nearest.real.toFixed(2)}`,
    ],
    ['bound', bits(bound?.bitsPerDimension ?? null, 'none for this schedule')],
    ['plain bound', bits(plain, 'none for this schedule')],
    ['ODE', bits(ode, 'none where nothing of the data is left in the noise')],
  ];
  return [...rows.map(([name, text]) => `${name.padEnd(12)}${text}`), ''];
}
