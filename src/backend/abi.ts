/**
 * The ABI of the kernels in one table. For each exported function it has the fields of its record, in the order in
 * which assembly/records.ts declares them, and the partition of its work. Writing records and sharing work between
 * threads both follow from the table. test/abi.test.ts compares the table with the exported functions, field by field.
 *
 * A field of the contract (kernels.ts) becomes one or several words of the record. A matrix becomes its address and
 * whether it is transposed. A view becomes its address and two strides. A target becomes its address and whether it
 * accumulates. A key becomes its seed and stream.
 *
 * An entry lists its fields as calls of a `Writer`. `RecordWriter` writes them to memory, and `LayoutWriter` collects
 * their names and places. With a list of names and types a second writer would not be needed. But reading fields by
 * name in a loop costs ten times as much, and that would slow down small tensors. The two writers are in this file,
 * because each defines what a type of field is in memory. The file is long because the table has a line for each
 * kernel.
 */
import * as D from './conv/depthwise.ts';
import type { ConvMaps } from './conv/maps.ts';
import * as T from './conv/taps.ts';
import * as C from './conv/thin.ts';
import * as W from './conv/winograd.ts';
import { ACTIVATION, NONLINEAR, UNARY, type UnaryName } from './formulas.ts';
import type * as K from './kernels.ts';
import { BINARY, type BinaryName, MASK_KIND, RANDOM, REDUCE, SOFTMAX, type SoftmaxName } from './kernels.ts';
import {
  attentionRanges,
  type Bounds,
  convBoxes,
  EXPENSIVE_GRAIN,
  even,
  GRAIN,
  gemmBatches,
  gemmBoxes,
  NORMAL_GRAIN,
  pathRanges,
  poolRanges,
  REDUCE_GRAIN,
  ranges,
  rowRanges,
  scatterBoxes,
} from './partition.ts';

/** Receives the fields of a record one after the other. A field that is not given is 0. */
export interface Writer {
  i32(value: number): Writer;
  f32(value: number | undefined): Writer;
  f64(value: number): Writer;
  u64(value: number): Writer;
  flag(value: boolean): Writer;
  ptr(value: K.Ptr | null | undefined): Writer;
  activation(value: K.ActivationName | undefined): Writer;
  matrix(value: K.Matrix): Writer;
  view(value: K.View2d): Writer;
  target(value: K.Target): Writer;
  indices(value: K.IndexView): Writer;
  key(value: K.Key): Writer;
  rows(value: K.Rows): Writer;
  rowTarget(value: K.RowTarget | null): Writer;
  mask(value: K.AttentionMask): Writer;
}

export interface KernelAbi<R = never> {
  /** Passes each field of the record to the writer, in order. */
  write(to: Writer, record: R): Writer;
  /** The chunks of the work that a record describes. */
  partition(record: R): Bounds[];
}

const kernel = <R>(write: KernelAbi<R>['write'], partition: KernelAbi<R>['partition']): KernelAbi<R> => ({
  write,
  partition,
});

const family = <N extends string, R>(names: readonly N[], of: (name: N) => KernelAbi<R>) =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<N, KernelAbi<R>>;

/** Functions that cost so much per element that a smaller chunk is worth a thread. */
const EXPENSIVE: ReadonlySet<string> = new Set([
  'exp',
  'log',
  'sigmoid',
  'tanh',
  'silu',
  'sin',
  'cos',
  'erf',
  'gelu',
  'softplus',
  'pow',
  ...['silu', 'sin', 'cos', 'erf', 'gelu', 'softplus'].map((name) => `${name}Backward`),
]);
const grainOf = (name: string) => (EXPENSIVE.has(name) ? EXPENSIVE_GRAIN : GRAIN);

const elements =
  (grain: number) =>
  ({ n }: { readonly n: number }) =>
    ranges(n, 1, grain);
const planes = (grain: number) => (record: { readonly rows: number; readonly cols: number }) =>
  rowRanges(record, grain);
/** Whole pictures, because their elements are expensive. */
const pictures = ({ batch, height, width, channels }: K.AffineSample | K.AffineSampleBackward) =>
  ranges(batch, height * width * channels, EXPENSIVE_GRAIN);
/** Work that stays on one thread. */
const whole = (): Bounds[] => [[0, 1]];

/** The number of elements that assembly/reduce/ adds in float32. Their sums are added in float64. */
export const SUM_BLOCK = 4096;
const blocks = ({ n }: { readonly n: number }) => ranges(Math.ceil(n / SUM_BLOCK), SUM_BLOCK, REDUCE_GRAIN);

/** The loops that measure the multiply-add peak: how many, and the turns of each. */
interface Peak {
  readonly items: number;
  readonly turns: number;
}

/** The number of queries for which assembly/attention/attention-backward.ts stores probabilities at a time. */
export const QUERY_CHUNK = 256;

/** Partial sums of a long row, which the WebAssembly backend adds in order. */
export interface SumBlocks {
  readonly n: number;
  readonly x: K.Ptr;
  readonly partials: K.Ptr;
}
export interface SquaredErrorBlocks {
  readonly n: number;
  readonly a: K.Ptr;
  readonly b: K.Ptr;
  readonly partials: K.Ptr;
}
export interface Total {
  readonly total: number;
  readonly alpha: number;
  readonly out: K.Target;
}

/** The gradient of products. It has memory for the products of all elements before each element. */
export interface ProdBackward extends K.ProdBackward {
  /** Memory for outer·n·inner float64. */
  readonly prefix: K.Ptr;
}

/** A record with memory for each thread. The size depends on the record's shapes. */
export interface Workspace {
  readonly workspace: K.Ptr;
  readonly workspaceBytes: number;
}

const NOWHERE: K.Target = { ptr: 0, accumulate: false };
/** Whole maps of group normalisation. */
const maps = ({ batch, positions, channels }: K.GroupNorm | K.GroupNormBackward) =>
  ranges(batch, positions * channels, EXPENSIVE_GRAIN);

const sumBlocks = kernel<SumBlocks>((w, { n, x, partials }) => w.i32(n).ptr(x).ptr(partials), blocks);

const unaryBackwardName = <N extends UnaryName>(name: N) => `${name}Backward` as const;
const binaryBackwardNames = NONLINEAR.flatMap((name) => [`${name}BackwardA`, `${name}BackwardB`] as const);

const softmaxBackwardName = <N extends SoftmaxName>(name: N) => `${name}Backward` as const;

const gemm = kernel<K.Gemm>(
  (w, { m, n, k, a, b, bias, activation, out }) =>
    w.i32(m).i32(n).i32(k).matrix(a).matrix(b).ptr(bias).activation(activation).target(out),
  gemmBoxes,
);

/** The sizes at the start of a convolution's record. */
const convSizes = (w: Writer, sizes: K.ConvSizes): Writer => {
  const { batch, height, width, inChannels, outChannels, kernelHeight, kernelWidth } = sizes;
  const { strideHeight, strideWidth, paddingHeight, paddingWidth, dilationHeight, dilationWidth } = sizes;
  w.i32(batch).i32(height).i32(width).i32(inChannels).i32(outChannels).i32(kernelHeight).i32(kernelWidth);
  w.i32(strideHeight).i32(strideWidth).i32(paddingHeight).i32(paddingWidth);
  return w.i32(dilationHeight).i32(dilationWidth).i32(sizes.groups);
};

/** The maps at the start of a convolution's record. */
const convMaps = (w: Writer, maps: ConvMaps): Writer => {
  const { batch, height, width, channels, rows, columns, outChannels, top, left } = maps;
  w.i32(batch)
    .i32(height)
    .i32(width)
    .i32(channels)
    .i32(rows)
    .i32(columns)
    .i32(outChannels)
    .i32(top)
    .i32(left);
  return w.ptr(maps.x);
};
const winogradMaps = (w: Writer, maps: ConvMaps & Workspace): Writer =>
  convMaps(w, maps).ptr(maps.workspace).i32(maps.workspaceBytes);
const winograd = (w: Writer, record: W.Winograd & Workspace): Writer => {
  const { filters, bias, activation, out } = record;
  return winogradMaps(w, record).ptr(filters).ptr(bias).activation(activation).target(out);
};

const depthwise = (w: Writer, record: D.Depthwise & Workspace): Writer => {
  const { x, w: weights, bias, activation, out, workspace, workspaceBytes } = record;
  convSizes(w, record).ptr(x).ptr(weights).ptr(bias).activation(activation).target(out);
  return w.ptr(workspace).i32(workspaceBytes);
};

/** The sizes at the start of a pooling's record. */
const poolSizes = (w: Writer, sizes: K.PoolSizes): Writer => {
  const { batch, height, width, channels, kernelHeight, kernelWidth } = sizes;
  const { strideHeight, strideWidth, paddingHeight, paddingWidth } = sizes;
  w.i32(batch).i32(height).i32(width).i32(channels).i32(kernelHeight).i32(kernelWidth);
  return w.i32(strideHeight).i32(strideWidth).i32(paddingHeight).i32(paddingWidth);
};

const pixels = kernel<K.PixelShuffle>(
  (w, { batch, height, width, channels, factor, x, out }) =>
    w.i32(batch).i32(height).i32(width).i32(channels).i32(factor).ptr(x).target(out),
  ({ batch, height, width, channels, factor }) =>
    ranges(batch * height, width * channels * factor ** 2, GRAIN),
);

/** The fields at the start of attention's records. */
const attending = (w: Writer, record: K.Attention | K.AttentionBackward): Writer => {
  const { batch, heads, queries, keys, dim, valueDim, scale, causal, q, k, v, mask } = record;
  w.i32(batch).i32(heads).i32(queries).i32(keys).i32(dim).i32(valueDim).f32(scale).flag(causal);
  return w.rows(q).rows(k).rows(v).mask(mask);
};

/** The map at the start of the records of taps. */
const tapMap = (w: Writer, map: T.TapMap): Writer => {
  const { batch, height, width, channels, rows, columns, tapsY, tapsX } = map;
  const { strideY, strideX, offsetY, offsetX, stepY, stepX, tapStep, channelStep } = map;
  w.i32(batch).i32(height).i32(width).i32(channels).i32(rows).i32(columns).i32(tapsY).i32(tapsX);
  w.i32(strideY).i32(strideX).i32(offsetY).i32(offsetX).i32(stepY).i32(stepX);
  return w.i32(tapStep).i32(channelStep);
};

/** All exported kernels. */
export const ABI = {
  gemm,
  gemmBatch: kernel<K.GemmBatch>((w, record) => {
    const { batch, aStep, bStep, outStep } = record;
    return gemm.write(w, record).i32(batch).i32(aStep).i32(bStep).i32(outStep);
  }, gemmBatches),
  conv2d: kernel<K.Conv2d>((w, record) => {
    const { x, w: weights, bias, activation, out } = record;
    return convSizes(w, record).ptr(x).ptr(weights).ptr(bias).activation(activation).target(out);
  }, convBoxes.forward),
  conv2dInputGradient: kernel<K.Conv2dInputGradient>((w, record) => {
    const { dy, w: weights, bias, activation, out } = record;
    return convSizes(w, record).ptr(dy).ptr(weights).ptr(bias).activation(activation).target(out);
  }, convBoxes.input),
  conv2dWeightGradient: kernel<K.Conv2dWeightGradient>(
    (w, record) => convSizes(w, record).ptr(record.x).ptr(record.dy).target(record.out),
    convBoxes.weights,
  ),
  gatherTaps: kernel<T.GatherTaps>(
    (w, record) => tapMap(w, record).ptr(record.x).ptr(record.out),
    T.tapLines,
  ),
  sumTaps: kernel<T.SumTaps>((w, record) => {
    const { x, bias, activation, out } = record;
    return tapMap(w, record).ptr(x).ptr(bias).activation(activation).target(out);
  }, T.tapLines),
  conv2dThinWeightGradient: kernel<K.Conv2dWeightGradient>(
    (w, record) => convSizes(w, record).ptr(record.x).ptr(record.dy).target(record.out),
    C.thinChannels,
  ),
  conv2dThin: kernel<C.Thin>((w, record) => {
    const { turned, w: weights, bias, activation, out } = record;
    return convMaps(w, record).flag(turned).ptr(weights).ptr(bias).activation(activation).target(out);
  }, C.thinPictures),
  winogradFilter: kernel<W.WinogradFilter>(
    (w, { k, n, turned, tile, w: weights, out }) =>
      w.i32(k).i32(n).flag(turned).i32(tile).ptr(weights).ptr(out),
    W.filterRanges,
  ),
  winograd: kernel<W.Winograd & Workspace>(winograd, W.winogradBoxes),
  winograd4: kernel<W.Winograd & Workspace>(winograd, W.winograd4Boxes),
  winogradSums: kernel<W.WinogradSums & Workspace>(
    (w, record) => winogradMaps(w, record).ptr(record.dy).i32(record.groups).ptr(record.sums),
    W.sumBoxes,
  ),
  winogradWeightGradient: kernel<W.WinogradWeightGradient>(
    (w, { channels, outChannels, groups, sums, out }) =>
      w.i32(channels).i32(outChannels).i32(groups).ptr(sums).target(out),
    W.weightRanges,
  ),
  ...family(UNARY, (name) =>
    kernel<K.Unary>(
      (w, { n, x, out, lo, hi, slope }) => w.i32(n).ptr(x).target(out).f32(lo).f32(hi).f32(slope),
      elements(grainOf(name)),
    ),
  ),
  ...family(UNARY.map(unaryBackwardName), (name) =>
    kernel<K.UnaryBackward>(
      (w, { n, dy, kept, out, lo, hi, slope }) =>
        w.i32(n).ptr(dy).ptr(kept).target(out).f32(lo).f32(hi).f32(slope),
      elements(grainOf(name)),
    ),
  ),
  ...family(BINARY, (name: BinaryName) =>
    kernel<K.Binary>(
      (w, { rows, cols, a, b, out }) => w.i32(rows).i32(cols).view(a).view(b).target(out),
      planes(grainOf(name)),
    ),
  ),
  ...family(binaryBackwardNames, (name) =>
    kernel<K.BinaryBackward>(
      (w, { rows, cols, dy, y, a, b, out }) =>
        w.i32(rows).i32(cols).ptr(dy).ptr(y).view(a).view(b).target(out),
      planes(name.startsWith('pow') ? EXPENSIVE_GRAIN : GRAIN),
    ),
  ),
  where: kernel<K.Where>(
    (w, { rows, cols, condition, a, b, out }) =>
      w.i32(rows).i32(cols).view(condition).view(a).view(b).target(out),
    planes(GRAIN),
  ),
  copy: kernel<K.Copy>(
    (w, { rows, cols, alpha, x, y, accumulate }) =>
      w.i32(rows).i32(cols).f32(alpha).view(x).view(y).flag(accumulate),
    planes(GRAIN),
  ),
  fill: kernel<K.Fill>(
    (w, { n, out, value }) => w.i32(n).ptr(out).f32(value),
    ({ n }) => [[0, n]],
  ),
  ...family(REDUCE, () =>
    kernel<K.Reduce>(
      (w, { outer, n, inner, x, alpha, out }) => w.i32(outer).i32(n).i32(inner).ptr(x).f32(alpha).target(out),
      ({ outer, n, inner }) => ranges(outer, n * inner, REDUCE_GRAIN),
    ),
  ),
  ...family(SOFTMAX, () =>
    kernel<K.Softmax>(
      (w, { rows, cols, x, out }) => w.i32(rows).i32(cols).ptr(x).ptr(out),
      ({ rows, cols }) => ranges(rows, cols, EXPENSIVE_GRAIN),
    ),
  ),
  ...family(SOFTMAX.map(softmaxBackwardName), () =>
    kernel<K.SoftmaxBackward>(
      (w, { rows, cols, dy, kept, scratch, out }) =>
        w.i32(rows).i32(cols).ptr(dy).ptr(kept).ptr(scratch).target(out),
      ({ rows, cols }) => ranges(rows, cols, EXPENSIVE_GRAIN),
    ),
  ),
  gather: kernel<K.Gather>(
    (w, { outer, n, m, inner, x, index, out }) =>
      w.i32(outer).i32(n).i32(m).i32(inner).ptr(x).indices(index).target(out),
    ({ outer, m, inner }) => ranges(outer * m, inner, GRAIN),
  ),
  scatterAdd: kernel<K.ScatterAdd>(
    (w, { outer, n, m, inner, y, index, out }) =>
      w.i32(outer).i32(n).i32(m).i32(inner).ptr(y).indices(index).ptr(out),
    scatterBoxes,
  ),
  cumsum: kernel<K.Cumsum>(
    (w, { outer, n, inner, x, reverse, out }) =>
      w.i32(outer).i32(n).i32(inner).ptr(x).flag(reverse).target(out),
    ({ outer, n, inner }) => ranges(outer, n * inner, GRAIN),
  ),
  prodBackward: kernel<ProdBackward>(
    (w, { outer, n, inner, x, dy, prefix, out }) =>
      w.i32(outer).i32(n).i32(inner).ptr(x).ptr(dy).ptr(prefix).target(out),
    ({ outer, n, inner }) => ranges(outer, n * inner, EXPENSIVE_GRAIN),
  ),
  sumBlocks,
  sumSquaresBlocks: sumBlocks,
  squaredErrorBlocks: kernel<SquaredErrorBlocks>(
    (w, { n, a, b, partials }) => w.i32(n).ptr(a).ptr(b).ptr(partials),
    blocks,
  ),
  peakMulAdd: kernel<Peak>(
    (w, { items, turns }) => w.i32(items).i32(turns),
    ({ items }) => even(items, items, 1),
  ),
  storeTotal: kernel<Total>((w, { total, alpha, out }) => w.f64(total).f32(alpha).target(out), whole),
  mse: kernel<K.Mse>((w, { n, a, b, out }) => w.i32(n).ptr(a).ptr(b).ptr(out), whole),
  mseBackward: kernel<K.MseBackward>(
    (w, { n, a, b, dy, scale, out }) => w.i32(n).ptr(a).ptr(b).ptr(dy).f32(scale).target(out),
    elements(GRAIN),
  ),
  affineSample: kernel<K.AffineSample>(
    (w, { batch, height, width, channels, x, matrix, out }) =>
      w.i32(batch).i32(height).i32(width).i32(channels).ptr(x).ptr(matrix).ptr(out),
    pictures,
  ),
  affineSampleBackward: kernel<K.AffineSampleBackward>(
    (w, { batch, height, width, channels, dy, matrix, out }) =>
      w.i32(batch).i32(height).i32(width).i32(channels).ptr(dy).ptr(matrix).ptr(out),
    pictures,
  ),
  adam: kernel<K.Adam>((w, { n, p, g, m, v, stepSize, beta1, beta2, eps, correction, l2, shrink }) => {
    w.i32(n).ptr(p).ptr(g).ptr(m).ptr(v);
    return w.f32(stepSize).f64(beta1).f64(beta2).f32(eps).f32(correction).f32(l2).f32(shrink);
  }, elements(EXPENSIVE_GRAIN)),
  sgd: kernel<K.Sgd>((w, { n, p, g, buffer, lr, momentum, dampening, l2, nesterov, first }) => {
    w.i32(n).ptr(p).ptr(g).ptr(buffer);
    return w.f32(lr).f32(momentum).f32(dampening).f32(l2).flag(nesterov).flag(first);
  }, elements(GRAIN)),
  rmsprop: kernel<K.Rmsprop>((w, { n, p, g, v, average, buffer, lr, alpha, eps, momentum, l2 }) => {
    w.i32(n).ptr(p).ptr(g).ptr(v).ptr(average).ptr(buffer);
    return w.f32(lr).f64(alpha).f32(eps).f32(momentum).f32(l2);
  }, elements(EXPENSIVE_GRAIN)),
  ...family(RANDOM, (name) =>
    kernel<K.Random>(
      (w, { n, out, key, block }) => w.i32(n).ptr(out).key(key).u64(block),
      elements(name === 'gaussian' ? NORMAL_GRAIN : EXPENSIVE_GRAIN),
    ),
  ),
  affinePath: kernel<K.AffinePath>(
    (w, { n, steps, coefficients, x, out, row, key, stepBlocks }) =>
      w.i32(n).i32(steps).ptr(coefficients).ptr(x).ptr(out).i32(row).key(key).i32(stepBlocks),
    pathRanges,
  ),
  groupNorm: kernel<K.GroupNorm & Workspace>((w, record) => {
    const { batch, positions, run, channels, groups, eps, silu, x, weight, bias, out } = record;
    w.i32(batch).i32(positions).i32(run).i32(channels).i32(groups).f64(eps).flag(silu);
    return w.ptr(x).ptr(weight).ptr(bias).ptr(out).ptr(record.workspace).i32(record.workspaceBytes);
  }, maps),
  groupNormBackward: kernel<K.GroupNormBackward & Workspace>((w, record) => {
    const { batch, positions, run, channels, groups, eps, silu, x, weight, bias, dy, sums, out } = record;
    w.i32(batch).i32(positions).i32(run).i32(channels).i32(groups).f64(eps).flag(silu);
    w.ptr(x)
      .ptr(weight)
      .ptr(bias)
      .ptr(dy)
      .ptr(sums)
      .target(out ?? NOWHERE);
    return w.ptr(record.workspace).i32(record.workspaceBytes);
  }, maps),
  depthwise: kernel(depthwise, D.placeRanges),
  depthwiseInputGradient: kernel(depthwise, D.mapRanges),
  depthwiseWeightGradient: kernel<D.DepthwiseWeightGradient & Workspace>((w, record) => {
    const { x, dy, out, workspace, workspaceBytes } = record;
    return convSizes(w, record).ptr(x).ptr(dy).ptr(out).ptr(workspace).i32(workspaceBytes);
  }, D.stripRanges),
  averagePool: kernel<K.AveragePool>(
    (w, record) =>
      poolSizes(w, record).f32(record.alpha).flag(record.inside).ptr(record.x).target(record.out),
    poolRanges.places,
  ),
  averagePoolBackward: kernel<K.AveragePoolBackward>(
    (w, record) =>
      poolSizes(w, record).f32(record.alpha).flag(record.inside).ptr(record.dy).target(record.out),
    poolRanges.rows,
  ),
  maxPool: kernel<K.MaxPool>(
    (w, record) => poolSizes(w, record).ptr(record.x).ptr(record.out),
    poolRanges.places,
  ),
  maxPoolBackward: kernel<K.MaxPoolBackward>(
    (w, record) => poolSizes(w, record).ptr(record.x).ptr(record.y).ptr(record.dy).target(record.out),
    poolRanges.pictures,
  ),
  pixelShuffle: pixels,
  pixelUnshuffle: pixels,
  attention: kernel<K.Attention & Workspace>((w, record) => {
    return attending(w, record).ptr(record.out).ptr(record.workspace).i32(record.workspaceBytes);
  }, attentionRanges),
  attentionBackward: kernel<K.AttentionBackward & Workspace>((w, record) => {
    const { dy, dq, dk, dv, ds, workspace, workspaceBytes } = record;
    attending(w, record).ptr(dy).rowTarget(dq).rowTarget(dk).rowTarget(dv).ptr(ds);
    return w.ptr(workspace).i32(workspaceBytes);
  }, attentionRanges),
} as const;

export type KernelName = keyof typeof ABI;

/** A word of a record: AssemblyScript's type, and its bytes, which are also its alignment. */
export const WORD_BYTES = { i32: 4, f32: 4, usize: 4, f64: 8, u64: 8 } as const;
export type Word = keyof typeof WORD_BYTES;

/** A word with its name in assembly/records.ts and its place, in bytes from the record's start. */
export interface Place {
  readonly name: string;
  readonly word: Word;
  readonly at: number;
}

/** Collects the places of fields. Its arguments are names in place of values. */
class LayoutWriter implements Record<keyof Writer, (name: never) => LayoutWriter> {
  readonly places: Place[] = [];
  bytes = 0;

  private add(word: Word, name: string): this {
    const size = WORD_BYTES[word];
    const at = Math.ceil(this.bytes / size) * size;
    this.places.push({ name, word, at });
    this.bytes = at + size;
    return this;
  }

  i32 = (name: string) => this.add('i32', name);
  f32 = (name: string) => this.add('f32', name);
  f64 = (name: string) => this.add('f64', name);
  u64 = (name: string) => this.add('u64', name);
  flag = (name: string) => this.add('i32', name);
  ptr = (name: string) => this.add('usize', name);
  activation = (name: string) => this.add('i32', name);
  matrix = (name: string) => this.ptr(name).i32(`${name}T`);
  view = (name: string) => this.ptr(name).i32(`${name}Row`).i32(`${name}Col`);
  target = (name: string) => this.ptr(name).i32('accumulate');
  indices = (name: string) => this.ptr(name).i32(`${name}Outer`).i32(`${name}Row`).i32(`${name}Col`);
  key = (_name: string) => this.u64('seed').u64('stream');
  rows = (name: string) => this.ptr(name).i32(`${name}Row`);
  rowTarget = (name: string) => this.rows(name).i32(`${name}Accumulate`);
  mask = (name: string) =>
    this.ptr(name).i32(`${name}Kind`).i32(`${name}Batch`).i32(`${name}Head`).i32(`${name}Row`);
}

/** The words of a kernel's record, and its size in bytes. */
export function layoutOf(kernel: KernelName): { readonly places: readonly Place[]; readonly bytes: number } {
  const layout = new LayoutWriter();
  const names = new Proxy({}, { get: (_, name) => name });
  (ABI[kernel].write as (to: unknown, record: object) => void)(layout, names);
  return layout;
}

const KERNELS = Object.keys(ABI) as KernelName[];

/** The size of the largest record in bytes, a multiple of 8. */
export const RECORD_BYTES = 8 * Math.ceil(Math.max(...KERNELS.map((name) => layoutOf(name).bytes)) / 8);

/** The codes in assembly/elementwise/activation.ts. */
const ACTIVATION_CODE = Object.fromEntries(ACTIVATION.map((name, code) => [name, code])) as Readonly<
  Record<K.ActivationName, number>
>;

/** Writes records to one place of a memory. */
export class RecordWriter implements Writer {
  private readonly ints: Int32Array;
  private readonly floats: Float32Array;
  private readonly doubles: Float64Array;
  /** The next word, in units of 4 bytes. */
  private word = 0;

  /** @param buffer stays valid when the memory grows, because it is shared; @param at a multiple of 8 */
  constructor(
    buffer: ArrayBufferLike,
    readonly at: K.Ptr,
  ) {
    this.ints = new Int32Array(buffer, at, RECORD_BYTES / 4);
    this.floats = new Float32Array(buffer, at, RECORD_BYTES / 4);
    this.doubles = new Float64Array(buffer, at, RECORD_BYTES / 8);
  }

  /** Moves to the beginning of the record and returns the writer. */
  start(): this {
    this.word = 0;
    return this;
  }

  i32(value: number): this {
    this.ints[this.word++] = value;
    return this;
  }

  f32(value = 0): this {
    this.floats[this.word++] = value;
    return this;
  }

  f64(value: number): this {
    this.align();
    this.doubles[this.word / 2] = value;
    this.word += 2;
    return this;
  }

  /** A whole number below 2^53. */
  u64(value: number): this {
    this.align();
    return this.i32(value).i32(Math.floor(value / 2 ** 32));
  }

  flag(value: boolean): this {
    return this.i32(value ? 1 : 0);
  }

  ptr(value: K.Ptr | null | undefined): this {
    return this.i32(value ?? 0);
  }

  activation(name: K.ActivationName = 'none'): this {
    return this.i32(ACTIVATION_CODE[name]);
  }

  matrix({ ptr, transposed }: K.Matrix): this {
    return this.i32(ptr).flag(transposed);
  }

  view({ ptr, row, col }: K.View2d): this {
    return this.i32(ptr).i32(row).i32(col);
  }

  target({ ptr, accumulate }: K.Target): this {
    return this.i32(ptr).flag(accumulate);
  }

  indices({ ptr, outer, row, col }: K.IndexView): this {
    return this.i32(ptr).i32(outer).i32(row).i32(col);
  }

  key({ seed, stream }: K.Key): this {
    this.align();
    return this.i32(seed[0]).i32(seed[1]).i32(stream[0]).i32(stream[1]);
  }

  rows({ ptr, row }: K.Rows): this {
    return this.i32(ptr).i32(row);
  }

  rowTarget(value: K.RowTarget | null): this {
    return value ? this.rows(value).flag(value.accumulate) : this.i32(0).i32(0).i32(0);
  }

  mask({ ptr, kind, batch, head, row }: K.AttentionMask): this {
    return this.i32(ptr).i32(MASK_KIND.indexOf(kind)).i32(batch).i32(head).i32(row);
  }

  /** Moves to a multiple of 8 bytes. */
  private align(): void {
    this.word += this.word % 2;
  }
}
