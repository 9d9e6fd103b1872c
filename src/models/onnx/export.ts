/**
 * Exports a model to one ONNX file: `model.onnx`, opset 17, IR version 8. It has the network only. A sampler calls it once
 * for each step, with the noisy pictures, their times and their labels. Any number of pictures is a batch.
 *
 *     subjects.ts     the inputs and the output of each kind of model
 *     trace.ts        from the operations that the network ran to a graph
 *     rules.ts        each operation with the operators of ONNX
 *
 * The weights have their names in langevin, and those of convolutions the layout of PyTorch, [out, in, kh, kw]. With
 * float16 the weights are stored as halves, and the network computes in float32 all the same. The metadata have the same
 * fields as a file of langevin: `model`, `sizes`, `settings`, `dtype` and `digest`.
 */
import { scope } from '../../autograd/tape.ts';
import type { Variable } from '../../autograd/variable.ts';
import { type Checkpoint, convertCheckpoint } from '../../checkpoint/checkpoint.ts';
import { tensorsDigest } from '../../checkpoint/digest.ts';
import { dtypeInfo } from '../../checkpoint/dtype.ts';
import { channelsFirst } from '../../checkpoint/layout.ts';
import { inDtype, type ModelDtype } from '../../checkpoint/model-dtype.ts';
import { encodeOnnx, ONNX_TYPES, type OnnxModel } from '../../checkpoint/onnx.ts';
import { zeros } from '../../tensor/create.ts';
import { VERSION } from '../../version.ts';
import { WORDS } from '../captions/words.ts';
import { openModel } from '../open.ts';
import { DiffusionPipeline } from '../pipeline.ts';
import { conditionsOf } from './conditions.ts';
import { Graph, type Order, type Value } from './graph.ts';
import { type Subject, subjectOf } from './subjects.ts';
import { writeTrace } from './trace.ts';

/**
 * The file of the export.
 * @throws FormatError for a file whose tensors do not fit its kind, or that `dtype` cannot represent
 */
export async function exportOnnx(checkpoint: Checkpoint, dtype: ModelDtype) {
  const digest = await tensorsDigest(convertCheckpoint(checkpoint, { dtype }), checkpoint.source);
  const opened = openModel(checkpoint);
  const subject = subjectOf(opened);
  try {
    const { kind, sizes, settings } = checkpoint;
    const words = opened instanceof DiffusionPipeline && opened.takesCaptions;
    const metadata = {
      ...{ langevin: VERSION, model: kind, sizes: JSON.stringify(sizes) },
      ...(settings && { settings: JSON.stringify(settings) }),
      ...{ dtype, digest, pixels: subject.pixels },
      ...(words && { words: JSON.stringify(WORDS.slice(0, sizes.words)) }),
    };
    const bytes = encodeOnnx({ name: kind, metadata, ...graphOf(subject, checkpoint, dtype) });
    return { files: [{ name: 'model.onnx', what: `the network, weights in ${dtype}`, bytes }], digest };
  } finally {
    subject.module.dispose();
  }
}

/** Runs the network on one picture, and writes its operations. */
function graphOf(
  { module, picture, inputs, ...subject }: Subject,
  checkpoint: Checkpoint,
  dtype: ModelDtype,
): Omit<OnnxModel, 'name' | 'metadata'> {
  const g = new Graph();
  return scope(() => {
    const x = zeros([1, ...picture], { requiresGrad: true });
    const names = new Map<Variable, string>(module.namedParameters().map(([name, p]) => [p, name]));
    const known = new Map<Variable, Value>([
      [x, { shape: x.shape, batched: true, [mapOrder(x)]: 'x' }],
      ...[...names].map(([p, name]) => [p, parameter(g, name, checkpoint, dtype)] as const),
    ]);
    const y = subject.forward(x);
    const result = writeTrace(g, y, known, conditionsOf(g, names));
    return {
      ...g.finish(mapOrder(y), result, 'y'),
      inputs: [{ name: 'x', type: 'float', shape: sizesOf(x), meaning: subject.x }, ...inputs],
      outputs: [{ name: 'y', type: 'float', shape: sizesOf(y), meaning: subject.y }],
    };
  });
}

/** The order of the axes in the file: pictures have their channels first. */
const mapOrder = ({ shape }: Variable): Order => (shape.length === 4 ? 'first' : 'last');

/** The sizes of an input or output of the model. */
function sizesOf({ shape }: Variable): (number | string)[] {
  const [, ...sizes] = shape;
  const [height, width, channels] = sizes;
  return ['batch', ...(sizes.length === 3 ? [channels, height, width] : sizes)];
}

/** A parameter as a constant. Halves become float32 when the model is loaded. */
function parameter(g: Graph, name: string, { parameters }: Checkpoint, dtype: ModelDtype): Value {
  const own = parameters.get(name)!;
  const { shape, data } = channelsFirst(inDtype(name, own, dtype));
  const narrow = dtype === 'float16' ? dtypeInfo('F16').narrow : undefined;
  const stored = narrow ? narrow(data as Float32Array) : data;
  const constant = g.constant({ name, type: narrow ? 'float16' : 'float', shape, data: stored });
  const last = narrow ? g.node('Cast', [constant], { to: ONNX_TYPES.float }) : constant;
  return { shape: own.shape, batched: false, ...(shape.length === 4 ? { first: last } : { last }) };
}
