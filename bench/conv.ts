/**
 * 3x3 convolutions with same padding at the sizes of a small U-Net, batch 64: the forward pass, and the gradients to
 * the input and to the weights. The flop of all rows are those of the direct sum, 2·9·in·out for each pixel of the
 * result. This also holds for algorithms with fewer products. Rows whose kernel computes the direct sum have the word
 * `direct`. Roof: the multiply-add peak on the same number of threads. Twin: the loops.
 */

import { algorithmOf } from '../src/backend/conv/convolutions.ts';
import { type ConvSizes, convPlaces, type Kernels } from '../src/backend/kernels.ts';
import { depthwiseCases } from './conv-depthwise.ts';
import { upsampleCases } from './conv-upsample.ts';
import type { Setting } from './setting.ts';
import type { Make, Subject } from './subject.ts';
import * as twins from './twins-conv.ts';

/** The number of pictures. A quick run has few. */
const BATCH = { quick: 2, full: 64 };

/** The side of the map, and the channels of x and of y. */
type Layer = readonly [side: number, inChannels: number, outChannels: number];

const LAYERS: readonly Layer[] = [
  [28, 32, 32],
  [14, 64, 64],
  [7, 128, 128],
  [14, 128, 64],
];
/** The first and the last layer of the U-Net. They have too few channels for Winograd. */
const THIN: readonly Layer[] = [
  [28, 1, 32],
  [28, 32, 1],
];
const STRIDED: Layer = [28, 32, 64];

type Direction = 'forward' | 'input gradient' | 'weight gradient';
const DIRECTIONS: readonly Direction[] = ['forward', 'input gradient', 'weight gradient'];

const sizesOf = (batch: number, [side, inChannels, outChannels]: Layer, stride: number): ConvSizes => ({
  ...{ batch, height: side, width: side, inChannels, outChannels },
  ...{ kernelHeight: 3, kernelWidth: 3, strideHeight: stride, strideWidth: stride },
  ...{ paddingHeight: 1, paddingWidth: 1, dilationHeight: 1, dilationWidth: 1, groups: 1 },
});

const RUN: Readonly<Record<Direction, (k: Kernels, s: ConvSizes, x: number, w: number, y: number) => void>> =
  {
    forward: (k, s, x, w, y) => k.conv2d({ ...s, x, w, out: { ptr: y, accumulate: false } }),
    'input gradient': (k, s, x, w, dy) =>
      k.conv2dInputGradient({ ...s, dy, w, out: { ptr: x, accumulate: false } }),
    'weight gradient': (k, s, x, w, dy) =>
      k.conv2dWeightGradient({ ...s, x, dy, out: { ptr: w, accumulate: false } }),
  };

const convCase =
  (direction: Direction, layer: Layer, { quick }: Setting, stride = 1): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const [side, inChannels, outChannels] = layer;
    const batch = quick ? BATCH.quick : BATCH.full;
    const s = sizesOf(batch, layer, stride);
    const places = convPlaces(s).reduce((h, w) => h * w, batch);
    const weights = 9 * inChannels * outChannels;
    const [nx, ny] = [batch * side * side * inChannels, places * outChannels];
    // With small numbers the sums of a gradient to the weights stay near 1.
    const [x, w, y] = [nx, weights, ny].map((n) => memory.array(n, -0.3, 0.3));
    const strided = stride > 1 ? [`stride ${stride}`] : [];
    const direct = algorithmOf(s) === 'winograd' ? [] : ['direct'];
    return {
      name: ['conv 3x3', ...strided, direction, ...direct].join(' '),
      shape: `${batch}x${side}x${side} ${inChannels}->${outChannels}`,
      flop: 2 * places * weights,
      bytes: 4 * (nx + weights + ny),
      roof: memory.multiplyAddPeak(),
      run: () => RUN[direction](kernels, s, x.ptr, w.ptr, y.ptr),
      twin: () => twins.conv2d(direction, s, x.twin, w.twin, y.twin),
    };
  };

export const conv: Subject = {
  name: 'conv',
  title:
    'Convolutions 3x3. Twin: the loops. Peak: multiply-adds from registers, on the same number of threads. Flop are those of the direct sum.',
  cases: (setting: Setting) => [
    ...DIRECTIONS.flatMap((direction) => LAYERS.map((layer) => convCase(direction, layer, setting))),
    ...DIRECTIONS.flatMap((direction) => THIN.map((layer) => convCase(direction, layer, setting))),
    ...DIRECTIONS.map((direction) => convCase(direction, STRIDED, setting, 2)),
    ...upsampleCases(setting),
    ...depthwiseCases(setting),
  ],
};
