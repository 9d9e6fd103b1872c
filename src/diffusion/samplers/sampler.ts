/**
 * What all samplers share: the interface, the loop over levels, and the memory. A sampler is a generator that
 * yields after each step, so that progress bars, plots and animations live outside of it.
 *
 * Memory: the state and what a method remembers lie on the heap, made once and overwritten from step to step;
 * what the model computes lies in a scope that ends with the step. A run therefore has a flat memory, however
 * many steps it takes. The tape records inside a step, so that guidance may use gradients, and is cut with it.
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

/** What a step leaves behind. Its tensors are overwritten by the next step: `keep()` what is to stay. */
export interface SampleStep {
  /** Steps done, from 1. */
  readonly step: number;
  /** Steps there are. */
  readonly steps: number;
  /** The level that `x` is at now. */
  readonly level: NoiseLevel;
  /** The state, [batch, ...]. That of the last step belongs to the caller. */
  readonly x: Tensor;
  /** The data as the model last predicted them, after thresholding. */
  readonly x0: Tensor;
  /** How often the model was asked so far. */
  readonly evaluations: number;
}

export interface Sampler {
  readonly name: string;
  /** Order of convergence to the probability-flow ODE, or for stochastic ones to the reverse SDE (weakly). */
  readonly order: number;
  /** Whether noise is drawn. */
  readonly stochastic: boolean;
  /**
   * Leads x from the noisiest level of the grid to its cleanest.
   *
   * @param x [batch, ...] at the first level: `startNoise` makes one; it is left as it is
   * @returns the state of the last step, which is also that step's `x`, on the heap and the caller's to dispose of
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
  /** What is done to predicted data; nothing by default. */
  readonly threshold?: Threshold | undefined;
}

/** The defaults that all samplers share. */
export const SAMPLER_DEFAULTS = {
  ...SPACING_DEFAULTS,
  threshold: 'none',
} as const satisfies Defaults<SamplerOptions>;

/** A run: its levels, its state and the model, for the steps of a method. */
export class SamplingRun {
  /** The state; a step overwrites it. */
  readonly x: Tensor;
  /** The last predicted data; a method that remembers earlier ones puts another buffer in its place. */
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

  /** A tensor of the state's shape that lives as long as the run. */
  buffer(): Tensor {
    const made = this.x.emptyOnHeap(this.x.shape);
    this.buffers.push(made);
    return made;
  }

  /** Predicted data for x at `level`, into `out`. */
  denoise(level: NoiseLevel, x = this.x, out = this.x0): Tensor {
    const prediction = this.checked(this.model.predict(x, level.t), x.shape);
    this.evaluations++;
    return this.toData(level, x, prediction, out);
  }

  /** As `denoise`, when the prediction is there already. */
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

  /** The prediction, if it has that shape. @throws ShapeError */
  checked(prediction: Tensor, shape: Shape): Tensor {
    if (prediction.shape.join() === shape.join()) return prediction;
    throw new ShapeError(`sampler: expected a prediction of shape [${shape}], got [${prediction.shape}]`);
  }

  /** Frees what the caller does not get. */
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
  /** Puts the levels in the order in which they are visited; as they are by default. */
  arrange?(levels: NoiseLevel[]): NoiseLevel[];
}

/** A sampler that runs a method over its grid. */
export function sampler<O extends SamplerOptions>(method: Method<O>): Sampler {
  const { name, order, stochastic, options } = method;
  const threshold = thresholding(options.threshold);
  return {
    name,
    order,
    stochastic,
    *sample(model, schedule, x, rng) {
      checkRng(name, rng);
      const levels = levelsOf(schedule, options);
      const run = new SamplingRun(model, schedule, method.arrange?.(levels) ?? levels, x, rng, threshold);
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

/** Runs a sampler to its end and returns the final state, which is the caller's. */
export function runSampler(steps: Generator<SampleStep, Tensor, undefined>): Tensor {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Noise of the scale that a schedule's noisiest level has, to start from. */
export function startNoise(schedule: NoiseSchedule, shape: Shape, rng: Rng): Tensor {
  const x = rng.normal(shape);
  return combine(x, [schedule.priorStd, x]);
}
