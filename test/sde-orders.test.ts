/**
 * Measures every order that a solver declares, for each of its noise types, by regression. The tolerance is 0.1 for
 * strong orders and 0.15 for weak ones. Solvers of the equation without noise are measured in float64.
 */
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { claimsOf, measureOrder, measureOrders, slopeOf } from '../src/sde/orders.ts';
import { eulerMaruyama, SOLVERS } from '../src/sde/solvers/index.ts';
import { tensor } from '../src/tensor/create.ts';
import { onBackend } from './helpers.ts';
import { suite } from './suite.ts';

const MARGIN = { strong: 0.1, weak: 0.15 };

suite('orders of convergence', (test) => {
  test('every declared order is measured', () => {
    const claims = claimsOf(SOLVERS);
    let measured = 0;
    for (const { solver, noise, kind, declared, slope, halfWidth } of measureOrders(claims)) {
      const what = `${solver}, ${noise} noise, ${kind}: declared ${declared}, measured ${slope} ± ${halfWidth}`;
      assert.ok(Math.abs(slope - declared) < MARGIN[kind], what);
      assert.ok(halfWidth < 0.25, what);
      measured++;
    }
    assert.is(measured, claims.length);
    assert.ok(claims.length >= 70, `${claims.length} claims`);
  });

  test('a wrong declaration is caught', () => {
    const wrong = { ...eulerMaruyama, orders: { diagonal: { strong: 1, weak: 1 } } };
    const { slope, declared } = measureOrder(wrong, 'diagonal', 'strong', { paths: 2000 });
    assert.ok(Math.abs(slope - declared) > 0.3);
  });

  test('the noise-free solvers have their orders, in float64', () => {
    onBackend('reference', () => {
      // dx = (1 + t) x, x(t) = exp(t + t²/2)
      const sde = {
        drift: (x: ReturnType<typeof tensor>, t: number) => x.mul(1 + t),
        diffusion: () => tensor(0),
      };
      for (const solver of SOLVERS.filter((s) => s.noiseFree)) {
        const levels = [16, 32, 64, 128];
        const errors = levels.map((n) =>
          scope(() => {
            let x = tensor([1]);
            for (let k = 0; k < n; k++) x = solver.step(sde, x, k / n, 1 / n, x);
            return Math.abs(x.item() - Math.exp(1.5));
          }),
        );
        const slope = slopeOf(
          levels.map((n) => 1 / n),
          errors,
        );
        assert.ok(Math.abs(slope - solver.strongOrder) < 0.1, `${solver.name}: ${slope}`);
      }
    });
  });
});
