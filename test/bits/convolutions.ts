/**
 * Convolutions of every kind forwards and backwards: a thin map, Winograd's algorithm on an odd map, a stride, other
 * kernels, groups; with group normalisation between. Hashed are the results and all gradients.
 */
import { scope } from '../../src/autograd/tape.ts';
import { Conv2d } from '../../src/nn/conv.ts';
import { GroupNorm } from '../../src/nn/norm.ts';
import { Sequential } from '../../src/nn/sequential.ts';
import { Rng, type Seed } from '../../src/random/rng.ts';
import { Hash } from './hash.ts';

export async function convolutions(seed: Seed): Promise<string> {
  const rng = new Rng(seed).stream('initial values');
  const model = new Sequential(
    new Conv2d(1, 32, 3, { padding: 1, rng }),
    new GroupNorm(8, 32),
    new Conv2d(32, 36, 3, { padding: 1, rng }),
    new Conv2d(36, 64, 3, { padding: 1, stride: 2, rng }),
    new GroupNorm(8, 64),
    new Conv2d(64, 64, 3, { padding: 1, rng }),
    new Conv2d(64, 32, 1, { rng }),
    new Conv2d(32, 32, 5, { padding: 2, groups: 4, rng }),
    new Conv2d(32, 1, 3, { padding: 1, rng }),
  );
  const hash = new Hash();
  scope(() => {
    const x = new Rng(seed).stream('pictures').normal([9, 15, 13, 1]).requireGrad();
    const y = model.forward(x);
    y.mul(y).mean().backward();
    hash.tensor('y', y);
    hash.tensor('dx', x.grad!);
    for (const [name, parameter] of model.namedParameters()) hash.tensor(name, parameter.grad!);
  });
  model.dispose();
  return hash.digest();
}
