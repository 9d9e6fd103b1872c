/**
 * What every trainer needs: a mean over pictures with the time they took, a copy of the parameters to go back
 * to, and the check that a loss is a number.
 */
import { DivergenceError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** A mean loss over pictures, and the time they took. */
export class Tally {
  seconds = 0;
  private sum = 0;
  private images = 0;

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
}

/** The parameters as they were when training last went well. */
export class Snapshot {
  private readonly copies: readonly Tensor[];

  constructor(private readonly parameters: readonly Tensor[]) {
    this.copies = parameters.map((p) => p.keep());
  }

  update(): void {
    for (const [i, copy] of this.copies.entries()) copy.copyFrom(this.parameters[i]);
  }

  restore(): void {
    for (const [i, p] of this.parameters.entries()) p.copyFrom(this.copies[i]);
  }

  dispose(): void {
    for (const copy of this.copies) copy.dispose();
  }
}

/** Of a model that is not put back. @throws DivergenceError */
export function requireFiniteTest(loss: number, epoch: number): void {
  if (Number.isFinite(loss)) return;
  throw new DivergenceError(
    `training diverged in epoch ${epoch}: expected a finite loss on the test pictures, got ${loss}; take a smaller learning rate`,
  );
}

/** Pictures in [0, 1] as diffusion networks see them, in [-1, 1]. */
export const normalize = (images: Tensor): Tensor => images.mul(2).sub(1);

/** @throws DivergenceError that says where; the caller puts the model back */
export function requireFinite(loss: number, epoch: number, where: string): void {
  if (Number.isFinite(loss)) return;
  const back = epoch === 1 ? 'its initial values' : `where it was after epoch ${epoch - 1}`;
  throw new DivergenceError(
    `training diverged in epoch ${epoch}, ${where}: expected a finite loss, got ${loss}; the model is back to ${back}`,
  );
}
