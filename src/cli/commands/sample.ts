/** `langevin sample`: pictures from a trained diffusion model, as a grid, and as an animation of how they came. */
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Command } from 'cac';
import { loadCheckpoint } from '../../checkpoint/checkpoint.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import { ValueError } from '../../errors.ts';
import { encodeGif } from '../../image/gif.ts';
import { encodePng, type Picture } from '../../image/png.ts';
import { type DiffusionPipeline, diffusionOf } from '../../models/pipeline.ts';
import { labelsInTurn, type SampleOptions, sampleDiffusion } from '../../models/sample.ts';
import { VERSION } from '../../version.ts';
import { count, dashed, type Options, text, UsageError } from '../options/arguments.ts';
import { addEngineOptions, applyEngineOptions, engineLine, engineReport } from '../options/engine.ts';
import {
  addSamplingOptions,
  loadModelData,
  modelPath,
  readSampling,
  samplerName,
  samplingLine,
} from '../options/sampling.ts';
import { createReporter, REPORT_OPTIONS } from '../report/reporter.ts';
import { guideLine, guideOf } from '../results/classifiers.ts';
import { sampleGrid } from '../results/diffusion-results.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';

const COUNT = 100;
const FILES = {
  'samples.png': 'the pictures',
  'samples.gif': 'how they grew out of noise',
} as const;
/** Frames of the animation at most; long runs skip some. */
const MOST_FRAMES = 60;

/** Declares the command and its options. */
export function addSampleOptions(command: Command): Command {
  addSamplingOptions(command)
    .usage('sample [options]')
    .option('--count <n>', `How many pictures (default: ${COUNT})`)
    .option('--label <n>', 'The class to draw, or several as in 3,1,4 (default: all in turn)')
    .option('--gif', 'Also draw how they grow out of noise')
    .option('--out <folder>', "Where the pictures go (default: the model's folder)");
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command
    .example('  $ langevin sample --label 7 --count 16')
    .example('  $ langevin sample --label 2,0,2,6 --count 4 --guidance 3 --gif')
    .example('  $ langevin sample --sampler dpm-solver-2m --steps 15')
    .example('  $ langevin sample --label 3 --classifier-guidance 5');
}

/** The classes asked for; undefined for all in turn. @throws UsageError */
function readLabels(options: Options): number[] | undefined {
  const given = text(options, 'label', undefined);
  if (given === undefined) return undefined;
  const labels = given.split(',').map((word) => (/^\d+$/.test(word.trim()) ? Number(word) : Number.NaN));
  if (labels.every(Number.isSafeInteger)) return labels;
  throw new UsageError(`--label: expected a class or several as in 3,1,4, got "${given}"`);
}

/** A label for each picture. @throws UsageError for labels that there are not */
function labelsFor(sizes: { readonly classes: number }, wanted: number[] | undefined, n: number): Labels {
  if (!wanted) return labelsInTurn(sizes, n);
  const { classes } = sizes;
  if (classes === 0) throw new UsageError('--label: expected a model with labels, got an unconditional one');
  const wrong = wanted.find((label) => label >= classes);
  if (wrong !== undefined)
    throw new UsageError(`--label: expected labels from 0 to ${classes - 1}, got ${wrong}`);
  return Array.from({ length: n }, (_, i) => wanted[i % wanted.length]);
}

/** Runs the command; the exit code. */
export async function sampleCommand(options: Options): Promise<number> {
  samplerName(options); // what is wrong with the words comes before what is wrong with a file
  const wanted = readLabels(options);
  const n = count(options, 'count', COUNT);
  const path = modelPath(options);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const checkpoint = await loadCheckpoint(path);
  const model = diffusionOf(checkpoint);
  const sampling = readSampling(options, model);
  const { classifierGuidance, ...rest } = sampling;
  const guided = classifierGuidance > 0;
  if (!guided || model.classes > 0) labelsFor(model, wanted, n);
  const ofClassifier = ['data', 'dataDir', 'limit'].find((name) => options[name] !== undefined);
  if (!guided && ofClassifier) {
    throw new UsageError(`${dashed(ofClassifier)} belongs to --classifier-guidance, got it alone`);
  }
  const out = text(options, 'out', dirname(path));
  const animate = options.gif === true;
  const tidy = requireWritable(out, animate ? Object.keys(FILES) : ['samples.png']);
  try {
    const engine = await engineReport();
    reporter.event({
      type: 'start',
      epochs: 1,
      run: { langevin: VERSION, model: path, count: n, label: wanted ?? 'all', ...sampling, ...engine },
      lines: [
        `model    ${path}: ${model.settings.schedule}, predicts ${model.predicts}`,
        samplingLine(sampling),
        `engine   ${engineLine(engine)}`,
        '',
      ],
    });
    const data = guided ? await loadModelData(options, checkpoint, model, reporter) : null;
    const labels = labelsFor(data?.train ?? model, wanted, n);
    const guide = data && (await guideOf(model, data, engine.numerics, reporter));
    const classifier = guide ? { model: guide.classifier, scale: classifierGuidance } : undefined;
    const started = performance.now();
    const { picture, frames } = await draw(model, { ...rest, labels, classifier }, animate);
    const seconds = (performance.now() - started) / 1000;
    const files = await writeAll(out, FILES, {
      'samples.png': () => encodePng(picture),
      ...(animate ? { 'samples.gif': () => encodeGif(frames) } : {}),
    });
    const summary = [
      ...(guide ? [guideLine(guide)] : []),
      `${n} ${n === 1 ? 'picture' : 'pictures'} in ${seconds.toFixed(2)} s`,
      '',
    ];
    reporter.event({
      type: 'end',
      stopped: null,
      files,
      summary,
      next: [['langevin sample --help', 'all options']],
    });
    return 0;
  } finally {
    reporter.close();
    tidy();
  }
}

/** Samples, and draws the grid, and where wanted the frames that lead to it. */
async function draw(
  model: DiffusionPipeline,
  sampling: SampleOptions,
  animate: boolean,
): Promise<{ picture: Picture; frames: Picture[] }> {
  const { sizes } = model.network;
  const { classes } = sizes;
  const n = sampling.labels.length;
  const columns =
    n > 10 && n % 10 === 0 ? Math.max(10, classes > 20 ? 10 : classes) : Math.ceil(Math.sqrt(n));
  const toGrid = (pictures: Float64Array) => sampleGrid(pictures, sizes, columns);
  const frames: Picture[] = [];
  const run = sampleDiffusion(model, sampling);
  try {
    for (;;) {
      const { done, value } = run.next();
      if (done) {
        const picture = toGrid(value);
        return { picture, frames: [...frames, picture] };
      }
      const every = Math.ceil(value.steps / MOST_FRAMES);
      if (animate && value.step < value.steps && value.step % every === 0)
        frames.push(toGrid(value.pictures()));
      await setImmediate(); // Ctrl-C is heard here
    }
  } catch (error) {
    throw error instanceof ValueError ? new UsageError(error.message) : error;
  }
}
