/**
 * Writes what a network computes as an ONNX graph. The network runs once, on a batch of one, and the tape records its
 * operations. So the graph is the forward pass itself, and a new network needs no description of its own.
 *
 * Every tensor that depends on an input has the batch as its first axis, or as a factor of it. That is how a trace of one
 * picture becomes a graph for any number of them. Some tensors are computed without the tape: sines of times, rows of
 * labels, masks of captions. `conditions.ts` recognises them by the layer that uses them.
 */
import type { TapeNode } from '../../autograd/tape.ts';
import { recordedNodes } from '../../autograd/tape.ts';
import type { Variable } from '../../autograd/variable.ts';
import { InternalError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Graph, Value } from './graph.ts';
import { writeOp } from './rules.ts';

/** The value of input i of an operation that is neither a parameter nor an input of the model. */
export type ConditionOf = (node: TapeNode, i: number) => Value | undefined;

/**
 * Adds the operations that computed `y`.
 * @param known the values of parameters and inputs
 * @returns the value of y
 */
export function writeTrace(
  g: Graph,
  y: Tensor,
  known: ReadonlyMap<Variable, Value>,
  conditionOf: ConditionOf,
): Value {
  const values = new Map(known);
  const inputOf = (node: TapeNode, i: number): Value => {
    const x = node.xs[i];
    const value = values.get(x) ?? conditionOf(node, i) ?? numberOf(g, x as Tensor);
    if (!value) {
      throw new InternalError(`onnx: expected a source of input ${i} of ${node.op.name}, [${x.shape}]`);
    }
    values.set(x, value);
    return value;
  };
  for (const node of recordedNodes(y)) {
    const inputs = node.xs.map((_, i) => inputOf(node, i));
    const rows = node.op.name === 'indexSelect' ? conditionOf(node, 1) : undefined;
    const xs = rows ? [...inputs, rows] : inputs;
    const batched = xs.some((x) => x.batched);
    values.set(node.y, writeOp(g, node.op.name, { xs, attrs: node.attrs, shape: node.y.shape, batched }));
  }
  return values.get(y)!;
}

/** A number in a formula, such as the 1 of 1 + scale. */
function numberOf(g: Graph, x: Tensor): Value | undefined {
  if (x.shape.length > 0) return undefined;
  return { shape: [], batched: false, last: g.number(x.item()) };
}
