/** A copy of tensors, and the moment of the copy. If training diverges, the loop restores the tensors from it. */
import type { Tensor } from '../../tensor/tensor.ts';

/** A copy of tensors on the heap. Free it with `dispose()`. */
export class Snapshot {
  private readonly copies: readonly Tensor[];

  /** @param moment the end of the error message "the model is back to ...", such as "its initial values" */
  constructor(
    private readonly tensors: readonly Tensor[],
    public moment: string,
  ) {
    this.copies = tensors.map((p) => p.keep());
  }

  /** Copies the tensors again. */
  update(moment: string): void {
    for (const [i, copy] of this.copies.entries()) copy.copyFrom(this.tensors[i]);
    this.moment = moment;
  }

  /** Copies the saved values back to the tensors. */
  restore(): void {
    for (const [i, p] of this.tensors.entries()) p.copyFrom(this.copies[i]);
  }

  dispose(): void {
    for (const copy of this.copies) copy.dispose();
  }
}
