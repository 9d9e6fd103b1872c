/**
 * The windows of pooling. Position (y, x) of the result has the rows of the map from y·stride - padding on, as many as
 * the kernel has. Its columns follow in the same way. Only rows and columns inside the map count. Strips of channels
 * are those of the normalisations (norm/strip.ts).
 */
import { PoolSizes } from '../records';

/** The number of windows of `kernel` on a side of `size`. */
// @ts-ignore: decorator
@inline
export function places(size: i32, kernel: i32, stride: i32, padding: i32): i32 {
  return (size + 2 * padding - kernel) / stride + 1;
}

// @ts-ignore: decorator
@inline
export function placesY(s: PoolSizes): i32 {
  return places(s.height, s.kernelHeight, s.strideHeight, s.paddingHeight);
}

// @ts-ignore: decorator
@inline
export function placesX(s: PoolSizes): i32 {
  return places(s.width, s.kernelWidth, s.strideWidth, s.paddingWidth);
}

/** The first row or column of the map in a window that begins at `start`. */
// @ts-ignore: decorator
@inline
export function begin(start: i32): i32 {
  return max(0, start);
}

/** The end of the rows or columns, of a map of `size`, in a window that begins at `start`. */
// @ts-ignore: decorator
@inline
export function end(start: i32, kernel: i32, size: i32): i32 {
  return min(start + kernel, size);
}
