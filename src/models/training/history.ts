/**
 * The course of a run: the events of its epochs, and the loss of every batch as at most 4,096 points.
 *
 * A point is the mean loss of `stride` batches that follow one another. The stride is 1 at first. It doubles, and
 * neighbours become one point, whenever there would be more points than that. The points of a run that was
 * interrupted are therefore those of a run that was not.
 */
import type { StoredTensor } from '../../checkpoint/safetensors.ts';
import { FormatError } from '../../errors.ts';
import type { EpochEvent } from './events.ts';

const MOST_POINTS = 4096;
const EPOCHS = 'history.epochs';
const LOSSES = 'history.losses';

interface Point {
  /** Where its last batch ended, in epochs: 1.5 is the middle of the second one. */
  at: number;
  /** The mean over its batches. */
  loss: number;
  batches: number;
}

export class History {
  readonly epochs: EpochEvent[] = [];
  private points: Point[] = [];
  /** Batches in a point that is complete. */
  stride = 1;

  /** In epochs, where each point ends. */
  get at(): number[] {
    return this.points.map(({ at }) => at);
  }

  get losses(): number[] {
    return this.points.map(({ loss }) => loss);
  }

  /** @param at in epochs */
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

  addEpoch(event: EpochEvent): void {
    this.epochs.push(event);
  }

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

  /** As a file holds it: float64, a row an epoch and a row a point. */
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

  /** Takes on what a file holds; version 0.1.0 wrote no history. @throws FormatError */
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
