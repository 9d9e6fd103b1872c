/**
 * Where a solve takes its Brownian increments from.
 *
 * `FreshNoise` draws each step's increment once, in order: the plain case, and the only one whose noise the fused
 * kernels make too. Element i of step k's increment is a function of (seed, k, i) alone, so that a batch of paths
 * that is solved in blocks, or fused, sees the same noise. Where the number of steps is known, noise is drawn ahead: other
 * threads draw the next steps while the caller computes this one. A small batch draws several steps at once: that is
 * one call, and work enough for threads. `BrownianPath` (brownian-path.ts) can be asked for any interval, again and again.
 */
import { noGrad } from '../autograd/tape.ts';
import { type Shape, sizeOf } from '../autograd/variable.ts';
import { copyArray, type Ptr, type Random } from '../backend/kernels.ts';
import type { Rng } from '../random/rng.ts';
import { empty } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What happens over one interval [s, t]. */
export interface Increment {
  /** W(t) - W(s): normal with variance t - s. */
  readonly dW: Tensor;
  /** The space-time Lévy area of the interval (see `SdeSolver.step`), where the source makes it. */
  readonly area?: Tensor;
}

/** A Brownian motion, or one of which each interval is asked for once. */
export interface NoiseSource {
  /** The shape of dW. */
  readonly shape: Shape;
  increment(s: number, t: number): Increment;
}

/** Elements that four blocks of the generator make (assembly/random/gaussian.ts). */
export const GROUP = 16;
const BLOCKS = 4;

/** Where the noise of a run begins: the streams of dW and of the areas. */
export interface NoiseOrigin {
  readonly dW: Rng;
  readonly area: Rng;
}

/** The streams of a generator that a run uses, at their beginning. */
export const noiseOrigin = (rng: Rng): NoiseOrigin => ({
  dW: rng.stream('brownian'),
  area: rng.stream('levy-area'),
});

/** Normals that one call of the generator makes, unless a step needs more: they stay in the second-level cache. */
const AHEAD = 65536;

/** Increments for one step after the other. */
export class FreshNoise implements NoiseSource {
  private step = 0;
  private readonly dW: Normals;
  private readonly area: Normals | null;

  /**
   * @param shape dW's shape: all of a batch, or a block of its paths
   * @param area whether to make space-time Lévy areas too
   * @param size elements of the whole batch's dW; default: those of `shape`
   * @param offset the element of the batch that is this block's first, a multiple of 16
   * @param steps the number of steps that will be asked for, if it is known. Of several the noise is drawn ahead, and the
   *   memory for it is freed with `dispose()`. Steps beyond it are drawn one by one. Default 1.
   */
  constructor(
    origin: NoiseOrigin,
    readonly shape: Shape,
    area = false,
    size = sizeOf(shape),
    offset = 0,
    steps = 1,
  ) {
    const normals = (rng: Rng) => new Normals(rng, shape, size, offset, steps);
    this.dW = normals(origin.dW);
    this.area = area ? normals(origin.area) : null;
  }

  increment(s: number, t: number): Increment {
    const step = this.step++;
    const dW = this.dW.scaled(step, Math.sqrt(t - s));
    return this.area ? { dW, area: this.area.scaled(step, Math.sqrt((t - s) / 12)) } : { dW };
  }

  /** Frees the noise that was drawn ahead. */
  dispose(): void {
    this.dW.dispose();
    this.area?.dispose();
  }
}

/** The standard normals of one stream, step after step: a step begins at a group of the generator. */
class Normals {
  /** Elements from one step's first to the next one's. */
  private readonly stride: number;
  /** Steps that are drawn at once: several only of a whole batch of paths, whose steps lie in a row. */
  private readonly most: number;
  /** Places on the heap for twice as many steps: those in use, and those that are drawn meanwhile. Step k is at k mod 2·most. */
  private ring: Tensor | null = null;
  /** The steps before this one are drawn. */
  private ready = 0;
  /** Waits for the steps from `ready` on. */
  private wait: () => void = NOTHING;

  constructor(
    private readonly rng: Rng,
    private readonly shape: Shape,
    size: number,
    private readonly offset: number,
    private readonly steps: number,
  ) {
    this.stride = Math.ceil(size / GROUP) * GROUP;
    const inARow = sizeOf(shape) === size ? Math.max(1, Math.floor(AHEAD / this.stride)) : 1;
    this.most = Math.min(inARow, steps);
  }

  /** The normals of a step times `factor`, in the current scope. Steps are asked for in order. */
  scaled(step: number, factor: number): Tensor {
    const z = empty(this.shape);
    const { kernels } = z.backend;
    if (this.steps === 1 || step >= this.steps) {
      kernels.random('gaussian', this.numbers(step, z.size, z.ptr));
      return noGrad(() => z.mul(factor));
    }
    if (this.ring?.backend !== z.backend) this.begin(step, z);
    if (step >= this.ready) {
      this.wait();
      this.ready += this.most;
      this.wait = this.draw(this.ready);
    }
    copyArray(kernels, z.size, this.placeOf(step), { ptr: z.ptr, accumulate: false }, factor);
    return z;
  }

  dispose(): void {
    try {
      this.wait();
    } finally {
      this.wait = NOTHING;
      this.ring?.dispose();
      this.ring = null;
    }
  }

  /** Draws ahead from here on, on the backend of z. */
  private begin(step: number, z: Tensor): void {
    this.dispose();
    this.ring = z.emptyOnHeap([2 * this.most * this.stride]);
    this.ready = step - (step % this.most);
    this.wait = this.draw(this.ready);
  }

  /** Begins to draw the steps from `first` on. */
  private draw(first: number): () => void {
    const count = Math.min(this.most, this.steps - first);
    if (count <= 0) return NOTHING;
    const n = (count - 1) * this.stride + sizeOf(this.shape);
    return this.ring!.backend.kernels.randomAhead('gaussian', this.numbers(first, n, this.placeOf(first)));
  }

  private placeOf(step: number): Ptr {
    const { ptr, backend } = this.ring!;
    return ptr + (step % (2 * this.most)) * this.stride * backend.elementBytes;
  }

  /** n normals from the step's first on. */
  private numbers(step: number, n: number, out: Ptr): Random {
    const block = ((this.offset + step * this.stride) / GROUP) * BLOCKS;
    return { n, out, key: this.rng.key, block };
  }
}

const NOTHING = (): void => {};
