/**
 * Threads: the same bits for any number of threads, and an error if a thread fails. The oracle is one thread.
 */
import { readdirSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { host } from '#host';
import { createWasmBackend, setNumerics, setThreads, type WasmBackend } from '../src/backend/backend.ts';
import { claim, controlOver, DONE, REMAINING } from '../src/backend/control.ts';
import { hasRelaxedSimd, kernelBytes, setBuild } from '../src/backend/instance.ts';
import { copyArray, type Kernels, type Ptr, rowOf } from '../src/backend/kernels.ts';
import { type Bounds, EXPENSIVE_GRAIN, gemmBoxes, pathRanges, ranges } from '../src/backend/partition.ts';
import { ThreadPool } from '../src/backend/threads.ts';
import type { WasmKernels } from '../src/backend/wasm.ts';
import { LangevinError } from '../src/errors.ts';
import { into } from './helpers.ts';
import { suite } from './suite.ts';

const N = 1 << 18;
const data = Float32Array.from({ length: N }, (_, i) => Math.sin(i * 12.9898) * 2);

/** The contents of three arrays after `job`. */
function run(on: WasmBackend, job: (k: Kernels, a: Ptr, b: Ptr, c: Ptr) => void): Uint32Array[] {
  const arrays = [0, 1, 2].map(() => on.heap.alloc(4 * N));
  for (const [i, ptr] of arrays.entries())
    on.write(
      ptr,
      data.map((x) => x + i),
    );
  job(on.kernels, arrays[0]!, arrays[1]!, arrays[2]!);
  const left = arrays.map((ptr) => on.readWords(ptr, N));
  for (const ptr of arrays) on.heap.release(ptr);
  return left;
}

const key = { seed: [1, 2], stream: [3, 4] } as const;
const step = { stepSize: 1e-3, beta1: 0.9, beta2: 0.99, eps: 1e-8, correction: 0.1, l2: 0.01, shrink: 0.99 };
const momentum = { lr: 0.1, momentum: 0.9, dampening: 0, l2: 0, nesterov: true, first: false };
const rms = { lr: 0.1, alpha: 0.9, eps: 1e-3, momentum: 0.9, l2: 0.01 };
const norm = { batch: 24, positions: 100, run: 10, channels: 100, groups: 10, eps: 1e-5, silu: true };
/** Attention whose rows overlap: that changes no work. */
const attention = (q: Ptr, k: Ptr, v: Ptr, causal = false) => ({
  ...{ batch: 9, heads: 3, queries: 49, keys: 50, dim: 21, valueDim: 17, scale: 0.3, causal },
  ...{ q: { ptr: q, row: 63 }, k: { ptr: k, row: 63 }, v: { ptr: v, row: 51 } },
  mask: { ptr: q, kind: 'add' as const, batch: 100, head: 50, row: 50 },
});
/** Index words, all 0: all sums go to one element, whose bits depend on their order. */
const zeroIndices = (k: Kernels, at: Ptr, n: number) => k.fill({ n, out: at, value: 0 });
const rowsAt = (ptr: Ptr) => ({ ptr, outer: 0, row: 1, col: 0 });
/** Affine maps with arbitrary entries: they rotate, scale, and lead out of the picture. */
const maps = (matrix: Ptr) => ({ batch: 90, height: 31, width: 27, channels: 3, matrix });
const conv = (
  batch: number,
  side: number,
  inChannels: number,
  outChannels: number,
  stride = 1,
  groups = 1,
) => ({
  ...{ batch, height: side, width: side, inChannels, outChannels, kernelHeight: 3, kernelWidth: 3 },
  ...{ strideHeight: stride, strideWidth: stride, paddingHeight: 1, paddingWidth: 1 },
  ...{ dilationHeight: 1, dilationWidth: 1, groups },
});
const windows = {
  ...{ batch: 23, height: 31, width: 27, channels: 11, kernelHeight: 3, kernelWidth: 3 },
  ...{ strideHeight: 2, strideWidth: 1, paddingHeight: 1, paddingWidth: 1 },
};
const deep = { batch: 20, height: 17, width: 13, channels: 10, factor: 2 };
/** Calls `body` with fast convolutions. */
function fastly(k: Kernels, body: () => void): void {
  const kernels = k as WasmKernels;
  kernels.fast = true;
  body();
  kernels.fast = false;
}

const JOBS: Record<string, (k: Kernels, a: Ptr, b: Ptr, c: Ptr) => void> = {
  'gemm NT with bias and ReLU': (k, a, b, c) =>
    k.gemm({
      m: 64,
      n: 400,
      k: 300,
      a: { ptr: a, transposed: false },
      b: { ptr: b, transposed: true },
      bias: a,
      activation: 'relu',
      out: into(c),
    }),
  'gemm TN, accumulated': (k, a, b, c) =>
    k.gemm({
      m: 400,
      n: 500,
      k: 64,
      a: { ptr: a, transposed: true },
      b: { ptr: b, transposed: false },
      out: into(c, true),
    }),
  'gemm of odd sizes': (k, a, b, c) =>
    k.gemm({
      m: 301,
      n: 307,
      k: 311,
      a: { ptr: a, transposed: false },
      b: { ptr: b, transposed: false },
      out: into(c),
    }),
  'a large gemm, cut both ways': (k, a, b, c) =>
    k.gemm({
      m: 512,
      n: 512,
      k: 500,
      a: { ptr: a, transposed: false },
      b: { ptr: b, transposed: true },
      bias: null,
      activation: 'sigmoid',
      out: into(c),
    }),
  'a convolution with bias and ReLU': (k, a, b, c) =>
    k.conv2d({ ...conv(9, 28, 20, 32), x: a, w: b, bias: a, activation: 'relu', out: into(c) }),
  'a convolution of few places and many channels': (k, a, b, c) =>
    k.conv2d({ ...conv(1, 7, 96, 200), x: a, w: b, out: into(c, true) }),
  'a convolution in groups, with a stride': (k, a, b, c) =>
    k.conv2d({ ...conv(5, 29, 42, 63, 2, 3), x: a, w: b, out: into(c) }),
  'its gradient to the input': (k, a, b, c) =>
    k.conv2dInputGradient({ ...conv(9, 28, 36, 21), dy: a, w: b, out: into(c, true) }),
  'its gradient to the input, with a stride and groups': (k, a, b, c) =>
    k.conv2dInputGradient({ ...conv(5, 29, 42, 63, 2, 3), dy: a, w: b, out: into(c) }),
  'its gradient to the weights': (k, a, b, c) =>
    k.conv2dWeightGradient({ ...conv(9, 28, 20, 32), x: a, dy: b, out: into(c, true) }),
  'its gradient to the weights, with a stride and groups': (k, a, b, c) =>
    k.conv2dWeightGradient({ ...conv(5, 29, 42, 63, 2, 3), x: a, dy: b, out: into(c) }),
  'a convolution of many pictures, with a stride': (k, a, b, c) =>
    k.conv2d({ ...conv(18, 15, 36, 42, 2), x: a, w: b, bias: a, activation: 'silu', out: into(c) }),
  'its gradient to the input, of many pictures with a stride': (k, a, b, c) =>
    k.conv2dInputGradient({ ...conv(18, 15, 36, 42, 2), dy: a, w: b, out: into(c, true) }),
  'a convolution of one channel, with a stride': (k, a, b, c) =>
    k.conv2d({ ...conv(9, 57, 1, 34, 2), x: a, w: b, bias: a, activation: 'relu', out: into(c) }),
  'a convolution to two channels': (k, a, b, c) =>
    k.conv2d({ ...conv(9, 29, 33, 2), x: a, w: b, bias: a, activation: 'tanh', out: into(c) }),
  'the gradient of a convolution of one channel to its input': (k, a, b, c) =>
    k.conv2dInputGradient({ ...conv(9, 29, 1, 33), dy: a, w: b, out: into(c, true) }),
  'the gradient of a convolution to two channels to its weights': (k, a, b, c) =>
    k.conv2dWeightGradient({ ...conv(9, 29, 33, 2), x: a, dy: b, out: into(c) }),
  'a convolution of a thin map': (k, a, b, c) =>
    k.conv2d({ ...conv(9, 27, 3, 36), x: a, w: b, bias: a, out: into(c) }),
  'a convolution to a thin map': (k, a, b, c) =>
    k.conv2d({ ...conv(9, 27, 36, 3), x: a, w: b, bias: a, out: into(c) }),
  'its gradient to the input, which is thin': (k, a, b, c) =>
    k.conv2dInputGradient({ ...conv(9, 27, 3, 36), dy: a, w: b, out: into(c, true) }),
  'its gradient to the weights, from a thin map': (k, a, b, c) =>
    k.conv2dWeightGradient({ ...conv(9, 27, 3, 36), x: a, dy: b, out: into(c, true) }),
  'a convolution by Winograd with bias and ReLU': (k, a, b, c) =>
    k.conv2d({ ...conv(9, 27, 32, 36), x: a, w: b, bias: a, activation: 'relu', out: into(c) }),
  'a convolution by Winograd of one small map': (k, a, b, c) =>
    k.conv2d({ ...conv(1, 7, 136, 200), x: a, w: b, out: into(c, true) }),
  'its gradient to the input, by Winograd': (k, a, b, c) =>
    k.conv2dInputGradient({ ...conv(9, 27, 36, 32), dy: a, w: b, out: into(c, true) }),
  'a fast convolution with bias and ReLU': (k, a, b, c) =>
    fastly(k, () =>
      k.conv2d({ ...conv(9, 27, 32, 36), x: a, w: b, bias: a, activation: 'relu', out: into(c) }),
    ),
  'a fast convolution of one small map': (k, a, b, c) =>
    fastly(k, () => k.conv2d({ ...conv(1, 7, 136, 200), x: a, w: b, out: into(c, true) })),
  'its gradient to the input, by fast convolutions': (k, a, b, c) =>
    fastly(k, () => k.conv2dInputGradient({ ...conv(9, 27, 36, 32), dy: a, w: b, out: into(c, true) })),
  'its gradient to the weights, by Winograd': (k, a, b, c) =>
    k.conv2dWeightGradient({ ...conv(9, 27, 36, 32), x: a, dy: b, out: into(c, true) }),
  'its gradient to many weights, by Winograd': (k, a, b, c) =>
    k.conv2dWeightGradient({ ...conv(20, 7, 136, 132), x: a, dy: b, out: into(c) }),
  'a function of one array': (k, a, _b, c) => k.unary('tanh', { n: N - 3, x: a, out: into(c, true) }),
  'sines, also of angles beyond 2^20': (k, _a, _b, c) => {
    k.binary('mul', { rows: 1, cols: N, a: rowOf(c, N), b: rowOf(c, N), out: into(c) });
    k.unary('exp', { n: N, x: c, out: into(c) });
    k.unary('sin', { n: N, x: c, out: into(c) });
  },
  'a function of two arrays': (k, a, b, c) =>
    k.binary('mul', { rows: 1, cols: N - 5, a: rowOf(a, N), b: rowOf(b, N), out: into(c) }),
  'broadcasting over rows': (k, a, b, c) =>
    k.binary('add', {
      rows: 700,
      cols: 300,
      a: { ptr: a, row: 300, col: 1 },
      b: { ptr: b, row: 0, col: 1 },
      out: into(c, true),
    }),
  'a transpose': (k, a, _b, c) =>
    k.copy({
      rows: 600,
      cols: 400,
      alpha: 2,
      x: { ptr: a, row: 1, col: 600 },
      y: { ptr: c, row: 400, col: 1 },
      accumulate: false,
    }),
  'a long copy': (k, a, _b, c) =>
    k.copy({
      rows: 1,
      cols: N,
      alpha: 0.5,
      x: { ptr: a, row: N, col: 1 },
      y: { ptr: c, row: N, col: 1 },
      accumulate: true,
    }),
  'a long sum': (k, a, _b, c) =>
    k.reduce('sum', { outer: 1, n: N - 1, inner: 1, x: a, alpha: 2, out: into(c, true) }),
  'a long sum of squares': (k, a, _b, c) =>
    k.reduce('sumSquares', { outer: 1, n: N, inner: 1, x: a, alpha: 1, out: into(c) }),
  'sums of rows': (k, a, _b, c) =>
    k.reduce('sum', { outer: 500, n: 500, inner: 1, x: a, alpha: 1, out: into(c) }),
  'maxima of rows': (k, a, _b, c) =>
    k.reduce('max', { outer: 500, n: 50, inner: 10, x: a, alpha: 1, out: into(c) }),
  'softmax of rows': (k, a, _b, c) => k.softmax('softmax', { rows: 500, cols: 523, x: a, out: c }),
  'its logarithm': (k, a, _b, c) => k.softmax('logSoftmax', { rows: 523, cols: 500, x: a, out: c }),
  'the gradient of softmax': (k, a, b, c) =>
    k.softmaxBackward('softmax', {
      rows: 500,
      cols: 500,
      dy: a,
      kept: a,
      scratch: b,
      out: into(c, true),
    }),
  'the gradient of its logarithm': (k, a, b, c) =>
    k.softmaxBackward('logSoftmax', { rows: 500, cols: 500, dy: a, kept: a, scratch: b, out: into(c) }),
  'a gather of rows': (k, a, b, c) => {
    zeroIndices(k, b, 5000);
    k.gather({ outer: 1, n: 500, m: 5000, inner: 50, x: a, index: rowsAt(b), out: into(c, true) });
  },
  'sums scattered to rows': (k, a, b, c) => {
    zeroIndices(k, b, 5000);
    k.scatterAdd({ outer: 1, n: 500, m: 5000, inner: 50, y: a, index: rowsAt(b), out: c });
  },
  'sums scattered in several tables': (k, a, b, c) => {
    zeroIndices(k, b, 700);
    k.scatterAdd({ outer: 7, n: 50, m: 700, inner: 50, y: a, index: rowsAt(b), out: c });
  },
  'cumulative sums': (k, a, _b, c) =>
    k.cumsum({ outer: 300, n: 100, inner: 7, x: a, reverse: true, out: into(c, true) }),
  'a batch of products': (k, a, b, c) =>
    k.gemmBatch({
      ...{ batch: 50, m: 70, n: 70, k: 70, aStep: 4900, bStep: 0, outStep: 4900 },
      a: { ptr: a, transposed: false },
      b: { ptr: b, transposed: true },
      out: into(c),
    }),
  'minima of columns': (k, a, _b, c) =>
    k.reduce('min', { outer: 40, n: 50, inner: 100, x: a, alpha: 1, out: into(c) }),
  'products of rows': (k, a, _b, c) =>
    k.reduce('prod', { outer: 500, n: 500, inner: 1, x: a, alpha: 1, out: into(c, true) }),
  'the gradient of products': (k, a, b, c) =>
    k.prodBackward({ outer: 300, n: 29, inner: 30, x: a, dy: b, out: into(c, true) }),
  'the mean squared error': (k, a, b, c) => k.mse({ n: N, a: a, b: b, out: c }),
  'its gradient': (k, a, b, c) => k.mseBackward({ n: N, a: a, b: b, dy: a, scale: 0.5, out: into(c, true) }),
  Adam: (k, a, b, c) => k.adam({ n: N / 2, p: a, g: b, m: c, v: c + 2 * N, ...step }),
  'SGD with momentum': (k, a, b, c) => k.sgd({ n: N, p: a, g: b, buffer: c, ...momentum }),
  'RMSprop, centred and with momentum': (k, a, b, c) =>
    k.rmsprop({ n: N / 4, p: a, g: b, v: c, average: c + N, buffer: c + 2 * N, ...rms }),
  'pictures through affine maps': (k, a, b, c) => k.affineSample({ ...maps(b), x: a, out: c }),
  'their gradient': (k, a, b, c) => k.affineSampleBackward({ ...maps(b), dy: a, out: c }),
  'group normalisation with SiLU': (k, a, b, c) =>
    k.groupNorm({ ...norm, x: a, weight: b, bias: b + 400, out: c }),
  'its gradients': (k, a, b, c) =>
    k.groupNormBackward({
      ...norm,
      ...{ x: a, weight: b, bias: b + 400, dy: b, sums: a + 4 * 240_000, out: into(c, true) },
    }),
  'a transposed convolution with bias and tanh': (k, a, b, c) =>
    k.conv2dInputGradient({
      ...{ ...conv(9, 28, 36, 21, 2), dy: a, w: b, bias: a, activation: 'tanh', out: into(c) },
    }),
  'a depthwise convolution with bias': (k, a, b, c) =>
    k.conv2d({ ...conv(9, 28, 37, 37, 1, 37), x: a, w: b, bias: a, out: into(c, true) }),
  'its gradient to the input with a stride': (k, a, b, c) =>
    k.conv2dInputGradient({ ...conv(9, 28, 37, 37, 2, 37), dy: a, w: b, out: into(c) }),
  'its gradient to the weights as sums of rows': (k, a, b, c) =>
    k.conv2dWeightGradient({ ...conv(9, 28, 37, 37, 1, 37), x: a, dy: b, out: into(c, true) }),
  'maxima of windows': (k, a, _b, c) => k.maxPool({ ...windows, x: a, out: c }),
  'the gradient of maxima': (k, a, b, c) => {
    k.maxPool({ ...windows, x: a, out: b });
    k.maxPoolBackward({ ...windows, x: a, y: b, dy: a, out: into(c, true) });
  },
  'means of windows': (k, a, _b, c) =>
    k.averagePool({ ...windows, alpha: 1, inside: true, x: a, out: into(c, true) }),
  'the gradient of means': (k, a, _b, c) =>
    k.averagePoolBackward({ ...windows, alpha: 0.5, inside: true, dy: a, out: into(c) }),
  'pixels from channels': (k, a, _b, c) => k.pixelShuffle({ ...deep, x: a, out: into(c, true) }),
  'channels from pixels': (k, a, _b, c) => k.pixelUnshuffle({ ...deep, x: a, out: into(c) }),
  'attention, causal, with a mask': (k, a, b, c) => k.attention({ ...attention(a, b, b, true), out: c }),
  'its gradients, summed': (k, a, b, c) =>
    k.attentionBackward({
      ...attention(a, b, a + 4 * 1000),
      dy: b,
      dq: { ptr: c, row: 63, accumulate: true },
      dk: { ptr: c + 4 * 40_000, row: 63, accumulate: false },
      dv: { ptr: c + 4 * 80_000, row: 51, accumulate: true },
      ds: c + 4 * 120_000,
    }),
  normals: (k, a) => k.random('gaussian', { n: N - 7, out: a, key: key, block: 5 }),
  uniforms: (k, a) => k.random('uniform', { n: N, out: a, key: key, block: 2 ** 33 }),
  paths: (k, a, b, c) => {
    k.fill({ n: N, out: b, value: 0.01 });
    k.affinePath({ n: 1003, steps: 250, coefficients: b, x: a, out: c, row: 1003, key, stepBlocks: 252 });
  },
  'more than 65,536 paths': (k, a, b, c) => {
    k.fill({ n: 24, out: b, value: 0.01 });
    k.affinePath({
      n: 70_003,
      steps: 2,
      coefficients: b,
      x: a,
      out: c,
      row: 70_003,
      key,
      stepBlocks: 17_504,
    });
  },
  bits: (k, a) => k.random('randomBits', { n: N, out: a, key: key, block: 0 }),
};

/** The number of threads of this process by the system's count; null if it is not available. */
function systemThreads(): number | null {
  try {
    return readdirSync('/proc/self/task').length;
  } catch {
    return null;
  }
}

/** Ranges over [0, n) that begin at multiples of `unit`, of equal size; their number is divisible by two and four. */
function requireEven(chunks: readonly Bounds[], n: number, unit: number): void {
  const sizes = chunks.map(([from, to]) => to - from);
  assert.equal(
    chunks.map(([from]) => from),
    chunks.map((_, i) => (i === 0 ? 0 : chunks[i - 1][1])),
  );
  assert.is(chunks.at(-1)![1], n);
  for (const [from] of chunks) assert.is(from % unit, 0);
  assert.ok([1, 2].includes(chunks.length) || chunks.length % 4 === 0, `${chunks.length} chunks`);
  assert.ok(chunks.length <= 64);
  assert.ok(Math.max(...sizes) - Math.min(...sizes) < 2 * unit, `chunks of ${sizes}`);
}

const drawn = (n: number, out: Ptr, block = 0) => ({ n, out, key, block });

suite('threads', (test) => {
  test('an engine that may not compile WebAssembly is an error that names the policy of a page', () => {
    const [{ Module }, relaxed] = [WebAssembly, kernelBytes('relaxed')];
    // A valid build that is not compiled yet.
    setBuild('relaxed', kernelBytes('strict'));
    WebAssembly.Module = class {
      constructor() {
        throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder');
      }
    } as unknown as typeof Module;
    try {
      assert.throws(
        () => createWasmBackend({ numerics: 'relaxed' }),
        (error: Error) =>
          error instanceof LangevinError && /disallowed .*'wasm-unsafe-eval'$/.test(error.message),
      );
    } finally {
      WebAssembly.Module = Module;
      setBuild('relaxed', relaxed);
    }
  });

  test('numbers that are drawn ahead are those of a plain call, for any computation in the meantime', () => {
    const plain = run(createWasmBackend({ threads: 1 }), (k, a, b, c) => {
      k.random('gaussian', drawn(N, a));
      k.random('uniform', drawn(N, b, 7));
      k.unary('exp', { n: N, x: c, out: into(c) });
      k.random('uniform', drawn(40, c, 9));
    });
    for (const threads of [1, 2, 3]) {
      const on = createWasmBackend({ threads });
      for (let repeat = 0; repeat < 20; repeat++) {
        const ahead = run(on, (k, a, b, c) => {
          const first = k.randomAhead('gaussian', drawn(N, a));
          // A second job finishes the first, and so does a kernel that threads share; small work does not.
          const second = k.randomAhead('uniform', drawn(N, b, 7));
          const few = k.randomAhead('uniform', drawn(40, c, 9));
          k.unary('exp', { n: 16, x: c, out: into(c) });
          k.unary('exp', { n: N - 16, x: c + 64, out: into(c + 64) });
          second();
          first();
          few();
        });
        assert.equal(ahead, plain, `${threads} threads`);
      }
      on.stop();
    }
  });

  test('threads that are stopped finish what they draw ahead', () => {
    const on = createWasmBackend({ threads: 2 });
    const at = on.heap.alloc(4 * N);
    const wait = on.kernels.randomAhead('gaussian', drawn(N, at));
    on.kernels.threads = 1;
    const left = on.readWords(at, N);
    wait();
    on.kernels.random('gaussian', drawn(N, at));
    assert.equal(left, on.readWords(at, N));
    on.stop();
  });

  test('every kernel leaves the same bits on two, three and four threads as on one', () => {
    const one = createWasmBackend({ threads: 1 });
    for (const threads of [2, 3, 4]) {
      const many = createWasmBackend({ threads });
      for (let repeat = 0; repeat < 3; repeat++) {
        for (const [name, job] of Object.entries(JOBS)) {
          assert.equal(run(many, job), run(one, job), `${name} on ${threads} threads`);
        }
      }
      many.stop();
    }
  });

  test('chunks are even, cover the work once, and none is below the grain', () => {
    for (const n of [0, 1, 4095, 4096, 8191, 8192, 10_000, 70_001, 10_000_019]) {
      const chunks = ranges(n, 1, EXPENSIVE_GRAIN);
      requireEven(chunks, n, 16);
      if (chunks.length > 1)
        for (const [from, to] of chunks.slice(0, -1)) assert.ok(to - from >= EXPENSIVE_GRAIN);
    }
    for (const [rows, cols] of [
      [3, 3000],
      [7, 4096],
      [500, 500],
      [100_000, 3],
    ] as const) {
      const chunks = ranges(rows, cols, EXPENSIVE_GRAIN);
      requireEven(chunks, rows, 1);
      if (chunks.length > 1)
        for (const [from, to] of chunks) assert.ok((to - from) * cols >= EXPENSIVE_GRAIN);
    }
    for (const [n, steps] of [
      [10_000, 1000],
      [1000, 1],
      [1000, 100],
      [300, 10_000],
      [1_000_003, 7],
      [10_000_000, 1000],
    ] as const) {
      requireEven(pathRanges({ n, steps }), n, 16);
    }
    assert.is(ranges(10_000, 1, 4096).length, 2);
    assert.is(pathRanges({ n: 1000, steps: 100 }).length, 2);
    for (const [m, n, k] of [
      [1, 1, 1],
      [64, 400, 784],
      [785, 400, 64],
      [1024, 1024, 1024],
      [5, 100_000, 9],
    ] as const) {
      let area = 0;
      for (const [m0, m1, n0, n1] of gemmBoxes({ m, n, k })) area += (m1! - m0!) * (n1! - n0!);
      assert.is(area, m * n);
    }
  });

  test('a kernel that traps while it draws ahead gives an error at the wait', () => {
    const on = createWasmBackend({ threads: 2 });
    const wait = on.kernels.randomAhead('gaussian', drawn(N, 2 ** 31));
    assert.throws(wait, /worker thread failed: gaussian: .*out of bounds/);
    assert.throws(() => on.kernels.randomAhead('gaussian', drawn(N, 4096)), /worker thread failed/);
    on.stop();
  });

  test('a kernel that traps on any thread is an error with its cause on the caller', () => {
    const on = createWasmBackend({ threads: 2 });
    const beyond = 2 ** 31;
    assert.throws(
      () => on.kernels.unary('exp', { n: N, x: beyond, out: into(beyond) }),
      /worker thread failed: exp: .*out of bounds/,
    );
    assert.throws(
      () => on.kernels.unary('exp', { n: N, x: 4096, out: into(4096) }),
      /worker thread failed/,
      'the pool stays broken',
    );
    on.kernels.threads = 2;
    assert.equal(
      run(on, JOBS.Adam!),
      run(createWasmBackend(), JOBS.Adam!),
      'setting the threads starts another pool',
    );
    on.stop();
  });

  test('a chunk that is claimed and never finished is an error, not a wrong result', () => {
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
    const module = new WebAssembly.Module(kernelBytes('strict'));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const pool = new ThreadPool(module, memory, exports, [], 50);
    const { block } = pool as unknown as { block: SharedArrayBuffer };
    // A thread that ends after it has claimed a chunk: it claims the first available one, inside the job.
    const original = Atomics.notify;
    const { words } = controlOver(block);
    Atomics.store(words, 3, 1); // a sleeping thread, so that the pool calls notify when it publishes the job
    Atomics.notify = ((...args: Parameters<typeof original>) => {
      if (Atomics.load(words, REMAINING) > 0) assert.is(claim(words), 1);
      return original(...args);
    }) as typeof original;
    try {
      assert.throws(
        () =>
          pool.run('fill', 4096, [
            [0, 4],
            [4, 8],
          ]),
        /fill: a worker claimed a chunk and did not finish/,
      );
    } finally {
      Atomics.notify = original;
    }
    assert.is(Atomics.load(words, DONE), 1);
    assert.is(Atomics.load(words, REMAINING), 0);
    assert.throws(() => pool.run('fill', 4096, [[0, 4]]), /worker thread failed/);
  });

  test('a worker that starts while the memory grows reaches all of the memory', async () => {
    // A long message before the memory: the worker still reads the message when the memory grows.
    const { startWorker } = host;
    const long = Array.from({ length: 1e6 }, (_, i) => ({ i }));
    host.startWorker = (source, setup, failed) => startWorker(source, { long, ...(setup as object) }, failed);
    const on = createWasmBackend({ threads: 2 });
    try {
      const source = on.heap.alloc(4 * N);
      const copyTo = (ptr: Ptr) => copyArray(on.kernels, N, source, { ptr, accumulate: false });
      copyTo(source); // starts the worker
      await new Promise((resolve) => setTimeout(resolve, 150));
      const high = on.heap.alloc(2 ** 28);
      for (let i = 0; i < 2000; i++) copyTo(high + 4 * N);
      // The worker has read the message by now.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      for (let i = 0; i < 2000; i++) copyTo(high + 4 * N);
    } finally {
      host.startWorker = startWorker;
      on.stop();
    }
  });

  test('another build ends the worker threads of the old one, and all threads compute by the new one', () => {
    const { startWorker } = host;
    let stopped = 0;
    host.startWorker = (...given) => {
      const { stop } = startWorker(...given);
      return { stop: () => [stopped++, stop()] };
    };
    const on = createWasmBackend({ threads: 2 });
    try {
      run(on, JOBS['gemm of odd sizes']!);
      if (!hasRelaxedSimd()) {
        assert.throws(() => (on.kernels.numerics = 'relaxed'), /this engine cannot run the relaxed kernels/);
        assert.is(stopped, 1);
        return;
      }
      on.kernels.numerics = 'relaxed';
      assert.is(stopped, 1);
      const one = createWasmBackend({ threads: 1, numerics: 'relaxed' });
      for (let i = 0; i < 20; i++) {
        assert.equal(run(on, JOBS['gemm of odd sizes']!), run(one, JOBS['gemm of odd sizes']!));
      }
    } finally {
      host.startWorker = startWorker;
      on.stop();
    }
  });

  test('workers that cannot start are an error that leaves no memory behind, and one thread still computes', () => {
    const { startWorker } = host;
    const on = createWasmBackend({ threads: 3 });
    host.startWorker = () => {
      throw new LangevinError('no workers here');
    };
    try {
      const at = on.heap.alloc(4 * N);
      const draw = () => on.kernels.random('gaussian', drawn(N, at));
      for (let i = 0; i < 2; i++) {
        assert.throws(draw, /no workers here/);
        assert.is(on.heap.blocks, 1);
      }
      on.kernels.threads = 1;
      draw();
      assert.is(on.heap.blocks, 1);
    } finally {
      host.startWorker = startWorker;
    }
  });

  test('a job that does not fit the control block is refused', () => {
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
    const module = new WebAssembly.Module(kernelBytes('strict'));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const pool = new ThreadPool(module, memory, exports, []);
    const refused = (kernel: string, chunks: number[][], message: RegExp) =>
      assert.throws(() => pool.run(kernel, 4096, chunks), message);
    refused('fill', Array(65).fill([0, 1]), /internal: threads: expected at most 64 chunks .*got 65 of 2/);
    refused('fill', [[0, 1, 2]], /got 1 of 3/);
    refused('gemm', [[0, 1, 0, 1, 0]], /got 1 of 5/);
    refused('fil', [[0, 1]], /no kernel is called fil/);
  });

  test('forty starts and stops leave no thread and no heap block behind', async () => {
    const before = systemThreads();
    for (let i = 0; i < 40; i++) {
      const on = createWasmBackend({ threads: 2 });
      run(on, JOBS.normals!);
      on.stop();
      assert.is(on.heap.blocks, 0);
    }
    // A terminated worker's thread ends a little later.
    for (let wait = 0; wait < 100 && before !== null && systemThreads()! > before; wait++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (before !== null)
      assert.ok(systemThreads()! <= before, `${systemThreads()} threads, ${before} before`);
  });

  test('invalid numbers of threads and unknown numerics are refused with their names', () => {
    for (const n of [0, -1, 1.5, 65, Number.NaN]) {
      assert.throws(
        () => setThreads(n),
        (error: Error) => error.message === `threads: expected a whole number from 1 to 64, got ${n}`,
      );
    }
    assert.throws(
      () => setNumerics('relaxd' as 'relaxed'),
      /numerics: expected one of strict, relaxed, auto, got "relaxd".*"relaxed"/,
    );
  });
});
