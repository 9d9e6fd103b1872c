/**
 * Elementwise functions at the limits of float32: zeros, subnormals, the largest numbers, infinities and NaN. A case
 * repeats one number, so that the error is relative to it. Subnormal results count as 2^-126.
 *
 * Where langevin and PyTorch differ, numbers are left out:
 * - silu and gelu of -∞ are -0 in langevin, the limit, and NaN in PyTorch, as is the gradient of gelu at ∞;
 * - where the result is NaN, relu, maximum and minimum have the gradient 0, and PyTorch passes dy on;
 * - gradients of a/b for subnormal b, and of a^b for the largest and least numbers, overflow on their way in float32.
 */
import type { Tensor } from '../../../src/index.ts';
import { SPECIALS as ENDS } from '../../helpers-cases.ts';
import { type Row, row } from '../row.ts';

const NUMBERS = ENDS.filter((x) => !Number.isNaN(x));
const NORMALS = ENDS.filter((x) => x === 0 || !(Math.abs(x) < 2 ** -126));
/** The arguments for which float32 can represent powers and their derivatives. */
const SMALL = [0, -0, 0.5, -0.5, 1, -1, 1.5, 2, -2, 3, Infinity, -Infinity, NaN];

interface Options {
  readonly choices?: readonly number[];
  /** Whether gradients are compared, true by default. */
  readonly grad?: boolean;
}

function ends(
  name: string,
  f: (...xs: Tensor[]) => Tensor,
  torch: string,
  { choices = ENDS, grad = true }: Options = {},
): Row {
  return row({
    name,
    bound: 1e-6,
    floor: 2 ** -126,
    draw: (draw) => {
      const n = draw.integer(1, 9);
      const inputs = Array.from({ length: f.length }, () => ({ ...draw.special(n, choices), grad }));
      return { inputs, attributes: {} };
    },
    langevin: (xs) => f(...xs),
    torch,
  });
}

export const SPECIALS: readonly Row[] = [
  ends('exp at the ends', (x) => x.exp(), 'lambda x: x.exp()'),
  ends('log at the ends', (x) => x.log(), 'lambda x: x.log()'),
  ends('sqrt at the ends', (x) => x.sqrt(), 'lambda x: x.sqrt()'),
  ends('relu at the ends', (x) => x.relu(), 'lambda x: x.relu()', { choices: NUMBERS }),
  ends('abs at the ends', (x) => x.abs(), 'lambda x: x.abs()'),
  ends('neg at the ends', (x) => x.neg(), 'lambda x: -x'),
  ends('sigmoid at the ends', (x) => x.sigmoid(), 'lambda x: x.sigmoid()'),
  // Its derivative 1 - y² loses digits where y is near 1.
  ends('tanh at the ends', (x) => x.tanh(), 'lambda x: x.tanh()', {
    choices: ENDS.filter((x) => Math.abs(x) !== 3),
  }),
  ends('silu at the ends', (x) => x.silu(), 'lambda x: F.silu(x)', {
    choices: ENDS.filter((x) => x !== -Infinity),
  }),
  ends('clamp at the ends', (x) => x.clamp(-1, 2), 'lambda x: x.clamp(-1, 2)'),
  ends('sin at the ends', (x) => x.sin(), 'lambda x: x.sin()'),
  ends('cos at the ends', (x) => x.cos(), 'lambda x: x.cos()'),
  ends('erf at the ends', (x) => x.erf(), 'lambda x: x.erf()'),
  ends('gelu at the ends', (x) => x.gelu(), 'lambda x: F.gelu(x)', {
    choices: ENDS.filter((x) => Math.abs(x) !== Infinity),
  }),
  ends('softplus at the ends', (x) => x.softplus(), 'lambda x: F.softplus(x, threshold=600)'),
  ends('leakyRelu at the ends', (x) => x.leakyRelu(), 'lambda x: F.leaky_relu(x)'),
  ends('add at the ends', (a, b) => a.add(b), 'lambda a, b: a + b'),
  ends('sub at the ends', (a, b) => a.sub(b), 'lambda a, b: a - b'),
  ends('mul at the ends', (a, b) => a.mul(b), 'lambda a, b: a * b'),
  ends('div at the ends', (a, b) => a.div(b), 'lambda a, b: a / b', { choices: NORMALS }),
  ends('pow at the ends, values', (a, b) => a.pow(b), 'lambda a, b: a ** b', { grad: false }),
  ends('pow at 0, 1, infinities and NaN', (a, b) => a.pow(b), 'lambda a, b: a ** b', { choices: SMALL }),
  ends('maximum at the ends', (a, b) => a.maximum(b), 'lambda a, b: torch.maximum(a, b)', {
    choices: NUMBERS,
  }),
  ends('minimum at the ends', (a, b) => a.minimum(b), 'lambda a, b: torch.minimum(a, b)', {
    choices: NUMBERS,
  }),
];
