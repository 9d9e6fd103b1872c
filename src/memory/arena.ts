/**
 * A bump arena. A training step takes its memory in order from one chunk of the heap. All of it is released at once, in
 * O(1), when the step's scope ends. Scopes nest: each remembers where it began.
 *
 * A step may need more than the chunk holds. Then the arena takes further chunks. When the outermost scope ends, one
 * chunk of the whole size replaces them. So nothing is allocated from the second step on. If there is no memory for
 * such a chunk, the chunks stay as they are.
 */
import { InternalError, OutOfMemoryError } from '../errors.ts';
import type { Heap, Ptr } from './heap.ts';

const FIRST_CHUNK = 1 << 20;
const ALIGNMENT = 64;

interface Chunk {
  readonly ptr: Ptr;
  readonly size: number;
  used: number;
}

/** One scope's part of the arena. A tensor checks `alive` before each use. */
export interface Frame {
  readonly depth: number;
  alive: boolean;
  readonly chunk: number;
  readonly used: number;
  /** Heap blocks that the scope's tensors share. They are given back when the scope ends. */
  readonly lent: { unref(): void }[];
}

export class Arena {
  private chunks: Chunk[] = [];
  private current = 0;
  private readonly frames: Frame[] = [];
  private peak = 0;

  constructor(private readonly heap: Heap) {}

  /** The innermost open scope, or null outside of all scopes. */
  get frame(): Frame | null {
    return this.frames[this.frames.length - 1] ?? null;
  }

  /** The largest number of bytes that were in use at once. */
  get highWater(): number {
    return this.peak;
  }

  open(): Frame {
    const used = this.chunks[this.current]?.used ?? 0;
    const frame: Frame = { depth: this.frames.length, alive: true, chunk: this.current, used, lent: [] };
    this.frames.push(frame);
    return frame;
  }

  close(frame: Frame): void {
    if (this.frames.pop() !== frame)
      throw new InternalError('scopes must end in the reverse of the order they began');
    frame.alive = false;
    for (const block of frame.lent) block.unref();
    for (let i = frame.chunk + 1; i <= this.current; i++) this.chunks[i].used = 0;
    if (this.chunks[frame.chunk]) this.chunks[frame.chunk].used = frame.used;
    this.current = frame.chunk;
    if (this.frames.length === 0 && this.chunks.length > 1) this.merge();
  }

  alloc(bytes: number): Ptr {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    let at = this.current;
    while (at < this.chunks.length && this.chunks[at].used + size > this.chunks[at].size) at++;
    if (at === this.chunks.length) this.chunks.push(this.newChunk(size));
    // We set this only here, because the heap may have thrown.
    this.current = at;
    const chunk = this.chunks[at];
    const ptr = chunk.ptr + chunk.used;
    chunk.used += size;
    this.peak = Math.max(this.peak, this.inUse());
    return ptr;
  }

  private inUse(): number {
    let bytes = 0;
    for (let i = 0; i <= this.current; i++) bytes += this.chunks[i].used;
    return bytes;
  }

  private total(): number {
    return this.chunks.reduce((bytes, chunk) => bytes + chunk.size, 0);
  }

  /**
   * A chunk for at least `size` bytes. It is as large as all earlier chunks together, or has just `size` bytes if there
   * is no memory for that.
   */
  private newChunk(size: number): Chunk {
    const wanted = Math.max(size, FIRST_CHUNK, this.total());
    try {
      return { ptr: this.heap.alloc(wanted), size: wanted, used: 0 };
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      return { ptr: this.heap.alloc(size), size, used: 0 };
    }
  }

  private merge(): void {
    const size = this.total();
    try {
      const ptr = this.heap.alloc(size);
      for (const chunk of this.chunks) this.heap.release(chunk.ptr);
      this.chunks = [{ ptr, size, used: 0 }];
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
}
