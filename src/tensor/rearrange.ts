/** Computes the shapes that the methods of a tensor need before they run an op. */
import { type Shape, sizeOf } from '../autograd/variable.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { describe } from '../options.ts';

/** The shape without its dimensions of 1, or without only the one at `axis`. */
export function squeezed(shape: Shape, axis: number | undefined): Shape {
  if (axis === undefined) return shape.filter((n) => n !== 1);
  if (shape[axis] !== 1) {
    throw new ShapeError(`squeeze: expected a dimension of 1 at axis ${axis}, got shape [${shape}]`);
  }
  return shape.toSpliced(axis, 1);
}

/** The shape with the axes from `begin` to `end`, both included, merged into one. */
export function flattened(shape: Shape, begin: number, end: number): Shape {
  if (begin > end) throw new ShapeError(`flatten: expected begin <= end, got axes ${begin} and ${end}`);
  return [...shape.slice(0, begin), sizeOf(shape.slice(begin, end + 1)), ...shape.slice(end + 1)];
}

/** The sizes of the parts that an axis of n elements is split into. */
export function partSizes(n: number, size: number | readonly number[]): readonly number[] {
  if (typeof size === 'number') {
    if (!(Number.isInteger(size) && size >= 1)) {
      throw new ValueError(`split: expected a size of 1 or more, got ${size}`);
    }
    return Array.from({ length: Math.ceil(n / size) }, (_, i) => Math.min(size, n - i * size));
  }
  if (!Array.isArray(size)) {
    throw new ValueError(`split: expected a size or an array of sizes, got ${describe(size)}`);
  }
  const whole = size.every((part) => Number.isInteger(part) && part >= 0);
  if (!whole || size.reduce((sum, part) => sum + part, 0) !== n) {
    throw new ShapeError(`split: expected sizes that sum to ${n}, got [${size}]`);
  }
  return size;
}

/**
 * The three shapes that `repeat` needs. The first has an axis of 1 before each axis of the tensor. The second is the
 * first after broadcasting, which repeats along the new axes. The third is the shape of the result.
 */
export function repeatedShapes(
  shape: Shape,
  times: readonly number[],
): { apart: Shape; wide: Shape; merged: Shape } {
  if (times.length < shape.length || !times.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ShapeError(
      `repeat: expected a whole number of times for each of at least ${shape.length} axes, got [${times}]`,
    );
  }
  const full = [...Array<number>(times.length - shape.length).fill(1), ...shape];
  return {
    apart: full.flatMap((n) => [1, n]),
    wide: full.flatMap((n, i) => [times[i], n]),
    merged: full.map((n, i) => n * times[i]),
  };
}

/**
 * 1 for the elements (row, column) of [rows, cols] with column - row <= offset (lower) or >= offset (upper); else 0.
 */
export function triangle(rows: number, cols: number, part: 'lower' | 'upper', offset: number): Float32Array {
  const mask = new Float32Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      if (part === 'lower' ? j - i <= offset : j - i >= offset) mask[i * cols + j] = 1;
    }
  }
  return mask;
}
