/** The twins of the kernels of rows and indices. twins.ts says what a twin is. */
import type { SoftmaxName } from '../src/backend/kernels.ts';

/** y[rows,cols] = softmax of each row of x, or its logarithm. */
export function softmax(
  name: SoftmaxName,
  rows: number,
  cols: number,
  x: Float32Array,
  y: Float32Array,
): void {
  for (let i = 0; i < rows; i++) {
    const [from, to] = [i * cols, (i + 1) * cols];
    let m = -Infinity;
    for (let e = from; e < to; e++) m = Math.max(m, x[e]);
    let s = 0;
    for (let e = from; e < to; e++) s += y[e] = Math.exp(x[e] - m);
    if (name === 'softmax') for (let e = from; e < to; e++) y[e] /= s;
    else for (let e = from; e < to; e++) y[e] = x[e] - m - Math.log(s);
  }
}

/** dx[rows,cols] from dy and the y of softmax, or the x of its logarithm. */
export function softmaxBackward(
  name: SoftmaxName,
  rows: number,
  cols: number,
  dy: Float32Array,
  kept: Float32Array,
  dx: Float32Array,
): void {
  let y = kept;
  if (name === 'logSoftmax') softmax('softmax', rows, cols, kept, (y = new Float32Array(rows * cols)));
  for (let i = 0; i < rows; i++) {
    const [from, to] = [i * cols, (i + 1) * cols];
    let sum = 0;
    if (name === 'softmax') {
      for (let e = from; e < to; e++) sum += dy[e] * y[e];
      for (let e = from; e < to; e++) dx[e] = y[e] * (dy[e] - sum);
    } else {
      for (let e = from; e < to; e++) sum += dy[e];
      for (let e = from; e < to; e++) dx[e] = dy[e] - y[e] * sum;
    }
  }
}

/** y[m,inner] = rows of x, selected by index. */
export function gatherRows(
  m: number,
  inner: number,
  x: Float32Array,
  index: Int32Array,
  y: Float32Array,
): void {
  for (let j = 0; j < m; j++) {
    const from = index[j] * inner;
    for (let i = 0; i < inner; i++) y[j * inner + i] = x[from + i];
  }
}

/** Adds the rows of y[m,inner] to rows of x. */
export function scatterRows(
  m: number,
  inner: number,
  y: Float32Array,
  index: Int32Array,
  x: Float32Array,
): void {
  for (let j = 0; j < m; j++) {
    const to = index[j] * inner;
    for (let i = 0; i < inner; i++) x[to + i] += y[j * inner + i];
  }
}

/** y[outer,n,inner] = cumulative sums of x along the middle axis. */
export function cumsum(outer: number, n: number, inner: number, x: Float32Array, y: Float32Array): void {
  const totals = new Float64Array(inner);
  for (let o = 0, at = 0; o < outer; o++) {
    totals.fill(0);
    for (let j = 0; j < n; j++) for (let i = 0; i < inner; i++, at++) y[at] = totals[i] += x[at];
  }
}
