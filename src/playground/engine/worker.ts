/**
 * The engine's worker: it runs the jobs that the page sends. Between two steps of a job it receives messages, so that Stop
 * arrives. It sends `ready` first, because a message that comes while the module still loads can be lost.
 */
import { backend, canShareMemory, defaultThreads, setThreads } from '../../backend/backend.ts';
import { LangevinError, OutOfMemoryError } from '../../errors.ts';
import { type EngineFacts, type FromEngine, LIFE_LOCK, type ToEngine } from '../protocol.ts';
import { JOBS } from './jobs.ts';

/** The build puts it in front: the file with the program of the threads, beside this file. */
declare const THREAD: string;

/** Milliseconds between two progress messages, and between two times at which messages are received. */
const [PROGRESS_EVERY, RECEIVE_EVERY] = [1000 / 30, 8];

const scope = globalThis as unknown as {
  readonly name: string;
  postMessage(message: FromEngine, transfer: Transferable[]): void;
  onmessage: (event: MessageEvent<ToEngine>) => void;
};
const stopped = new Set<number>();
/** How often each job may yield before it waits. */
const allowed = new Map<number, number>();
/** They end the waits of paused jobs, which then look whether they may go on. */
let wakes: (() => void)[] = [];
function wake(): void {
  for (const resolve of wakes) resolve();
  wakes = [];
}

/** The buffers of arrays in a result that use their whole buffer. They are transferred to the page. */
function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteLength } = value;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) found.add(buffer);
  } else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) buffersIn(part, found);
  }
  return found;
}

const post = (message: FromEngine, content: unknown = null) =>
  scope.postMessage(message, [...buffersIn(content)]);

/** Yields to the event loop once, so that waiting messages are received. */
const channel = new MessageChannel();
const receiveMessages = () =>
  new Promise<void>((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
  });

async function run({ id, job, settings, yields }: Extract<ToEngine, { type: 'run' }>): Promise<void> {
  allowed.set(id, yields);
  const { compute } = await JOBS[job]();
  // biome-ignore lint/suspicious/noExplicitAny: the protocol pairs each job with its settings
  const steps = (compute as any)(settings) as AsyncGenerator<() => unknown, unknown, void> | Promise<unknown>;
  if (steps instanceof Promise) {
    const result = await steps;
    return post({ type: 'done', id, result }, result);
  }
  let [sent, received] = [0, 0];
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return post({ type: 'done', id, result: value }, value);
    const now = performance.now();
    allowed.set(id, Math.max(0, allowed.get(id)! - 1));
    if (now - received > RECEIVE_EVERY) {
      await receiveMessages();
      received = performance.now();
    }
    const paused = () => allowed.get(id) === 0 && !stopped.has(id);
    if ((now - sent > PROGRESS_EVERY && !stopped.has(id)) || paused()) {
      const content = value();
      post({ type: 'progress', id, value: content }, content);
      sent = now;
    }
    while (paused()) await new Promise<void>((resolve) => wakes.push(resolve));
    if (stopped.delete(id)) {
      await steps.return(undefined);
      return post({ type: 'stopped', id });
    }
  }
}

/** The message of an error. Errors that are not the library's own are faults of ours: they begin with `internal:`. */
function wordsOf(error: unknown): string {
  if (error instanceof LangevinError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `${isOutOfMemory(error) ? 'out of memory' : 'internal'}: ${message}`;
}

/** Whether memory was refused: by our heap, or by the engine for an array or a message. A smaller one may fit. */
function isOutOfMemory(error: unknown): boolean {
  if (error instanceof OutOfMemoryError) return true;
  const refused = error instanceof RangeError || error instanceof DOMException;
  return refused && /alloc|out of memory/i.test(error.message);
}

function facts(): EngineFacts {
  return {
    threads: backend().threads,
    processors: navigator.hardwareConcurrency,
    isolated: canShareMemory(),
  };
}

scope.onmessage = ({ data }) => {
  if (data.type === 'stop') {
    stopped.add(data.id);
    wake();
  } else if (data.type === 'allow') {
    allowed.set(data.id, data.yields);
    wake();
  } else if (data.type === 'threads') {
    setThreads(data.threads);
    post({ type: 'ready', facts: facts() });
  } else {
    const { id } = data;
    run(data)
      .catch((error) =>
        post({ type: 'failed', id, message: wordsOf(error), outOfMemory: isOutOfMemory(error) }),
      )
      .finally(() => {
        stopped.delete(id);
        allowed.delete(id);
      });
  }
};

/** The lock is free again when this worker ends, however it ends. So the page learns of it. */
function holdLock(): Promise<void> {
  if (!navigator.locks) return Promise.resolve();
  return new Promise((held) => {
    void navigator.locks.request(LIFE_LOCK + scope.name, () => {
      held();
      return new Promise(() => {});
    });
  });
}

await holdLock();
try {
  // From a file of the site: its policy forbids workers from blobs.
  setThreads(defaultThreads(), { workerUrl: new URL(THREAD, import.meta.url) });
  post({ type: 'ready', facts: facts() });
} catch (error) {
  post({ type: 'broken', message: wordsOf(error) });
}
