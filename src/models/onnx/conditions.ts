/**
 * The inputs of a network beside its pictures, as nodes of ONNX: the time, the label and the caption. In langevin these
 * tensors are computed in plain JavaScript, so the tape does not have them. We recognise a tensor by the layer that uses it.
 *
 *     t        the cosines and sines of nn/time-embedding.ts, in float64 as there; in the lecture's model the time itself
 *     labels   one-hot rows: rows of the identity matrix. Row -1 is the last one, which is no label.
 *     tokens   rows of the words' embedding. A place is padding if it has no word and is not the first.
 */
import type { TapeNode } from '../../autograd/tape.ts';
import type { Variable } from '../../autograd/variable.ts';
import { ONNX_TYPES } from '../../checkpoint/onnx.ts';
import { timestepFrequencies } from '../../nn/time-embedding.ts';
import type { Graph, Value } from './graph.ts';
import type { ConditionOf } from './trace.ts';

/** The embedding of the words. Its last row is the token of no caption, which is also the padding. */
const WORD_EMBEDDING = 'captions.text.words.weight';

/** The names of the inputs. */
export const TIMES = 't';
export const LABELS = 'labels';
export const TOKENS = 'tokens';

const batchedRows = (shape: readonly number[], last: string): Value => ({ shape, batched: true, last });

/** The times as a column [batch, 1], for a network that has them beside the pixels. */
function timeColumn(g: Graph): Value {
  const column = g.node('Unsqueeze', [TIMES, g.ints(1)]);
  return batchedRows([1, 1], g.node('Cast', [column], { to: ONNX_TYPES.float }));
}

/** The sinusoids of the times, [batch, dimension]. */
function sinusoids(g: Graph, dimension: number): Value {
  const frequencies = g.constant({
    ...{ name: 'frequencies', type: 'double', shape: [1, dimension / 2] },
    data: timestepFrequencies(dimension),
  });
  const angles = g.node('Mul', [g.node('Unsqueeze', [TIMES, g.ints(1)]), frequencies]);
  const waves = g.node('Concat', [g.node('Cos', [angles]), g.node('Sin', [angles])], { axis: 1 });
  return batchedRows([1, dimension], g.node('Cast', [waves], { to: ONNX_TYPES.float }));
}

/** The one-hot rows of the labels, [batch, columns]. */
function labelRows(g: Graph, columns: number): Value {
  const data = Float32Array.from({ length: columns ** 2 }, (_, i) => (i % (columns + 1) === 0 ? 1 : 0));
  const identity = g.constant({ name: 'one_hot', type: 'float', shape: [columns, columns], data });
  return batchedRows([1, columns], g.node('Gather', [identity, LABELS], { axis: 0 }));
}

/** Where the places of captions are tokens, [batch, 1, 1, places]. */
function tokenMask(g: Graph, places: number, none: number): Value {
  const token = g.constant({ name: 'none', type: 'int64', shape: [], data: BigInt64Array.of(BigInt(none)) });
  const first = g.constant({
    ...{ name: 'first_place', type: 'bool', shape: [places] },
    data: Uint8Array.from({ length: places }, (_, i) => (i === 0 ? 1 : 0)),
  });
  const isWord = g.node('Not', [g.node('Equal', [TOKENS, token])]);
  const mask = g.node('Unsqueeze', [g.node('Or', [isWord, first]), g.ints(1, 2)]);
  return batchedRows([1, 1, 1, places], mask);
}

/**
 * Recognises the tensors of the condition.
 * @param names the names of the parameters
 */
export function conditionsOf(g: Graph, names: ReadonlyMap<Variable, string>): ConditionOf {
  return ({ op, xs }: TapeNode, i: number) => {
    const [x, parameter] = xs;
    const name = parameter && names.get(parameter);
    if (op.name === 'linear' && i === 0 && name === 'time.first.weight') return sinusoids(g, x.shape[1]);
    if (op.name === 'linear' && i === 0 && name === 'label.weight') return labelRows(g, x.shape[1]);
    if (op.name === 'attention' && i === xs.length - 1) {
      const none = [...names].find(([, given]) => given === WORD_EMBEDDING)?.[0].shape[0];
      return none === undefined ? undefined : tokenMask(g, xs[i].shape[3], none - 1);
    }
    if (op.name === 'indexSelect' && i === 1 && names.get(x) === WORD_EMBEDDING) {
      return batchedRows([1], g.node('Reshape', [TOKENS, g.ints(-1)]));
    }
    if (op.name === 'cat' && x.shape.length === 2 && i === 1) return timeColumn(g);
    return undefined;
  };
}
