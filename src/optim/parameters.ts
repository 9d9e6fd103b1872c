/**
 * A flat block of parameters, and one of their gradients. An optimiser moves its parameters into the block, so that a
 * step is one pass over memory.
 *
 * Every parameter begins at a multiple of 16 elements. The elements in the gaps are 0 in all blocks, and a step leaves
 * them 0.
 */
import type { Shape, Variable } from '../autograd/variable.ts';
import type { Kernels, Ptr } from '../backend/kernels.ts';
import { ValueError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** In elements: a cache line of float32. */
export const ALIGNMENT = 16;

/** The elements [from, to) of the block, and the index of the first parameter in them. */
export interface ParameterRun {
  readonly from: number;
  readonly to: number;
  readonly first: number;
}

export class ParameterBlock {
  readonly size: number;
  private readonly values: Variable;
  private readonly gradients: Variable;
  /** The begin of each parameter, and the end as one more entry. */
  private readonly offsets: number[] = [];

  /**
   * @throws ValueError for no parameters, for a parameter that is given twice, for a tensor that is not a leaf
   * requiring a gradient, or for tensors of two backends
   */
  constructor(readonly parameters: readonly Tensor[]) {
    const [first] = parameters;
    if (!first) throw new ValueError('optimiser: expected at least one parameter, got none');
    if (new Set(parameters).size !== parameters.length)
      throw new ValueError('optimiser: expected each parameter once, got one twice');
    let size = 0;
    for (const p of parameters) {
      if (!p.requiresGrad || !p.isLeaf) {
        throw new ValueError(
          `optimiser: expected leaves that require gradients, got another tensor of shape [${p.shape}]`,
        );
      }
      if (p.backend !== first.backend) {
        throw new ValueError(
          `optimiser: expected parameters of one backend, got ${first.backend.name} and ${p.backend.name}`,
        );
      }
      this.offsets.push(size);
      size += Math.ceil(p.size / ALIGNMENT) * ALIGNMENT;
    }
    this.offsets.push(size);
    this.size = size;
    this.values = this.like(first);
    this.gradients = this.like(first);
    for (const [i, p] of parameters.entries()) {
      p.moveInto(this.values.view([p.size], this.offsets[i]));
      p.gradBuffer = this.gradients.view(p.shape, this.offsets[i]) as Tensor;
    }
  }

  get kernels(): Kernels {
    return this.values.backend.kernels;
  }

  /** Another block of zeros with the same layout, for a moment or a momentum buffer. */
  zeros(): Variable {
    return this.like(this.values);
  }

  /** Parameter i's part of a block with this layout. It has the parameter's shape and shares the block's memory. */
  viewOf(block: Variable, i: number): Tensor {
    return block.view(this.parameters[i].shape, this.offsets[i]) as Tensor;
  }

  /**
   * The elements of all parameters that have a gradient, in as few runs as possible.
   * @throws ValueError for a parameter that a later optimiser has moved into its own block
   */
  runs(sameRun: (i: number, j: number) => boolean = () => true): ParameterRun[] {
    const runs: ParameterRun[] = [];
    for (let i = 0; i < this.parameters.length; i++) {
      if (!this.gather(i)) continue;
      const last = runs[runs.length - 1];
      if (last && last.to === this.offsets[i] && sameRun(last.first, i)) {
        runs[runs.length - 1] = { ...last, to: this.offsets[i + 1] };
      } else {
        runs.push({ from: this.offsets[i], to: this.offsets[i + 1], first: i });
      }
    }
    return runs;
  }

  /** Indices of the parameters in a run. */
  indices({ from, to }: ParameterRun): number[] {
    return [...this.parameters.keys()].filter((i) => this.offsets[i] >= from && this.offsets[i] < to);
  }

  valueAt(element: number): Ptr {
    return ParameterBlock.at(this.values, element);
  }

  gradientAt(element: number): Ptr {
    return ParameterBlock.at(this.gradients, element);
  }

  static at(block: Variable, element: number): Ptr {
    return block.ptr + element * block.backend.elementBytes;
  }

  zeroGrad(): void {
    for (const p of this.parameters) p.zeroGrad();
  }

  private like(x: Variable): Variable {
    const shape: Shape = [this.size];
    const block = x.emptyOnHeap(shape);
    block.backend.kernels.fill({ n: this.size, out: block.ptr, value: 0 });
    return block;
  }

  /** Copies the gradient of parameter i into its part of the block. Returns whether there is a gradient. */
  private gather(i: number): boolean {
    const p = this.parameters[i];
    if (p.ptr !== this.valueAt(this.offsets[i])) {
      throw new ValueError(
        `optimiser: parameter ${i} of shape [${p.shape}] now belongs to a newer optimiser`,
      );
    }
    p.gatherGrad();
    return p.grad !== null;
  }
}
