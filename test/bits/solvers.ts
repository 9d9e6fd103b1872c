/**
 * The bits of every SDE solver. It solves 64 paths from different starts over 16 steps of each of four processes, if it
 * supports their noise type, in its own calculus. It runs with the fused kernel if there is one, and without.
 */
import { scope } from '../../src/autograd/tape.ts';
import { Rng, type Seed } from '../../src/random/rng.ts';
import { doubleWell, gbm, heston, ornsteinUhlenbeck, type Process } from '../../src/sde/processes/index.ts';
import { misfit, type SDE, type SdeSolver, toStratonovich } from '../../src/sde/sde.ts';
import { solve, startAt } from '../../src/sde/solve.ts';
import { Hash } from './hash.ts';

const PROCESSES = {
  additive: ornsteinUhlenbeck(),
  diagonal: gbm(),
  nonlinear: doubleWell(),
  general: heston(),
};

/** The Heston model stays in the Itô calculus, so the published bits of Stratonovich solvers do not contain it. */
const inItsCalculus = (solver: SdeSolver, process: Process): SDE =>
  solver.interpretation === 'stratonovich' && process.correction && process.noise !== 'general'
    ? toStratonovich(process)
    : process;

export async function solverBits(solver: SdeSolver, seed: Seed): Promise<string> {
  const hash = new Hash();
  for (const [noise, process] of Object.entries(PROCESSES)) {
    const sde = inItsCalculus(solver, process);
    if (misfit(solver, sde)) continue;
    for (const fused of [true, false]) {
      const states = scope(() => {
        const rng = new Rng(seed);
        const start = startAt(process.start, 64);
        const x = start.add(rng.stream('starts').uniform(start.shape).mul(0.05));
        return solve(sde, solver, x, { t1: 0.25, steps: 16, noise: rng.stream('noise'), fused }).states;
      });
      hash.tensor(`${noise}${fused ? '' : ', not fused'}`, states);
      states.dispose();
    }
  }
  return hash.digest();
}
