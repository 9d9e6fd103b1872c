/**
 * Where a solve takes its Brownian increments from.
 *
 * `FreshNoise` draws each step's increment once, in order: the plain case, and the only one whose noise the fused
 * kernels make too. Element i of step k's increment is a function of (seed, k, i) alone, so that a batch of paths
 * that is solved in blocks, or fused, sees the same noise. `BrownianPath` (brownian-path.ts) can be asked for any
 * interval, again and again.
 */
import { noGrad } from '../autograd/tape.ts';
import { type Shape, sizeOf } from '../autograd/variable.ts';
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

/** Increments for one step after the other. */
export class FreshNoise implements NoiseSource {
  private step = 0;
  private readonly blocksPerStep: number;
  private readonly firstBlock: number;

  /**
   * @param shape dW's shape: all of a batch, or a block of its paths
   * @param area whether to make space-time Lévy areas too
   * @param size elements of the whole batch's dW; default: those of `shape`
   * @param offset the element of the batch that is this block's first, a multiple of 16
   */
  constructor(
    private readonly origin: NoiseOrigin,
    readonly shape: Shape,
    private readonly area = false,
    size = sizeOf(shape),
    offset = 0,
  ) {
    this.blocksPerStep = Math.ceil(size / GROUP) * BLOCKS;
    this.firstBlock = (offset / GROUP) * BLOCKS;
  }

  increment(s: number, t: number): Increment {
    const block = this.firstBlock + this.step++ * this.blocksPerStep;
    const draw = (rng: Rng, variance: number) => {
      const z = empty(this.shape);
      z.backend.kernels.random('gaussian', { n: z.size, out: z.ptr, key: rng.key, block });
      return noGrad(() => z.mul(Math.sqrt(variance)));
    };
    const dW = draw(this.origin.dW, t - s);
    return this.area ? { dW, area: draw(this.origin.area, (t - s) / 12) } : { dW };
  }
}
