/** Moments of a long run, for a slider, and the loop of a training that keeps them. */
import { lossFigure } from '../../models/figures/loss.ts';
import type { Trainer } from '../../models/training/loop.ts';

/**
 * At first the moments of all steps are kept. Whenever there are too many, every second one is dropped, and from there on
 * the steps between two moments are twice as many.
 */
export class Timeline<M extends { readonly step: number }> {
  private kept: M[] = [];
  /** Steps from one moment to the next. */
  private stride = 1;

  /**
   * @param most the largest number of moments, besides the newest
   * @param take makes the moment of the current step
   */
  constructor(
    private readonly most: number,
    private readonly take: () => M,
  ) {}

  /** Keeps the moment of the current step, if it is a multiple of the stride. */
  look(step: number): void {
    if (step % this.stride !== 0) return;
    this.kept.push(this.take());
    if (this.kept.length <= this.most) return;
    this.stride *= 2;
    this.kept = this.kept.filter((moment) => moment.step % this.stride === 0);
  }

  /** The moments so far. The last one is that of the current step. */
  until(step: number): M[] {
    return this.kept.at(-1)?.step === step ? [...this.kept] : [...this.kept, this.take()];
  }
}

/** Trains to the end, and keeps moments: before the first step and after the others. Yields after every step. */
export function* trainAlong(
  trainer: Trainer,
  timeline: Timeline<{ readonly step: number }>,
): Generator<void, void> {
  timeline.look(0);
  for (const event of trainer.run()) {
    if (event.type !== 'batch') continue;
    timeline.look(trainer.progress.step);
    yield;
  }
}

/** The running mean of the batches' losses; NaN before the first step. */
export const meanLoss = ({ history }: Trainer): number => lossFigure(history).mean.at(-1) ?? Number.NaN;
