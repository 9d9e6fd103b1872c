/**
 * The gradient of a function with respect to its input: guidance and likelihoods ask a model for it, and leave the
 * gradients of the model's own parameters alone.
 */
import { isRecording } from '../autograd/tape.ts';
import { LangevinError } from '../errors.ts';
import type { Tensor } from './tensor.ts';

/** The gradient of the sum of f(x) with respect to x, in the current scope; `parameters` gather no gradient. */
export function gradientOf(f: (x: Tensor) => Tensor, x: Tensor, parameters: readonly Tensor[] = []): Tensor {
  if (!isRecording()) {
    throw new LangevinError('gradient: expected the tape to record, got a call inside noGrad()');
  }
  const at = x.detach().requireGrad();
  frozen(parameters, () => f(at).sum().backward());
  if (!at.grad) throw new LangevinError('gradient: expected a result that depends on x, got a constant');
  return at.grad;
}

/** Runs `body` while the parameters want no gradient. */
export function frozen<T>(parameters: readonly Tensor[], body: () => T): T {
  const wanted = parameters.map((p) => p.requiresGrad);
  for (const p of parameters) p.requiresGrad = false;
  try {
    return body();
  } finally {
    for (const [i, p] of parameters.entries()) p.requiresGrad = wanted[i];
  }
}
