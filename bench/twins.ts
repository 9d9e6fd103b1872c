/**
 * The twins of the kernels. A twin is the same algorithm in plain TypeScript, as loops over Float32Array. It is written
 * with care, but without tricks. Numbers are stored as float32 and computed in float64, as JavaScript does.
 * src/backend/kernels.ts says what each kernel computes. Elementwise twins are in twins-elementwise.ts. The twin of a
 * whole program is the same program on the reference backend.
 */
import type { AdamStep, ReduceName, RmspropStep, SgdStep } from '../src/backend/kernels.ts';

/** c[m,n] = op(a)·op(b): the triple loop. */
export function gemm(
  m: number,
  n: number,
  k: number,
  a: Float32Array,
  aT: boolean,
  b: Float32Array,
  bT: boolean,
  c: Float32Array,
): void {
  const [aRow, aCol] = aT ? [1, m] : [k, 1];
  const [bRow, bCol] = bT ? [1, k] : [n, 1];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[i * aRow + p * aCol]! * b[p * bRow + j * bCol]!;
      c[i * n + j] = sum;
    }
  }
}

const NEUTRAL: Readonly<Record<ReduceName, number>> = {
  sum: 0,
  sumSquares: 0,
  max: -Infinity,
  min: Infinity,
  prod: 1,
};

/** y[outer,inner] = reduction over the middle axis of x[outer,n,inner], each row of x read once in order. */
export function reduce(
  name: ReduceName,
  outer: number,
  n: number,
  inner: number,
  x: Float32Array,
  y: Float32Array,
): void {
  const totals = new Float64Array(inner);
  for (let o = 0, at = 0; o < outer; o++) {
    totals.fill(NEUTRAL[name]);
    for (let j = 0; j < n; j++) {
      if (name === 'max') for (let i = 0; i < inner; i++, at++) totals[i] = Math.max(totals[i], x[at]);
      else if (name === 'min') for (let i = 0; i < inner; i++, at++) totals[i] = Math.min(totals[i], x[at]);
      else if (name === 'prod') for (let i = 0; i < inner; i++, at++) totals[i] *= x[at];
      else if (name === 'sum') for (let i = 0; i < inner; i++, at++) totals[i] += x[at];
      else for (let i = 0; i < inner; i++, at++) totals[i] += x[at] * x[at];
    }
    y.set(totals, o * inner);
  }
}

/** dx[outer,n,inner] = dy[outer,inner]·(the product of the other elements along n), by prefixes and suffixes. */
export function prodBackward(
  outer: number,
  n: number,
  inner: number,
  x: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
): void {
  const prefix = new Float64Array(n);
  for (let column = 0; column < outer * inner; column++) {
    const first = Math.floor(column / inner) * n * inner + (column % inner);
    for (let j = 0, product = 1; j < n; j++) {
      prefix[j] = product;
      product *= x[first + j * inner];
    }
    for (let j = n - 1, product = dy[column]; j >= 0; j--) {
      dx[first + j * inner] = product * prefix[j];
      product *= x[first + j * inner];
    }
  }
}

/** y[rows,cols] = alpha·x, both with any strides. */
export function copy(
  rows: number,
  cols: number,
  alpha: number,
  x: Float32Array,
  xRow: number,
  xCol: number,
  y: Float32Array,
  yRow: number,
  yCol: number,
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) y[i * yRow + j * yCol] = alpha * x[i * xRow + j * xCol]!;
  }
}

/** y[0] = mean of (a - b)² */
export function mse(n: number, a: Float32Array, b: Float32Array, y: Float32Array): void {
  let total = 0;
  for (let i = 0; i < n; i++) {
    const d = a[i]! - b[i]!;
    total += d * d;
  }
  y[0] = total / n;
}

/** dx = scale·dy[0]·(a - b) */
export function mseBackward(
  n: number,
  a: Float32Array,
  b: Float32Array,
  dy: Float32Array,
  scale: number,
  dx: Float32Array,
): void {
  const factor = scale * dy[0]!;
  for (let i = 0; i < n; i++) dx[i] = factor * (a[i]! - b[i]!);
}

export function adam(
  n: number,
  p: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  { stepSize, beta1, beta2, eps, correction, l2, shrink }: AdamStep,
): void {
  for (let i = 0; i < n; i++) {
    const gradient = g[i]! + l2 * p[i]!;
    m[i] = beta1 * m[i]! + (1 - beta1) * gradient;
    v[i] = beta2 * v[i]! + (1 - beta2) * gradient * gradient;
    p[i] = shrink * p[i]! - (stepSize * m[i]!) / (Math.sqrt(v[i]!) / correction + eps);
  }
}

/** SGD with momentum, in its second or a later step. */
export function sgd(
  n: number,
  p: Float32Array,
  g: Float32Array,
  buffer: Float32Array,
  { lr, momentum, dampening, l2 }: SgdStep,
): void {
  for (let i = 0; i < n; i++) {
    buffer[i] = momentum * buffer[i]! + (1 - dampening) * (g[i]! + l2 * p[i]!);
    p[i]! -= lr * buffer[i]!;
  }
}

/** RMSprop without centring and without momentum. */
export function rmsprop(
  n: number,
  p: Float32Array,
  g: Float32Array,
  v: Float32Array,
  { lr, alpha, eps, l2 }: RmspropStep,
): void {
  for (let i = 0; i < n; i++) {
    const gradient = g[i] + l2 * p[i];
    v[i] = alpha * v[i] + (1 - alpha) * gradient * gradient;
    p[i] -= (lr * gradient) / (Math.sqrt(v[i]) + eps);
  }
}

/** Normals by Marsaglia's polar method on `Math.random`. It is the usual way without a library. */
export function polarNormals(out: Float32Array): void {
  for (let i = 0; i < out.length; i += 2) {
    let u: number;
    let v: number;
    let s: number;
    do {
      u = 2 * Math.random() - 1;
      v = 2 * Math.random() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s === 0);
    const factor = Math.sqrt((-2 * Math.log(s)) / s);
    out[i] = u * factor;
    out[i + 1] = v * factor;
  }
}
