/**
 * The twins of the elementwise kernels. Each is a separate loop. One common loop that calls a function for each element
 * would be slower, because the engine could not inline the call.
 */
import type { BinaryName, UnaryAttributes, UnaryName } from '../src/backend/kernels.ts';
import { erf, erfc } from '../src/math.ts';

type Array32 = Float32Array;
type Unary = (n: number, x: Array32, y: Array32, attributes: UnaryAttributes) => void;
type Binary = (n: number, a: Array32, b: Array32, y: Array32, attributes: UnaryAttributes) => void;

/** y = f(x) */
export const UNARY_TWINS: Record<UnaryName, Unary> = {
  neg(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = -x[i];
  },
  abs(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.abs(x[i]);
  },
  exp(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.exp(x[i]);
  },
  log(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.log(x[i]);
  },
  sqrt(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.sqrt(x[i]);
  },
  relu(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.max(x[i], 0);
  },
  sigmoid(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = 1 / (1 + Math.exp(-x[i]));
  },
  tanh(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.tanh(x[i]);
  },
  silu(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = x[i] / (1 + Math.exp(-x[i]));
  },
  sin(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.sin(x[i]);
  },
  cos(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.cos(x[i]);
  },
  erf(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = erf(x[i]);
  },
  gelu(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = x[i] * 0.5 * erfc(-x[i] * Math.SQRT1_2);
  },
  softplus(n, x, y) {
    for (let i = 0; i < n; i++) y[i] = Math.max(x[i], 0) + Math.log1p(Math.exp(-Math.abs(x[i])));
  },
  leakyRelu(n, x, y, { slope }) {
    for (let i = 0; i < n; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i];
  },
  clamp(n, x, y, { lo, hi }) {
    for (let i = 0; i < n; i++) y[i] = Math.min(Math.max(x[i], lo), hi);
  },
};

/** y = f(a, b) */
export const BINARY_TWINS: Record<BinaryName, Binary> = {
  add(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] + b[i];
  },
  sub(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] - b[i];
  },
  mul(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] * b[i];
  },
  div(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] / b[i];
  },
  maximum(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = Math.max(a[i], b[i]);
  },
  minimum(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = Math.min(a[i], b[i]);
  },
  pow(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] ** b[i];
  },
  eq(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] === b[i] ? 1 : 0;
  },
  ne(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] !== b[i] ? 1 : 0;
  },
  gt(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] > b[i] ? 1 : 0;
  },
  ge(n, a, b, y) {
    for (let i = 0; i < n; i++) y[i] = a[i] >= b[i] ? 1 : 0;
  },
};

/** dx = df(dy, kept), where `kept` is x or y */
export const UNARY_BACKWARD_TWINS: Record<UnaryName, Binary> = {
  neg(n, dy, _x, dx) {
    for (let i = 0; i < n; i++) dx[i] = -dy[i];
  },
  abs(n, dy, x, dx) {
    for (let i = 0; i < n; i++) dx[i] = Math.sign(x[i]) * dy[i];
  },
  exp(n, dy, y, dx) {
    for (let i = 0; i < n; i++) dx[i] = dy[i] * y[i];
  },
  log(n, dy, x, dx) {
    for (let i = 0; i < n; i++) dx[i] = dy[i] / x[i];
  },
  sqrt(n, dy, y, dx) {
    for (let i = 0; i < n; i++) dx[i] = dy[i] / (2 * y[i]);
  },
  relu(n, dy, y, dx) {
    for (let i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
  },
  sigmoid(n, dy, y, dx) {
    for (let i = 0; i < n; i++) dx[i] = dy[i] * y[i] * (1 - y[i]);
  },
  tanh(n, dy, y, dx) {
    for (let i = 0; i < n; i++) dx[i] = dy[i] * (1 - y[i] * y[i]);
  },
  silu(n, dy, x, dx) {
    for (let i = 0; i < n; i++) {
      const s = 1 / (1 + Math.exp(-x[i]));
      dx[i] = dy[i] * s * (1 + x[i] * (1 - s));
    }
  },
  sin(n, dy, x, dx) {
    for (let i = 0; i < n; i++) dx[i] = dy[i] * Math.cos(x[i]);
  },
  cos(n, dy, x, dx) {
    for (let i = 0; i < n; i++) dx[i] = -dy[i] * Math.sin(x[i]);
  },
  erf(n, dy, x, dx) {
    for (let i = 0; i < n; i++) dx[i] = dy[i] * (2 / Math.sqrt(Math.PI)) * Math.exp(-x[i] * x[i]);
  },
  gelu(n, dy, x, dx) {
    for (let i = 0; i < n; i++) {
      const density = Math.exp(-0.5 * x[i] * x[i]) / Math.sqrt(2 * Math.PI);
      dx[i] = dy[i] * (0.5 * erfc(-x[i] * Math.SQRT1_2) + x[i] * density);
    }
  },
  softplus(n, dy, x, dx) {
    for (let i = 0; i < n; i++) dx[i] = dy[i] / (1 + Math.exp(-x[i]));
  },
  leakyRelu(n, dy, x, dx, { slope }) {
    for (let i = 0; i < n; i++) dx[i] = x[i] > 0 ? dy[i] : slope * dy[i];
  },
  clamp(n, dy, x, dx, { lo, hi }) {
    for (let i = 0; i < n; i++) dx[i] = x[i] >= lo && x[i] <= hi ? dy[i] : 0;
  },
};

/** y[rows,cols] = a + b, where b is a row, a column or one number, depending on its strides. */
export function addBroadcast(
  rows: number,
  cols: number,
  a: Array32,
  b: Array32,
  bRow: number,
  bCol: number,
  y: Array32,
): void {
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++, at++) y[at] = a[at] + b[i * bRow + j * bCol];
  }
}
