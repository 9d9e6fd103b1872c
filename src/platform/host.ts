/**
 * What differs between Node and a page, as one interface. `import { host } from '#host'` gives the implementation:
 * `node.ts`, or `browser.ts` if a bundler sets the `browser` condition.
 *
 * Left out on purpose: everything that Node and pages have in common (fetch, crypto.subtle, streams, timers). The rest
 * of langevin uses it directly.
 */

/** Node or a page. Paths are file paths in Node and URLs in a page. In both, `/` joins their parts. */
export interface Host {
  readonly name: 'node' | 'browser';

  /** A text for people: `Node 20.20.2, V8 11.3`, or the user agent of a page. */
  readonly engine: string;

  /**
   * How many threads to start: the number of processors that this process may use, at least 1. In Node the CPU quota of
   * a container counts too, because more threads than that would only be slowed down.
   */
  availableThreads(): number;

  /** An environment variable. It is `undefined` if it is not set, and always in a page. */
  environment(name: string): string | undefined;

  /** The folder for downloads, which may be deleted at any time. A page has none: `undefined`. */
  cacheDir(): string | undefined;

  /** Whether there is a file at `path`. A folder is not a file. @throws FileError if a page cannot reach the server */
  exists(path: string): Promise<boolean>;

  /**
   * What is in the folder `path`, in no order. A symbolic link counts as what it leads to. A page cannot list a folder.
   * @throws FileError
   */
  list(path: string): Promise<FolderEntry[]>;

  /** The bytes of a file; a page fetches them. @throws FileError */
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * Makes the folder `path` and its parents. A folder that exists is no error. In a page nothing happens. @throws
   * FileError
   */
  makeDir(path: string): Promise<void>;

  /**
   * Writes a file completely or not at all. It writes a temporary file in the same folder, flushes it to the disk, and
   * renames it. Missing folders are made, and a symbolic link is followed. A device or a pipe is written directly. If
   * writing fails, the old file is unchanged and no temporary file stays.
   *
   * A page offers the bytes as a download, named by the last part of `path`. A worker of a page cannot do that.
   * @throws FileError
   */
  writeFileAtomic(path: string, content: Uint8Array | string): Promise<void>;

  /** {@link Host.writeFileAtomic} without a promise, for a process that is about to end. @throws FileError */
  writeFileAtomicSync(path: string, content: Uint8Array | string): void;

  /**
   * Starts a thread that runs the program, and sends it `message`. The program has to set `globalThis.onmessage`. The
   * thread does not keep the process alive. If the thread ends by itself, `died` is called with the cause.
   * @throws LangevinError if a page refuses threads at once; most refusals come later, by `died`
   */
  startWorker(program: WorkerProgram, message: unknown, died: (cause: string) => void): WorkerHandle;
}

/** The program of a thread. */
export interface WorkerProgram {
  readonly source: string;
  /** A file with the same source. A page runs it in place of `source`, and Node does not use it. */
  readonly url: string | undefined;
}

/** A file or a folder in a folder. */
export interface FolderEntry {
  readonly name: string;
  /** `other` is a device, a pipe, or a link that leads nowhere. */
  readonly kind: 'file' | 'folder' | 'other';
  /** The size of a file in bytes. */
  readonly bytes: number;
}

/** A thread that was started. */
export interface WorkerHandle {
  stop(): void;
}
