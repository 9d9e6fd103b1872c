/**
 * Linear combinations of tensors in place: out = c1·x1 + c2·x2 + ..., with one fused pass over memory for each term.
 * Coefficients are float64 until the kernel reads them. Most samplers need no other arithmetic.
 */
import { copyArray } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A term c·x of a linear combination. */
export type Term = readonly [coefficient: number, x: Tensor];

/**
 * Overwrites `out` with the sum of the terms. `out` can be one of the terms. A term with coefficient 0 is skipped, even
 * if it has NaN. The function allocates nothing, and gradients do not flow through it.
 * @throws ShapeError for tensors of another shape
 */
export function combine(out: Tensor, ...terms: readonly Term[]): Tensor {
  const { kernels } = out.backend;
  const n = out.size;
  const shape = out.shape.join();
  let own = 0;
  let hasOwn = false;
  for (const [coefficient, x] of terms) {
    if (x.shape.join() !== shape) throw new ShapeError(`combine: expected [${out.shape}], got [${x.shape}]`);
    if (x !== out || coefficient === 0) continue;
    own += coefficient;
    hasOwn = true;
  }
  if (hasOwn && own !== 1) copyArray(kernels, n, out.ptr, { ptr: out.ptr, accumulate: false }, own);
  let written = hasOwn;
  for (const [coefficient, x] of terms) {
    if (x === out || coefficient === 0) continue;
    copyArray(kernels, n, x.ptr, { ptr: out.ptr, accumulate: written }, coefficient);
    written = true;
  }
  if (!written) kernels.fill({ n, out: out.ptr, value: 0 });
  out.markWritten();
  return out;
}
