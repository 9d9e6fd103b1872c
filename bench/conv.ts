/**
 * 3x3 convolutions with same padding at the sizes of a small U-Net, batch 64: the forward pass, and the gradients to
 * the input and to the weights. The flop of all rows are those of the direct sum, 2·9·in·out for each pixel of the
 * result. This also holds for algorithms with fewer products. Rows whose kernel computes the direct sum have the word
 * `direct`. Roof: the multiply-add peak on the same number of threads. Twin: the loops.
 */

import { convWork, type Direction, type Layer } from '../src/models/benchmark/works.ts';
import { depthwiseCases } from './conv-depthwise.ts';
import { upsampleCases } from './conv-upsample.ts';
import type { Setting } from './setting.ts';
import type { Make, Subject } from './subject.ts';
import * as twins from './twins-conv.ts';

/** The number of pictures. A quick run has few. */
const BATCH = { quick: 2, full: 64 };

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

const convCase =
  (
    direction: Direction,
    layer: Layer,
    { quick }: Setting,
    options: { stride?: number; fast?: boolean } = {},
  ): Make =>
  (memory) => {
    const batch = quick ? BATCH.quick : BATCH.full;
    const { operands, sizes, ...work } = convWork(memory, direction, layer, { batch, ...options });
    const [x, w, y] = operands;
    return { ...work, twin: () => twins.conv2d(direction, sizes, x.twin, w.twin, y.twin) };
  };

const DIRECTIONS: readonly Direction[] = ['forward', 'input gradient', 'weight gradient'];
/** The directions that fast convolutions change. */
const FAST: readonly Direction[] = ['forward', 'input gradient'];

export const conv: Subject = {
  name: 'conv',
  title:
    'Convolutions 3x3. Twin: the loops. Peak: multiply-adds from registers, on the same number of threads. Flop are those of the direct sum.',
  cases: (setting: Setting) => [
    ...DIRECTIONS.flatMap((direction) => LAYERS.map((layer) => convCase(direction, layer, setting))),
    ...DIRECTIONS.flatMap((direction) => THIN.map((layer) => convCase(direction, layer, setting))),
    ...DIRECTIONS.map((direction) => convCase(direction, STRIDED, setting, { stride: 2 })),
    ...FAST.flatMap((direction) =>
      LAYERS.map((layer) => convCase(direction, layer, setting, { fast: true })),
    ),
    ...upsampleCases(setting),
    ...depthwiseCases(setting),
  ],
};
