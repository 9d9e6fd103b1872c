/**
 * Functions that make tensors. A new tensor lies in the current scope's arena, or on the heap outside of scopes. It
 * belongs to the current backend.
 */
import { allocate, type Shape, sizeOf } from '../autograd/variable.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { describe, withDefaults } from '../options.ts';
import { flatten, type Nested } from './format.ts';
import { checkShape } from './shape.ts';
import { Tensor } from './tensor.ts';

/** Options of the functions that make tensors. */
export interface TensorOptions {
  /** Whether the tensor is a leaf that requires a gradient. */
  readonly requiresGrad?: boolean;
}

/** A tensor with undefined contents. The caller has to fill it. */
export function empty(shape: Shape, options: TensorOptions = {}): Tensor {
  return made('empty', shape, options);
}

function made(what: string, shape: Shape, options: TensorOptions): Tensor {
  const { requiresGrad } = withDefaults(what, options, { requiresGrad: false });
  const checked = checkShape(what, shape);
  const x = new Tensor(allocate(sizeOf(checked)), [...checked]);
  x.requiresGrad = requiresGrad;
  return x;
}

/**
 * A tensor of the given numbers: a number, nested arrays, or a typed array with its shape.
 *
 * @example tensor([[1, 2], [3, 4]]), tensor(new Float32Array(6), [2, 3])
 * @throws ShapeError for rows of different lengths or a shape of another size; ValueError for values that are not
 * numbers
 */
export function tensor(
  values: Nested | (ArrayLike<number> & ArrayBufferView),
  shape?: Shape | TensorOptions,
  options: TensorOptions = {},
): Tensor {
  const given = Array.isArray(shape) ? (shape as Shape) : undefined;
  const rest = given ? options : ((shape as TensorOptions | undefined) ?? options);
  if (ArrayBuffer.isView(values)) {
    if (values instanceof BigInt64Array || values instanceof BigUint64Array || values instanceof DataView) {
      throw new ValueError(`tensor: expected a typed array of numbers, got ${values.constructor.name}`);
    }
    return made('tensor', given ?? [values.length], rest).set(values);
  }
  const flat = flatten(values);
  if (given && sizeOf(given) !== flat.values.length) {
    throw new ShapeError(
      `tensor: expected ${sizeOf(given)} elements for [${given}], got ${flat.values.length}`,
    );
  }
  return made('tensor', given ?? flat.shape, rest).set(flat.values);
}

/** A tensor whose elements are all `value`. */
export function full(shape: Shape, value: number, options?: TensorOptions): Tensor {
  return filled('full', shape, value, options);
}

function filled(what: string, shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  if (typeof value !== 'number') throw new ValueError(`${what}: expected a number, got ${describe(value)}`);
  const x = made(what, shape, options);
  x.backend.kernels.fill({ n: x.size, out: x.ptr, value });
  return x;
}

/** A tensor of zeros. @throws ShapeError for a dimension that is not a whole number >= 0 */
export function zeros(shape: Shape, options?: TensorOptions): Tensor {
  return filled('zeros', shape, 0, options);
}

/** A tensor of ones. @throws ShapeError for a dimension that is not a whole number >= 0 */
export function ones(shape: Shape, options?: TensorOptions): Tensor {
  return filled('ones', shape, 1, options);
}

/**
 * begin, begin + step, and so on, without `end`. `arange(n)` is 0 .. n-1.
 * @throws ValueError for numbers that are not finite, or a step of 0
 */
export function arange(begin: number, end?: number, step = 1): Tensor {
  const [from, to] = end === undefined ? [0, begin] : [begin, end];
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    throw new ValueError(
      `arange: expected finite numbers and a step other than 0, got ${from}, ${to}, ${step}`,
    );
  }
  const n = Math.max(0, Math.ceil((to - from) / step));
  checkShape('arange', [n]);
  return tensor(Float64Array.from({ length: n }, (_, i) => from + i * step));
}

/**
 * n numbers from `begin` to `end`, both included, equally spaced.
 * @throws ValueError for ends that are not finite; ShapeError unless n is a whole number >= 0
 */
export function linspace(begin: number, end: number, n: number): Tensor {
  if (![begin, end].every(Number.isFinite)) {
    throw new ValueError(`linspace: expected finite numbers, got ${begin} and ${end}`);
  }
  checkShape('linspace', [n]);
  // Both ends are exact, whatever the rounding in between.
  const at = (i: number) => (i === n - 1 && n > 1 ? end : begin + ((end - begin) * i) / Math.max(1, n - 1));
  return tensor(Float64Array.from({ length: n }, (_, i) => at(i)));
}

/** The identity matrix, [n, n] or [n, m]. @throws ShapeError for sizes that are not whole numbers >= 0 */
export function eye(n: number, m = n): Tensor {
  checkShape('eye', [n, m]);
  const values = new Float32Array(n * m);
  for (let i = 0; i < Math.min(n, m); i++) values[i * (m + 1)] = 1;
  return tensor(values, [n, m]);
}
