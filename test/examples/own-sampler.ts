/**
 * A sampler of your own. It goes from noise to data as DDIM does, but replaces a share of the predicted noise by fresh
 * noise in each step: with the share 0 it is DDIM.
 *
 *     x_to = alpha_to·x0 + sigma_to·(√(1 - share²)·eps + share·z)
 *
 * The data are a mixture of two normal distributions. Its score is known, so no network has to be trained, and the
 * program can compare the samples with the data.
 */
import { Rng, type Tensor } from 'langevin';
import {
  conversion,
  createSchedule,
  ddim,
  GaussianMixture,
  runSampler,
  type Sampler,
  spacedLevels,
  startNoise,
} from 'langevin/diffusion';

/** @param share of fresh noise in each step, 0 to 1 */
function refreshing(share: number, steps: number): Sampler {
  return {
    name: 'refreshing',
    order: 1,
    stochastic: share > 0,
    levels: (schedule) => spacedLevels(schedule, { steps }),
    *sample(model, schedule, start, rng) {
      const levels = this.levels(schedule);
      let x = start.keep();
      for (const [i, to] of levels.entries()) {
        if (i === 0) continue;
        const from = levels[i - 1]!;
        const prediction = model.predict(x, from.t);
        // Whatever the model predicts, data and noise are combinations of it and of x.
        const as = (what: 'x0' | 'eps'): Tensor => {
          const [p, q] = conversion(model.predicts, what, from);
          return x.mul(p).add(prediction.mul(q));
        };
        const x0 = as('x0');
        const noise = as('eps')
          .mul(Math.sqrt(1 - share ** 2))
          .add(rng.normal(x.shape).mul(share));
        x = x0.mul(to.alpha).add(noise.mul(to.sigma));
        yield { step: i, steps: levels.length - 1, level: to, x, x0, evaluations: i };
      }
      return x;
    },
  };
}

const data = new GaussianMixture([
  { weight: 0.7, mean: [-1], variance: 0.04 },
  { weight: 0.3, mean: [2], variance: 0.01 },
]);
const schedule = createSchedule('cosine', 1000);
const start = startNoise(schedule, [5000, 1], new Rng(1));

/** The share of samples near each mode, and the mean of all. */
function report(name: string, sampler: Sampler): number[] {
  const x = runSampler(sampler.sample(data.predictor(schedule), schedule, start, new Rng(2)));
  const values = Array.from(x.toTypedArray());
  const near = (at: number) => values.filter((v) => Math.abs(v - at) < 0.7).length / values.length;
  console.log(
    `${name}: ${near(-1).toFixed(2)} near -1, ${near(2).toFixed(2)} near 2, mean ${x.mean().item().toFixed(2)}`,
  );
  return values;
}

const plain = report('share 0', refreshing(0, 50));
report('share 0.5', refreshing(0.5, 50));
const known = report('DDIM', ddim({ steps: 50 }));
const apart = plain.reduce((sum, v, i) => sum + Math.abs(v - known[i]!), 0) / plain.length;
console.log(`share 0 and DDIM differ by ${apart.toFixed(4)} on average`);
