/**
 * The float64 functions of src/math.ts. They are compared with 300-bit values (mpmath), and with `Math` within the sum
 * of both errors. Further tests are identities, and recorded bits, which must be the same on every engine.
 */
// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: known answers are written out
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { ValueError } from '../src/errors.ts';
import { cos, erf, erfc, exp, expm1, log, log1p, pow, sin, tanh } from '../src/math.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const FUNCTIONS = { exp, expm1, log, log1p, tanh, sin, cos };
type Name = keyof typeof FUNCTIONS;
const NAMES = Object.keys(FUNCTIONS) as Name[];

/** [x, f(x) correctly rounded] */
const KNOWN: Record<Name, readonly (readonly [number, number])[]> = {
  exp: [
    [1, 2.718281828459045],
    [-1, 0.36787944117144233],
    [0.5, 1.6487212707001282],
    [10, 22026.465794806718],
    [-37.25, 6.64554417291507e-17],
    [88.7, 3.325986980250579e38],
    [700.1, 1.120899771073261e304],
    [-700.1, 8.921404266525102e-305],
    [1e-9, 1.000000001],
    [0.34657359027997264, 1.414213562373095],
  ],
  expm1: [
    [1e-12, 1.0000000000005e-12],
    [-1e-12, -9.999999999995e-13],
    [0.1, 0.10517091807564763],
    [-0.3, -0.2591817793182821],
    [0.5, 0.6487212707001282],
    [1.5, 3.481689070338065],
    [-2.25, -0.8946007754381357],
    [30, 10686474581523.463],
  ],
  log: [
    [2, 0.6931471805599453],
    [10, 2.302585092994046],
    [0.1, -2.3025850929940455],
    [1.0000000001, 1.000000082690371e-10],
    [0.9999999999, -1.000000082790371e-10],
    [1e300, 690.7755278982137],
    [5e-324, -744.4400719213812],
    [0.7071067811865475, -0.34657359027997275],
    [1.4142135623730951, 0.3465735902799727],
  ],
  log1p: [
    [1e-12, 9.999999999995e-13],
    [-1e-12, -1.0000000000005e-12],
    [0.1, 0.09531017980432487],
    [-0.5, -0.6931471805599453],
    [3, 1.3862943611198906],
    [1e10, 23.025850930040455],
  ],
  tanh: [
    [1e-8, 1e-8],
    [0.01, 0.00999966667999946],
    [0.25, 0.24491866240370913],
    [0.5, 0.46211715726000974],
    [1, 0.7615941559557649],
    [5, 0.9999092042625951],
    [-18, -0.9999999999999996],
  ],
  // 355, 11 and 573204 lie next to multiples of π and π/2, where the reduction cancels.
  sin: [
    [1, 0.8414709848078965],
    [3.141592653589793, 1.2246467991473532e-16],
    [0.5235987755982988, 0.49999999999999994],
    [100, -0.5063656411097588],
    [-12345.678, 0.7040813137533816],
    [1048575.5, -0.1624508310778367],
    [355, -3.014435335948845e-5],
    [1e-7, 9.999999999999982e-8],
  ],
  cos: [
    [1, 0.5403023058681398],
    [1.5707963267948966, 6.123233995736766e-17],
    [1.0471975511965976, 0.5000000000000001],
    [100, 0.8623188722876839],
    [-12345.678, 0.7101193587160628],
    [1048575.5, 0.9867166399134658],
    [11, 0.004425697988050785],
    [573204, -2.938899864407033e-7],
  ],
};

/** [x, y, x^y correctly rounded] */
const KNOWN_POWERS = [
  [2, 0.5, 1.4142135623730951],
  [10, -3, 0.001],
  [0.999, 1000, 0.36769542477096373],
  [0.9999, 100000, 4.537723395901116e-5],
  [1.0001, 1e6, 2.6747109931126854e43],
  [3, 40, 1.2157665459056929e19],
  [7.5, -2.5, 0.006491526607468635],
  [1e-5, 0.2, 0.09999999999999999],
  [1e300, -1, 1e-300],
  [2, -1074, 5e-324],
  [2, 1023, 8.98846567431158e307],
  [1.0000000000000002, 3e18, 1.98719262165461e289],
  // Here the logarithm needs a relative error of 2^-64.
  [1.4, 2100, 7.393923012997723e306],
  [1.38, -2150, 1.8195510186659273e-301],
  [0.72, 2100.5, 2.1227984110429477e-300],
] as const;

/** [x, erf(x)] and [x, erfc(x)], correctly rounded. */
const KNOWN_ERF = [
  [1e-300, 1.1283791670955126e-300],
  [1e-8, 1.1283791670955126e-8],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [-1.5, -0.9661051464753108],
  [1.9999, 0.9953201979070294],
  [2, 0.9953222650189527],
  [-2.5, -0.999593047982555],
  [3.7, 0.9999998328489421],
  [5.5, 0.9999999999999927],
  [6, 1],
] as const;
const KNOWN_ERFC = [
  [0, 1],
  [0.5, 0.4795001221869535],
  [1, 0.15729920705028513],
  [1.9999, 0.004679802092970608],
  [2, 0.004677734981047266],
  [3, 2.209049699858544e-5],
  [5, 1.537459794428035e-12],
  [10, 2.088487583762545e-45],
  [26, 5.663192408856143e-296],
  [-1, 1.8427007929497148],
  [-3, 1.9999779095030015],
] as const;

const SPECIAL = [
  NaN,
  0,
  -0,
  1,
  -1,
  0.5,
  -2,
  3,
  -3,
  Infinity,
  -Infinity,
  5e-324,
  -5e-324,
  1e-310,
  1e308,
  -1e308,
  Number.MAX_VALUE,
  710,
  -746,
  2 ** 53,
  -(2 ** 53),
];

/** The number of float64 steps from a to b: 0 for equal numbers, 1 for neighbours. */
function distance(a: number, b: number): number {
  if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const view = new DataView(new ArrayBuffer(8));
  const order = (x: number) => {
    view.setFloat64(0, x);
    const bits = view.getBigInt64(0);
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
  };
  const steps = order(a) - order(b);
  return Number(steps < 0n ? -steps : steps);
}

/** Arguments spread over the range that matters to each function. */
function sweep(name: Name, n: number): number[] {
  const range: Record<Name, [number, number]> = {
    exp: [-708, 709],
    expm1: [-3, 3],
    log: [1e-3, 30],
    log1p: [-0.999, 9],
    tanh: [-19, 19],
    sin: [-2000, 2000],
    cos: [-2000, 2000],
  };
  const [lo, hi] = range[name];
  return Array.from({ length: n }, (_, i) => lo + ((hi - lo) * (i + 0.5)) / n);
}

suite('math', (test) => {
  test('every function is within a unit in the last place of 300-bit values', () => {
    for (const name of NAMES) {
      for (const [x, y] of KNOWN[name]) {
        const got = FUNCTIONS[name](x);
        assert.ok(distance(got, y) <= 1, `${name}(${x}): expected ${y}, got ${got}`);
      }
    }
    for (const [x, y, power] of KNOWN_POWERS) {
      const got = pow(x, y);
      assert.ok(distance(got, power) <= 1, `pow(${x}, ${y}): expected ${power}, got ${got}`);
    }
  });

  test('the error function has 15 digits, and its complement 13, in the tail too', () => {
    for (const [x, y] of KNOWN_ERF) {
      assert.ok(Math.abs(erf(x) / y - 1) < 1e-15, `erf(${x}): expected ${y}, got ${erf(x)}`);
      assert.is(erf(-x), -erf(x));
    }
    for (const [x, y] of KNOWN_ERFC) {
      assert.ok(Math.abs(erfc(x) / y - 1) < 1e-13, `erfc(${x}): expected ${y}, got ${erfc(x)}`);
    }
    for (let x = -4; x < 4; x += 1 / 64) assert.ok(Math.abs(erf(x) + erfc(x) - 1) < 4e-16, `${x}`);
    assert.equal([-Infinity, -0, 0, Infinity, NaN].map(erf), [-1, -0, 0, 1, NaN]);
    assert.equal([-Infinity, Infinity, NaN].map(erfc), [2, 0, NaN]);
    assert.ok(Object.is(erf(-0), -0));
  });

  test('dense sweeps stay within two units in the last place of Math', () => {
    for (const name of NAMES) {
      for (const x of sweep(name, 20000)) {
        const [got, expected] = [FUNCTIONS[name](x), Math[name](x)];
        assert.ok(distance(got, expected) <= 2, `${name}(${x}): ${got}, Math has ${expected}`);
      }
    }
    for (let i = 0; i < 40000; i++) {
      const [x, y] = [0.01 + (i % 199) / 7, ((i % 331) - 165) / 1.7];
      assert.ok(distance(pow(x, y), x ** y) <= 2, `pow(${x}, ${y}): ${pow(x, y)}, Math has ${x ** y}`);
    }
  });

  test('small arguments lose nothing: the leading terms of the series hold down to 1e-300', () => {
    for (let x = 1e-4; x > 1e-300; x /= 7) {
      const leading = { sin: x - x ** 3 / 6, tanh: x - x ** 3 / 3, expm1: x + x ** 2 / 2 + x ** 3 / 6 };
      for (const name of ['sin', 'tanh', 'expm1'] as const) {
        assert.ok(Math.abs(FUNCTIONS[name](x) / leading[name] - 1) < 1e-11, `${name}(${x})`);
      }
      assert.ok(Math.abs(log1p(x) / (x - x ** 2 / 2 + x ** 3 / 3) - 1) < 1e-11, `log1p(${x})`);
    }
  });

  test('NaN, infinities, signed zeros, overflow and subnormals are as in Math', () => {
    for (const name of NAMES) {
      for (const x of SPECIAL) {
        if ((name === 'sin' || name === 'cos') && Math.abs(x) > 2 ** 20 && Math.abs(x) < Infinity) continue;
        const [got, expected] = [FUNCTIONS[name](x), Math[name](x)];
        assert.ok(distance(got, expected) <= 1, `${name}(${x}): expected ${expected}, got ${got}`);
        assert.is(Object.is(got, -0), Object.is(expected, -0), `${name}(${x}): sign of zero`);
      }
    }
    for (const x of SPECIAL) {
      for (const y of SPECIAL) {
        const [got, expected] = [pow(x, y), x ** y];
        assert.ok(distance(got, expected) <= 1, `pow(${x}, ${y}): expected ${expected}, got ${got}`);
        assert.is(Object.is(got, -0), Object.is(expected, -0), `pow(${x}, ${y}): sign of zero`);
      }
    }
  });

  test('powers that float64 holds exactly are exact', () => {
    for (let base = 2; base <= 12; base++) {
      for (let n = 1, exact = base; exact < Number.MAX_SAFE_INTEGER; n++, exact *= base) {
        assert.is(pow(base, n), exact, `${base}^${n}`);
        assert.is(pow(-base, n), n % 2 === 0 ? exact : -exact, `(-${base})^${n}`);
      }
    }
    for (let k = -1074; k <= 1023; k++) assert.is(pow(2, k), 2 ** k, `2^${k}`);
    assert.is(pow(0.25, 0.5), 0.5);
  });

  test('an angle beyond 2^20 is refused, because its result would be inaccurate', () => {
    assert.ok(Math.abs(sin(2 ** 20) - Math.sin(2 ** 20)) < 1e-15);
    refused(() => sin(2 ** 21), ValueError, 'sin: expected |x| <= 2^20, got 2097152');
    refused(() => cos(-1e300), ValueError, 'cos: expected |x| <= 2^20, got -1e+300');
  });

  test('the bits of a sweep of every function are the recorded ones', () => {
    const view = new DataView(new ArrayBuffer(8));
    const hashes = NAMES.map((name) => {
      let hash = 0x811c9dc5; // FNV-1a over words
      for (const x of sweep(name, 3001)) {
        view.setFloat64(0, FUNCTIONS[name](x));
        for (const at of [0, 4]) hash = Math.imul(hash ^ view.getUint32(at), 0x01000193);
      }
      return `${name} ${(hash >>> 0).toString(16)}`;
    });
    assert.equal(hashes, [
      'exp 7f2dc2a4',
      'expm1 e6e74df8',
      'log af15e7ce',
      'log1p d4441b86',
      'tanh 3cf06212',
      'sin 70d3060e',
      'cos be61da63',
    ]);
  });

  test('the source uses no function whose rounding engines can choose', () => {
    const source = readFileSync('src/math.ts', 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    const members = new Set(Array.from(source.matchAll(/Math\.(\w+)/g), ([, member]) => member));
    assert.equal([...members].sort(), ['LN2', 'PI', 'SQRT2', 'abs', 'floor', 'round']);
    assert.not.match(source, /\*\*/);
  });
});
