/** Random PNG files of all colour types and depths, with chunks that are missing, doubled, damaged or out of order. */
import { crc32, deflateSync } from 'node:zlib';
import { concatBytes } from '../../src/bytes.ts';
import { changeBytes, NUMBERS } from './mutate.ts';
import type { Choices } from './random.ts';

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const TYPES = [
  'IHDR',
  'PLTE',
  'tRNS',
  'IDAT',
  'IEND',
  'iCCP',
  'zTXt',
  'tEXt',
  'acTL',
  'fdAT',
  'gAMA',
  'a\nb\u001b',
  'pHYs',
];

const word = (n: number) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);

function encodeChunk({ type, data }: Chunk, r: Choices): Uint8Array {
  const named = concatBytes([Uint8Array.from(type, (c) => c.charCodeAt(0)), data]);
  const length = r.has(0.02) ? r.oneOf(NUMBERS) : data.length;
  return concatBytes([word(length), named, word(r.has(0.02) ? r.below(2 ** 32) : crc32(named))]);
}

/** A file, most of whose parts are right. */
export function randomPng(r: Choices): Uint8Array<ArrayBuffer> {
  const [width, height] = [1 + r.below(12), 1 + r.below(12)];
  const colour = r.oneOf([0, 2, 3, 4, 6]);
  const depths: Record<number, number[]> = { 0: [1, 2, 4, 8, 16], 3: [1, 2, 4, 8] };
  const depth = r.has(0.95) ? r.oneOf(depths[colour] ?? [8, 16]) : r.below(20);
  const values = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colour]!;
  const row = 1 + Math.ceil((width * values * depth) / 8);
  const rows = Uint8Array.from({ length: row * height }, (_, i) =>
    i % row === 0 ? r.below(5) : r.below(256),
  );
  const extra = r.has(0.2) ? r.bytes(r.oneOf([1, row, 100_000])) : new Uint8Array(0);
  const zlib = deflateSync(
    concatBytes([rows.subarray(0, r.has(0.9) ? rows.length : r.below(rows.length)), extra]),
  );
  const header = concatBytes([
    word(width),
    word(height),
    Uint8Array.of(depth, colour, 0, 0, r.has(0.2) ? 1 : 0),
  ]);
  const cut = r.below(zlib.length);
  let chunks: Chunk[] = [
    { type: 'IHDR', data: r.has(0.9) ? header : changeBytes(header, r) },
    ...(colour === 3 || r.has(0.2) ? [{ type: 'PLTE', data: r.bytes(3 * r.below(257)) }] : []),
    ...(r.has(0.2) ? [{ type: 'tRNS', data: r.bytes(r.below(9)) }] : []),
    ...(r.has(0.2) ? [{ type: r.oneOf(TYPES), data: r.has(0.5) ? zlib : r.bytes(r.below(40)) }] : []),
    { type: 'IDAT', data: zlib.subarray(0, cut) },
    { type: 'IDAT', data: r.has(0.9) ? zlib.subarray(cut) : changeBytes(zlib.subarray(cut), r) },
    { type: 'IEND', data: new Uint8Array(0) },
  ];
  if (r.has(0.3)) {
    const [i, j] = [r.below(chunks.length), r.below(chunks.length)];
    const change = r.below(4);
    if (change === 0) [chunks[i], chunks[j]] = [chunks[j], chunks[i]];
    if (change === 1) chunks = [...chunks.slice(0, i), chunks[j], ...chunks.slice(i)];
    if (change === 2) chunks.splice(i, 1);
    if (change === 3) chunks[i] = { type: r.oneOf(TYPES), data: changeBytes(chunks[i].data, r) };
  }
  const file = concatBytes([SIGNATURE, ...chunks.map((chunk) => encodeChunk(chunk, r))]);
  return r.has(0.8) ? file : changeBytes(file, r);
}
