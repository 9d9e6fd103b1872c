/**
 * Random numbers as a pure function of (seed, stream, counter). A generator is 24 bytes of state. It can be saved, skip
 * ahead, and be split into independent streams.
 *
 * Bits are made by Philox4x32-10, and normals by the method of Box and Muller (assembly/random/gaussian.ts). They are
 * the same on every engine. The package seedrandom turns the seed, any string or number, into the 64-bit key. It does
 * the same with a stream's name.
 */
import seedrandom from 'seedrandom';
import { allocate, type Shape, sizeOf } from '../autograd/variable.ts';
import { backend } from '../backend/backend.ts';
import { copyArray, type Key, type RandomName, rowOf } from '../backend/kernels.ts';
import { ValueError } from '../errors.ts';
import { withScratch } from '../ops/scratch.ts';
import { describe } from '../options.ts';
import { checkShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** A name for a sequence of random numbers. */
export type Seed = string | number;

/** The whole state of a generator. A generator restored from it continues exactly. */
export interface RngState {
  /** The seed of the generator. */
  readonly seed: Seed;
  /** The names from the root to this stream, joined by `/`. */
  readonly stream: string;
  /** The number of the next block of four words. */
  readonly block: number;
}

/** Sixteen elements are a group of the Gaussian kernel. They use four blocks. */
const GROUP = 16;
const BLOCKS_PER_GROUP = 4;

/** 64 bits that depend on every character of `text`. */
function hash(text: string): [number, number] {
  const source = seedrandom(text);
  return [source.int32() >>> 0, source.int32() >>> 0];
}

/** x = lo + (hi - lo)·x in place, for x in [0, 1). The result stays below hi even if the sum would round up to it. */
function stretch(x: Tensor, lo: number, hi: number): void {
  const { kernels, elementBytes } = x.backend;
  const n = x.size;
  const out = { ptr: x.ptr, accumulate: false };
  withScratch(x.backend, (scratch) => {
    const shift = scratch(1);
    kernels.fill({ n: 1, out: shift, value: lo });
    copyArray(kernels, n, x.ptr, out, hi - lo);
    const b = { ptr: shift, row: 0, col: 0 };
    kernels.binary('add', { rows: 1, cols: n, a: rowOf(x.ptr, n), b, out });
    kernels.unary('clamp', { n, x: x.ptr, out, lo, hi: below(hi, elementBytes) });
  });
}

/** The largest float32 or float64 that is less than x. The size of an element selects the type. */
function below(x: number, elementBytes: number): number {
  const [round, epsilon, least] =
    elementBytes === 4 ? [Math.fround, 2 ** -24, 2 ** -149] : [Number, 2 ** -53, 2 ** -1074];
  // The first two steps, relative to x, are half the distance to that number and the whole distance. The last is for a
  // subnormal x or 0.
  const steps = [0, Math.abs(x) * epsilon, 2 * Math.abs(x) * epsilon, least];
  return steps.map((step) => round(x - step)).find((y) => y < x)!;
}

/**
 * A generator of random numbers. Its numbers are a function of the seed, of the stream's name, and of how many were
 * drawn before. They are the same on every engine.
 */
export class Rng {
  /** The key that the kernels take: this seed and this stream. @internal */
  readonly key: Key;
  private block = 0;

  /** @throws ValueError for a seed that is not a string or a finite number */
  constructor(
    readonly seed: Seed,
    private readonly path = '',
  ) {
    if (typeof seed !== 'string' && !Number.isFinite(seed)) {
      throw new ValueError(`seed: expected a string or a finite number, got ${String(seed)}`);
    }
    this.key = { seed: hash(`seed:${seed}`), stream: path === '' ? [0, 0] : hash(`stream:${path}`) };
  }

  /** The stream of that name, at its beginning. It is independent of this generator and of all other names. */
  stream(name: string): Rng {
    return new Rng(this.seed, `${this.path}/${encodeURIComponent(name)}`);
  }

  /** Standard normals of the given shape. */
  normal(shape: Shape): Tensor {
    return this.fill('normal', shape, (out) => this.normalInto(out));
  }

  /** Uniforms in [lo, hi). */
  uniform(shape: Shape, lo = 0, hi = 1): Tensor {
    return this.fill('uniform', shape, (out) => this.uniformInto(out, lo, hi));
  }

  /** Overwrites `out` with standard normals. Allocates nothing. */
  normalInto(out: Tensor): Tensor {
    return this.into('gaussian', out);
  }

  /**
   * Overwrites `out` with uniforms in [lo, hi). Allocates nothing.
   * @throws ValueError unless lo < hi, both finite
   */
  uniformInto(out: Tensor, lo = 0, hi = 1): Tensor {
    if (!(lo < hi && Number.isFinite(hi - lo))) {
      throw new ValueError(`uniform: expected finite lo < hi, got ${lo} and ${hi}`);
    }
    this.into('uniform', out);
    if (lo !== 0 || hi !== 1) stretch(out, lo, hi);
    return out;
  }

  private into(kind: RandomName, out: Tensor): Tensor {
    const { backend, size, ptr } = out;
    backend.kernels.random(kind, { n: size, out: ptr, key: this.key, block: this.reserve(size) });
    out.markWritten();
    return out;
  }

  /** n random words of 32 bits. @throws ShapeError unless n is a whole number >= 0 */
  bits(n: number): Uint32Array<ArrayBuffer> {
    checkShape('bits', [n]);
    const { heap, kernels, readWords } = backend();
    const ptr = heap.alloc(n * 4);
    try {
      kernels.random('randomBits', { n, out: ptr, key: this.key, block: this.reserve(n) });
      return readWords(ptr, n);
    } finally {
      heap.release(ptr);
    }
  }

  /**
   * Skips n numbers: the generator continues as if they had been drawn in one call.
   * @throws ValueError unless n is a whole number >= 0
   */
  skip(n: number): void {
    if (!Number.isSafeInteger(n) || n < 0) {
      throw new ValueError(`skip: expected a whole number >= 0, got ${n}`);
    }
    this.reserve(n);
  }

  /** The whole state. `Rng.restore` continues from it. */
  get state(): RngState {
    return { seed: this.seed, stream: this.path, block: this.block };
  }

  /** Restores the generator that was saved as `state`. @throws ValueError for a state that is not one */
  static restore({ seed, stream, block }: RngState): Rng {
    if (typeof stream !== 'string') {
      throw new ValueError(`rng: expected the name of a stream, got ${String(stream)}`);
    }
    const rng = new Rng(seed, stream);
    if (!Number.isSafeInteger(block) || block < 0) {
      throw new ValueError(`rng: expected a block number >= 0, got ${block}`);
    }
    rng.block = block;
    return rng;
  }

  private fill(what: string, shape: Shape, write: (out: Tensor) => Tensor): Tensor {
    const checked = checkShape(what, shape);
    return write(new Tensor(allocate(sizeOf(checked)), [...checked]));
  }

  /**
   * Reserves the blocks of n numbers that a kernel will draw itself, and returns the first block. Only whole groups are
   * reserved, so that two calls never share one.
   */
  reserve(n: number): number {
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

/**
 * Standard normals, from the shared generator by default.
 * @throws ShapeError for a shape with a dimension that is not a whole number >= 0; ValueError for another generator
 */
export function randn(shape: Shape, rng: Rng = shared): Tensor {
  checkShape('randn', shape);
  return checkRng('randn', rng).normal(shape);
}

/**
 * Uniforms in [0, 1), from the shared generator by default.
 * @throws ShapeError for a shape with a dimension that is not a whole number >= 0; ValueError for another generator
 */
export function rand(shape: Shape, rng: Rng = shared): Tensor {
  checkShape('rand', shape);
  return checkRng('rand', rng).uniform(shape);
}

/** Returns `rng` if it is a generator. @throws ValueError */
export function checkRng(what: string, rng: Rng): Rng {
  if (rng instanceof Rng) return rng;
  throw new ValueError(`${what}: expected a generator such as new Rng(0), got ${describe(rng)}`);
}

/** The default generator. */
export function sharedRng(): Rng {
  return shared;
}
