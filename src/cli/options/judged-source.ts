/** The source of the pictures that `langevin evaluate` judges: a model that samples them, or a file. */
import { dirname } from 'node:path';
import type { TrainTest } from '../../data/dataset.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import { toBytes } from '../../image/bytes.ts';
import type { JudgedPictures } from '../../models/evaluation/judged.ts';
import { diffusionLikelihood } from '../../models/evaluation/likelihood.ts';
import { type CaptionTask, captionTask } from '../../models/evaluation/obedience.ts';
import { labelsInTurn, type SampleOptions, sampleDiffusion } from '../../models/sample.ts';
import { nameOf } from '../../models/setting.ts';
import { SAMPLING_TABLE } from '../../models/settings.ts';
import type { Reporter } from '../report/reporter.ts';
import { runReported, samplingProgress } from '../report/run-reported.ts';
import { guideLine, guideOf } from '../results/classifiers.ts';
import { likelihoodLines } from '../results/evaluation-lines.ts';
import { asUsage, type Options, readSettings, UsageError } from './arguments.ts';
import { chooseData, loadData } from './data.ts';
import { fitSamples, readSampleFile } from './sample-file.ts';
import { loadModel, loadModelData, readSampling, samplingLine } from './sampling.ts';

/** The pictures to judge, and measures of the model that sampled them. */
export interface Drawn {
  readonly samples: JudgedPictures;
  /** The measures of the model, for evaluation.json. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** The samples of a model with captions: what their captions say, and samples of held-out combinations. */
  readonly captioned?: {
    readonly task: CaptionTask;
    /** [n, height, width, channels], bytes. */
    readonly heldOut: Uint8Array;
  };
  /** Lines of text about the classifier that guided the model, and about the model's likelihood. */
  readonly guideLines: readonly string[];
  readonly likelihoodLines: readonly string[];
}

export interface Source {
  /** The default folder for the results. */
  readonly folder: string;
  readonly count: number;
  readonly seed: string;
  /** A description of the source, for JSON output. */
  readonly run: Readonly<Record<string, unknown>>;
  /** The same description as lines of text. */
  readonly lines: readonly string[];
  /** Loads the data to compare the pictures with. */
  load(): Promise<TrainTest>;
  /** The label of each picture. @throws UsageError, FormatError for pictures or labels that do not fit the data */
  labels(data: TrainTest): Labels;
  /** Samples the pictures, or takes them from the file. */
  draw(data: TrainTest, labels: Labels, numerics: string): Promise<Drawn>;
}

/** @throws UsageError if `--samples` is combined with an option of the sampling. Only `--seed` is valid for both. */
export function requireOneSource(options: Options): void {
  if (options.samples === undefined) return;
  for (const [name, setting] of Object.entries(SAMPLING_TABLE)) {
    if (name === 'seed' || options[name] === undefined) continue;
    throw new UsageError(`${nameOf(setting)}: expected no --samples with it, got both`);
  }
}

/** The model that the options select, as a source. @throws UsageError, FileError, FormatError */
export async function modelSource(options: Options, count: number, reporter: Reporter): Promise<Source> {
  const { path, folder, checkpoint, model } = await loadModel(options);
  const sampling = readSampling(options, model);
  const { classifierGuidance, ...rest } = sampling;
  const { seed } = sampling;
  const isGuided = classifierGuidance > 0;
  // It measures all pictures of the data, so it is computed once.
  let task: CaptionTask | null = null;
  const taskOf = (data: TrainTest): CaptionTask =>
    (task ??= asUsage(() => captionTask(data, count, seed), '--data: '));
  return {
    folder,
    count,
    seed,
    run: { model: path, ...sampling },
    lines: [
      `model    ${path}: ${model.settings.schedule}, predicts ${model.predicts}`,
      samplingLine(sampling),
    ],
    load: () => loadModelData(options, checkpoint, model, reporter),
    labels: (data) =>
      model.takesCaptions
        ? taskOf(data).captions.map(({ digit }) => digit)
        : labelsInTurn(isGuided ? data.train : model, count),
    draw: async (data, labels, numerics) => {
      const guide = isGuided ? await guideOf(model, data, numerics, reporter) : null;
      const classifier = guide ? { model: guide.classifier, scale: classifierGuidance } : undefined;
      const task = model.takesCaptions ? taskOf(data) : null;
      const sample = async (of: Pick<SampleOptions, 'labels' | 'captions' | 'seed'>) =>
        toBytes(
          await runReported(
            sampleDiffusion(model, { ...rest, ...of, classifier }),
            samplingProgress(reporter),
          ),
        );
      const captions = task?.captions.map(({ text }) => text);
      const { height, width, channels } = model.network.sizes;
      // Eight bits per pixel, as in real pictures and in the files of `langevin sample --save`.
      const samples = { height, width, channels, labels, images: await sample({ labels, captions }) };
      // The likelihood is defined for equally spaced greys only, and not for the large steps of a student.
      const { tones, student } = model.settings;
      const likelihood = tones || student ? null : diffusionLikelihood(model, data, seed);
      return {
        samples,
        ...(task && { captioned: { task, heldOut: await sample(heldOutOf(task, seed)) } }),
        figures: { ...(guide && { guide: guide.accuracies }), likelihood },
        guideLines: guide ? [guideLine(guide)] : [],
        likelihoodLines: likelihoodLines(likelihood),
      };
    },
  };
}

/** What is sampled of held-out combinations. */
const heldOutOf = ({ heldOut }: CaptionTask, seed: string) => ({
  labels: heldOut.map(({ digit }) => digit),
  captions: heldOut.map(({ text }) => text),
  seed: `${seed}, held-out`,
});

/** A file of pictures, as a source. @throws UsageError, FileError, FormatError */
export async function fileSource(
  options: Options,
  path: string,
  count: number | undefined,
  reporter: Reporter,
): Promise<Source> {
  const choice = chooseData(options);
  const file = await readSampleFile(path);
  const { seed } = readSettings(SAMPLING_TABLE, options);
  return {
    folder: dirname(path),
    count: count ?? file.count,
    seed,
    run: { samples: path, seed },
    lines: [`samples  ${path}`],
    load: () => loadData(choice, reporter),
    labels: (data) => fitSamples(file, data, count).labels,
    draw: async (data) => {
      const samples = fitSamples(file, data, count);
      return { samples, figures: {}, guideLines: [], likelihoodLines: [] };
    },
  };
}
