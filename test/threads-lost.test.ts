/**
 * Worker threads that end, hang, trap, or lose a chunk that they have claimed. The caller must throw an error within ten
 * seconds, and it must never wait for ever or return an incomplete result. The workers of these tests are real threads that
 * run a faulty program.
 */
import { setTimeout } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { host } from '#host';
import { createWasmBackend } from '../src/backend/backend.ts';
import { REMAINING } from '../src/backend/control.ts';
import { kernelBytes } from '../src/backend/instance.ts';
import { ThreadPool, WorkerError } from '../src/backend/threads.ts';
import { into } from './helpers.ts';
import { suite } from './suite.ts';

/** The longest that a caller may wait for a lost chunk, in milliseconds. */
const LONGEST = 10_000;

/** Claims one chunk and does not compute it. */
const TAKE = `
  const take = (control) => {
    const words = new Int32Array(control);
    for (;;) {
      const left = Atomics.load(words, ${REMAINING});
      if (left > 0 && Atomics.compareExchange(words, ${REMAINING}, left, left - 1) === left) return;
    }
  };`;
/** Faulty programs, made from the right one. */
const FAULTS: Readonly<Record<string, (source: string) => string>> = {
  'ends in a chunk': () =>
    `${TAKE} globalThis.onmessage = ({ data }) => { take(data.control); process.exit(1); };`,
  'throws outside of a chunk': () =>
    `${TAKE} globalThis.onmessage = ({ data }) => { take(data.control); throw new Error('a bug'); };`,
  'hangs in a chunk': () => `${TAKE} globalThis.onmessage = ({ data }) => { take(data.control); for (;;); };`,
  'loses a chunk and takes others': (source) =>
    `${TAKE} ${source}; const right = globalThis.onmessage;
     globalThis.onmessage = (message) => { take(message.data.control); right(message); };`,
};

/** Starts workers with these programs while `body` runs, in turns. */
async function withFaults(faults: readonly string[], body: () => Promise<void>): Promise<void> {
  const { startWorker } = host;
  let started = 0;
  host.startWorker = (program, ...given) => {
    const source = FAULTS[faults[started++ % faults.length]](program.source);
    return startWorker({ ...program, source }, ...given);
  };
  try {
    await body();
  } finally {
    host.startWorker = startWorker;
  }
}

/** Repeats a job until it throws: at first no worker has started yet. Returns the error, and how long that job took. */
async function errorOf(job: () => void): Promise<{ error: unknown; milliseconds: number }> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const began = performance.now();
    try {
      job();
    } catch (error) {
      return { error, milliseconds: performance.now() - began };
    }
    await setTimeout(2);
  }
  return assert.unreachable('no job failed within a minute') as never;
}

suite('lost threads', (test) => {
  for (const fault of Object.keys(FAULTS)) {
    test(`a worker that ${fault} is an error, and the pool stays broken`, () =>
      withFaults([fault], async () => {
        const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
        const module = new WebAssembly.Module(kernelBytes('strict'));
        const { exports } = new WebAssembly.Instance(module, { env: { memory } });
        const pool = new ThreadPool(module, memory, exports, [1 << 21], 100);
        const chunks = [
          [0, 4],
          [4, 8],
          [8, 12],
        ];
        const { error } = await errorOf(() => pool.run('fill', 4096, chunks));
        assert.instance(error, WorkerError);
        assert.match(
          (error as Error).message,
          /^a worker thread failed: (fill: a worker claimed a chunk and did not finish it in 0\.1 s|the thread ended with exit code 1|Error: a bug)$/,
        );
        assert.throws(() => pool.run('fill', 4096, chunks), /^a worker thread failed: /);
      }));
  }

  test('with the limit of the engine the error comes within ten seconds, and new threads compute the right result', async () => {
    const on = createWasmBackend({ threads: 4 });
    const n = 1 << 18;
    const at = on.heap.alloc(4 * n);
    const job = () => on.kernels.unary('exp', { n, x: at, out: into(at) });
    await withFaults(['hangs in a chunk', 'loses a chunk and takes others', 'ends in a chunk'], async () => {
      const { error, milliseconds } = await errorOf(() => {
        on.write(at, new Float32Array(n));
        job();
      });
      assert.instance(error, WorkerError);
      assert.match(
        (error as Error).message,
        /^a worker thread failed: exp: a worker claimed a chunk .* in \d s$/,
      );
      assert.ok(milliseconds > 1000 && milliseconds < LONGEST, `${milliseconds} ms`);
    });
    on.kernels.threads = 3;
    on.write(at, new Float32Array(n));
    job();
    assert.ok(on.read(at, n).every((value) => value === 1));
    on.stop();
  });
});
