/**
 * Milstein's scheme: x' = x + a dt + b dW + ½ c (dW² - dt), where c = b·∂b/∂x is the equation's `correction`. In the
 * Stratonovich calculus the last factor is dW².
 *
 * Itô or Stratonovich; strong order 1, weak order 1. The noise is additive, diagonal, or scalar with any dimension
 * (then c = (∂b/∂x) b). General noise needs Lévy areas between its motions, which this scheme does not have.
 * Source: Milstein (1974); Kloeden and Platen (1992), 10.3.
 */
import { type Interpretation, leastStrong, noiseOf, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 1 },
  diagonal: { strong: 1, weak: 1 },
  scalar: { strong: 1, weak: 1 },
};

function make(name: string, title: string, interpretation: Interpretation): SdeSolver {
  return {
    name,
    title,
    orders,
    strongOrder: leastStrong(orders),
    interpretation,
    lacks(sde) {
      if (sde.correction || noiseOf(sde) === 'additive') return null;
      return `expected a \`correction\` (b·∂b/∂x) of ${sde.name ?? 'the SDE'}, got none: the solver milstein-free needs no derivative`;
    },
    step(sde, x, t, dt, dW) {
      const euler = x.add(sde.drift(x, t).mul(dt)).add(sde.diffusion(x, t).mul(dW));
      if (noiseOf(sde) === 'additive') return euler;
      const square = interpretation === 'ito' ? dW.mul(dW).sub(dt) : dW.mul(dW);
      return euler.add(sde.correction!(x, t).mul(square).mul(0.5));
    },
  };
}

/** Milstein (1974): Itô, strong order 1. It needs the equation's `correction`. */
export const milstein = make('milstein', 'Milstein', 'ito');
/** Milstein in the Stratonovich calculus: strong order 1. It needs the equation's `correction`. */
export const milsteinStratonovich = make('milstein-stratonovich', 'Milstein (Stratonovich)', 'stratonovich');
