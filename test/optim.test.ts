/**
 * Compares optimisers on both backends with sequences that PyTorch 1.13 computed in float64, and with their formulas,
 * written out here.
 */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { backend, setBackend } from '../src/backend/backend.ts';
import { ValueError } from '../src/errors.ts';
import { Adam, type AdamOptions, AdamW } from '../src/optim/adam.ts';
import type { Optimizer } from '../src/optim/optimizer.ts';
import { RMSprop, type RMSpropOptions } from '../src/optim/rmsprop.ts';
import { SGD, type SgdOptions } from '../src/optim/sgd.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, refused } from './helpers.ts';
import { giveGradient, onEach, parametersOf } from './helpers-optim.ts';
import { suite } from './suite.ts';

/** Two parameters, and the loss Σ (c·p²/2 - d·p) over both: its gradient is c·p - d. */
const P = [
  [0.5, -1.25, 2],
  [1.5, -0.75, 0.25, -2.5],
];
const C = [
  [1, 0.5, 2],
  [0.75, 1.5, 3, 0.25],
];
const D = [
  [0.3, -0.2, 0.1],
  [-0.4, 0.2, 0.5, 0.6],
];

/** The loss of the given parameters only: the others get no gradient. */
function lossOf(parameters: readonly Tensor[], wanted: readonly number[]): Tensor {
  return wanted
    .map((i) => {
      const p = parameters[i];
      return p
        .mul(p)
        .mul(tensor(C[i]))
        .mul(0.5)
        .sub(p.mul(tensor(D[i])))
        .sum();
    })
    .reduce((a, b) => a.add(b));
}

/**
 * Six steps; the third leaves the second parameter without a gradient, before the fourth the learning rate is
 * halved. Returns both parameters.
 */
function sixSteps(make: (parameters: readonly Tensor[]) => Optimizer): number[] {
  const parameters = parametersOf(P);
  const optimizer = make(parameters);
  for (let t = 0; t < 6; t++) {
    if (t === 3) optimizer.lr *= 0.5;
    scope(() => {
      optimizer.zeroGrad();
      lossOf(parameters, t === 2 ? [0] : [0, 1]).backward();
      optimizer.step();
    });
  }
  return valuesOf(parameters);
}

const valuesOf = (parameters: readonly Tensor[]): number[] =>
  parameters.flatMap((p) => Array.from(p.toTypedArray()));

const sgd = (options: SgdOptions) => (p: readonly Tensor[]) => new SGD(p, { lr: 0.1, ...options });
const adam = (options: AdamOptions) => (p: readonly Tensor[]) => new Adam(p, options);
const adamW = (options: AdamOptions) => (p: readonly Tensor[]) => new AdamW(p, options);

/** [what, optimiser, the parameters after sixSteps in torch.optim, float64] */
const TORCH: [string, (parameters: readonly Tensor[]) => Optimizer, number[]][] = [
  [
    'SGD',
    sgd({}),
    [
      0.425005275, -1.0754661481445311, 0.7778336, 1.0179611937255857, -0.37177864648437503, 0.1917434375,
      -2.0855595252685544,
    ],
  ],
  [
    'SGD with momentum',
    sgd({ momentum: 0.9 }),
    [
      0.3179658, -0.8101498940429688, -0.7084759, 0.4210582630615234, 0.07255430664062497, 0.132565625,
      -1.5570886395263672,
    ],
  ],
  [
    'SGD with dampening',
    sgd({ momentum: 0.9, dampening: 0.5 }),
    [
      0.36682784765625, -0.9452668354034425, -0.22808852500000013, 0.7197867112655637, -0.12181601843261722,
      0.14889384765625, -1.841379135429382,
    ],
  ],
  [
    'SGD with Nesterov momentum',
    sgd({ momentum: 0.8, nesterov: true }),
    [
      0.3265602127536, -0.8034487768194811, -0.2938790557696, 0.34877934465667954, 0.06225650879812509,
      0.1502058211, -1.4410006586265234,
    ],
  ],
  [
    'SGD with weight decay',
    sgd({ momentum: 0.9, weightDecay: 0.1 }),
    [
      0.2783441863190625, -0.695033560016, -0.7684312582611252, 0.33505603647910154, 0.10374339680000007,
      0.123316372840625, -1.3834408797462887,
    ],
  ],
  [
    'Adam',
    adam({ lr: 0.1 }),
    [
      0.2093194817891027, -0.8088601607811198, 1.5526184832376715, 1.151234246691677, -0.4039413171546262,
      0.14463241823606096, -2.1504396318827905,
    ],
  ],
  [
    'Adam with all options',
    adam({ lr: 0.05, betas: [0.8, 0.95], eps: 1e-3, weightDecay: 0.2 }),
    [
      0.2910559149699611, -1.0273117127744191, 1.775914336334249, 1.325543497393222, -0.5762416581624948,
      0.12610354216557343, -2.325314657436405,
    ],
  ],
  [
    'AdamW',
    adamW({ lr: 0.1 }),
    [
      0.20894577195906924, -0.8042353495235183, 1.5445221223555958, 1.146487583527812, -0.4018345100016362,
      0.14456477623060995, -2.1421877941783007,
    ],
  ],
  [
    'AdamW with weight decay',
    adamW({ lr: 0.1, betas: [0.7, 0.9], weightDecay: 0.3 }),
    [
      0.24195340420272227, -0.6884332828018549, 1.327286162857972, 1.0164925069556727, -0.34747464953663143,
      0.16684305979683048, -1.913615444320095,
    ],
  ],
];

/** Plain float64 Adam: the parameters after the gradients, by algorithm 1 of the paper with decay added. */
function plainAdam(
  p: readonly number[],
  gradients: readonly number[][],
  { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions,
  decoupled: boolean,
): number[] {
  return p.map((start, i) => {
    let [value, m, v] = [start, 0, 0];
    for (const [k, row] of gradients.entries()) {
      const t = k + 1;
      if (decoupled) value -= lr * weightDecay * value;
      const g = row[i] + (decoupled ? 0 : weightDecay * value);
      m = betas[0] * m + (1 - betas[0]) * g;
      v = betas[1] * v + (1 - betas[1]) * g * g;
      const [mHat, vHat] = [m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)];
      value -= (lr * mHat) / (Math.sqrt(vHat) + eps);
    }
    return value;
  });
}

/** Plain float64 SGD, as the documentation of torch.optim.SGD states it. */
function plainSgd(
  p: readonly number[],
  gradients: readonly number[][],
  { lr = 1e-3, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0 }: SgdOptions,
): number[] {
  return p.map((start, i) => {
    let [value, b] = [start, 0];
    for (const [k, row] of gradients.entries()) {
      let g = row[i] + weightDecay * value;
      if (momentum !== 0) {
        b = k === 0 ? g : momentum * b + (1 - dampening) * g;
        g = nesterov ? g + momentum * b : b;
      }
      value -= lr * g;
    }
    return value;
  });
}

/** Plain float64 RMSprop, as the documentation of torch.optim.RMSprop states it. */
function plainRmsprop(
  p: readonly number[],
  gradients: readonly number[][],
  { lr = 1e-2, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false }: RMSpropOptions,
): number[] {
  return p.map((start, i) => {
    let [value, v, average, b] = [start, 0, 0, 0];
    for (const row of gradients) {
      const g = row[i] + weightDecay * value;
      v = alpha * v + (1 - alpha) * g ** 2;
      average = alpha * average + (1 - alpha) * g;
      const step = g / (Math.sqrt(centered ? v - average ** 2 : v) + eps);
      b = momentum * b + step;
      value -= lr * (momentum > 0 ? b : step);
    }
    return value;
  });
}

suite('optimisers', (test) => {
  for (const [what, make, expected] of TORCH) {
    test(`${what} follows PyTorch over steps with a missing gradient and a new learning rate`, () => {
      onEach((tolerance) => close(sixSteps(make), expected, tolerance, what));
    });
  }

  test('Adam takes the three steps that are worked out by hand', () => {
    // p = 1, lr = 0.1, g = 0.5, -1, 0.25. The first step is lr·sign(g), whatever the size of g:
    //   m = 0.05,    v = 0.00025;         m^ = 0.5,       v^ = 0.25;       p = 1 - 0.1·0.5/0.5
    //   m = -0.055,  v = 0.00124975;      m^ = -0.289474, v^ = 0.625188;   p = 0.9 + 0.1·0.289474/0.790688
    //   m = -0.0245, v = 0.00131100025;   m^ = -0.090406, v^ = 0.437438;   p = 0.936611 + 0.1·0.090406/0.661390
    const expected = [0.900000002, 0.936610354, 0.95027942];
    onEach((tolerance) => {
      const p = tensor([1], { requiresGrad: true });
      const optimizer = new Adam([p], { lr: 0.1 });
      for (const [t, g] of [0.5, -1, 0.25].entries()) {
        optimizer.zeroGrad();
        giveGradient(p, [g]);
        optimizer.step();
        close(p.toTypedArray(), [expected[t]], Math.max(tolerance, 1e-8), `step ${t + 1}`);
      }
    });
  });

  test('any options and gradients give the result of plain float64 loops', () => {
    const before = backend().name;
    setBackend('reference');
    const unit = fc.double({ min: 0, max: 0.99, noNaN: true });
    const some = fc.double({ min: -3, max: 3, noNaN: true });
    const n = 5;
    const rows = fc.array(fc.array(some, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 5 });
    const start = fc.array(some, { minLength: n, maxLength: n });
    const run = (make: (p: Tensor) => Optimizer, values: number[], gradients: number[][]) => {
      const p = tensor(values, { requiresGrad: true });
      const optimizer = make(p);
      for (const g of gradients) {
        optimizer.zeroGrad();
        giveGradient(p, g);
        optimizer.step();
      }
      return p.toTypedArray();
    };
    fc.assert(
      fc.property(
        start,
        rows,
        unit,
        unit,
        unit,
        fc.boolean(),
        (values, gradients, beta1, beta2, weightDecay, flag) => {
          const options = { lr: 0.1, betas: [beta1, beta2], eps: 1e-4, weightDecay } as const;
          const Class = flag ? AdamW : Adam;
          close(
            run((p) => new Class([p], options), values, gradients),
            plainAdam(values, gradients, options, flag),
            1e-9,
            'Adam',
          );
          const momentum = beta1 + 0.005;
          const sgdOptions = { lr: 0.1, momentum, dampening: flag ? 0 : beta2, nesterov: flag, weightDecay };
          close(
            run((p) => new SGD([p], sgdOptions), values, gradients),
            plainSgd(values, gradients, sgdOptions),
            1e-9,
            'SGD',
          );
        },
      ),
      { numRuns: 60, seed: 1 },
    );
    setBackend(before);
  });

  test('RMSprop follows the formula of PyTorch with every option, and with its defaults', () => {
    const values = [0.5, -1.25, 2, 0, 3];
    const gradients = Array.from({ length: 7 }, (_, t) => values.map((_, i) => Math.sin(3 * t + i) - 0.2));
    const table: RMSpropOptions[] = [
      {},
      { centered: true },
      { momentum: 0.9 },
      { lr: 0.05, weightDecay: 0.1 },
      { lr: 0.05, alpha: 0.5, eps: 0.01, weightDecay: 0.1, momentum: 0.7, centered: true },
    ];
    for (const options of table) {
      onEach((tolerance) => {
        const p = tensor(values, { requiresGrad: true });
        const optimizer = new RMSprop([p], options);
        for (const g of gradients) {
          optimizer.zeroGrad();
          giveGradient(p, g);
          optimizer.step();
        }
        const expected = plainRmsprop(values, gradients, options);
        close(p.toTypedArray(), expected, 4 * tolerance, JSON.stringify(options));
      });
    }
  });

  test('centred RMSprop under a gradient that stays the same never becomes NaN', () => {
    // Of these v - a² rounds below 0: 0.1 at α = 0.8 in float32, 0.7 and 1.1 at α = 0.5 in float64.
    const g = [0.1, 0.3, 0.7, 1.1];
    onEach(() => {
      for (const alpha of [0.5, 0.8]) {
        const p = tensor([1, 1, 1, 1], { requiresGrad: true });
        const optimizer = new RMSprop([p], { alpha, centered: true, eps: 0.1 });
        for (let t = 0; t < 200; t++) {
          optimizer.zeroGrad();
          giveGradient(p, g);
          optimizer.step();
        }
        assert.ok(p.toTypedArray().every(Number.isFinite), `α = ${alpha}: ${p.toTypedArray()}`);
      }
    });
  });

  test('a parameter that had no gradient so far takes its first step as a first step', () => {
    const [a, b] = parametersOf([[1], [1]]);
    const optimizer = new Adam([a, b], { lr: 0.1 });
    for (let t = 0; t < 5; t++) {
      optimizer.zeroGrad();
      giveGradient(a, [3]);
      optimizer.step();
    }
    assert.is(b.item(), 1);
    optimizer.zeroGrad();
    giveGradient(b, [3]);
    optimizer.step();
    // With the step count of `a`, the bias corrections would give 0.1·0.1/√0.001·√0.005...
    close([b.item()], [0.9], 1e-6, 'first step');
  });

  test('a learning rate of 0 moves nothing, and of a tenth a tenth', () => {
    const moved = (lr: number) => {
      const p = tensor([1], { requiresGrad: true });
      giveGradient(p, [2]);
      new SGD([p], { lr }).step();
      return 1 - p.item();
    };
    assert.is(moved(0), 0);
    close([moved(0.25), moved(0.025)], [0.5, 0.05], 1e-7, 'moved');
  });

  test('options out of range are refused in a line that names them', () => {
    const p = () => parametersOf([[1, 2]]);
    const table: [() => unknown, string][] = [
      [() => new Adam(p(), { lr: -1 }), 'Adam: expected a learning rate >= 0 and finite, got -1'],
      [() => new Adam(p(), { lr: NaN }), 'Adam: expected a learning rate >= 0 and finite, got NaN'],
      [() => new SGD(p(), { lr: Infinity }), 'SGD: expected a learning rate >= 0 and finite, got Infinity'],
      [() => new Adam(p(), { betas: [0.9, 1] }), 'Adam: expected betas in [0, 1), got 1'],
      [() => new Adam(p(), { betas: [-0.1, 0.9] }), 'Adam: expected betas in [0, 1), got -0.1'],
      [() => new AdamW(p(), { eps: -1 }), 'AdamW: expected eps >= 0 and finite, got -1'],
      [() => new AdamW(p(), { weightDecay: NaN }), 'AdamW: expected a weight decay >= 0 and finite, got NaN'],
      [() => new SGD(p(), { momentum: -1 }), 'SGD: expected a momentum >= 0 and finite, got -1'],
      [() => new SGD(p(), { dampening: NaN }), 'SGD: expected a dampening >= 0 and finite, got NaN'],
      [() => new SGD(p(), { nesterov: true }), 'SGD: expected a momentum and no dampening with nesterov'],
      [() => new RMSprop(p(), { alpha: 1 }), 'RMSprop: expected alpha in [0, 1), got 1'],
      [() => new RMSprop(p(), { eps: -1 }), 'RMSprop: expected eps >= 0 and finite, got -1'],
      [() => new RMSprop(p(), { momentum: NaN }), 'RMSprop: expected a momentum >= 0 and finite, got NaN'],
      [
        () => new RMSprop(p(), { weightDecay: -1 }),
        'RMSprop: expected a weight decay >= 0 and finite, got -1',
      ],
      [() => new SGD([]), 'optimiser: expected at least one parameter, got none'],
      [
        () => new SGD([tensor([1, 2])]),
        'optimiser: expected leaves that require gradients, got another tensor of shape [2]',
      ],
    ];
    for (const [action, message] of table) refused(action, ValueError, message);
    const [twice] = p();
    refused(
      () => new SGD([twice, twice]),
      ValueError,
      'optimiser: expected each parameter once, got one twice',
    );
    const optimizer = new SGD(p());
    refused(() => (optimizer.lr = -2), ValueError, /learning rate >= 0 and finite, got -2/);
    assert.is(optimizer.lr, 1e-3, 'the rate before');
  });
});
