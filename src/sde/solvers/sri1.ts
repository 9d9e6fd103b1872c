/**
 * Rößler's SRI1 (SRI1W1), a stochastic Runge-Kutta scheme of strong order 3/2 for noise that depends on the state. It
 * has two stages for the drift and four for the diffusion:
 *
 * H⁰_i = x + Σ_j A⁰_ij a(H⁰_j) dt + Σ_j B⁰_ij b(H¹_j) I_(1,0)/dt
 * H¹_i = x + Σ_j A¹_ij a(H⁰_j) dt + Σ_j B¹_ij b(H¹_j) √dt
 * x' = x + Σ_i α_i a(H⁰_i) dt + Σ_i (β¹_i I_(1) + β²_i I_(1,1)/√dt + β³_i I_(1,0)/dt + β⁴_i I_(1,1,1)/dt) b(H¹_i)
 *
 * where I_(1) = dW, I_(1,1) = (dW² - dt)/2, I_(1,1,1) = (dW³ - 3 dt dW)/6 and I_(1,0)/dt = dW/2 + the space-time
 * Lévy area. Stage i evaluates a at t + c⁰_i dt, and b at t + c¹_i dt.
 *
 * Itô; strong order 3/2, weak order 2; additive, diagonal and scalar noise.
 * Source: Rößler, "Runge-Kutta methods for the strong approximation of solutions of stochastic differential
 * equations", SIAM J. Numer. Anal. 48 (2010) (4), 922-952.
 */
import { InternalError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { leastStrong, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1.5, weak: 2 },
  diagonal: { strong: 1.5, weak: 2 },
  scalar: { strong: 1.5, weak: 2 },
};

/** The coefficients. A test checks that they satisfy the order conditions. */
export const SRI1 = {
  c0: [0, 3 / 4, 0, 0],
  c1: [0, 1 / 4, 1, 1 / 4],
  A0: [[], [3 / 4], [0, 0], [0, 0, 0]],
  A1: [[], [1 / 4], [1, 0], [0, 0, 1 / 4]],
  B0: [[], [3 / 2], [0, 0], [0, 0, 0]],
  B1: [[], [1 / 2], [-1, 0], [-5, 3, 1 / 2]],
  alpha: [1 / 3, 2 / 3, 0, 0],
  beta1: [-1, 4 / 3, 2 / 3, 0],
  beta2: [-1, 4 / 3, -1 / 3, 0],
  beta3: [2, -4 / 3, -2 / 3, 0],
  beta4: [-2, 5 / 3, -2 / 3, 1],
} as const;

/** x + Σ_j coefficients_j·terms_j. Skips the terms with coefficient 0. */
function combine(x: Tensor, coefficients: readonly number[], terms: readonly Tensor[]): Tensor {
  let sum = x;
  for (const [j, c] of coefficients.entries())
    if (c !== 0) sum = sum.add(c === 1 ? terms[j] : terms[j].mul(c));
  return sum;
}

/** SRI1 (Rößler 2010): Itô, strong order 3/2, weak order 2. */
export const sri1: SdeSolver = {
  name: 'sri1',
  title: 'Rößler SRI1',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'ito',
  needsArea: true,
  step(sde, x, t, dt, dW, area) {
    if (!area) throw new InternalError('sri1: step without the space-time Lévy area');
    const root = Math.sqrt(dt);
    const j10 = area.add(dW.mul(0.5));
    const square = dW.mul(dW);
    const i11 = square.sub(dt).mul(0.5 / root);
    const i111 = square
      .sub(3 * dt)
      .mul(dW)
      .mul(1 / (6 * dt));
    const [drifts, kicks, roots]: [Tensor[], Tensor[], Tensor[]] = [[], [], []];
    let next = x;
    for (let i = 0; i < 4; i++) {
      const b = sde.diffusion(
        combine(combine(x, SRI1.A1[i], drifts), SRI1.B1[i], roots),
        t + SRI1.c1[i] * dt,
      );
      if (i < 2) {
        const a = sde.drift(combine(combine(x, SRI1.A0[i], drifts), SRI1.B0[i], kicks), t + SRI1.c0[i] * dt);
        drifts.push(a.mul(dt));
        next = next.add(drifts[i].mul(SRI1.alpha[i]));
      } else {
        drifts.push(drifts[0]); // stages 2 and 3 of the drift equal stage 0: their rows in A0 and B0 are zeros
      }
      kicks.push(b.mul(j10));
      roots.push(b.mul(root));
      const weight = combine(
        dW.mul(SRI1.beta1[i]),
        [SRI1.beta2[i], SRI1.beta3[i], SRI1.beta4[i]],
        [i11, j10, i111],
      );
      next = next.add(b.mul(weight));
    }
    return next;
  },
};
