/**
 * Matrix products, c[m,n] = op(a)[m,k]·op(b)[k,n], in the shapes of training and in squares. In NN, NT and TN a T
 * means that the operand is stored transposed. `linear` computes NT in the forward pass (its weights are [out,in]), NN
 * for dX and TN for dW. A shape is written m x k x n. A product has 2·m·k·n flop. Twin: the triple loop. Roof: the
 * multiply-add peak on the same number of threads.
 */
import { type Form, gemmWork, type Shape3 } from '../src/models/benchmark/works.ts';
import type { Case } from './harness.ts';
import type { Operands } from './operands.ts';
import type { Setting } from './setting.ts';
import type { Make, Subject } from './subject.ts';
import * as twins from './twins.ts';

/** The denoiser's layers at batch 64. */
const LAYERS: readonly Shape3[] = [
  [64, 784, 400],
  [64, 400, 400],
  [64, 400, 784],
];

const PRODUCTS: readonly (readonly [Form, Shape3])[] = [
  ...LAYERS.map((shape) => ['NN', shape] as const),
  ...LAYERS.map((shape) => ['NT', shape] as const),
  // dW[out,in] = dzᵀ·x sums over the batch.
  ...LAYERS.map(([batch, input, output]) => ['TN', [output, batch, input]] as const),
  // The lecture's model appends the time to the image, which gives an odd width.
  ['NT', [64, 785, 400]],
  ['NN', [64, 64, 64]],
  ['NN', [128, 128, 128]],
  ['NN', [256, 256, 256]],
  ['NN', [512, 512, 512]],
];
/** A quick run does not have this product. It has no twin, because the twin would take ten seconds. */
const LARGE: readonly [Form, Shape3] = ['NN', [1024, 1024, 1024]];

export function gemmCase([form, shape]: readonly [Form, Shape3]): Make {
  return (memory) => {
    const { operands, ...work } = gemmWork(memory, form, shape);
    const [m, k, n] = shape;
    const [a, b, c] = operands;
    const [aT, bT] = [form[0] === 'T', form[1] === 'T'];
    return { ...work, twin: () => twins.gemm(m, n, k, a.twin, aT, b.twin, bT, c.twin) };
  };
}

function largeCase(memory: Operands): Case {
  const { twin: _, ...rest } = gemmCase(LARGE)(memory);
  return rest;
}

function peakCase(memory: Operands): Case {
  const { run, amount } = memory.multiplyAddPeak();
  return { name: 'multiply-add peak', shape: 'registers', flop: amount, run };
}

export const gemm: Subject = {
  name: 'gemm',
  title:
    'Matrix products. Twin: the triple loop. Peak: multiply-adds from registers, on the same number of threads.',
  cases: ({ threads, quick }: Setting) => [
    ...(threads === 1 ? [peakCase] : []),
    ...PRODUCTS.map((product) => gemmCase(product)),
    ...(quick ? [] : [largeCase]),
  ],
};
