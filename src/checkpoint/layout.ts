/**
 * The order of axes in files. In langevin pictures and the weights of convolutions have their channels last. In PyTorch
 * the channels are second. Both are tensors with four axes: [a, h, w, c] in langevin is [a, c, h, w] in a file.
 */
import type { StoredTensor } from './safetensors.ts';

/** Exchanges the two inner axes: [outer, rows, columns] to [outer, columns, rows]. */
function exchanged<D extends StoredTensor['data']>(data: D, rows: number, columns: number): D {
  const result = data.slice() as D;
  const size = rows * columns;
  for (let i = 0; i < data.length; i++) {
    const [block, place] = [Math.floor(i / size) * size, i % size];
    result[block + (place % columns) * rows + Math.floor(place / columns)] = data[i];
  }
  return result;
}

/** A tensor in PyTorch's order of axes. */
export function channelsFirst(stored: StoredTensor): StoredTensor {
  const { shape, data } = stored;
  if (shape.length !== 4) return stored;
  const [a, h, w, c] = shape;
  return { ...stored, shape: [a, c, h, w], data: exchanged(data, h * w, c) };
}

/** A tensor of a file in langevin's order of axes. */
export function channelsLast(stored: StoredTensor): StoredTensor {
  const { shape, data } = stored;
  if (shape.length !== 4) return stored;
  const [a, c, h, w] = shape;
  return { ...stored, shape: [a, h, w, c], data: exchanged(data, c, h * w) };
}
