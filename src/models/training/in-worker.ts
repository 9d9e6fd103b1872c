/**
 * A generator that runs in another thread, such as a training beside a page. `serveWorker` offers it in a worker, and
 * `runInWorker` iterates over its values in the page or in the program that started the worker.
 *
 * The engine blocks its thread while it computes, so a page that trains in its own thread does not draw. Here the values
 * come one at a time: the worker continues when the caller asks for the next one. So a caller that ends its loop stops
 * the generator at its next `yield`, and its `finally` blocks run.
 *
 * Inputs and values are copied by the structured clone of `postMessage`: numbers, texts, arrays, plain objects. Tensors
 * are not. `toTypedArray()` gives their numbers, and `encodeCheckpoint` the file of a model. The worker itself belongs to
 * the caller, who ends it by `terminate()`.
 */
import { LangevinError, ValueError } from '../../errors.ts';
import { describe } from '../../options.ts';

/** Where messages go and come from: a `Worker` of a page or of Node, the scope of a worker, or Node's `parentPort`. */
export interface WorkerPort {
  /** Sends a message. */
  postMessage(message: unknown): void;
  /** Registers a listener, as in a page. */
  addEventListener?(type: string, listener: (event: { readonly type: string }) => void): void;
  /** Removes it. */
  removeEventListener?(type: string, listener: (event: { readonly type: string }) => void): void;
  /** Registers a listener, as in Node. */
  on?(type: string, listener: (value: unknown) => void): unknown;
  /** Removes it. */
  off?(type: string, listener: (value: unknown) => void): unknown;
}

/** The caller wants the first value, the next one, or the end. */
interface Request {
  readonly langevinRun: number;
  readonly want: 'start' | 'next' | 'end';
  readonly input?: unknown;
}

/** What the worker answers: a value, the end, or the text of an error. */
interface Answer {
  readonly langevinRun: number;
  readonly done: boolean;
  readonly value?: unknown;
  readonly error?: string;
}

type Values<T> = Iterator<T, unknown, void> | AsyncIterator<T, unknown, void>;

const textOf = (error: unknown) =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** Whether a message is one of ours. A worker may get others too. */
const isOurs = <M extends { readonly langevinRun: number }>(data: unknown): data is M =>
  typeof data === 'object' && data !== null && 'langevinRun' in data;

/** Calls `heard` with each message, the text of each error, or Node's exit code. Returns a function that ends this. */
function listen(
  port: WorkerPort,
  type: 'message' | 'error' | 'exit',
  heard: (value: unknown) => void,
): () => void {
  if (port.addEventListener && port.removeEventListener) {
    const listener = (event: { readonly type: string }) => {
      const { data, message } = event as { readonly data?: unknown; readonly message?: unknown };
      heard(type === 'message' ? data : message || 'it could not be loaded');
    };
    port.addEventListener(type, listener);
    return () => port.removeEventListener?.(type, listener);
  }
  if (!port.on || !port.off) throw new ValueError(`expected a worker or a port, got ${describe(port)}`);
  const listener = (value: unknown) => heard(type === 'error' ? textOf(value) : value);
  port.on(type, listener);
  return () => void port.off?.(type, listener);
}

/**
 * Offers a generator in a worker. Each `runInWorker` of the other thread calls it once, with its input. Two runs at the
 * same time take turns.
 * @param work makes the generator, sync or async, such as one that yields the events of a training
 * @param port Default: the scope of a page's worker. In Node it is `parentPort` of `node:worker_threads`.
 * @throws ValueError without a port
 */
export function serveWorker<I, T>(
  work: (input: I) => Iterator<T, unknown, void> | AsyncIterator<T, unknown, void>,
  port: WorkerPort = globalThis as unknown as WorkerPort,
): void {
  if (typeof port?.postMessage !== 'function') {
    throw new ValueError(
      'serveWorker: expected a port, got none: in Node give parentPort of node:worker_threads',
    );
  }
  const runs = new Map<number, Values<T>>();
  const answer = async ({ langevinRun, want, input }: Request): Promise<Answer> => {
    if (want === 'start') runs.set(langevinRun, work(input as I));
    const run = runs.get(langevinRun);
    const { done, value } = (await (want === 'end' ? run?.return?.() : run?.next())) ?? {
      done: true,
      value: undefined,
    };
    return done ? { langevinRun, done } : { langevinRun, done: false, value };
  };
  listen(port, 'message', async (data) => {
    if (!isOurs<Request>(data)) return;
    const { langevinRun } = data;
    try {
      const given = await answer(data);
      if (given.done) runs.delete(langevinRun);
      port.postMessage(given); // throws for a value that cannot be copied
    } catch (error) {
      runs.delete(langevinRun);
      port.postMessage({ langevinRun, done: true, error: textOf(error) });
    }
  });
}

let started = 0;

/**
 * Runs the generator that a worker offers by `serveWorker`, and yields its values. Ending the loop (`break`, `return`, an
 * error) ends the generator in the worker.
 *
 *     const worker = new Worker(new URL('./train.js', import.meta.url), { type: 'module' });
 *     for await (const event of runInWorker<TrainEvent>(worker, { epochs: 3 })) draw(event);
 *
 * @param worker the worker; it may run several generators, and is not ended
 * @param input the argument of the generator's function
 * @throws LangevinError if the generator throws, the worker cannot be loaded, or a value cannot be copied
 */
export async function* runInWorker<T>(worker: WorkerPort, input?: unknown): AsyncGenerator<T, void, void> {
  const langevinRun = started++;
  let settle: { resolve(answer: Answer): void; reject(error: Error): void } | null = null;
  let dead: LangevinError | null = null;
  const failed = (cause: unknown) => settle?.reject(new LangevinError(`the worker failed: ${cause}`));
  const died = (cause: unknown) => {
    dead = new LangevinError(`the worker failed: ${cause}`);
    settle?.reject(dead);
  };
  const ask = (want: Request['want']) =>
    new Promise<Answer>((resolve, reject) => {
      if (dead) return reject(dead);
      settle = { resolve, reject };
      worker.postMessage({ langevinRun, want, input: want === 'start' ? input : undefined });
    });
  const ends = [
    listen(worker, 'message', (data) => {
      if (!isOurs<Answer>(data) || data.langevinRun !== langevinRun) return;
      if (data.error === undefined) settle?.resolve(data);
      else failed(data.error);
    }),
    listen(worker, 'error', died),
    listen(worker, 'exit', (code) => died(`it ended with exit code ${code}`)),
  ];
  let running = false;
  try {
    for (let answer = await ask('start'); !answer.done; answer = await ask('next')) {
      running = true;
      yield answer.value as T;
      running = false;
    }
  } finally {
    if (running && !dead) await ask('end');
    for (const end of ends) end();
  }
}
