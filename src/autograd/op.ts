/**
 * The contract of an op: one literal with its shape rule, its forward pass and its vector-Jacobian product
 * side by side. The same table of ops drives the tape, the parity of the backends, the gradient checks and the
 * benchmarks; no op exists outside it.
 */
import type { Kernels, Ptr, Target } from '../backend/kernels.ts';
import { InternalError } from '../errors.ts';
import type { Shape, Variable } from './variable.ts';

/**
 * Where gradients go. `into(i, write)` calls `write(out)` if the gradient of input i is wanted, and `write` hands `out`
 * to a kernel. So a GEMM can sum straight into a weight's gradient.
 */
export interface GradSink {
  (input: number, write: (out: Target) => void): void;
  /** Whether anyone wants the gradient of input i. */
  wants(input: number): boolean;
  /** Scratch memory of `n` elements until the vjp returns. */
  scratch(n: number): Ptr;
}

/** The shape of the cases that are measured: a batch of 64 pictures of 784 pixels. */
export const BATCH = [64, 784] as const;

/** One case on which an op is tested or measured. */
export interface Sample<A> {
  readonly shapes: readonly Shape[];
  readonly attrs: A;
  /** The interval inputs are drawn from, where the op is not defined or not smooth everywhere. */
  readonly domain?: readonly [number, number];
}

/** An array of the forward pass: an input by its number, or the result. */
export type Saved = number | 'y';

/** What the tape needs of an op. */
export interface Differentiable<A = void> {
  readonly name: string;
  /** What `vjp` reads beside dL/dy and shapes: these must not change between the forward and the backward pass. */
  readonly saves: readonly Saved[];
  /** The gradient of an input does not read that input itself, as with products: where no other is wanted it may change. */
  readonly multilinear?: true;
  /** Given dL/dy, writes dL/dx of each input that is wanted where `into` says. */
  vjp(k: Kernels, dy: Variable, y: Variable, xs: readonly Variable[], into: GradSink, attrs: A): void;
}

export interface OpDef<A = void> extends Differentiable<A> {
  /** The output's shape. Throws ShapeError. */
  shape(inputs: readonly Shape[], attrs: A): Shape;
  /** Writes y. */
  forward(k: Kernels, y: Variable, xs: readonly Variable[], attrs: A): void;
  /** The cases that cover the op. */
  samples(): readonly Sample<A>[];
  /** The case that the benchmark measures: of the size of a training step. */
  readonly benchmark: Sample<A>;
  /** The output shares its input's memory in place of copying it: reshape. */
  readonly alias?: true;
  /** The result has no gradient: it does not require one whatever the inputs, and `vjp` is never called. */
  readonly constant?: true;
}

/** All ops, in the order of their definition. */
// biome-ignore lint/suspicious/noExplicitAny: each op has attributes of its own type
export const OPS: OpDef<any>[] = [];

/** Enters an op into the table. */
export function defineOp<A = void>(op: OpDef<A>): OpDef<A> {
  OPS.push(op);
  return op;
}

/** Enters an op whose result has no gradient, such as a comparison. */
export function defineConstantOp<A = void>(op: Omit<OpDef<A>, 'saves' | 'vjp' | 'constant'>): OpDef<A> {
  return defineOp<A>({
    ...op,
    constant: true,
    saves: [],
    vjp() {
      throw new InternalError(`a gradient of ${op.name}, which has none`);
    },
  });
}
