/** A generator in another thread. The oracle is the same generator in this one, and what its `finally` block did. */
import { writeFileSync } from 'node:fs';
import { MessageChannel, Worker } from 'node:worker_threads';
import * as assert from 'uvu/assert';
import { LangevinError, ValueError } from '../src/errors.ts';
import { runInWorker, serveWorker, type WorkerPort } from '../src/models/training/in-worker.ts';
import { asConsumer, npmRun } from './dist.ts';
import { suite } from './suite.ts';

npmRun('build:node');

/** Two ends of a channel in this thread, while `body` runs. */
async function withPorts(body: (here: WorkerPort, there: WorkerPort) => Promise<void>): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  try {
    await body(port1 as unknown as WorkerPort, port2 as unknown as WorkerPort);
  } finally {
    port1.close();
  }
}

async function valuesOf<T>(run: AsyncIterable<T>, most = Number.POSITIVE_INFINITY): Promise<T[]> {
  const values: T[] = [];
  for await (const value of run) if (values.push(value) >= most) break;
  return values;
}

async function errorOf(run: AsyncIterable<unknown>): Promise<Error> {
  return valuesOf(run).then(
    () => assert.unreachable('no error'),
    (error: Error) => error,
  ) as Promise<Error>;
}

/** A program for a worker of Node, in which langevin is installed. */
const WORKER = `
import { parentPort } from 'node:worker_threads';
import { serveWorker, tensor } from 'langevin';
serveWorker(function* ({ numbers, exit }) {
  const x = tensor(numbers);
  for (let n = 1; ; n++) {
    if (n === exit) process.exit(3);
    yield [n, x.mul(n).sum().item()];
  }
}, parentPort);`;

suite('a generator in a worker', (test) => {
  test('yields its values in order, then ends; sync and async generators do the same', () =>
    withPorts(async (here, there) => {
      const log: string[] = [];
      serveWorker(async function* ({ to }: { to: number }) {
        for (let n = 0; n < to; n++) {
          log.push(`made ${n}`);
          yield { n, roots: Float64Array.of(n ** 0.5) };
        }
      }, there);
      const values = [];
      for await (const value of runInWorker<{ n: number }>(here, { to: 3 })) {
        log.push(`got ${value.n}`);
        values.push(value);
      }
      assert.equal(
        values,
        [0, 1, 2].map((n) => ({ n, roots: Float64Array.of(n ** 0.5) })),
      );
      // The next value is made only when it is wanted.
      assert.equal(log, ['made 0', 'got 0', 'made 1', 'got 1', 'made 2', 'got 2']);
    }));

  test('ends at its yield when the caller ends the loop, and its finally block runs before the loop is left', () =>
    withPorts(async (here, there) => {
      const log: string[] = [];
      serveWorker(function* () {
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          log.push('freed');
        }
      }, there);
      assert.equal(await valuesOf(runInWorker<number>(here), 3), [0, 1, 2]);
      assert.equal(log, ['freed']);
    }));

  test('runs beside another one, each with its own input', () =>
    withPorts(async (here, there) => {
      serveWorker(function* (input: string) {
        for (let n = 0; n < 3; n++) yield input + n;
      }, there);
      const runs = ['a', 'b'].map((input) => valuesOf(runInWorker<string>(here, input)));
      assert.equal(await Promise.all(runs), [
        ['a0', 'a1', 'a2'],
        ['b0', 'b1', 'b2'],
      ]);
    }));

  test('throws in the caller what it throws there, also for a value that cannot be copied', () =>
    withPorts(async (here, there) => {
      serveWorker(function* (fault: boolean): Generator<unknown> {
        yield 1;
        if (fault) throw new RangeError('too far');
        yield () => 2;
      }, there);
      const thrown = await errorOf(runInWorker(here, true));
      assert.instance(thrown, LangevinError);
      assert.is(thrown.message, 'the worker failed: RangeError: too far');
      assert.match((await errorOf(runInWorker(here, false))).message, /^the worker failed: DataCloneError: /);
      assert.equal(await valuesOf(runInWorker(here, true), 1), [1], 'the worker serves on');
    }));

  test('other messages of the worker do not disturb it', () =>
    withPorts(async (here, there) => {
      serveWorker(function* () {
        there.postMessage('a message of the program');
        there.postMessage(null);
        yield 1;
      }, there);
      here.postMessage({ hello: 1 });
      assert.equal(await valuesOf(runInWorker(here)), [1]);
    }));

  test('without a port the error names what Node needs', () => {
    assert.throws(
      () => serveWorker(function* () {}),
      (error: Error) =>
        error instanceof ValueError && /give parentPort of node:worker_threads$/.test(error.message),
    );
  });

  test('computes in a thread of Node, with an engine of its own; a thread that ends is an error', () =>
    asConsumer(async (folder) => {
      writeFileSync(`${folder}/worker.js`, WORKER);
      const worker = new Worker(`${folder}/worker.js`);
      try {
        const run = runInWorker<number[]>(worker, { numbers: [1, 2, 3] });
        assert.equal(await valuesOf(run, 3), [
          [1, 6],
          [2, 12],
          [3, 18],
        ]);
        const ended = await errorOf(runInWorker(worker, { numbers: [1], exit: 2 }));
        assert.is(ended.message, 'the worker failed: it ended with exit code 3');
      } finally {
        await worker.terminate();
      }
    }));
});
