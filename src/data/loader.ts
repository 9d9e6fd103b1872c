/**
 * Batches of a data set for training: `[b, height, width, channels]` floats in [0, 1], in an order that is shuffled
 * anew for every epoch. A byte v becomes the float32 nearest to v / 255, as in PyTorch's `ToTensor`.
 *
 * The order of an epoch is a pure function of the seed and the epoch's number, and a position is two numbers:
 * a loader that is put back to a saved position goes on with the same batches.
 *
 * A batch belongs to the caller, and the loader never writes to it again. Inside a scope its tensor ends with the
 * scope, as every tensor does; outside it lies on the heap until the caller disposes of it. So a training step
 * that calls `next()` inside its scope uses the same memory in every step.
 *
 * Left out on purpose: augmentation, sampling by class, reading ahead (scaling 64 pictures of MNIST takes
 * about half a percent of a training step).
 */
import { ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Dataset, permutation, pictureSize } from './dataset.ts';

export interface LoaderOptions {
  readonly batchSize: number;
  /** What the order of every epoch follows from; without it pictures come as they are stored. */
  readonly seed?: string | number | undefined;
  /** Leaves out an incomplete last batch; false by default. */
  readonly dropLast?: boolean;
}

/** The next batch of a loader: number `batch` of epoch `epoch`, both from 0. */
export interface LoaderPosition {
  readonly epoch: number;
  readonly batch: number;
}

/** One batch; it belongs to the caller. */
export interface Batch {
  /** `[b, height, width, channels]` in [0, 1], a constant. */
  readonly images: Tensor;
  /** `[b]` */
  readonly labels: Uint8Array;
}

export class DataLoader {
  readonly dataset: Dataset;
  /** Pictures in a batch that is not the last. */
  readonly batchSize: number;
  /** Batches in an epoch. */
  readonly batches: number;
  private readonly seed: string | number | undefined;
  /** Where bytes become floats before they enter the backend's memory. */
  private readonly scaled: Float32Array;
  private epoch = 0;
  private batch = 0;
  private order: Uint32Array | undefined;

  /**
   * A loader at the beginning of epoch 0.
   * @throws ValueError for a batch size that is no whole number >= 1, or when there is not one batch
   */
  constructor(dataset: Dataset, options: LoaderOptions) {
    const { batchSize, seed, dropLast } = withDefaults('loader', options, {
      batchSize: undefined,
      seed: undefined,
      dropLast: false,
    });
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ValueError(`loader: expected a batch size of 1 or more, got ${batchSize}`);
    }
    const whole = Math.floor(dataset.length / batchSize);
    const rest = dropLast ? 0 : dataset.length % batchSize;
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.batches = whole + (rest > 0 ? 1 : 0);
    this.seed = seed;
    if (this.batches === 0) {
      const least = dropLast ? `${batchSize} pictures or more` : 'at least one picture';
      throw new ValueError(`loader: expected ${least} in ${dataset.name}, got ${dataset.length}`);
    }
    this.scaled = new Float32Array(Math.min(batchSize, dataset.length) * pictureSize(dataset));
  }

  /** Which batch comes next. */
  get position(): LoaderPosition {
    return { epoch: this.epoch, batch: this.batch };
  }

  /** Goes on with the batch at `position`. @throws ValueError where there is none */
  seek({ epoch, batch }: LoaderPosition): void {
    if (!Number.isSafeInteger(epoch) || epoch < 0) {
      throw new ValueError(`loader: expected an epoch of 0 or more, got ${epoch}`);
    }
    if (!Number.isInteger(batch) || batch < 0 || batch >= this.batches) {
      throw new ValueError(`loader: expected a batch from 0 to ${this.batches - 1}, got ${batch}`);
    }
    if (epoch !== this.epoch) this.order = undefined;
    this.epoch = epoch;
    this.batch = batch;
  }

  /** The batch at the current position, which moves on by one; after an epoch's last batch the next begins. */
  next(): Batch {
    const { dataset, seed, batchSize } = this;
    if (seed !== undefined) this.order ??= permutation(dataset.length, `${seed}/${this.epoch}`);
    const start = this.batch * batchSize;
    const batch = this.read(start, Math.min(start + batchSize, dataset.length));
    if (++this.batch === this.batches) {
      this.batch = 0;
      this.epoch++;
      this.order = undefined;
    }
    return batch;
  }

  /** From the current position to the end of its epoch. Outside a scope dispose of each batch's images. */
  *[Symbol.iterator](): Generator<Batch, void> {
    const { epoch } = this;
    while (this.epoch === epoch) yield this.next();
  }

  /** The pictures at places `start` up to but not including `end` of the epoch's order, and their labels. */
  private read(start: number, end: number): Batch {
    const { order, dataset } = this;
    const { height, width, channels, images: bytes } = dataset;
    const [count, size] = [end - start, pictureSize(dataset)];
    const scaled = this.scaled.subarray(0, count * size);
    const labels = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const picture = order ? order[start + i] : start + i;
      const [from, to] = [picture * size, i * size];
      for (let k = 0; k < size; k++) scaled[to + k] = bytes[from + k] / 255;
      labels[i] = dataset.labels[picture];
    }
    return { images: tensor(scaled, [count, height, width, channels]), labels };
  }
}
