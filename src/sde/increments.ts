/**
 * Where a solve takes its Brownian increments from.
 *
 * `FreshNoise` draws each step's increment once, in order: the plain case, and the only one whose noise the fused
 * kernels make too. Element i of step k's increment is a function of (seed, k, i) alone, so that a batch of paths
 * that is solved in blocks, or fused, sees the same noise. A small batch draws several steps at once: that is one call,
 * and work enough for threads. `BrownianPath` (brownian-path.ts) can be asked for any interval, again and again.
 */
import { noGrad } from '../autograd/tape.ts';
import { type Shape, sizeOf } from '../autograd/variable.ts';
import { copyArray } from '../backend/kernels.ts';
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

/** Elements that four blocks of the generator make (assembly/gaussian.ts). */
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
   * @param steps the number of steps that are known to be asked for. Of several the noise is drawn ahead where it lies
   *   in a row, that is for a whole batch, and the memory for it is freed with `dispose()`. Default 1.
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
  /** Steps that are drawn at once, at most. */
  private readonly most: number;
  /** The normals of the steps from `first` on, on the heap; null before, and where each step is drawn on its own. */
  private drawn: Tensor | null = null;
  private first = 0;
  private count = 0;

  constructor(
    private readonly rng: Rng,
    private readonly shape: Shape,
    size: number,
    private readonly offset: number,
    private readonly steps: number,
  ) {
    this.stride = Math.ceil(size / GROUP) * GROUP;
    this.most = sizeOf(shape) === size ? Math.max(1, Math.floor(AHEAD / this.stride)) : 1;
  }

  /** The normals of a step times `factor`, in the current scope. Steps are asked for in order. */
  scaled(step: number, factor: number): Tensor {
    const z = empty(this.shape);
    if (this.drawn && this.drawn.backend !== z.backend) this.dispose();
    if (step >= this.first + this.count) {
      const count = Math.min(this.most, this.steps - step);
      if (count < 2) {
        this.draw(step, z, z.size);
        return noGrad(() => z.mul(factor));
      }
      this.drawn ??= z.emptyOnHeap([count * this.stride]);
      this.draw(step, this.drawn, (count - 1) * this.stride + z.size);
      [this.first, this.count] = [step, count];
    }
    const { ptr, backend } = this.drawn!;
    const row = ptr + (step - this.first) * this.stride * backend.elementBytes;
    copyArray(backend.kernels, z.size, row, { ptr: z.ptr, accumulate: false }, factor);
    return z;
  }

  dispose(): void {
    this.drawn?.dispose();
    this.drawn = null;
    [this.first, this.count] = [0, 0];
  }

  /** n normals from the step's first on. */
  private draw(step: number, { ptr, backend }: Tensor, n: number): void {
    const block = ((this.offset + step * this.stride) / GROUP) * BLOCKS;
    backend.kernels.random('gaussian', { n, out: ptr, key: this.rng.key, block });
  }
}
