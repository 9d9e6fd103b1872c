/**
 * The convolutions of the WebAssembly backend: the algorithm for a shape, and the kernels that it calls. The choice
 * depends only on the shape. So results do not depend on threads, engine or time.
 */
import {
  type Conv2d,
  type Conv2dInputGradient,
  type Conv2dWeightGradient,
  type ConvSizes,
  stored,
  transposed,
} from '../kernels.ts';
import { depthwiseMap, depthwiseWeights, isDepthwise } from './depthwise.ts';
import type { ConvHost } from './host.ts';
import { forwardMaps, inputMaps } from './maps.ts';
import { fewSide, tapsForward, tapsInputGradient, tapsWeightGradient } from './taps.ts';
import { isThin3x3 } from './thin.ts';
import { usesWinograd, winogradMap, winogradWeights } from './winograd.ts';

/** The algorithms and the shapes that each can compute. A shape gets the first algorithm of this list that can. */
const ALGORITHMS = {
  /** One SIMD lane for each channel, for as many groups as channels (depthwise.ts). */
  depthwise: isDepthwise,
  /** Winograd's F(2x2, 3x3), for 3x3 with at least 32 channels (winograd.ts). */
  winograd: usesWinograd,
  /** A 3x3 kernel for at most three channels on one side (thin.ts). */
  thin: isThin3x3,
  /** A plain product, and a copy or a sum of taps, for few channels on one side (taps.ts). */
  taps: (s: ConvSizes) => fewSide(s) !== null,
  /** One product over the pixels, for 1x1 with stride 1 and without padding. */
  pointwise: (s: ConvSizes) =>
    s.kernelHeight * s.kernelWidth * s.strideHeight * s.strideWidth * s.groups === 1 &&
    s.paddingHeight + s.paddingWidth === 0,
  /** A product whose operand is gathered from the picture (assembly/conv/direct.ts, weight-gradient.ts). */
  direct: () => true,
} as const satisfies Record<string, (s: ConvSizes) => boolean>;

type Algorithm = keyof typeof ALGORITHMS;

/** How a convolution and its gradients are computed. */
export function algorithmOf(s: ConvSizes): Algorithm {
  return (Object.keys(ALGORITHMS) as Algorithm[]).find((name) => ALGORITHMS[name](s)) as Algorithm;
}

export function conv2d(on: ConvHost, record: Conv2d): void {
  const { x, w, bias = null, activation = 'none', out } = record;
  const epilogue = { bias, activation, out };
  switch (algorithmOf(record)) {
    case 'depthwise':
      return depthwiseMap(on, record);
    case 'winograd':
      return winogradMap(on, forwardMaps(record, x), false, w, epilogue);
    case 'thin':
      return on.run('conv2dThin', { ...forwardMaps(record, x), turned: false, w, ...epilogue });
    case 'taps':
      return tapsForward(on, record);
    case 'pointwise': {
      const { inChannels: k, outChannels: n } = record;
      const [a, b] = [stored(x), transposed(w)];
      return on.gemm({ m: pixelsOf(record), n, k, a, b, ...epilogue });
    }
    case 'direct':
      return on.run('conv2d', record);
  }
}

export function conv2dInputGradient(on: ConvHost, record: Conv2dInputGradient): void {
  const { dy, w, bias = null, activation = 'none', out } = record;
  const epilogue = { bias, activation, out };
  switch (algorithmOf(record)) {
    case 'depthwise':
      return depthwiseMap(on, record);
    case 'winograd':
      return winogradMap(on, inputMaps(record, dy), true, w, epilogue);
    case 'thin':
      return on.run('conv2dThin', { ...inputMaps(record, dy), turned: true, w, ...epilogue });
    case 'taps':
      // With a stride, the set of taps differs between positions of x.
      if (record.strideHeight * record.strideWidth > 1) return on.run('conv2dInputGradient', record);
      return tapsInputGradient(on, record);
    case 'pointwise': {
      const { inChannels: n, outChannels: k } = record;
      const [a, b] = [stored(dy), stored(w)];
      return on.gemm({ m: pixelsOf(record), n, k, a, b, ...epilogue });
    }
    case 'direct':
      return on.run('conv2dInputGradient', record);
  }
}

export function conv2dWeightGradient(on: ConvHost, record: Conv2dWeightGradient): void {
  const { x, dy, out } = record;
  switch (algorithmOf(record)) {
    case 'depthwise':
      return depthwiseWeights(on, record);
    case 'winograd':
      return winogradWeights(on, record);
    case 'thin':
      return on.run('conv2dThinWeightGradient', record);
    case 'taps':
      return tapsWeightGradient(on, record);
    case 'pointwise': {
      const { inChannels: n, outChannels: m } = record;
      return on.gemm({ m, n, k: pixelsOf(record), a: transposed(dy), b: stored(x), out });
    }
    case 'direct':
      return on.run('conv2dWeightGradient', record);
  }
}

/** The number of pixels of x. */
const pixelsOf = (s: ConvSizes) => s.batch * s.height * s.width;
