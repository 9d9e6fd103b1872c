/**
 * The page's side of the engine. It starts the worker with the first job. It starts another one if a worker ends, with an
 * error or without, does not start or stop in time, or has no memory left.
 */
import { signal } from '@preact/signals-core';
import {
  type EngineFacts,
  type FromEngine,
  type JobName,
  type Jobs,
  LIFE_LOCK,
  type ToEngine,
} from '../protocol.ts';

/** A job was stopped: it has no result, and nothing went wrong. */
export class Stopped extends Error {}

/** An error in the engine. The message is for the reader of the page. */
export class EngineError extends Error {}

interface Waiting {
  readonly message: ToEngine;
  /** Whether the worker has the message. */
  sent: boolean;
  readonly done: (result: unknown) => void;
  readonly failed: (error: Error) => void;
  readonly progress: (value: unknown) => void;
}

/** A job that was started. */
export interface Running<Result> {
  /** @throws Stopped, EngineError */
  readonly result: Promise<Result>;
  stop(): void;
  /** Lets the job go on for so many yields, then wait: 0 pauses it, Infinity lets it run. */
  allow(yields: number): void;
}

/** How a job is started. */
export interface RunOptions<Progress> {
  /** It is called with the job's progress. */
  readonly onProgress?: (value: Progress) => void;
  /** How often the job may yield before it waits. Default Infinity. */
  readonly yields?: number;
}

/** A worker that does not stop within this time is terminated. In milliseconds. */
const STOP_TIMEOUT = 2000;

/** A worker that sends nothing within this time has not started. Its script may come over a slow network. In milliseconds. */
const START_TIMEOUT = 60_000;

/** Calls `ended` when the worker of that name has ended: then its lock is free. A worker that is killed sends no event. */
function whenEnded(name: string, ended: () => void): void {
  void navigator.locks?.request(LIFE_LOCK + name, ended);
}

export class Engine {
  /** Threads and processors of the engine; null until the worker has sent them. */
  readonly facts = signal<EngineFacts | null>(null);
  private worker: Worker | null = null;
  private ready: Promise<void> = Promise.resolve();
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;

  /** @param url of the worker's script */
  constructor(private readonly url: string) {}

  /** Runs a job to its end. @throws EngineError */
  run<K extends JobName>(job: K, settings: Jobs[K]['settings']): Promise<Jobs[K]['result']> {
    return this.start(job, settings).result;
  }

  /** Starts a job, which can be stopped and paused. */
  start<K extends JobName>(
    job: K,
    settings: Jobs[K]['settings'],
    { onProgress = () => {}, yields = Infinity }: RunOptions<Jobs[K]['progress']> = {},
  ): Running<Jobs[K]['result']> {
    const id = this.next++;
    const result = new Promise<Jobs[K]['result']>((resolve, reject) => {
      const message: ToEngine = { type: 'run', id, job, settings, yields };
      this.launch(id, {
        message,
        sent: false,
        done: (result) => resolve(result as Jobs[K]['result']),
        failed: reject,
        progress: (value) => onProgress(value as Jobs[K]['progress']),
      });
    });
    return {
      result,
      stop: () => this.stop(id),
      allow: (yields) =>
        void this.ready.then(
          () => this.send({ type: 'allow', id, yields }),
          () => {},
        ),
    };
  }

  /** Computes with so many threads from here on. If the worker cannot start, the next run says so. */
  setThreads(threads: number): void {
    this.open().then(
      () => this.send({ type: 'threads', threads }),
      () => {},
    );
  }

  /** Ends the worker; the next job starts another. */
  end(reason: Error): void {
    this.worker?.terminate();
    this.worker = null;
    for (const { failed } of this.waiting.values()) failed(reason);
    this.waiting.clear();
  }

  private send(message: ToEngine): void {
    this.worker?.postMessage(message);
  }

  private launch(id: number, waiting: Waiting): void {
    this.waiting.set(id, waiting);
    const run = () => {
      if (this.waiting.get(id) !== waiting) return;
      waiting.sent = true;
      this.send(waiting.message);
    };
    // A worker that cannot start fails all that wait for it.
    this.open().then(run, () => {});
  }

  private stop(id: number): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    if (!waiting.sent) {
      this.waiting.delete(id);
      waiting.failed(new Stopped());
      return;
    }
    this.send({ type: 'stop', id });
    setTimeout(() => {
      if (this.waiting.get(id) === waiting) this.replace(id);
    }, STOP_TIMEOUT);
  }

  /** Ends a worker whose job does not stop. Another worker gets its other jobs. */
  private replace(id: number): void {
    const others = [...this.waiting].filter(([other]) => other !== id);
    for (const [other] of others) this.waiting.delete(other);
    this.end(new Stopped());
    for (const [other, waiting] of others) this.launch(other, waiting);
  }

  private open(): Promise<void> {
    if (this.worker) return this.ready;
    // Tabs of one origin share the names of locks.
    const name = `${Date.now()}-${Math.random()}`;
    const worker = new Worker(this.url, { type: 'module', name });
    this.worker = worker;
    let broken = (_message: string) => {};
    this.ready = new Promise((resolve, reject) => {
      broken = (message) => {
        const error = new EngineError(message);
        if (this.worker === worker) this.end(error);
        reject(error);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        broken(
          `the engine ended: ${event.message || 'its script could not be loaded'}. The next run starts it again.`,
        );
      };
      worker.onmessageerror = () => broken('the engine sent what this page cannot read');
      worker.onmessage = ({ data }: MessageEvent<FromEngine>) => {
        if (data.type === 'ready') {
          this.facts.value = data.facts;
          resolve();
        } else if (data.type === 'broken') broken(`nothing can be computed in this tab: ${data.message}`);
        else this.receive(data);
      };
    });
    // A worker that ends before it holds its lock sends no event, and its lock does not show it.
    const late = setTimeout(
      () =>
        broken(
          `the engine did not start within ${START_TIMEOUT / 1000} seconds. The next run starts it again.`,
        ),
      START_TIMEOUT,
    );
    const started = () => clearTimeout(late);
    this.ready.then(started, started);
    this.ready.then(
      () => whenEnded(name, () => broken('the browser has ended the engine. The next run starts it again.')),
      () => {},
    );
    return this.ready;
  }

  private receive(message: Exclude<FromEngine, { type: 'ready' | 'broken' }>): void {
    const waiting = this.waiting.get(message.id);
    if (!waiting) return;
    if (message.type === 'progress') return waiting.progress(message.value);
    this.waiting.delete(message.id);
    if (message.type === 'done') waiting.done(message.result);
    else if (message.type === 'stopped') waiting.failed(new Stopped());
    else if (message.outOfMemory) this.outOfMemory(waiting, message.message);
    else waiting.failed(new EngineError(message.message));
  }

  /** Ends a worker whose memory is used up, unless other jobs still run in it. */
  private outOfMemory({ failed }: Waiting, message: string): void {
    if (this.waiting.size > 0) return failed(new EngineError(message));
    this.end(new Stopped());
    failed(new EngineError(`${message}. The next run starts the engine again, with fresh memory.`));
  }
}
