/** `langevin export`: a trained model as a file for somebody else. */
import { join, resolve } from 'node:path';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { EXPORTERS, type Exported } from '../../models/export.ts';
import { matchGreys } from '../../models/match-greys.ts';
import { openModel } from '../../models/open.ts';
import { DiffusionPipeline } from '../../models/pipeline.ts';
import { labelsInTurn } from '../../models/sample.ts';
import { OWN_SAMPLING_TABLE, type OwnSampling, ownSamplingFor } from '../../models/sampling-defaults.ts';
import { nameOf } from '../../models/setting.ts';
import { EXPORT_TABLE, RECIPES } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
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
  summary: 'Write a trained model as a file for somebody else',
  groups: { ...RECIPES.export, Output: OUTPUT },
  examples: [
    'export --model out/diffusion --name digits',
    'export --dtype float32',
    'export --match-greys 1000',
    'export --sampler heun --steps 18 --guidance 1.5',
  ],
  run: exportCommand,
};

/** What the model says of its sampling, and in its place what the options say. @throws UsageError */
function samplingOf(checkpoint: Checkpoint, options: Options): OwnSampling {
  const given = Object.entries(readSettings(OWN_SAMPLING_TABLE, options)).filter(
    ([, value]) => value !== undefined,
  );
  const model = openModel(checkpoint);
  try {
    if (model instanceof DiffusionPipeline) {
      const { sampler } = readSampling(options, model);
      return { ...ownSamplingFor(model.sampling, sampler), ...Object.fromEntries(given) };
    }
  } finally {
    (model instanceof DiffusionPipeline ? model.network : model).dispose();
  }
  if (given.length === 0) return {};
  const name = nameOf(OWN_SAMPLING_TABLE[given[0][0] as keyof OwnSampling]);
  throw new UsageError(`${name}: expected a diffusion model, got a model "${checkpoint.kind}"`);
}

/** The cuts that give the model the greys of its data. @throws UsageError for a model that is none of diffusion */
async function cutsFor(checkpoint: Checkpoint, options: Options, count: number, reporter: Reporter) {
  const model = openModel(checkpoint);
  if (!(model instanceof DiffusionPipeline)) {
    model.dispose();
    throw new UsageError(`--match-greys: expected a diffusion model, got a model "${checkpoint.kind}"`);
  }
  try {
    const { train } = await loadModelData(options, checkpoint, model, reporter);
    const { classifierGuidance: _, ...sampling } = readSampling(options, model);
    const run = matchGreys(model, train, { ...sampling, labels: labelsInTurn(model, count) });
    return await runReported(run, samplingProgress(reporter));
  } finally {
    model.network.dispose();
  }
}

/** Runs the command; the exit code. */
export async function exportCommand(options: Options): Promise<number> {
  const { model: given, to, dtype, name: wanted, matchGreys: drawn } = readSettings(EXPORT_TABLE, options);
  readSettings(OWN_SAMPLING_TABLE, options);
  if (wanted !== undefined && !/^\w[\w.-]*$/.test(wanted)) {
    throw new UsageError(`--name: expected letters, digits, ".", "_" and "-", got "${wanted}"`);
  }
  const { out } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  let tidy = () => {};
  try {
    const { path, name: own, checkpoint } = await readModelFile(given);
    const name = wanted ?? own;
    const sampling = samplingOf(checkpoint, options);
    applyEngineOptions(options);
    const cuts = drawn === undefined ? undefined : await cutsFor(checkpoint, options, drawn, reporter);
    const { files, digest } = await EXPORTERS[to](checkpoint, { name, dtype, sampling, cuts });
    requireOthers(checkpoint, out, files);
    const what = Object.fromEntries(files.map((file) => [file.name, file.what]));
    tidy = requireWritable(out, Object.keys(what));
    const parameters = [...checkpoint.parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
    const numbers = `${parameters.toLocaleString('en')} parameters`;
    reporter.event({
      type: 'start',
      epochs: 1,
      run: { langevin: VERSION, model: path, to, dtype, sampling },
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
    tidy();
  }
}

/** @throws UsageError where a file would be written over the model's own */
function requireOthers(checkpoint: Checkpoint, out: string, files: Exported['files']): void {
  const onto = files.find((file) => resolve(out, file.name) === resolve(checkpoint.source));
  if (!onto) return;
  throw new UsageError(`--name: expected another file than the model's own, got ${join(out, onto.name)}`);
}
