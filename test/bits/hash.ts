/**
 * The hash of a subject's named arrays. For each array, in the order of addition, the SHA-256 covers one line of JSON
 * (name, shape and element type) and then the bytes. The bytes are little-endian, as in WebAssembly.
 */
import { sha256 } from '../../src/data/bytes.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

type Numbers = Float32Array | Float64Array | Uint8Array;

export class Hash {
  private readonly parts: Uint8Array[] = [];

  /** Adds a copy of an array. Its default shape is `[length]`. */
  array(name: string, data: Numbers, shape: readonly number[] = [data.length]): this {
    const type = data.constructor.name;
    this.parts.push(new TextEncoder().encode(`${JSON.stringify({ name, shape, type })}\n`));
    this.parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice());
    return this;
  }

  tensor(name: string, x: Tensor): this {
    return this.array(name, x.toTypedArray(), x.shape);
  }

  /** Adds tensors by name: a module's parameters, a state. */
  tensors(named: Iterable<readonly [string, Tensor]>, prefix = ''): this {
    for (const [name, x] of named) this.tensor(prefix + name, x);
    return this;
  }

  /** Adds plain numbers: losses. */
  numbers(name: string, values: Iterable<number>): this {
    return this.array(name, Float64Array.from(values));
  }

  /** 64 hexadecimal digits. */
  async digest(): Promise<string> {
    const bytes = new Uint8Array(this.parts.reduce((n, part) => n + part.length, 0));
    let end = 0;
    for (const part of this.parts) {
      bytes.set(part, end);
      end += part.length;
    }
    return sha256(bytes);
  }
}
