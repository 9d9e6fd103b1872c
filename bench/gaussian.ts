/**
 * Random arrays. The twin for normals is Marsaglia's polar method on `Math.random`. The twin for uniforms and bits is
 * `Math.random` itself, in loops over typed arrays. Twins make different random numbers, so only the times are compared.
 */
import type { Key } from '../src/backend/kernels.ts';
import type { Make, Subject } from './subject.ts';
import { polarNormals } from './twins.ts';

const KEY: Key = { seed: [1, 2], stream: [3, 4] };
/** The size of the noise of a batch of pictures, and a million. */
const BATCH = 64 * 784;
const MANY = 2 ** 20;
const label = (n: number) => (n === BATCH ? '64x784' : String(n));

type Kernel = 'gaussian' | 'uniform' | 'randomBits';

/** The twin of each kernel, for n numbers. */
const TWINS: { readonly [K in Kernel]: (n: number) => () => void } = {
  gaussian(n) {
    const out = new Float32Array(n);
    return () => polarNormals(out);
  },
  uniform(n) {
    const out = new Float32Array(n);
    return () => {
      for (let i = 0; i < n; i++) out[i] = Math.random();
    };
  },
  randomBits(n) {
    const out = new Uint32Array(n);
    return () => {
      for (let i = 0; i < n; i++) out[i] = Math.random() * 2 ** 32;
    };
  },
};

export const randomCase =
  (name: Kernel, n: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const out = memory.block(n);
    return {
      name,
      shape: label(n),
      samples: n,
      bytes: 4 * n,
      run: () => kernels.random(name, { n, out, key: KEY, block: 0 }),
      twin: TWINS[name](n),
    };
  };

export const gaussian: Subject = {
  name: 'gaussian',
  title: 'Random arrays. Twin: Math.random, for normals by the polar method.',
  cases: () =>
    [BATCH, MANY].flatMap((n) => (Object.keys(TWINS) as Kernel[]).map((name) => randomCase(name, n))),
};
