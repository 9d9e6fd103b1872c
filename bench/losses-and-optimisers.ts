/** The loss and the optimisers as cases of the subject `elementwise`. These kernels read and write several arrays. */
import type { AdamStep, RmspropStep, SgdStep } from '../src/backend/kernels.ts';
import type { Make } from './subject.ts';
import * as twins from './twins.ts';

/** Adam's hundredth step, with PyTorch's defaults. */
const ADAM: AdamStep = {
  stepSize: 1e-3 / (1 - 0.9 ** 100),
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  correction: Math.sqrt(1 - 0.999 ** 100),
  l2: 0,
  shrink: 1,
};
const SGD: SgdStep = { lr: 0.1, momentum: 0.9, dampening: 0, l2: 0, nesterov: false, first: false };
const RMSPROP: RmspropStep = { lr: 0.01, alpha: 0.99, eps: 1e-8, momentum: 0, l2: 0 };

export const mse =
  (n: number, shape: string): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const [a, b, y] = [memory.array(n), memory.array(n), memory.array(1)];
    return {
      name: 'mse',
      shape,
      elements: n,
      bytes: 8 * n,
      roof: memory.copyPeak(n),
      run: () => kernels.mse({ n: n, a: a.ptr, b: b.ptr, out: y.ptr }),
      twin: () => twins.mse(n, a.twin, b.twin, y.twin),
    };
  };

export const mseBackward =
  (n: number, shape: string): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const [a, b, dy, dx] = [memory.array(n), memory.array(n), memory.array(1, 1, 2), memory.array(n)];
    return {
      name: 'mseBackward',
      shape,
      elements: n,
      bytes: 12 * n,
      roof: memory.copyPeak(n),
      run: () =>
        kernels.mseBackward({
          n: n,
          a: a.ptr,
          b: b.ptr,
          dy: dy.ptr,
          scale: 0.5,
          out: { ptr: dx.ptr, accumulate: false },
        }),
      twin: () => twins.mseBackward(n, a.twin, b.twin, dy.twin, 0.5, dx.twin),
    };
  };

/** Reads p, g, m and v, writes p, m and v. */
export const adam =
  (n: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const [p, g] = [memory.array(n), memory.array(n)];
    const [m, v] = [memory.array(n), memory.array(n, 0.1, 1)];
    return {
      name: 'adam',
      shape: String(n),
      elements: n,
      bytes: 28 * n,
      roof: memory.copyPeak(n),
      run: () => kernels.adam({ n: n, p: p.ptr, g: g.ptr, m: m.ptr, v: v.ptr, ...ADAM }),
      twin: () => twins.adam(n, p.twin, g.twin, m.twin, v.twin, ADAM),
    };
  };

/** Reads p, g and the momentum buffer, writes p and the buffer. */
export const sgd =
  (n: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const [p, g, buffer] = [memory.array(n), memory.array(n), memory.array(n)];
    return {
      name: 'sgd momentum',
      shape: String(n),
      elements: n,
      bytes: 20 * n,
      roof: memory.copyPeak(n),
      run: () => kernels.sgd({ n: n, p: p.ptr, g: g.ptr, buffer: buffer.ptr, ...SGD }),
      twin: () => twins.sgd(n, p.twin, g.twin, buffer.twin, SGD),
    };
  };

/** Reads p, g and v, writes p and v. */
export const rmsprop =
  (n: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const [p, g, v] = [memory.array(n), memory.array(n), memory.array(n, 0.1, 1)];
    const plain = { average: null, buffer: null };
    return {
      name: 'rmsprop',
      shape: String(n),
      elements: n,
      bytes: 20 * n,
      roof: memory.copyPeak(n),
      run: () => kernels.rmsprop({ n, p: p.ptr, g: g.ptr, v: v.ptr, ...plain, ...RMSPROP }),
      twin: () => twins.rmsprop(n, p.twin, g.twin, v.twin, RMSPROP),
    };
  };
