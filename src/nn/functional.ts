/**
 * Functions of tensors that layers and losses are made of, without parameters of their own.
 *
 *   rmsNorm        a row over its root mean square: Zhang and Sennrich (2019)
 *   crossEntropy   the mean over rows of -ln softmax(logits)[label]
 */
import type { Tensor } from '../tensor/tensor.ts';
import { oneHot } from './one-hot.ts';

const EPSILON = 1e-6;

/** h/√(mean(h²) + 1e-6) of each row of h [b, n]. */
export function rmsNorm(h: Tensor): Tensor {
  const meanSquare = h.mul(h).mean(1, { keepDims: true });
  return h.div(meanSquare.add(EPSILON).sqrt());
}

/** ln softmax(logits)[label] of each row, [rows]. @throws ValueError for labels that there are not */
export function logProbabilities(logits: Tensor, labels: ArrayLike<number>): Tensor {
  const shifted = logits.sub(logits.detach().max(1, { keepDims: true }));
  const own = shifted.mul(oneHot(labels, logits.shape[1])).sum(1);
  return own.sub(shifted.exp().sum(1).log());
}

/** The mean over rows of -ln softmax(logits)[label]. */
export function crossEntropy(logits: Tensor, labels: ArrayLike<number>): Tensor {
  return logProbabilities(logits, labels).mean().neg();
}
