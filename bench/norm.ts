/**
 * Group normalisation of maps at the sizes of a small U-Net, with batch 64, without and with SiLU. The cases
 * are the forward pass, and the backward pass with the gradients of the parameters. Twin: loops over
 * Float32Array. Roof: a plain copy.
 */
import type { Setting } from './setting.ts';
import type { Make, Subject } from './subject.ts';
import { groupNorm, groupNormBackward } from './twins-norm.ts';

const BATCH = 64;
const GROUPS = 8;
const MAPS = [
  [28, 32],
  [14, 64],
  [7, 128],
] as const;

const normCase =
  (what: 'forward' | 'backward', silu: boolean, [width, channels]: (typeof MAPS)[number]): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const positions = width * width;
    const n = BATCH * positions * channels;
    const [x, weight, bias] = [memory.array(n), memory.array(channels, 0.5, 1.5), memory.array(channels)];
    const sizes = { batch: BATCH, positions, channels, groups: GROUPS, silu };
    const parameters = { x: x.ptr, weight: weight.ptr, bias: bias.ptr };
    const record = { ...sizes, ...parameters, run: width, eps: 1e-5 };
    const common = {
      name: `groupNorm${silu ? ' silu' : ''} ${what}`,
      shape: `${BATCH}x${width}x${width}x${channels}`,
      elements: n,
    };
    if (what === 'forward') {
      const y = memory.array(n);
      return {
        ...common,
        bytes: 8 * n,
        roof: memory.copyPeak(n),
        run: () => kernels.groupNorm({ ...record, out: y.ptr }),
        twin: () => groupNorm(sizes, x.twin, weight.twin, bias.twin, y.twin),
      };
    }
    const [dy, dx] = [memory.array(n), memory.array(n)];
    const sums = memory.block(2 * BATCH * channels);
    const out = { ptr: dx.ptr, accumulate: false };
    return {
      ...common,
      bytes: 12 * n,
      roof: memory.copyPeak(n),
      run: () => kernels.groupNormBackward({ ...record, dy: dy.ptr, sums, out }),
      twin: () => groupNormBackward(sizes, x.twin, weight.twin, bias.twin, dy.twin, dx.twin),
    };
  };

export const norm: Subject = {
  name: 'norm',
  title: 'Group normalisation of maps, alone and with SiLU. Twin: loops. Peak: a plain copy.',
  cases: (_setting: Setting) =>
    MAPS.flatMap((map) =>
      [false, true].flatMap((silu) => [normCase('forward', silu, map), normCase('backward', silu, map)]),
    ),
};
