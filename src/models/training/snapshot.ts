/** A copy of tensors as they were when training last went well, and the name of that moment. */
import type { Tensor } from '../../tensor/tensor.ts';

export class Snapshot {
  private readonly copies: readonly Tensor[];

  /** @param moment completes "the model is back to ..." */
  constructor(
    private readonly tensors: readonly Tensor[],
    public moment: string,
  ) {
    this.copies = tensors.map((p) => p.keep());
  }

  update(moment: string): void {
    for (const [i, copy] of this.copies.entries()) copy.copyFrom(this.tensors[i]);
    this.moment = moment;
  }

  restore(): void {
    for (const [i, p] of this.tensors.entries()) p.copyFrom(this.copies[i]);
  }

  dispose(): void {
    for (const copy of this.copies) copy.dispose();
  }
}
