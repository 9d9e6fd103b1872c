/** `langevin evaluate`: measures the quality of samples. Real pictures are measured in the same way, for comparison. */
import { evaluatePictures } from '../../models/evaluation/evaluate.ts';
import { neighboursFigure } from '../../models/figures/neighbours.ts';
import { EVALUATE_TABLE, RECIPES, SAMPLING_TABLE } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { applyEngineOptions, arithmeticOf, engineLine, engineReport } from '../options/engine.ts';
import { fileSource, modelSource, requireOneSource } from '../options/judged-source.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { counted } from '../report/counted.ts';
import { createReporter } from '../report/reporter.ts';
import { judgeOf, requireJudge } from '../results/classifiers.ts';
import { evaluationLines } from '../results/evaluation-lines.ts';
import { drawRows, FigureHashes } from '../results/figures.ts';
import { obedienceLines, obedienceOf } from '../results/obedience.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';
import { setName } from '../results/run-results.ts';
import { requireStrict, strictFiles, strictTests } from '../results/strict-tests.ts';

const FILES = {
  'evaluation.json': 'all measures, and the settings',
  'neighbours.png': 'samples, each above the nearest training picture',
} as const;

const OUTPUT = {
  out: outSetting(null, 'the folder of the model or of --samples; out/NAME for a published model'),
  ...REPORT_TABLE,
} as const;

export const EVALUATE: Command = {
  name: 'evaluate',
  summary: 'Measure the quality of sampled pictures, from a model or from a file',
  groups: { ...RECIPES.evaluate, Output: OUTPUT },
  examples: [
    'evaluate',
    'evaluate --guidance 1 --count 2000',
    'evaluate --count 4000 --two-sample --score --quiz',
    'evaluate --samples samples.npy --data mnist --two-sample',
  ],
  run: evaluateCommand,
};

/** Runs the command and returns the exit code. */
export async function evaluateCommand(options: Options): Promise<number> {
  // Errors in the options are reported before errors in a file.
  const { samples: file, count, judge: given, ...wanted } = readSettings(EVALUATE_TABLE, options);
  requireJudge(given);
  readSettings(SAMPLING_TABLE, options);
  requireOneSource(options);
  const { out: folder } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const source =
    file === undefined
      ? await modelSource(options, count, reporter)
      : await fileSource(options, file, options.count === undefined ? undefined : count, reporter);
  const { seed } = source;
  const files = { ...FILES, ...strictFiles(wanted) };
  const out = folder ?? source.folder;
  const cleanUp = requireWritable(out, Object.keys(files));
  try {
    const data = await source.load();
    const least = Math.min(data.train.length, data.test.length);
    if (least < 100) {
      throw new UsageError(`--data: expected at least 100 training and test pictures, got ${least}`);
    }
    const labels = source.labels(data);
    const quiz = requireStrict(wanted, labels, data.train, seed);
    const engine = await engineReport();
    const run = {
      langevin: VERSION,
      ...source.run,
      judge: given,
      count: source.count,
      data: setName(data),
      ...engine,
    };
    const lines = [
      ...source.lines.slice(0, -1),
      `${source.lines.at(-1)}, ${counted(source.count, 'picture')}`,
      `data     ${setName(data)}`,
      `engine   ${engineLine(engine)}`,
      '',
    ];
    reporter.event({ type: 'start', epochs: 1, run, lines });
    const arithmetic = arithmeticOf(engine);
    const judge = await judgeOf(given, data, arithmetic, reporter);
    const drawn = await source.draw(data, labels, arithmetic);
    const { samples } = drawn;
    const pixels = Float64Array.from(samples.images, (byte) => byte / 255);
    const found = evaluatePictures(judge.classifier, data, pixels, labels);
    const obeyed = drawn.captioned && obedienceOf(drawn.captioned, samples, judge.classifier);
    const hashes = new FigureHashes();
    const { classifier } = judge;
    const strict = await strictTests(
      wanted,
      { samples, data, judge: classifier, seed, quiz },
      hashes,
      reporter,
    );
    const { neighbours, ...figures } = found;
    const report = {
      ...run,
      classifier: { accuracy: judge.accuracy },
      ...drawn.figures,
      ...figures,
      ...(obeyed && { captions: obeyed }),
      ...strict.figures,
    };
    const written = await writeAll(out, files, {
      'evaluation.json': () => `${JSON.stringify(report, null, 2)}\n`,
      'neighbours.png': hashes.content(
        'neighbours.png',
        () => neighboursFigure(data.train, pixels, neighbours),
        drawRows,
      ),
      ...strict.contents,
    });
    const next = [[`${PROGRAM} evaluate --help`, 'all options']] as const;
    reporter.event({
      type: 'end',
      stopped: null,
      files: written,
      numbers: hashes.numbers,
      summary: [
        ...drawn.guideLines,
        ...evaluationLines(judge, found),
        ...(obeyed ? obedienceLines(obeyed) : []),
        ...drawn.likelihoodLines,
        ...strict.lines,
        '',
      ],
      next,
    });
    return 0;
  } finally {
    reporter.close();
    cleanUp();
  }
}
