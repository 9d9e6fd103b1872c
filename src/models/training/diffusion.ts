/**
 * Training of a diffusion network as a generator of events, and its state at any of them, from which another
 * trainer goes on with the same bits as if nothing had happened.
 *
 *     x0 in [-1, 1];  t, eps and which labels are withheld from one stream;  loss: diffusion/objective.ts
 *     Adam, its rate warmed up and then lowered along half a cosine to a fiftieth;  moving average of the network
 *
 * What the run is at a step is a function of its settings and of the number of steps alone. A limit in seconds is
 * the exception: the rate then follows the larger of the shares of steps and of seconds that are used up, so that
 * a run that ends by the clock has been annealed too; such a run has the bits of its machine's speed.
 *
 * The test loss is the moving average's on the first 2,000 test pictures at most, with noise and evenly spread
 * times that are the same after every epoch.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { type TrainTest, take } from '../../data/dataset.ts';
import { DataLoader, type LoaderPosition } from '../../data/loader.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import { type LossWeighting, Objective } from '../../diffusion/objective.ts';
import { DivergenceError, ShapeError, ValueError } from '../../errors.ts';
import { Adam } from '../../optim/adam.ts';
import { Ema } from '../../optim/ema.ts';
import { cosineLr, type LrSchedule, warmupLr } from '../../optim/lr-schedule.ts';
import { Rng, type RngState, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { DiffusionPipeline, ProcessSettings } from '../pipeline.ts';
import { defaultsOf } from '../setting.ts';
import { DIFFUSION_TABLE } from '../settings.ts';
import type { EpochEvent, TrainEvent } from './denoiser.ts';
import { normalize, requireFiniteTest } from './loop.ts';

/** What a run can be told beside its process. */
export interface DiffusionSettings extends ProcessSettings {
  readonly lossWeighting: LossWeighting;
  readonly epochs: number;
  readonly batchSize: number;
  /** Adam's learning rate after the warm-up. */
  readonly lr: number;
  /** Decay of the moving average. */
  readonly ema: number;
  /** The share of labels that are withheld, 0 to 1. */
  readonly labelDropout: number;
  readonly seed: Seed;
}

const { model: _network, seconds: _limit, ...defaults } = defaultsOf(DIFFUSION_TABLE);
export const DIFFUSION_SETTINGS: DiffusionSettings = defaults;

const MOST_WARMUP = 500;
const LAST_RATE = 0.02;
const TEST_PICTURES = 2000;
const TEST_BATCH = 250;

/** Counters of a run; with the tensors all that there is to it. */
export interface DiffusionProgress {
  readonly step: number;
  readonly position: LoaderPosition;
  readonly rng: RngState;
  readonly emaUpdates: number;
  readonly adamSteps: readonly number[];
  readonly seconds: number;
  /** Of the epoch so far. */
  readonly epoch: { readonly loss: number; readonly images: number; readonly seconds: number };
}

export class DiffusionTrainer {
  readonly adam: Adam;
  readonly ema: Ema;
  private readonly objective: Objective;
  private readonly loader: DataLoader;
  private readonly rate: LrSchedule;
  private rng: Rng;
  private step = 0;
  private seconds = 0;
  /** Of the epoch so far: the sum of losses over its pictures, how many, and the time they took. */
  private epoch = { loss: 0, images: 0, seconds: 0 };

  /**
   * @param limitSeconds when to stop, in seconds of training, even if epochs are left
   * @throws ValueError for settings out of range, ShapeError for pictures that are not of the model's size
   */
  constructor(
    readonly model: DiffusionPipeline,
    readonly data: TrainTest,
    readonly settings: DiffusionSettings,
    private readonly limitSeconds = Infinity,
  ) {
    check(model, data, settings, limitSeconds);
    const { predicts, lossWeighting, batchSize, seed, lr, ema, epochs } = settings;
    this.objective = new Objective(model.schedule, { predicts, lossWeighting });
    this.loader = new DataLoader(data.train, { batchSize, seed });
    this.adam = new Adam(model.network.parameters(), { lr });
    this.ema = new Ema(model.network, { decay: ema });
    this.rng = new Rng(seed).stream('training');
    const warmup = Math.max(1, Math.min(MOST_WARMUP, Math.floor(this.steps / 20)));
    const steps = Math.max(1, epochs * this.loader.batches - warmup);
    this.rate = warmupLr(warmup, cosineLr(lr, { steps, end: LAST_RATE * lr }));
  }

  /** Steps of the whole run, should no limit of time end it. */
  get steps(): number {
    return this.settings.epochs * this.loader.batches;
  }

  /**
   * Trains on, and yields after every step and after every epoch; ends with the last epoch or the time.
   * @throws DivergenceError that names the epoch and the batch; the network is as it was before that step
   */
  *run(): Generator<TrainEvent, void> {
    const { batches } = this.loader;
    for (;;) {
      const { epoch, batch } = this.loader.position;
      if (batch === 0 && this.epoch.images > 0) yield this.endEpoch(epoch);
      if (this.step >= this.steps || this.seconds >= this.limitSeconds) return;
      const started = performance.now();
      const { images, labels } = this.loader.next();
      const loss = this.takeStep(images, labels, `epoch ${epoch + 1}, batch ${batch + 1} of ${batches}`);
      const seconds = (performance.now() - started) / 1000;
      this.count(loss, labels.length, seconds);
      const imagesPerSecond = labels.length / seconds;
      yield { type: 'batch', epoch: epoch + 1, batch: batch + 1, batches, loss, imagesPerSecond };
    }
  }

  private count(loss: number, images: number, seconds: number): void {
    this.step++;
    this.seconds += seconds;
    const { epoch } = this;
    this.epoch = {
      loss: epoch.loss + loss * images,
      images: epoch.images + images,
      seconds: epoch.seconds + seconds,
    };
  }

  private endEpoch(epoch: number): EpochEvent {
    const { loss, images, seconds } = this.epoch;
    this.epoch = { loss: 0, images: 0, seconds: 0 };
    const imagesPerSecond = images / seconds;
    const testLoss = this.test();
    requireFiniteTest(testLoss, epoch);
    return {
      type: 'epoch',
      epoch,
      trainLoss: loss / images,
      testLoss,
      seconds,
      imagesPerSecond,
    };
  }

  private takeStep(images: Tensor, labels: Uint8Array, where: string): number {
    const { adam, ema, objective, rng } = this;
    const share = Math.max(this.step / this.steps, this.seconds / this.limitSeconds);
    adam.lr = this.rate(Math.max(this.step, Math.floor(share * this.steps)));
    return scope(() => {
      adam.zeroGrad();
      const loss = objective.loss(this.conditioned(this.dropLabels(labels)), normalize(images), rng);
      const value = loss.item();
      if (!Number.isFinite(value)) throw diverged(where, value, this.settings.lr);
      loss.backward();
      adam.step();
      ema.update();
      return value;
    });
  }

  /** The labels as the network is told them in this step. */
  private dropLabels(labels: Uint8Array): Labels {
    if (this.model.classes === 0) return Array(labels.length).fill(null);
    const words = this.rng.bits(labels.length);
    const { labelDropout } = this.settings;
    return Array.from(labels, (label, i) => (words[i] < labelDropout * 2 ** 32 ? null : label));
  }

  private conditioned(labels: Labels) {
    return (x: Tensor, t: Tensor) => this.model.predictEach(x, t, labels);
  }

  /** The moving average's loss on test pictures: see above. */
  test(): number {
    const { objective, ema } = this;
    const loader = new DataLoader(take(this.data.test, TEST_PICTURES), { batchSize: TEST_BATCH });
    const rng = new Rng(this.settings.seed).stream('test');
    const even = new Objective(this.model.schedule, { ...objective, times: 'stratified' });
    let [sum, pictures] = [0, 0];
    ema.swapIn();
    try {
      for (const { images, labels } of loader) {
        const known = this.model.classes > 0 ? Array.from(labels) : Array(labels.length).fill(null);
        const loss = scope(() =>
          noGrad(() => even.loss(this.conditioned(known), normalize(images), rng).item()),
        );
        sum += loss * labels.length;
        pictures += labels.length;
      }
    } finally {
      ema.swapOut();
      loader.dispose();
    }
    return sum / pictures;
  }

  /** Where the run is: with the tensors of network, average and Adam all that there is to it. */
  get progress(): DiffusionProgress {
    return {
      step: this.step,
      position: this.loader.position,
      rng: this.rng.state,
      emaUpdates: this.ema.updates,
      adamSteps: this.adam.state.map(({ steps }) => steps),
      seconds: this.seconds,
      epoch: this.epoch,
    };
  }

  /** Goes on from there; the tensors are the caller's to put back (resume.ts). @throws ValueError */
  resume({ step, position, rng, seconds, epoch }: DiffusionProgress): void {
    this.loader.seek(position);
    this.rng = Rng.restore(rng);
    this.step = step;
    this.seconds = seconds;
    this.epoch = { ...epoch };
  }

  /** Frees what the run needed beside the network. */
  dispose(): void {
    this.loader.dispose();
    this.ema.dispose();
  }
}

const diverged = (where: string, loss: number, lr: number) =>
  new DivergenceError(
    `training diverged in ${where}: expected a finite loss, got ${loss}; take a smaller learning rate than ${lr}`,
  );

function check(
  { network }: DiffusionPipeline,
  data: TrainTest,
  settings: DiffusionSettings,
  limitSeconds: number,
): void {
  const { epochs, batchSize, lr, labelDropout } = settings;
  const requirement = (fits: boolean, expected: string, got: number) => {
    if (!fits) throw new ValueError(`training: expected ${expected}, got ${got}`);
  };
  for (const [name, value] of Object.entries({ epochs, batchSize })) {
    requirement(Number.isInteger(value) && value >= 1, `${name} to be a whole number >= 1`, value);
  }
  requirement(lr > 0 && lr < Infinity, 'lr > 0', lr);
  requirement(limitSeconds > 0, 'seconds > 0', limitSeconds);
  requirement(labelDropout >= 0 && labelDropout <= 1, 'labelDropout from 0 to 1', labelDropout);
  const { height, width, classes } = network.sizes;
  for (const set of [data.train, data.test]) {
    if (set.height !== height || set.width !== width) {
      const got = `${set.name} with ${set.height}x${set.width}`;
      throw new ShapeError(`training: expected pictures of ${height}x${width}, got ${got}`);
    }
    requirement(classes === 0 || set.classes <= classes, `at most ${classes} classes`, set.classes);
  }
}
