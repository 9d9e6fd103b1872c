/**
 * A variable: an array in a backend's memory, with its shape, its place in the graph and its lifetime. Ops and the tape
 * work on variables. `Tensor` (src/tensor/tensor.ts) adds the operators.
 *
 * Lifetime. Inside `scope` an array lies in the arena and ends with the scope. Outside it lies on the heap until
 * `dispose()`, or until the garbage collector finds it. Outside of scopes, arrays that share a storage (reshape) keep
 * it alive together. Inside a scope, an array that shares a storage ends with the scope.
 *
 * Versions. Every in-place write has a number, counted over all arrays. A function that writes to an array in place
 * calls `markWritten`, and the number becomes the array's version. An op that is recorded stores the number of the
 * latest write. If an array that its backward pass reads has a larger version by then, it was changed. PyTorch counts
 * the writes of each array for the same purpose. With one count for all arrays, the tape stores only one number for
 * each node.
 */
import { type Backend, backend } from '../backend/backend.ts';
import { copyArray } from '../backend/kernels.ts';
import { LifetimeError, ShapeError } from '../errors.ts';
import type { Frame } from '../memory/arena.ts';
import type { Ptr } from '../memory/heap.ts';

/** The dimensions of an array, whole numbers >= 0. The empty shape is that of a scalar. */
export type Shape = readonly number[];

/** The number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Frees the heap blocks of variables that became unreachable without `dispose()`. */
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

  /** A block of `n` elements, in the current scope's arena or on the heap if there is no scope. */
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

  /**
   * The same block for another variable that is made now. Outside of scopes the block gets one more owner. Inside a
   * scope it is shared until the scope ends.
   */
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

/** The number of in-place writes so far. */
let writes = 0;

/** The number of the last in-place write to any array. */
export function writesSoFar(): number {
  return writes;
}

/**
 * An array on a backend, with its shape and its gradient: a tensor without operators. The tape computes with variables,
 * and `Tensor` is the only class of them that programs make.
 */
export class Variable {
  /** The sum of the gradients of all backward calls since `zeroGrad`, or null; on leaves only. */
  grad: this | null = null;
  /** The memory for `grad`. It is kept from step to step, so that nothing is allocated. */
  gradBuffer: this | null = null;
  /** Position on the tape of the node that made this variable, -1 for a leaf. */
  node = -1;
  /** The gradient that a running backward pass has gathered so far. */
  adjoint: Variable | null = null;
  /** The functions that a backward pass calls with this variable's gradient. */
  gradHooks: Set<(gradient: Variable) => void> | null = null;
  private wantsGrad = false;
  private disposed = false;
  /** Shared by all variables with the same elements. */
  private written = { version: 0 };
  /** The number of elements. */
  readonly size: number;

  /** A variable on memory that exists. Programs make tensors with functions such as `zeros`. */
  constructor(
    protected storage: Storage,
    /** The sizes of the axes. */
    readonly shape: Shape,
    /** The number of elements before this variable's first, counted from the storage's start. */
    protected offset = 0,
  ) {
    this.size = sizeOf(shape);
    if (!storage.frame) forgotten.register(this, storage, this);
  }

  /** A new variable of the same class. Its contents are undefined. */
  protected make(storage: Storage, shape: Shape, offset = 0): this {
    const Class = this.constructor as new (storage: Storage, shape: Shape, offset: number) => this;
    return new Class(storage, shape, offset);
  }

  /** A new variable of the same class and backend in the current scope. Its contents are undefined. */
  empty(shape: Shape): this {
    return this.make(Storage.inScope(sizeOf(shape), this.storage.backend), shape);
  }

  /** As `empty`, but always on the heap. */
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
   * A part of a block, from `offset` elements on. It is valid as long as the returned variable exists. It has its own
   * version. So code that writes to the block must also call `markWritten` of the parts.
   */
  view(shape: Shape, offset = 0): this {
    this.assertAlive();
    return this.make(this.storage.ref(), shape, this.offset + offset);
  }

  /** The backend that has its elements. */
  get backend(): Backend {
    return this.storage.backend;
  }

  /** The address of the first element. @throws LifetimeError after the end of the scope or after `dispose()` */
  get ptr(): Ptr {
    this.assertAlive();
    return this.storage.ptr + this.offset * this.storage.backend.elementBytes;
  }

  /** Whether the memory still belongs to this variable. */
  get alive(): boolean {
    return !this.disposed && this.storage.alive;
  }

  /** Whether this variable lives on the heap, independent of scopes. */
  get onHeap(): boolean {
    return this.storage.frame === null;
  }

  /** Whether this variable ends with the innermost open scope. */
  get inCurrentScope(): boolean {
    return this.storage.frame !== null && this.storage.frame === this.backend.arena.frame;
  }

  /** The number of the last in-place write to these elements, or 0 if there was none. */
  get version(): number {
    return this.written.version;
  }

  /** Call this after every in-place write to these elements. A graph that needs the old elements is then refused. */
  markWritten(): void {
    this.written.version = ++writes;
  }

  /** Whether a backward pass computes its gradient. The result of an operation requires one if an operand does. */
  get requiresGrad(): boolean {
    return this.wantsGrad;
  }

  set requiresGrad(value: boolean) {
    this.wantsGrad = value;
  }

  /** Whether it is not the result of an operation that the tape recorded. */
  get isLeaf(): boolean {
    return this.node < 0;
  }

  /**
   * Copies the gradient into `gradBuffer` if it lies elsewhere (because it was set by the user, or is older than the
   * buffer).
   * @throws ShapeError for a gradient of another shape
   */
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

  /** Clears the gradient. The next backward pass overwrites the buffer. */
  zeroGrad(): void {
    this.grad = null;
  }

  /**
   * Moves this variable and its contents into another variable's memory. The old memory is released. An optimiser uses
   * this to put its parameters into one flat block.
   */
  moveInto(target: Variable): void {
    copyArray(this.backend.kernels, this.size, this.ptr, { ptr: target.ptr, accumulate: false });
    forgotten.unregister(this);
    this.storage.unref();
    this.storage = target.storage.ref();
    this.offset = target.offset;
    // From now on, writes to the old memory and to the new one are counted separately.
    this.written = { version: this.version };
    forgotten.register(this, this.storage, this);
  }

  /**
   * Releases the memory. Inside a scope the memory is released when the scope ends, but a later use is an error at
   * once.
   * @throws LifetimeError if it was disposed already, or its scope has ended
   */
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

/** A backend's memory for `n` elements of a new tensor. */
export function allocate(n: number): Storage {
  return Storage.inScope(n, backend());
}
