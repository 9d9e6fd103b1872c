/** Checks of the shapes and axes that callers pass. */
import type { Shape } from '../autograd/variable.ts';
import { ShapeError } from '../errors.ts';
import { describe } from '../options.ts';

/** The most elements an array can have: 4 GiB of float32. */
const MAX_SIZE = 2 ** 30;

/**
 * Checks the shape and returns it.
 * @throws ShapeError for a value that is not an array, dimensions that are not whole numbers >= 0, or too many elements
 */
export function checkShape(op: string, shape: Shape): Shape {
  if (!Array.isArray(shape))
    throw new ShapeError(`${op}: expected a shape such as [2,3], got ${describe(shape)}`);
  let size = 1;
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 0) {
      throw new ShapeError(`${op}: expected dimensions that are whole numbers >= 0, got [${shape}]`);
    }
    size *= n;
  }
  if (size > MAX_SIZE) throw new ShapeError(`${op}: expected at most 2^30 elements, got [${shape}]`);
  return shape;
}

/** The axis as a number in 0..rank-1. Negative axes count from the last. */
export function checkAxis(op: string, axis: number, rank: number): number {
  if (rank === 0) throw new ShapeError(`${op}: expected no axes for a scalar, got ${axis}`);
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new ShapeError(`${op}: expected an axis from ${-rank} to ${rank - 1}, got ${axis}`);
  }
  return axis < 0 ? axis + rank : axis;
}
