/**
 * A trained model as files for somebody else, in one of several formats: a new one is one line of the table EXPORTERS.
 *
 *     langevin   NAME.safetensors   the parameters that sample, and what the model is; PyTorch reads the tensors too
 */
import { type Checkpoint, convertCheckpoint } from '../checkpoint/checkpoint.ts';
import { tensorsDigest } from '../checkpoint/digest.ts';
import { isRecord } from '../checkpoint/fields.ts';
import type { ModelDtype } from '../checkpoint/model-dtype.ts';
import { type OwnSampling, samplingSetting } from './sampling-defaults.ts';
import type { Cuts } from './tones.ts';

export interface ExportOptions {
  /** Of the files, without an ending. */
  readonly name: string;
  readonly dtype: ModelDtype;
  /** What the model says of its sampling from now on. */
  readonly sampling: OwnSampling;
  /** Cuts between greys in place of the model's own. */
  readonly cuts?: Cuts | undefined;
}

export interface Exported {
  readonly files: readonly {
    readonly name: string;
    readonly what: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
  }[];
  /** Of the tensors, as `tensorsDigest` has it. */
  readonly digest: string;
}

type Exporter = (checkpoint: Checkpoint, options: ExportOptions) => Promise<Exported>;

/** The formats by name. */
export const EXPORTERS = { langevin: exportLangevin } as const satisfies Record<string, Exporter>;
export type ExportFormat = keyof typeof EXPORTERS;
export const EXPORT_FORMATS = Object.keys(EXPORTERS) as ExportFormat[];

/** The model alone as one safetensors file, which holds the digest of its tensors. */
async function exportLangevin(checkpoint: Checkpoint, options: ExportOptions): Promise<Exported> {
  const { name, dtype, sampling, cuts } = options;
  const own = portable(checkpoint.settings);
  const settings = { ...own, ...samplingSetting(sampling), ...(cuts && { cuts }) };
  const digest = await tensorsDigest(convertCheckpoint(checkpoint, { dtype, settings }), checkpoint.source);
  const bytes = convertCheckpoint(checkpoint, { dtype, settings, digest });
  return { files: [{ name: `${name}.safetensors`, what: `the model in ${dtype}`, bytes }], digest };
}

/** Settings without the folder that the data lay in, which is no other machine's. */
function portable(settings: Checkpoint['settings'] = {}): NonNullable<Checkpoint['settings']> {
  if (!isRecord(settings.data)) return settings;
  const { dataDir: _, ...data } = settings.data;
  return { ...settings, data };
}
