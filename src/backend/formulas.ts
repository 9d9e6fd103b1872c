/**
 * The elementwise functions and their derivatives. Each is written once, as an expression that runs. The reference
 * backend executes these expressions, gradcheck compares them with differences, and the ops are made from these tables
 * (src/ops). The kernels in assembly/elementwise/ compute the same in float32.
 *
 * In a derivative dy is dL/dy. The kernel of the function `exp` is `exp`, and that of its derivative is `expBackward`.
 * The kernels of `mul` are `mul`, `mulBackwardA` and `mulBackwardB`.
 */
import { erf, erfc } from '../math.ts';

/** Parameters of some functions, in addition to the array. */
export interface UnaryAttributes {
  /** The bounds of clamp. */
  readonly lo: number;
  readonly hi: number;
  /** The slope of leakyRelu for x < 0. */
  readonly slope: number;
}

export interface UnaryFormula {
  /** y = f(x) */
  f(x: number, attributes: UnaryAttributes): number;
  /** dL/dx from dL/dy and the array that the forward pass kept. */
  df(dy: number, kept: number, attributes: UnaryAttributes): number;
  /** The array that the derivative reads: x, y or none. The others need not be kept. */
  readonly keeps: 'x' | 'y' | null;
  /** An interval in which the function is defined and smooth. It is tested there. */
  readonly domain: readonly [number, number];
}

/** dL/da or dL/db from dL/dy, the operands and the result. */
export type Derivative = (dy: number, a: number, b: number, y: number) => number;

export interface BinaryFormula {
  /** y = f(a, b) */
  f(a: number, b: number): number;
  /** dL/da. The texts stand for dy and -dy, which need only a copy and no kernel. */
  readonly da: '+dy' | '-dy' | Derivative;
  /** dL/db, in the same way. */
  readonly db: '+dy' | '-dy' | Derivative;
  /** The arrays that the two derivatives read. */
  readonly keeps: readonly ('a' | 'b' | 'y')[];
  readonly domain: readonly [number, number];
}

const { abs, cos, exp, log, log1p, max, min, sin, sqrt, tanh, PI } = Math;
const sigmoid = (x: number) => 1 / (1 + exp(-x));
/** The distribution function and the density of the standard normal. The first is accurate for x << 0 too. */
const normalCdf = (x: number) => 0.5 * erfc(-x * Math.SQRT1_2);
const normalPdf = (x: number) => exp(-0.5 * x * x) / sqrt(2 * PI);

const unary = <N extends string>(table: Record<N, UnaryFormula>) => table;

/** Functions of one array. */
export const UNARY_FORMULAS = unary({
  neg: { f: (x) => -x, df: (dy) => -dy, keeps: null, domain: [-2, 2] },
  abs: { f: abs, df: (dy, x) => (x > 0 ? dy : x < 0 ? -dy : 0), keeps: 'x', domain: [0.1, 2] },
  exp: { f: exp, df: (dy, y) => dy * y, keeps: 'y', domain: [-2, 2] },
  log: { f: log, df: (dy, x) => dy / x, keeps: 'x', domain: [0.2, 3] },
  sqrt: { f: sqrt, df: (dy, y) => dy / (2 * y), keeps: 'y', domain: [0.2, 3] },
  // biome-ignore lint/complexity/useMathMinMax: Math.max(-0, 0) is 0, and this keeps -0 as the kernel does
  relu: { f: (x) => (x < 0 ? 0 : x), df: (dy, y) => (y > 0 ? dy : 0), keeps: 'y', domain: [0.1, 2] },
  sigmoid: { f: sigmoid, df: (dy, y) => dy * (y * (1 - y)), keeps: 'y', domain: [-3, 3] },
  tanh: { f: tanh, df: (dy, y) => dy * (1 - y * y), keeps: 'y', domain: [-3, 3] },
  silu: {
    f: (x) => (x === -Infinity ? -0 : x * sigmoid(x)),
    df: (dy, x) => dy * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    keeps: 'x',
    domain: [-3, 3],
  },
  sin: { f: sin, df: (dy, x) => dy * cos(x), keeps: 'x', domain: [-3, 3] },
  cos: { f: cos, df: (dy, x) => -(dy * sin(x)), keeps: 'x', domain: [-3, 3] },
  erf: { f: erf, df: (dy, x) => dy * ((2 / sqrt(PI)) * exp(-x * x)), keeps: 'x', domain: [-3, 3] },
  gelu: {
    f: (x) => (x === -Infinity ? -0 : x * normalCdf(x)),
    df: (dy, x) => dy * (normalCdf(x) + (abs(x) === Infinity ? 0 : x * normalPdf(x))),
    keeps: 'x',
    domain: [-3, 3],
  },
  softplus: {
    f: (x) => max(x, 0) + log1p(exp(-abs(x))),
    df: (dy, x) => dy * sigmoid(x),
    keeps: 'x',
    domain: [-3, 3],
  },
  leakyRelu: {
    f: (x, { slope }) => (x > 0 ? x : slope * x),
    df: (dy, x, { slope }) => (x > 0 ? dy : slope * dy),
    keeps: 'x',
    domain: [-2, 2],
  },
  clamp: {
    f: (x, { lo, hi }) => min(max(x, lo), hi),
    df: (dy, x, { lo, hi }) => (x >= lo && x <= hi ? dy : 0),
    keeps: 'x',
    domain: [-2, 2],
  },
});

/** The derivative of `max` to one operand: dy for the larger operand. If both are equal, each has half of dy. */
const ofGreater = (dy: number, a: number, b: number) => dy * (a > b ? 1 : a === b ? 0.5 : 0);

const binary = <N extends string>(table: Record<N, BinaryFormula>) => table;

/** Functions of two arrays. */
export const BINARY_FORMULAS = binary({
  add: { f: (a, b) => a + b, da: '+dy', db: '+dy', keeps: [], domain: [-2, 2] },
  sub: { f: (a, b) => a - b, da: '+dy', db: '-dy', keeps: [], domain: [-2, 2] },
  mul: {
    f: (a, b) => a * b,
    da: (dy, _a, b) => dy * b,
    db: (dy, a) => dy * a,
    keeps: ['a', 'b'],
    domain: [-2, 2],
  },
  div: {
    f: (a, b) => a / b,
    da: (dy, _a, b) => dy / b,
    db: (dy, _a, b, y) => -((dy / b) * y),
    keeps: ['b', 'y'],
    domain: [0.5, 2],
  },
  maximum: {
    f: (a, b) => max(a, b),
    da: (dy, a, b) => ofGreater(dy, a, b),
    db: (dy, a, b) => ofGreater(dy, b, a),
    keeps: ['a', 'b'],
    domain: [-2, 2],
  },
  minimum: {
    f: (a, b) => min(a, b),
    da: (dy, a, b) => ofGreater(dy, b, a),
    db: (dy, a, b) => ofGreater(dy, a, b),
    keeps: ['a', 'b'],
    domain: [-2, 2],
  },
  pow: {
    f: power,
    // The derivative is 0 where the formula would give 0·∞: da at b = 0, and db at a = 0 with b >= 0.
    da: (dy, a, b) => (b === 0 ? 0 : dy * (b * power(a, b - 1))),
    db: (dy, a, b, y) => (a === 0 && b >= 0 ? 0 : dy * y * log(a)),
    keeps: ['a', 'b', 'y'],
    domain: [0.5, 2],
  },
});

/** a^b. IEEE 754 gives 1 for pow(1, NaN) and pow(±1, ±inf), and JavaScript gives NaN. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && abs(b) === Infinity) ? 1 : a ** b;
}

/** Comparisons: 1 if they hold, else 0. They have no derivative. */
export const COMPARISONS = {
  eq: (a: number, b: number) => Number(a === b),
  ne: (a: number, b: number) => Number(a !== b),
  gt: (a: number, b: number) => Number(a > b),
  ge: (a: number, b: number) => Number(a >= b),
};

/** Activations that the GEMM applies to its result before it stores it. */
export const ACTIVATIONS = {
  none: (x: number) => x,
  relu: (x: number) => UNARY_FORMULAS.relu.f(x, NO_ATTRIBUTES),
  sigmoid,
  tanh,
  silu: (x: number) => UNARY_FORMULAS.silu.f(x, NO_ATTRIBUTES),
};

/** For functions without parameters. */
const NO_ATTRIBUTES: UnaryAttributes = { lo: 0, hi: 0, slope: 0 };

const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>) => Object.keys(table) as K[];

export type UnaryName = keyof typeof UNARY_FORMULAS;
export const UNARY: readonly UnaryName[] = keysOf(UNARY_FORMULAS);

/** The functions of two arrays that have derivatives. */
export type DifferentiableName = keyof typeof BINARY_FORMULAS;
export const DIFFERENTIABLE: readonly DifferentiableName[] = keysOf(BINARY_FORMULAS);

/** The functions whose derivatives have kernels. ±dy is only a copy. */
export type NonlinearName = Exclude<DifferentiableName, 'add' | 'sub'>;
export const NONLINEAR: readonly NonlinearName[] = DIFFERENTIABLE.filter(
  (name): name is NonlinearName => typeof BINARY_FORMULAS[name].da !== 'string',
);

export type ComparisonName = keyof typeof COMPARISONS;
export type BinaryName = DifferentiableName | ComparisonName;
export const BINARY: readonly BinaryName[] = [...DIFFERENTIABLE, ...keysOf(COMPARISONS)];

export type ActivationName = keyof typeof ACTIVATIONS;
export const ACTIVATION: readonly ActivationName[] = keysOf(ACTIVATIONS);
