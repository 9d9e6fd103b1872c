/**
 * The one training loop. A recipe says what is trained and by which loss; a source gives the batches.
 *
 *     for each batch:   zero the gradients, loss = recipe.loss(batch), backward, Adam, moving average
 *     for each epoch:   loss on the test pictures, with the moving average if there is one
 *
 * A run is a generator of events and ends where its caller stops asking. Progress bars, plots, checkpoints and pages
 * live outside. At every event the run's whole state is at hand: the tensors of model, Adam and average, `progress`,
 * and `history`. A trainer that takes them on goes on to the same bits (resume.ts).
 *
 * What a run is at a step follows from its settings and the number of steps alone. A limit in seconds is the
 * exception. The learning rate then follows the larger of the shares of steps and of seconds that are used up, so
 * that a run that ends by the clock has been annealed too. Such a run has the bits of its machine's speed.
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

export class Trainer<R extends Recipe = Recipe> {
  readonly adam: Adam;
  readonly ema: Ema | null;
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
   * A run at its beginning. It disposes of the source in the end; the module is the caller's.
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

  /** Steps of the whole run, should no limit of time end it. */
  get steps(): number {
    return this.options.epochs * this.source.batches;
  }

  /** Whether all epochs are trained. */
  get complete(): boolean {
    return this.step >= this.steps;
  }

  /**
   * Trains on, and ends with the last epoch or with the time.
   * @throws DivergenceError where a loss is no number. It names the place, and model and average are back to where they
   * were after the last epoch that ended well, or else to where the run began
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

  /** The loss on the test pictures as it is now, in evaluation mode; NaN for a recipe without a test. */
  test(): number {
    const { recipe } = this;
    return recipe.module.whileEvaluating(() => this.withAverage(() => recipe.test?.() ?? Number.NaN));
  }

  /** Calls `body` while the module holds its moving average, if it has one. */
  withAverage<T>(body: () => T): T {
    this.ema?.swapIn();
    try {
      return body();
    } finally {
      this.ema?.swapOut();
    }
  }

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

  /** Goes on from there, once the tensors are put back: see resume.ts. @throws ValueError */
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
    this.snapshot.update(`where it was after step ${step}`);
  }

  /** Frees what the run needed beside the module. */
  dispose(): void {
    this.source.dispose?.();
    this.ema?.dispose();
    this.snapshot.dispose();
  }

  /** One step, counted. */
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
    this.snapshot.update(`where it was after epoch ${epoch}`);
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

/** Trains to the end, and frees what the run needed beside the module. @throws as `Trainer.run` */
export function* train(trainer: Trainer): Generator<TrainEvent, void> {
  try {
    yield* trainer.run();
  } finally {
    trainer.dispose();
  }
}
