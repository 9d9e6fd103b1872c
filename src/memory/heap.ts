/**
 * The heap of a backend: blocks of its linear memory that live until they are freed.
 *
 * Sizes are rounded up to classes of 64·{4,5,6,7}·2^i / 4 bytes, so at most a quarter of a block is unused
 * and a freed block fits the next request of its class. Blocks are aligned to 64 bytes (a cache line) and are
 * never split, merged or moved: a training loop asks for the same sizes again and again.
 */
import { InternalError } from '../errors.ts';

/** An address in a backend's memory, in bytes. */
export type Ptr = number;

/** A backend's linear memory. Growing it makes every view of it stale, so views are never kept. */
export interface LinearMemory {
  readonly byteLength: number;
  /** Grows to at least `bytes`; throws OutOfMemoryError where that is more than there is. */
  grow(bytes: number): void;
}

const ALIGNMENT = 64;

/** The size of the class that holds `bytes`. */
export function sizeClass(bytes: number): number {
  const units = Math.max(4, Math.ceil(bytes / (ALIGNMENT / 4)));
  const quarter = 2 ** (Math.floor(Math.log2(units)) - 2);
  const size = Math.ceil(units / quarter) * quarter * (ALIGNMENT / 4);
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

export class Heap {
  private readonly free = new Map<number, Ptr[]>();
  private readonly live = new Map<Ptr, number>();
  private top: Ptr;
  private used = 0;

  constructor(
    private readonly memory: LinearMemory,
    base: Ptr,
  ) {
    this.top = Math.ceil(base / ALIGNMENT) * ALIGNMENT;
  }

  /** Bytes in live blocks. */
  get usedBytes(): number {
    return this.used;
  }

  /** Live blocks. */
  get blocks(): number {
    return this.live.size;
  }

  alloc(bytes: number): Ptr {
    const size = sizeClass(bytes);
    let ptr = this.free.get(size)?.pop();
    if (ptr === undefined) {
      ptr = this.top;
      if (ptr + size > this.memory.byteLength) this.memory.grow(ptr + size);
      this.top += size;
    }
    this.live.set(ptr, size);
    this.used += size;
    return ptr;
  }

  release(ptr: Ptr): void {
    const size = this.live.get(ptr);
    if (size === undefined) throw new InternalError(`heap: block ${ptr} is not live`);
    this.live.delete(ptr);
    this.used -= size;
    const list = this.free.get(size);
    if (list) list.push(ptr);
    else this.free.set(size, [ptr]);
  }
}
