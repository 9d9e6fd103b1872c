/**
 * Ops that are defined outside of the package, through its public names. The oracles are the same function made of the
 * package's ops, finite differences, and closed-form derivatives.
 */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { tapeLength } from '../src/autograd/tape.ts';
import { BACKENDS } from '../src/backend/backend.ts';
import { LangevinError, LifetimeError, ShapeError, ValueError } from '../src/errors.ts';
import type { CustomOp, Tensor } from '../src/index.ts';
import * as langevin from '../src/index.ts';
import { close, onBackend, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const { customOp, gradcheck, noGrad, Rng, scope, tensor, where } = langevin;

const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

const CUBE: CustomOp = {
  name: 'cube',
  forward: ([x]) => x!.mul(x!).mul(x!),
  backward: (dy, { xs: [x] }) => [dy.mul(x!).mul(x!).mul(3)],
};
const cube = customOp(CUBE);

/** (x·w)^power, elementwise, with its derivatives by y. */
const product = customOp<{ readonly power: number }>({
  name: 'product',
  forward: ([x, w], { power }) => x!.mul(w!).pow(power),
  backward: (dy, { xs: [x, w], y, attrs: { power } }) => {
    const common = dy.mul(y).mul(power);
    return [common.div(x!), common.div(w!)];
  },
});

/** The only example in a file's TSDoc, as a program. */
function exampleOf(file: string): string {
  const [, example = ''] = /@example\n((?: \*.*\n)+?) \*\//.exec(readFileSync(file, 'utf8')) ?? [];
  return example.replace(/^ \* ?/gm, '');
}

suite('custom ops', (test) => {
  for (const on of BACKENDS) {
    test(`a custom op has the values and gradients of the ops that it is made of, on ${on}`, () => {
      const run = (f: (x: Tensor, w: Tensor) => Tensor) =>
        onBackend(on, () => {
          const rng = new Rng(3);
          const [x, w] = [rng.uniform([2, 3], 0.5, 2), rng.uniform([2, 3], 0.5, 2)];
          for (const t of [x, w]) t.requireGrad();
          const y = f(x, w);
          y.mul(rng.normal([2, 3]))
            .sum()
            .backward();
          return [y, x.grad!, w.grad!].map((t) => t.toTypedArray());
        });
      const own = run((x, w) => product(x, w, { power: 3 }));
      const composed = run((x, w) => x.mul(w).pow(3));
      for (const [i, values] of composed.entries()) {
        close(own[i]!, values, on === 'wasm' ? 1e-4 : 1e-12, ['y', 'dx', 'dw'][i]!);
      }
    });
  }

  scoped((test) => {
    test('the example in the documentation runs, and its comments are correct', () => {
      const program = exampleOf('src/tensor/custom-op.ts');
      assert.match(program, /customOp\(/);
      const names = { customOp, tensor, gradcheck };
      const run = new Function(...Object.keys(names), `${program}\nreturn { x, error };`);
      const { x, error } = run(...Object.values(names));
      assert.equal(x.grad.toArray(), [3, 12]);
      assert.ok(error < 1e-6, `${error}`);
    });

    test('gradcheck passes a derivative that is right, and not one that is wrong', () => {
      const x = tensor([0.5, -1.5, 2]);
      assert.ok(gradcheck(cube, [x]) < 1e-8);
      assert.ok(gradcheck((a, b) => product(a, b, { power: 2 }), [x, tensor([2, 3, 0.5])]) < 1e-8);
      const wrong = customOp({ ...CUBE, backward: (dy, { xs: [x] }) => [dy.mul(x!).mul(x!).mul(3.001)] });
      assert.ok(gradcheck(wrong, [x]) > 1e-4);
    });

    test('neither pass is recorded; without gradients or under noGrad there is no node', () => {
      const x = leaf([2]);
      const before = tapeLength();
      const y = cube(x);
      assert.is(tapeLength(), before + 1);
      assert.is(cube(tensor([2])).requiresGrad, false);
      assert.is(noGrad(() => cube(x)).requiresGrad, false);
      assert.is(tapeLength(), before + 1);
      y.backward();
      assert.equal(x.grad!.toArray(), [12]);
      assert.is(x.grad!.requiresGrad, false);
      assert.is(tapeLength(), before);
    });

    test('gradients are summed over uses and passes, and flow through other ops on both sides', () => {
      const x = leaf([1, 2]);
      const y = cube(x.mul(2));
      const loss = y.add(cube(x)).sum();
      loss.backward(null, { retainGraph: true });
      // d/dx (8·x³ + x³) = 27·x²
      assert.equal(x.grad!.toArray(), [27, 108]);
      loss.backward();
      assert.equal(x.grad!.toArray(), [54, 216]);
      const w = leaf([3]);
      product(w, w, { power: 1 }).backward();
      assert.equal(w.grad!.toArray(), [6]);
    });

    test('an input may have no gradient, and the op gets the list of required gradients', () => {
      const wanted: boolean[][] = [];
      const pick = customOp({
        name: 'pick',
        forward: ([x, mask]) => where(mask!, x!, 0),
        backward: (dy, { xs: [, mask], wants }) => {
          wanted.push([wants(0), wants(1)]);
          return [where(mask!, dy, 0), null];
        },
      });
      const [x, mask] = [leaf([5, 6]), tensor([0, 1])];
      pick(x, mask).sum().backward();
      assert.equal([x.grad!.toArray(), mask.grad], [[0, 1], null]);
      const trained = leaf([0, 1]);
      pick(x, trained).sum().backward();
      assert.equal(trained.grad, null);
      assert.equal(wanted, [
        [true, false],
        [true, true],
      ]);
    });

    test("a custom derivative may differ from the function's derivative", () => {
      const sign = customOp({
        name: 'sign',
        forward: ([x]) => x!.gt(0).sub(x!.mul(-1).gt(0)),
        backward: (dy) => [dy],
      });
      const x = leaf([-3, 0, 2]);
      const y = sign(x);
      assert.equal(y.toArray(), [-1, 0, 1]);
      y.mul(tensor([1, 2, 3]))
        .sum()
        .backward();
      assert.equal(x.grad!.toArray(), [1, 2, 3]);
    });

    test('a custom op does not change the tensor that forward returns: an input, a parameter or a constant', () => {
      const [x, parameter, constant] = [leaf([1, 2]), leaf([3, 4]), tensor([5, 6])];
      for (const result of [x, parameter, constant]) {
        const wanted = result.requiresGrad;
        const same = customOp({ name: 'same', forward: () => result, backward: (dy) => [dy.mul(7)] });
        x.zeroGrad();
        const y = same(x);
        assert.equal(y.toArray(), result.toArray());
        y.sum().backward();
        assert.equal(x.grad!.toArray(), [7, 7]);
        assert.equal([result.requiresGrad, result.isLeaf], [wanted, true]);
        assert.is(parameter.grad, null);
      }
    });

    test('arrays that are written to between the passes are refused, unless the op does not save them', () => {
      const changed = (what: string) =>
        `backward: the derivative of cube reads ${what} of shape [2], which was written to after cube ran: write to a clone() of it, or after backward()`;
      const pass = (saves: CustomOp['saves'], write: (x: Tensor, y: Tensor) => void) => {
        const x = leaf([1, 2]);
        const y = customOp({ ...CUBE, ...(saves && { saves }) })(x);
        const loss = y.sum();
        write(x, y);
        loss.backward();
        return x.grad!.toArray();
      };
      const writeX = (x: Tensor) => void x.set([10, 10]);
      const writeY = (_: Tensor, y: Tensor) => void y.set([10, 10]);
      refused(() => pass(undefined, writeX), LangevinError, changed('its input 0'));
      refused(() => pass(undefined, writeY), LangevinError, changed('its result'));
      refused(() => pass([0], writeX), LangevinError, changed('its input 0'));
      assert.equal(pass([0], writeY), [3, 12]);
    });

    test('hooks and the stepwise pass treat a custom op as any other op', () => {
      const x = leaf([2]);
      const y = cube(x);
      const seen: unknown[] = [];
      y.onGradient((g) => seen.push(g.item()));
      const names = [...y.mul(5).backwardSteps()].map(({ op }) => op.name);
      assert.equal(names, ['mul', 'cube']);
      assert.equal(seen, [5]);
      assert.equal(x.grad!.toArray(), [60]);
    });

    test('passes that return something else are refused', () => {
      const x = leaf([1, 2]);
      const forward = (result: unknown) => () => customOp({ ...CUBE, forward: () => result as Tensor })(x);
      refused(forward(3), ValueError, 'cube: forward: expected a tensor, got 3');
      refused(forward(undefined), ValueError, 'cube: forward: expected a tensor, got nothing');
      refused(forward(scope(() => x.mul(2))), LifetimeError, /used after its scope ended/);
      const backward = (gradients: unknown) => () =>
        customOp({ ...CUBE, backward: () => gradients as Tensor[] })(x)
          .sum()
          .backward();
      refused(
        backward([tensor([1, 2, 3])]),
        ShapeError,
        'cube: backward: expected a gradient of shape [2] for input 0, got [3]',
      );
      refused(
        backward([x, x]),
        ValueError,
        'cube: backward: expected an array of 1 gradient, got an array of 2',
      );
      refused(backward(x), ValueError, 'cube: backward: expected an array of 1 gradient, got a tensor [2]');
      refused(backward([undefined]), ValueError, 'cube: backward: expected a tensor, got nothing');
      assert.is(x.grad, null);
    });

    test('inputs and definitions that do not fit are refused', () => {
      const call = cube as (...args: unknown[]) => Tensor;
      refused(() => call(), ValueError, 'cube: expected at least one tensor, got nothing');
      refused(() => call(3), ValueError, 'cube: expected at least one tensor, got 3');
      refused(() => call(3, leaf([1])), ValueError, 'cube: expected tensors, got number');
      const define = (part: object) => () => customOp({ ...CUBE, ...part });
      refused(define({ name: '' }), ValueError, 'customOp: expected a name, got ""');
      refused(
        define({ backward: undefined }),
        ValueError,
        'customOp: expected a function backward of cube, got nothing',
      );
      refused(
        define({ saves: ['x'] }),
        ValueError,
        `customOp: expected saves of cube such as [0, 'y'], got ["x"]`,
      );
      for (const saves of [[-1], [0.5], [0, Number.NaN]]) {
        refused(
          define({ saves }),
          ValueError,
          `customOp: expected saves of cube such as [0, 'y'], got ${JSON.stringify(saves)}`,
        );
      }
      const other = onBackend('reference', () => tensor([1]).keep());
      const wasm = onBackend('wasm', () => tensor([1]).keep());
      refused(() => product(other, wasm, { power: 1 }), ValueError, /expected tensors of one backend/);
      for (const t of [other, wasm]) t.dispose();
    });
  })(test);

  test('outside of scopes the result lives until it is disposed', () => {
    const x = leaf([2]);
    const y = cube(x);
    assert.ok(y.onHeap);
    y.sum().backward();
    assert.equal(x.grad!.toArray(), [12]);
    y.dispose();
    refused(() => y.toArray(), LifetimeError, /after dispose/);
    x.dispose();
  });
});
