/**
 * Helpers for several suites: seeded inputs, a run on a given backend, and errors in units in the last place of
 * float32. `runKernel` runs one kernel, with guard values around its arrays.
 */
import seedrandom from 'seedrandom';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { ABI, type KernelAbi, type KernelName, RecordWriter } from '../src/backend/abi.ts';
import {
  type Backend,
  type BackendName,
  backend,
  createReferenceBackend,
  createWasmBackend,
  setBackend,
} from '../src/backend/backend.ts';
import type { Exports, Numerics } from '../src/backend/instance.ts';
import type { Kernels, Ptr, Target, UnaryName } from '../src/backend/kernels.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Nested } from '../src/tensor/format.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import type { Test } from './suite.ts';

/** n float32 numbers, uniform in [lo, hi). They are a function of the seed. */
export function uniforms(seed: string | number, n: number, lo = -1, hi = 1): Float32Array<ArrayBuffer> {
  const next = seedrandom(String(seed));
  return Float32Array.from({ length: n }, () => lo + (hi - lo) * next());
}

/** Runs `body` in a scope on the named backend. Then it restores the selected backend. */
export function onBackend<T>(name: BackendName, body: () => T): T {
  const before = backend().name;
  setBackend(name);
  try {
    return scope(body);
  } finally {
    setBackend(before);
  }
}

/** The distance between neighbouring float32 numbers at x. It is 2^-149 for subnormals. */
export function ulp(x: number): number {
  const a = Math.abs(x);
  if (a < 2 ** -125) return 2 ** -149;
  bits.setFloat64(0, a);
  return 2 ** (((bits.getUint32(0) >>> 20) & 0x7ff) - 1023 - 23);
}
const bits = new DataView(new ArrayBuffer(8));

/** The largest relative error of one rounding: half the distance between float32 numbers at 1. */
export const U = 2 ** -24;

/**
 * The largest error of the unary kernels, in units in the last place of the exact result. test/kernels.test.ts checks
 * it on millions of inputs.
 */
// biome-ignore format: a table
export const UNARY_ULP: Readonly<Record<UnaryName, number>> = {
  neg: 0, abs: 0, exp: 1, log: 1, sqrt: 0.5, relu: 0, sigmoid: 2.5, tanh: 1.5, silu: 4.25, clamp: 0,
  sin: 1.5, cos: 1.5, erf: 1.5, gelu: 0.55, softplus: 2, leakyRelu: 0.5,
};

/** The number of guard values before and after every array of `runKernel`. A correct kernel does not change them. */
const GUARD = 16;
const SENTINEL = 12345;

const made = new Map<string, Backend>();
function once(key: string, make: () => Backend): Backend {
  const backend = made.get(key) ?? make();
  made.set(key, backend);
  return backend;
}

/** Two backends for tests. They do not depend on the selected backend. */
export const ownWasm = (numerics: Numerics = 'strict'): Backend =>
  once(numerics, () => createWasmBackend({ numerics, threads: 1 }));
export const ownReference = (): Backend => once('reference', createReferenceBackend);

/** The target of a kernel's result. */
export const into = (ptr: Ptr, accumulate = false): Target => ({ ptr, accumulate });

/** Calls an exported kernel on the items within `bounds`, with its record at `at`. */
export function callExport(
  { memory, exports }: { memory: WebAssembly.Memory; exports: Exports },
  name: KernelName,
  bounds: readonly number[],
  record: object,
  at: Ptr,
): void {
  (ABI[name] as KernelAbi<object>).write(new RecordWriter(memory.buffer, at).start(), record);
  exports[name](...bounds, at);
}

/** A kernel call on arrays that lie at the given addresses; `bytes` is the size of an element. */
export type Call = (k: Kernels, at: readonly Ptr[], bytes: number) => void;

/** Runs `call` on copies of `arrays` in the backend's memory. Returns the arrays after the call. */
export function runKernel(on: Backend, arrays: readonly ArrayLike<number>[], call: Call): Float64Array[] {
  const { heap, kernels, elementBytes, read, write } = on;
  const guard = new Array<number>(GUARD).fill(SENTINEL);
  const at = arrays.map(
    (array) => heap.alloc((array.length + 2 * GUARD) * elementBytes) + GUARD * elementBytes,
  );
  for (const [i, array] of arrays.entries()) {
    write(at[i]! - GUARD * elementBytes, guard);
    write(at[i]!, array);
    write(at[i]! + array.length * elementBytes, guard);
  }
  call(kernels, at, elementBytes);
  const results = arrays.map((array, i) => Float64Array.from(read(at[i]!, array.length)));
  for (const [i, { length }] of arrays.entries()) {
    for (const edge of [at[i]! - GUARD * elementBytes, at[i]! + length * elementBytes]) {
      assert.equal(Array.from(read(edge, GUARD)), guard, `${on.name}: written beyond array ${i}`);
    }
    heap.release(at[i]! - GUARD * elementBytes);
  }
  return results;
}

/** `runKernel` on both backends, from the same float32 numbers. */
export function onBoth(
  arrays: readonly ArrayLike<number>[],
  call: Call,
): { wasm: Float64Array[]; reference: Float64Array[] } {
  const rounded = arrays.map((array) => Float32Array.from(array));
  return {
    wasm: runKernel(ownWasm(), rounded, call),
    reference: runKernel(ownReference(), rounded, call),
  };
}

/** The largest error of a pair of normals at radius r. See assembly/random/gaussian.ts. */
export const gaussianError = (r: number): number => 4e-7 * r + 2 ** -24 / Math.max(r, 2 ** -12);

/** Asserts that two arrays of normals agree within `gaussianError`. The length of `b` is a multiple of 16. */
export function closeNormals(a: ArrayLike<number>, b: ArrayLike<number>, what: string): void {
  // Elements i and i + 4 are the cosine and the sine of one pair (assembly/random/gaussian.ts).
  close(a, Array.from(b).slice(0, a.length), (i) => gaussianError(Math.hypot(b[i]!, b[i ^ 4]!)), what);
}

/** Asserts |a - b| <= tolerance(i) for all i. Two NaN are equal, and so are two equal infinities. */
export function close(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  tolerance: number | ((i: number) => number),
  what: string,
): void {
  assert.is(a.length, b.length, `${what}: lengths`);
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const limit = typeof tolerance === 'number' ? tolerance : tolerance(i);
    if (!(Math.abs(a[i]! - b[i]!) <= limit)) {
      assert.unreachable(`${what}: expected ${b[i]} at ${i}, got ${a[i]}, further than ${limit}`);
    }
  }
}

/** Asserts that `action` throws an error of class `type`. Its message is one line that matches `message`. */
export function refused(
  action: () => unknown,
  type: new (...args: never[]) => Error,
  message: RegExp | string,
): void {
  try {
    action();
  } catch (error) {
    assert.instance(error, type, `expected ${type.name}, got ${error}`);
    const text = (error as Error).message;
    assert.not.match(text, /\n/);
    if (typeof message === 'string') assert.is(text, message);
    else assert.match(text, message);
    return;
  }
  assert.unreachable(`expected ${type.name} ${message}, but nothing was thrown`);
}

/** Declares tests that run in a scope, which frees their tensors. */
export const scoped =
  (define: (test: (sentence: string, body: () => void) => void) => void) =>
  (test: Test): void =>
    define((sentence, body) => test(sentence, () => scope(body)));

/** Asserts that x has the shape of `expected`, and elements near those of `expected`. */
export function near(x: Tensor, expected: Nested, tolerance = 1e-6): void {
  const wanted = tensor(expected);
  assert.equal(x.shape, wanted.shape);
  close(x.toTypedArray(), wanted.toTypedArray(), tolerance, 'elements');
}
