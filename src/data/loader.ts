/**
 * Batches of a data set for training. Each epoch has another random order. A batch of pictures is
 * `[b, height, width, channels]` in [0, 1], with labels. A batch of a tensor data set has rows `[b, ...]` of each
 * tensor. A byte v of a picture becomes the float32 nearest to v / 255, as in PyTorch's `ToTensor`.
 *
 * The order of an epoch is a pure function of the seed and the epoch's number (order.ts). So are the random numbers of
 * a transform. The position of a loader is two numbers. After `seek` to a saved position, the loader yields the same
 * batches again.
 *
 * A batch belongs to the caller, and the loader never writes to it again. Inside a scope, the batch is freed with the
 * scope. Outside a scope, it is on the heap until the caller disposes of it. So a training step that calls `next()`
 * inside its scope uses the same memory in each step.
 *
 * Left out on purpose: loading ahead. Scaling 64 pictures of MNIST takes only about 0.5 % of a training step.
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

/** A function of a batch of pictures, such as an augmentation. It must be a pure function of its arguments. */
export type Transform = (images: Tensor, rng: Rng) => Tensor;

/** Options of `DataLoader`. */
export interface LoaderOptions {
  /** The number of samples in a batch, a whole number >= 1. */
  readonly batchSize: number;
  /** The seed of the random orders. Without it, samples come in the stored order. */
  readonly seed?: Seed | undefined;
  /** Whether to leave out an incomplete last batch. Default false. */
  readonly dropLast?: boolean;
  /** One weight >= 0 per sample. An epoch is `length` draws with replacement by these weights. Needs a seed. */
  readonly weights?: ArrayLike<number> | undefined;
  /** The class of each sample. Each batch then has the class proportions of the whole set. */
  readonly stratify?: ArrayLike<number> | undefined;
  /**
   * Applied to the pictures of each batch, or to the first tensor of a tensor data set. Its generator is a function of
   * the seed (default 0), the epoch and the batch.
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
  /** `[b]`: the place of each picture in its data set. Absent if the source has no data set. */
  readonly indices?: Uint32Array;
}

/** A batch of pictures, or rows of each tensor. */
export type BatchOf<D> = D extends TensorDataset ? Tensor[] : Batch;

/**
 * Yields the batches of a data set, one epoch after the other. `next()` gives one batch. A `for` loop takes one epoch.
 */
export class DataLoader<D extends Dataset | TensorDataset = Dataset> {
  /** The data set that the batches come from. */
  readonly dataset: D;
  /** The number of samples in a complete batch. */
  readonly batchSize: number;
  /** The number of batches in an epoch. */
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
   * @throws ValueError for a batch size that is not a whole number >= 1, for an epoch without a batch, or for weights
   *   or labels that do not fit the data set
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

  /** The position of the next batch. */
  get position(): LoaderPosition {
    return { epoch: this.epoch, batch: this.batch };
  }

  /** Moves to the batch at a position. @throws ValueError if there is no such batch */
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

  /** Returns the batch at the current position and moves to the next. After the last batch the next epoch begins. */
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

  /** Yields the batches from the current position to the epoch's end. Outside a scope, dispose of their tensors. */
  *[Symbol.iterator](): Generator<BatchOf<D>, void> {
    const { epoch } = this;
    while (this.epoch === epoch) yield this.next();
  }

  /** Reads pictures and their labels. */
  private picturesOf(dataset: Dataset): (indices: Uint32Array) => Batch {
    const { height, width, channels, images: bytes } = dataset;
    const size = pictureSize(dataset);
    /** The pictures as floats, before they are copied to the backend's memory. */
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
      return { images: this.transformed(images), labels, indices };
    };
  }

  /** Reads rows of each tensor. */
  private rowsOf(dataset: TensorDataset): (indices: Uint32Array) => Tensor[] {
    return (indices) => {
      const [first, ...rest] = dataset.rows(indices);
      return [this.transformed(first), ...rest];
    };
  }

  /** The transformed pictures. They replace the originals, so that no other tensor remains outside a scope. */
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
