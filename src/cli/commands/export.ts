/** `langevin export`: writes a trained model to a file that can be shared. */
import { join, resolve } from 'node:path';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { ShapeError, ValueError } from '../../errors.ts';
import { EXPORTERS, type Exported, type ExportOptions } from '../../models/export.ts';
import type { ExportFormat } from '../../models/export-formats.ts';
import { matchGreys } from '../../models/match-greys.ts';
import { openModel } from '../../models/open.ts';
import { DiffusionPipeline } from '../../models/pipeline.ts';
import { conditionsFor } from '../../models/sampling.ts';
import { OWN_SAMPLING_TABLE, ownSamplingFor } from '../../models/sampling-defaults.ts';
import { nameOf } from '../../models/setting.ts';
import { EXPORT_TABLE, RECIPES } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { chooseData, dataNotes, loadData, savedData } from '../options/data.ts';
import { applyEngineOptions } from '../options/engine.ts';
import { readModelFile } from '../options/model.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { loadModelData, readSampling } from '../options/sampling.ts';
import { createReporter, type Reporter } from '../report/reporter.ts';
import { runReported, samplingProgress } from '../report/run-reported.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';

const OUTPUT = { out: outSetting('out/export'), ...REPORT_TABLE } as const;

export const EXPORT: Command = {
  name: 'export',
  summary: 'Write a trained model to a file that you can share, to a folder for PyTorch, or to ONNX',
  groups: { ...RECIPES.export, Output: OUTPUT },
  examples: [
    'export --model mnist-unet --to pytorch --data mnist --out torch',
    'export --model mnist-unet --to onnx --out onnx',
    'export --model out/diffusion --name digits',
    'export --dtype float32',
    'export --match-greys 1000',
    'export --sampler heun --steps 18 --guidance 1.5',
  ],
  run: exportCommand,
};

/** The options that need a diffusion model. */
const OF_DIFFUSION = { ...OWN_SAMPLING_TABLE, matchGreys: EXPORT_TABLE.matchGreys };

/**
 * The sampling defaults and the cuts between greys for the file: those of the options, else those of the model.
 * @throws UsageError for such an option with another kind of model
 */
async function diffusionSettings(
  checkpoint: Checkpoint,
  options: Options,
  reporter: Reporter,
): Promise<Pick<ExportOptions, 'sampling' | 'greys'>> {
  const { matchGreys: count, ...typed } = readSettings(OF_DIFFUSION, options);
  const model = openModel(checkpoint);
  if (!(model instanceof DiffusionPipeline)) {
    model.dispose();
    const name = Object.keys(OF_DIFFUSION).find((name) => options[name] !== undefined);
    if (name === undefined) return { sampling: {} };
    const option = nameOf(OF_DIFFUSION[name as keyof typeof OF_DIFFUSION]);
    throw new UsageError(`${option}: expected a diffusion model, got a model "${checkpoint.kind}"`);
  }
  try {
    const { classifierGuidance: _, ...sampling } = readSampling(options, model);
    const given = Object.entries(typed).filter(([, value]) => value !== undefined);
    const own = { ...ownSamplingFor(model.sampling, sampling.sampler), ...Object.fromEntries(given) };
    if (count === undefined) return { sampling: own };
    const { train } = await loadModelData(options, checkpoint, model, reporter);
    const run = matchGreys(model, train, { ...sampling, ...conditionsFor(model, {}, count) });
    return { sampling: own, greys: await runReported(run, samplingProgress(reporter)) };
  } finally {
    model.network.dispose();
  }
}

/** Runs the command and returns the exit code. */
export async function exportCommand(options: Options): Promise<number> {
  const { model: given, to, dtype, name: wanted, examples } = readSettings(EXPORT_TABLE, options);
  readSettings(OWN_SAMPLING_TABLE, options);
  if (wanted !== undefined && !/^\w[\w.-]*$/.test(wanted)) {
    throw new UsageError(`--name: expected letters, digits, ".", "_" and "-", got "${wanted}"`);
  }
  if (wanted !== undefined && to !== 'langevin') {
    throw new UsageError(`--name: expected --to langevin with it, got --to ${to}`);
  }
  if (examples !== undefined && to !== 'pytorch') {
    throw new UsageError(`--examples: expected --to pytorch with it, got --to ${to}`);
  }
  const { out } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  let cleanUp = () => {};
  try {
    applyEngineOptions(options);
    const { path, name: own, checkpoint } = await readModelFile(given);
    const name = wanted ?? own;
    const settings = await diffusionSettings(checkpoint, options, reporter);
    const data = to === 'pytorch' ? await trainingData(checkpoint, options, examples, reporter) : undefined;
    const { files, digest } = await exported(to, checkpoint, { name, dtype, ...settings, data });
    requireOtherFiles(checkpoint, out, files);
    const what = Object.fromEntries(files.map((file) => [file.name, file.what]));
    cleanUp = requireWritable(out, Object.keys(what));
    const parameters = [...checkpoint.parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
    const numbers = `${parameters.toLocaleString('en')} parameters`;
    reporter.event({
      type: 'start',
      epochs: 1,
      run: { langevin: VERSION, model: path, to, dtype, sampling: settings.sampling },
      lines: [`model    ${path}: ${checkpoint.kind}, ${numbers}`],
    });
    const contents = Object.fromEntries(files.map(({ name, bytes }) => [name, () => bytes]));
    const written = await writeAll(out, what, contents);
    const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
    reporter.event({
      type: 'result',
      line: `size     ${size.toLocaleString('en')} bytes\ndigest   ${digest}`,
      result: { bytes: size, digest },
    });
    const next = [[`${PROGRAM} export --help`, 'all options']] as const;
    reporter.event({ type: 'end', stopped: null, files: written, summary: [], next });
    return 0;
  } finally {
    reporter.close();
    cleanUp();
  }
}

/** The files of an export. @throws UsageError for a model that the format cannot have, or data that do not fit it */
async function exported(to: ExportFormat, checkpoint: Checkpoint, options: ExportOptions): Promise<Exported> {
  try {
    return await EXPORTERS[to](checkpoint, options);
  } catch (error) {
    if (!(error instanceof ValueError || error instanceof ShapeError)) throw error;
    // Errors of a format begin with its name.
    throw new UsageError(error.message.startsWith(`${to}: `) ? `--to ${error.message}` : error.message);
  }
}

/** The pictures for train.py. Undefined without --data and --examples. */
async function trainingData(
  checkpoint: Checkpoint,
  options: Options,
  examples: number | undefined,
  reporter: Reporter,
): Promise<ExportOptions['data']> {
  if (options.data === undefined && examples === undefined) return undefined;
  const saved = options.data === undefined ? savedData(checkpoint) : {};
  const limit = examples === undefined ? {} : { limit: String(examples) };
  const choice = chooseData({ ...saved, ...options, ...limit });
  const { dataDir: _, ...notes } = dataNotes(choice);
  return { ...(await loadData(choice, reporter)), notes };
}

/** @throws UsageError if a file would overwrite the model's own file */
function requireOtherFiles(checkpoint: Checkpoint, out: string, files: Exported['files']): void {
  const onto = files.find((file) => resolve(out, file.name) === resolve(checkpoint.source));
  if (!onto) return;
  throw new UsageError(`--name: expected a file other than the model's own, got ${join(out, onto.name)}`);
}
