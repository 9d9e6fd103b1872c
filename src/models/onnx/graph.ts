/**
 * Collects the nodes and tensors of an ONNX model.
 *
 * A value is a tensor of the network, with its shape in langevin for a batch of one. A map [batch, height, width, channels]
 * can be computed in both orders of its axes: `last` is langevin's, and `first` is [batch, channels, height, width], as
 * ONNX's convolutions need it. The other order is computed when an operation asks for it, and only once. So a network of
 * convolutions has its pictures with the channels first everywhere.
 */
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor } from '../../checkpoint/onnx.ts';
import { InternalError } from '../../errors.ts';

/** A tensor of the network. `batched` tells whether its first axis grows with the batch. */
export interface Value {
  readonly shape: readonly number[];
  readonly batched: boolean;
  /** The name in langevin's order of axes. */
  last?: string;
  /** The name with the channels first. A vector of channels is [channels, 1, 1] then. */
  first?: string;
  /** The tensor that this one is a reshape of. A reshape of a reshape is a reshape of the first tensor. */
  readonly of?: Value;
}

/** The order of the axes of a map: the place of its channels. */
export type Order = 'first' | 'last';

/** The axes of a map with the channels first, as places in [batch, height, width, channels]. */
const TO_FIRST = [0, 3, 1, 2];
const TO_LAST = [0, 2, 3, 1];
/** For each axis of [batch, height, width, channels] its place with the channels first. */
export const AXIS_FIRST = TO_LAST;

/** The nodes, tensors and inputs of a model that is being written. */
export class Graph {
  private readonly nodes: OnnxNode[] = [];
  private readonly constants = new Map<string, OnnxTensor>();

  /** Adds a node. Returns the name of its output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const output = `${op.toLowerCase()}_${this.nodes.length}`;
    this.nodes.push({ op, inputs, output, attributes });
    return output;
  }

  /** Adds a constant. Returns its name. */
  constant(tensor: OnnxTensor): string {
    if (!this.constants.has(tensor.name)) this.constants.set(tensor.name, tensor);
    return tensor.name;
  }

  /** A list of whole numbers as a constant. */
  ints(...values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.constant({ name: `ints_${values.join('_')}`, type: 'int64', shape: [values.length], data });
  }

  /** A number as a constant without axes. */
  number(value: number): string {
    return this.constant({
      name: `number_${value}`,
      type: 'float',
      shape: [],
      data: Float32Array.of(value),
    });
  }

  /** The name of a value in an order of axes. Its nodes are added if the value does not have this order yet. */
  in(order: Order, value: Value): string {
    if (order === 'last') {
      value.last ??= this.node('Transpose', [value.first!], { perm: TO_LAST });
      return value.last;
    }
    value.first ??= this.toFirst(value.last!, value);
    return value.first;
  }

  /** A value with the channels first. A parameter with fewer axes broadcasts to maps, so it gets the axes of a map. */
  private toFirst(name: string, { shape, batched }: Value): string {
    const rank = shape.length;
    if (batched && rank !== 4) throw new InternalError(`onnx: expected a map, got [${shape}]`);
    switch (rank) {
      case 0:
        return name;
      case 1:
        return this.node('Unsqueeze', [name, this.ints(1, 2)]);
      case 3:
        return this.node('Transpose', [name], { perm: [2, 0, 1] });
      case 4:
        return this.node('Transpose', [name], { perm: TO_FIRST });
      default:
        throw new InternalError(`onnx: expected a map, got [${shape}]`);
    }
  }

  /** The order in which an operation on these values needs the fewest copies, for a result with `rank` axes. */
  orderOf(values: readonly Value[], rank: number): Order {
    const isFirst =
      rank === 4 && values.some((value) => value.shape.length === 4 && value.first !== undefined);
    return isFirst ? 'first' : 'last';
  }

  /** Names a value as the output of the model. Returns the nodes and the tensors that it depends on. */
  finish(order: Order, value: Value, output: string): Pick<OnnxModel, 'nodes' | 'tensors'> {
    const last = { op: 'Identity', inputs: [this.in(order, value)], output, attributes: {} };
    const needed = new Set<string>(last.inputs);
    const used: OnnxNode[] = [];
    for (const node of [...this.nodes].reverse()) {
      if (!needed.has(node.output)) continue;
      for (const input of node.inputs) needed.add(input);
      used.push(node);
    }
    const tensors = [...this.constants.values()].filter(({ name }) => needed.has(name));
    return { nodes: [...used.reverse(), last], tensors };
  }

  /** Another shape of a tensor. The first axis is the batch, or contains it. */
  reshape(name: string, shape: readonly number[], batched: boolean): string {
    const sizes = batched ? [-1, ...shape.slice(1)] : shape;
    return this.node('Reshape', [name, this.ints(...sizes)]);
  }
}
