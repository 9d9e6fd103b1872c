/**
 * An equation of your own: logistic growth in a noisy environment,
 *
 *     dX = r·X·(1 - X/K) dt + s·X dW.
 *
 * An SDE is two functions of a tensor and the time. After a long time the law of X is known: it is a gamma distribution
 * with the mean K·(1 - s²/(2r)). So noise lowers the mean population, and the program checks by how much.
 */
import { tensor } from 'langevin';
import { milstein, type SDE, solve } from 'langevin/sde';

const [r, K, s] = [1, 100, 0.5];

const growth: SDE = {
  noise: 'diagonal',
  drift: (x) => x.mul(r).mul(x.mul(-1 / K).add(1)),
  diffusion: (x) => x.mul(s),
  correction: (x) => x.mul(s * s), // b·∂b/∂x, which Milstein's scheme needs
};

const start = tensor(new Float32Array(20_000).fill(10), [20_000]);
const { states } = solve(growth, milstein, start, { t1: 20, steps: 1000, noise: 1, keep: 'last' });

console.log(`mean of 20,000 populations: ${states.mean().item().toFixed(1)}`);
console.log(`exact: ${(K * (1 - (s * s) / (2 * r))).toFixed(1)}`);
