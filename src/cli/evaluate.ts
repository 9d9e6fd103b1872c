/** `langevin evaluate`: a diffusion model's pictures in figures, each beside what real pictures reach. */
import { dirname, join } from 'node:path';
import type { Command } from 'cac';
import { host } from '#host';
import { noGrad, scope } from '../autograd/tape.ts';
import { loadCheckpoint } from '../checkpoint/checkpoint.ts';
import { type Dataset, limit, type TrainTest } from '../data/dataset.ts';
import { DiscreteSchedule } from '../diffusion/discrete-schedule.ts';
import { classifierFree } from '../diffusion/guidance.ts';
import { type Bound, variationalBound } from '../diffusion/variational-bound.ts';
import { type Cell, cellsOf, grid } from '../image/grid.ts';
import { encodePng } from '../image/png.ts';
import { diffusionOf, type TrainedDiffusion } from '../models/diffusion-run.ts';
import { type Evaluation, evaluatePictures } from '../models/evaluate-diffusion.ts';
import { labelsInTurn, samplePictures } from '../models/sample-diffusion.ts';
import { Rng } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import { VERSION } from '../version.ts';
import { number, type Options, text, UsageError } from './arguments.ts';
import { addDataOptions, chooseData, loadData } from './data-options.ts';
import { setName } from './denoiser-results.ts';
import { addEngineOptions, applyEngineOptions, engineLine, engineReport } from './engine-options.ts';
import { type Judge, judgeOf } from './evaluation-classifier.ts';
import { requireWritable } from './out-folder.ts';
import { createReporter, REPORT_OPTIONS } from './reporter.ts';
import { addSamplingOptions, modelPath, readSampling, samplerName } from './sampling-options.ts';

const COUNT = 1000;
const SHOWN = 10;
/** Test pictures whose bits are counted, and terms of the bound that are evaluated. */
const BOUND_PICTURES = 100;
const BOUND_TERMS = 100;

const FILES = {
  'evaluation.json': 'all figures',
  'neighbours.png': 'pictures of the model, and the nearest training pictures',
} as const;

/** Declares the command and its options. */
export function addEvaluateOptions(command: Command): Command {
  addSamplingOptions(command)
    .usage('evaluate [options]')
    .option('--count <n>', `How many pictures to judge, 100 or more (default: ${COUNT})`)
    .option('--out <folder>', "Where the results go (default: the model's folder)");
  addDataOptions(command);
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command.example('  $ langevin evaluate').example('  $ langevin evaluate --guidance 1 --count 2000');
}

/** Runs the command; the exit code. */
export async function evaluateCommand(options: Options): Promise<number> {
  samplerName(options);
  const wanted = 'a whole number >= 100';
  const n = number(options, 'count', COUNT, wanted, (c) => Number.isSafeInteger(c) && c >= 100);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const path = modelPath(options);
  const checkpoint = await loadCheckpoint(path);
  const model = diffusionOf(checkpoint);
  const sampling = readSampling(options, model);
  const notes = (checkpoint.settings?.data ?? {}) as Record<string, string | number>;
  const saved = Object.fromEntries(Object.entries(notes).map(([name, value]) => [name, String(value)]));
  const choice = chooseData({ ...(options.data === undefined ? saved : {}), ...options });
  const out = text(options, 'out', dirname(path));
  const tidy = requireWritable(out, Object.keys(FILES));
  try {
    const data = await loadData(choice, reporter);
    requireFit(model, data);
    const engine = await engineReport();
    const run = { langevin: VERSION, model: path, count: n, ...sampling, data: setName(data), ...engine };
    const lines = [
      `model    ${path}: ${model.settings.schedule}, predicts ${model.predicts}`,
      `sampler  ${sampling.sampler}, ${sampling.steps} steps, guidance ${sampling.guidance}, ${n} pictures`,
      `data     ${setName(data)}`,
      `engine   ${engineLine(engine)}`,
      '',
    ];
    reporter.event({ type: 'start', epochs: 1, run, lines });
    const judge = await judgeOf(data, engine.numerics, (epoch, epochs, loss) =>
      reporter.event({ type: 'batch', epoch: 1, batch: epoch, batches: epochs, loss, imagesPerSecond: 0 }),
    );
    const labels = labelsInTurn(model, n);
    const pictures = samplePictures(model, { ...sampling, labels });
    const found = evaluatePictures(judge.classifier, data, pictures, labels);
    const bound = boundOf(model, data.test, sampling.seed);
    const { neighbours, ...figures } = found;
    const content = {
      'evaluation.json': `${JSON.stringify({ ...run, classifier: { accuracy: judge.accuracy }, ...figures, bound }, null, 2)}\n`,
      'neighbours.png': drawNeighbours(data.train, pictures, neighbours),
    };
    for (const [name, bytes] of Object.entries(content)) await host.writeFileAtomic(join(out, name), bytes);
    const files = Object.entries(FILES).map(([name, what]) => [join(out, name), what] as const);
    const next = [['langevin evaluate --help', 'all options']] as const;
    reporter.event({ type: 'end', stopped: null, files, summary: summary(judge, found, bound), next });
    return 0;
  } finally {
    reporter.close();
    tidy();
  }
}

/** @throws UsageError for data of another size or with other classes than the model's */
function requireFit({ network: { sizes } }: TrainedDiffusion, { train, test }: TrainTest): void {
  const { height, width, classes } = sizes;
  if (train.height !== height || train.width !== width || (classes > 0 && train.classes !== classes)) {
    const got = `${train.height}x${train.width} in ${train.classes} classes`;
    throw new UsageError(`--data: expected pictures of ${height}x${width} in ${classes} classes, got ${got}`);
  }
  const least = Math.min(train.length, test.length);
  if (least < 100)
    throw new UsageError(`--data: expected 100 pictures or more to compare with, got ${least}`);
}

/** The variational bound on test pictures with their labels; null where time is continuous. */
function boundOf(model: TrainedDiffusion, test: Dataset, seed: string): Bound | null {
  const { schedule } = model;
  if (!(schedule instanceof DiscreteSchedule) || schedule.scaling !== 'preserving') return null;
  const part = limit(test, BOUND_PICTURES);
  const labels = Array.from(part.labels, (label) => (model.classes > 0 ? label : null));
  return scope(() =>
    noGrad(() => {
      const values = Float32Array.from(part.images, (byte) => (2 * byte) / 255 - 1);
      const x0 = tensor(values, [part.length, model.network.pixels]);
      const terms = Math.min(BOUND_TERMS, schedule.length - 1);
      const predictor = classifierFree(model, labels);
      return variationalBound(predictor, schedule, x0, new Rng(seed).stream('bound'), { terms });
    }),
  );
}

function drawNeighbours(train: Dataset, pictures: Float64Array, neighbours: Uint32Array): Uint8Array {
  const { height, width } = train;
  const pixels = height * width;
  const shown = Math.min(SHOWN, neighbours.length);
  const samples: Cell[] = cellsOf(pictures.subarray(0, shown * pixels), train);
  const nearest = [...neighbours.subarray(0, shown)].map((i) =>
    train.images.subarray(i * pixels, (i + 1) * pixels),
  );
  return encodePng(grid([samples, nearest], { height, width, rowLabels: ['model', 'nearest'] }));
}

/** The figures for people. */
function summary(judge: Judge, found: Evaluation, bound: Bound | null): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const { asAsked, asAskedByClass, frechet, precision, recall, nearest } = found;
  const rows: [string, string][] = [
    ['classifier', `${percent(judge.accuracy)} of test pictures right`],
    ['as asked', asAsked === null ? 'nothing was asked for' : percent(asAsked)],
    ['by class', asAskedByClass.map((share) => (share === null ? '-' : Math.round(100 * share))).join(' ')],
    ['found', `${found.found.join(' ')} pictures of each class`],
    ['Fréchet', `${frechet.samples.toFixed(2)}; real against real ${frechet.real.toFixed(2)}`],
    ['precision', `${percent(precision.samples)}; real against real ${percent(precision.real)}`],
    ['recall', `${percent(recall.samples)}; real against real ${percent(recall.real)}`],
    [
      'nearest',
      `${nearest.samples.toFixed(2)} to a training picture; test pictures ${nearest.real.toFixed(2)}`,
    ],
    ['bound', bound ? `${bound.bitsPerDimension.toFixed(3)} bits per dimension` : 'none in continuous time'],
  ];
  return [...rows.map(([name, text]) => `${name.padEnd(12)}${text}`), ''];
}
