/**
 * Copies of two-dimensional views: the whole of reshaping, transposing, slicing, concatenating and
 * broadcasting, forwards and (with `accumulate`) backwards. Exact when alpha is 1; else one rounding.
 */

/** y[i] = value for n elements. */
export function fill(n: i32, y: usize, value: f32): void {
  const v = f32x4.splat(value);
  const whole = y + ((n & ~3) << 2),
    end = y + (n << 2);
  for (; y < whole; y += 16) v128.store(y, v);
  for (; y < end; y += 4) f32.store(y, value);
}

/** y[i·yRow + j·yCol] = [itself +] alpha·x[i·xRow + j·xCol] over [rows, cols]; strides in elements, any sign. */
export function copy(
  rows: i32,
  cols: i32,
  alpha: f32,
  x: usize,
  xRow: i32,
  xCol: i32,
  y: usize,
  yRow: i32,
  yCol: i32,
  accumulate: bool,
): void {
  if (yCol == 1 && xCol == 1) {
    for (let i = 0; i < rows; ++i)
      copyRow(cols, alpha, x + ((i * xRow) << 2), y + ((i * yRow) << 2), accumulate);
    return;
  }
  // A transpose walks in blocks, so that the cache lines of both sides are used whole.
  for (let i0 = 0; i0 < rows; i0 += 16) {
    const i1 = min(i0 + 16, rows);
    for (let j0 = 0; j0 < cols; j0 += 16) {
      const j1 = min(j0 + 16, cols);
      for (let i = i0; i < i1; ++i) {
        let from = x + ((i * xRow + j0 * xCol) << 2);
        let to = y + ((i * yRow + j0 * yCol) << 2);
        for (let j = j0; j < j1; ++j) {
          const v = alpha * f32.load(from);
          f32.store(to, accumulate ? f32.load(to) + v : v);
          from += xCol << 2;
          to += yCol << 2;
        }
      }
    }
  }
}

function copyRow(n: i32, alpha: f32, x: usize, y: usize, accumulate: bool): void {
  if (alpha == 1 && !accumulate) {
    memory.copy(y, x, (<usize>n) << 2);
    return;
  }
  const factor = f32x4.splat(alpha);
  const whole = x + ((n & ~3) << 2),
    end = x + (n << 2);
  for (; x < whole; x += 16, y += 16) {
    const v = f32x4.mul(factor, v128.load(x));
    v128.store(y, accumulate ? f32x4.add(v128.load(y), v) : v);
  }
  for (; x < end; x += 4, y += 4) {
    const v = alpha * f32.load(x);
    f32.store(y, accumulate ? f32.load(y) + v : v);
  }
}
