/**
 * What differs between Node and a page, as one interface. `import { host } from '#host'` gives the
 * implementation: `node.ts`, or `browser.ts` where a bundler sets the `browser` condition.
 *
 * Left out on purpose: anything that both have (fetch, crypto.subtle, streams, timers), which the rest of
 * langevin uses directly.
 */

/** The machine underneath. Paths are file paths in Node and URLs in a page; both are joined by `/`. */
export interface Host {
  readonly name: 'node' | 'browser';

  /** For people: `Node 20.20.2, V8 11.3`, or the user agent of a page. */
  readonly engine: string;

  /**
   * Threads worth starting: the processors this process may use, at least 1. In Node a container's CPU quota
   * counts too, since threads beyond it are only throttled.
   */
  availableThreads(): number;

  /** An environment variable; `undefined` where it is not set, and always in a page. */
  environment(name: string): string | undefined;

  /** The folder for downloads that may be deleted at any time; `undefined` in a page, which has none. */
  cacheDir(): string | undefined;

  /** Whether a file can be found at `path`; a folder is not a file. @throws FileError where a page's server is out of reach */
  exists(path: string): Promise<boolean>;

  /** The bytes of a file; a page fetches them. @throws FileError */
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;

  /** Makes the folder `path` and its parents; one that exists is fine. Nothing happens in a page. @throws FileError */
  makeDir(path: string): Promise<void>;

  /**
   * Writes a file whole or not at all: into a temporary file in the same folder, which is flushed to the disk
   * and then renamed. Missing folders are made; a symbolic link is followed; what is no file (a device, a pipe)
   * is written directly. On failure the old file is untouched and no temporary file is left.
   *
   * A page offers the bytes as a download named by the last part of `path`; a worker of a page cannot.
   * @throws FileError
   */
  writeFileAtomic(path: string, content: Uint8Array | string): Promise<void>;

  /** {@link Host.writeFileAtomic} without a promise, for the last words of a process. @throws FileError */
  writeFileAtomicSync(path: string, content: Uint8Array | string): void;

  /**
   * Starts a thread that runs `source`, which sets `globalThis.onmessage`, and sends it `message`. The thread
   * does not keep the process alive. `died` gets the cause where the thread ends by itself.
   */
  startWorker(source: string, message: unknown, died: (cause: string) => void): WorkerHandle;
}

/** A thread that was started. */
export interface WorkerHandle {
  stop(): void;
}
