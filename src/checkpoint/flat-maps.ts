/**
 * Axes of tensors that are flattened maps. A linear layer behind a Flatten has one column for each number of a map. The
 * columns are in the order [h, w, c] in langevin, and [c, h, w] in PyTorch. A file in PyTorch's order names these axes in
 * its metadata, so that it can be read back:
 *
 *     flattened   { "dense.weight": [1, 7, 7, 64] }   name of the tensor: axis, height, width, channels
 *
 * An entry also holds for the tensors of a training run with this name, such as `training.m.dense.weight`.
 */
import { FormatError } from '../errors.ts';
import { show } from './fields.ts';
import type { StoredTensor } from './safetensors.ts';
import { elements, isSize } from './safetensors-header.ts';

/** The axis of a tensor that is a flattened map, and the sizes of the map. */
export type FlatMap = readonly [axis: number, height: number, width: number, channels: number];

/** The flattened axes of a model, by the names of its tensors. */
export type FlatMaps = Readonly<Record<string, FlatMap>>;

/** The entry for a tensor of a file. */
export function flatMapOf(name: string, maps: FlatMaps): FlatMap | undefined {
  const own = name.replace(/^training\.[a-z]+\./, '');
  return Object.hasOwn(maps, own) ? maps[own] : undefined;
}

/** The elements along an axis in another order. Element j of the result is element `from(j)` of the tensor. */
function reordered({ shape, data, ...rest }: StoredTensor, axis: number, from: (j: number) => number) {
  const [n, inner] = [shape[axis], elements(shape.slice(axis + 1))];
  const result = data.slice();
  for (let i = 0; i < data.length; i++) {
    const j = Math.floor(i / inner) % n;
    result[i] = data[i + (from(j) - j) * inner];
  }
  return { ...rest, shape, data: result };
}

/** The tensor with the axis in the order [c, h, w]. */
export const flatChannelsFirst = (tensor: StoredTensor, [axis, height, width, channels]: FlatMap) =>
  reordered(tensor, axis, (j) => {
    const pixels = height * width;
    return (j % pixels) * channels + Math.floor(j / pixels);
  });

/** The tensor with the axis in the order [h, w, c]. */
export const flatChannelsLast = (tensor: StoredTensor, [axis, height, width, channels]: FlatMap) =>
  reordered(tensor, axis, (j) => (j % channels) * height * width + Math.floor(j / channels));

/**
 * The flattened axes in the metadata of a file.
 * @param source the name of the file in errors
 * @throws FormatError for an entry that is not an axis and three sizes
 */
export function readFlatMaps(value: Readonly<Record<string, unknown>>, source: string): FlatMaps {
  const isMap = (entry: unknown): entry is FlatMap =>
    Array.isArray(entry) && entry.length === 4 && entry.every(isSize) && entry.slice(1).every((n) => n > 0);
  for (const [name, entry] of Object.entries(value)) {
    if (isMap(entry)) continue;
    throw new FormatError(
      `${source}: metadata "flattened": expected an axis and three sizes for ${show(name)}, got ${show(entry)}`,
    );
  }
  return value as FlatMaps;
}

/** @throws FormatError if the tensor of a file does not have the axis with this number of elements */
export function requireFlatMap(name: string, { shape }: StoredTensor, map: FlatMap, source: string): void {
  const [axis, ...sizes] = map;
  if (shape[axis] === elements(sizes)) return;
  throw new FormatError(
    `${source}: ${name}: expected axis ${axis} with the ${sizes.join('x')} numbers of a map, got shape [${shape}]`,
  );
}
