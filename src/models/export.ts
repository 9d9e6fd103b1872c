/**
 * Exports a trained model to files. The table EXPORTERS has the formats; a new format is one line there.
 *
 *     langevin   NAME.safetensors   The parameters for sampling, and the metadata. PyTorch can read the tensors.
 */
import { type Checkpoint, convertCheckpoint } from '../checkpoint/checkpoint.ts';
import { tensorsDigest } from '../checkpoint/digest.ts';
import { isRecord } from '../checkpoint/fields.ts';
import type { ModelDtype } from '../checkpoint/model-dtype.ts';
import type { MatchedGreys } from './cuts.ts';
import { type OwnSampling, samplingSetting } from './sampling-defaults.ts';

export interface ExportOptions {
  /** The name of the files, without an extension. */
  readonly name: string;
  readonly dtype: ModelDtype;
  /** The new default settings for sampling. */
  readonly sampling: OwnSampling;
  /** New cuts between grey levels, and the cuts of each kind of picture. Default: those of the model. */
  readonly greys?: MatchedGreys | undefined;
}

export interface Exported {
  readonly files: readonly {
    readonly name: string;
    /** A short description of the file. */
    readonly what: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }[];
  /** The SHA-256 of the tensors, from `tensorsDigest`. */
  readonly digest: string;
}

type Exporter = (checkpoint: Checkpoint, options: ExportOptions) => Promise<Exported>;

/** The function of each format, by the format's name. */
export const EXPORTERS = { langevin: exportLangevin } as const satisfies Record<string, Exporter>;
export type ExportFormat = keyof typeof EXPORTERS;
export const EXPORT_FORMATS = Object.keys(EXPORTERS) as ExportFormat[];

/** Writes the model without its training state to one safetensors file. The file has the digest of its tensors. */
async function exportLangevin(checkpoint: Checkpoint, options: ExportOptions): Promise<Exported> {
  const { name, dtype, sampling, greys } = options;
  const own = portable(checkpoint.settings);
  const settings = { ...own, ...samplingSetting(sampling), ...greys };
  const digest = await tensorsDigest(convertCheckpoint(checkpoint, { dtype, settings }), checkpoint.source);
  const bytes = convertCheckpoint(checkpoint, { dtype, settings, digest });
  return { files: [{ name: `${name}.safetensors`, what: `the model in ${dtype}`, bytes }], digest };
}

/** The settings without the path of the data folder, which other machines do not have. */
function portable(settings: Checkpoint['settings'] = {}): NonNullable<Checkpoint['settings']> {
  if (!isRecord(settings.data)) return settings;
  const { dataDir: _, ...data } = settings.data;
  return { ...settings, data };
}
