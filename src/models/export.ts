/**
 * Exports a trained model to files. The table EXPORTERS has the formats; a new format is one line there.
 *
 *     langevin   NAME.safetensors   The parameters for sampling, and the metadata. PyTorch can read the tensors.
 *     pytorch    a folder           The network as a PyTorch module, its weights, and scripts: pytorch/export.ts.
 *     onnx       model.onnx         The network as a graph for ONNX Runtime and other programs: onnx/export.ts.
 */
import { type Checkpoint, convertCheckpoint } from '../checkpoint/checkpoint.ts';
import { tensorsDigest } from '../checkpoint/digest.ts';
import type { ModelDtype } from '../checkpoint/model-dtype.ts';
import type { MatchedGreys } from './cuts.ts';
import type { ExportFormat } from './export-formats.ts';
import { portable } from './portable.ts';
import { exportPytorch } from './pytorch/export.ts';
import type { ExportData } from './pytorch/run.ts';
import { type OwnSampling, samplingSetting } from './sampling-defaults.ts';

export interface ExportOptions {
  /** The name of the files, without an extension. */
  readonly name: string;
  readonly dtype: ModelDtype;
  /** The new default settings for sampling. */
  readonly sampling: OwnSampling;
  /** New cuts between grey levels, and the cuts of each kind of picture. Default: those of the model. */
  readonly greys?: MatchedGreys | undefined;
  /** Pictures to train on, for the format `pytorch`. Default: none. */
  readonly data?: ExportData | undefined;
}

export interface Exported {
  readonly files: readonly {
    readonly name: string;
    /** A short description of the file. */
    readonly what: string;
    readonly bytes: Uint8Array;
  }[];
  /** The SHA-256 of the tensors, from `tensorsDigest`. */
  readonly digest: string;
}

type Exporter = (checkpoint: Checkpoint, options: ExportOptions) => Promise<Exported>;

/** The function of each format, by the format's name. */
export const EXPORTERS = { langevin: exportLangevin, pytorch, onnx } as const satisfies Record<
  ExportFormat,
  Exporter
>;

/** Writes the model without its training state to one safetensors file. The file has the digest of its tensors. */
async function exportLangevin(checkpoint: Checkpoint, options: ExportOptions): Promise<Exported> {
  const { name, dtype } = options;
  const settings = sharedSettings(checkpoint, options);
  const digest = await tensorsDigest(convertCheckpoint(checkpoint, { dtype, settings }), checkpoint.source);
  const bytes = convertCheckpoint(checkpoint, { dtype, settings, digest });
  return { files: [{ name: `${name}.safetensors`, what: `the model in ${dtype}`, bytes }], digest };
}

/** Writes a folder for PyTorch: pytorch/export.ts. */
function pytorch(checkpoint: Checkpoint, options: ExportOptions): Promise<Exported> {
  const { dtype, data } = options;
  return exportPytorch({ ...checkpoint, settings: sharedSettings(checkpoint, options) }, { dtype, data });
}

/** Writes an ONNX file: onnx/export.ts. It is loaded here, because nothing else needs protobufjs. */
async function onnx(checkpoint: Checkpoint, options: ExportOptions): Promise<Exported> {
  const { exportOnnx } = await import('./onnx/export.ts');
  return exportOnnx({ ...checkpoint, settings: sharedSettings(checkpoint, options) }, options.dtype);
}

/** The settings for other machines, with the new defaults of sampling. */
function sharedSettings(checkpoint: Checkpoint, { sampling, greys }: ExportOptions) {
  return { ...portable(checkpoint.settings), ...samplingSetting(sampling), ...greys };
}
