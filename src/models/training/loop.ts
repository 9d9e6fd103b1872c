/**
 * The training loop of all models. A recipe defines the model and the loss. A source yields the batches.
 *
 *     for each batch:   zero the gradients, loss = recipe.loss(batch), backward, Adam, moving average
 *     for each epoch:   the loss on the test pictures, with the averaged parameters if there is an average
 *
 * A run is a generator of events. A caller that stops iterating ends the run. The loop does not draw progress bars or
 * plots and does not write files; callers do. At every event a caller can read the complete state of the run: the
 * tensors of model, Adam and average, `progress`, and `history`. A trainer that loads this state continues with the
 * same bits (resume.ts).
 *
 * Without a time limit, the state at a step is a function of the settings and the step only. With a time limit, the
 * learning rate depends on the larger of two fractions: steps done, and time used. So the learning-rate schedule also
 * ends when the time limit ends the run. The bits of such a run depend on the speed of the machine.
 */
import { scope } from '../../autograd/tape.ts';
import { DivergenceError, ValueError } from '../../errors.ts';
import { Adam } from '../../optim/adam.ts';
import { clipGradNorm } from '../../optim/clip.ts';
import { Ema } from '../../optim/ema.ts';
import { constantLr, type LrSchedule } from '../../optim/lr-schedule.ts';
import { withDefaults } from '../../options.ts';
import { Rng } from '../../random/rng.ts';
import { requirement, requireWhole } from './check.ts';
import type { BatchEvent, EpochEvent, TrainEvent } from './events.ts';
import { History } from './history.ts';
import type { Progress, Recipe, Source, TrainOptions } from './recipe.ts';
import { Snapshot } from './snapshot.ts';
import { Tally } from './tally.ts';

/** A run of training. */
export class Trainer<R extends Recipe = Recipe> {
  /** The optimiser of the module's parameters. */
  readonly adam: Adam;
  /** Their moving average, or null if the recipe has none. */
  readonly ema: Ema | null;
  /** The course of the run. */
  readonly history = new History();
  private readonly rate: LrSchedule;
  private readonly snapshot: Snapshot;
  private readonly limitSeconds: number;
  private readonly every: number;
  private step = 0;
  private seconds = 0;
  private epoch = new Tally();
  private recent = new Tally();

  /**
   * A new run. `dispose()` also frees the source. The caller owns the module.
   * @throws ValueError for settings out of range
   */
  constructor(
    readonly recipe: R,
    readonly source: Source,
    readonly options: TrainOptions,
  ) {
    const { epochs, lr, limitSeconds, every } = withDefaults('Trainer', options, {
      epochs: undefined,
      lr: undefined,
      limitSeconds: Infinity,
      every: 1,
    });
    requireWhole({ epochs, every });
    requirement(lr > 0 && lr < Infinity, 'lr > 0', lr);
    requirement(limitSeconds > 0, 'seconds > 0', limitSeconds);
    [this.limitSeconds, this.every] = [limitSeconds, every];
    const { module, ema, betas } = recipe;
    this.adam = new Adam(module.parameters(), { lr, ...(betas && { betas }) });
    this.ema = ema === undefined ? null : new Ema(module, { decay: ema });
    this.rate = recipe.schedule?.(lr, this.steps) ?? constantLr(lr);
    const averages = this.ema ? [...this.ema.stateDict().values()] : [];
    this.snapshot = new Snapshot([...module.stateDict().values(), ...averages], 'its initial values');
  }

  /** The number of steps of the whole run, if no time limit ends it. */
  get steps(): number {
    return this.options.epochs * this.source.batches;
  }

  /** Whether the run has done all its steps. */
  get complete(): boolean {
    return this.step >= this.steps;
  }

  /**
   * Trains until the last epoch or the time limit, and yields the events.
   * If a loss is NaN or infinite, the model and the average get their values from the end of the last epoch, or from
   * the start of the run. Then the function throws.
   * @throws DivergenceError for a loss that is NaN or infinite, with the epoch and the batch
   */
  *run(): Generator<TrainEvent, void> {
    const { batches } = this.source;
    for (;;) {
      const { epoch, batch } = this.source.position;
      if (batch === 0 && this.epoch.images > 0) yield this.endEpoch(epoch);
      if (this.complete || this.seconds >= this.limitSeconds) return;
      this.train(epoch + 1, batch + 1);
      if ((batch + 1) % this.every === 0 || batch + 1 === batches)
        yield this.batchEvent(epoch + 1, batch + 1);
    }
  }

  /**
   * The current loss on the test pictures, in evaluation mode and with the averaged parameters if there is an average.
   * NaN for a recipe without a test.
   */
  test(): number {
    const { recipe } = this;
    return recipe.module.whileEvaluating(() => this.withAverage(() => recipe.test?.() ?? Number.NaN));
  }

  /** Calls `body` while the module has its averaged parameters, if there is an average. */
  withAverage<T>(body: () => T): T {
    this.ema?.swapIn();
    try {
      return body();
    } finally {
      this.ema?.swapOut();
    }
  }

  /** The counters of the run. */
  get progress(): Progress {
    const { recipe, source, ema, adam, step, seconds, epoch } = this;
    const streams = Object.entries(recipe.streams).map(([name, { state }]) => [name, state]);
    return {
      step,
      position: source.position,
      streams: Object.fromEntries(streams),
      emaUpdates: ema?.updates ?? 0,
      adamSteps: adam.state.map(({ steps }) => steps),
      seconds,
      epoch: epoch.state,
    };
  }

  /**
   * Sets the counters. First restore the tensors; see resume.ts.
   * @throws ValueError for counters that do not fit the run
   */
  seek({ step, position, streams, seconds, epoch }: Progress): void {
    this.source.seek(position);
    for (const name of Object.keys(this.recipe.streams)) {
      const state = streams[name];
      if (!state) throw new ValueError(`training: expected the state of the stream "${name}", got none`);
      this.recipe.streams[name] = Rng.restore(state);
    }
    this.step = step;
    this.seconds = seconds;
    this.epoch = new Tally(epoch);
    this.snapshot.update(`its values after step ${step}`);
  }

  /** Frees the memory of the run, except the module. */
  dispose(): void {
    this.source.dispose?.();
    this.ema?.dispose();
    this.snapshot.dispose();
  }

  /** Does one step, and updates the counters. */
  private train(epoch: number, batch: number): void {
    const started = performance.now();
    const { loss, images } = this.takeStep(epoch, batch);
    const seconds = (performance.now() - started) / 1000;
    this.step++;
    this.seconds += seconds;
    this.epoch.add(loss, images, seconds);
    this.recent.add(loss, images, seconds);
    this.history.addBatch(epoch - 1 + batch / this.source.batches, loss);
  }

  private takeStep(epoch: number, batch: number): { loss: number; images: number } {
    const { adam, ema, recipe, source } = this;
    adam.lr = this.learningRate();
    return scope(() => {
      const data = source.next();
      adam.zeroGrad();
      const loss = recipe.loss(data);
      const value = loss.item();
      this.requireFinite(value, `epoch ${epoch}, batch ${batch} of ${source.batches}`);
      loss.backward();
      if (recipe.clip) clipGradNorm(recipe.module.parameters(), recipe.clip);
      adam.step();
      ema?.update();
      return { loss: value, images: data.images.shape[0] };
    });
  }

  private learningRate(): number {
    const share = Math.max(this.step / this.steps, this.seconds / this.limitSeconds);
    return this.rate(Math.max(this.step, Math.floor(share * this.steps)));
  }

  private batchEvent(epoch: number, batch: number): BatchEvent {
    const { loss, imagesPerSecond } = this.recent;
    this.recent = new Tally();
    return { type: 'batch', epoch, batch, batches: this.source.batches, loss, imagesPerSecond };
  }

  private endEpoch(epoch: number): EpochEvent {
    const { loss: trainLoss, seconds, imagesPerSecond } = this.epoch;
    const testLoss = this.test();
    if (this.recipe.test) this.requireFinite(testLoss, `epoch ${epoch}, on the test pictures`);
    this.epoch = new Tally();
    this.snapshot.update(`its values after epoch ${epoch}`);
    const event: EpochEvent = { type: 'epoch', epoch, trainLoss, testLoss, seconds, imagesPerSecond };
    this.history.addEpoch(event);
    return event;
  }

  private requireFinite(loss: number, where: string): void {
    if (Number.isFinite(loss)) return;
    this.snapshot.restore();
    throw new DivergenceError(
      `training diverged in ${where}: expected a finite loss, got ${loss}; the model is back to ${this.snapshot.moment}; take a smaller learning rate than ${this.options.lr}`,
    );
  }
}

/** Runs a trainer to its end, and then frees its memory, except the module. @throws as `Trainer.run` */
export function* train(trainer: Trainer): Generator<TrainEvent, void> {
  try {
    yield* trainer.run();
  } finally {
    trainer.dispose();
  }
}
