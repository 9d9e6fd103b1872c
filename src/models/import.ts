/**
 * Reads the weights of a model from a safetensors file of PyTorch: a state dict with the names of our networks and with
 * PyTorch's layouts, in float64, float32, float16 or bfloat16. The kind and the sizes are those of a model's file of
 * langevin. A common prefix of all names, such as `module.`, is left out. A file of langevin can also be given: its own
 * metadata state its layouts.
 */
import { type Checkpoint, decodeCheckpoint, requireKind } from '../checkpoint/checkpoint.ts';
import { show } from '../checkpoint/fields.ts';
import { type FlatMaps, flatChannelsLast, flatMapOf } from '../checkpoint/flat-maps.ts';
import { channelsFirst, channelsLast } from '../checkpoint/layout.ts';
import { decodeSafetensors, type StoredTensor } from '../checkpoint/safetensors.ts';
import { didYouMean, FormatError } from '../errors.ts';
import { TORCH_KINDS } from './pytorch/kinds.ts';

/** A model with imported weights, from `importWeights`. */
export interface ImportedWeights {
  /** The model with the weights. It has no training state. */
  readonly checkpoint: Checkpoint;
  /** The types of the imported tensors in the file, such as `F32`. */
  readonly dtypes: readonly string[];
  /** Names in the file that the model does not have. */
  readonly ignored: readonly string[];
}

type Tensors = ReadonlyMap<string, StoredTensor>;

/**
 * The model `into` with the weights of a safetensors file: a state dict of PyTorch with the names of our networks and
 * with PyTorch's layouts, or a file of langevin. `openModel` opens the result, and `convertCheckpoint` writes it.
 * @param bytes the file
 * @param source the name of the file in errors
 * @param into a model's file with the architecture and the settings
 * @throws FormatError for a file that is not one, another architecture, missing tensors, or numbers that are not finite
 */
export function importWeights(bytes: Uint8Array, source: string, into: Checkpoint): ImportedWeights {
  const { tensors, metadata } = decodeSafetensors(bytes, source);
  const own = metadata.has('langevin') ? decodeCheckpoint(bytes, source) : null;
  if (own) requireKind(own, into.kind);
  const given: Tensors = own?.parameters ?? tensors;
  const prefix = own ? '' : prefixOf(given, into);
  requireAll(given, prefix, source, into);
  const maps = own ? {} : (TORCH_KINDS.get(into.kind)?.flatMaps({ channels: 1, ...into.sizes }) ?? {});
  const parameters = new Map<string, StoredTensor>();
  for (const [name, like] of into.parameters) {
    const stored = given.get(prefix + name)!;
    requireFinite(name, stored, source);
    const expected = own ? like : channelsFirst(like);
    if (stored.shape.join() !== expected.shape.join()) {
      throw new FormatError(
        `${source}: expected ${name} of shape [${expected.shape}] for the model ${into.source}, got [${stored.shape}]`,
      );
    }
    parameters.set(name, own ? stored : fromTorch(name, stored, maps));
  }
  const names = new Set([...parameters.keys()].map((name) => prefix + name));
  const { training: _training, digest: _digest, ...info } = into;
  return {
    checkpoint: { ...info, source, parameters },
    dtypes: [...new Set([...names].map((name) => given.get(name)!.dtype))],
    ignored: [...given.keys()].filter((name) => !names.has(name)),
  };
}

/** The tensor in langevin's order of axes. */
function fromTorch(name: string, stored: StoredTensor, maps: FlatMaps): StoredTensor {
  const map = flatMapOf(name, maps);
  return map ? flatChannelsLast(stored, map) : channelsLast(stored);
}

/** What stands before all names in the file: that of the first name of the model, or nothing. */
function prefixOf(given: Tensors, { parameters }: Checkpoint): string {
  const [first] = parameters.keys();
  if (given.has(first)) return '';
  const found = [...given.keys()].find((name) => name.endsWith(`.${first}`));
  return found?.slice(0, -first.length) ?? '';
}

/** @throws FormatError for the first tensor that is missing */
function requireAll(given: Tensors, prefix: string, source: string, into: Checkpoint): void {
  const names = [...into.parameters.keys()];
  const missing = names.filter((name) => !given.has(prefix + name));
  if (missing.length === 0) return;
  const [first] = missing;
  const found = `${names.length - missing.length} of its ${names.length} tensors`;
  const { shape } = channelsFirst(into.parameters.get(first)!);
  throw new FormatError(
    `${source}: expected the weights of the model ${into.source}, a "${into.kind}", got ${found}: no ${show(prefix + first)} of shape [${shape}].${didYouMean(first, [...given.keys()])}`,
  );
}

/** @throws FormatError for NaN, an infinity, or a tensor that is not of floats */
function requireFinite(name: string, { dtype, data }: StoredTensor, source: string): void {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new FormatError(`${source}: ${name}: expected floats, got ${dtype}`);
  }
  const wrong = data.find((x) => !Number.isFinite(x));
  if (wrong === undefined) return;
  throw new FormatError(`${source}: ${name}: expected finite numbers, got ${wrong}`);
}
