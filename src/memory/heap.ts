/**
 * The heap of a backend: blocks of its linear memory that live until they are freed.
 *
 * Sizes are rounded up to classes: multiples of 64 up to 256 bytes, and {5,6,7,8}·2^i above. So a block is at most a
 * quarter larger than the request, and a freed block fits the next request of its class. Blocks are aligned to 64 bytes
 * (a cache line). They are never split, merged or moved, because a training loop requests the same sizes again and
 * again.
 */
import { InternalError } from '../errors.ts';

/** An address in a backend's memory, in bytes. */
export type Ptr = number;

/** A backend's linear memory. When it grows, every view of it becomes invalid. So views are never kept. */
export interface LinearMemory {
  readonly byteLength: number;
  /** Grows to at least `bytes`. Throws OutOfMemoryError if the machine does not have that much. */
  grow(bytes: number): void;
}

const ALIGNMENT = 64;

/** The size of the class that holds `bytes`. */
export function sizeClass(bytes: number): number {
  const lines = Math.max(1, Math.ceil(bytes / ALIGNMENT));
  // The distance between classes is the power of two with 4·distance < lines <= 8·distance, and at least one line.
  let distance = 1;
  while (8 * distance < lines) distance *= 2;
  return Math.ceil(lines / distance) * distance * ALIGNMENT;
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
