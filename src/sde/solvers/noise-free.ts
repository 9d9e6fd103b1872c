/**
 * Solvers of an equation without its noise: the ordinary differential equation dx = a(x, t) dt. They do not use dW.
 *
 * Euler x' = x + a dt has order 1, Heun's rule order 2, the classical Runge-Kutta scheme order 4. The declared strong
 * order is the order for the ordinary differential equation.
 * Source: Hairer, Nørsett and Wanner, "Solving Ordinary Differential Equations I" (1993), II.1.
 */
import type { Tensor } from '../../tensor/tensor.ts';
import { NOISE_TYPES, type SDE, type SdeSolver } from '../sde.ts';

type Step = (a: SDE['drift'], x: Tensor, t: number, dt: number) => Tensor;

function make(name: string, title: string, order: number, rule: Step): SdeSolver {
  const orders = Object.fromEntries(NOISE_TYPES.map((noise) => [noise, { strong: order, weak: order }]));
  return {
    name,
    title,
    orders,
    strongOrder: order,
    interpretation: 'ito',
    noiseFree: true,
    step: (sde, x, t, dt) => rule((at, time) => sde.drift(at, time), x, t, dt),
  };
}

/** Euler without the noise, order 1. */
export const odeEuler = make('ode-euler', 'Euler, noise-free', 1, (a, x, t, dt) => x.add(a(x, t).mul(dt)));

/** Heun without the noise, order 2. */
export const odeHeun = make('ode-heun', 'Heun, noise-free', 2, (a, x, t, dt) => {
  const first = a(x, t);
  const second = a(x.add(first.mul(dt)), t + dt);
  return x.add(first.add(second).mul(dt / 2));
});

/** The classical Runge-Kutta scheme without the noise, order 4. */
export const odeRk4 = make('ode-rk4', 'Runge-Kutta 4, noise-free', 4, (a, x, t, dt) => {
  const k1 = a(x, t);
  const k2 = a(x.add(k1.mul(dt / 2)), t + dt / 2);
  const k3 = a(x.add(k2.mul(dt / 2)), t + dt / 2);
  const k4 = a(x.add(k3.mul(dt)), t + dt);
  return x.add(
    k1
      .add(k2.add(k3).mul(2))
      .add(k4)
      .mul(dt / 6),
  );
});
