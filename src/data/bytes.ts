/**
 * Reads a stream to its end, decompresses gzip, and computes SHA-256. Node and browsers have all three built in. This
 * file adds a bound on the size, and errors that name the source.
 */
import { concatBytes } from '../bytes.ts';
import { FormatError, LangevinError, ValueError } from '../errors.ts';

/** The most bytes that a stream may have. All data sets of langevin are much smaller. */
export const MOST_BYTES = 2 ** 30;

/**
 * All bytes of `stream` as one array. `onBytes` is called with the number so far.
 * @param most the most bytes, default 1 GiB
 * @throws FormatError beyond them
 */
export async function readAll(
  stream: ReadableStream<Uint8Array>,
  source: string,
  onBytes?: (received: number) => void,
  most = MOST_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    received += next.value.length;
    onBytes?.(received);
    if (received > most) {
      await reader.cancel();
      throw new FormatError(`${source}: expected at most ${most} bytes, got more`);
    }
  }
  return concatBytes(chunks);
}

/** Whether `bytes` begin with the magic number of gzip (RFC 1952, 2.3.1). */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Decompresses a gzip file; returns other bytes unchanged. @throws FormatError if the file is damaged or truncated */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  source: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!isGzip(bytes)) return bytes;
  const decompressed = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  try {
    return await readAll(decompressed, source);
  } catch (error) {
    if (error instanceof LangevinError) throw error;
    const { message } = error as Error;
    throw new FormatError(`${source}: expected a whole gzip file, got a damaged one: ${message}`);
  }
}

/** The SHA-256 of `bytes` as 64 hexadecimal digits. @throws ValueError in a page that was not loaded securely */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new ValueError(
      'SHA-256: expected a secure page (https or localhost), got one without crypto.subtle',
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
