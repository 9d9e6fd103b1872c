/**
 * The contract of a backend: what its kernels compute. The reference backend defines the kernels in plain TypeScript,
 * and the WebAssembly backend computes the same. A kernel takes one record. The caller is responsible for shapes and
 * lifetimes. Arrays are dense and row-major unless a record has strides. A Ptr is an address in the backend's memory.
 * An output may not overlap an input unless it is the same array. The file is long because it is the whole contract:
 * all records, and then the list of kernels.
 */
import type { Ptr } from '../memory/heap.ts';
import type { ActivationName, BinaryName, NonlinearName, UnaryAttributes, UnaryName } from './formulas.ts';

export type { Ptr } from '../memory/heap.ts';
export {
  ACTIVATION,
  type ActivationName,
  BINARY,
  type BinaryName,
  type ComparisonName,
  DIFFERENTIABLE,
  type DifferentiableName,
  NONLINEAR,
  type NonlinearName,
  UNARY,
  type UnaryAttributes,
  type UnaryName,
} from './formulas.ts';

/** Reductions along one axis. */
export const REDUCE = ['sum', 'sumSquares', 'max', 'min', 'prod'] as const;
export type ReduceName = (typeof REDUCE)[number];

/** Softmax, and its logarithm. */
export const SOFTMAX = ['softmax', 'logSoftmax'] as const;
export type SoftmaxName = (typeof SOFTMAX)[number];

/** Kinds of random numbers. */
export const RANDOM = ['gaussian', 'uniform', 'randomBits'] as const;
export type RandomName = (typeof RANDOM)[number];

/** The place of a result. `accumulate` adds the result to the old value, as gradients need it. */
export interface Target {
  readonly ptr: Ptr;
  readonly accumulate: boolean;
}

/** Fields that may be missing or undefined. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** A matrix operand, stored in the order of its use, or transposed. */
export interface Matrix {
  readonly ptr: Ptr;
  readonly transposed: boolean;
}

/** A two-dimensional view: element (i, j) is at i·row + j·col, in elements. */
export interface View2d {
  readonly ptr: Ptr;
  readonly row: number;
  readonly col: number;
}

/**
 * The key of random numbers. The 64-bit seed is the key of the generator, and `stream` selects one of its 2^64 streams.
 * Both are [low, high] words.
 */
export interface Key {
  readonly seed: readonly [number, number];
  readonly stream: readonly [number, number];
}

/** out[m,n] = [out +] a·b [+ bias], then the activation. a is [m,k], or stored [k,m]; b is [k,n], or stored [n,k]. */
export interface Gemm {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Matrix;
  readonly b: Matrix;
  /** n values that are added to every row. */
  readonly bias?: Ptr | null;
  readonly activation?: ActivationName;
  readonly out: Target;
}

/** `batch` products of one shape. The strides between their operands are in elements; 0 repeats one operand. */
export interface GemmBatch extends Omit<Gemm, 'bias' | 'activation'> {
  readonly batch: number;
  readonly aStep: number;
  readonly bStep: number;
  readonly outStep: number;
}

/**
 * The sizes of a convolution of pictures [batch, height, width, inChannels]. y is [batch, h, w, outChannels], with h =
 * ⌊(height + 2·paddingHeight - dilationHeight·(kernelHeight - 1) - 1)/strideHeight⌋ + 1, and w in the same way:
 * `convSize`. Weights are [outChannels, kernelHeight, kernelWidth, inChannels/groups]. Group g of the channels of y
 * reads group g of the channels of x.
 */
export interface ConvSizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly paddingHeight: number;
  readonly paddingWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly groups: number;
}

/**
 * y[b,i,j,o] = [y +] Σ x[b, i·stride - padding + ky·dilation, ..., c]·w[o,ky,kx,c] [+ bias], then the activation.
 *
 * The reference computes this sum directly. The WebAssembly backend has several algorithms. The shape alone decides
 * which one is used (`algorithmOf` in conv/convolutions.ts). One of them is Winograd's, which has another order of
 * summation. The size of its tiles is the choice of the program (`setConvolutions`).
 */
export interface Conv2d extends ConvSizes {
  readonly x: Ptr;
  readonly w: Ptr;
  /** outChannels values that are added at every position. */
  readonly bias?: Ptr | null;
  readonly activation?: ActivationName;
  readonly out: Target;
}

/**
 * dx = [dx +] the gradient of a convolution to its input, of x's shape [+ bias], then the activation. Bias and
 * activation are for the transposed convolution, which is the same sum.
 */
export interface Conv2dInputGradient extends ConvSizes {
  readonly dy: Ptr;
  readonly w: Ptr;
  /** inChannels values that are added at every position. */
  readonly bias?: Ptr | null;
  readonly activation?: ActivationName;
  readonly out: Target;
}

/** dw = [dw +] the gradient of a convolution to its weights, of w's shape. */
export interface Conv2dWeightGradient extends ConvSizes {
  readonly x: Ptr;
  readonly dy: Ptr;
  readonly out: Target;
}

/** out[n] = [out +] f(x) */
export interface Unary extends Optional<UnaryAttributes> {
  readonly n: number;
  readonly x: Ptr;
  readonly out: Target;
}

/** out[n] = [out +] df(dy, kept). See formulas.ts for `kept`. */
export interface UnaryBackward extends Optional<UnaryAttributes> {
  readonly n: number;
  readonly dy: Ptr;
  readonly kept: Ptr;
  readonly out: Target;
}

/**
 * out[rows,cols] = [out +] f(a, b). A view's column stride is 0 or 1. So one kernel covers equal shapes, and
 * broadcasting over rows, columns and scalars.
 */
export interface Binary {
  readonly rows: number;
  readonly cols: number;
  readonly a: View2d;
  readonly b: View2d;
  readonly out: Target;
}

/** out[rows,cols] = [out +] the derivative to a or to b; dy and y are dense. */
export interface BinaryBackward extends Binary {
  readonly dy: Ptr;
  readonly y: Ptr;
}

/** out[rows,cols] = [out +] (condition ≠ 0 ? a : b), views as in `Binary`. */
export interface Where extends Binary {
  readonly condition: View2d;
}

/**
 * y[i·row + j·col] = [y +] alpha·x[i·row + j·col] over [rows, cols], with any strides. The elements of y must be
 * distinct.
 */
export interface Copy {
  readonly rows: number;
  readonly cols: number;
  readonly alpha: number;
  readonly x: View2d;
  readonly y: View2d;
  readonly accumulate: boolean;
}

/** out[n] = value */
export interface Fill {
  readonly n: number;
  readonly out: Ptr;
  readonly value: number;
}

/** out[outer,inner] = [out +] alpha·reduce over the middle axis of x[outer,n,inner]. */
export interface Reduce {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly x: Ptr;
  readonly alpha: number;
  readonly out: Target;
}

/** out[rows,cols] = softmax of each row of x, or its logarithm. */
export interface Softmax {
  readonly rows: number;
  readonly cols: number;
  readonly x: Ptr;
  readonly out: Ptr;
}

/** out[rows,cols] = [out +] dx. The derivative of softmax reads y, and that of its logarithm reads x. */
export interface SoftmaxBackward {
  readonly rows: number;
  readonly cols: number;
  readonly dy: Ptr;
  readonly kept: Ptr;
  /** Memory for rows·cols elements. */
  readonly scratch: Ptr;
  readonly out: Target;
}

/** Indices as signed 32-bit words. Index (o, j, i) is at o·outer + j·row + i·col. */
export interface IndexView {
  readonly ptr: Ptr;
  readonly outer: number;
  readonly row: number;
  readonly col: number;
}

/** out[o,j,i] = [out +] x[o, index(o,j,i), i] over [outer,m,inner]; x is [outer,n,inner], and indices are in [0, n). */
export interface Gather {
  readonly outer: number;
  readonly n: number;
  readonly m: number;
  readonly inner: number;
  readonly x: Ptr;
  readonly index: IndexView;
  readonly out: Target;
}

/** out[o, index(o,j,i), i] += y[o,j,i] in ascending j; out is [outer,n,inner], and y [outer,m,inner]. */
export interface ScatterAdd {
  readonly outer: number;
  readonly n: number;
  readonly m: number;
  readonly inner: number;
  readonly y: Ptr;
  readonly index: IndexView;
  readonly out: Ptr;
}

/**
 * out[outer,n,inner] = [out +] cumulative sums of x along the middle axis: over the elements up to each, or with
 * `reverse` over the elements from each on.
 */
export interface Cumsum {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly x: Ptr;
  readonly reverse: boolean;
  readonly out: Target;
}

/**
 * dx[o,j,i] = [dx +] dy[o,i]·(the product of x[o,k,i] over k ≠ j): the gradient of `prod`. It is correct also if
 * elements are 0.
 */
export interface ProdBackward {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly x: Ptr;
  readonly dy: Ptr;
  readonly out: Target;
}

/** out[0] = mean of (a - b)² over n elements. */
export interface Mse {
  readonly n: number;
  readonly a: Ptr;
  readonly b: Ptr;
  readonly out: Ptr;
}

/** out[n] = [out +] scale·dy[0]·(a - b) */
export interface MseBackward {
  readonly n: number;
  readonly a: Ptr;
  readonly b: Ptr;
  readonly dy: Ptr;
  readonly scale: number;
  readonly out: Target;
}

/**
 * Pictures [batch,height,width,channels], and six numbers for each that map columns and rows of one picture to another.
 */
interface AffineMaps {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly matrix: Ptr;
}

/** out[b,i,j,c] = x[b], interpolated at column m0·j + m1·i + m2 and row m3·j + m4·i + m5; 0 outside. */
export interface AffineSample extends AffineMaps {
  readonly x: Ptr;
  readonly out: Ptr;
}

/** out[b] += dy[b], where each element of dy is divided between the pixels it was computed from. */
export interface AffineSampleBackward extends AffineMaps {
  readonly dy: Ptr;
  readonly out: Ptr;
}

/**
 * The numbers of one step of Adam, where t is the step number, counted from 1. See assembly/optim.ts for the formula.
 */
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

/** One step of Adam over n parameters p, gradients g, and moments m and v. */
export interface Adam extends AdamStep {
  readonly n: number;
  readonly p: Ptr;
  readonly g: Ptr;
  readonly m: Ptr;
  readonly v: Ptr;
}

/** The numbers of one step of SGD. With `first` the momentum buffer has no contents yet. */
export interface SgdStep {
  readonly lr: number;
  readonly momentum: number;
  readonly dampening: number;
  readonly l2: number;
  readonly nesterov: boolean;
  readonly first: boolean;
}

/** One step of SGD over n parameters p and gradients g; without momentum there is no buffer. */
export interface Sgd extends SgdStep {
  readonly n: number;
  readonly p: Ptr;
  readonly g: Ptr;
  readonly buffer: Ptr | null;
}

/** The numbers of one step of RMSprop: see assembly/optim.ts for the formula. */
export interface RmspropStep {
  readonly lr: number;
  readonly alpha: number;
  readonly eps: number;
  readonly momentum: number;
  readonly l2: number;
}

/** One step of RMSprop over n parameters p, gradients g, and averages v of their squares. */
export interface Rmsprop extends RmspropStep {
  readonly n: number;
  readonly p: Ptr;
  readonly g: Ptr;
  readonly v: Ptr;
  /** Averages of the gradients. They exist if the squares are centred. */
  readonly average: Ptr | null;
  /** The momentum buffer, or null without momentum. */
  readonly buffer: Ptr | null;
}

/**
 * n random numbers of the stream, starting at block `block`. Standard normals use ceil(n/16)·4 blocks. Uniforms in [0,
 * 1) are multiples of 2^-24. Uniforms and 32-bit words use ceil(n/4) blocks.
 */
export interface Random {
  readonly n: number;
  readonly out: Ptr;
  readonly key: Key;
  readonly block: number;
}

/**
 * Steps of Euler-Maruyama for an affine equation. Path p starts at x[p], and a step is x' = x + (A0 + A1·x) + (B0 +
 * B1·x)·z. In step k, z is normal p of the array that `gaussian` makes from block k·stepBlocks. `coefficients`
 * [steps,4] are A0, A1, B0, B1 of each step. State k + 1 is stored at out + k·row elements. With row 0 only the last
 * state is stored, at `out`. Both arrays hold whole groups of sixteen, or are rows of a larger array.
 */
export interface AffinePath {
  readonly n: number;
  readonly steps: number;
  readonly coefficients: Ptr;
  readonly x: Ptr;
  readonly out: Ptr;
  readonly row: number;
  readonly key: Key;
  readonly stepBlocks: number;
}

/** The common fields of group normalisation and its gradient. See assembly/norm/group-norm.ts for the formulas. */
interface Grouped {
  readonly batch: number;
  /** The number of positions of a picture. */
  readonly positions: number;
  /** The number of positions that are added in float32 before float64 is used: a row of a map. At least 1. */
  readonly run: number;
  readonly channels: number;
  /** A divisor of `channels`. */
  readonly groups: number;
  readonly eps: number;
  /** Whether SiLU follows. */
  readonly silu: boolean;
  /** [batch, positions, channels] */
  readonly x: Ptr;
  /** A factor for each channel, or null for 1. */
  readonly weight: Ptr | null;
  /** A term that is added to each channel, or null for 0. */
  readonly bias: Ptr | null;
}

/**
 * out = x, normalised by the mean and the variance of each group of channels of each picture, then scaled and shifted.
 */
export interface GroupNorm extends Grouped {
  readonly out: Ptr;
}

/** out = [out +] dx, unless it is null. sums[2,batch,channels] are dweight and dbias of each picture. */
export interface GroupNormBackward extends Grouped {
  readonly dy: Ptr;
  readonly sums: Ptr | null;
  readonly out: Target | null;
}

/**
 * The sizes of a pooling of pictures [batch, height, width, channels]. The result is [batch, h, w, channels] with h =
 * ⌊(height + 2·paddingHeight - kernelHeight)/strideHeight⌋ + 1, and w in the same way. Padding is at most half the
 * kernel, so each window has a pixel of the map.
 */
export interface PoolSizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly paddingHeight: number;
  readonly paddingWidth: number;
}

/** The common fields of sums of windows and of their gradient. */
interface Averaged extends PoolSizes {
  /** A factor of each sum. */
  readonly alpha: number;
  /** Whether each sum is divided by the number of pixels of its window that lie inside the map. */
  readonly inside: boolean;
}

/** y = [y +] alpha·the sum of each window of x, or alpha·its mean. */
export interface AveragePool extends Averaged {
  readonly x: Ptr;
  readonly out: Target;
}

/** dx = [dx +] the gradient of sums or means, of x's shape. */
export interface AveragePoolBackward extends Averaged {
  readonly dy: Ptr;
  readonly out: Target;
}

/** y = the maximum of each window of x; a NaN is the largest. */
export interface MaxPool extends PoolSizes {
  readonly x: Ptr;
  readonly out: Ptr;
}

/** dx = [dx +] dy at the first pixel of each window, row by row, that equals its maximum y. */
export interface MaxPoolBackward extends PoolSizes {
  readonly x: Ptr;
  readonly y: Ptr;
  readonly dy: Ptr;
  readonly out: Target;
}

/**
 * Between x[batch, height, width, channels·factor²] and y[batch, height·factor, width·factor, channels]: y[b, h·r + ry,
 * w·r + rx, c] = x[b, h, w, c·r² + ry·r + rx] with r the factor. `height` and `width` are those of x, and `channels`
 * those of y.
 */
export interface PixelShuffle {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly factor: number;
  readonly x: Ptr;
  readonly out: Target;
}

/** Rows of contiguous channels, `row` elements apart. */
export interface Rows {
  readonly ptr: Ptr;
  readonly row: number;
}

/** Rows that receive a gradient. */
export interface RowTarget extends Rows {
  readonly accumulate: boolean;
}

/** How a mask changes scores: `where` hides the keys at which it is 0, and `add` is added to the scores. */
export const MASK_KIND = ['none', 'where', 'add'] as const;
export type MaskKind = (typeof MASK_KIND)[number];

/**
 * mask[batch, heads, queries, keys] with three strides in elements. A stride is 0 along an axis that repeats. Keys are
 * contiguous.
 */
export interface AttentionMask {
  readonly ptr: Ptr;
  readonly kind: MaskKind;
  readonly batch: number;
  readonly head: number;
  readonly row: number;
}

/** The common fields of attention and its gradient. See assembly/attention/attention.ts for the formulas. */
interface Attending {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** The number of channels of a head of queries and keys. */
  readonly dim: number;
  /** The number of channels of a head of values. */
  readonly valueDim: number;
  /** The factor of the products of queries and keys. */
  readonly scale: number;
  /** Whether query i uses only the keys 0 to i. */
  readonly causal: boolean;
  /** [batch, queries, heads·dim] */
  readonly q: Rows;
  /** [batch, keys, heads·dim] */
  readonly k: Rows;
  /** [batch, keys, heads·valueDim] */
  readonly v: Rows;
  readonly mask: AttentionMask;
}

/** out[batch, queries, heads·valueDim] = the values of each head, weighted by softmax(scale·q·kᵀ) over the keys. */
export interface Attention extends Attending {
  readonly out: Ptr;
}

/**
 * dq, dk, dv = [themselves +] the gradients, for those that are not null. ds[batch, heads, queries, keys] is the
 * gradient of the scores.
 */
export interface AttentionBackward extends Attending {
  /** [batch, queries, heads·valueDim] */
  readonly dy: Ptr;
  readonly dq: RowTarget | null;
  readonly dk: RowTarget | null;
  readonly dv: RowTarget | null;
  readonly ds: Ptr | null;
}

export interface Kernels {
  gemm(record: Gemm): void;
  gemmBatch(record: GemmBatch): void;
  conv2d(record: Conv2d): void;
  conv2dInputGradient(record: Conv2dInputGradient): void;
  conv2dWeightGradient(record: Conv2dWeightGradient): void;
  unary(name: UnaryName, record: Unary): void;
  unaryBackward(name: UnaryName, record: UnaryBackward): void;
  binary(name: BinaryName, record: Binary): void;
  /** The derivative with respect to a or b. */
  binaryBackward(name: NonlinearName, operand: 'a' | 'b', record: BinaryBackward): void;
  where(record: Where): void;
  copy(record: Copy): void;
  fill(record: Fill): void;
  reduce(name: ReduceName, record: Reduce): void;
  softmax(name: SoftmaxName, record: Softmax): void;
  softmaxBackward(name: SoftmaxName, record: SoftmaxBackward): void;
  gather(record: Gather): void;
  scatterAdd(record: ScatterAdd): void;
  cumsum(record: Cumsum): void;
  prodBackward(record: ProdBackward): void;
  mse(record: Mse): void;
  mseBackward(record: MseBackward): void;
  affineSample(record: AffineSample): void;
  affineSampleBackward(record: AffineSampleBackward): void;
  adam(record: Adam): void;
  sgd(record: Sgd): void;
  rmsprop(record: Rmsprop): void;
  random(name: RandomName, record: Random): void;
  /**
   * As `random`, but other threads may draw the numbers while the caller continues. The caller must call the returned
   * function once. When it returns, the numbers are there, unless a call threw before. Until then no code may use their
   * memory.
   */
  randomAhead(name: RandomName, record: Random): () => void;
  affinePath(record: AffinePath): void;
  groupNorm(record: GroupNorm): void;
  groupNormBackward(record: GroupNormBackward): void;
  averagePool(record: AveragePool): void;
  averagePoolBackward(record: AveragePoolBackward): void;
  maxPool(record: MaxPool): void;
  maxPoolBackward(record: MaxPoolBackward): void;
  /** y from x. */
  pixelShuffle(record: PixelShuffle): void;
  /** x from y, which is its gradient. */
  pixelUnshuffle(record: PixelShuffle): void;
  attention(record: Attention): void;
  attentionBackward(record: AttentionBackward): void;
}

/**
 * The number of positions of a kernel of `taps` along a side of `size`, which is the size of the result. It is < 1 if
 * the kernel does not fit.
 */
export function convSize(
  size: number,
  taps: number,
  stride: number,
  padding: number,
  dilation: number,
): number {
  return Math.floor((size + 2 * padding - dilation * (taps - 1) - 1) / stride) + 1;
}

/** Height and width of a convolution's result. */
export function convPlaces(s: ConvSizes): readonly [height: number, width: number] {
  return [
    convSize(s.height, s.kernelHeight, s.strideHeight, s.paddingHeight, s.dilationHeight),
    convSize(s.width, s.kernelWidth, s.strideWidth, s.paddingWidth, s.dilationWidth),
  ];
}

/** Height and width of a pooling's result. */
export function poolPlaces(s: PoolSizes): readonly [height: number, width: number] {
  return [
    convSize(s.height, s.kernelHeight, s.strideHeight, s.paddingHeight, 1),
    convSize(s.width, s.kernelWidth, s.strideWidth, s.paddingWidth, 1),
  ];
}

/** A matrix operand that is stored in the order of its use. */
export const stored = (ptr: Ptr): Matrix => ({ ptr, transposed: false });

/** The transpose of a stored matrix. */
export const transposed = (ptr: Ptr): Matrix => ({ ptr, transposed: true });

/** A dense array of n elements as one row. */
export function rowOf(ptr: Ptr, n: number): View2d {
  return { ptr, row: n, col: 1 };
}

/** Copies n elements from x to y, or adds them. */
export function copyArray(k: Kernels, n: number, x: Ptr, y: Target, alpha = 1): void {
  k.copy({ rows: 1, cols: n, alpha, x: rowOf(x, n), y: rowOf(y.ptr, n), accumulate: y.accumulate });
}
