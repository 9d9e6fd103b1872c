/**
 * Example programs with public names only: a transformer block, a recurrent cell, a Gaussian process. The oracles are
 * causality, PyTorch's formulas in float64, the normal equations solved by elimination, and the results of training.
 */
import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { Adam, crossEntropy, noGrad, Rng, scope, type Tensor, tensor } from '../src/index.ts';
import { cholesky, GaussianProcess } from './examples/gaussian-process.ts';
import { GruCell } from './examples/gru.ts';
import { LanguageModel } from './examples/transformer.ts';
import { close } from './helpers.ts';
import { suite } from './suite.ts';

/** One row of a tensor of rank 2 or 3, flat. */
const numbers = (x: Tensor) => Array.from(x.toTypedArray());

/** x with A·x = b by Gauss's elimination in float64. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i]]);
  for (const [i, pivot] of rows.entries()) {
    for (const row of rows.slice(i + 1)) {
      const factor = row[i] / pivot[i];
      for (let j = i; j < row.length; j++) row[j] -= factor * pivot[j];
    }
  }
  const x = new Array<number>(b.length);
  for (let i = b.length - 1; i >= 0; i--) {
    const known = x.slice(i + 1).reduce((sum, value, j) => sum + rows[i][i + 1 + j] * value, 0);
    x[i] = (rows[i][b.length] - known) / rows[i][i];
  }
  return x;
}

suite('examples', (test) => {
  test('they import public names only', () => {
    const files = readdirSync('test/examples').filter((file) => file.endsWith('.ts'));
    assert.is(files.length, 10);
    for (const file of files) {
      const source = readFileSync(`test/examples/${file}`, 'utf8');
      const imports = [...source.matchAll(/from '(.*)'/g)].map(([, from]) => from);
      assert.ok(imports.includes('langevin'), file);
      const others = imports.filter((from) => !/^langevin(\/sde|\/diffusion)?$/.test(from));
      assert.equal(others, file === 'off-thread.ts' ? ['./off-thread-worker.js'] : [], file);
    }
  });

  test('a transformer block does not depend on later tokens, and learns a sequence that depends on the past', () => {
    const [period, time, tokens] = [4, 12, 5];
    const rng = new Rng(1);
    const model = new LanguageModel(tokens, time, 16, 2, rng);
    const optimizer = new Adam(model.parameters(), { lr: 3e-3 });
    /** Random words of four tokens, each repeated. */
    const batch = () =>
      Array.from({ length: 16 }, () => {
        const word = Array.from(rng.uniform([period]).toTypedArray(), (u) => Math.floor(u * tokens));
        return Array.from({ length: time + 1 }, (_, i) => word[i % period]);
      });
    const lossOf = (sequences: number[][]) => {
      const logits = model.forward(sequences.map((tokens) => tokens.slice(0, -1)));
      // The first word cannot be predicted.
      const seen = logits.slice([0, period]);
      return crossEntropy(
        seen,
        sequences.flatMap((tokens) => tokens.slice(period + 1)),
      );
    };
    let loss = Infinity;
    for (let step = 0; step < 400; step++) {
      loss = scope(() => {
        const found = lossOf(batch());
        found.backward();
        optimizer.step();
        optimizer.zeroGrad();
        return found.item();
      });
    }
    assert.ok(loss < 0.5 * Math.log(tokens), `loss ${loss}, of ${Math.log(tokens)} for guessing`);
    model.eval();
    scope(() =>
      noGrad(() => {
        const sequence = [1, 2, 3, 4, 1, 2, 3, 4];
        const logits = model.forward([sequence]);
        const changed = model.forward([[...sequence.slice(0, 5), 0, 0, 0]]);
        const upTo = (x: Tensor) => numbers(x.slice([0, 0], [1, 5]));
        assert.equal(upTo(changed), upTo(logits));
        assert.not.equal(numbers(changed), numbers(logits));
      }),
    );
  });

  test("a recurrent cell follows PyTorch's formulas, and learns to remember the first of ten bits", () => {
    const rng = new Rng(2);
    const cell = new GruCell(1, 8, rng);
    scope(() => {
      const [x, h] = [rng.normal([1, 1]), rng.normal([1, 8])];
      const affine = (name: string, v: Tensor) => {
        const [w, b] = [`${name}.weight`, `${name}.bias`].map((key) => numbers(cell.stateDict().get(key)!));
        const inputs = numbers(v);
        return b.map((bias, i) =>
          inputs.reduce((sum, value, j) => sum + w[i * inputs.length + j] * value, bias),
        );
      };
      const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
      const [a, b, before] = [affine('input', x), affine('hidden', h), numbers(h)];
      const expected = before.map((old, i) => {
        const r = sigmoid(a[i] + b[i]);
        const z = sigmoid(a[8 + i] + b[8 + i]);
        const n = Math.tanh(a[16 + i] + r * b[16 + i]);
        return (1 - z) * n + z * old;
      });
      close(numbers(cell.forward(x, h)), expected, 1e-6, 'one step');
    });
    const optimizer = new Adam(cell.parameters(), { lr: 1e-2 });
    let right = 0;
    for (let step = 0; step < 150; step++) {
      right = scope(() => {
        const bits = rng.uniform([32, 10, 1]).ge(0.5);
        const first = Int32Array.from(numbers(bits.slice([0, 0], [32, 1])));
        const logits = cell.last(bits.mul(2).sub(1)).slice([0, 0], [32, 2]);
        crossEntropy(logits, first).backward();
        optimizer.step();
        optimizer.zeroGrad();
        return logits.argmax(1).filter((label, i) => label === first[i]).length;
      });
    }
    assert.ok(right >= 31, `${right} of 32`);
  });

  test('a Gaussian process agrees with the normal equations, and finds the noise of its data', () => {
    const rng = new Rng(3);
    const process = new GaussianProcess();
    scope(() => {
      const half = rng.normal([5, 5]);
      const a = half.matmul(half, { bT: true }).add(tensor(1));
      const l = cholesky(a);
      close(numbers(l.matmul(l, { bT: true })), numbers(a), 1e-4, 'L·Lᵀ');

      const x = tensor([-2, -1, 0, 0.5, 2]);
      const y = tensor([0.1, -0.4, 1, 0.7, -0.2]);
      const at = tensor([-1.5, 0.25, 3]);
      const { mean, variance } = process.predict(x, y, at);
      const covariance = (p: number, q: number) => Math.exp(-((p - q) ** 2) / 2);
      const places = numbers(x);
      const k = places.map((p, i) => places.map((q, j) => covariance(p, q) + (i === j ? Math.exp(-2) : 0)));
      for (const [i, place] of numbers(at).entries()) {
        const cross = places.map((p) => covariance(place, p));
        const weights = solve(k, cross);
        const dot = (u: readonly number[]) => weights.reduce((sum, w, j) => sum + w * u[j], 0);
        close([numbers(mean)[i]], [dot(numbers(y))], 1e-5, 'mean');
        close([numbers(variance)[i]], [1 - dot(cross)], 1e-5, 'variance');
      }
    });
    const [x, y] = scope(() => {
      const places = rng.uniform([30], -3, 3);
      return [
        places.keep(),
        places
          .mul(2)
          .sin()
          .add(rng.normal([30]).mul(0.1))
          .keep(),
      ];
    });
    const optimizer = new Adam(process.parameters(), { lr: 0.1 });
    for (let step = 0; step < 60; step++) {
      scope(() => {
        process.negativeLogLikelihood(x, y).backward();
        optimizer.step();
        optimizer.zeroGrad();
      });
    }
    const noise = Math.exp(process.logNoise.item());
    assert.ok(noise > 0.06 && noise < 0.16, `noise ${noise}, of 0.1`);
    scope(() => {
      const at = tensor([-2, 0, 1]);
      const { mean } = process.predict(x, y, at);
      close(
        numbers(mean),
        numbers(at).map((v) => Math.sin(2 * v)),
        0.2,
        'the function',
      );
    });
  });
});
