/**
 * Random numbers as a pure function of (seed, stream, counter): a generator is 24 bytes of state, can be saved,
 * skipped ahead and split into streams that never meet.
 *
 * Bits are Philox4x32-10, normals Box and Muller's (assembly/gaussian.ts), the same on every engine. The seed,
 * any string or number, becomes the 64-bit key by way of the package seedrandom; so does a stream's name.
 */
import seedrandom from 'seedrandom';
import { allocate, type Shape, sizeOf } from '../autograd/variable.ts';
import { backend } from '../backend/backend.ts';
import type { Key } from '../backend/kernels.ts';
import { ValueError } from '../errors.ts';
import { checkShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Anything that names a sequence of random numbers. */
export type Seed = string | number;

/** All there is to know of a generator: it goes on from here exactly. */
export interface RngState {
  readonly seed: Seed;
  /** Names from the root to this stream, joined by `/`. */
  readonly stream: string;
  /** The next block of four words. */
  readonly block: number;
}

/** Sixteen elements, a group of the Gaussian kernel, use four blocks. */
const GROUP = 16;
const BLOCKS_PER_GROUP = 4;

/** 64 bits that depend on every character of `text`. */
function hash(text: string): [number, number] {
  const source = seedrandom(text);
  return [source.int32() >>> 0, source.int32() >>> 0];
}

export class Rng {
  private readonly key: Key;
  private block = 0;

  /** @throws ValueError for a seed that is neither a string nor a finite number */
  constructor(
    readonly seed: Seed,
    private readonly path = '',
  ) {
    if (typeof seed !== 'string' && !Number.isFinite(seed)) {
      throw new ValueError(`seed: expected a string or a finite number, got ${String(seed)}`);
    }
    this.key = { seed: hash(`seed:${seed}`), stream: path === '' ? [0, 0] : hash(`stream:${path}`) };
  }

  /** The stream of that name, at its beginning: independent of this one and of every other name's. */
  stream(name: string): Rng {
    return new Rng(this.seed, `${this.path}/${name}`);
  }

  /** Standard normals of the given shape. */
  normal(shape: Shape): Tensor {
    return this.fill(shape, (out) => this.normalInto(out));
  }

  /** Uniforms in [lo, hi). */
  uniform(shape: Shape, lo = 0, hi = 1): Tensor {
    return this.fill(shape, (out) => this.uniformInto(out, lo, hi));
  }

  /** Overwrites `out` with standard normals, and allocates nothing. */
  normalInto(out: Tensor): Tensor {
    out.backend.kernels.gaussian(out.size, out.ptr, this.key, this.advance(out.size));
    return out;
  }

  /** Overwrites `out` with uniforms in [lo, hi). */
  uniformInto(out: Tensor, lo = 0, hi = 1): Tensor {
    const { kernels } = out.backend;
    kernels.uniform(out.size, out.ptr, this.key, this.advance(out.size));
    if (lo === 0 && hi === 1) return out;
    const affine = out.mul(hi - lo).add(lo);
    out.copyFrom(affine);
    if (affine.onHeap) affine.dispose();
    return out;
  }

  /** n random words of 32 bits. */
  bits(n: number): Uint32Array<ArrayBuffer> {
    checkShape('bits', [n]);
    const { heap, kernels, readWords } = backend();
    const ptr = heap.alloc(n * 4);
    try {
      kernels.randomBits(n, ptr, this.key, this.advance(n));
      return readWords(ptr, n);
    } finally {
      heap.release(ptr);
    }
  }

  /** Goes on as if `n` numbers had been drawn at once. */
  skip(n: number): void {
    this.advance(n);
  }

  get state(): RngState {
    return { seed: this.seed, stream: this.path, block: this.block };
  }

  /** The generator that was saved as `state`. */
  static restore({ seed, stream, block }: RngState): Rng {
    const rng = new Rng(seed, stream);
    if (!Number.isSafeInteger(block) || block < 0) {
      throw new ValueError(`rng: expected a block number >= 0, got ${block}`);
    }
    rng.block = block;
    return rng;
  }

  private fill(shape: Shape, write: (out: Tensor) => Tensor): Tensor {
    const checked = checkShape('random', shape);
    return write(new Tensor(allocate(sizeOf(checked)), [...checked]));
  }

  /** The current block; moves on by whole groups, so that no two calls share one. */
  private advance(n: number): number {
    const at = this.block;
    this.block += Math.ceil(n / GROUP) * BLOCKS_PER_GROUP;
    return at;
  }
}

let shared = new Rng(0);

/** Restarts the generator that `randn` and `rand` use. */
export function manualSeed(seed: Seed): void {
  shared = new Rng(seed);
}

/** Standard normals; from the shared generator unless one is given. */
export function randn(shape: Shape, rng: Rng = shared): Tensor {
  return rng.normal(shape);
}

/** Uniforms in [0, 1); from the shared generator unless one is given. */
export function rand(shape: Shape, rng: Rng = shared): Tensor {
  return rng.uniform(shape);
}

/** The generator that is used where none is given. */
export function sharedRng(): Rng {
  return shared;
}
