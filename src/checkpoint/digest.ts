/**
 * A digest of the tensors in a model's file. It does not depend on the metadata or on the order of the tensors. It is a
 * SHA-256 over all tensors, sorted by the code units of their names. Each tensor contributes
 *
 *     ["name","F16",[out,in]]   JSON without spaces, and a line end
 *     the bytes of the elements as the file has them, little-endian
 *
 * The type is part of the digest: a model in float32 and the same model in float16 have different digests.
 */
import { concatBytes } from '../bytes.ts';
import { sha256 } from '../data/bytes.ts';
import { FormatError } from '../errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import { show } from './fields.ts';
import { parseHeader } from './safetensors-header.ts';

/**
 * The digest of a safetensors file as 64 hexadecimal digits, as defined at the top of this source file.
 * @param source names the file in errors
 * @throws FormatError if the bytes are not a valid safetensors file
 */
export function tensorsDigest(bytes: Uint8Array, source = 'safetensors'): Promise<string> {
  const { entries, start } = parseHeader(bytes, source);
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1)); // names are unique
  const parts = sorted.flatMap(({ name, dtype, shape, begin, end }) => [
    new TextEncoder().encode(`${JSON.stringify([name, dtype, shape])}\n`),
    bytes.subarray(start + begin, start + end),
  ]);
  return sha256(concatBytes(parts));
}

/**
 * Compares a file's tensors with the digest in its metadata. Does nothing if the metadata have no digest.
 * @throws FormatError if the tensors have another digest
 */
export async function requireDigest(bytes: Uint8Array, { source, digest }: Checkpoint): Promise<void> {
  if (digest === undefined) return;
  const got = await tensorsDigest(bytes, source);
  if (got === digest) return;
  throw new FormatError(
    `${source}: expected tensors of the digest ${show(digest)}, got ${show(got)}; the file is damaged`,
  );
}
