/**
 * Elementwise functions. Intervals leave out ill-conditioned arguments, such as log near 1 and powers of 0. Kinks and
 * ties have their own rows: there langevin makes the same choice as PyTorch.
 */
import { binary, ROUNDED, type Row, row, unary } from '../row.ts';

export const ELEMENTWISE: readonly Row[] = [
  binary('add', (a, b) => a.add(b), 'a + b', { bound: 5e-7 }),
  binary('sub', (a, b) => a.sub(b), 'a - b', { bound: 5e-7 }),
  binary('mul', (a, b) => a.mul(b), 'a * b', { bound: 5e-7 }),
  binary('div', (a, b) => a.div(b), 'a / b', { bound: 5e-7 }),
  binary('pow', (a, b) => a.pow(b), 'a ** b', { bound: 5e-7, interval: [0.5, 2] }),
  binary('maximum', (a, b) => a.maximum(b), 'torch.maximum(a, b)', { bound: 5e-7, interval: [-2, 2] }),
  binary('minimum', (a, b) => a.minimum(b), 'torch.minimum(a, b)', { bound: 5e-7, interval: [-2, 2] }),
  ...(['maximum', 'minimum'] as const).map((name) =>
    row({
      name: `${name} at ties`,
      bound: 5e-7,
      draw: (draw) => ({ inputs: draw.broadcastPair().map((shape) => draw.ties(shape)), attributes: {} }),
      langevin: ([a, b]) => a[name](b),
      torch: `lambda a, b: torch.${name}(a, b)`,
    }),
  ),
  row({
    name: 'arithmetic with numbers',
    bound: 3e-7,
    draw: (draw) => ({ inputs: [draw.tensor(draw.shape())], attributes: { c: draw.integer(1, 64) / 16 } }),
    langevin: ([x], { c }) => x.mul(c).add(c).div(c).sub(0.5),
    torch: 'lambda x, c: (x * c + c) / c - 0.5',
  }),
  row({
    name: 'pow with a whole exponent',
    bound: 5e-7,
    draw: (draw) => ({
      inputs: [draw.tensor(draw.shape(), [-2, 2])],
      attributes: { exponent: draw.integer(-3, 4) },
    }),
    langevin: ([x], { exponent }) => x.pow(exponent),
    torch: 'lambda x, exponent: x ** exponent',
  }),

  unary('neg', (x) => x.neg(), '-x', { bound: 0, interval: [-3, 3] }),
  unary('abs', (x) => x.abs(), 'x.abs()', { bound: 0, interval: [-3, 3] }),
  unary('exp', (x) => x.exp(), 'x.exp()', { bound: 2e-7, interval: [-5, 5] }),
  unary('log', (x) => x.log(), 'x.log()', { bound: 2e-7, interval: [2, 90] }),
  unary('sqrt', (x) => x.sqrt(), 'x.sqrt()', { bound: 2e-7, interval: [0.01, 9] }),
  unary('relu', (x) => x.relu(), 'x.relu()', { bound: 0, interval: [-3, 3] }),
  unary('sigmoid', (x) => x.sigmoid(), 'x.sigmoid()', { bound: 5e-7, interval: [-4, 4] }),
  unary('tanh', (x) => x.tanh(), 'x.tanh()', { bound: 5e-7, interval: [-2, 2] }),
  // Its derivative is 0 near -1.28.
  unary('silu', (x) => x.silu(), 'F.silu(x)', { bound: 5e-7, interval: [-1, 5] }),
  unary('silu below its minimum', (x) => x.silu(), 'F.silu(x)', { bound: 5e-7, interval: [-6, -1.5] }),
  unary('sin', (x) => x.sin(), 'x.sin()', { bound: 5e-7, interval: [0.2, 2.9] }),
  unary('cos', (x) => x.cos(), 'x.cos()', { bound: 5e-7, interval: [-1.4, -0.1] }),
  unary('erf', (x) => x.erf(), 'x.erf()', { bound: 5e-7, interval: [-2, 2] }),
  // Its derivative is 0 near -0.75.
  unary('gelu', (x) => x.gelu(), 'F.gelu(x)', { bound: 5e-7, interval: [-0.5, 4] }),
  unary('gelu below its minimum', (x) => x.gelu(), 'F.gelu(x)', { bound: 1e-6, interval: [-4, -1] }),
  unary('softplus', (x) => x.softplus(), 'F.softplus(x, threshold=600)', { bound: 5e-7, interval: [-9, 30] }),
  unary('leakyRelu', (x) => x.leakyRelu(0.125), 'F.leaky_relu(x, 0.125)', { bound: 2e-7, interval: [-3, 3] }),
  row({
    name: 'sin and cos of large angles',
    bound: 1e-6,
    floor: 0.5,
    draw: (draw) => {
      const far = draw.oneOf([10, 1e3, 1e6, 1e20, 1e38]);
      return { inputs: [draw.tensor(draw.shape(), [-far, far])], attributes: {} };
    },
    langevin: ([x]) => [x.sin(), x.cos()],
    torch: 'lambda x: [x.sin(), x.cos()]',
  }),
  ...(['relu', 'abs', 'leakyRelu'] as const).map((name) =>
    row({
      name: `${name} at 0`,
      bound: 2e-7,
      draw: (draw) => ({ inputs: [draw.ties(draw.shape())], attributes: {} }),
      langevin: ([x]) => x[name](),
      torch: `lambda x: ${name === 'leakyRelu' ? 'F.leaky_relu(x)' : `x.${name}()`}`,
    }),
  ),
  row({
    name: 'clamp',
    bound: ROUNDED,
    draw: (draw) => ({
      inputs: [draw.chance(0.5) ? draw.ties(draw.shape()) : draw.tensor(draw.shape(), [-3, 3])],
      attributes: { lo: -1, hi: draw.integer(-1, 2) },
    }),
    langevin: ([x], { lo, hi }) => x.clamp(lo, hi),
    torch: 'lambda x, lo, hi: x.clamp(lo, hi)',
  }),
];
