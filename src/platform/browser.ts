/**
 * The host in a page, or in a worker of a page. A file to read is a URL, and a file to write is a download. There is no
 * cache folder, because the browser's own HTTP cache does that work.
 */
import { FileError, LangevinError } from '../errors.ts';
import type { Host } from './host.ts';

async function request(url: string, method: 'GET' | 'HEAD'): Promise<Response> {
  try {
    return await fetch(url, { method });
  } catch (error) {
    throw new FileError(`cannot read ${url}: ${(error as Error).message}`, error);
  }
}

function writeFileAtomicSync(path: string, content: Uint8Array | string): void {
  if (typeof document === 'undefined') {
    throw new FileError(`cannot write ${path}: a worker has no downloads; send the bytes to its page`);
  }
  const part = typeof content === 'string' ? content : new Uint8Array(content); // a Blob does not accept shared memory
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([part]));
  link.download = path.slice(path.lastIndexOf('/') + 1);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser reads the bytes after click() has returned
}

/** What a page says whose policy does not allow worker threads. */
const REFUSED =
  "expected a page that allows worker threads, got one that refuses them; its Content-Security-Policy needs worker-src blob: and no require-trusted-types-for 'script', or setThreads(n, { workerUrl }) with worker-src 'self', or setThreads(1), which needs no worker";

/** What a page says that cannot start a thread from a file. A browser does not tell the reason. */
const refusedFile = (url: string) =>
  `expected langevin's worker.js at ${url}, got no worker; the file must be of the page's own origin and of a type such as text/javascript, an isolated page needs the header Cross-Origin-Embedder-Policy on it too, and a Content-Security-Policy needs worker-src 'self'`;

export const host: Host = {
  name: 'browser',
  get engine() {
    return navigator.userAgent;
  },
  availableThreads: () => navigator.hardwareConcurrency ?? 1,
  environment: () => undefined,
  cacheDir: () => undefined,
  async exists(path) {
    return (await request(path, 'HEAD')).ok;
  },
  async list(path) {
    throw new FileError(`cannot read the folder ${path}: a page cannot list folders`);
  },
  async readFile(path) {
    const response = await request(path, 'GET');
    if (!response.ok) {
      throw new FileError(`cannot read ${path}: HTTP ${response.status} ${response.statusText}`.trim());
    }
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      throw new FileError(`cannot read ${path}: ${(error as Error).message}`, error);
    }
  },
  async makeDir() {},
  async writeFileAtomic(path, content) {
    writeFileAtomicSync(path, content);
  },
  writeFileAtomicSync,
  startWorker({ source, url }, message, died) {
    const address = url ?? URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const refused = url === undefined ? REFUSED : refusedFile(url);
    let worker: Worker;
    try {
      worker = new Worker(address);
    } catch (error) {
      throw new LangevinError(`${refused}: ${(error as Error).message}`, { cause: error });
    } finally {
      if (url === undefined) URL.revokeObjectURL(address);
    }
    // A worker that may not start has an event without a message.
    worker.onerror = ({ message }) => died(message || refused);
    worker.postMessage(message);
    return { stop: () => worker.terminate() };
  },
};
