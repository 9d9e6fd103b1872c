/**
 * A digest of a model file's tensors: two files with the same tensors have the same digest, whatever their metadata say
 * and in whatever order the tensors lie. It is the SHA-256 of, for each tensor, sorted by the code units of its name,
 *
 *     ["name","F16",[out,in]]   JSON without spaces, and a line end
 *     the bytes of the elements as the file has them, little-endian
 *
 * Types count: a model in float32 has another digest than the same one in float16.
 */
import { concatBytes, sha256 } from '../data/bytes.ts';
import { FormatError } from '../errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import { show } from './fields.ts';
import { parseHeader } from './safetensors-header.ts';

/**
 * The digest of a safetensors file as 64 hexadecimal digits: see the file's header.
 * @param source names the file in errors
 * @throws FormatError for anything that is not exactly the format
 */
export function tensorsDigest(bytes: Uint8Array, source = 'safetensors'): Promise<string> {
  const { entries, start } = parseHeader(bytes, source);
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1)); // no name is there twice
  const parts = sorted.flatMap(({ name, dtype, shape, begin, end }) => [
    new TextEncoder().encode(`${JSON.stringify([name, dtype, shape])}\n`),
    bytes.subarray(start + begin, start + end),
  ]);
  return sha256(concatBytes(parts));
}

/**
 * Holds a file's bytes against the digest that the file itself has; nothing where it has none.
 * @throws FormatError for a file whose tensors are not those that were written
 */
export async function requireDigest(bytes: Uint8Array, { source, digest }: Checkpoint): Promise<void> {
  if (digest === undefined) return;
  const got = await tensorsDigest(bytes, source);
  if (got === digest) return;
  throw new FormatError(
    `${source}: expected tensors of the digest ${show(digest)}, got ${show(got)}; the file is damaged`,
  );
}
