/**
 * What every network of a diffusion model is, whatever is inside: samplers, training, files, command and page know
 * networks by this class alone. A new network extends it, and enters its format into the table of registry.ts.
 */
import type { PictureShape } from '../../data/dataset.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import { ValueError } from '../../errors.ts';
import { Module } from '../../nn/module.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The sizes that all networks have; each adds its own, which are numbers too. */
export interface DiffusionSizes extends PictureShape {
  /** Classes of labels; 0 for a network without. */
  readonly classes: number;
}

/** What a prediction may depend on beside the picture and the time. An empty record leaves all of it open. */
export interface Condition {
  /** One label a picture, null for a picture without. Absent: no picture has a label. */
  readonly labels?: Labels;
}

export abstract class DiffusionNetwork extends Module {
  /** What a checkpoint calls this kind of network. */
  abstract readonly kind: string;
  /**
   * What the network's output is: `data`, an estimate of the clean picture whatever the pipeline predicts, or
   * `prediction`, what the pipeline predicts.
   */
  abstract readonly outputs: 'data' | 'prediction';
  /** What the constructor must be given to build this network again: whole numbers, which the file keeps. */
  abstract readonly sizes: DiffusionSizes;

  /** What it is made of, for people: `3 residual blocks of 512-512-512`. */
  abstract get description(): string;

  /**
   * The network's output for noised pictures, a tensor of the shape of x: see `outputs`.
   * @param x [batch, height, width, channels]
   * @param t times of 0 to 1000, one a picture
   * @throws ShapeError for sizes that do not fit, ValueError for labels that the network does not have
   */
  abstract forward(x: Tensor, t: ArrayLike<number>, condition: Condition): Tensor;
}

/**
 * Sizes that the caller chose.
 * @param kind names the network in errors
 * @throws ValueError unless they are whole numbers >= 1; `classes` may be 0
 */
export function requireSizes(kind: string, sizes: DiffusionSizes): void {
  for (const [name, size] of Object.entries(sizes)) {
    const least = name === 'classes' ? 0 : 1;
    if (Number.isInteger(size) && size >= least) continue;
    throw new ValueError(`${kind}: expected ${name} to be a whole number >= ${least}, got ${size}`);
  }
}
