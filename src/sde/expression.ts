/**
 * An SDE from two expressions that a user types, such as `0.1*x` and `1`, or `theta*(mu - x)` and `sigma*sqrt(x)`.
 *
 * jsep parses the text to a tree. The text is never run as code. The tree may have numbers, the state `x`, the time
 * `t`, named parameters, `pi` and `e`, the operators + - * / ^ and the functions of `FUNCTIONS`. Everything else
 * (strings, members, assignments, calls of other functions) is refused before evaluation, with a message that names
 * it. A part without x is evaluated on numbers, a part with x on tensors. The derivative in x is computed too
 * (forward mode): it gives Milstein's correction b·∂b/∂x. Gradients flow through an expression.
 *
 * Left out on purpose: sin and cos of x, because the engine has no kernel for them. sin and cos of t are available.
 */
import jsep from 'jsep';
import { didYouMean, ValueError } from '../errors.ts';
import * as math from '../math.ts';
import { describe } from '../options.ts';
import { full } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { SDE } from './sde.ts';

jsep.addBinaryOp('^', 11, true);

/** A minus before a power applies to the power: -x^2 is -(x^2). jsep by itself parses (-x)^2. */
const MINUS = '-'.charCodeAt(0);
jsep.hooks.add('gobble-token', function minusOfPower(env) {
  if (this.code !== MINUS) return;
  this.index++;
  env.node = { type: 'UnaryExpression', operator: '-', prefix: true, argument: powerOf(this) };
});

/** token, or token ^ powerOf */
function powerOf(parser: jsep.HookScope): jsep.Expression {
  const base = (parser.gobbleToken() as jsep.Expression) || parser.throwError('missing operand');
  parser.gobbleSpaces();
  if (parser.char !== '^') return base;
  parser.index++;
  parser.gobbleSpaces();
  return { type: 'BinaryExpression', operator: '^', left: base, right: powerOf(parser) };
}

/** A value and its derivative in x. The derivative is the number 0 if the value does not depend on x. */
export interface Dual {
  /** The value. */
  readonly value: number | Tensor;
  /** The derivative in x. */
  readonly slope: number | Tensor;
}

type Value = number | Tensor;
type Operation = readonly [
  onNumbers: (x: number) => number,
  onTensors: ((x: Tensor) => Tensor) | null,
  slope: (x: Value, y: Value) => Value,
];

/** y = f(x) on numbers and on tensors, and f'(x) as a function of x and y. */
const FUNCTIONS: Readonly<Record<string, Operation>> = {
  exp: [math.exp, (x) => x.exp(), (_x, y) => y],
  log: [math.log, (x) => x.log(), (x) => div(1, x)],
  sqrt: [Math.sqrt, (x) => x.sqrt(), (_x, y) => div(0.5, y)],
  abs: [Math.abs, (x) => x.abs(), (x, y) => div(x, y)],
  tanh: [math.tanh, (x) => x.tanh(), (_x, y) => sub(1, mul(y, y))],
  sigmoid: [(x) => 1 / (1 + math.exp(-x)), (x) => x.sigmoid(), (_x, y) => mul(y, sub(1, y))],
  sin: [math.sin, null, () => 0],
  cos: [math.cos, null, () => 0],
};

const CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

const tensorOf = (x: Value): Tensor => (typeof x === 'number' ? full([], x) : x);
const add = (a: Value, b: Value): Value =>
  a === 0 ? b : b === 0 ? a : typeof a === 'number' && typeof b === 'number' ? a + b : tensorOf(a).add(b);
const sub = (a: Value, b: Value): Value =>
  b === 0 ? a : typeof a === 'number' && typeof b === 'number' ? a - b : tensorOf(a).sub(b);
const mul = (a: Value, b: Value): Value => {
  if (a === 0 || b === 0) return 0;
  if (typeof a === 'number') return typeof b === 'number' ? a * b : b.mul(a);
  return a.mul(b);
};
const div = (a: Value, b: Value): Value => {
  if (typeof a === 'number') return typeof b === 'number' ? a / b : tensorOf(a).div(b);
  return typeof b === 'number' ? a.mul(1 / b) : a.div(b);
};

const BINARY: Readonly<Record<string, (a: Dual, b: Dual) => Dual>> = {
  '+': (a, b) => ({ value: add(a.value, b.value), slope: add(a.slope, b.slope) }),
  '-': (a, b) => ({ value: sub(a.value, b.value), slope: sub(a.slope, b.slope) }),
  '*': (a, b) => ({
    value: mul(a.value, b.value),
    slope: add(mul(a.slope, b.value), mul(a.value, b.slope)),
  }),
  '/': (a, b) => {
    const value = div(a.value, b.value);
    const rise = sub(a.slope, mul(value, b.slope));
    return { value, slope: rise === 0 ? 0 : div(rise, b.value) };
  },
  '^': power,
};

/** a^n for a number n. Small whole exponents are computed by products: that is fast and allows negative x. */
function power(a: Dual, b: Dual): Dual {
  const n = b.value;
  if (typeof n !== 'number') throw new ValueError('expression: expected an exponent without x in it');
  const raise = (exponent: number): Value => {
    if (typeof a.value === 'number') return math.pow(a.value, exponent);
    if (Number.isInteger(exponent) && exponent >= 0 && exponent <= 4) {
      let y: Value = 1;
      for (let i = 0; i < exponent; i++) y = mul(y, a.value);
      return y;
    }
    return a.value.pow(exponent);
  };
  return { value: raise(n), slope: a.slope === 0 ? 0 : mul(mul(n, raise(n - 1)), a.slope) };
}

/** A parsed expression: a function of the state and the time. */
export type CompiledExpression = (at: { readonly x: Tensor; readonly t: number }) => Dual;

/** The most characters of an expression. Parsing and evaluation go one call deeper for each bracket or operator. */
export const LONGEST = 1000;

/**
 * Parses an expression in x, t and named parameters, of at most 1,000 characters.
 * @returns a function of a state and a time; it returns the value and its derivative in x, as numbers if without x
 * @throws ValueError that quotes the expression, and says what is wrong and where
 */
export function parseExpression(
  text: string,
  parameters: Readonly<Record<string, number>> = {},
): CompiledExpression {
  if (typeof text !== 'string') {
    throw new ValueError(`expression: expected a formula such as "0.1*x", got ${describe(text)}`);
  }
  if (text.length > LONGEST) {
    throw new ValueError(`expression: expected at most ${LONGEST} characters, got ${text.length}`);
  }
  // A line end means the same as a space. Without line ends a message that quotes the formula is one line.
  const formula = text.replace(/\s/g, ' ');
  let tree: jsep.Expression;
  try {
    tree = jsep(formula);
  } catch (error) {
    const { description, index } = error as { description?: string; index?: number };
    throw new ValueError(
      `expression "${formula}": expected a formula such as 0.1*x, got an error at character ${(index ?? 0) + 1}: ${description ?? String(error)}`,
    );
  }
  return compile(tree, formula, parameters);
}

function compile(
  node: jsep.Expression,
  text: string,
  parameters: Readonly<Record<string, number>>,
): CompiledExpression {
  const fail = (what: string): never => {
    throw new ValueError(`expression "${text}": ${what}`);
  };
  const go = (child: unknown) => compile(child as jsep.Expression, text, parameters);
  switch (node.type) {
    case 'Literal': {
      const value = node.value;
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        return fail(`expected numbers only, got ${String(node.raw)}`);
      }
      return () => ({ value, slope: 0 });
    }
    case 'Identifier':
      return identifier(String(node.name), text, parameters);
    case 'UnaryExpression': {
      const operand = go(node.argument);
      if (node.operator === '+') return operand;
      if (node.operator !== '-') return fail(`expected + or - before a value, got ${String(node.operator)}`);
      return (at) => BINARY['-']({ value: 0, slope: 0 }, operand(at));
    }
    case 'BinaryExpression': {
      const operator = String(node.operator);
      if (!Object.hasOwn(BINARY, operator)) return fail(`expected one of + - * / ^, got ${operator}`);
      const [apply, left, right] = [BINARY[operator], go(node.left), go(node.right)];
      return (at) => apply(left(at), right(at));
    }
    case 'CallExpression':
      return call(node as jsep.CallExpression, text, go);
    case 'Compound':
      return fail('expected one formula, got several or none: is an operator missing?');
    default:
      return fail(`expected numbers, names, + - * / ^ and functions, got a ${node.type}`);
  }
}

function identifier(
  name: string,
  text: string,
  parameters: Readonly<Record<string, number>>,
): CompiledExpression {
  if (name === 'x') return ({ x }) => ({ value: x, slope: 1 });
  if (name === 't') return ({ t }) => ({ value: t, slope: 0 });
  for (const table of [parameters, CONSTANTS]) {
    const value = Object.hasOwn(table, name) ? table[name] : undefined;
    if (value !== undefined) return () => ({ value, slope: 0 });
  }
  const names = ['x', 't', ...Object.keys(parameters), ...Object.keys(CONSTANTS)];
  throw new ValueError(
    `expression "${text}": expected one of ${names.join(', ')} or a parameter given by --set, got ${name}.${didYouMean(name, names)}`,
  );
}

function call(
  node: jsep.CallExpression,
  text: string,
  go: (child: unknown) => CompiledExpression,
): CompiledExpression {
  const name = node.callee.type === 'Identifier' ? String(node.callee.name) : node.callee.type;
  const names = Object.keys(FUNCTIONS);
  if (!Object.hasOwn(FUNCTIONS, name)) {
    throw new ValueError(
      `expression "${text}": expected a function ${names.join(', ')}, got ${name}.${didYouMean(name, names)}`,
    );
  }
  if (node.arguments.length !== 1) {
    throw new ValueError(
      `expression "${text}": expected one argument of ${name}, got ${node.arguments.length}`,
    );
  }
  const [onNumbers, onTensors, slopeOf] = FUNCTIONS[name];
  const operand = go(node.arguments[0]);
  return (at) => {
    const { value, slope } = operand(at);
    if (typeof value !== 'number' && !onTensors) {
      throw new ValueError(`expression "${text}": expected ${name} of t and numbers, got ${name} of x`);
    }
    const y = typeof value === 'number' ? onNumbers(value) : onTensors!(value);
    return { value: y, slope: slope === 0 ? 0 : mul(slopeOf(value, y), slope) };
  };
}

/**
 * An Itô SDE from two expressions. The noise is additive if the diffusion does not depend on x, else diagonal.
 * @throws ValueError for an expression that does not parse or has an unknown name
 */
export function expressionSde(
  drift: string,
  diffusion: string,
  parameters: Readonly<Record<string, number>> = {},
): SDE {
  for (const [name, value] of Object.entries(parameters)) {
    if (!Number.isFinite(value))
      throw new ValueError(`expression: expected a finite ${name}, got ${describe(value)}`);
  }
  const [a, b] = [parseExpression(drift, parameters), parseExpression(diffusion, parameters)];
  // Evaluate once: some errors appear on tensors only, and must be reported before a solve begins.
  const probe = full([1], 1);
  a({ x: probe, t: 0 });
  const additive = typeof b({ x: probe, t: 0 }).value === 'number';
  return {
    name: `dX = (${drift}) dt + (${diffusion}) dW`,
    noise: additive ? 'additive' : 'diagonal',
    drift: (x, t) => tensorOf(a({ x, t }).value),
    diffusion: (x, t) => tensorOf(b({ x, t }).value),
    correction: (x, t) => {
      const { value, slope } = b({ x, t });
      return tensorOf(mul(value, slope));
    },
  };
}
