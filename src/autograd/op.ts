/**
 * The contract of an op. One literal holds its shape rule, its forward pass and its vector-Jacobian product (vjp). The
 * same table of ops is used by the tape, the comparison of the backends, the gradient checks and the benchmarks. No op
 * exists outside the table.
 */
import type { Kernels, Ptr, Target } from '../backend/kernels.ts';
import { InternalError } from '../errors.ts';
import type { Shape, Variable } from './variable.ts';

/**
 * Where gradients go. If input i needs a gradient, `into(i, write)` calls `write(out)`. Then `write` passes `out` to a
 * kernel. So a GEMM can add directly to a weight's gradient.
 */
export interface GradSink {
  (input: number, write: (out: Target) => void): void;
  /** Whether input i needs a gradient. */
  wants(input: number): boolean;
  /** Scratch memory of `n` elements. It is valid until the vjp returns. */
  scratch(n: number): Ptr;
}

/** The shape of the measured cases: a batch of 64 pictures of 784 pixels. */
export const BATCH = [64, 784] as const;

/** One case on which an op is tested or measured. */
export interface Sample<A> {
  readonly shapes: readonly Shape[];
  readonly attrs: A;
  /** The interval of the random inputs, if the op is not defined or not smooth everywhere. */
  readonly domain?: readonly [number, number];
}

/** The part of an op that the tape uses. Two inputs of `mul`, say, are numbered 0 and 1, and its result is `y`. */
export interface Differentiable<A = void> {
  /** The name in messages, such as `matmul`. */
  readonly name: string;
  /**
   * The arrays that `vjp` reads, apart from dL/dy and shapes. They must not change between the forward and the backward
   * pass.
   */
  readonly saves: readonly (number | 'y')[];
  /**
   * True for products and similar ops: the gradient of an input does not read that input itself. If only this input
   * needs a gradient, it may be changed before the backward pass.
   */
  readonly multilinear?: true;
  /** Given dL/dy, writes dL/dx of each input that needs a gradient. `into` gives the place. @internal */
  vjp(k: Kernels, dy: Variable, y: Variable, xs: readonly Variable[], into: GradSink, attrs: A): void;
}

export interface OpDef<A = void> extends Differentiable<A> {
  /** The output's shape. @throws ShapeError */
  shape(inputs: readonly Shape[], attrs: A): Shape;
  /** Computes y. */
  forward(k: Kernels, y: Variable, xs: readonly Variable[], attrs: A): void;
  /** The cases that cover the op. */
  samples(): readonly Sample<A>[];
  /** The case that the benchmark measures. It has the size of a training step. */
  readonly benchmark: Sample<A>;
  /** The output shares the memory of its input, without a copy: reshape. */
  readonly alias?: true;
  /** The result has no gradient. It never requires one, and `vjp` is never called. */
  readonly constant?: true;
}

/** All ops, in the order of their definition. */
// biome-ignore lint/suspicious/noExplicitAny: each op has attributes of its own type
export const OPS: OpDef<any>[] = [];

/** Adds an op to the table. */
export function defineOp<A = void>(op: OpDef<A>): OpDef<A> {
  OPS.push(op);
  return op;
}

/** Adds an op whose result has no gradient, such as a comparison. */
export function defineConstantOp<A = void>(op: Omit<OpDef<A>, 'saves' | 'vjp' | 'constant'>): OpDef<A> {
  return defineOp<A>({
    ...op,
    constant: true,
    saves: [],
    vjp() {
      throw new InternalError(`${op.name} has no gradient`);
    },
  });
}
