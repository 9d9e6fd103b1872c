/** `langevin import`: a model with the weights of a state dict of PyTorch. */
import { host } from '#host';
import { convertCheckpoint } from '../../checkpoint/checkpoint.ts';
import { importWeights } from '../../models/import.ts';
import { openModel } from '../../models/open.ts';
import { DiffusionPipeline } from '../../models/pipeline.ts';
import { text } from '../../models/setting.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings, UsageError } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { readModelFile } from '../options/model.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { counted } from '../report/counted.ts';
import { printable } from '../report/printable.ts';
import { createReporter } from '../report/reporter.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';

const TABLE = {
  weights: text(
    'weights',
    null,
    'A safetensors file with a state dict of PyTorch, in float32, float16 or bfloat16.',
    {
      placeholder: 'file',
    },
  ),
  model: text(
    'model',
    null,
    'The model that has the architecture and the settings: a file, a folder of results, or the name of a published model.',
    { placeholder: 'path' },
  ),
} as const;

const OUTPUT = { out: outSetting('out/import'), ...REPORT_TABLE } as const;

const FILES = { 'model.safetensors': 'the model with the weights' } as const;

/** The most names that a line lists. */
const SHOWN = 5;
/** The most characters of such a name. */
const MOST_NAME = 60;

export const IMPORT: Command = {
  name: 'import',
  summary: 'Read weights that were trained in PyTorch into a model',
  groups: { Import: TABLE, Output: OUTPUT },
  examples: ['import --weights state.safetensors --model mnist-unet --out out/mine'],
  run: importCommand,
};

/** Runs the command and returns the exit code. */
export async function importCommand(options: Options): Promise<number> {
  const { weights, model } = readSettings(TABLE, options);
  if (weights === undefined) throw new UsageError('--weights: expected a safetensors file, got none');
  if (model === undefined) {
    throw new UsageError('--model: expected a model with the architecture of the weights, got none');
  }
  const { out } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  let cleanUp = () => {};
  try {
    const { path, checkpoint: into } = await readModelFile(model);
    const { checkpoint, dtypes, ignored } = importWeights(await host.readFile(weights), weights, {
      ...into,
      source: path,
    });
    const opened = openModel(checkpoint);
    (opened instanceof DiffusionPipeline ? opened.network : opened).dispose();
    cleanUp = requireWritable(out, Object.keys(FILES));
    const matched = checkpoint.parameters.size;
    const shown = ignored.slice(0, SHOWN).map((name) => printable(name).slice(0, MOST_NAME));
    const more = ignored.length > SHOWN ? `, and ${ignored.length - SHOWN} more` : '';
    reporter.event({
      type: 'start',
      epochs: 1,
      run: { langevin: VERSION, weights, model: path, matched, ignored },
      lines: [
        `weights  ${weights}: ${counted(matched + ignored.length, 'tensor')}, ${dtypes.join(' and ')}`,
        `model    ${path}: ${checkpoint.kind}`,
        `matched  ${matched} of ${counted(matched, 'tensor')}`,
        ...(ignored.length > 0 ? [`ignored  ${shown.join(', ')}${more}`] : []),
      ],
    });
    const written = await writeAll(out, FILES, {
      'model.safetensors': () => convertCheckpoint(checkpoint, { dtype: 'float32' }),
    });
    const next = [[`${PROGRAM} inspect ${out}`, 'the tensors of the model']] as const;
    reporter.event({ type: 'end', stopped: null, files: written, summary: [], next });
    return 0;
  } finally {
    reporter.close();
    cleanUp();
  }
}
