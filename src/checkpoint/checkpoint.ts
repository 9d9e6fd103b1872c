/**
 * A trained model as one file. The tensors are its parameters under PyTorch's names. The metadata describe the model
 * and its training. The format is safetensors (safetensors.ts), so PyTorch can read the file too.
 *
 *     metadata   format = pt, langevin = version, model = kind, sizes, settings, seed, backend, numerics, dtype,
 *                digest
 *
 * Sizes, settings and seed are JSON. By default parameters are written as F32 from the WebAssembly backend and as F64
 * from the reference; `dtype` chooses another type. Both backends read parameters of any floating type. A converted
 * file can have the digest of its tensors (digest.ts). Tensors with four axes, such as the weights of convolutions,
 * have PyTorch's order in the file (layout.ts). A file for PyTorch also has its flattened maps in PyTorch's order, and the
 * metadata `flattened` name them (flat-maps.ts).
 *
 * The file of a run that will be resumed has more tensors, such as an optimiser's moments. Their names begin with
 * `training.`. The counters are JSON in the metadata `training`. Only the trainer interprets them.
 *
 * Writing and reading are in one file, so that a field that one of them writes can be seen in the other.
 */
import { host } from '#host';
import { scope } from '../autograd/tape.ts';
import { FormatError, ShapeError, ValueError } from '../errors.ts';
import { Module } from '../nn/module.ts';
import { describe, oneOf, withDefaults } from '../options.ts';
import type { Seed } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { VERSION } from '../version.ts';
import { requireDigest } from './digest.ts';
import type { Dtype } from './dtype.ts';
import { isRecord, show } from './fields.ts';
import {
  type FlatMaps,
  flatChannelsFirst,
  flatChannelsLast,
  flatMapOf,
  readFlatMaps,
  requireFlatMap,
} from './flat-maps.ts';
import { channelsFirst, channelsLast } from './layout.ts';
import { inDtype, MODEL_DTYPES, type ModelDtype } from './model-dtype.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from './safetensors.ts';

/** The description of a model in its file. */
export interface CheckpointInfo {
  /** The kind of model, such as `denoiser`. */
  readonly kind: string;
  /** The sizes for the model's constructor. */
  readonly sizes: Readonly<Record<string, number>>;
  /** The settings of the training, as values of JSON. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The seed of the training. */
  readonly seed?: Seed;
}

/** The state of a training run, which a resume needs in addition to the model. */
export interface TrainingState {
  /** The tensors of the optimiser and of the average, by name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Counters and positions, as values of JSON. */
  readonly progress: Readonly<Record<string, unknown>>;
}

/** The contents of a model's file. */
export interface Checkpoint extends CheckpointInfo {
  /** The name of the file in errors. */
  readonly source: string;
  /** The version of langevin that wrote the file. */
  readonly version: string;
  /** The backend that the model was trained on: `wasm` or `reference`. */
  readonly backend: string;
  /** The kernels that the model was trained with: `strict` or `relaxed`. */
  readonly numerics: string;
  /** The tiles of the 3x3 convolutions in training: `standard` or `fast` (`setConvolutions`). */
  readonly convolutions: string;
  /** The digest of the tensors (`tensorsDigest`), as the file states it. */
  readonly digest?: string;
  /** The parameters and other tensors of the model, by their paths. */
  readonly parameters: ReadonlyMap<string, StoredTensor>;
  /** The state of the run, if it can be resumed. */
  readonly training?: TrainingState;
}

/** The most characters of a metadata entry. The settings and counters of a run need a few thousand. */
export const MOST_METADATA = 1_000_000;
/** The most characters of a name or of a text seed. */
export const MOST_TEXT = 1000;

const FLOATS: readonly Dtype[] = ['F64', 'F32', 'F16', 'BF16'];

const TRAINING = 'training.';

/** A copy of a tensor as a file stores it. */
export function storedTensor(x: Tensor): StoredTensor {
  const data = x.toTypedArray();
  return { dtype: data instanceof Float32Array ? 'F32' : 'F64', shape: x.shape, data };
}

const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 1;

/** Checks the description of a model. @throws ValueError if it is not one */
function checkInfo(info: CheckpointInfo): void {
  const { kind, sizes } = withDefaults('checkpoint', info, {
    kind: undefined,
    sizes: undefined,
    settings: undefined,
    seed: undefined,
  });
  if (typeof kind !== 'string') throw new ValueError(`checkpoint: expected a kind, got ${describe(kind)}`);
  if (typeof sizes !== 'object' || sizes === null || !Object.values(sizes).every(isSize)) {
    throw new ValueError(`checkpoint: expected sizes that are whole numbers >= 1, got ${describe(sizes)}`);
  }
}

/** The options of `encodeCheckpoint`. */
export interface EncodeCheckpointOptions {
  /** The type of the parameters in the file. Default: that of the backend. */
  readonly dtype?: ModelDtype | undefined;
}

/**
 * The bytes of a model's file.
 * @param training the state of the run, if it will be resumed
 * @throws ValueError for a parameter that `dtype` cannot represent
 */
export function encodeCheckpoint(
  model: Module,
  info: CheckpointInfo,
  training?: TrainingState,
  options: EncodeCheckpointOptions = {},
): Uint8Array<ArrayBuffer> {
  if (!(model instanceof Module)) {
    throw new ValueError(`checkpoint: expected a model, got ${describe(model)}`);
  }
  checkInfo(info);
  const { dtype } = withDefaults('checkpoint', options, { dtype: undefined });
  const state = [...model.stateDict()];
  const { name: backend, numerics, convolutions } = state[0][1].backend;
  const parameters = new Map(state.map(([name, p]) => [name, storedTensor(p)]));
  const made = { version: VERSION, backend, numerics, convolutions };
  return encodeParts({ ...info, ...made, parameters, training }, dtype);
}

/** The options of `convertCheckpoint`. */
export interface ConvertOptions {
  /** The type of the parameters in the converted file. */
  readonly dtype: ModelDtype;
  /** The settings to write. Default: those of the file. */
  readonly settings?: CheckpointInfo['settings'] | undefined;
  /** The digest of the tensors in the converted file. */
  readonly digest?: string | undefined;
  /** The state of a run to write. Default: none. */
  readonly training?: TrainingState | undefined;
  /** The flattened maps to write in PyTorch's order. Default: none. */
  readonly flattened?: FlatMaps | undefined;
}

/**
 * Converts a file that was read to another type. The result has the parameters and the description of the model. By
 * default it does not have the state of the run.
 * @throws FormatError for a parameter that the type cannot represent
 */
export function convertCheckpoint(checkpoint: Checkpoint, options: ConvertOptions): Uint8Array<ArrayBuffer> {
  const { dtype, flattened, ...changed } = withDefaults('checkpoint', options, {
    dtype: undefined,
    settings: checkpoint.settings,
    digest: undefined,
    training: undefined,
    flattened: {},
  });
  return onFile(checkpoint.source, () => encodeParts({ ...checkpoint, ...changed }, dtype, flattened));
}

type Parts = Omit<Checkpoint, 'source' | 'settings' | 'training' | 'digest'> & {
  readonly settings?: CheckpointInfo['settings'] | undefined;
  readonly training?: TrainingState | undefined;
  readonly digest?: string | undefined;
};

function encodeParts(
  parts: Parts,
  dtype: ModelDtype | undefined,
  flattened: FlatMaps = {},
): Uint8Array<ArrayBuffer> {
  const { kind, sizes, settings, seed, version, backend, numerics, convolutions } = parts;
  const { parameters, training, digest } = parts;
  const known = dtype === undefined ? undefined : oneOf('dtype', MODEL_DTYPES, dtype);
  const stored = [...parameters].map(
    ([name, tensor]) => [name, known ? inDtype(name, tensor, known) : tensor] as const,
  );
  for (const [name, tensor] of training?.tensors ?? []) stored.push([TRAINING + name, tensor]);
  const ordered = stored.map(([name, tensor]) => {
    const map = flatMapOf(name, flattened);
    return [name, map ? flatChannelsFirst(tensor, map) : channelsFirst(tensor)] as const;
  });
  return encodeSafetensors(ordered, {
    format: 'pt',
    langevin: version,
    model: kind,
    sizes: JSON.stringify(sizes),
    ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }),
    ...(seed === undefined ? {} : { seed: JSON.stringify(seed) }),
    ...(training === undefined ? {} : { training: JSON.stringify(training.progress) }),
    backend,
    numerics,
    // A file without this entry was trained with standard convolutions.
    ...(convolutions === 'standard' ? {} : { convolutions }),
    ...(known === undefined ? {} : { dtype: known }),
    ...(digest === undefined ? {} : { digest }),
    ...(Object.keys(flattened).length === 0 ? {} : { flattened: JSON.stringify(flattened) }),
  });
}

/** Writes a model's file atomically: the file is complete or unchanged. @throws FileError */
export async function saveCheckpoint(path: string, model: Module, info: CheckpointInfo): Promise<void> {
  if (typeof path !== 'string') {
    throw new ValueError(
      `saveCheckpoint: expected a path, a model and its info, got ${describe(path)} first`,
    );
  }
  await host.writeFileAtomic(path, encodeCheckpoint(model, info));
}

type Metadata = ReadonlyMap<string, string>;

function parseJson(metadata: Metadata, key: string, source: string): unknown {
  const text = metadata.get(key);
  if (text === undefined) return undefined;
  if (text.length > MOST_METADATA) {
    const expected = `at most ${MOST_METADATA} characters`;
    throw new FormatError(`${source}: metadata "${key}": expected ${expected}, got ${text.length}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError(`${source}: expected metadata "${key}" to be JSON, got ${show(text)}`);
  }
}

/** An object in the metadata; undefined if it is absent. */
function parseObject(metadata: Metadata, key: string, source: string) {
  const value = parseJson(metadata, key, source);
  if (value === undefined || isRecord(value)) return value;
  throw new FormatError(`${source}: expected metadata "${key}" to be an object, got ${show(value)}`);
}

function parseSizes(metadata: Metadata, source: string): Readonly<Record<string, number>> {
  const sizes = parseObject(metadata, 'sizes', source) ?? {};
  const wrong = Object.entries(sizes).find(([, size]) => !isSize(size));
  if (!metadata.has('sizes') || wrong) {
    const got = wrong ? `${show(wrong[1])} for ${show(wrong[0])}` : 'nothing';
    throw new FormatError(`${source}: expected metadata "sizes" with whole numbers >= 1, got ${got}`);
  }
  return sizes as Readonly<Record<string, number>>;
}

function parseSeed(metadata: Metadata, source: string): Seed | undefined {
  const seed = parseJson(metadata, 'seed', source);
  if (seed === undefined || Number.isFinite(seed)) return seed as Seed | undefined;
  if (typeof seed === 'string' && seed.length <= MOST_TEXT) return seed;
  const expected = `a number or at most ${MOST_TEXT} characters`;
  throw new FormatError(`${source}: expected metadata "seed" to be ${expected}, got ${show(seed)}`);
}

/** A name in the metadata. */
function parseName(metadata: Metadata, key: string, source: string): string | undefined {
  const name = metadata.get(key);
  if (name === undefined || name.length <= MOST_TEXT) return name;
  const expected = `at most ${MOST_TEXT} characters`;
  throw new FormatError(`${source}: metadata "${key}": expected ${expected}, got ${name.length}`);
}

/** Decodes the bytes of a model's file. @throws FormatError if they are not one */
export function decodeCheckpoint(bytes: Uint8Array, source = 'checkpoint'): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, source);
  const kind = parseName(metadata, 'model', source);
  if (kind === undefined) {
    throw new FormatError(
      `${source}: expected a model of langevin, got a safetensors file without the name of a model`,
    );
  }
  const sizes = parseSizes(metadata, source);
  for (const [name, { dtype }] of tensors) {
    if (name.length > MOST_TEXT || /\p{Cc}/u.test(name)) {
      throw new FormatError(`${source}: expected names of parameters, got ${show(name)}`);
    }
    if (FLOATS.includes(dtype)) continue;
    throw new FormatError(`${source}: ${name}: expected one of ${FLOATS.join(' ')}, got ${dtype}`);
  }
  const settings = parseObject(metadata, 'settings', source);
  const seed = parseSeed(metadata, source);
  const progress = parseObject(metadata, 'training', source);
  const digest = parseName(metadata, 'digest', source);
  const flattened = readFlatMaps(parseObject(metadata, 'flattened', source) ?? {}, source);
  const named = (key: string) => parseName(metadata, key, source) ?? 'unknown';
  const [parameters, training] = [new Map<string, StoredTensor>(), new Map<string, StoredTensor>()];
  for (const [name, stored] of tensors) {
    const map = flatMapOf(name, flattened);
    if (map) requireFlatMap(name, stored, map, source);
    const tensor = map ? flatChannelsLast(stored, map) : channelsLast(stored);
    if (progress !== undefined && name.startsWith(TRAINING))
      training.set(name.slice(TRAINING.length), tensor);
    else parameters.set(name, tensor);
  }
  return {
    source,
    kind,
    sizes,
    ...(settings === undefined ? {} : { settings }),
    ...(seed === undefined ? {} : { seed }),
    version: named('langevin'),
    backend: named('backend'),
    numerics: named('numerics'),
    convolutions: parseName(metadata, 'convolutions', source) ?? 'standard',
    ...(digest === undefined ? {} : { digest }),
    parameters,
    ...(progress === undefined ? {} : { training: { tensors: training, progress } }),
  };
}

/** Reads a model's file. @throws FileError @throws FormatError if it is not a model's file, or damaged */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await host.readFile(path);
  const checkpoint = decodeCheckpoint(bytes, path);
  await requireDigest(bytes, checkpoint);
  return checkpoint;
}

/** Checks the kind of a checkpoint. @throws FormatError that names all `kinds`, if the kind is not one of them */
export function requireKind({ kind, source }: Checkpoint, ...kinds: readonly string[]): void {
  if (kinds.includes(kind)) return;
  const expected = kinds.map((name) => `"${name}"`).join(' or ');
  throw new FormatError(`${source}: expected a model ${expected}, got ${show(kind)}`);
}

/**
 * Copies a checkpoint's parameters into `model`. If one of them does not fit, no value of the model changes.
 * @throws FormatError for a missing or unknown name, or another shape
 */
export function restoreParameters(model: Module, { parameters, source }: Checkpoint): void {
  onFile(source, () =>
    scope(() => {
      const tensors = [...parameters].map(([name, { data, shape }]) => {
        return [name, tensor(data as Float32Array, shape)] as const;
      });
      model.loadStateDict(new Map(tensors));
    }),
  );
}

/** Runs `body` on the values of a file. @throws FormatError with the file's name, in place of a ValueError */
export function onFile<T>(source: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof ValueError)) throw error;
    throw new FormatError(`${source}: ${error.message}`);
  }
}
