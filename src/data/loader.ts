/**
 * Batches of a data set for training, in an order that is shuffled anew for every epoch: pictures as
 * `[b, height, width, channels]` floats in [0, 1] with their labels, rows of tensors as `[b, ...]`. A byte v of a picture
 * becomes the float32 nearest to v / 255, as in PyTorch's `ToTensor`.
 *
 * The order of an epoch is a pure function of the seed and the epoch's number (order.ts), and so are the random numbers
 * of a transform. A position is two numbers: a loader that is put back to a saved position goes on with the same
 * batches.
 *
 * A batch belongs to the caller, and the loader never writes to it again. Inside a scope its tensor ends with the
 * scope, as every tensor does; outside it lies on the heap until the caller disposes of it. So a training step
 * that calls `next()` inside its scope uses the same memory in every step.
 *
 * Left out on purpose: reading ahead (scaling 64 pictures of MNIST takes about half a percent of a training step).
 */
import { scope } from '../autograd/tape.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { describe, withDefaults } from '../options.ts';
import { Rng, type Seed } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Dataset, pictureSize } from './dataset.ts';
import { type Order, orderOf } from './order.ts';
import { TensorDataset } from './tensor-dataset.ts';

/** What changes a batch of pictures, such as an augmentation; a pure function of its arguments. */
export type Transform = (images: Tensor, rng: Rng) => Tensor;

export interface LoaderOptions {
  readonly batchSize: number;
  /** What the order of every epoch follows from; without it pictures come as they are stored. */
  readonly seed?: Seed | undefined;
  /** Leaves out an incomplete last batch; false by default. */
  readonly dropLast?: boolean;
  /** One number >= 0 a sample: an epoch is as many draws with replacement, each with these odds. Needs a seed. */
  readonly weights?: ArrayLike<number> | undefined;
  /** The class of each sample: every batch has the classes in the proportions of the whole set. */
  readonly stratify?: ArrayLike<number> | undefined;
  /**
   * Applied to the pictures of each batch, or to the first tensor of rows. Its generator follows from the seed (0 where
   * none is given), the epoch and the batch.
   */
  readonly transform?: Transform | undefined;
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

/** A batch of pictures, or rows of each tensor. */
export type BatchOf<D> = D extends TensorDataset ? Tensor[] : Batch;

export class DataLoader<D extends Dataset | TensorDataset = Dataset> {
  readonly dataset: D;
  /** Samples in a batch that is not the last. */
  readonly batchSize: number;
  /** Batches in an epoch. */
  readonly batches: number;
  private readonly orderOf: Order;
  private readonly read: (indices: Uint32Array) => BatchOf<D>;
  private readonly transform: Transform | undefined;
  private readonly seed: Seed;
  private epoch = 0;
  private batch = 0;
  private order: Uint32Array | undefined;

  /**
   * A loader at the beginning of epoch 0.
   * @throws ValueError for a batch size that is no whole number >= 1, when there is not one batch, or for weights or
   * labels that do not fit the data set
   */
  constructor(dataset: D, options: LoaderOptions) {
    const { batchSize, seed, dropLast, weights, stratify, transform } = withDefaults('loader', options, {
      batchSize: undefined,
      seed: undefined,
      dropLast: false,
      weights: undefined,
      stratify: undefined,
      transform: undefined,
    });
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ValueError(`loader: expected a batch size of 1 or more, got ${batchSize}`);
    }
    if (transform !== undefined && typeof transform !== 'function') {
      throw new ValueError(`loader: expected a function as the transform, got ${describe(transform)}`);
    }
    const { length } = dataset;
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.batches = (dropLast ? Math.floor : Math.ceil)(length / batchSize);
    if (this.batches === 0) {
      const samples = dataset instanceof TensorDataset ? 'row' : 'picture';
      const least = dropLast ? `${batchSize} ${samples}s or more` : `at least one ${samples}`;
      throw new ValueError(`loader: expected ${least} in ${dataset.name}, got ${length}`);
    }
    this.seed = seed ?? 0;
    this.orderOf = orderOf(length, { batchSize, seed, weights, stratify });
    this.transform = transform;
    const read = dataset instanceof TensorDataset ? this.rowsOf(dataset) : this.picturesOf(dataset);
    this.read = read as (indices: Uint32Array) => BatchOf<D>;
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
  next(): BatchOf<D> {
    const { batchSize } = this;
    this.order ??= this.orderOf(this.epoch);
    const start = this.batch * batchSize;
    const batch = this.read(this.order.subarray(start, start + batchSize));
    if (++this.batch === this.batches) {
      this.batch = 0;
      this.epoch++;
      this.order = undefined;
    }
    return batch;
  }

  /** From the current position to the end of its epoch. Outside a scope dispose of each batch's tensors. */
  *[Symbol.iterator](): Generator<BatchOf<D>, void> {
    const { epoch } = this;
    while (this.epoch === epoch) yield this.next();
  }

  /** Reads pictures and their labels. */
  private picturesOf(dataset: Dataset): (indices: Uint32Array) => Batch {
    const { height, width, channels, images: bytes } = dataset;
    const size = pictureSize(dataset);
    /** Where bytes become floats before they enter the backend's memory. */
    const scaled = new Float32Array(Math.min(this.batchSize, dataset.length) * size);
    return (indices) => {
      const count = indices.length;
      const labels = new Uint8Array(count);
      for (let i = 0; i < count; i++) {
        const [from, to] = [indices[i] * size, i * size];
        for (let k = 0; k < size; k++) scaled[to + k] = bytes[from + k] / 255;
        labels[i] = dataset.labels[indices[i]];
      }
      const images = tensor(scaled.subarray(0, count * size), [count, height, width, channels]);
      return { images: this.transformed(images), labels };
    };
  }

  /** Reads rows of each tensor. */
  private rowsOf(dataset: TensorDataset): (indices: Uint32Array) => Tensor[] {
    return (indices) => {
      const [first, ...rest] = dataset.rows(indices);
      return [this.transformed(first), ...rest];
    };
  }

  /** The batch's pictures under the transform, in their place: outside a scope nothing else stays behind. */
  private transformed(images: Tensor): Tensor {
    const { transform } = this;
    if (!transform) return images;
    const rng = new Rng(this.seed).stream(`transform ${this.epoch}/${this.batch}`);
    const apply = () => {
      const result = transform(images, rng);
      if (!(result instanceof Tensor)) {
        throw new ValueError(`loader: expected a transform that returns a tensor, got ${describe(result)}`);
      }
      if (result.shape[0] === images.shape[0]) return result;
      throw new ShapeError(
        `loader: expected a transform that keeps the ${images.shape[0]} samples of a batch, got shape [${result.shape}]`,
      );
    };
    if (!images.onHeap) return apply();
    const kept = scope(() => apply().keep());
    images.dispose();
    return kept;
  }
}
