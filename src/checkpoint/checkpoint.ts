/**
 * A trained model as one file: its parameters under PyTorch's names, and in the file's metadata what the model
 * is and how it came to be. The format is safetensors (safetensors.ts), so that PyTorch can read the file too.
 *
 *     metadata   format = pt, langevin = version, model = kind, sizes, settings, seed, backend, numerics, dtype,
 *                digest
 *
 * Sizes, settings and seed are JSON. Parameters are written as F32 from the WebAssembly backend and as F64 from the
 * reference, unless `dtype` names another type, and are read from any floating type into either. A converted file may
 * have the digest of its tensors: digest.ts. Tensors of four axes, such as the weights of convolutions, have PyTorch's
 * order in the file: layout.ts.
 *
 * A file of a run that is to go on holds more tensors, such as an optimiser's moments, under names that begin with
 * `training.`, and its counters as JSON in the metadata `training`. What they mean is the trainer's business.
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
import type { Dtype } from './dtype.ts';
import { isRecord, show } from './fields.ts';
import { channelsFirst, channelsLast } from './layout.ts';
import { inDtype, MODEL_DTYPES, type ModelDtype } from './model-dtype.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from './safetensors.ts';

/** What a model's file says beside its parameters. */
export interface CheckpointInfo {
  /** Which model it is: `denoiser`. */
  readonly kind: string;
  /** The sizes that the model's constructor takes. */
  readonly sizes: Readonly<Record<string, number>>;
  /** How it was trained; anything that JSON can say. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly seed?: Seed;
}

/** What a run needs beside the model to go on. */
export interface TrainingState {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Counters and positions; anything that JSON can say. */
  readonly progress: Readonly<Record<string, unknown>>;
}

/** A model's file that was read. */
export interface Checkpoint extends CheckpointInfo {
  /** Names the file in errors. */
  readonly source: string;
  /** Of the langevin that wrote it. */
  readonly version: string;
  readonly backend: string;
  readonly numerics: string;
  /** What `tensorsDigest` says of the file, if it is whole. */
  readonly digest?: string;
  readonly parameters: ReadonlyMap<string, StoredTensor>;
  /** Of a run that can go on. */
  readonly training?: TrainingState;
}

/** Characters of a metadata entry, at most: a run's settings and counters have a few thousand. */
export const MOST_METADATA = 1_000_000;
/** Characters of a name or a text seed, at most. */
export const MOST_TEXT = 1000;

const FLOATS: readonly Dtype[] = ['F64', 'F32', 'F16', 'BF16'];

const TRAINING = 'training.';

/** A tensor's elements as a file holds them: a copy. */
export function storedTensor(x: Tensor): StoredTensor {
  const data = x.toTypedArray();
  return { dtype: data instanceof Float32Array ? 'F32' : 'F64', shape: x.shape, data };
}

const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 1;

/** @throws ValueError for anything but the info of a model */
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

/** How a model's file is written. */
export interface EncodeCheckpointOptions {
  /** The type of the parameters in the file; by default that of the backend. */
  readonly dtype?: ModelDtype | undefined;
}

/**
 * The bytes of a model's file.
 * @param training of a run that is to go on
 * @throws ValueError for a parameter that `dtype` cannot hold
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
  const { name: backend, numerics } = state[0][1].backend;
  const parameters = new Map(state.map(([name, p]) => [name, storedTensor(p)]));
  return encodeParts({ ...info, version: VERSION, backend, numerics, parameters, training }, dtype);
}

/** What a converted file says in place of the one that was read. */
export interface ConvertOptions {
  readonly dtype: ModelDtype;
  readonly settings?: CheckpointInfo['settings'] | undefined;
  /** Of the tensors in the converted file. */
  readonly digest?: string | undefined;
}

/**
 * A file that was read, as one of another type: its parameters, and all that it says of the model. What a run needs to go
 * on is left out.
 * @throws FormatError for a parameter that the type cannot hold
 */
export function convertCheckpoint(checkpoint: Checkpoint, options: ConvertOptions): Uint8Array<ArrayBuffer> {
  const { dtype, settings, digest } = withDefaults('checkpoint', options, {
    dtype: undefined,
    settings: checkpoint.settings,
    digest: undefined,
  });
  return onFile(checkpoint.source, () =>
    encodeParts({ ...checkpoint, settings, digest, training: undefined }, dtype),
  );
}

type Parts = Omit<Checkpoint, 'source' | 'settings' | 'training' | 'digest'> & {
  readonly settings?: CheckpointInfo['settings'] | undefined;
  readonly training?: TrainingState | undefined;
  readonly digest?: string | undefined;
};

function encodeParts(parts: Parts, dtype: ModelDtype | undefined): Uint8Array<ArrayBuffer> {
  const { kind, sizes, settings, seed, version, backend, numerics, parameters, training, digest } = parts;
  const known = dtype === undefined ? undefined : oneOf('dtype', MODEL_DTYPES, dtype);
  const stored = [...parameters].map(
    ([name, tensor]) => [name, known ? inDtype(name, tensor, known) : tensor] as const,
  );
  for (const [name, tensor] of training?.tensors ?? []) stored.push([TRAINING + name, tensor]);
  const ordered = stored.map(([name, tensor]) => [name, channelsFirst(tensor)] as const);
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
    ...(known === undefined ? {} : { dtype: known }),
    ...(digest === undefined ? {} : { digest }),
  });
}

/** Writes a model's file, whole or not at all. @throws FileError */
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

/** An object of the metadata, or undefined where there is none. */
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

/** A name of the metadata. */
function parseName(metadata: Metadata, key: string, source: string): string | undefined {
  const name = metadata.get(key);
  if (name === undefined || name.length <= MOST_TEXT) return name;
  const expected = `at most ${MOST_TEXT} characters`;
  throw new FormatError(`${source}: metadata "${key}": expected ${expected}, got ${name.length}`);
}

/** What is in the bytes of a model's file. @throws FormatError for anything else */
export function decodeCheckpoint(bytes: Uint8Array, source = 'checkpoint'): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, source);
  const kind = parseName(metadata, 'model', source);
  if (kind === undefined) {
    throw new FormatError(`${source}: expected a model of langevin, got safetensors that name no model`);
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
  const named = (key: string) => parseName(metadata, key, source) ?? 'unknown';
  const [parameters, training] = [new Map<string, StoredTensor>(), new Map<string, StoredTensor>()];
  for (const [name, stored] of tensors) {
    const tensor = channelsLast(stored);
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
    ...(digest === undefined ? {} : { digest }),
    parameters,
    ...(progress === undefined ? {} : { training: { tensors: training, progress } }),
  };
}

/** Reads a model's file. @throws FileError, and FormatError for a file that is none */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  return decodeCheckpoint(await host.readFile(path), path);
}

/** @throws FormatError that names all kinds, unless the checkpoint is of one of `kinds` */
export function requireKind({ kind, source }: Checkpoint, ...kinds: readonly string[]): void {
  if (kinds.includes(kind)) return;
  const expected = kinds.map((name) => `"${name}"`).join(' or ');
  throw new FormatError(`${source}: expected a model ${expected}, got ${show(kind)}`);
}

/**
 * Copies a checkpoint's parameters into `model`, whose values stay as they are unless everything fits.
 * @throws FormatError for a name that is missing or unknown, or another shape
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

/** Runs `body` on a file's values. @throws FormatError with the file's name where they do not fit */
export function onFile<T>(source: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof ValueError)) throw error;
    throw new FormatError(`${source}: ${error.message}`);
  }
}
