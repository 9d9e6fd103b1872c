/**
 * The sources of Brownian increments for a solve.
 *
 * `FreshNoise` draws the increment of each step once, in order. Fused kernels make the same noise. Element i of the
 * increment of step k is a function of (seed, k, i) only. So a batch has the same noise if it is solved in blocks, or
 * by a fused kernel. If the number of steps is known, noise is drawn ahead: other threads draw the next steps while
 * the caller computes the current one. For a small batch one call draws several steps, so that threads have enough
 * work.
 *
 * `BrownianPath` (brownian-path.ts) returns the increment of any interval, any number of times.
 */
import { noGrad } from '../autograd/tape.ts';
import { type Shape, sizeOf } from '../autograd/variable.ts';
import { copyArray, type Ptr, type Random } from '../backend/kernels.ts';
import type { Rng } from '../random/rng.ts';
import { empty } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A Brownian motion over one interval [s, t]. */
export interface Increment {
  /** W(t) - W(s): normal with variance t - s. */
  readonly dW: Tensor;
  /** The space-time Lévy area of the interval (see `SdeSolver.step`), if the source makes areas. */
  readonly area?: Tensor;
}

/** A source of Brownian increments. Some sources return each interval only once, in order. */
export interface NoiseSource {
  /** The shape of dW. */
  readonly shape: Shape;
  /** The increment over [s, t]. It lies in the current scope. */
  increment(s: number, t: number): Increment;
}

/** The number of elements that four blocks of the generator make (assembly/random/gaussian.ts). */
export const GROUP = 16;
const BLOCKS = 4;

/** The origin of a run's noise: the streams of dW and of the areas. */
export interface NoiseOrigin {
  /** The generator of dW. */
  readonly dW: Rng;
  /** The generator of Lévy areas. */
  readonly area: Rng;
}

/** The two streams of a generator that a run uses. */
export const noiseOrigin = (rng: Rng): NoiseOrigin => ({
  dW: rng.stream('brownian'),
  area: rng.stream('levy-area'),
});

/** The number of normals in one call of the generator, if a step does not need more. They fit the L2 cache. */
const AHEAD = 65536;

/** Fresh increments, one step after the other. */
export class FreshNoise implements NoiseSource {
  private step = 0;
  private readonly dW: Normals;
  private readonly area: Normals | null;

  /**
   * A source at its first step.
   * @param shape the shape of dW, for the whole batch or for a block of its paths
   * @param area whether to make space-time Lévy areas too
   * @param size the number of elements of dW for the whole batch; default: that of `shape`
   * @param offset the index in the batch of the first element of this block, a multiple of 16
   * @param steps the number of steps, if it is known. If it is more than 1, noise is drawn ahead, and `dispose()` frees
   *   its memory. Steps after this number are drawn one by one. Default 1.
   * @param origin the streams of dW and of the areas
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

  /** The next step's increment. Only the length t - s of the interval counts. */
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

/** The standard normals of one stream, step after step. Each step begins at a group of the generator. */
class Normals {
  /** The distance between the first elements of two steps, in elements. */
  private readonly stride: number;
  /** The number of steps that one call draws. It is more than 1 only for a whole batch: its steps lie side by side. */
  private readonly most: number;
  /** Room on the heap for 2·most steps: half are in use while the others are drawn. Step k is at k mod 2·most. */
  private ring: Tensor | null = null;
  /** All steps before this one are drawn. */
  private ready = 0;
  /** Waits until the steps from `ready` on are drawn. */
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

  /** The normals of a step times `factor`, in the current scope. The caller must take the steps in order. */
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

  /** Begins to draw ahead from this step on, on the backend of z. */
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

  /** The record of a call that draws n normals from the first one of the step. */
  private numbers(step: number, n: number, out: Ptr): Random {
    const block = ((this.offset + step * this.stride) / GROUP) * BLOCKS;
    return { n, out, key: this.rng.key, block };
  }
}

const NOTHING = (): void => {};
