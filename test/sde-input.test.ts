/** Bad input to the SDE laboratory: expressions, times, starts and explosions. */
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { DivergenceError, ShapeError, ValueError } from '../src/errors.ts';
import { Rng } from '../src/random/rng.ts';
import { BrownianPath } from '../src/sde/brownian-path.ts';
import { expressionSde, parseExpression } from '../src/sde/expression.ts';
import { brownian, brownianBridge, gbm, processNamed } from '../src/sde/processes/index.ts';
import { solve, startAt } from '../src/sde/solve.ts';
import { eulerMaruyama, heun, milstein, sri1 } from '../src/sde/solvers/index.ts';
import { tensor } from '../src/tensor/create.ts';
import { onBackend } from './helpers.ts';
import { suite } from './suite.ts';

const isA = (Class: new (message: string) => Error) => (error: unknown) => error instanceof Class;

const value = (x: unknown) => (typeof x === 'number' ? x : (x as ReturnType<typeof tensor>).item());

suite('expressions', (test) => {
  test('values and derivatives are those of the formula', () => {
    const cases: [string, (x: number, t: number) => number][] = [
      ['0.1*x', (x) => 0.1 * x],
      ['theta*(mu - x)', (x) => 2 * (0.5 - x)],
      ['-x^3 + x', (x) => -(x ** 3) + x],
      ['2^3^2 * x', (x) => 512 * x],
      ['-x^2', (x) => -(x ** 2)],
      ['sqrt(x)/exp(-x*t)', (x, t) => Math.sqrt(x) / Math.exp(-x * t)],
      ['tanh(2*x) - log(x) + abs(x - 5)', (x) => Math.tanh(2 * x) - Math.log(x) + Math.abs(x - 5)],
      ['sigmoid(x) * sin(pi*t) + cos(t)', (x, t) => Math.sin(Math.PI * t) / (1 + Math.exp(-x)) + Math.cos(t)],
      ['x^1.5 / (1 + x)', (x) => x ** 1.5 / (1 + x)],
      ['1 - 2 - 3 + x', (x) => x - 4],
    ];
    onBackend('reference', () => {
      for (const [text, f] of cases) {
        const compiled = parseExpression(text, { theta: 2, mu: 0.5 });
        const [x, t] = [1.3, 0.4];
        const { value: v, slope } = compiled({ x: tensor([x]), t });
        assert.ok(Math.abs(value(v) - f(x, t)) < 1e-12, `${text}: ${value(v)}, ${f(x, t)}`);
        const numeric = (f(x + 1e-6, t) - f(x - 1e-6, t)) / 2e-6;
        assert.ok(Math.abs(value(slope) - numeric) < 1e-7, `${text}, slope: ${value(slope)}, ${numeric}`);
      }
    });
  });

  test('an SDE of two expressions equals the process with this formula', () => {
    const typed = expressionSde('mu*x', 'sigma*x', { mu: 0.05, sigma: 0.2 });
    const options = { t1: 1, steps: 30, noise: 4 };
    const [one, two] = [typed, gbm()].map((sde) =>
      solve(sde, milstein, startAt(100, 50), options).states.toTypedArray(),
    );
    one!.forEach((v, i) => {
      assert.ok(Math.abs(v - two![i]!) < 1e-3);
    });
    assert.is(expressionSde('x', '1 + t').noise, 'additive');
    assert.is(typed.noise, 'diagonal');
  });

  test('an expression that does not parse, or has an unknown name, is refused and never run', () => {
    const refused: [string, RegExp][] = [
      ['0.1*', /expression "0\.1\*": expected a formula such as 0\.1\*x, got an error at character \d/],
      ['', /got several or none/],
      ['2 x', /is an operator missing/],
      ['(x', /error at character/],
      ['y + 1', /expected one of x, t, .* got y/],
      ['sgma*x', /Did you mean "sigma"/],
      ['sinn(t)', /expected a function .* got sinn.*Did you mean "sin"/],
      ['sin(x)', /expected sin of t and numbers, got sin of x/],
      ['exp(x, 2)', /expected one argument of exp, got 2/],
      ['x^x', /expected an exponent without x/],
      ['"x"', /expected numbers only/],
      ['x > 1', /expected one of \+ - \* \/ \^, got >/],
      ['!x', /expected \+ or - before a value/],
      ['x ? 1 : 2', /got a ConditionalExpression/],
      ['x.constructor', /got a MemberExpression/],
      ['[x]', /got a ArrayExpression/],
      ['this', /got a ThisExpression/],
      ['process.exit(1)', /expected a function/],
      ['constructor', /expected one of x, t/],
      ['toString(x)', /expected a function/],
      ['__proto__', /expected one of x, t/],
      ['1e999*x', /expected numbers only/],
      [`x${'+1'.repeat(500)}`, /^expression: expected at most 1000 characters, got 1001$/],
      ['x +\n\n% 1', /^expression "x \+ {2}% 1": [^\n]*$/],
      ['x\u2028y', /^expression "x y": [^\n]*$/],
    ];
    for (const [text, message] of refused) {
      assert.throws(() => expressionSde(text, '1', { sigma: 1 }), message);
      assert.throws(() => expressionSde('x', text, { sigma: 1 }), isA(ValueError));
    }
    const brackets = `${'('.repeat(499)}x${')'.repeat(499)}`;
    const minuses = `${'-'.repeat(998)}x`;
    for (const longest of [`x${'^1'.repeat(499)}`, `x${'+1'.repeat(499)}`, brackets, minuses]) {
      assert.ok(expressionSde(longest, '1'), longest);
    }
    assert.throws(() => expressionSde('x', '1', { sigma: Number.NaN }), /expected a finite sigma, got NaN/);
  });
});

suite('bad input to a solve', (test) => {
  test('invalid steps, times, paths and starts are refused', () => {
    const one = startAt(1, 4);
    const run = (options: { t0?: number; t1?: number; steps?: number }) =>
      solve(gbm(), eulerMaruyama, one, { t1: 1, steps: 10, ...options });
    for (const steps of [0, -3, 2.5, Number.NaN]) {
      assert.throws(
        () => run({ steps }),
        new RegExp(`steps: expected a whole number of at least 1, got ${steps}`),
      );
    }
    for (const t1 of [0, -1, Number.NaN, Infinity])
      assert.throws(() => run({ t1 }), /expected finite times with t0 < t1/);
    for (const paths of [0, -1, 1.5])
      assert.throws(() => startAt(1, paths), /paths: expected a whole number/);
    assert.throws(
      () => solve(gbm(), eulerMaruyama, tensor([1, Number.NaN]), { t1: 1, steps: 1 }),
      /finite starts/,
    );
    assert.throws(() => solve(gbm(), eulerMaruyama, tensor(1), { t1: 1, steps: 1 }), isA(ShapeError));
    assert.throws(() => processNamed('brownain'), /Did you mean "brownian"/);
  });

  test('a path of another shape, or without the areas a solver needs, is refused', () => {
    const path = (n: number) => new BrownianPath(new Rng(0), [n], { t1: 1 });
    const run = (n: number) => solve(gbm(), sri1, startAt(1, 4), { t1: 1, steps: 2, path: path(n) });
    assert.throws(() => run(5), /expected a path of shape \[4\], got \[5\]/);
    assert.throws(() => run(4), /solver sri1: expected a path with space-time Lévy areas/);
  });

  test('an explosion reports its time and its path, with and without kept states', () => {
    const sde = expressionSde('x^3', '0.01');
    const start = tensor(Float64Array.from({ length: 100 }, (_, i) => (i === 37 ? 3 : 0.1)));
    const message = (keep: 'all' | 'last') => {
      try {
        solve(sde, eulerMaruyama, start, { t1: 2, steps: 20, keep });
      } catch (error) {
        assert.instance(error, DivergenceError);
        return (error as Error).message;
      }
      return 'no error';
    };
    assert.match(message('all'), /path 37 of 100 is (Infinity|NaN) at t = [\d.]+ \(step \d+ of 20\)/);
    assert.is(message('last'), message('all'));
    const steep = expressionSde('1000*x', '1');
    assert.throws(
      () => solve(steep, eulerMaruyama, startAt(1, 5), { t1: 100, steps: 1000 }),
      isA(DivergenceError),
    );
  });

  test('the bridge refuses a solver that evaluates the drift at its end', () => {
    const start = startAt(0, 4);
    const sde = { ...brownianBridge() };
    assert.throws(
      () => solve(sde, heun, start, { t1: 1, steps: 10 }),
      /bridge: expected a time before T = 1/,
    );
    const { states } = solve(sde, eulerMaruyama, start, { t1: 1, steps: 10, keep: 'last' });
    assert.ok(states.toTypedArray().every((x) => Math.abs(x) < 2));
  });

  test('a failed solve leaves no memory on the heap', () => {
    const start = startAt(1, 64);
    const { heap } = start.backend;
    const sde = expressionSde('x^3', '1');
    const attempt = () => {
      try {
        scope(() => solve(sde, eulerMaruyama, start, { t1: 50, steps: 50 }));
      } catch {}
    };
    for (let i = 0; i < 3; i++) attempt();
    const before = heap.usedBytes;
    attempt();
    assert.is(heap.usedBytes, before);
    assert.ok(brownian().start.length === 1);
  });
});
