/**
 * Downloads with progress, from the first of several mirrors that delivers the right bytes. A mirror that is
 * silent for too long counts as failed.
 *
 * Left out on purpose: resuming, and retrying the same mirror; the next one is the retry.
 */
import { FileError } from '../errors.ts';
import { readAll } from './bytes.ts';

export interface DownloadProgress {
  readonly url: string;
  /** Bytes so far. */
  readonly received: number;
  /** Bytes to come in all, where the server says so. */
  readonly total: number | undefined;
}

export interface DownloadOptions {
  readonly progress?: ((event: DownloadProgress) => void) | undefined;
  /** Milliseconds without a byte after which a mirror has failed; 30,000 if not given. */
  readonly patience?: number | undefined;
}

/** The innermost cause: `fetch failed` alone helps nobody. */
function reasonOf(error: unknown): string {
  const { cause, message, code } = error as Error & { code?: string };
  return cause instanceof Error ? reasonOf(cause) : message || code || String(error);
}

/** The body of `url`. @throws FileError */
export async function download(url: string, options: DownloadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { progress, patience = 30_000 } = options;
  const silence = new AbortController();
  const giveUp = () => silence.abort(new FileError(`nothing came for ${patience / 1000} s`));
  let timer = setTimeout(giveUp, patience);
  try {
    const response = await fetch(url, { signal: silence.signal });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new FileError(`HTTP ${response.status} ${response.statusText}`.trim());
    }
    // A server that compresses on the way counts the compressed bytes, and fetch delivers the others.
    const counted = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
    const total = counted === null ? undefined : Number(counted);
    return await readAll(response.body, url, (received) => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, patience);
      progress?.({ url, received, total });
    });
  } catch (error) {
    throw new FileError(`cannot download ${url}: ${reasonOf(error)}`, error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What `accept` makes of the first mirror's `file` that it does not refuse by throwing.
 * @param mirrors folders as URLs that end in `/`
 * @throws FileError that names every mirror's failure
 */
export async function downloadFromMirrors<T>(
  file: string,
  mirrors: readonly string[],
  accept: (bytes: Uint8Array<ArrayBuffer>, url: string) => Promise<T>,
  options: DownloadOptions = {},
): Promise<T> {
  const failures: string[] = [];
  for (const mirror of mirrors) {
    const url = mirror + file;
    try {
      return await accept(await download(url, options), url);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new FileError(`no mirror delivered ${file}: ${failures.join('; ') || 'none is known'}`);
}
