/**
 * Random arrays. The twin for normals is Marsaglia's polar method on `Math.random`. The twin for uniforms and bits is
 * `Math.random` itself, in loops over typed arrays. Twins make different random numbers, so only the times are compared.
 */
import { randomWork } from '../src/models/benchmark/works.ts';
import type { Make, Subject } from './subject.ts';
import { polarNormals } from './twins.ts';

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
  (memory) => ({ ...randomWork(memory, name, n), shape: label(n), twin: TWINS[name](n) });

export const gaussian: Subject = {
  name: 'gaussian',
  title: 'Random arrays. Twin: Math.random, for normals by the polar method.',
  cases: () =>
    [BATCH, MANY].flatMap((n) => (Object.keys(TWINS) as Kernel[]).map((name) => randomCase(name, n))),
};
