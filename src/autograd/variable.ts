/**
 * A variable: an array in a backend's memory with its shape, its place in the graph and its lifetime. This is
 * what ops and the tape work on; `Tensor` (src/tensor/tensor.ts) gives it its operators.
 *
 * Lifetime: inside `scope` an array lies in the arena and dies with the scope; outside it lies on the heap
 * until `dispose()`, or until the garbage collector finds it. Outside of scopes arrays that share a storage (reshape)
 * keep it alive together; inside one, what shares it ends with the scope.
 *
 * Versions: whatever writes to an array in place marks it (`markWritten`), and its version is then the number of that
 * write among all there were. An op that is recorded notes the number of the last write. If an array that its backward
 * pass reads has a larger version by then, it was changed. PyTorch counts the writes of each array to the same end; with
 * one count for all, the tape stores one number a node.
 */
import { type Backend, backend } from '../backend/backend.ts';
import { copyArray } from '../backend/kernels.ts';
import { LifetimeError, ShapeError } from '../errors.ts';
import type { Frame } from '../memory/arena.ts';
import type { Ptr } from '../memory/heap.ts';

export type Shape = readonly number[];

/** The number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Frees the heap blocks of variables that were forgotten without `dispose()`. */
const forgotten = new FinalizationRegistry<Storage>((storage) => storage.unref());

/** A block of memory and the number of variables that share it. */
export class Storage {
  private refs = 1;

  private constructor(
    readonly backend: Backend,
    readonly ptr: Ptr,
    /** The scope whose end frees the block; null for a heap block. */
    readonly frame: Frame | null,
  ) {}

  /** A block of `n` elements, in the current scope's arena or else on the heap. */
  static inScope(n: number, on: Backend): Storage {
    const frame = on.arena.frame;
    if (!frame) return Storage.onHeap(n, on);
    return new Storage(on, on.arena.alloc(n * on.elementBytes), frame);
  }

  static onHeap(n: number, on: Backend): Storage {
    return new Storage(on, on.heap.alloc(n * on.elementBytes), null);
  }

  get alive(): boolean {
    return this.frame ? this.frame.alive : this.refs > 0;
  }

  ref(): this {
    this.refs++;
    return this;
  }

  /** The same block for what is made in the current scope: another owner outside of any, else until it ends. */
  shared(): Storage {
    const { frame } = this.backend.arena;
    if (!frame || this.frame === frame) return this.ref();
    if (!this.frame) frame.lent.push(this.ref());
    return new Storage(this.backend, this.ptr, frame);
  }

  unref(): void {
    if (--this.refs === 0 && !this.frame) this.backend.heap.release(this.ptr);
  }
}

/** In-place writes so far. */
let writes = 0;

/** The number of the last in-place write to any array. */
export function writesSoFar(): number {
  return writes;
}

export class Variable {
  /** The sum of the gradients of all backward calls since `zeroGrad`, or null; on leaves only. */
  grad: this | null = null;
  /** Where `grad` is written: kept from step to step, so that nothing is allocated for it. */
  gradBuffer: this | null = null;
  /** Position on the tape of the node that made this variable, -1 for a leaf. */
  node = -1;
  /** The gradient that a running backward pass has gathered so far. */
  adjoint: Variable | null = null;
  /** What a backward pass calls with this variable's gradient. */
  gradHooks: Set<(gradient: Variable) => void> | null = null;
  private wantsGrad = false;
  private disposed = false;
  /** Shared by all that share these elements. */
  private written = { version: 0 };
  readonly size: number;

  constructor(
    protected storage: Storage,
    readonly shape: Shape,
    /** Elements from the storage's start to this variable's first. */
    protected offset = 0,
  ) {
    this.size = sizeOf(shape);
    if (!storage.frame) forgotten.register(this, storage, this);
  }

  /** A new variable of this one's class, with undefined contents. */
  protected make(storage: Storage, shape: Shape, offset = 0): this {
    const Class = this.constructor as new (storage: Storage, shape: Shape, offset: number) => this;
    return new Class(storage, shape, offset);
  }

  /** A new variable of this one's class and backend in the current scope; its contents are undefined. */
  empty(shape: Shape): this {
    return this.make(Storage.inScope(sizeOf(shape), this.storage.backend), shape);
  }

  /** As `empty`, but on the heap whatever the scope. */
  emptyOnHeap(shape: Shape): this {
    return this.make(Storage.onHeap(sizeOf(shape), this.storage.backend), shape);
  }

  /** The same memory under another shape, until the current scope ends. */
  alias(shape: Shape): this {
    this.assertAlive();
    const same = this.make(this.storage.shared(), shape, this.offset);
    same.written = this.written;
    return same;
  }

  /**
   * A part of a block, from `offset` elements on, for as long as the result is there. Its version is its own: who writes
   * to the block marks the parts.
   */
  view(shape: Shape, offset = 0): this {
    this.assertAlive();
    return this.make(this.storage.ref(), shape, this.offset + offset);
  }

  get backend(): Backend {
    return this.storage.backend;
  }

  /** The address of the first element. Throws LifetimeError after the end of the scope or after `dispose()`. */
  get ptr(): Ptr {
    this.assertAlive();
    return this.storage.ptr + this.offset * this.storage.backend.elementBytes;
  }

  /** Whether the memory is still this variable's. */
  get alive(): boolean {
    return !this.disposed && this.storage.alive;
  }

  /** Whether this variable lives on the heap, beyond any scope. */
  get onHeap(): boolean {
    return this.storage.frame === null;
  }

  /** Whether this variable dies with the innermost open scope. */
  get inCurrentScope(): boolean {
    return this.storage.frame !== null && this.storage.frame === this.backend.arena.frame;
  }

  /** The number of the last in-place write to these elements; 0 if there was none. */
  get version(): number {
    return this.written.version;
  }

  /** To be called by whatever writes to these elements in place: a graph that needs the old ones must not use them. */
  markWritten(): void {
    this.written.version = ++writes;
  }

  get requiresGrad(): boolean {
    return this.wantsGrad;
  }

  set requiresGrad(value: boolean) {
    this.wantsGrad = value;
  }

  get isLeaf(): boolean {
    return this.node < 0;
  }

  /** Copies a gradient that lies elsewhere (set by hand, or older than the buffer) into `gradBuffer`. */
  gatherGrad(): void {
    const { grad, gradBuffer, size } = this;
    if (!grad || !gradBuffer || grad === gradBuffer) return;
    if (grad.shape.join() !== this.shape.join()) {
      throw new ShapeError(`grad: expected shape [${this.shape}], got [${grad.shape}]`);
    }
    copyArray(this.backend.kernels, size, grad.ptr, { ptr: gradBuffer.ptr, accumulate: false });
    gradBuffer.markWritten();
    this.grad = gradBuffer;
  }

  /** Forgets the gradient. The next backward pass overwrites what was there. */
  zeroGrad(): void {
    this.grad = null;
  }

  /**
   * Moves this variable into another's memory, contents and all: how an optimiser gathers parameters in one
   * flat block. The old memory is released.
   */
  moveInto(target: Variable): void {
    copyArray(this.backend.kernels, this.size, this.ptr, { ptr: target.ptr, accumulate: false });
    forgotten.unregister(this);
    this.storage.unref();
    this.storage = target.storage.ref();
    this.offset = target.offset;
    // What shared the old memory is written to on its own from here on.
    this.written = { version: this.version };
    forgotten.register(this, this.storage, this);
  }

  /** Gives the memory back. Inside a scope that happens at its end, and only the use after it is an error. */
  dispose(): void {
    if (this.disposed) throw new LifetimeError(`dispose: ${this.describe()} was disposed already`);
    this.assertAlive();
    this.disposed = true;
    forgotten.unregister(this);
    this.storage.unref();
  }

  protected assertAlive(): void {
    if (this.disposed) throw new LifetimeError(`${this.describe()} was used after dispose()`);
    if (!this.storage.alive) {
      throw new LifetimeError(`${this.describe()} was used after its scope ended: return it with keep()`);
    }
  }

  protected describe(): string {
    return `tensor [${this.shape.join(',')}]`;
  }
}

/** A backend's memory for `n` elements, where new tensors go. */
export function allocate(n: number): Storage {
  return Storage.inScope(n, backend());
}
