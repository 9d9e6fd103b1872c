/**
 * Random changes of bytes, texts and values of JSON. They prefer what breaks readers: the ends of ranges, names of
 * JavaScript's own properties, line ends, and texts that are empty or long.
 */
import { concatBytes } from '../../src/bytes.ts';
import type { Choices } from './random.ts';

/** Numbers at the ends of ranges. */
export const NUMBERS: readonly number[] = [
  ...[0, -0, 1, 2, 3, -1, 0.5, 127, 128, 255, 256, 1000, 4096, 65_535, 65_536, 1_000_000],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e308, -1e308, 5e-324],
];

/** Texts that readers of texts forget. */
export const TEXTS: readonly string[] = [
  ...[
    '',
    ' ',
    '\n',
    '\r',
    '\u2028',
    '\u0085',
    '\0',
    '\x1b[2J',
    '\ud800',
    '\ufeff',
    '"',
    "'",
    '\\',
    '%',
    '%E0',
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'NaN', 'Infinity', 'null', 'true', '1e999'],
  ...['a'.repeat(30), 'x'.repeat(5000), '9'.repeat(400), '('.repeat(300)],
];

/** Overwrites a field of 1, 2, 4 or 8 bytes by a number, in either order of bytes. */
function overwrite(bytes: Uint8Array<ArrayBuffer>, r: Choices): void {
  const width = r.oneOf([1, 2, 4, 8]);
  if (bytes.length < width) return;
  // Headers are at the start, so half of the changes are there.
  const at = r.below((r.has(0.5) ? Math.min(64, bytes.length) : bytes.length) - width + 1);
  const value = BigInt(Math.trunc(r.oneOf(NUMBERS.filter((n) => Math.abs(n) <= 2 ** 53))));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all = new DataView(new ArrayBuffer(8));
  const little = r.has(0.5);
  all.setBigInt64(0, value, little);
  for (let i = 0; i < width; i++) view.setUint8(at + i, all.getUint8(little ? i : 8 - width + i));
}

const CHANGES: readonly ((bytes: Uint8Array<ArrayBuffer>, r: Choices) => Uint8Array<ArrayBuffer>)[] = [
  (bytes, r) => {
    if (bytes.length > 0) bytes[r.below(bytes.length)] ^= 1 << r.below(8);
    return bytes;
  },
  (bytes, r) => {
    overwrite(bytes, r);
    return bytes;
  },
  (bytes, r) => bytes.slice(0, r.below(bytes.length + 1)),
  (bytes, r) => {
    const [from, to] = r.range(bytes.length);
    return concatBytes([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, r) => {
    const [from, to] = r.range(bytes.length);
    return concatBytes([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  (bytes, r) => {
    const at = r.below(bytes.length + 1);
    return concatBytes([bytes.subarray(0, at), r.bytes(1 + r.below(8)), bytes.subarray(at)]);
  },
];

/** A copy of `bytes` with one to three changes. */
export function changeBytes(bytes: Uint8Array, r: Choices): Uint8Array<ArrayBuffer> {
  let changed = Uint8Array.from(bytes);
  for (let left = 1 + r.below(3); left > 0; left--) changed = r.oneOf(CHANGES)(changed, r);
  return changed;
}

/** A text with one to three changes. `words` are the words of its language. */
export function changeText(text: string, r: Choices, words: readonly string[]): string {
  let changed = text;
  for (let left = 1 + r.below(3); left > 0; left--) {
    const [from, to] = r.range(changed.length);
    const middle = r.oneOf([
      '',
      r.oneOf(words),
      r.oneOf(TEXTS),
      String(r.oneOf(NUMBERS)),
      changed.slice(from, to).repeat(2),
    ]);
    changed = changed.slice(0, from) + middle + changed.slice(to);
  }
  return changed;
}

const VALUES: readonly ((r: Choices) => unknown)[] = [
  (r) => r.oneOf(NUMBERS),
  (r) => r.oneOf(TEXTS),
  (r) => r.oneOf([null, true, false]),
  () => [],
  () => ({}),
  (r) => Array.from({ length: r.below(4) }, () => r.oneOf(NUMBERS)),
  (r) => ({ [r.oneOf(TEXTS)]: r.oneOf(NUMBERS) }),
];

/** A value of JSON with one change: a part is replaced, removed, renamed or added. */
export function changeJson(value: unknown, r: Choices): unknown {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (members.length === 0 || r.has(0.15)) return r.oneOf(VALUES)(r);
  const chosen = r.below(members.length);
  const changed = members.flatMap(([name, member], i): [string, unknown][] => {
    if (i !== chosen) return [[name, member]];
    if (r.has(0.1)) return [];
    if (r.has(0.1)) return [[r.oneOf(TEXTS), member]];
    if (r.has(0.1))
      return [
        [name, member],
        [r.oneOf(TEXTS), r.oneOf(VALUES)(r)],
      ];
    return [[name, changeJson(member, r)]];
  });
  if (Array.isArray(value)) return changed.map(([, member]) => member);
  // fromEntries also sets `__proto__` as a member of its own.
  return Object.fromEntries(changed);
}
