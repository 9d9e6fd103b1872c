/**
 * Random arrays. Twins: for normals Marsaglia's polar method on `Math.random`, for uniforms and bits
 * `Math.random` itself, in loops over typed arrays. Twins draw other numbers, so that only times compare.
 */
import type { Key } from '../src/backend/kernels.ts';
import type { Make, Subject } from './subject.ts';
import { polarNormals } from './twins.ts';

const KEY: Key = { seed: [1, 2], stream: [3, 4] };
/** The noise of a batch of pictures, and a million. */
const BATCH = 64 * 784;
const MANY = 2 ** 20;
const label = (n: number) => (n === BATCH ? '64x784' : String(n));

export const gaussianCase =
  (n: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const out = memory.block(n);
    const twin = new Float32Array(n);
    return {
      name: 'gaussian',
      shape: label(n),
      samples: n,
      bytes: 4 * n,
      run: () => kernels.gaussian(n, out, KEY, 0),
      twin: () => polarNormals(twin),
    };
  };

const uniform =
  (n: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const out = memory.block(n);
    const twin = new Float32Array(n);
    return {
      name: 'uniform',
      shape: label(n),
      samples: n,
      bytes: 4 * n,
      run: () => kernels.uniform(n, out, KEY, 0),
      twin() {
        for (let i = 0; i < n; i++) twin[i] = Math.random();
      },
    };
  };

const randomBits =
  (n: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const out = memory.block(n);
    const twin = new Uint32Array(n);
    return {
      name: 'randomBits',
      shape: label(n),
      samples: n,
      bytes: 4 * n,
      run: () => kernels.randomBits(n, out, KEY, 0),
      twin() {
        for (let i = 0; i < n; i++) twin[i] = Math.random() * 2 ** 32;
      },
    };
  };

export const gaussian: Subject = {
  name: 'gaussian',
  title: 'Random arrays. Twin: Math.random, for normals by the polar method.',
  cases: () => [BATCH, MANY].flatMap((n) => [gaussianCase(n), uniform(n), randomBits(n)]),
};
