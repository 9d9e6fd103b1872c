/**
 * The linear memory of the WebAssembly backend, which grows on demand up to the 4 GiB that 32 bits address.
 *
 * It is a shared memory even where no thread shares it, so that there is one build of the kernels; such a memory
 * can be made in every engine, and only handing it to a worker needs cross-origin isolation.
 */
import { OutOfMemoryError } from '../errors.ts';
import type { LinearMemory } from '../memory/heap.ts';

/** Bytes of a page of WebAssembly memory, and how many a 32-bit address reaches: 4 GiB. */
const PAGE = 65536;
const MAX_PAGES = 65536;
/**
 * Bytes that the heap may use. The last page of 4 GiB stays free: the end of a block there would be 2^32, which is 0 in
 * the kernels' 32 bits, and their loops would do nothing.
 */
const USABLE = (MAX_PAGES - 1) * PAGE;

export class WasmMemory implements LinearMemory {
  readonly memory: WebAssembly.Memory;
  private whole: Float32Array | null = null;
  private wide: Float64Array | null = null;

  /** @param maxPages the limit of growth; less than 65536 only to test what happens at the limit */
  constructor(private readonly maxPages = MAX_PAGES) {
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: maxPages, shared: true });
  }

  get byteLength(): number {
    return Math.min(this.memory.buffer.byteLength, USABLE);
  }

  /** A view of the whole memory, good until the memory grows; made anew only then. */
  get f32(): Float32Array {
    const { buffer } = this.memory;
    if (this.whole?.buffer !== buffer) this.whole = new Float32Array(buffer);
    return this.whole;
  }

  /** As `f32`, in float64 elements: for partial sums. */
  get f64(): Float64Array {
    const { buffer } = this.memory;
    if (this.wide?.buffer !== buffer)
      this.wide = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    return this.wide;
  }

  grow(bytes: number): void {
    const pages = this.memory.buffer.byteLength / PAGE;
    const limit = Math.min(this.maxPages * PAGE, USABLE);
    const needed = Math.ceil(bytes / PAGE);
    // Half as much again, so that a program that allocates step by step grows rarely.
    const wanted = Math.min(this.maxPages, Math.max(needed, Math.ceil(pages * 1.5)));
    for (const target of bytes > limit ? [] : [wanted, needed]) {
      try {
        this.memory.grow(target - pages);
        return;
      } catch {
        // The machine does not give so much; what is needed may still be had.
      }
    }
    const gib = (n: number) => `${(n / 2 ** 30).toFixed(2)} GiB`;
    throw new OutOfMemoryError(
      `out of memory: ${gib(bytes)} of WebAssembly memory needed, ${gib(this.byteLength)} in use, ${gib(limit)} the most there can be; tensors made in a scope() end with it, and others at dispose()`,
    );
  }
}
