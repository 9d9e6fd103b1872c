/**
 * A description of a safetensors file of any program: its tensors, its text entries and its hashes. No element is decoded.
 * So it also describes tensors of types that langevin does not compute with.
 */
import { sha256 } from '../data/bytes.ts';
import { tensorsDigest } from './digest.ts';
import type { Dtype } from './dtype.ts';
import { elements, parseHeader } from './safetensors-header.ts';

/** A safetensors file in numbers and words. */
export interface SafetensorsDescription {
  /** Bytes of the file. */
  readonly bytes: number;
  /** The SHA-256 of the file, as 64 hexadecimal digits. */
  readonly sha256: string;
  /** The digest of the tensors (`tensorsDigest`), which does not depend on the text entries. */
  readonly digest: string;
  /** The number of elements of all tensors. */
  readonly elements: number;
  /** In the order of their bytes in the file. */
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: Dtype;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
  /** The text entries by their names. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Describes the bytes of a safetensors file.
 * @param source names the file in errors
 * @throws FormatError if the bytes are not a valid safetensors file
 */
export async function describeSafetensors(
  bytes: Uint8Array<ArrayBuffer>,
  source = 'safetensors',
): Promise<SafetensorsDescription> {
  const { entries, metadata } = parseHeader(bytes, source);
  return {
    bytes: bytes.length,
    sha256: await sha256(bytes),
    digest: await tensorsDigest(bytes, source),
    elements: entries.reduce((sum, { shape }) => sum + elements(shape), 0),
    tensors: entries.map(({ name, dtype, shape, begin, end }) => ({
      name,
      dtype,
      shape,
      bytes: end - begin,
    })),
    metadata,
  };
}
