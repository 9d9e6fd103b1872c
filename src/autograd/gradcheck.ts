/**
 * The gradient check. It computes the whole Jacobian twice, by backward passes and by differences, and compares the
 * entries. It works in float64 on the reference backend.
 *
 * For f: R^n -> R^m, a row of the first Jacobian is one backward pass with dL/dy = e_j. A column of the second is the
 * central difference of fourth order
 *
 *   df/dx_i = (8·(f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h + O(h⁴·f⁗')
 *
 * With h = 1e-4 and values around 1 the rounding error of f, 2^-53·|f|/h, is about 1e-12. The tests accept errors of up
 * to 1e-6. So rounding cannot hide a wrong derivative.
 *
 * Source of the weights: Fornberg (1988), "Generation of finite difference formulas", table 1. Left out on purpose:
 * second derivatives, and points within 2h of a kink (a tie of `max`, a bound of `clamp`). A difference has no meaning
 * there.
 */
import { backend, setBackend } from '../backend/backend.ts';
import { LangevinError, ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import type { OpDef } from './op.ts';
import { apply, backward, isRecording, noGrad, scope } from './tape.ts';
import { type Shape, Storage, type Variable } from './variable.ts';

/** Options of `gradcheck`. */
export interface GradcheckOptions {
  /** The step h, relative to max(1, |x|). Default 1e-4. */
  readonly step?: number;
  /** Errors are relative to the larger of the two entries, or to `floor` if both entries are smaller. Default 1e-3. */
  readonly floor?: number;
}

/**
 * Compares the gradients of a function with differences.
 *
 * @param target a function of tensors that returns a tensor of any shape
 * @param inputs the point at which to check, on either backend. They are copied to the reference backend and stay
 * unchanged. All other tensors that the function reads, such as a layer's weights, must be on the reference backend
 * too: call `setBackend('reference')` before you make them.
 * @returns the largest |a - d| / max(|a|, |d|, floor) over all entries; NaN if a derivative is NaN or infinite
 * @throws ValueError for options that are not positive
 *
 * @example gradcheck((x, w) => x.matmul(w).tanh(), [x, w]) // 1e-10 or less, if the gradients are right
 */
export function gradcheck<T extends Variable>(
  target: (...xs: T[]) => T,
  inputs: readonly T[],
  options?: GradcheckOptions,
): number;
/** The same for an op and its attributes. @internal */
export function gradcheck<T extends Variable, A>(
  target: OpDef<A>,
  inputs: readonly T[],
  options?: GradcheckOptions & { readonly attrs?: A },
): number;
export function gradcheck<T extends Variable, A>(
  target: ((...xs: T[]) => T) | OpDef<A>,
  inputs: readonly T[],
  options: GradcheckOptions & { readonly attrs?: A } = {},
): number {
  const { step, floor } = withDefaults('gradcheck', options, { attrs: undefined, step: 1e-4, floor: 1e-3 });
  if (!(step > 0 && floor > 0)) {
    throw new ValueError(`gradcheck: expected a step and a floor > 0, got ${step} and ${floor}`);
  }
  if (!isRecording()) {
    throw new LangevinError('gradcheck: expected the tape to record, got a call inside noGrad()');
  }
  const f = typeof target === 'function' ? target : (...xs: T[]) => apply(target, xs, options.attrs as A);
  const before = backend().name;
  setBackend('reference');
  try {
    return scope(() => {
      const xs = inputs.map(toReference);
      const byTape = tapeJacobians(f, xs);
      const byDifferences = xs.map((_, i) => differenceJacobian(f, xs, i, step));
      return Math.max(0, ...xs.map((_, i) => relativeError(byTape[i], byDifferences[i], floor)));
    });
  } finally {
    setBackend(before);
  }
}

/** A leaf with the values of x on the current backend. */
function toReference<T extends Variable>(x: T): T {
  const Class = x.constructor as new (storage: Storage, shape: Shape) => T;
  const leaf = new Class(Storage.inScope(x.size, backend()), x.shape);
  leaf.backend.write(leaf.ptr, x.backend.read(x.ptr, x.size));
  leaf.requiresGrad = true;
  return leaf;
}

/** d(y)/d(x) for each x, [m,n] row by row: one backward pass for each of the m elements of y. */
function tapeJacobians<T extends Variable>(f: (...xs: T[]) => T, xs: readonly T[]): Float64Array[] {
  const y = f(...xs);
  const jacobians = xs.map((x) => new Float64Array(y.size * x.size));
  if (!y.requiresGrad) return jacobians;
  const dy = y.empty(y.shape);
  for (let j = 0; j < y.size; j++) {
    dy.backend.write(
      dy.ptr,
      Float64Array.from({ length: y.size }, (_, i) => (i === j ? 1 : 0)),
    );
    for (const x of xs) x.zeroGrad();
    backward(y, dy, true);
    for (const [i, { grad, size }] of xs.entries()) {
      if (grad) jacobians[i].set(grad.backend.read(grad.ptr, size), j * size);
    }
  }
  return jacobians;
}

/** d(y)/d(xs[input]), [m,n] row by row: four evaluations for each of the n elements of the input. */
function differenceJacobian<T extends Variable>(
  f: (...xs: T[]) => T,
  xs: readonly T[],
  input: number,
  step: number,
): Float64Array {
  const x = xs[input];
  const at = x.backend.read(x.ptr, x.size);
  const evaluate = (i: number, shift: number) =>
    scope(() => {
      x.backend.write(
        x.ptr,
        at.map((value, j) => (i === j ? value + shift : value)),
      );
      const y = noGrad(() => f(...xs));
      return y.backend.read(y.ptr, y.size);
    });
  const columns = Array.from(at, (value, i) => {
    const h = step * Math.max(1, Math.abs(value));
    const [near, far] = [1, 2].map((k) => [evaluate(i, k * h), evaluate(i, -k * h)] as const);
    return near![0].map((_, j) => (8 * (near![0][j] - near![1][j]) - (far![0][j] - far![1][j])) / (12 * h));
  });
  x.backend.write(x.ptr, at);
  const m = columns[0]?.length ?? 0;
  return Float64Array.from({ length: m * x.size }, (_, e) => columns[e % x.size][Math.floor(e / x.size)]);
}

/** The largest error of an entry. `Math.max` returns NaN if one entry is NaN. */
function relativeError(a: Float64Array, d: Float64Array, floor: number): number {
  let worst = 0;
  for (const [i, value] of a.entries()) {
    const scale = Math.max(Math.abs(value), Math.abs(d[i]), floor);
    worst = Math.max(worst, Math.abs(value - d[i]) / scale);
  }
  return worst;
}
