/**
 * The SHA-256 of a figure's numbers. If a command and a page show the same figure, they print the same hash.
 *
 * A figure is a record of named fields. A field is a number, a text, an array of numbers, or a list or a record of
 * these. The figure is encoded as bytes, and the bytes are hashed:
 *
 *     record    'r', the number of fields as uint32, then each name and value, sorted by name
 *     list      'l', its length as uint32, then each value
 *     numbers   'n', the length as uint32, then each number as float64
 *     number    'f', one float64
 *     text      't', the length as uint32, then UTF-8
 *     no value  '0'; true and false are the numbers 1 and 0
 *
 * All numbers are little-endian. The hash depends on names, shapes and the signs of zeros. A float32 is hashed by its
 * value, and all NaNs are equal. A field that is undefined is left out.
 */
import { sha256 } from '../../data/bytes.ts';
import { InternalError } from '../../errors.ts';

/** Whether the value is a typed array of numbers. */
const isTyped = (value: unknown): value is ArrayLike<number> =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);
const isNumbers = (value: unknown): value is ArrayLike<number> =>
  isTyped(value) || (Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === 'number'));

/** A growing array of bytes. */
class Writer {
  private readonly parts: Uint8Array[] = [];

  tag(letter: string, count?: number): void {
    this.parts.push(new TextEncoder().encode(letter));
    if (count === undefined) return;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, count, true);
    this.parts.push(bytes);
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.tag('t', bytes.length);
    this.parts.push(bytes);
  }

  numbers(values: ArrayLike<number>): void {
    const view = new DataView(new ArrayBuffer(8 * values.length));
    for (let i = 0; i < values.length; i++) {
      // Engines choose the bits of a NaN, so write fixed ones.
      if (Number.isNaN(values[i])) view.setBigUint64(8 * i, 0x7ff8000000000000n, true);
      else view.setFloat64(8 * i, values[i], true);
    }
    this.parts.push(new Uint8Array(view.buffer));
  }

  value(value: unknown): void {
    if (value === null) this.tag('0');
    else if (typeof value === 'number' || typeof value === 'boolean') {
      this.tag('f');
      this.numbers([Number(value)]);
    } else if (typeof value === 'string') this.text(value);
    else if (isNumbers(value)) {
      this.tag('n', value.length);
      this.numbers(value);
    } else if (Array.isArray(value)) {
      this.tag('l', value.length);
      for (const item of value) this.value(item);
    } else if (typeof value === 'object') this.record(value as Record<string, unknown>);
    else
      throw new InternalError(`hash of a figure: expected numbers, texts and records, got a ${typeof value}`);
  }

  record(fields: Record<string, unknown>): void {
    const names = Object.keys(fields).filter((name) => fields[name] !== undefined);
    this.tag('r', names.length);
    // Sort by code units, which does not depend on the locale.
    for (const name of names.sort()) {
      this.text(name);
      this.value(fields[name]);
    }
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

/**
 * The SHA-256 of a figure's numbers as 64 hexadecimal digits, as defined at the top of this source file.
 * @throws InternalError for a figure with a value that is not a number, a text, a list or a record
 */
export function numbersHash(figure: object): Promise<string> {
  const writer = new Writer();
  writer.value(figure);
  return sha256(writer.bytes());
}
