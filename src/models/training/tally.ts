/** A mean loss over samples, and the time that they took. */

/** The sums of a tally; a file holds them. */
export interface TallyState {
  /** Σ loss of a batch · its samples */
  readonly loss: number;
  readonly images: number;
  readonly seconds: number;
}

export class Tally {
  private sum: number;
  images: number;
  seconds: number;

  constructor({ loss, images, seconds }: TallyState = { loss: 0, images: 0, seconds: 0 }) {
    this.sum = loss;
    this.images = images;
    this.seconds = seconds;
  }

  add(loss: number, images: number, seconds = 0): void {
    this.sum += loss * images;
    this.images += images;
    this.seconds += seconds;
  }

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
