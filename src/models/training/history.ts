/**
 * The history of a run: its epoch events, and a curve of the training loss with at most 4,096 points.
 *
 * A point is the mean loss of `stride` consecutive batches. At first the stride is 1. If there are more than 4,096
 * points, the stride doubles, and each pair of points becomes one point. So a run that was interrupted and resumed has
 * the same points as an uninterrupted run.
 */
import type { StoredTensor } from '../../checkpoint/safetensors.ts';
import { FormatError } from '../../errors.ts';
import type { EpochEvent } from './events.ts';

const MOST_POINTS = 4096;
const EPOCHS = 'history.epochs';
const LOSSES = 'history.losses';

interface Point {
  /** The end of its last batch, in epochs. 1.5 is the middle of the second epoch. */
  at: number;
  /** The mean loss of its batches. */
  loss: number;
  /** The number of its batches. */
  batches: number;
}

/** The history of a run, and its form in a file. */
export class History {
  /** The event of each epoch so far. */
  readonly epochs: EpochEvent[] = [];
  private points: Point[] = [];
  /** The number of batches in a complete point. */
  stride = 1;

  /** The end of each point, in epochs. */
  get at(): number[] {
    return this.points.map(({ at }) => at);
  }

  /** The mean loss of each point. */
  get losses(): number[] {
    return this.points.map(({ loss }) => loss);
  }

  /**
   * Adds the loss of a batch.
   * @param at the end of the batch, in epochs
   */
  addBatch(at: number, loss: number): void {
    const last = this.points.at(-1);
    if (last && last.batches < this.stride) {
      last.batches++;
      last.loss += (loss - last.loss) / last.batches;
      last.at = at;
      return;
    }
    this.points.push({ at, loss, batches: 1 });
    if (this.points.length > MOST_POINTS) this.thin();
  }

  /** Adds an epoch. */
  addEpoch(event: EpochEvent): void {
    this.epochs.push(event);
  }

  /** Doubles the stride. */
  private thin(): void {
    const { points } = this;
    this.stride *= 2;
    this.points = [];
    for (let i = 0; i < points.length; i += 2) {
      const [a, b] = [points[i], points[i + 1]];
      if (b) a.loss = (a.loss * a.batches + b.loss * b.batches) / (a.batches + b.batches);
      this.points.push(b ? { at: b.at, loss: a.loss, batches: a.batches + b.batches } : a);
    }
  }

  /** The tensors for a file, in float64. One has a row per epoch, and the other a row per point. */
  encode(): Map<string, StoredTensor> {
    return new Map([
      [
        EPOCHS,
        table(
          5,
          this.epochs.map((e) => [e.epoch, e.trainLoss, e.testLoss, e.seconds, e.imagesPerSecond]),
        ),
      ],
      [
        LOSSES,
        table(
          3,
          this.points.map(({ at, loss, batches }) => [at, loss, batches]),
        ),
      ],
    ]);
  }

  /**
   * Reads the tensors of a file. Files of version 0.1.0 have no history.
   * @throws FormatError for a tensor of another shape
   */
  decode(tensors: ReadonlyMap<string, StoredTensor>): void {
    const epochs = rowsOf(tensors, EPOCHS, 5);
    for (const [epoch, trainLoss, testLoss, seconds, imagesPerSecond] of epochs) {
      this.epochs.push({ type: 'epoch', epoch, trainLoss, testLoss, seconds, imagesPerSecond });
    }
    this.points = rowsOf(tensors, LOSSES, 3).map(([at, loss, batches]) => ({ at, loss, batches }));
    this.stride = this.points.reduce((most, { batches }) => Math.max(most, batches), 1);
  }
}

function table(columns: number, rows: readonly number[][]): StoredTensor {
  return { dtype: 'F64', shape: [rows.length, columns], data: Float64Array.from(rows.flat()) };
}

function rowsOf(tensors: ReadonlyMap<string, StoredTensor>, name: string, columns: number): number[][] {
  const stored = tensors.get(name);
  if (!stored) return [];
  const { shape, data } = stored;
  if (shape.length !== 2 || shape[1] !== columns) {
    throw new FormatError(`expected "training.${name}" of shape [n,${columns}], got [${shape}]`);
  }
  return Array.from({ length: shape[0] }, (_, i) =>
    Array.from(data.subarray(i * columns, (i + 1) * columns) as Float64Array),
  );
}
