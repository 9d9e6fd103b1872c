/**
 * Threads: the same bits whatever their number, and an error where one fails. The oracle is one thread.
 */
import { readdirSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { createWasmBackend, setNumerics, setThreads, type WasmBackend } from '../src/backend/backend.ts';
import { claim, controlOver, DONE, REMAINING } from '../src/backend/control.ts';
import { kernelBytes } from '../src/backend/instance.ts';
import type { Kernels, Ptr } from '../src/backend/kernels.ts';
import { cut, gemmPieces } from '../src/backend/pieces.ts';
import { ThreadPool } from '../src/backend/threads.ts';
import { suite } from './suite.ts';

const N = 1 << 18;
const data = Float32Array.from({ length: N }, (_, i) => Math.sin(i * 12.9898) * 2);
const dense = (ptr: Ptr, n: number) => ({ ptr, row: n, col: 1 });

/** What `job` leaves in three arrays. */
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
const JOBS: Record<string, (k: Kernels, a: Ptr, b: Ptr, c: Ptr) => void> = {
  'gemm NT with bias and ReLU': (k, a, b, c) => k.gemm(64, 400, 300, a, false, b, true, c, false, a, 'relu'),
  'gemm TN, accumulated': (k, a, b, c) => k.gemm(400, 500, 64, a, true, b, false, c, true),
  'gemm of odd sizes': (k, a, b, c) => k.gemm(301, 307, 311, a, false, b, false, c, false),
  'a large gemm, cut both ways': (k, a, b, c) =>
    k.gemm(512, 512, 500, a, false, b, true, c, false, null, 'sigmoid'),
  'a function of one array': (k, a, _b, c) => k.unary('tanh', N - 3, a, c, true),
  'a function of two arrays': (k, a, b, c) => k.binary('mul', 1, N - 5, dense(a, N), dense(b, N), c, false),
  'broadcasting over rows': (k, a, b, c) =>
    k.binary('add', 700, 300, { ptr: a, row: 300, col: 1 }, { ptr: b, row: 0, col: 1 }, c, true),
  'a transpose': (k, a, _b, c) => k.copy(600, 400, 2, a, 1, 600, c, 400, 1, false),
  'a long copy': (k, a, _b, c) => k.copy(1, N, 0.5, a, N, 1, c, N, 1, true),
  'a long sum': (k, a, _b, c) => k.reduce('sum', 1, N - 1, 1, a, c, 2, true),
  'a long sum of squares': (k, a, _b, c) => k.reduce('sumSquares', 1, N, 1, a, c, 1, false),
  'sums of rows': (k, a, _b, c) => k.reduce('sum', 500, 500, 1, a, c, 1, false),
  'maxima of rows': (k, a, _b, c) => k.reduce('max', 500, 50, 10, a, c, 1, false),
  'the mean squared error': (k, a, b, c) => k.mse(N, a, b, c),
  'its gradient': (k, a, b, c) => k.mseBackward(N, a, b, a, 0.5, c, true),
  Adam: (k, a, b, c) => k.adam(N / 2, a, b, c, c + 2 * N, step),
  'SGD with momentum': (k, a, b, c) => k.sgd(N, a, b, c, momentum),
  normals: (k, a) => k.gaussian(N - 7, a, key, 5),
  uniforms: (k, a) => k.uniform(N, a, key, 2 ** 33),
  bits: (k, a) => k.randomBits(N, a, key, 0),
};

/** Threads of this process, as the system counts them; null where it does not tell. */
function systemThreads(): number | null {
  try {
    return readdirSync('/proc/self/task').length;
  } catch {
    return null;
  }
}

suite('threads', (test) => {
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

  test('pieces cover the work once, and none is below the grain', () => {
    for (const n of [0, 1, 4095, 4096, 8191, 8192, 70_001, 10_000_019]) {
      const pieces = cut('exp', n);
      assert.is(pieces[0]![0], 0);
      assert.is(pieces.at(-1)![1], n);
      for (let i = 1; i < pieces.length; i++) {
        assert.is(pieces[i]![0], pieces[i - 1]![1]);
        assert.is(pieces[i]![0] % 16, 0);
      }
      assert.ok(pieces.length <= 64);
    }
    for (const [m, n, k] of [
      [1, 1, 1],
      [64, 400, 784],
      [785, 400, 64],
      [1024, 1024, 1024],
      [5, 100_000, 9],
    ] as const) {
      let area = 0;
      for (const [m0, m1, n0, n1] of gemmPieces(m, n, k)) area += (m1 - m0) * (n1 - n0);
      assert.is(area, m * n);
    }
  });

  test('a kernel that traps on any thread is an error with its cause on the caller', () => {
    const on = createWasmBackend({ threads: 2 });
    const beyond = 2 ** 31;
    assert.throws(
      () => on.kernels.unary('exp', N, beyond, beyond, false),
      /worker thread failed: exp: .*out of bounds/,
    );
    assert.throws(
      () => on.kernels.unary('exp', N, 4096, 4096, false),
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

  test('a piece that is claimed and never finished is an error, not a wrong result', () => {
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
    const module = new WebAssembly.Module(kernelBytes('strict'));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const pool = new ThreadPool(module, memory, exports, [], 50);
    const { block } = pool as unknown as { block: SharedArrayBuffer };
    // A thread that dies with a piece in its hands: it claims the first that comes, inside the job.
    const original = Atomics.notify;
    const { words } = controlOver(block);
    Atomics.store(words, 3, 1); // a sleeper, so that the pool calls notify when the job is out
    Atomics.notify = ((...args: Parameters<typeof original>) => {
      if (Atomics.load(words, REMAINING) > 0) assert.is(claim(words), 1);
      return original(...args);
    }) as typeof original;
    try {
      assert.throws(
        () =>
          pool.run('fill', [
            [4, 4096, 1],
            [4, 8192, 1],
          ]),
        /fill: a worker claimed a piece and did not finish/,
      );
    } finally {
      Atomics.notify = original;
    }
    assert.is(Atomics.load(words, DONE), 1);
    assert.is(Atomics.load(words, REMAINING), 0);
    assert.throws(() => pool.run('fill', [[4, 4096, 1]]), /worker thread failed/);
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

  test('numbers of threads that are none, and unknown numerics, are refused by name', () => {
    for (const n of [0, -1, 1.5, 65, Number.NaN]) {
      assert.throws(
        () => setThreads(n),
        (error: Error) => error.message === `threads: expected a whole number from 1 to 64, got ${n}`,
      );
    }
    assert.throws(
      () => setNumerics('relaxd' as 'relaxed'),
      /numerics: expected strict or relaxed or auto, got "relaxd".*"relaxed"/,
    );
  });
});
