/**
 * The linear memory of the WebAssembly backend. It grows on demand up to 4 GiB, which is the range of 32-bit addresses.
 *
 * The memory is shared even if no thread shares it, so that one build of the kernels is enough. Every engine can make
 * such a memory. Only sending it to a worker needs cross-origin isolation.
 */
import { LangevinError, OutOfMemoryError } from '../errors.ts';
import type { LinearMemory } from '../memory/heap.ts';

/** Bytes of a page of WebAssembly memory, and the number of pages that a 32-bit address can reach: 4 GiB. */
export const PAGE = 65536;
const MAX_PAGES = 65536;
/**
 * The number of bytes that the heap may use. The last page of the 4 GiB stays free. The end of a block there would be
 * 2^32, which is 0 in 32 bits, and the kernels' loops would do nothing.
 */
const USABLE = (MAX_PAGES - 1) * PAGE;

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

export class WasmMemory implements LinearMemory {
  readonly memory: WebAssembly.Memory;
  private whole: Float32Array | null = null;
  private wide: Float64Array | null = null;

  /**
   * @param maxPages the limit of growth; smaller than 65536 only in tests of the limit
   * @throws LangevinError without WebAssembly, OutOfMemoryError if the engine refuses the memory
   */
  constructor(private readonly maxPages = MAX_PAGES) {
    if (typeof WebAssembly === 'undefined') {
      throw new LangevinError('expected an engine with WebAssembly, got one without it');
    }
    try {
      this.memory = new WebAssembly.Memory({ initial: 16, maximum: maxPages, shared: true });
    } catch (error) {
      // An engine reserves the addresses of the whole range at once.
      throw new OutOfMemoryError(
        `out of memory: this engine refuses a WebAssembly memory that may grow to ${gib(maxPages * PAGE)}`,
        { cause: error },
      );
    }
  }

  get byteLength(): number {
    return Math.min(this.memory.buffer.byteLength, USABLE);
  }

  /** A view of the whole memory. It is valid until the memory grows, and is made again only then. */
  get f32(): Float32Array {
    const { buffer } = this.memory;
    if (this.whole?.buffer !== buffer) this.whole = new Float32Array(buffer);
    return this.whole;
  }

  /** As `f32`, in float64 elements, for partial sums. */
  get f64(): Float64Array {
    const { buffer } = this.memory;
    if (this.wide?.buffer !== buffer)
      this.wide = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    return this.wide;
  }

  grow(bytes: number, used: number): void {
    const pages = this.memory.buffer.byteLength / PAGE;
    const limit = Math.min(this.maxPages * PAGE, USABLE);
    const needed = Math.ceil(bytes / PAGE);
    // We grow by half of the size, so that a program that allocates step by step grows the memory rarely.
    const wanted = Math.min(this.maxPages, Math.max(needed, Math.ceil(pages * 1.5)));
    for (const target of bytes > limit ? [] : [wanted, needed]) {
      try {
        this.memory.grow(target - pages);
        return;
      } catch {
        // The machine does not have that much. We then try the size that is needed.
      }
    }
    throw new OutOfMemoryError(
      `out of memory: ${gib(bytes)} of WebAssembly memory needed, ${gib(used)} in use, the limit is ${gib(limit)}; free tensors with scope() or dispose()`,
    );
  }
}
