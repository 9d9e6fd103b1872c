/**
 * The lecture's diffusion model, as its slides have it: T = 5 times, equally spaced from 0 to 1, and a network of
 * 785-400-400-784 that is told the time as one more input. One step of training takes a batch of data,
 *
 *   noisy = data + Σ_t √(s[t+1] - s[t])·randn                        all T-1 noising steps
 *   for t = T-2, ..., 0:
 *     denoised = noisy - √(s[t+1] - s[t])·randn
 *     loss    += MSE(model(denoised, s[t]), (data - denoised)/(s[t+1] - s[t]))
 *
 * and an Adam step on the sum. "denoised" subtracts a fresh draw, which removes no noise but adds some: what that
 * means is worked out in analysis.ts. `carry` lets `noisy` become `denoised` after each t, the other way of
 * reading the slide; by default every t starts from the same `noisy`, as the formula stands.
 */
import { scope } from '../../autograd/tape.ts';
import { checkSteps, checkWhole } from '../../diffusion/check.ts';
import { combine } from '../../diffusion/combine.ts';
import { DivergenceError, ShapeError, ValueError } from '../../errors.ts';
import { ReLU } from '../../nn/activation.ts';
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import { Sequential } from '../../nn/sequential.ts';
import { Adam } from '../../optim/adam.ts';
import { type Rng, sharedRng } from '../../random/rng.ts';
import { full } from '../../tensor/create.ts';
import { cat, mse, type Tensor } from '../../tensor/tensor.ts';
import { defaultsOf } from '../setting.ts';
import { LECTURE_TABLE } from '../settings.ts';

/** linspace(0, 1, T). @throws ValueError for a T that is no whole number >= 2 */
export function lectureSchedule(T = 5): Float64Array {
  checkSteps('lecture: T', T);
  return Float64Array.from({ length: T }, (_, t) => t / (T - 1));
}

/** ReLU layers of `hidden` units between `dimension` numbers and the time, and `dimension` numbers. */
export class LectureNetwork extends Module {
  readonly layers: Sequential;

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

  /** x [batch, dimension + 1], the time in its last column, to [batch, dimension]. */
  override forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }

  /** x [batch, dimension] at time t. */
  at(x: Tensor, t: number): Tensor {
    if (x.rank !== 2 || x.shape[1] !== this.dimension) {
      throw new ShapeError(`DiffusionModel: expected [batch,${this.dimension}], got [${x.shape}]`);
    }
    return this.forward(cat([x, full([x.shape[0], 1], t)], 1));
  }
}

/** What is trained: any function of x [batch, dimension] and a time. */
export type LectureModel = (x: Tensor, t: number) => Tensor;

export interface LectureLossOptions {
  /** linspace(0, 1, 5) by default. */
  readonly schedule?: ArrayLike<number>;
  /** Whether a t goes on from where the one before it ended; false by default. */
  readonly carry?: boolean;
}

/** The loss of a batch [batch, dimension], summed over t: a scalar with its graph. */
export function lectureLoss(
  model: LectureModel,
  data: Tensor,
  rng: Rng,
  { schedule = lectureSchedule(), carry = false }: LectureLossOptions = {},
): Tensor {
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
    `lecture: expected a schedule that rises, got ${schedule[t + 1]} after ${schedule[t]}`,
  );
}

/** The slides' settings. */
export const LECTURE_SETTINGS = defaultsOf(LECTURE_TABLE);

export interface LectureTraining extends LectureLossOptions {
  /** 10 by default. */
  readonly epochs?: number;
  /** Adam's learning rate, 1e-3 by default. */
  readonly lr?: number;
}

export interface LectureStep {
  /** From 0. */
  readonly epoch: number;
  /** Steps done over all epochs, from 1. */
  readonly step: number;
  readonly loss: number;
}

const diverged = (epoch: number, step: number, loss: number, lr: number) =>
  new DivergenceError(
    `training diverged in epoch ${epoch + 1}, step ${step}: expected a finite loss, got ${loss}; take a smaller learning rate than ${lr}`,
  );

/**
 * Trains the model in place, and yields after every step.
 *
 * @param batches of an epoch, each [batch, dimension]; they are the caller's to dispose of
 * @throws ValueError for epochs that are no whole number >= 1; DivergenceError where the loss is no number, with the
 * model as it was before that step
 */
export function* trainLecture(
  model: LectureNetwork,
  batches: (epoch: number) => Iterable<Tensor>,
  rng: Rng,
  { epochs = LECTURE_SETTINGS.epochs, lr = LECTURE_SETTINGS.lr, ...options }: LectureTraining = {},
): Generator<LectureStep, void, undefined> {
  checkWhole('lecture: epochs', epochs, 1);
  const adam = new Adam(model.parameters(), { lr });
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const data of batches(epoch)) {
      step++;
      const loss = scope(() => {
        adam.zeroGrad();
        const found = lectureLoss((x, t) => model.at(x, t), data, rng, options);
        const value = found.item();
        if (!Number.isFinite(value)) throw diverged(epoch, step, value, lr);
        found.backward();
        adam.step();
        return value;
      });
      yield { epoch, step, loss };
    }
  }
}
