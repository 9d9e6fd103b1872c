/** How a loss combines the losses of rows or elements: PyTorch's `reduction`. */
import { oneOf } from '../options.ts';
import type { Tensor } from './tensor.ts';

const REDUCTIONS = ['mean', 'sum', 'none'] as const;
/** 'mean' divides the sum of the losses by their number. 'sum' adds them. 'none' returns each of them. */
export type Reduction = (typeof REDUCTIONS)[number];

/** Options of every loss. */
export interface LossOptions {
  /** 'mean' by default. 'none' does not combine the losses. */
  readonly reduction?: Reduction;
}

/** Checks the reduction and returns it. @throws ValueError */
export const reductionOf = (loss: string, reduction: Reduction): Reduction =>
  oneOf(`${loss}: reduction`, REDUCTIONS, reduction);

export function reduced(losses: Tensor, reduction: Reduction): Tensor {
  return reduction === 'mean' ? losses.mean() : reduction === 'sum' ? losses.sum() : losses;
}
