/**
 * The lecture's diffusion model, as in the slides. There are T = 5 times, equally spaced from 0 to 1. The network is
 * 785-400-400-784, and the time is one more input. A training step computes the loss of a batch of data:
 *
 *   noisy = data + Σ_t √(s[t+1] - s[t])·randn                        all T-1 noising steps
 *   for t = T-2, ..., 0:
 *     denoised = noisy - √(s[t+1] - s[t])·randn
 *     loss    += MSE(model(denoised, s[t]), (data - denoised)/(s[t+1] - s[t]))
 *
 * Then Adam makes a step (training/lecture.ts). "denoised" subtracts new random numbers. This does not remove noise,
 * but adds noise. analysis.ts has the consequences. By default every t starts from the same `noisy`, as in the formula.
 * With `carry`, `noisy` becomes `denoised` after each t. The slide can be read in both ways.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { whole } from '../../checkpoint/fields.ts';
import { type ModelFormat, readModel } from '../../checkpoint/model-format.ts';
import { checkSteps } from '../../diffusion/check.ts';
import { combine } from '../../diffusion/combine.ts';
import { ShapeError, ValueError } from '../../errors.ts';
import { ReLU } from '../../nn/activation.ts';
import { Flatten } from '../../nn/flatten.ts';
import { Linear } from '../../nn/linear.ts';
import { Layer } from '../../nn/module.ts';
import { Sequential } from '../../nn/sequential.ts';
import { withDefaults } from '../../options.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import { full } from '../../tensor/create.ts';
import { cat, mse } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { MOST_INPUTS, WIDTH_FIELD } from '../networks/limits.ts';

/** linspace(0, 1, T). @throws ValueError if T is not a whole number >= 2 */
export function lectureSchedule(T = 5): Float64Array {
  checkSteps('lecture: T', T);
  return Float64Array.from({ length: T }, (_, t) => t / (T - 1));
}

/** An MLP with ReLU: from `dimension` numbers and the time, through `hidden` units, to `dimension` numbers. */
export class LectureNetwork extends Layer {
  /** The kind of this model in a checkpoint. */
  static readonly kind = 'lecture';
  /** Three linear layers with ReLU between them. */
  readonly layers: Sequential;

  /**
   * Initial values as in `Linear`.
   * @param dimension how many numbers a sample has
   * @param hidden the width of the hidden layers
   * @param rng the generator of the initial values
   */
  constructor(
    readonly dimension = 784,
    readonly hidden = 400,
    rng: Rng = sharedRng(),
  ) {
    super();
    this.layers = new Sequential(
      new Linear(dimension + 1, hidden, { rng }),
      new ReLU(),
      new Linear(hidden, hidden, { rng }),
      new ReLU(),
      new Linear(hidden, dimension, { rng }),
    );
  }

  /** From x [batch, dimension + 1], with the time in its last column, to [batch, dimension]. */
  override forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }

  /**
   * The prediction for x [batch, ...] at time t, of x's shape. A sample has `dimension` numbers.
   * @throws ShapeError for samples of another size
   */
  at(x: Tensor, t: number): Tensor {
    const rows = new Flatten().forward(x);
    if (rows.shape[1] !== this.dimension) {
      throw new ShapeError(`LectureNetwork: expected samples of ${this.dimension} numbers, got [${x.shape}]`);
    }
    return this.forward(cat([rows, full([x.shape[0], 1], t)], 1)).reshape(x.shape);
  }
}

const FORMAT: ModelFormat<LectureNetwork, { dimension: number; hidden: number }> = {
  kind: LectureNetwork.kind,
  sizes: { dimension: whole(1, MOST_INPUTS), hidden: WIDTH_FIELD },
  shapes: ({ dimension, hidden }) => [
    ['layers.0.weight', [hidden, dimension + 1]],
    ['layers.2.weight', [hidden, hidden]],
    ['layers.4.weight', [dimension, hidden]],
  ],
  create: ({ dimension, hidden }) => new LectureNetwork(dimension, hidden, new Rng(0)),
};

/** The lecture's network from a checkpoint. @throws FormatError for a file of another kind */
export const lectureOf = (checkpoint: Checkpoint): LectureNetwork => readModel(checkpoint, FORMAT);

/** A model in training: a function of x [batch, ...] and a time. */
export type LectureModel = (x: Tensor, t: number) => Tensor;

/** Options of `lectureLoss`, which are the two readings of the lecture's loop. */
export interface LectureLossOptions {
  /** The times s. Default linspace(0, 1, 5). */
  readonly schedule?: ArrayLike<number>;
  /** Whether each t starts from the `denoised` of t + 1 (t descends). Default false. */
  readonly carry?: boolean;
}

export const lossDefaults = () => ({ schedule: lectureSchedule(), carry: false });

/** The loss of a batch [batch, ...], summed over t: a scalar with a graph. */
export function lectureLoss(
  model: LectureModel,
  data: Tensor,
  rng: Rng,
  options: LectureLossOptions = {},
): Tensor {
  const { schedule, carry } = withDefaults('lectureLoss', options, lossDefaults());
  const step = (t: number) => stepOf(schedule, t);
  const noise = () => rng.normalInto(data.empty(data.shape));
  let noisy = data.detach();
  for (let t = 0; t < schedule.length - 1; t++) combine(noisy, [1, noisy], [Math.sqrt(step(t)), noise()]);
  let loss: Tensor | null = null;
  for (let t = schedule.length - 2; t >= 0; t--) {
    const denoised = noise();
    combine(denoised, [-Math.sqrt(step(t)), denoised], [1, noisy]);
    const target = combine(data.empty(data.shape), [1 / step(t), data], [-1 / step(t), denoised]);
    const term = mse(model(denoised, schedule[t]), target);
    loss = loss ? loss.add(term) : term;
    if (carry) noisy = denoised;
  }
  return loss!;
}

/** s[t+1] - s[t]. @throws ValueError unless it is > 0 */
function stepOf(schedule: ArrayLike<number>, t: number): number {
  const step = schedule[t + 1] - schedule[t];
  if (step > 0) return step;
  throw new ValueError(
    `lecture: expected an increasing schedule, got ${schedule[t + 1]} after ${schedule[t]}`,
  );
}
