/**
 * The base class of the networks of diffusion models. Samplers, training, files, command and page use only this class.
 * A new network extends it, and adds its format to the table in registry.ts.
 */
import type { PictureShape } from '../../data/dataset.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import { ValueError } from '../../errors.ts';
import { Module } from '../../nn/module.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Captions } from './text-encoder.ts';

/** The sizes that all networks have. Each network adds its own sizes, which are numbers too. */
export interface DiffusionSizes extends PictureShape {
  /** The number of classes; 0 for a network without labels. */
  readonly classes: number;
}

/** The condition of a prediction, in addition to picture and time. An empty record is no condition. */
export interface Condition {
  /** One label per picture; null for no label. Absent: no picture has a label. */
  readonly labels?: Labels;
  /** One caption per picture; null for no caption. Absent: no picture has a caption. */
  readonly captions?: Captions;
}

/** A network of a diffusion model: a prediction of noised pictures, their times and their labels. */
export abstract class DiffusionNetwork extends Module {
  /** The kind of this network in a checkpoint. */
  abstract readonly kind: string;
  /**
   * The meaning of the output: `prediction` is the pipeline's kind of prediction; `data` is always an estimate of the
   * clean picture.
   */
  abstract readonly outputs: 'data' | 'prediction';
  /** The sizes with which the constructor can create this network again: whole numbers. The file stores them. */
  abstract readonly sizes: DiffusionSizes;

  /** Whether the output has twice the channels: the second half gives the variance (diffusion/learned-variance.ts). */
  get learnsVariance(): boolean {
    return false;
  }

  /** Whether the condition is a caption, and not a label. */
  get takesCaptions(): boolean {
    return false;
  }

  /** A short text on the architecture, such as `3 residual blocks of 512-512-512`. */
  abstract get description(): string;

  /**
   * The network's output for noised pictures, of x's shape. `outputs` says what it means. With
   * `learnsVariance` it has twice the channels.
   * @param x [batch, height, width, channels]
   * @param t times from 0 to 1000, one per picture
   * @throws ShapeError for sizes that do not fit, ValueError for labels that the network does not have
   */
  abstract forward(x: Tensor, t: ArrayLike<number>, condition: Condition): Tensor;
}

/**
 * Checks sizes that the caller chose.
 * @param kind the name of the network in errors
 * @throws ValueError unless they are whole numbers >= 1; `classes` and `variances` can be 0
 */
export function requireSizes(kind: string, sizes: DiffusionSizes): void {
  for (const [name, size] of Object.entries(sizes)) {
    const least = name === 'classes' || name === 'variances' ? 0 : 1;
    if (Number.isInteger(size) && size >= least) continue;
    throw new ValueError(`${kind}: expected ${name} to be a whole number >= ${least}, got ${size}`);
  }
}

/** @throws ValueError for a caption, for a network of this kind that takes none */
export function requireNoCaptions(kind: string, captions: Captions | undefined): void {
  if (captions?.some((given) => given !== null)) {
    throw new ValueError(`${kind}: expected no captions for a model without them, got captions`);
  }
}
