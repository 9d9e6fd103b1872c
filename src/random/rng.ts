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
import { copyArray, type Key, type RandomName, rowOf } from '../backend/kernels.ts';
import { ValueError } from '../errors.ts';
import { describe } from '../options.ts';
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

/** x = lo + (hi - lo)·x in place, for x in [0, 1), and below hi also where the rounded sum would reach it. */
function stretch(x: Tensor, lo: number, hi: number): void {
  const { kernels, arena, elementBytes } = x.backend;
  const n = x.size;
  const frame = arena.open();
  const shift = arena.alloc(elementBytes);
  const out = { ptr: x.ptr, accumulate: false };
  kernels.fill({ n: 1, out: shift, value: lo });
  copyArray(kernels, n, x.ptr, out, hi - lo);
  kernels.binary('add', {
    rows: 1,
    cols: n,
    a: rowOf(x.ptr, n),
    b: { ptr: shift, row: 0, col: 0 },
    out,
  });
  kernels.unary('clamp', { n, x: x.ptr, out, lo, hi: below(hi, elementBytes) });
  arena.close(frame);
}

/** The largest float32 or float64, by the size of an element, that is less than x. */
function below(x: number, elementBytes: number): number {
  const [round, epsilon, least] =
    elementBytes === 4 ? [Math.fround, 2 ** -24, 2 ** -149] : [Number, 2 ** -53, 2 ** -1074];
  // Half the distance to it and the whole, relative to x; the last where x is subnormal or 0.
  const steps = [0, Math.abs(x) * epsilon, 2 * Math.abs(x) * epsilon, least];
  return steps.map((step) => round(x - step)).find((y) => y < x)!;
}

export class Rng {
  /** What the kernels take: this seed and this stream. */
  readonly key: Key;
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

  /** Overwrites `out` with standard normals, and allocates nothing. */
  normalInto(out: Tensor): Tensor {
    return this.into('gaussian', out);
  }

  /**
   * Overwrites `out` with uniforms in [lo, hi), and allocates nothing.
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

  /** n random words of 32 bits. */
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
   * Goes on as if `n` numbers had been drawn at once.
   * @throws ValueError for anything but a whole number >= 0
   */
  skip(n: number): void {
    if (!Number.isSafeInteger(n) || n < 0) {
      throw new ValueError(`skip: expected a whole number >= 0, got ${n}`);
    }
    this.reserve(n);
  }

  get state(): RngState {
    return { seed: this.seed, stream: this.path, block: this.block };
  }

  /** The generator that was saved as `state`. */
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
   * Sets aside the blocks of n numbers drawn at once, for a kernel that makes them itself, and returns the first.
   * Whole groups are taken, so that no two calls share one.
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

/** Standard normals; from the shared generator unless one is given. */
export function randn(shape: Shape, rng: Rng = shared): Tensor {
  checkShape('randn', shape);
  return checkRng('randn', rng).normal(shape);
}

/** Uniforms in [0, 1); from the shared generator unless one is given. */
export function rand(shape: Shape, rng: Rng = shared): Tensor {
  checkShape('rand', shape);
  return checkRng('rand', rng).uniform(shape);
}

/** The generator, if it is one. @throws ValueError */
export function checkRng(what: string, rng: Rng): Rng {
  if (rng instanceof Rng) return rng;
  throw new ValueError(`${what}: expected a generator such as new Rng(0), got ${describe(rng)}`);
}

/** The generator that is used where none is given. */
export function sharedRng(): Rng {
  return shared;
}
