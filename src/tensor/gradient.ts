/**
 * The gradient of a function with respect to its input. Guidance and likelihoods use it. The gradients of the model's
 * own parameters are not changed.
 */
import { isRecording } from '../autograd/tape.ts';
import { LangevinError } from '../errors.ts';
import type { Tensor } from './tensor.ts';

/** The gradient of the sum of f(x) with respect to x, in the current scope. `parameters` get no gradient. */
export function gradientOf(f: (x: Tensor) => Tensor, x: Tensor, parameters: readonly Tensor[] = []): Tensor {
  if (!isRecording()) {
    throw new LangevinError('gradient: expected the tape to record, got a call inside noGrad()');
  }
  const at = x.detach().requireGrad();
  frozen(parameters, () => f(at).sum().backward());
  if (!at.grad) throw new LangevinError('gradient: expected a result that depends on x, got a constant');
  return at.grad;
}

/** Runs `body` while the parameters do not require gradients. */
export function frozen<T>(parameters: readonly Tensor[], body: () => T): T {
  const wanted = parameters.map((p) => p.requiresGrad);
  for (const p of parameters) p.requiresGrad = false;
  try {
    return body();
  } finally {
    for (const [i, p] of parameters.entries()) p.requiresGrad = wanted[i];
  }
}
