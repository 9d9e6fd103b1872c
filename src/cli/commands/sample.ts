/** `langevin sample`: samples pictures from a diffusion model. It writes a grid and, with `--gif`, an animation. */
import { basename, dirname, extname } from 'node:path';
import { encodeNpy } from '../../data/npy.ts';
import { labelsFileName } from '../../data/picture-arrays.ts';
import { toBytes } from '../../image/bytes.ts';
import { encodeGif } from '../../image/gif.ts';
import { encodePng } from '../../image/png.ts';
import { sampleAttention } from '../../models/figures/attention.ts';
import { type GrowingSamples, growingSamples, MOST_FRAMES } from '../../models/figures/samples.ts';
import type { DiffusionPipeline } from '../../models/pipeline.ts';
import type { SampleOptions } from '../../models/sample.ts';
import { firstSamples, MOST_SHOWN, type Samples, sampleGrid } from '../../models/sample-grid.ts';
import { captionsFor, conditionsFor, labelsFor } from '../../models/sampling.ts';
import { nameOf, text } from '../../models/setting.ts';
import { DATA_TABLE, RECIPES, SAMPLE_TABLE, SAMPLING_TABLE } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import { asUsage, type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { editLine, readEdit, requireEdit } from '../options/edit.ts';
import { applyEngineOptions, arithmeticOf, engineLine, engineReport } from '../options/engine.ts';
import { MODEL_FOLDER, outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { loadModel, loadModelData, namedSampling, readSampling, samplingLine } from '../options/sampling.ts';
import { counted } from '../report/counted.ts';
import { createReporter, type Reporter } from '../report/reporter.ts';
import { runReported, samplingProgress } from '../report/run-reported.ts';
import { guideLine, guideOf } from '../results/classifiers.ts';
import { drawAttention, FigureHashes } from '../results/figures.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';
import { sampleFileName } from '../results/sample-files.ts';

/** The number of classes that one byte can encode. */
const MOST_SAVED_CLASSES = 256;

const OUTPUT = {
  save: text(
    'save',
    null,
    'Also write the pictures as bytes to this .npy file, and the labels to a .labels.npy file beside it.',
    { placeholder: 'file' },
  ),
  out: outSetting(null, MODEL_FOLDER),
  ...REPORT_TABLE,
} as const;

export const SAMPLE: Command = {
  name: 'sample',
  summary: 'Sample pictures from a trained diffusion model',
  groups: { ...RECIPES.sample, Output: OUTPUT },
  examples: [
    'sample --label 7 --count 16',
    'sample --label 2,0,2,6 --count 4 --guidance 3 --gif',
    'sample --caption "a thin slanted three|a thick seven" --count 20',
    'sample --sampler dpm-solver-2m --steps 15',
    'sample --label 3 --classifier-guidance 5',
    'sample --count 4000 --save samples.npy --quiet',
    'sample --from digit.png --strength 0.6',
    'sample --from digit.png --inpaint mask.png --label 3 --count 20',
  ],
  run: sampleCommand,
};

/** Runs the command and returns the exit code. */
export async function sampleCommand(options: Options): Promise<number> {
  // Errors in the options are reported before errors in a file.
  const settings = readSettings(SAMPLE_TABLE, options);
  const { count: n, label: wanted, caption, attention, gif: animate, from, inpaint } = settings;
  if (caption !== undefined && wanted !== undefined) {
    throw new UsageError('--caption: expected no --label with it, got both');
  }
  requireEdit(options);
  readSettings(SAMPLING_TABLE, options);
  const { out: given, save } = readSettings(OUTPUT, options);
  if (save !== undefined && extname(save) !== '.npy') {
    throw new UsageError(`--save: expected a .npy file, got "${save}"`);
  }
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const { path, folder, checkpoint, model } = await loadModel(options);
  if (save !== undefined && model.classes > MOST_SAVED_CLASSES) {
    throw new UsageError(`--save: expected at most ${MOST_SAVED_CLASSES} classes, got ${model.classes}`);
  }
  const sampling = readSampling(options, model);
  const edit = await readEdit(options, model.network.sizes);
  const { classifierGuidance, ...rest } = sampling;
  const guided = classifierGuidance > 0;
  const captions = asUsage(() => captionsFor(model, caption, n), '--');
  if (attention && !captions) {
    throw new UsageError('--attention: expected a model with captions, got one without');
  }
  if (!guided || model.classes > 0) asUsage(() => labelsFor(model, wanted, n));
  const ofClassifier = (Object.keys(DATA_TABLE) as (keyof typeof DATA_TABLE)[]).find(
    (name) => options[name] !== undefined,
  );
  if (!guided && ofClassifier) {
    const name = nameOf(DATA_TABLE[ofClassifier]);
    throw new UsageError(`${name}: expected --classifier-guidance with it, got none`);
  }
  const out = given ?? folder;
  const name = sampleFileName({ ...settings, ...namedSampling(sampling, model) });
  const shown = n > MOST_SHOWN ? `the first ${MOST_SHOWN} pictures` : 'the pictures';
  const what = {
    [`${name}.png`]: shown,
    ...(animate && { [`${name}.gif`]: 'the steps from noise to the pictures' }),
    ...(attention && { [`${name}-attention.png`]: 'the words that each region of a picture attends to' }),
  };
  const cleanUps = [requireWritable(out, Object.keys(what))];
  try {
    if (save !== undefined)
      cleanUps.push(requireWritable(dirname(save), [basename(save), basename(labelsFileName(save))]));
    const engine = await engineReport();
    const { strength, resamples } = edit ?? {};
    const edited = edit && { from, strength, ...(edit.mask && { inpaint, resamples }) };
    reporter.event({
      type: 'start',
      epochs: 1,
      run: {
        langevin: VERSION,
        model: path,
        count: n,
        ...(captions ? { caption: caption ?? 'all' } : { label: wanted ?? 'all' }),
        ...edited,
        ...sampling,
        ...engine,
      },
      lines: [
        `model    ${path}: ${model.settings.schedule}, predicts ${model.predicts}`,
        samplingLine(sampling),
        ...(edit ? [editLine(edit, settings)] : []),
        `engine   ${engineLine(engine)}`,
        '',
      ],
    });
    const data = guided ? await loadModelData(options, checkpoint, model, reporter) : null;
    const { labels } = asUsage(() => conditionsFor(data?.train ?? model, settings, n));
    const guide = data && (await guideOf(model, data, arithmeticOf(engine), reporter));
    const classifier = guide ? { model: guide.classifier, scale: classifierGuidance } : undefined;
    const started = performance.now();
    const samples = await compute(model, { ...rest, labels, captions, classifier, edit }, animate, reporter);
    const seconds = (performance.now() - started) / 1000;
    const hashes = new FigureHashes();
    const png = hashes.content(
      `${name}.png`,
      () => firstSamples(samples.last),
      (figure) => encodePng(sampleGrid(figure)),
    );
    const gif = hashes.content(`${name}.gif`, () => samples, drawAnimation);
    const attended = hashes.content(
      `${name}-attention.png`,
      () => sampleAttention(model, samples.last, sampling.seed),
      drawAttention,
    );
    const contents = {
      [`${name}.png`]: png,
      ...(animate && { [`${name}.gif`]: gif }),
      ...(attention && { [`${name}-attention.png`]: attended }),
    };
    const files = await writeAll(out, what, contents);
    if (save !== undefined)
      files.push(...(await saveSamples(save, samples.last, model.network.sizes.channels)));
    const summary = [
      ...(guide ? [guideLine(guide)] : []),
      `${counted(n, 'picture')} in ${seconds.toFixed(2)} s`,
      '',
    ];
    reporter.event({
      type: 'end',
      stopped: null,
      files,
      numbers: hashes.numbers,
      summary,
      next: [[`${PROGRAM} sample --help`, 'all options']],
    });
    return 0;
  } finally {
    reporter.close();
    for (const cleanUp of cleanUps) cleanUp();
  }
}

function drawAnimation({ before, last }: GrowingSamples): Uint8Array {
  const first = firstSamples(last);
  return encodeGif([...before, first.pictures].map((pictures) => sampleGrid({ ...first, pictures })));
}

/** Writes the pictures as bytes, and their labels if all have one. Returns the files, each with its description. */
async function saveSamples(save: string, { height, width, labels, pictures }: Samples, channels: number) {
  const shape = [labels.length, height, width, ...(channels > 1 ? [channels] : [])];
  const file = basename(save);
  const what = { [file]: `the pictures, uint8 [${shape.join(', ')}]` };
  const contents = { [file]: () => encodeNpy(toBytes(pictures), shape) };
  const known = labels.filter((label) => label !== null);
  if (known.length === labels.length) {
    const beside = labelsFileName(file);
    what[beside] = `their labels, uint8 [${known.length}]`;
    contents[beside] = () => encodeNpy(Uint8Array.from(known), [known.length]);
  }
  return writeAll(dirname(save), what, contents);
}

/** Samples the pictures and reports the progress. With `animate` it also keeps pictures of earlier steps. */
async function compute(
  model: DiffusionPipeline,
  sampling: SampleOptions,
  animate: boolean,
  reporter: Reporter,
) {
  const run = growingSamples(model, sampling, animate ? MOST_FRAMES : 0, MOST_SHOWN);
  return runReported(run, samplingProgress(reporter));
}
