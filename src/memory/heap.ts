/**
 * The heap of a backend: blocks of its linear memory that live until they are freed.
 *
 * Sizes are rounded up to classes: multiples of 64 up to 256 bytes, and {5,6,7,8}·2^i above. So a block is at most a
 * quarter larger than the request, and a freed block fits the next request of its class. Blocks are aligned to 64 bytes
 * (a cache line). They never move.
 *
 * A training loop requests the same sizes again and again. So a freed block is first kept for its class. Before the
 * memory grows, neighbouring freed blocks are merged into ranges, and a request is cut from the smallest range that fits.
 */
import { InternalError } from '../errors.ts';

/** An address in a backend's memory, in bytes. */
export type Ptr = number;

/** A backend's linear memory. When it grows, every view of it becomes invalid. So views are never kept. */
export interface LinearMemory {
  readonly byteLength: number;
  /**
   * Grows to at least `bytes`. Throws OutOfMemoryError if the machine does not have that much.
   * @param used the bytes in live blocks, for the message
   */
  grow(bytes: number, used: number): void;
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

/** Free memory, from `ptr` up to `end`. */
interface Range {
  ptr: Ptr;
  readonly end: Ptr;
}

export class Heap {
  /** Freed blocks by their class. */
  private readonly free = new Map<number, Ptr[]>();
  /** Merged free memory. No two ranges touch. */
  private ranges: Range[] = [];
  private readonly live = new Map<Ptr, number>();
  /** The end of the memory that was ever in use and is not free again. */
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

  /** @throws OutOfMemoryError if neither free memory nor a larger memory has room */
  alloc(bytes: number): Ptr {
    const size = sizeClass(bytes);
    const ptr = this.free.get(size)?.pop() ?? this.fromRanges(size) ?? this.fromTop(size);
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

  /** The start of the smallest range that fits. */
  private fromRanges(size: number): Ptr | undefined {
    let best: Range | undefined;
    for (const range of this.ranges) {
      const room = range.end - range.ptr;
      if (room >= size && (!best || room < best.end - best.ptr)) best = range;
    }
    if (!best) return undefined;
    const { ptr } = best;
    best.ptr += size;
    if (best.ptr === best.end) this.ranges = this.ranges.filter((range) => range !== best);
    return ptr;
  }

  /** Memory above all blocks. Free memory is merged before the memory grows. */
  private fromTop(size: number): Ptr {
    if (this.top + size > this.memory.byteLength) {
      this.merge();
      const ptr = this.fromRanges(size);
      if (ptr !== undefined) return ptr;
      if (this.top + size > this.memory.byteLength) this.memory.grow(this.top + size, this.used);
    }
    const ptr = this.top;
    this.top += size;
    return ptr;
  }

  /** Merges all freed blocks and ranges that touch. A last range that touches the top lowers it. */
  private merge(): void {
    const pieces = [...this.ranges];
    for (const [size, blocks] of this.free) {
      for (const ptr of blocks) pieces.push({ ptr, end: ptr + size });
    }
    this.free.clear();
    this.ranges = [];
    for (const { ptr, end } of pieces.sort((a, b) => a.ptr - b.ptr)) {
      const before = this.ranges.at(-1);
      if (before?.end === ptr) this.ranges[this.ranges.length - 1] = { ptr: before.ptr, end };
      else this.ranges.push({ ptr, end });
    }
    if (this.ranges.at(-1)?.end === this.top) this.top = this.ranges.pop()!.ptr;
  }
}
