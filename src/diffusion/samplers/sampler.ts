/**
 * The common parts of all samplers: the interface, the loop over levels, and the memory. A sampler is a generator that
 * yields after each step. So progress bars, plots and animations are outside of it.
 *
 * Memory: the state and the buffers of a method are on the heap. They are allocated once and overwritten in each step.
 * The model's tensors belong to a scope that ends with the step. So the memory of a run does not grow with the number
 * of steps. The tape records inside a step, so guidance can use gradients. At the end of the step the graph is freed.
 */
import { scope } from '../../autograd/tape.ts';
import type { Shape } from '../../autograd/variable.ts';
import { ShapeError } from '../../errors.ts';
import type { Defaults } from '../../options.ts';
import { checkRng, type Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import { checkPrediction, conversion, type Predictor } from '../prediction.ts';
import type { NoiseSchedule } from '../schedule.ts';
import { levelsOf, SPACING_DEFAULTS, type SpacingOptions } from '../spacing.ts';
import { type Apply, type Threshold, thresholding } from '../threshold.ts';

/** The result of a step. The next step overwrites its tensors: call `keep()` for a copy. */
export interface SampleStep {
  /** The number of completed steps, from 1. */
  readonly step: number;
  /** The number of all steps. */
  readonly steps: number;
  /** The noise level of `x`. */
  readonly level: NoiseLevel;
  /** The state, [batch, ...]. The state of the last step belongs to the caller. */
  readonly x: Tensor;
  /** The last predicted data, after thresholding. */
  readonly x0: Tensor;
  /** The number of evaluations of the model so far. */
  readonly evaluations: number;
}

/** A way from noise to data: a grid of noise levels, and a step from one to the next. */
export interface Sampler {
  /** The name in `createSampler`. */
  readonly name: string;
  /** The order of convergence to the probability-flow ODE, or for a stochastic sampler (weakly) to the reverse SDE. */
  readonly order: number;
  /** Whether the sampler draws noise. */
  readonly stochastic: boolean;
  /** The levels that it visits. @throws ValueError for a grid that does not fit the schedule */
  levels(schedule: NoiseSchedule): readonly NoiseLevel[];
  /**
   * Runs from the first level of the grid (the most noise) to the last one.
   *
   * @param x the state at the first level, [batch, ...], such as the result of `startNoise`; it is not changed
   * @returns the `x` of the last step. It is on the heap, and the caller disposes of it.
   * @throws ValueError for a grid that does not fit the schedule or the predictor
   */
  sample(
    model: Predictor,
    schedule: NoiseSchedule,
    x: Tensor,
    rng: Rng,
  ): Generator<SampleStep, Tensor, undefined>;
}

/** Options of every sampler. */
export interface SamplerOptions extends SpacingOptions {
  /** The thresholding of predicted data. Default `none`. */
  readonly threshold?: Threshold | undefined;
}

/** The defaults of the options that all samplers have. */
export const SAMPLER_DEFAULTS = {
  ...SPACING_DEFAULTS,
  threshold: 'none',
} as const satisfies Defaults<SamplerOptions>;

/** A run of a sampler: its levels, its state and the model. The steps of a method use it. */
export class SamplingRun {
  /** The state. A step overwrites it. */
  readonly x: Tensor;
  /** The last predicted data. A method that needs earlier predictions assigns another buffer to it. */
  x0: Tensor;
  evaluations = 0;
  private readonly buffers: Tensor[] = [];

  constructor(
    readonly model: Predictor,
    readonly schedule: NoiseSchedule,
    readonly levels: readonly NoiseLevel[],
    x: Tensor,
    readonly rng: Rng,
    readonly threshold: Apply,
  ) {
    checkPrediction(model.predicts);
    this.x = x.keep();
    this.x0 = this.buffer();
  }

  /** A new tensor of the state's shape. It lives as long as the run. */
  buffer(): Tensor {
    const made = this.x.emptyOnHeap(this.x.shape);
    this.buffers.push(made);
    return made;
  }

  /** Evaluates the model at x and `level`, and writes the predicted data to `out`. */
  denoise(level: NoiseLevel, x = this.x, out = this.x0): Tensor {
    const prediction = this.checked(this.model.predict(x, level.t), x.shape);
    this.evaluations++;
    return this.toData(level, x, prediction, out);
  }

  /** As `denoise`, for a prediction that already exists. */
  toData(level: NoiseLevel, x: Tensor, prediction: Tensor, out = this.x0): Tensor {
    const [a, b] = conversion(this.model.predicts, 'x0', level);
    combine(out, [a, x], [b, prediction]);
    this.threshold(out);
    return out;
  }

  /** Adds std·noise to `x`. */
  addNoise(std: number, x = this.x): void {
    if (std > 0) combine(x, [1, x], [std, this.noise()]);
  }

  /** Standard normals of the state's shape, in the step's scope. */
  noise(): Tensor {
    return this.rng.normalInto(this.x.empty(this.x.shape));
  }

  /** Returns the prediction if it has that shape. @throws ShapeError if it has another */
  checked(prediction: Tensor, shape: Shape): Tensor {
    if (prediction.shape.join() === shape.join()) return prediction;
    throw new ShapeError(`sampler: expected a prediction of shape [${shape}], got [${prediction.shape}]`);
  }

  /** Frees the buffers, and the state if the caller does not get it. */
  release(keepState: boolean): void {
    for (const buffer of this.buffers) buffer.dispose();
    if (!keepState) this.x.dispose();
  }
}

/** The parts in which samplers differ. `start` prepares a run and returns step i, from levels[i] to levels[i+1]. */
export interface Method<O extends SamplerOptions> {
  readonly name: string;
  readonly order: number;
  readonly stochastic: boolean;
  readonly options: O;
  start(run: SamplingRun): (i: number) => void;
  /** Changes the order of the levels. Default: the most noise first. */
  arrange?(levels: NoiseLevel[]): NoiseLevel[];
}

/** Makes a sampler that runs a method over its grid. */
export function sampler<O extends SamplerOptions>(method: Method<O>): Sampler {
  const { name, order, stochastic, options } = method;
  const threshold = thresholding(options.threshold);
  const visited = (schedule: NoiseSchedule) => {
    const levels = levelsOf(schedule, options);
    return method.arrange?.(levels) ?? levels;
  };
  return {
    name,
    order,
    stochastic,
    levels: visited,
    *sample(model, schedule, x, rng) {
      checkRng(name, rng);
      const levels = visited(schedule);
      const run = new SamplingRun(model, schedule, levels, x, rng, threshold);
      let finished = false;
      try {
        const step = method.start(run);
        const steps = levels.length - 1;
        for (let i = 0; i < steps; i++) {
          scope(() => step(i));
          const { x, x0, evaluations } = run;
          yield { step: i + 1, steps, level: run.levels[i + 1], x, x0, evaluations };
        }
        finished = true;
        return run.x;
      } finally {
        run.release(finished);
      }
    },
  };
}

/** Runs a sampler to its end and returns the final state, which belongs to the caller. */
export function runSampler(steps: Generator<SampleStep, Tensor, undefined>): Tensor {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The start of sampling: noise with the standard deviation of the schedule's prior. */
export function startNoise(schedule: NoiseSchedule, shape: Shape, rng: Rng): Tensor {
  const x = rng.normal(shape);
  return combine(x, [schedule.priorStd, x]);
}
