/**
 * Work of single kernels on given operands. The command's benchmark and the page measure the same work. An array that a
 * kernel only writes is among the operands too.
 */
import { backend, setConvolutions } from '../../backend/backend.ts';
import { algorithmOf } from '../../backend/conv/convolutions.ts';
import {
  type BinaryName,
  type ConvSizes,
  convPlaces,
  type Kernels,
  type Key,
  type RandomName,
  rowOf,
  type UnaryName,
} from '../../backend/kernels.ts';
import type { Operand, Operands } from './operands.ts';
import type { Workload } from './work.ts';

/** Work with its operands: those that it reads, then the one that it writes. */
export interface OperandWork<Count extends readonly Operand[]> extends Workload {
  readonly operands: Count;
}

/** Which operand of a product is stored transposed. */
export type Form = 'NN' | 'NT' | 'TN';
export type Shape3 = readonly [m: number, k: number, n: number];

const into = (ptr: number) => ({ ptr, accumulate: false });

/** A matrix product, c[m,n] = op(a)[m,k]·op(b)[k,n]. Flop are 2·m·k·n. Roof: the multiply-add peak. */
export function gemmWork(
  memory: Operands,
  form: Form,
  [m, k, n]: Shape3,
): OperandWork<readonly [a: Operand, b: Operand, c: Operand]> {
  const { kernels } = memory.backend;
  const [a, b, c] = [memory.array(m * k), memory.array(k * n), memory.array(m * n)];
  const record = {
    ...{ m, n, k },
    a: { ptr: a.ptr, transposed: form[0] === 'T' },
    b: { ptr: b.ptr, transposed: form[1] === 'T' },
    out: into(c.ptr),
  };
  return {
    name: `gemm ${form}`,
    shape: `${m}x${k}x${n}`,
    flop: 2 * m * k * n,
    bytes: 4 * (m * k + k * n + m * n),
    roof: memory.multiplyAddPeak(),
    run: () => kernels.gemm(record),
    operands: [a, b, c],
  };
}

/** For these functions all inputs are positive. Other inputs can give NaN or infinities. */
const POSITIVE: readonly string[] = ['log', 'sqrt', 'div', 'pow'];
/** From where the operands of an elementwise function are. */
export const domainOf = (name: string): [number, number] => (POSITIVE.includes(name) ? [0.1, 2] : [-1, 1]);
/** The attributes of the functions that take some. */
export const ATTRIBUTES = { lo: -0.5, hi: 0.5, slope: 0.01 };

/** A function of each element of an array of n. Roof: a copy. */
export function unaryWork(
  memory: Operands,
  name: UnaryName,
  n: number,
): OperandWork<readonly [x: Operand, y: Operand]> {
  const { kernels } = memory.backend;
  const [x, y] = [memory.array(n, ...domainOf(name)), memory.array(n)];
  return {
    name,
    shape: String(n),
    elements: n,
    bytes: 8 * n,
    roof: memory.copyPeak(n),
    run: () => kernels.unary(name, { n, x: x.ptr, out: into(y.ptr), ...ATTRIBUTES }),
    operands: [x, y],
  };
}

/** A function of each pair of elements of two arrays of n. Roof: a copy. */
export function binaryWork(
  memory: Operands,
  name: BinaryName,
  n: number,
): OperandWork<readonly [a: Operand, b: Operand, y: Operand]> {
  const { kernels } = memory.backend;
  const [a, b] = [memory.array(n, ...domainOf(name)), memory.array(n, ...domainOf(name))];
  const y = memory.array(n);
  return {
    name,
    shape: String(n),
    elements: n,
    bytes: 12 * n,
    roof: memory.copyPeak(n),
    run: () =>
      kernels.binary(name, { rows: 1, cols: n, a: rowOf(a.ptr, n), b: rowOf(b.ptr, n), out: into(y.ptr) }),
    operands: [a, b, y],
  };
}

const KEY: Key = { seed: [1, 2], stream: [3, 4] };

/** An array of n random numbers. */
export function randomWork(memory: Operands, name: RandomName, n: number): Workload {
  const { kernels } = memory.backend;
  const out = memory.block(n);
  return {
    name,
    shape: String(n),
    samples: n,
    bytes: 4 * n,
    run: () => kernels.random(name, { n, out, key: KEY, block: 0 }),
  };
}

/** Calls `body` with fast convolutions, and restores the choice of before. */
export function withFastConvolutions<T>(body: () => T): T {
  const before = backend().convolutions;
  setConvolutions('fast');
  try {
    return body();
  } finally {
    setConvolutions(before);
  }
}

/** The side of the map, and the channels of x and of y. */
export type Layer = readonly [side: number, inChannels: number, outChannels: number];
export type Direction = 'forward' | 'input gradient' | 'weight gradient';

/** The sizes of a 3x3 convolution with same padding. */
const sizesOf = (batch: number, [side, inChannels, outChannels]: Layer, stride: number): ConvSizes => ({
  ...{ batch, height: side, width: side, inChannels, outChannels },
  ...{ kernelHeight: 3, kernelWidth: 3, strideHeight: stride, strideWidth: stride },
  ...{ paddingHeight: 1, paddingWidth: 1, dilationHeight: 1, dilationWidth: 1, groups: 1 },
});

const CONVOLVE: Readonly<
  Record<Direction, (k: Kernels, s: ConvSizes, x: number, w: number, y: number) => void>
> = {
  forward: (k, s, x, w, y) => k.conv2d({ ...s, x, w, out: into(y) }),
  'input gradient': (k, s, x, w, dy) => k.conv2dInputGradient({ ...s, dy, w, out: into(x) }),
  'weight gradient': (k, s, x, w, dy) => k.conv2dWeightGradient({ ...s, x, dy, out: into(w) }),
};

export interface ConvWork extends OperandWork<readonly [x: Operand, w: Operand, y: Operand]> {
  readonly sizes: ConvSizes;
}

/**
 * A 3x3 convolution with same padding. Flop are those of the direct sum, 2·9·in·out for each pixel of the result, also
 * for algorithms with fewer products. The name has `direct` if the kernel computes the direct sum, and `fast` for fast
 * convolutions.
 */
export function convWork(
  memory: Operands,
  direction: Direction,
  layer: Layer,
  {
    batch,
    stride = 1,
    fast = false,
  }: { readonly batch: number; readonly stride?: number; readonly fast?: boolean },
): ConvWork {
  const { kernels } = memory.backend;
  const [side, inChannels, outChannels] = layer;
  const s = sizesOf(batch, layer, stride);
  const places = convPlaces(s).reduce((h, w) => h * w, batch);
  const weights = 9 * inChannels * outChannels;
  const [nx, ny] = [batch * side * side * inChannels, places * outChannels];
  // With small numbers the sums of a gradient to the weights stay near 1.
  const [x, w, y] = [nx, weights, ny].map((n) => memory.array(n, -0.3, 0.3));
  const strided = stride > 1 ? [`stride ${stride}`] : [];
  const direct = algorithmOf(s) === 'winograd' ? [] : ['direct'];
  const run = () => CONVOLVE[direction](kernels, s, x.ptr, w.ptr, y.ptr);
  return {
    name: ['conv 3x3', ...(fast ? ['fast'] : []), ...strided, direction, ...direct].join(' '),
    shape: `${batch}x${side}x${side} ${inChannels}->${outChannels}`,
    flop: 2 * places * weights,
    bytes: 4 * (nx + weights + ny),
    roof: memory.multiplyAddPeak(),
    run: fast ? () => withFastConvolutions(run) : run,
    operands: [x, w, y],
    sizes: s,
  };
}
