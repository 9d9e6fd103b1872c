/**
 * A row of the comparison: a function that draws cases, the expression of langevin, and the expression of PyTorch.
 *
 * A row's `torch` is a Python lambda. It is called with the inputs as float64 tensors and with the attributes as
 * keyword arguments; helpers that it may use stand in expressions.py. A result is one tensor, or several; whole numbers
 * (indices) compare equal, other numbers by the norm of the difference over the norm.
 *
 * For a random dL/dy the gradient of every input that requires one is compared in the same way.
 */
import type { Tensor } from '../../src/tensor/tensor.ts';
import type { Draw, Input } from './draw.ts';

/** The results of a row: tensors, and indices as langevin returns them. */
export type Result = Tensor | Int32Array | readonly (Tensor | Int32Array)[];

export type Attributes = Readonly<Record<string, unknown>>;

export interface Case<A> {
  readonly inputs: readonly Input[];
  readonly attributes: A;
}

export interface Row<A = Attributes> {
  readonly name: string;
  /** The largest relative error of y, and of a gradient, in float32. */
  readonly bound: number;
  draw(draw: Draw): Case<A>;
  langevin(inputs: Tensor[], attributes: A): Result;
  readonly torch: string;
  /**
   * The smallest norm in the denominator. It is for functions whose gradient is 0 in some cases, as that of a
   * softmax of one number. Default 0.
   */
  readonly floor?: number;
}

/** Returns the row; its purpose is that TypeScript infers the type of the attributes. */
export const row = <A extends Attributes>(row: Row<A>): Row => row as unknown as Row;

/** The relative error of results that are rounded at most once. */
export const ROUNDED = 2 ** -24;

/** An elementwise function of one tensor. */
export function unary(
  name: string,
  f: (x: Tensor) => Tensor,
  torch: string,
  { bound, interval }: { readonly bound: number; readonly interval: readonly [number, number] },
): Row {
  return row({
    name,
    bound,
    draw: (draw) => ({ inputs: [draw.tensor(draw.shape(), interval)], attributes: {} }),
    langevin: ([x]) => f(x),
    torch: `lambda x: ${torch}`,
  });
}

/** A function of two tensors that broadcast. */
export function binary(
  name: string,
  f: (a: Tensor, b: Tensor) => Tensor,
  torch: string,
  { bound, interval }: { readonly bound: number; readonly interval?: readonly [number, number] },
): Row {
  return row({
    name,
    bound,
    draw: (draw) => ({
      inputs: draw.broadcastPair().map((shape) => draw.tensor(shape, interval)),
      attributes: {},
    }),
    langevin: ([a, b]) => f(a, b),
    torch: `lambda a, b: ${torch}`,
  });
}
