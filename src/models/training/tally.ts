/** Sums for the mean loss over samples and for the number of samples per second. */

/** The sums of an epoch so far. The file of a run has them. */
export interface TallyState {
  /** Σ (mean loss of a batch · number of its samples) */
  readonly loss: number;
  /** The number of samples. */
  readonly images: number;
  /** The time of their batches. */
  readonly seconds: number;
}

/** Adds up batches. */
export class Tally {
  private sum: number;
  images: number;
  seconds: number;

  constructor({ loss, images, seconds }: TallyState = { loss: 0, images: 0, seconds: 0 }) {
    this.sum = loss;
    this.images = images;
    this.seconds = seconds;
  }

  /** Adds a batch: its mean loss, its number of samples, and its time. */
  add(loss: number, images: number, seconds = 0): void {
    this.sum += loss * images;
    this.images += images;
    this.seconds += seconds;
  }

  /** The mean loss over all samples. NaN before the first batch. */
  get loss(): number {
    return this.sum / this.images;
  }

  get imagesPerSecond(): number {
    return this.images / this.seconds;
  }

  get state(): TallyState {
    return { loss: this.sum, images: this.images, seconds: this.seconds };
  }
}
