/**
 * What a backend computes: the contract that the reference backend states in plain TypeScript and that the
 * WebAssembly backend fulfils. The caller owns shapes and lifetimes; arrays are dense and row-major, and a Ptr
 * is an address in the backend's memory. An output may not overlap an input unless it is the same array.
 *
 * `accumulate` adds to the output in place of overwriting it: a gradient is summed where it is made.
 */
import type { Ptr } from '../memory/heap.ts';

export type { Ptr } from '../memory/heap.ts';

/** Functions of one array (assembly/elementwise.ts). */
export const UNARY = [
  'neg',
  'abs',
  'exp',
  'log',
  'sqrt',
  'relu',
  'sigmoid',
  'tanh',
  'silu',
  'clamp',
] as const;
export type UnaryName = (typeof UNARY)[number];

/**
 * Functions of two arrays. In those that end in `Backward` the second is dy and the first what the forward
 * pass kept: x for abs, silu and clamp, y for sqrt, relu, sigmoid and tanh. `greaterShare(a, b)` is 1 where
 * a > b, 1/2 where a = b, else 0.
 */
export const BINARY = [
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
  'pow',
  'absBackward',
  'sqrtBackward',
  'reluBackward',
  'sigmoidBackward',
  'tanhBackward',
  'siluBackward',
  'clampBackward',
  'greaterShare',
] as const;
export type BinaryName = (typeof BINARY)[number];

/** Reductions along one axis. */
export const REDUCE = ['sum', 'sumSquares', 'max'] as const;
export type ReduceName = (typeof REDUCE)[number];

/** Activations that the GEMM applies to its result before it is stored. */
export const ACTIVATION = ['none', 'relu', 'sigmoid', 'tanh', 'silu'] as const;
export type ActivationName = (typeof ACTIVATION)[number];

/** Bounds of clamp. */
export interface Bounds {
  readonly lo: number;
  readonly hi: number;
}

/**
 * A two-dimensional view of an operand: element (i, j) is at i·row + j·col. `col` is 0 or 1, so that equal
 * shapes, and broadcasting over rows, columns and scalars, are one form.
 */
export interface View2d {
  readonly ptr: Ptr;
  readonly row: number;
  readonly col: number;
}

/** A source of random numbers: the 64-bit key is the seed, and `stream` one of its 2^64 streams; [low, high] words. */
export interface Key {
  readonly seed: readonly [number, number];
  readonly stream: readonly [number, number];
}

/** One step of Adam. With t the step number, from 1: see assembly/optim.ts for the formula. */
export interface AdamStep {
  /** lr / (1 - beta1^t) */
  readonly stepSize: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** sqrt(1 - beta2^t) */
  readonly correction: number;
  /** Weight decay that is added to the gradient. */
  readonly l2: number;
  /** Factor on the parameter before the step: 1 - lr·decay, or 1. */
  readonly shrink: number;
}

/** One step of SGD; `first` tells that the momentum buffer holds nothing yet. */
export interface SgdStep {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly l2: number;
  readonly nesterov: boolean;
  readonly first: boolean;
}

export interface Kernels {
  /** c[m,n] = [c +] op(a)·op(b) [+ bias], then the activation. a is [m,k], or [k,m] where aT; b is [k,n], or [n,k] where bT. */
  gemm(
    m: number,
    n: number,
    k: number,
    a: Ptr,
    aT: boolean,
    b: Ptr,
    bT: boolean,
    c: Ptr,
    accumulate: boolean,
    bias?: Ptr | null,
    activation?: ActivationName,
  ): void;
  /** y[n] = [y +] f(x[n]) */
  unary(name: UnaryName, n: number, x: Ptr, y: Ptr, accumulate: boolean, bounds?: Bounds): void;
  /** y[rows,cols] = [y +] f(a, b) */
  binary(
    name: BinaryName,
    rows: number,
    cols: number,
    a: View2d,
    b: View2d,
    y: Ptr,
    accumulate: boolean,
    bounds?: Bounds,
  ): void;
  /** y[i·yRow + j·yCol] = [itself +] alpha·x[i·xRow + j·xCol] over [rows, cols], any strides, but elements of y are distinct. */
  copy(
    rows: number,
    cols: number,
    alpha: number,
    x: Ptr,
    xRow: number,
    xCol: number,
    y: Ptr,
    yRow: number,
    yCol: number,
    accumulate: boolean,
  ): void;
  /** y[n] = value */
  fill(n: number, y: Ptr, value: number): void;
  /** y[outer,inner] = [y +] alpha·reduce over the middle axis of x[outer,n,inner]. */
  reduce(
    name: ReduceName,
    outer: number,
    n: number,
    inner: number,
    x: Ptr,
    y: Ptr,
    alpha: number,
    accumulate: boolean,
  ): void;
  /** y[0] = mean of (a - b)² */
  mse(n: number, a: Ptr, b: Ptr, y: Ptr): void;
  /** dx[n] = [dx +] scale·dy[0]·(a - b) */
  mseBackward(n: number, a: Ptr, b: Ptr, dy: Ptr, scale: number, dx: Ptr, accumulate: boolean): void;
  adam(n: number, p: Ptr, g: Ptr, m: Ptr, v: Ptr, step: AdamStep): void;
  sgd(n: number, p: Ptr, g: Ptr, buffer: Ptr | null, step: SgdStep): void;
  /** n standard normals, from block `block` of the stream on; n of them use ceil(n/16)·4 blocks. */
  gaussian(n: number, out: Ptr, key: Key, block: number): void;
  /** n uniforms in [0, 1), multiples of 2^-24; n of them use ceil(n/4) blocks. */
  uniform(n: number, out: Ptr, key: Key, block: number): void;
  /** n words of 32 bits, stored as such; n of them use ceil(n/4) blocks. */
  randomBits(n: number, out: Ptr, key: Key, block: number): void;
  /**
   * Steps of Euler-Maruyama for an affine equation: path p goes from x[p] by
   * x' = x + (A0 + A1·x) + (B0 + B1·x)·z, where z is normal p of the array that `gaussian` makes from block
   * k·stepBlocks in step k, and `coefficients` are A0, A1, B0, B1 of each step. State k + 1 is stored at
   * out + k·row elements; with row 0 the last alone stays, at `out`. Both arrays hold whole groups of sixteen, or
   * are rows of a larger one.
   */
  affinePath(
    n: number,
    coefficients: ArrayLike<number>,
    x: Ptr,
    out: Ptr,
    row: number,
    key: Key,
    stepBlocks: number,
  ): void;
}
