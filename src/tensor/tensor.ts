/**
 * Tensor: an array of any rank with operators, and gradients through all of them.
 *
 * ```ts
 * const w = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * const loss = w.mul(w).sum();
 * loss.backward();
 * w.grad!.toArray(); // [[2, 4], [6, 8]]
 * ```
 *
 * Operators never change their operands. Operands may be numbers; two tensors broadcast as in NumPy.
 */
import { apply, backward, backwardSteps, noGrad, type TapeNode } from '../autograd/tape.ts';
import { type Shape, sizeOf, Variable } from '../autograd/variable.ts';
import type { FloatArray } from '../backend/backend.ts';
import { copyArray } from '../backend/kernels.ts';
import { ShapeError, ValueError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { describe, withDefaults } from '../options.ts';
import { format, type Nested, nest } from './format.ts';
import { checkAxis, checkShape } from './shape.ts';

/** An operand of an elementwise operator. */
export type Operand = Tensor | number;

/** Options of the reductions. */
export interface ReduceOptions {
  /** Reduced axes stay as dimensions of 1. */
  readonly keepDims?: boolean;
}

/** Options of `matmul`: which operand is stored transposed. */
export interface MatmulOptions {
  readonly aT?: boolean;
  readonly bT?: boolean;
}

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
   * @throws ShapeError if there are more or fewer
   */
  item(): number {
    if (this.size !== 1) throw new ShapeError(`item: expected one element, got shape [${this.shape}]`);
    return this.backend.at(this.ptr);
  }

  /** What `JSON.stringify` takes: the elements as nested arrays, without the engine behind them. */
  toJSON(): Nested {
    return this.toArray();
  }

  /** Shape and elements, to four digits, the middle of long axes left out. */
  override toString(): string {
    return this.alive ? format(this.toTypedArray(), this.shape) : `${this.describe()} (released)`;
  }

  /** Node prints a tensor by its elements. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  // Writing

  /**
   * Overwrites the elements in place. The graph does not see it: for data, parameters and buffers.
   * @throws ShapeError if the number of elements differs
   */
  set(values: ArrayLike<number>): this {
    if (values.length !== this.size) {
      throw new ShapeError(`set: expected ${this.size} elements for [${this.shape}], got ${values.length}`);
    }
    this.backend.write(this.ptr, values);
    return this;
  }

  /** Overwrites the elements with those of a tensor of the same shape, in place, unseen by the graph. */
  copyFrom(source: Tensor): this {
    if (source.shape.join() !== this.shape.join()) {
      throw new ShapeError(`copyFrom: expected shape [${this.shape}], got [${source.shape}]`);
    }
    if (source.backend !== this.backend) return this.set(source.toTypedArray());
    copyArray(this.backend.kernels, this.size, source.ptr, { ptr: this.ptr, accumulate: false });
    return this;
  }

  // Lifetime and gradients

  /** A copy on the heap, outside the graph: what a scope returns. Free it with `dispose()`. */
  keep(): Tensor {
    return this.emptyOnHeap(this.shape).copyFrom(this);
  }

  /** A copy outside the graph, in the current scope. */
  detach(): Tensor {
    return this.empty(this.shape).copyFrom(this);
  }

  /** Marks the tensor as a leaf whose gradient is wanted (or not). Returns it. */
  requireGrad(wanted = true): this {
    if (!this.isLeaf)
      throw new ValueError('requireGrad: expected a leaf, got the result of an operation: detach() it');
    this.requiresGrad = wanted;
    return this;
  }

  /**
   * Adds the gradient of this tensor to `grad` of every leaf it was computed from.
   *
   * @param gradient dL/d(this), needed unless this has one element
   * @param options `retainGraph` keeps the graph for another call
   * @throws ShapeError, and LangevinError for a graph that was used before
   */
  backward(gradient: Tensor | null = null, options: { retainGraph?: boolean } = {}): void {
    const { retainGraph } = withDefaults('backward', options, { retainGraph: false });
    backward(this, gradient, retainGraph);
  }

  /**
   * As `backward()`, node by node: for looking at what the pass does. Yields each node of the tape when its derivative
   * has been computed.
   */
  backwardSteps(gradient: Tensor | null = null): Generator<TapeNode, void> {
    return backwardSteps(this, gradient);
  }

  // Elementwise, two operands

  add(other: Operand): Tensor {
    return apply(ops.binary.add, [this, this.operand('add', other)], undefined);
  }

  sub(other: Operand): Tensor {
    return apply(ops.binary.sub, [this, this.operand('sub', other)], undefined);
  }

  mul(other: Operand): Tensor {
    return apply(ops.binary.mul, [this, this.operand('mul', other)], undefined);
  }

  div(other: Operand): Tensor {
    return apply(ops.binary.div, [this, this.operand('div', other)], undefined);
  }

  /** this^exponent, by IEEE 754's rules: a negative base takes whole exponents only. */
  pow(exponent: Operand): Tensor {
    return apply(ops.binary.pow, [this, this.operand('pow', exponent)], undefined);
  }

  maximum(other: Operand): Tensor {
    return apply(ops.binary.maximum, [this, this.operand('maximum', other)], undefined);
  }

  minimum(other: Operand): Tensor {
    return apply(ops.binary.minimum, [this, this.operand('minimum', other)], undefined);
  }

  // Elementwise, one operand

  neg(): Tensor {
    return apply(ops.unary.neg, [this], {});
  }

  abs(): Tensor {
    return apply(ops.unary.abs, [this], {});
  }

  exp(): Tensor {
    return apply(ops.unary.exp, [this], {});
  }

  /** The natural logarithm. */
  log(): Tensor {
    return apply(ops.unary.log, [this], {});
  }

  sqrt(): Tensor {
    return apply(ops.unary.sqrt, [this], {});
  }

  relu(): Tensor {
    return apply(ops.unary.relu, [this], {});
  }

  sigmoid(): Tensor {
    return apply(ops.unary.sigmoid, [this], {});
  }

  tanh(): Tensor {
    return apply(ops.unary.tanh, [this], {});
  }

  /** x·sigmoid(x), also called swish. */
  silu(): Tensor {
    return apply(ops.unary.silu, [this], {});
  }

  /** min(max(x, lo), hi) */
  clamp(lo: number, hi: number): Tensor {
    if (!(lo <= hi)) throw new ValueError(`clamp: expected lo <= hi, got ${lo} and ${hi}`);
    return apply(ops.unary.clamp, [this], { lo, hi });
  }

  // Reductions: over all axes, or over the given ones (negative counts from the last)

  sum(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return apply(ops.sum, [this], this.axes('sum', axes, options));
  }

  mean(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return apply(ops.mean, [this], this.axes('mean', axes, options));
  }

  /** @throws ShapeError over no elements */
  max(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return apply(ops.max, [this], this.axes('max', axes, options));
  }

  /** @throws ShapeError over no elements */
  min(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return apply(ops.min, [this], this.axes('min', axes, options));
  }

  /** The product; 1 over no elements. Its gradient is right where elements are 0. */
  prod(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    const { axes: all, keepDims } = this.axes('prod', axes, options);
    // From the last axes to the first: the axes before them keep their numbers.
    return ops
      .neighbours(all)
      .reduceRight<Tensor>((y, run) => apply(ops.prod, [y], { axes: run, keepDims }), this);
  }

  // Shape

  /** The same elements under another shape; one dimension may be -1. Shares the memory. */
  reshape(...shape: number[] | [Shape]): Tensor {
    const wanted = (Array.isArray(shape[0]) ? shape[0] : shape) as number[];
    return apply(ops.reshape, [this], { shape: this.resolve(wanted) });
  }

  /** Axes in another order: axis i of the result is axis order[i] of this. Reversed without arguments. */
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
   * The box [begin, end) along each axis. Negative numbers count from the end; axes not given are whole.
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

  /** Repeats dimensions of 1, or missing ones at the front, to `shape`. */
  broadcastTo(...shape: number[] | [Shape]): Tensor {
    const wanted = (Array.isArray(shape[0]) ? shape[0] : shape) as number[];
    return apply(ops.broadcastTo, [this], { shape: checkShape('broadcastTo', wanted) });
  }

  // Products

  /** [m,k]·[k,n]; `aT` and `bT` tell that an operand is stored transposed, which costs nothing. */
  matmul(other: Tensor, options: MatmulOptions = {}): Tensor {
    return apply(ops.matmul, [this, other], withDefaults('matmul', options, { aT: false, bT: false }));
  }

  private operand(op: string, value: Operand): Tensor {
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

/** Tensors one after the other along `axis`, equal in all other dimensions. */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  if (!Array.isArray(tensors))
    throw new ValueError(`cat: expected an array of tensors, got ${typeof tensors}`);
  const [first] = tensors;
  if (!first) throw new ShapeError('cat: expected at least one tensor, got none');
  if (first.rank === 0) throw new ShapeError('cat: expected tensors of rank 1 or more, got a scalar');
  return apply(ops.cat, tensors, { axis: checkAxis('cat', axis, first.rank) });
}

/** The mean of (a - b)² over all elements, for tensors of one shape. */
export function mse(a: Tensor, b: Tensor): Tensor {
  return apply(ops.mse, [a, b], undefined);
}

/** activation(x·Wᵀ + b) in one pass, W stored [out,in]: see ops/linear.ts. */
export function linear(
  x: Tensor,
  w: Tensor,
  b: Tensor | null,
  activation: ops.FusedActivation = 'none',
): Tensor {
  return apply(ops.linear, b ? [x, w, b] : [x, w], { activation });
}

export { noGrad };
