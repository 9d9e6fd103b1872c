/**
 * Downloads a file and reports progress. Several mirrors are tried in turn until one delivers the right bytes. A
 * mirror fails if it sends no byte for too long.
 *
 * Left out on purpose: resuming a download, and trying the same mirror twice.
 */
import { FileError } from '../errors.ts';
import { readAll } from './bytes.ts';

/** The progress of a download. */
export interface DownloadProgress {
  /** The address of the file. */
  readonly url: string;
  /** The number of bytes received so far. */
  readonly received: number;
  /** The total number of bytes, if the server sends it. */
  readonly total: number | undefined;
}

export interface DownloadOptions {
  /** Called with the progress of each download. */
  readonly progress?: ((event: DownloadProgress) => void) | undefined;
  /** A mirror fails after so many milliseconds without a byte. Default 30,000. */
  readonly patience?: number | undefined;
}

/** The message of the innermost cause. The outer one says `fetch failed` only. */
function reasonOf(error: unknown): string {
  const { cause, message, code } = error as Error & { code?: string };
  return cause instanceof Error ? reasonOf(cause) : message || code || String(error);
}

/** The body of `url`. @throws FileError */
export async function download(url: string, options: DownloadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { progress, patience = 30_000 } = options;
  const silence = new AbortController();
  const giveUp = () => silence.abort(new FileError(`expected bytes, got none for ${patience / 1000} s`));
  let timer = setTimeout(giveUp, patience);
  try {
    const response = await fetch(url, { signal: silence.signal });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new FileError(`HTTP ${response.status} ${response.statusText}`.trim());
    }
    // With a content encoding, content-length counts compressed bytes, but fetch delivers decompressed ones.
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
 * Downloads `file` from each mirror in turn until `accept` takes it. `accept` refuses a file by throwing.
 * @returns the result of `accept`
 * @param mirrors folders as URLs that end in `/`
 * @throws FileError that names the failure of every mirror
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
  throw new FileError(
    `expected one mirror to deliver ${file}, got none: ${failures.join('; ') || 'there are no mirrors'}`,
  );
}
