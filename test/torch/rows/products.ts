/** Products. Numbers of one tensor have one sign, so that no sum cancels. */
import { einsum, linear } from '../../../src/index.ts';
import { type Row, row } from '../row.ts';

export const PRODUCTS: readonly Row[] = [
  row({
    name: 'matmul of matrices',
    bound: 1e-6,
    draw: (draw) => {
      const [m, k, n] = [draw.size(), draw.size(), draw.size()];
      const [aT, bT] = [draw.chance(0.5), draw.chance(0.5)];
      return {
        inputs: [draw.tensor(aT ? [k, m] : [m, k]), draw.tensor(bT ? [n, k] : [k, n])],
        attributes: { aT, bT },
      };
    },
    langevin: ([a, b], options) => a.matmul(b, options),
    torch: 'lambda a, b, aT, bT: (a.T if aT else a) @ (b.T if bT else b)',
  }),
  row({
    name: 'matmul of long rows',
    bound: 2e-6,
    draw: (draw) => ({
      inputs: [draw.tensor([draw.integer(1, 6), 0].with(1, 900)), draw.tensor([900, draw.integer(1, 6)])],
      attributes: {},
    }),
    langevin: ([a, b]) => a.matmul(b),
    torch: 'lambda a, b: a @ b',
  }),
  row({
    name: 'matmul of batches',
    bound: 1e-6,
    draw: (draw) => {
      const [m, k, n] = [draw.size(0, 3), draw.size(0, 3), draw.size(0, 3)];
      const [aT, bT] = [draw.chance(0.5), draw.chance(0.5)];
      const [left, right] = draw.broadcastPair({ rank: [0, 3] }).map((batch) => batch.map((n) => n % 6));
      return {
        inputs: [
          draw.tensor([...left, ...(aT ? [k, m] : [m, k])]),
          draw.tensor([...right, ...(bT ? [n, k] : [k, n])]),
        ],
        attributes: { aT, bT },
      };
    },
    langevin: ([a, b], options) => a.matmul(b, options),
    torch: 'lambda a, b, aT, bT: (a.mT if aT else a) @ (b.mT if bT else b)',
  }),
  row({
    name: 'matmul with vectors',
    bound: 1e-6,
    draw: (draw) => {
      const k = draw.size();
      const matrices = draw.shape({ rank: [0, 3] });
      const [left, right] = draw.oneOf([
        [[k], [k]],
        [[...matrices, k], [k]],
        [[k], matrices.length === 0 ? [k] : [...matrices.slice(0, -1), k, matrices[matrices.length - 1]]],
      ]);
      return { inputs: [draw.tensor(left), draw.tensor(right)], attributes: {} };
    },
    langevin: ([a, b]) => a.matmul(b),
    torch: 'lambda a, b: a @ b',
  }),
  row({
    name: 'einsum',
    bound: 1e-6,
    draw: (draw) => {
      const sizes = Object.fromEntries([...'abcdeZ'].map((letter) => [letter, draw.integer(0, 20) % 7 || 1]));
      if (draw.chance(0.03)) sizes.b = 0;
      const operands = Array.from({ length: draw.integer(1, 4) }, () =>
        Array.from({ length: draw.integer(0, 3) }, () => draw.oneOf(Object.keys(sizes))),
      );
      const letters = draw.shuffled([...new Set(operands.flat())]);
      const output = letters.slice(0, draw.integer(0, letters.length));
      const inputs = operands.map((axes) => axes.join('')).join(',');
      return {
        inputs: operands.map((axes) => draw.tensor(axes.map((letter) => sizes[letter]))),
        attributes: { equation: draw.chance(0.2) ? inputs : `${inputs}->${output.join('')}` },
      };
    },
    langevin: (xs, { equation }) => einsum(equation, ...xs),
    torch: 'lambda *xs, equation: torch.einsum(equation, *xs)',
  }),
  ...[
    'bij,bjk->bik',
    'bhid,bhjd->bhij',
    'ij,jk,kl->il',
    'bi,oij,bj->bo',
    'ii->i',
    'ii',
    'ij->ji',
    'i,j->ij',
  ].map((equation) =>
    row({
      name: `einsum ${equation}`,
      bound: 1e-6,
      draw: (draw) => {
        const sizes = Object.fromEntries([...'bijklhdo'].map((letter) => [letter, draw.size(0, 4)]));
        const operands = equation.split('->')[0].split(',');
        return {
          inputs: operands.map((axes) => draw.tensor([...axes].map((letter) => sizes[letter]))),
          attributes: {},
        };
      },
      langevin: (xs) => einsum(equation, ...xs),
      torch: `lambda *xs: torch.einsum('${equation}', *xs)`,
    }),
  ),
  ...(['none', 'relu', 'sigmoid', 'tanh'] as const).map((activation) =>
    row({
      name: activation === 'none' ? 'linear' : `linear with ${activation}`,
      bound: 1e-6,
      draw: (draw) => {
        const [inner, out] = [draw.size(1), draw.size(1)];
        const rows = draw.shape({ rank: [1, 3] });
        // Sums of products of up to 1, so that activations are not saturated.
        const scaled: [number, number] = [0.25 / inner, 1 / inner];
        const inputs = [draw.tensor([...rows, inner], [0.5, 1]), draw.tensor([out, inner], scaled)];
        return {
          inputs: draw.chance(0.5) ? [...inputs, draw.tensor([out], [0.1, 1])] : inputs,
          attributes: {},
        };
      },
      langevin: ([x, w, b = null]) => linear(x, w, b, activation),
      torch: `lambda x, w, b=None: ${activation === 'none' ? '' : `F.${activation}`}(F.linear(x, w, b))`,
    }),
  ),
];
