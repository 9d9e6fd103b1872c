/**
 * Tensor: an array of any rank with operators and gradients.
 *
 * ```ts
 * const w = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * const loss = w.mul(w).sum();
 * loss.backward();
 * w.grad!.toArray(); // [[2, 4], [6, 8]]
 * ```
 *
 * Operators never change their operands. An operand may be a number. Two tensors broadcast as in NumPy. The class is
 * long because it is the list of operators. Each is a line or two that checks its arguments and runs an op.
 */
import { apply, backward, backwardSteps, type TapeNode } from '../autograd/tape.ts';
import { type Shape, sizeOf, Variable } from '../autograd/variable.ts';
import type { FloatArray } from '../backend/backend.ts';
import { copyArray } from '../backend/kernels.ts';
import { ShapeError, ValueError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { describe, withDefaults } from '../options.ts';
import { format, type Nested, nest } from './format.ts';
import { checkIndices, type Indices, largestK, type TopK, transposedWords } from './indexing.ts';
import { flattened, partSizes, repeatedShapes, squeezed, triangle } from './rearrange.ts';
import { checkAxis, checkShape } from './shape.ts';
import { type Axes, standardDeviation, type VarianceOptions, variance, vectorNorm } from './statistics.ts';

/** An operand of an elementwise operator. */
export type Operand = Tensor | number;

/** Options of the reductions. */
export interface ReduceOptions {
  /** Whether reduced axes stay as dimensions of 1. */
  readonly keepDims?: boolean;
}

/** Options of `matmul`: which operand is stored transposed. */
export interface MatmulOptions {
  /** Whether the left operand is stored transposed. Default false. */
  readonly aT?: boolean;
  /** Whether the right operand is stored transposed. Default false. */
  readonly bT?: boolean;
}

/**
 * An array of numbers of any rank. Operators return new tensors, and record what `backward` needs. A tensor belongs to
 * its scope.
 */
export class Tensor extends Variable {
  /** The number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  // Reading

  /** The elements as nested arrays; a number for rank 0. */
  toArray(): Nested {
    return nest(this.toTypedArray(), this.shape);
  }

  /** A copy of the elements in row-major order: float32, or float64 on the reference backend. */
  toTypedArray(): FloatArray {
    return this.backend.read(this.ptr, this.size);
  }

  /**
   * The number in a tensor of one element.
   * @throws ShapeError for a tensor of another size
   */
  item(): number {
    if (this.size !== 1) throw new ShapeError(`item: expected one element, got shape [${this.shape}]`);
    return this.backend.at(this.ptr);
  }

  /** Used by `JSON.stringify`: the elements as nested arrays. */
  toJSON(): Nested {
    return this.toArray();
  }

  /** Shape and elements, to four digits. The middle of long axes is left out. */
  override toString(): string {
    return this.alive ? format(this.toTypedArray(), this.shape) : `${this.describe()} (released)`;
  }

  /** Node prints a tensor with this method. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  // Writing

  /**
   * Overwrites the elements in place, for data, parameters and buffers. It has no gradient. A backward pass that needs
   * the old elements throws an error.
   * @throws ShapeError if the number of elements differs
   */
  set(values: ArrayLike<number>): this {
    if (typeof values?.length !== 'number') {
      throw new ValueError(`set: expected an array of numbers, got ${describe(values)}`);
    }
    if (values.length !== this.size) {
      throw new ShapeError(`set: expected ${this.size} elements for [${this.shape}], got ${values.length}`);
    }
    const wrong = ArrayBuffer.isView(values)
      ? -1
      : Array.from(values).findIndex((x) => typeof x !== 'number');
    if (wrong >= 0) throw new ValueError(`set: expected numbers, got ${describe(values[wrong])} at ${wrong}`);
    this.backend.write(this.ptr, values);
    this.markWritten();
    return this;
  }

  /**
   * Overwrites the elements in place with those of a tensor of the same shape, as `set` does.
   * @throws ShapeError for a tensor of another shape
   */
  copyFrom(source: Tensor): this {
    if (source.shape.join() !== this.shape.join()) {
      throw new ShapeError(`copyFrom: expected shape [${this.shape}], got [${source.shape}]`);
    }
    if (source.backend !== this.backend) return this.set(source.toTypedArray());
    copyArray(this.backend.kernels, this.size, source.ptr, { ptr: this.ptr, accumulate: false });
    this.markWritten();
    return this;
  }

  // Lifetime and gradients

  /**
   * A copy on the heap, outside the graph. Use it for a tensor that must outlive its scope. Free it with `dispose()`.
   */
  keep(): Tensor {
    return this.emptyOnHeap(this.shape).copyFrom(this);
  }

  /** A copy outside the graph, in the current scope. */
  detach(): Tensor {
    return this.empty(this.shape).copyFrom(this);
  }

  /**
   * Sets whether this leaf requires a gradient. Returns the tensor.
   * @throws ValueError for the result of an operation
   */
  requireGrad(wanted = true): this {
    if (!this.isLeaf)
      throw new ValueError(
        'requireGrad: expected a leaf, got the result of an operation: call detach() first',
      );
    this.requiresGrad = wanted;
    return this;
  }

  /**
   * Adds the gradient of this tensor to `grad` of every leaf it was computed from.
   *
   * @param gradient dL/d(this); needed unless this tensor has one element
   * @param options `retainGraph` keeps the graph for another call
   * @throws ShapeError, and LangevinError for a graph that was used before
   */
  backward(gradient: Tensor | null = null, options: { retainGraph?: boolean } = {}): void {
    if (gradient !== null && !(gradient instanceof Tensor)) {
      throw new ValueError(`backward: expected a tensor or null as the gradient, got ${describe(gradient)}`);
    }
    const { retainGraph } = withDefaults('backward', options, { retainGraph: false });
    backward(this, gradient, retainGraph);
  }

  /**
   * Runs `backward()` node by node, so that you can watch the pass. Yields each node of the tape after its derivative
   * is computed.
   */
  backwardSteps(gradient: Tensor | null = null): Generator<TapeNode, void> {
    return backwardSteps(this, gradient);
  }

  /**
   * Calls `hook` with this tensor's gradient in each backward pass that reaches it. For the result of an operation the
   * gradient is dL/d(this). The hook runs when the gradient is complete, before it is passed on. This gradient ends
   * with the pass: read it in the hook, or `keep()` it. For a leaf the gradient is `grad`, the sum since `zeroGrad`, at
   * the end of the pass.
   *
   * The hook may change the gradient: `x.onGradient((g) => g.copyFrom(g.clamp(-1, 1)))`. The tape does not record
   * inside the hook. Several hooks run in the order in which they were added.
   *
   * @returns a function that removes the hook
   * @throws ValueError for a tensor that requires no gradient; LangevinError, in the pass, for an asynchronous hook
   */
  onGradient(hook: (gradient: Tensor) => void): () => void {
    if (typeof hook !== 'function')
      throw new ValueError(`onGradient: expected a function, got ${describe(hook)}`);
    if (!this.requiresGrad) {
      throw new ValueError(
        `onGradient: expected a tensor that requires a gradient, got a constant [${this.shape}]`,
      );
    }
    // We wrap the hook, so that one function may be added twice.
    const own = (gradient: Variable) => hook(gradient as Tensor);
    this.gradHooks ??= new Set();
    this.gradHooks.add(own);
    return () => {
      this.gradHooks?.delete(own);
      if (this.gradHooks?.size === 0) this.gradHooks = null;
    };
  }

  // Elementwise operators of two operands

  /** this + other. The operands broadcast. */
  add(other: Operand): Tensor {
    return apply(ops.binary.add, [this, this.operand('add', other)], undefined);
  }

  /** this - other. The operands broadcast. */
  sub(other: Operand): Tensor {
    return apply(ops.binary.sub, [this, this.operand('sub', other)], undefined);
  }

  /** this·other, element by element. The operands broadcast. */
  mul(other: Operand): Tensor {
    return apply(ops.binary.mul, [this, this.operand('mul', other)], undefined);
  }

  /** this / other. The operands broadcast. Division by 0 gives ±Infinity or NaN. */
  div(other: Operand): Tensor {
    return apply(ops.binary.div, [this, this.operand('div', other)], undefined);
  }

  /** this^exponent, by the rules of IEEE 754. A negative base needs a whole exponent. */
  pow(exponent: Operand): Tensor {
    return apply(ops.binary.pow, [this, this.operand('pow', exponent)], undefined);
  }

  /** The larger of both. It is NaN if either is. If they are equal, each gets half of the gradient. */
  maximum(other: Operand): Tensor {
    return apply(ops.binary.maximum, [this, this.operand('maximum', other)], undefined);
  }

  /** The smaller of both. It is NaN if either is. If they are equal, each gets half of the gradient. */
  minimum(other: Operand): Tensor {
    return apply(ops.binary.minimum, [this, this.operand('minimum', other)], undefined);
  }

  // Comparisons: 1 if they hold, else 0. They have no gradient.

  /** this = other. */
  eq(other: Operand): Tensor {
    return apply(ops.comparison.eq, [this, this.operand('eq', other)], undefined);
  }

  /** this ≠ other. */
  ne(other: Operand): Tensor {
    return apply(ops.comparison.ne, [this, this.operand('ne', other)], undefined);
  }

  /** this > other. */
  gt(other: Operand): Tensor {
    return apply(ops.comparison.gt, [this, this.operand('gt', other)], undefined);
  }

  /** this >= other. */
  ge(other: Operand): Tensor {
    return apply(ops.comparison.ge, [this, this.operand('ge', other)], undefined);
  }

  /** this < other. */
  lt(other: Operand): Tensor {
    return apply(ops.comparison.gt, [this.operand('lt', other), this], undefined);
  }

  /** this <= other. */
  le(other: Operand): Tensor {
    return apply(ops.comparison.ge, [this.operand('le', other), this], undefined);
  }

  // Elementwise functions of one operand

  /** -x */
  neg(): Tensor {
    return apply(ops.unary.neg, [this], {});
  }

  /** The absolute value. Its gradient at 0 is 0. */
  abs(): Tensor {
    return apply(ops.unary.abs, [this], {});
  }

  /** e^x */
  exp(): Tensor {
    return apply(ops.unary.exp, [this], {});
  }

  /** The natural logarithm. */
  log(): Tensor {
    return apply(ops.unary.log, [this], {});
  }

  /** √x. It is NaN for x < 0. */
  sqrt(): Tensor {
    return apply(ops.unary.sqrt, [this], {});
  }

  /** max(x, 0). Its gradient at 0 is 0. */
  relu(): Tensor {
    return apply(ops.unary.relu, [this], {});
  }

  /** 1/(1 + e^-x), the logistic function. */
  sigmoid(): Tensor {
    return apply(ops.unary.sigmoid, [this], {});
  }

  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return apply(ops.unary.tanh, [this], {});
  }

  /** x·sigmoid(x), also called swish. */
  silu(): Tensor {
    return apply(ops.unary.silu, [this], {});
  }

  /** The sine of angles in radians, for every finite angle. */
  sin(): Tensor {
    return apply(ops.unary.sin, [this], {});
  }

  /** The cosine of angles in radians, for every finite angle. */
  cos(): Tensor {
    return apply(ops.unary.cos, [this], {});
  }

  /** The error function, 2/√π·∫ e^(-u²) du from 0 to x. */
  erf(): Tensor {
    return apply(ops.unary.erf, [this], {});
  }

  /**
   * x·Φ(x) with the normal distribution function Φ. It is not the approximation by tanh (Hendrycks and Gimpel 2016).
   */
  gelu(): Tensor {
    return apply(ops.unary.gelu, [this], {});
  }

  /** ln(1 + e^x), without overflow. */
  softplus(): Tensor {
    return apply(ops.unary.softplus, [this], {});
  }

  /** x where x > 0, else slope·x. @throws ValueError for a slope that is not finite */
  leakyRelu(slope = 0.01): Tensor {
    if (!Number.isFinite(slope)) throw new ValueError(`leakyRelu: expected a finite slope, got ${slope}`);
    return apply(ops.unary.leakyRelu, [this], { slope });
  }

  /** min(max(x, lo), hi) @throws ValueError for bounds that are not numbers, or lo > hi */
  clamp(lo: number, hi: number): Tensor {
    for (const bound of [lo, hi]) {
      if (typeof bound !== 'number') throw new ValueError(`clamp: expected numbers, got ${describe(bound)}`);
    }
    if (!(lo <= hi)) throw new ValueError(`clamp: expected lo <= hi, got ${lo} and ${hi}`);
    return apply(ops.unary.clamp, [this], { lo, hi });
  }

  // Reductions over all axes, or over the given ones (negative axes count from the last)

  /** The sum. It is 0 over no elements. @throws ShapeError for an axis that does not exist */
  sum(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return apply(ops.sum, [this], this.axes('sum', axes, options));
  }

  /** The mean. It is NaN over no elements. @throws ShapeError for an axis that does not exist */
  mean(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return apply(ops.mean, [this], this.axes('mean', axes, options));
  }

  /** The maximum. @throws ShapeError over no elements */
  max(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return apply(ops.max, [this], this.axes('max', axes, options));
  }

  /** The minimum. @throws ShapeError over no elements */
  min(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return apply(ops.min, [this], this.axes('min', axes, options));
  }

  /** The product, which is 1 over no elements. Its gradient is also correct if elements are 0. */
  prod(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    const { axes: all, keepDims } = this.axes('prod', axes, options);
    // We reduce from the last axes to the first, so that the axes before keep their numbers.
    return ops
      .neighbours(all)
      .reduceRight<Tensor>((y, run) => apply(ops.prod, [y], { axes: run, keepDims }), this);
  }

  /**
   * The variance, Σ (x - mean)² / (n - correction).
   * @param options `correction` is 1 by default, as in PyTorch; `keepDims`
   */
  var(axes?: Axes, options: VarianceOptions = {}): Tensor {
    return variance('var', this, this.axes('var', axes, {}).axes, options);
  }

  /** The standard deviation, the root of `var`. Its gradient is 0 if all elements are equal. */
  std(axes?: Axes, options: VarianceOptions = {}): Tensor {
    return standardDeviation(this, this.axes('std', axes, {}).axes, options);
  }

  /**
   * The p-norm, (Σ |x|^p)^(1/p); the largest |x| for p = Infinity. The gradient of the 2-norm at 0 is 0.
   * @throws ValueError for p < 1
   */
  norm(p = 2, axes?: Axes, options: ReduceOptions = {}): Tensor {
    return vectorNorm(this, p, this.axes('norm', axes, {}).axes, options);
  }

  // Functions along one axis

  /** e^x / Σ e^x along an axis, by default the last. */
  softmax(axis = -1): Tensor {
    return this.withLast('softmax', axis, (x) => apply(ops.softmax.softmax, [x], undefined));
  }

  /** The logarithm of `softmax`. It is accurate even if softmax itself would underflow. */
  logSoftmax(axis = -1): Tensor {
    return this.withLast('logSoftmax', axis, (x) => apply(ops.softmax.logSoftmax, [x], undefined));
  }

  /**
   * Cumulative sums along an axis: element j is the sum of the elements up to j.
   * @throws ShapeError for an axis that does not exist
   */
  cumsum(axis: number): Tensor {
    return apply(ops.cumsum, [this], { axis: checkAxis('cumsum', axis, this.rank) });
  }

  // Indices

  /**
   * The place of the largest element. Without an axis it is one number, in row-major order over all elements. With an
   * axis there is one place for each row along it, row-major in the shape without the axis. Of equal elements the first
   * counts. NaN is the largest.
   * @throws ShapeError along no elements
   */
  argmax(): number;
  argmax(axis: number): Int32Array;
  argmax(axis?: number): number | Int32Array {
    if (axis === undefined) return this.detached().flatten().argmax(0)[0];
    const at = checkAxis('argmax', axis, this.rank);
    const n = this.shape[at];
    const rows = sizeOf(this.shape.toSpliced(at, 1));
    if (n === 0 && rows > 0) {
      throw new ShapeError(
        `argmax: expected at least one element along axis ${at}, got shape [${this.shape}]`,
      );
    }
    const values = this.detached().lastAxis(at).toTypedArray();
    return largestK(values, { rows, n, k: Math.min(1, n), largest: true });
  }

  /**
   * The k largest elements along an axis, by default the last, in descending order, and their places. Equal elements
   * keep their order. NaN is the largest. The values have gradients.
   * @param options `largest: false` selects the smallest, in ascending order
   * @throws ValueError unless 0 <= k <= the axis' size
   */
  topk(k: number, axis = -1, options: { readonly largest?: boolean } = {}): TopK {
    const wanted = withDefaults('topk', options, { largest: true });
    const at = checkAxis('topk', axis, this.rank);
    const n = this.shape[at];
    if (!(Number.isInteger(k) && k >= 0 && k <= n)) {
      throw new ValueError(`topk: expected a whole number from 0 to ${n}, got ${k}`);
    }
    const last = this.lastAxis(at);
    const seen = last.detached();
    const rows = sizeOf(last.shape.slice(0, -1));
    const found = largestK(seen.toTypedArray(), { rows, n, k, largest: wanted.largest });
    const values = apply(ops.gather, [last], { axis: this.rank - 1, index: found, size: k });
    const inner = sizeOf(this.shape.slice(at + 1));
    return { values: values.lastTo(at), indices: transposedWords(found, inner, k) };
  }

  /**
   * Selects an element for each index: result[.., j, ..] = this[.., index[.., j, ..], ..]. The indices are row-major.
   * They have the shape of this tensor except along `axis`. For [rows, n] and axis 1, one index for each row gives
   * [rows, 1]. Gradients are added to the selected elements.
   * @throws ValueError for an index that is not in [0, shape[axis]), ShapeError for another number of indices
   */
  gather(axis: number, index: Indices): Tensor {
    const at = checkAxis('gather', axis, this.rank);
    const words = checkIndices('gather', index, this.shape[at]);
    const others = sizeOf(this.shape.toSpliced(at, 1));
    const size = words.length === 0 ? 0 : words.length / others;
    if (!Number.isInteger(size)) {
      throw new ShapeError(
        `gather: expected a multiple of ${others} indices for [${this.shape}] along axis ${at}, got ${words.length}`,
      );
    }
    return apply(ops.gather, [this], { axis: at, index: words, size });
  }

  /**
   * Selects whole slices along an axis, one for each index, as rows of an embedding's table. Gradients are added to the
   * selected slices, in the order of the indices.
   * @throws ValueError for an index that is not in [0, shape[axis])
   */
  indexSelect(axis: number, index: Indices): Tensor {
    const at = checkAxis('indexSelect', axis, this.rank);
    const words = checkIndices('indexSelect', index, this.shape[at]);
    return apply(ops.indexSelect, [this], { axis: at, index: words, size: words.length });
  }

  // Shape

  /** The same elements in another shape. One dimension may be -1. The result shares the memory. */
  reshape(...shape: number[] | [Shape]): Tensor {
    const wanted = (Array.isArray(shape[0]) ? shape[0] : shape) as number[];
    return apply(ops.reshape, [this], { shape: this.resolve(wanted) });
  }

  /**
   * Axes in another order: axis i of the result is axis order[i] of this tensor. Without arguments the order is
   * reversed. This is NumPy's `transpose` and PyTorch's `permute`. `transpose(1, 0)` exchanges the axes of a matrix.
   * @throws ShapeError unless each axis occurs once
   */
  transpose(...order: number[]): Tensor {
    const axes =
      order.length > 0
        ? order.map((a) => checkAxis('transpose', a, this.rank))
        : [...this.shape.keys()].reverse();
    if (axes.length !== this.rank || new Set(axes).size !== this.rank) {
      throw new ShapeError(`transpose: expected each of ${this.rank} axes once, got [${order}]`);
    }
    return apply(ops.permute, [this], { order: axes });
  }

  /**
   * The box [begin, end) along each axis. Negative numbers count from the end. Axes that are not given stay whole.
   * @throws ShapeError for a box that does not fit
   */
  slice(begin: readonly number[], end: readonly number[] = []): Tensor {
    for (const corner of [begin, end]) {
      if (!Array.isArray(corner)) {
        throw new ShapeError(`slice: expected corners such as [0, 2], got ${describe(corner)}`);
      }
    }
    if (begin.length > this.rank || end.length > this.rank) {
      throw new ShapeError(`slice: expected at most ${this.rank} axes, got [${begin}] to [${end}]`);
    }
    if (![...begin, ...end].every(Number.isInteger)) {
      throw new ShapeError(`slice: expected whole numbers, got [${begin}] to [${end}]`);
    }
    const from = this.shape.map((n, i) => (begin[i] ?? 0) + ((begin[i] ?? 0) < 0 ? n : 0));
    const to = this.shape.map((n, i) => (end[i] ?? n) + ((end[i] ?? n) < 0 ? n : 0));
    const size = checkShape(
      'slice',
      to.map((e, i) => e - from[i]),
    );
    return apply(ops.slice, [this], { begin: from, size });
  }

  /**
   * Repeats dimensions of 1, or missing dimensions at the front, to `shape`.
   * @throws ShapeError for a shape that this tensor does not broadcast to
   */
  broadcastTo(...shape: number[] | [Shape]): Tensor {
    const wanted = (Array.isArray(shape[0]) ? shape[0] : shape) as number[];
    return apply(ops.broadcastTo, [this], { shape: checkShape('broadcastTo', wanted) });
  }

  /** Removes dimensions of 1, or only the one at `axis`. @throws ShapeError if the dimension at `axis` is not 1 */
  squeeze(axis?: number): Tensor {
    const at = axis === undefined ? undefined : checkAxis('squeeze', axis, this.rank);
    return this.reshape(squeezed(this.shape, at));
  }

  /**
   * Adds a dimension of 1 at `axis`, from 0 to the rank. -1 adds it as the last.
   * @throws ShapeError for an axis that does not exist
   */
  unsqueeze(axis: number): Tensor {
    return this.reshape(this.shape.toSpliced(checkAxis('unsqueeze', axis, this.rank + 1), 0, 1));
  }

  /**
   * Merges the axes from `begin` to `end`, both included, into one. By default it merges all axes.
   * @throws ShapeError for an axis that does not exist
   */
  flatten(begin = 0, end = -1): Tensor {
    if (this.rank === 0) return this.reshape(1);
    const [from, to] = [begin, end].map((axis) => checkAxis('flatten', axis, this.rank));
    return this.reshape(flattened(this.shape, from, to));
  }

  /** Reverses the order of elements along the given axes, or along all axes. */
  flip(axes?: number | readonly number[]): Tensor {
    return apply(ops.flip, [this], { axes: this.axes('flip', axes, {}).axes });
  }

  /**
   * Repeats the whole tensor `times[i]` times along axis i. More numbers than axes add axes at the front. (This is
   * NumPy's `tile`. To repeat single elements, use `indexSelect`.)
   */
  repeat(...times: number[] | [readonly number[]]): Tensor {
    const given = (Array.isArray(times[0]) ? times[0] : times) as number[];
    const { apart, wide, merged } = repeatedShapes(this.shape, given);
    return this.reshape(apart).broadcastTo(wide).reshape(merged);
  }

  /**
   * Splits an axis into parts of `size` elements, where the last part may be smaller, or into parts of the given sizes.
   * @throws ShapeError for sizes whose sum is not the size of the axis
   */
  split(size: number | readonly number[], axis = 0): Tensor[] {
    const at = checkAxis('split', axis, this.rank);
    let begin = 0;
    return partSizes(this.shape[at], size).map((n) => {
      const corner = this.shape.map((_, i) => (i === at ? begin : 0));
      begin += n;
      return apply(ops.slice, [this], { begin: corner, size: this.shape.with(at, n) });
    });
  }

  /** The lower triangle of matrices [..., m, n]: elements with column - row <= offset. All others become 0. */
  tril(offset = 0): Tensor {
    return this.triangle('tril', 'lower', offset);
  }

  /** The upper triangle of matrices [..., m, n]: elements with column - row >= offset. All others become 0. */
  triu(offset = 0): Tensor {
    return this.triangle('triu', 'upper', offset);
  }

  /** A copy in the current scope that passes gradients on. `detach()` makes a copy outside the graph. */
  clone(): Tensor {
    return this.broadcastTo(this.shape);
  }

  // Products

  /**
   * The matrix product [..., m, k]·[..., k, n]. Leading dimensions are a batch and broadcast as in NumPy. A vector on
   * the left is used as a row, and a vector on the right as a column. The result does not have that dimension of 1.
   * @param options `aT` and `bT` say that an operand is stored transposed, which costs nothing
   * @throws ShapeError for shapes that do not fit
   */
  matmul(other: Tensor, options: MatmulOptions = {}): Tensor {
    const attrs = withDefaults('matmul', options, { aT: false, bT: false });
    requireTensor('matmul', other);
    // A vector becomes a matrix of one row or column. That dimension is then removed from the result.
    if (this.rank === 1) {
      const product = this.reshape(attrs.aT ? [-1, 1] : [1, -1]).matmul(other, attrs);
      return product.squeeze(other.rank === 1 ? -1 : -2);
    }
    if (other.rank === 1) return this.matmul(other.reshape(attrs.bT ? [1, -1] : [-1, 1]), attrs).squeeze(-1);
    // Many matrices times one matrix are one product with more rows.
    if (this.rank > 2 && other.rank === 2 && !attrs.aT) {
      const rows = apply(ops.matmul, [this.flatten(0, -2), other], attrs);
      return rows.reshape([...this.shape.slice(0, -1), rows.shape[1]]);
    }
    return apply(ops.matmul, [this, other], attrs);
  }

  /** This tensor outside the graph, in the same memory. @internal */
  detached(): Tensor {
    return this.requiresGrad ? this.alias(this.shape) : this;
  }

  /** The axis moved to the end. */
  private lastAxis(axis: number): Tensor {
    if (axis === this.rank - 1) return this;
    return this.transpose(...[...this.shape.keys()].toSpliced(axis, 1), axis);
  }

  /** The last axis moved to `axis`. */
  private lastTo(axis: number): Tensor {
    const last = this.rank - 1;
    if (axis === last) return this;
    return this.transpose(...[...Array(last).keys()].toSpliced(axis, 0, last));
  }

  /** Applies a function of the last axis along another axis. */
  private withLast(op: string, axis: number, f: (x: Tensor) => Tensor): Tensor {
    const at = checkAxis(op, axis, this.rank);
    return f(this.lastAxis(at)).lastTo(at);
  }

  private triangle(op: string, part: 'lower' | 'upper', offset: number): Tensor {
    if (this.rank < 2)
      throw new ShapeError(`${op}: expected matrices [..., m, n], got shape [${this.shape}]`);
    if (!Number.isInteger(offset)) throw new ValueError(`${op}: expected a whole number, got ${offset}`);
    const [rows, cols] = this.shape.slice(-2);
    const mask = this.empty([rows, cols]).set(triangle(rows, cols, part, offset));
    return apply(ops.where, [mask, this, this.operand(op, 0)], undefined);
  }

  /** Returns a tensor unchanged, and a number as a tensor of rank 0. @internal */
  operand(op: string, value: Operand): Tensor {
    if (value instanceof Tensor) return value;
    if (typeof value !== 'number') {
      throw new ValueError(`${op}: expected a tensor or a number, got ${describe(value)}`);
    }
    const constant = this.empty([]);
    this.backend.kernels.fill({ n: 1, out: constant.ptr, value });
    return constant;
  }

  private axes(op: string, axes: number | readonly number[] | undefined, options: ReduceOptions) {
    const { keepDims } = withDefaults(op, options, { keepDims: false });
    const given = axes === undefined ? [...this.shape.keys()] : [axes].flat();
    const resolved = given.map((axis) => checkAxis(op, axis, this.rank)).sort((a, b) => a - b);
    if (new Set(resolved).size !== resolved.length)
      throw new ShapeError(`${op}: expected distinct axes, got [${given}]`);
    return { axes: resolved, keepDims };
  }

  private resolve(shape: readonly number[]): Shape {
    const unknown = shape.indexOf(-1);
    if (unknown < 0) return checkShape('reshape', shape);
    const known = checkShape('reshape', shape.toSpliced(unknown, 1));
    const n = this.size / sizeOf(known);
    if (!Number.isInteger(n))
      throw new ShapeError(`reshape: expected ${this.size} elements, got shape [${shape}]`);
    return shape.with(unknown, n);
  }
}

/** @throws ValueError unless x is a tensor */
export function requireTensor(op: string, x: unknown): asserts x is Tensor {
  if (!(x instanceof Tensor)) throw new ValueError(`${op}: expected a tensor, got ${describe(x)}`);
}
