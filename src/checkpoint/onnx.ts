/**
 * Writes ONNX models: a graph of nodes with its tensors, inputs and outputs. The messages are those of onnx.proto, as far as
 * a network needs them, and protobufjs encodes them. The names of fields do not occur in a file, only their numbers.
 *
 * IR version 8 and opset 17 are those of ONNX 1.12 (2022). Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 * Left out on purpose: reading a file, and tensors in files of their own.
 */
import protobuf from 'protobufjs/light.js';
import { VERSION } from '../version.ts';
import { swapToLittleEndian } from './dtype.ts';

const IR_VERSION = 8;
const OPSET = 17;

type Fields = Readonly<Record<string, readonly [id: number, type: string, rule?: 'repeated']>>;

const MESSAGES: Readonly<Record<string, Fields>> = {
  ModelProto: {
    ir_version: [1, 'int64'],
    producer_name: [2, 'string'],
    producer_version: [3, 'string'],
    doc_string: [6, 'string'],
    graph: [7, 'GraphProto'],
    opset_import: [8, 'OperatorSetIdProto', 'repeated'],
    metadata_props: [14, 'StringStringEntryProto', 'repeated'],
  },
  OperatorSetIdProto: { domain: [1, 'string'], version: [2, 'int64'] },
  StringStringEntryProto: { key: [1, 'string'], value: [2, 'string'] },
  GraphProto: {
    node: [1, 'NodeProto', 'repeated'],
    name: [2, 'string'],
    initializer: [5, 'TensorProto', 'repeated'],
    input: [11, 'ValueInfoProto', 'repeated'],
    output: [12, 'ValueInfoProto', 'repeated'],
  },
  NodeProto: {
    input: [1, 'string', 'repeated'],
    output: [2, 'string', 'repeated'],
    name: [3, 'string'],
    op_type: [4, 'string'],
    attribute: [5, 'AttributeProto', 'repeated'],
  },
  AttributeProto: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int64'],
    s: [4, 'bytes'],
    ints: [8, 'int64', 'repeated'],
    type: [20, 'int32'],
  },
  TensorProto: {
    dims: [1, 'int64', 'repeated'],
    data_type: [2, 'int32'],
    name: [8, 'string'],
    raw_data: [9, 'bytes'],
  },
  ValueInfoProto: { name: [1, 'string'], type: [2, 'TypeProto'], doc_string: [3, 'string'] },
  TypeProto: { tensor_type: [1, 'TensorTypeProto'] },
  TensorTypeProto: { elem_type: [1, 'int32'], shape: [2, 'TensorShapeProto'] },
  TensorShapeProto: { dim: [1, 'DimensionProto', 'repeated'] },
  DimensionProto: { dim_value: [1, 'int64'], dim_param: [2, 'string'] },
};

/** The numbers of the element types. */
export const ONNX_TYPES = { float: 1, int64: 7, bool: 9, float16: 10, double: 11 } as const;
/** An element type. */
export type OnnxType = keyof typeof ONNX_TYPES;

/** A constant. The bytes are those of a typed array. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/** An attribute of a node. A plain number is a whole one. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

/** An operation. Its name is that of its output. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** An input or an output of the model. A size can have a name, such as `batch`. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
  /** What its numbers mean. */
  readonly meaning: string;
}

/** A model. Nodes come after the nodes that they use. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes of a model's file. */
export function encodeOnnx({ name, metadata, ...graph }: OnnxModel): Uint8Array {
  return modelProto()
    .encode({
      ir_version: IR_VERSION,
      producer_name: 'langevin',
      producer_version: VERSION,
      graph: {
        name,
        node: graph.nodes.map(nodeProto),
        initializer: graph.tensors.map(tensorProto),
        input: graph.inputs.map(valueProto),
        output: graph.outputs.map(valueProto),
      },
      opset_import: [{ domain: '', version: OPSET }],
      metadata_props: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    })
    .finish();
}

function modelProto(): protobuf.Type {
  const nested = Object.entries(MESSAGES).map(([message, fields]) => {
    const described = Object.entries(fields).map(([field, [id, type, rule]]) => [field, { id, type, rule }]);
    return [message, { fields: Object.fromEntries(described) }];
  });
  return protobuf.Root.fromJSON({ nested: Object.fromEntries(nested) }).lookupType('ModelProto');
}

const nodeProto = ({ op, inputs, output, attributes }: OnnxNode) => ({
  input: inputs,
  output: [output],
  name: output,
  op_type: op,
  attribute: Object.entries(attributes).map(([name, value]) => ({ name, ...attributeProto(value) })),
});

/** The value of an attribute, and the number of its type. */
function attributeProto(value: OnnxAttribute) {
  if (typeof value === 'number') return { i: value, type: 2 };
  if (typeof value === 'string') return { s: new TextEncoder().encode(value), type: 3 };
  return 'float' in value ? { f: value.float, type: 1 } : { ints: value, type: 7 };
}

function tensorProto({ name, type, shape, data }: OnnxTensor) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  const elements = shape.reduce((product, n) => product * n, 1);
  swapToLittleEndian(bytes, bytes.length / elements);
  return { dims: shape, data_type: ONNX_TYPES[type], name, raw_data: bytes };
}

const valueProto = ({ name, type, shape, meaning }: OnnxValue) => ({
  name,
  type: {
    tensor_type: {
      elem_type: ONNX_TYPES[type],
      shape: {
        dim: shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size })),
      },
    },
  },
  doc_string: meaning,
});
