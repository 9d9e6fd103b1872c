/**
 * The records from which the exported kernels read their arguments. The caller writes a record into memory and calls
 * `kernel(from, to, record)`. The kernel does the items [from, to) of the work. All threads read the same record.
 *
 * src/backend/abi.ts has the same fields in the same order, and writes them. test/abi.test.ts compares the two. The
 * layout is C's: each field is at the next multiple of its size. A flag is an i32, 0 or 1. A `usize` is an address. Row
 * and column strides are in elements. All records are in one file, because the test compares this list with the table.
 */

/** C[m,n] = [C +] op(A)·op(B) [+ bias], then an activation. `aT`: A is stored [k,m]; `bT`: B is stored [n,k]. */
@unmanaged
export class GemmRecord {
  m: i32;
  n: i32;
  k: i32;
  a: usize;
  aT: i32;
  b: usize;
  bT: i32;
  /** n values that are added to every row, or 0. */
  bias: usize;
  /** A code of elementwise/activation.ts. */
  activation: i32;
  out: usize;
  accumulate: i32;
}

/**
 * `batch` products C = [C +] op(A)·op(B) of one shape. Their operands are `aStep`, `bStep` and `outStep` elements
 * apart.
 */
@unmanaged
export class GemmBatchRecord extends GemmRecord {
  batch: i32;
  aStep: i32;
  bStep: i32;
  outStep: i32;
}

/** out[n] = [out +] f(x); lo and hi are the bounds of clamp, slope that of leakyRelu. */
@unmanaged
export class UnaryRecord {
  n: i32;
  x: usize;
  out: usize;
  accumulate: i32;
  lo: f32;
  hi: f32;
  slope: f32;
}

/** out[n] = [out +] f'(dy, kept), where `kept` is the x or the y of the forward pass. */
@unmanaged
export class UnaryBackwardRecord {
  n: i32;
  dy: usize;
  kept: usize;
  out: usize;
  accumulate: i32;
  lo: f32;
  hi: f32;
  slope: f32;
}

/** out[rows,cols] = [out +] f(a, b), `out` dense; a column stride is 0 or 1. */
@unmanaged
export class BinaryRecord {
  rows: i32;
  cols: i32;
  a: usize;
  aRow: i32;
  aCol: i32;
  b: usize;
  bRow: i32;
  bCol: i32;
  out: usize;
  accumulate: i32;
}

/** out[rows,cols] = [out +] df(dy, a, b, y); `dy`, `y` and `out` dense. */
@unmanaged
export class BinaryBackwardRecord {
  rows: i32;
  cols: i32;
  dy: usize;
  y: usize;
  a: usize;
  aRow: i32;
  aCol: i32;
  b: usize;
  bRow: i32;
  bCol: i32;
  out: usize;
  accumulate: i32;
}

/** out[rows,cols] = [out +] (condition ≠ 0 ? a : b). */
@unmanaged
export class WhereRecord {
  rows: i32;
  cols: i32;
  condition: usize;
  conditionRow: i32;
  conditionCol: i32;
  a: usize;
  aRow: i32;
  aCol: i32;
  b: usize;
  bRow: i32;
  bCol: i32;
  out: usize;
  accumulate: i32;
}

/** out[rows,cols] = softmax of each row of x, or its logarithm. */
@unmanaged
export class SoftmaxRecord {
  rows: i32;
  cols: i32;
  x: usize;
  out: usize;
}

/** out[rows,cols] = [out +] the gradient of softmax or its logarithm; `scratch` holds as many elements. */
@unmanaged
export class SoftmaxBackwardRecord {
  rows: i32;
  cols: i32;
  dy: usize;
  kept: usize;
  scratch: usize;
  out: usize;
  accumulate: i32;
}

/** out[outer,m,inner] = [out +] elements of x[outer,n,inner]. The indices have three strides: see gather.ts. */
@unmanaged
export class GatherRecord {
  outer: i32;
  n: i32;
  m: i32;
  inner: i32;
  x: usize;
  index: usize;
  indexOuter: i32;
  indexRow: i32;
  indexCol: i32;
  out: usize;
  accumulate: i32;
}

/** out[outer,n,inner] += elements of y[outer,m,inner], with indices as in GatherRecord. */
@unmanaged
export class ScatterAddRecord {
  outer: i32;
  n: i32;
  m: i32;
  inner: i32;
  y: usize;
  index: usize;
  indexOuter: i32;
  indexRow: i32;
  indexCol: i32;
  out: usize;
}

/** out[outer,n,inner] = [out +] cumulative sums of x along the middle axis. */
@unmanaged
export class CumsumRecord {
  outer: i32;
  n: i32;
  inner: i32;
  x: usize;
  reverse: i32;
  out: usize;
  accumulate: i32;
}

/** y[rows,cols] = [y +] alpha·x, both with any strides. */
@unmanaged
export class CopyRecord {
  rows: i32;
  cols: i32;
  alpha: f32;
  x: usize;
  xRow: i32;
  xCol: i32;
  y: usize;
  yRow: i32;
  yCol: i32;
  accumulate: i32;
}

/** out[n] = value */
@unmanaged
export class FillRecord {
  n: i32;
  out: usize;
  value: f32;
}

/** out[outer,inner] = [out +] alpha·reduce over n of x[outer,n,inner]. */
@unmanaged
export class ReduceRecord {
  outer: i32;
  n: i32;
  inner: i32;
  x: usize;
  alpha: f32;
  out: usize;
  accumulate: i32;
}

/**
 * dx[outer,n,inner] = [dx +] dy[outer,inner]·(the product of the others along n). `prefix` holds n float64 for each
 * column.
 */
@unmanaged
export class ProdBackwardRecord {
  outer: i32;
  n: i32;
  inner: i32;
  x: usize;
  dy: usize;
  prefix: usize;
  out: usize;
  accumulate: i32;
}

/** partials[i] = the sum of block i of x[n], in float64. */
@unmanaged
export class SumBlocksRecord {
  n: i32;
  x: usize;
  partials: usize;
}

/** partials[i] = the sum over block i of (a - b)², in float64. */
@unmanaged
export class SquaredErrorBlocksRecord {
  n: i32;
  a: usize;
  b: usize;
  partials: usize;
}

/** out[0] = [out[0] +] alpha·total */
@unmanaged
export class TotalRecord {
  total: f64;
  alpha: f32;
  out: usize;
  accumulate: i32;
}

/** out[0] = mean of (a - b)² over n elements. */
@unmanaged
export class MseRecord {
  n: i32;
  a: usize;
  b: usize;
  out: usize;
}

/** out[n] = [out +] scale·dy[0]·(a - b) */
@unmanaged
export class MseBackwardRecord {
  n: i32;
  a: usize;
  b: usize;
  dy: usize;
  scale: f32;
  out: usize;
  accumulate: i32;
}

/** One step of Adam over n parameters: see optim.ts. */
@unmanaged
export class AdamRecord {
  n: i32;
  p: usize;
  g: usize;
  m: usize;
  v: usize;
  stepSize: f32;
  beta1: f64;
  beta2: f64;
  eps: f32;
  correction: f32;
  l2: f32;
  shrink: f32;
}

/** One step of SGD over n parameters: see optim.ts. `buffer` is not read if `momentum` is 0. */
@unmanaged
export class SgdRecord {
  n: i32;
  p: usize;
  g: usize;
  buffer: usize;
  lr: f32;
  momentum: f32;
  dampening: f32;
  l2: f32;
  nesterov: i32;
  first: i32;
}

/**
 * One step of RMSprop over n parameters: see optim.ts. `average` is 0 if not centred, and `buffer` is 0 without
 * momentum.
 */
@unmanaged
export class RmspropRecord {
  n: i32;
  p: usize;
  g: usize;
  v: usize;
  average: usize;
  buffer: usize;
  lr: f32;
  alpha: f64;
  eps: f32;
  momentum: f32;
  l2: f32;
}

/**
 * out[batch,height,width,channels] = x, sampled with six numbers of `matrix` for each picture: see affine-sample.ts.
 */
@unmanaged
export class AffineSampleRecord {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  x: usize;
  matrix: usize;
  out: usize;
}

/** out += the derivative of affineSample to x. */
@unmanaged
export class AffineSampleBackwardRecord {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  dy: usize;
  matrix: usize;
  out: usize;
}

/** n random numbers of a stream, starting at block `block`. */
@unmanaged
export class RandomRecord {
  n: i32;
  out: usize;
  seed: u64;
  stream: u64;
  block: u64;
}

/** Steps of an affine equation: see sde.ts. `row` is in elements; `coefficients` are four float32 for each step. */
@unmanaged
export class AffinePathRecord {
  n: i32;
  steps: i32;
  coefficients: usize;
  x: usize;
  out: usize;
  row: i32;
  seed: u64;
  stream: u64;
  stepBlocks: i32;
}

/** y = group normalisation of x[batch,positions,channels]: see norm/group-norm.ts. `weight` and `bias` may be 0. */
@unmanaged
export class GroupNormRecord {
  batch: i32;
  positions: i32;
  run: i32;
  channels: i32;
  groups: i32;
  eps: f64;
  silu: i32;
  x: usize;
  weight: usize;
  bias: usize;
  out: usize;
  workspace: usize;
  workspaceBytes: i32;
}

/**
 * Its gradients. dx is not computed if `out` is 0. Each picture's parts of the gradients of weight and bias are not
 * computed if `sums` is 0.
 */
@unmanaged
export class GroupNormBackwardRecord {
  batch: i32;
  positions: i32;
  run: i32;
  channels: i32;
  groups: i32;
  eps: f64;
  silu: i32;
  x: usize;
  weight: usize;
  bias: usize;
  dy: usize;
  sums: usize;
  out: usize;
  accumulate: i32;
  workspace: usize;
  workspaceBytes: i32;
}

/** The sizes of a pooling of x[batch,height,width,channels]. */
@unmanaged
export class PoolSizes {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
  paddingHeight: i32;
  paddingWidth: i32;
}

/** y = [y +] alpha·(the sum, or the mean of the pixels inside) of each window of x. */
@unmanaged
export class AveragePoolRecord extends PoolSizes {
  alpha: f32;
  inside: i32;
  x: usize;
  out: usize;
  accumulate: i32;
}

/** dx = [dx +] the gradient of AveragePoolRecord. */
@unmanaged
export class AveragePoolBackwardRecord extends PoolSizes {
  alpha: f32;
  inside: i32;
  dy: usize;
  out: usize;
  accumulate: i32;
}

/** y = the maximum of each window of x. */
@unmanaged
export class MaxPoolRecord extends PoolSizes {
  x: usize;
  out: usize;
}

/** dx = [dx +] dy, at the pixels that are the maxima. */
@unmanaged
export class MaxPoolBackwardRecord extends PoolSizes {
  x: usize;
  y: usize;
  dy: usize;
  out: usize;
  accumulate: i32;
}

/** Pictures x[batch,height,width,channels·factor²] and y[batch,height·factor,width·factor,channels]. */
@unmanaged
export class PixelShuffleRecord {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  factor: i32;
  x: usize;
  out: usize;
  accumulate: i32;
}

/** The sizes of a convolution. */
@unmanaged
export class ConvSizes {
  batch: i32;
  height: i32;
  width: i32;
  inChannels: i32;
  outChannels: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideHeight: i32;
  strideWidth: i32;
  paddingHeight: i32;
  paddingWidth: i32;
  dilationHeight: i32;
  dilationWidth: i32;
  groups: i32;
}

/** y[batch,h,w,out] = [y +] the convolution of x[batch,height,width,in] with w[out,kh,kw,in/groups] [+ bias], then an activation. */
@unmanaged
export class Conv2dRecord extends ConvSizes {
  x: usize;
  w: usize;
  /** outChannels values, or 0. */
  bias: usize;
  activation: i32;
  out: usize;
  accumulate: i32;
}

/** dx = [dx +] the gradient of a convolution to its input [+ bias], then an activation. */
@unmanaged
export class Conv2dInputGradientRecord extends ConvSizes {
  dy: usize;
  w: usize;
  /** inChannels values, or 0. */
  bias: usize;
  activation: i32;
  out: usize;
  accumulate: i32;
}

/** dw = [dw +] the gradient of a convolution to its weights. */
@unmanaged
export class Conv2dWeightGradientRecord extends ConvSizes {
  x: usize;
  dy: usize;
  out: usize;
  accumulate: i32;
}

/** The filters of a 3x3 convolution, n columns of k channels each, transformed by Winograd: conv/winograd/filter.ts. */
@unmanaged
export class WinogradFilterRecord {
  k: i32;
  n: i32;
  /** Whether w is [k, 3, 3, n] and has to be rotated by 180 degrees; else it is [n, 3, 3, k]. */
  turned: i32;
  /** The results along a side of a tile: 2 or 4. */
  tile: i32;
  w: usize;
  out: usize;
}

/** Pictures x, the map of results, and the place in x that its position (0, 0) reads. */
@unmanaged
export class ConvMaps {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  rows: i32;
  columns: i32;
  outChannels: i32;
  top: i32;
  left: i32;
  x: usize;
}

/** A convolution that reads or writes a thin map, which has few channels. */
@unmanaged
export class ThinRecord extends ConvMaps {
  /**
   * Whether w is [channels, 3, 3, outChannels] and has to be rotated by 180 degrees; else it is [outChannels, 3, 3,
   * channels].
   */
  turned: i32;
  w: usize;
  /** outChannels values, or 0. */
  bias: usize;
  activation: i32;
  out: usize;
  accumulate: i32;
}

/** Maps, and memory for each thread. */
@unmanaged
export class WinogradMaps extends ConvMaps {
  workspace: usize;
  workspaceBytes: i32;
}

/** The convolution of x with transformed filters [+ bias], then an activation. */
@unmanaged
export class WinogradRecord extends WinogradMaps {
  filters: usize;
  /** outChannels values, or 0. */
  bias: usize;
  activation: i32;
  out: usize;
  accumulate: i32;
}

/**
 * The sums of products over tiles, divided into groups: sums[groups, 16, outChannels, channels], with rows of whole
 * register tiles.
 */
@unmanaged
export class WinogradSumsRecord extends WinogradMaps {
  dy: usize;
  groups: i32;
  sums: usize;
}

/** The gradient to the weights, from the sums. */
@unmanaged
export class WinogradWeightGradientRecord {
  channels: i32;
  outChannels: i32;
  groups: i32;
  sums: usize;
  out: usize;
  accumulate: i32;
}

/** `items` pieces of work for the multiply-add peak, each of `turns` turns. */
@unmanaged
export class PeakRecord {
  items: i32;
  turns: i32;
}

/**
 * The operands of attention: queries, keys and values [batch, tokens, heads·dim]. Their rows are `...Row` elements
 * apart. mask[batch, heads, queries, keys] has three strides. A stride is 0 along an axis that repeats. The keys of a
 * mask are contiguous. `maskKind` is 0 without a mask. It is 1 for a mask that is 0 where a key is hidden, and 2 for a
 * mask that is added to the scores.
 */
@unmanaged
export class AttentionSizes {
  batch: i32;
  heads: i32;
  queries: i32;
  keys: i32;
  dim: i32;
  valueDim: i32;
  scale: f32;
  causal: i32;
  q: usize;
  qRow: i32;
  k: usize;
  kRow: i32;
  v: usize;
  vRow: i32;
  mask: usize;
  maskKind: i32;
  maskBatch: i32;
  maskHead: i32;
  maskRow: i32;
}

/** out[batch, queries, heads·valueDim] = attention: see attention/attention.ts. */
@unmanaged
export class AttentionRecord extends AttentionSizes {
  out: usize;
  workspace: usize;
  workspaceBytes: i32;
}

/**
 * Its gradients. dq, dk and dv are computed unless they are 0. So is ds[batch, heads, queries, keys], the gradient of
 * the masked scores.
 */
@unmanaged
export class AttentionBackwardRecord extends AttentionSizes {
  dy: usize;
  dq: usize;
  dqRow: i32;
  dqAccumulate: i32;
  dk: usize;
  dkRow: i32;
  dkAccumulate: i32;
  dv: usize;
  dvRow: i32;
  dvAccumulate: i32;
  ds: usize;
  workspace: usize;
  workspaceBytes: i32;
}

/**
 * A map x[batch,height,width,channels], and for each tap the pixels that the positions of a grid [batch,rows,columns]
 * read: see conv/taps.ts.
 */
@unmanaged
export class TapMap {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  rows: i32;
  columns: i32;
  tapsY: i32;
  tapsX: i32;
  strideY: i32;
  strideX: i32;
  offsetY: i32;
  offsetX: i32;
  stepY: i32;
  stepX: i32;
  /** Distances in elements in a row of the matrix: from one tap to the next, and from one channel to the next. */
  tapStep: i32;
  channelStep: i32;
  x: usize;
}

/** out[batch·rows·columns, tapsY·tapsX·channels]. */
@unmanaged
export class GatherTapsRecord extends TapMap {
  out: usize;
}

/** out[batch,rows,columns,channels] = [out +] sums of x[batch,height,width,tapsY·tapsX·channels] [+ bias], then an activation. */
@unmanaged
export class SumTapsRecord extends TapMap {
  /** `channels` values, or 0. */
  bias: usize;
  activation: i32;
  out: usize;
  accumulate: i32;
}

/** A depthwise convolution of x with w[kh,kw,channels], or its gradient to the input, which reads dy as x. */
@unmanaged
export class DepthwiseRecord extends ConvSizes {
  x: usize;
  w: usize;
  /** One value a channel, or 0. */
  bias: usize;
  activation: i32;
  out: usize;
  accumulate: i32;
  workspace: usize;
  workspaceBytes: i32;
}

/** out[kh,kw,channels] = the gradient of a depthwise convolution to its weights. */
@unmanaged
export class DepthwiseWeightGradientRecord extends ConvSizes {
  x: usize;
  dy: usize;
  out: usize;
  workspace: usize;
  workspaceBytes: i32;
}
