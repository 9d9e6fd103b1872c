/**
 * Paths of stochastic differential equations by Euler-Maruyama. The lecture's drift SDE dx = 0.1 x dt + dW has 10,000
 * paths and 1,000 steps. It is measured with the fused kernel and with tensors. The fused kernel is also measured
 * without storing states, and for geometric Brownian motion. The first row is also a task of the peers, `drift fused`.
 * Twin: a loop over a typed array, with normals by the polar method.
 */
import { drift, gbm, type Process } from '../src/sde/processes/index.ts';
import { type SolveOptions, solve, startAt } from '../src/sde/solve.ts';
import { eulerMaruyama } from '../src/sde/solvers/index.ts';
import type { Make, Subject } from './subject.ts';
import { polarNormals } from './twins.ts';

const PATHS = 10_000;
const TIME = 10;

type Form = Pick<SolveOptions, 'fused' | 'keep'>;

/** The same paths in plain TypeScript. All states are stored: `[steps + 1, PATHS]`. */
function plainDrift(states: Float32Array, noise: Float32Array): void {
  const steps = states.length / PATHS - 1;
  const dt = TIME / steps;
  const root = Math.sqrt(dt);
  states.fill(10, 0, PATHS);
  for (let k = 0; k < steps; k++) {
    polarNormals(noise);
    for (let p = 0; p < PATHS; p++) {
      const x = states[k * PATHS + p]!;
      states[(k + 1) * PATHS + p] = x + 0.1 * x * dt + root * noise[p]!;
    }
  }
}

export const pathsCase =
  (process: Process, steps: number, form: Form, withTwin = false): Make =>
  () => {
    const start = startAt(process.start, PATHS);
    const states = withTwin ? new Float32Array((steps + 1) * PATHS) : null;
    const noise = new Float32Array(PATHS);
    const kept = form.keep === 'last' ? ', last state' : '';
    return {
      name: `${process.name} ${form.fused ? 'fused' : 'general'}${kept}`,
      shape: `${PATHS}x${steps}`,
      updates: PATHS * steps,
      bytes: form.keep === 'last' ? 4 * PATHS : 4 * PATHS * (steps + 1),
      run: () => solve(process, eulerMaruyama, start, { t1: TIME, steps, ...form }).states.dispose(),
      ...(states && { twin: () => plainDrift(states, noise) }),
    };
  };

export const sde: Subject = {
  name: 'sde',
  title:
    'Euler-Maruyama paths, the noise included. Twin: a loop over typed arrays, normals by the polar method.',
  cases: ({ quick }) => {
    const steps = quick ? 100 : 1000;
    return [
      pathsCase(drift(), steps, { fused: true, keep: 'all' }, true),
      pathsCase(drift(), steps, { fused: false, keep: 'all' }, true),
      pathsCase(drift(), steps, { fused: true, keep: 'last' }),
      pathsCase(gbm(), steps, { fused: true, keep: 'all' }),
      pathsCase(gbm(), steps, { fused: false, keep: 'all' }),
    ];
  },
};
