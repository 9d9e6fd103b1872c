/** Objectives: predictions and their conversions, weights, EDM, learnt variance, the bound, time embeddings. */
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { continuousSchedule } from '../src/diffusion/continuous-schedule.ts';
import { createSchedule, DiscreteSchedule } from '../src/diffusion/discrete-schedule.ts';
import { edmLoss, edmLossAt, edmPredictor, preconditioning } from '../src/diffusion/edm.ts';
import { gaussian } from '../src/diffusion/gaussian-mixture.ts';
import {
  GREY_BIN,
  hybridLoss,
  learnedVariancePredictor,
  splitVariance,
} from '../src/diffusion/learned-variance.ts';
import { noiseToSignal, snr } from '../src/diffusion/level.ts';
import { logDiscretisedNormal, normalInterval } from '../src/diffusion/normal.ts';
import {
  type LossWeighting,
  type Network,
  networkPredictor,
  Objective,
  type TimeSampling,
} from '../src/diffusion/objective.ts';
import { conversion, PREDICTIONS, type Prediction, predictionRow } from '../src/diffusion/prediction.ts';
import { diffuse, diffuseEach } from '../src/diffusion/process.ts';
import { variationalBound } from '../src/diffusion/variational-bound.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Linear } from '../src/nn/linear.ts';
import { TimeEmbedding, timestepEmbedding } from '../src/nn/time-embedding.ts';
import { Adam } from '../src/optim/adam.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import { cat } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { suite } from './suite.ts';

const near = (value: number, expected: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${what}: ${value} is not ${expected} ± ${tolerance}`);

function refused(action: () => unknown, message: RegExp): void {
  assert.throws(action, (error: Error) => error instanceof ValueError && message.test(error.message));
}

const LINEAR = createSchedule('linear', 100);
const SCHEDULES = [
  LINEAR,
  continuousSchedule('sub-vp'),
  continuousSchedule('ve'),
  continuousSchedule('flow'),
];

suite('diffusion: objectives', (test) => {
  setBackend('reference');

  test('every prediction becomes every other one, and x0 and eps are found again', () => {
    const [x0, eps] = [0.8, -1.3];
    for (const schedule of SCHEDULES) {
      const level = schedule.level(
        schedule.tMin + 0.6 * (schedule.tMax - schedule.tMin) - (schedule === LINEAR ? 0.4 : 0),
      );
      const x = level.alpha * x0 + level.sigma * eps;
      const value = (kind: Prediction) => {
        const [p, q] = predictionRow(kind, level);
        return p * x0 + q * eps;
      };
      for (const from of PREDICTIONS) {
        for (const to of PREDICTIONS) {
          const [a, b] = conversion(from, to, level);
          const wanted = value(to);
          near(a * x + b * value(from), wanted, 1e-10 * (1 + Math.abs(wanted)), `${from} to ${to}`);
        }
      }
    }
    refused(
      () => conversion('eps', 'x0', { t: 9, alpha: 0, sigma: 1 }),
      /expected one that determines x0, got eps at t = 9/,
    );
    refused(
      () => conversion('x0', 'eps', { t: 0, alpha: 1, sigma: 0 }),
      /expected one that determines eps, got x0/,
    );
  });

  test('flow is the velocity of the straight line, and v that of the circle', () => {
    const flow = continuousSchedule('flow');
    const h = 1e-6;
    const [a, b] = [flow.level(0.4 - h), flow.level(0.4 + h)];
    const [p, q] = predictionRow('flow', flow.level(0.4));
    near(p, (b.alpha - a.alpha) / (2 * h), 1e-8);
    near(q, (b.sigma - a.sigma) / (2 * h), 1e-8);
    const level = LINEAR.level(30);
    const [pv, qv] = predictionRow('v', level);
    near(pv * level.alpha + qv * level.sigma, 0, 1e-15);
  });

  test('noising has the mean and the variance of its level', () => {
    const x0 = tensor(new Float64Array(20_000).fill(2), [20_000, 1]);
    const level = LINEAR.level(40);
    const { x, eps } = diffuse(x0, level, new Rng(1));
    let [m, v] = [0, 0];
    for (const value of x.toTypedArray()) m += value / 20_000;
    for (const value of x.toTypedArray()) v += (value - m) ** 2 / 20_000;
    near(m, 2 * level.alpha, (4 * level.sigma) / Math.sqrt(20_000));
    near(v, level.sigma ** 2, 4 * level.sigma ** 2 * Math.sqrt(2 / 20_000));
    near(x.toTypedArray()[5]!, level.alpha * 2 + level.sigma * eps.toTypedArray()[5]!, 1e-14);
    assert.throws(
      () => diffuseEach(x0, [level], eps),
      (e: Error) => e instanceof ShapeError,
    );
  });

  test('a perfect network has loss 0, and a network that predicts 0 has the mean square of the target', () => {
    const x0 = new Rng(1).normal([6, 3]);
    const eps = new Rng(2).normal([6, 3]);
    for (const schedule of SCHEDULES) {
      for (const predicts of PREDICTIONS) {
        const objective = new Objective(schedule, { predicts });
        const times = objective.times(6, new Rng(3));
        const levels = Array.from(times, (t) => schedule.level(t));
        const target = objective.target(x0, eps, levels).toTypedArray();
        const perfect: Network = () => objective.target(x0, eps, levels);
        near(objective.lossAt(perfect, x0, times, eps).item(), 0, 1e-20);
        let square = 0;
        for (const [i, value] of target.entries()) {
          const { sigma } = levels[Math.floor(i / 3)]!;
          square += ((predicts === 'score' ? sigma * sigma : 1) * value * value) / 18;
        }
        const loss = objective.lossAt((x) => x.mul(0), x0, times, eps).item();
        near(loss, square, 1e-10 * square);
        // The inputs of the network are the noised data and the times.
        objective.lossAt(
          (x, t) => {
            assert.equal(Array.from(t), [...times]);
            near(
              x.toTypedArray()[4]!,
              levels[1]!.alpha * x0.toTypedArray()[4]! + levels[1]!.sigma * eps.toTypedArray()[4]!,
              1e-12,
            );
            return x;
          },
          x0,
          times,
          eps,
        );
      }
    }
  });

  test('a weighted loss does not depend on the kind of prediction, and has the published weight', () => {
    const x0 = new Rng(1).normal([8, 2]);
    const eps = new Rng(2).normal([8, 2]);
    const times = [0, 1, 10, 30, 50, 70, 98, 99];
    const error = new Rng(3).normal([8, 2]).mul(0.1);
    for (const weight of ['min-snr', 'p2', 'vlb'] as const satisfies LossWeighting[]) {
      // Networks with the same error in x0, each with another kind of prediction.
      const losses = PREDICTIONS.map((predicts) => {
        const objective = new Objective(LINEAR, { predicts, lossWeighting: weight });
        const network: Network = (x, t) => {
          const parts = Array.from(t).map((time, i) => {
            const [a, b] = conversion('x0', predicts, LINEAR.level(time));
            const data = x0.add(error).slice([i], [i + 1]);
            return x
              .slice([i], [i + 1])
              .mul(a)
              .add(data.mul(b));
          });
          return cat(parts, 0);
        };
        return objective.lossAt(network, x0, times, eps).item();
      });
      for (const loss of losses) near(loss, losses[0]!, 1e-9 * losses[0]!, weight);
    }
    for (const t of [0, 20, 99]) {
      const level = LINEAR.level(t);
      const r = snr(level);
      const at = (weight: LossWeighting, predicts: Prediction) =>
        new Objective(LINEAR, { lossWeighting: weight, predicts }).weightAt(t);
      near(at('min-snr', 'x0'), Math.min(r, 5), 1e-12 * r);
      near(at('min-snr', 'eps'), Math.min(r, 5) / r, 1e-12);
      near(at('min-snr', 'v'), Math.min(r, 5) / (r + 1), 1e-12);
      near(at('p2', 'eps'), 1 / (1 + r), 1e-12);
      assert.is(at('simple', 'v'), 1);
      near(at('simple', 'score'), level.sigma ** 2, 1e-12);
      if (t === 0) {
        // The first step has no variance. It has the weight of that of the second.
        near(at('vlb', 'x0'), 1 / (2 * LINEAR.posteriorVariances[1]!), 1e-9 / LINEAR.posteriorVariances[1]!);
        continue;
      }
      // Ho et al. (2020), equation 12, with the variance betaTilde; Kingma et al. (2021): half the decrease of the SNR
      const beta = LINEAR.betas[t]!;
      const tilde = LINEAR.posteriorVariances[t]!;
      near(at('vlb', 'eps'), beta ** 2 / (2 * tilde * (1 - beta) * level.sigma ** 2), 1e-10);
      const fall = snr(LINEAR.level(t - 1)) - r;
      near(at('vlb', 'x0'), fall / 2, 1e-9 * fall);
    }
  });

  test('times are drawn from the schedule’s own, uniformly, in strata or by a logit', () => {
    const draw = (times: TimeSampling, n = 20_000, schedule = LINEAR as (typeof SCHEDULES)[number]) =>
      new Objective(schedule, { times, predicts: 'v' }).times(n, new Rng('times'));
    const uniform = draw('uniform');
    const counts = new Float64Array(100);
    for (const t of uniform) counts[t]!++;
    assert.ok(counts.every((c) => Math.abs(c - 200) < 5 * Math.sqrt(200)));
    const strata = draw('stratified', 100);
    assert.equal([...strata], [...Array(100).keys()]);
    const flow = SCHEDULES[3]!;
    const logit = draw({ kind: 'logit-normal', mean: 0.5, std: 0.8 }, 20_000, flow);
    let mean = 0;
    for (const t of logit) {
      const u = (t - flow.tMin) / (flow.tMax - flow.tMin);
      mean += Math.log(u / (1 - u)) / 20_000;
    }
    near(mean, 0.5, (4 * 0.8) / Math.sqrt(20_000));
    // The sigmoid of 60 rounds to 1, and there is no time after the last.
    assert.equal([...draw({ kind: 'logit-normal', mean: 60, std: 1 }, 10)], Array(10).fill(99));
    assert.equal(draw('logit-normal', 100), draw({ kind: 'logit-normal', mean: 0, std: 1 }, 100));
    // Log-normal times have a normal ln(sigma/alpha), on any schedule. One with steps takes the nearest.
    for (const schedule of [continuousSchedule('edm'), flow]) {
      const logs = Array.from(draw('log-normal', 20_000, schedule), (t) =>
        Math.log(noiseToSignal(schedule.level(t))),
      );
      const average = logs.reduce((a, b) => a + b) / logs.length;
      const spread = Math.sqrt(logs.reduce((sum, value) => sum + (value - average) ** 2, 0) / logs.length);
      near(average, -1.2, (4 * 1.2) / Math.sqrt(20_000));
      near(spread, 1.2, (4 * 1.2) / Math.sqrt(40_000));
    }
    const steps = draw({ kind: 'log-normal', mean: 0, std: 1e-9 }, 10);
    const ratios = Array.from({ length: LINEAR.length }, (_, t) =>
      Math.abs(Math.log(noiseToSignal(LINEAR.level(t)))),
    );
    assert.equal([...steps], Array(10).fill(ratios.indexOf(Math.min(...ratios))));
    refused(
      () => draw('random' as 'uniform'),
      /times: expected one of uniform, stratified, logit-normal, log-normal, got "random"/,
    );
  });

  test('the loss is minimal at the closed-form predictor', () => {
    const schedule = createSchedule('cosine', 50);
    const data = gaussian([0.3, -0.6], [0.5, 0.1]);
    const x0 = data.sample(4000, new Rng('data'));
    const objective = new Objective(schedule, { predicts: 'x0' });
    const at = (factor: number) => {
      const network: Network = (x, t) => {
        return data.denoise(x, schedule.level(t[0])).mul(factor);
      };
      const times = new Float64Array(4000).fill(25);
      return objective.lossAt(network, x0, times, new Rng('noise').normal([4000, 2])).item();
    };
    const { alpha, sigma } = schedule.level(25);
    const best = [0.5, 0.1].reduce((sum, v) => sum + (v * sigma ** 2) / (alpha ** 2 * v + sigma ** 2) / 2, 0);
    near(at(1), best, 4 * best * Math.sqrt(2 / 4000));
    assert.ok(at(1) < at(0.9) && at(1) < at(1.1));
  });

  test('a small network learns to denoise a Gaussian to nearly the best loss', () => {
    setBackend('wasm');
    const schedule = createSchedule('cosine', 50);
    const [mean, variance] = [0.5, 0.04];
    const objective = new Objective(schedule, { predicts: 'x0', times: 'stratified' });
    const rng = new Rng('train');
    const layers = [
      new Linear(17, 32, { rng }),
      new Linear(32, 32, { rng }),
      new Linear(32, 1, { rng }),
    ] as const;
    const network: Network = (x, t) => {
      const input = cat([x, timestepEmbedding(t, 16)], 1);
      return layers[2].forward(layers[1].forward(layers[0].forward(input).silu()).silu());
    };
    const adam = new Adam(
      layers.flatMap((l) => l.parameters()),
      { lr: 3e-3 },
    );
    let last = 0;
    for (let step = 0; step < 400; step++) {
      adam.zeroGrad();
      const x0 = rng.normal([128, 1]).mul(Math.sqrt(variance)).add(mean);
      const loss = objective.loss(network, x0, rng);
      loss.backward();
      adam.step();
      if (step >= 350) last += loss.item() / 50;
    }
    let best = 0;
    for (const { alpha, sigma } of schedule.levels) {
      best += (variance * sigma ** 2) / (alpha ** 2 * variance + sigma ** 2) / 50;
    }
    assert.ok(last < 1.15 * best, `${last} against ${best}`);
    const model = networkPredictor(network, 'x0');
    assert.equal(model.predict(zeros([5, 1]), 3).shape, [5, 1]);
    setBackend('reference');
  });

  test('EDM’s scalings keep inputs and targets at variance 1, and its loss is that of the denoiser', () => {
    const d = 0.5;
    for (const s of [0.002, 0.5, 80]) {
      const c = preconditioning(s, d);
      near(c.in ** 2 * (d * d + s * s), 1, 1e-12);
      // Var((x0 - cSkip·(x0 + n))/cOut)
      near(((1 - c.skip) ** 2 * d * d + c.skip ** 2 * s * s) / c.out ** 2, 1, 1e-12);
      near(c.noise, Math.log(s) / 4, 1e-15);
    }
    const x0 = new Rng(1).normal([4, 3]).mul(d);
    const eps = new Rng(2).normal([4, 3]);
    const schedule = continuousSchedule('edm');
    const network: Network = (x, t) => x.mul(0.3).add(tensor(Float64Array.from(t), [x.shape[0], 1]).mul(0.1));
    const s = 1.7;
    const denoised = edmPredictor(network, schedule, d).predict(x0.add(eps.mul(s)), s);
    const error = denoised.sub(x0);
    const weight = (s * s + d * d) / (s * d) ** 2;
    const wanted = weight * error.mul(error).mean().item();
    near(edmLossAt(network, x0, [s, s, s, s], eps, d).item(), wanted, 1e-12);
    assert.ok(Number.isFinite(edmLoss(network, x0, new Rng(5)).item()));
    // The prediction `edm` with the weight `simple` is the same loss, for a network of scaled input.
    const objective = new Objective(schedule, { predicts: 'edm' });
    const scaledInput: Network = (x, t) => {
      const c = preconditioning(t[0]!, d);
      return network(
        x.mul(c.in),
        Array.from(t, () => c.noise),
      );
    };
    near(objective.lossAt(scaledInput, x0, [s, s, s, s], eps).item(), wanted, 1e-12);
    // On a variance preserving schedule the same denoiser is evaluated at x/alpha.
    const vp = continuousSchedule('vp');
    const level = vp.levelOfRatio(s);
    const scaled = x0.add(eps.mul(s)).mul(level.alpha);
    const same = edmPredictor(network, vp, d).predict(scaled, level.t).toTypedArray();
    for (const [i, value] of denoised.toTypedArray().entries()) near(same[i]!, value, 1e-10);
  });

  test('the probability of an interval keeps its digits in the tails too', () => {
    near(normalInterval(-1, 1), 0.6826894921370859, 1e-14);
    near(normalInterval(8, Infinity), 6.220960574271786e-16, 1e-28);
    near(normalInterval(-Infinity, -8), 6.220960574271786e-16, 1e-28);
    assert.is(normalInterval(-Infinity, Infinity), 1);
    // The 256 bins cover the line.
    let sum = 0;
    for (let grey = 0; grey < 256; grey++) {
      sum += Math.exp(logDiscretisedNormal((2 * grey) / 255 - 1, 0.93, 0.2, GREY_BIN));
    }
    near(sum, 1, 1e-12);
  });

  test('the bound of the best predictor is near the entropy of its data, and above it', () => {
    // Grey levels of a Gaussian: for such small bins their entropy is that of the density minus ln(bin).
    const std = 0.2;
    const grey = (z: number) => Math.min(Math.max(Math.round((z * std + 1) * 127.5), 0), 255) / 127.5 - 1;
    const values = new Rng('grey').normal([128, 16]).toTypedArray();
    const x0 = tensor(Float64Array.from(values, grey), [128, 16]);
    // Steps of equal size in ln(SNR), so small that each term is only slightly above its integral
    const sigmas = Float64Array.from({ length: 600 }, (_, i) => 0.005 * 1e4 ** (i / 599));
    const schedule = DiscreteSchedule.fromSigmas(sigmas, { scaling: 'preserving' });
    const model = gaussian(new Float64Array(16), std * std).predictor(schedule);
    let entropy = 0;
    for (const value of x0.toTypedArray()) {
      const density = -0.5 * (value / std) ** 2 - 0.5 * Math.log(2 * Math.PI * std * std);
      entropy -= (density + Math.log(GREY_BIN)) / Math.LN2 / x0.size;
    }
    const large = { variance: 'large' } as const;
    const bound = variationalBound(model, schedule, x0, new Rng('bound'), large);
    // The noise of the terms gives an error of some hundredths of a bit.
    assert.ok(bound.bitsPerDimension > entropy - 0.05, `${bound.bitsPerDimension} is below ${entropy}`);
    assert.ok(bound.bitsPerDimension < entropy + 0.12, `${bound.bitsPerDimension} is far above ${entropy}`);
    // The term of the prior, written out
    const { alpha, sigma } = schedule.level(599);
    let prior = 0;
    for (const v of x0.toTypedArray()) prior += alpha ** 2 * v * v + sigma ** 2 - 1 - 2 * Math.log(sigma);
    near(bound.prior, prior / (2 * x0.size * Math.LN2), 1e-12);
    // With betaTilde the variance of the last step is too small: it is that of a step between two levels.
    const small = variationalBound(model, schedule, x0, new Rng('bound'));
    assert.ok(small.decoder > bound.decoder + 1);
    near(small.diffusion, bound.diffusion, 0.02 * bound.diffusion);
    // A tenth of the terms estimates all of them.
    const some = variationalBound(model, schedule, x0, new Rng('bound'), { ...large, terms: 100 });
    near(some.diffusion, bound.diffusion, 0.05 * bound.diffusion);
  });

  test('a term of the bound is its closed form for Gaussian data', () => {
    const schedule = createSchedule('cosine', 10);
    const [variance, n] = [0.3, 40_000];
    const data = gaussian([0], variance);
    const x0 = data.sample(n, new Rng('data'));
    const { diffusion } = variationalBound(data.predictor(schedule), schedule, x0, new Rng('terms'));
    let wanted = 0;
    for (let t = 1; t < 10; t++) {
      const { alpha, sigma } = schedule.level(t);
      const error = (variance * sigma ** 2) / (alpha ** 2 * variance + sigma ** 2);
      const fall = snr(schedule.level(t - 1)) - snr(schedule.level(t));
      wanted += (fall * error) / 2 / Math.LN2;
    }
    near(diffusion, wanted, 4 * wanted * Math.sqrt(2 / n));
  });

  test('the hybrid loss is the simple loss plus the bound, and the bound trains the variance only', () => {
    const schedule = createSchedule('linear', 30);
    const x0 = new Rng(1).uniform([30, 4], -1, 1);
    const mean = new Linear(4, 4, { rng: new Rng(2) });
    const share = new Linear(4, 4, { rng: new Rng(3) });
    const network: Network = (x) => cat([mean.forward(x), share.forward(x).tanh()], 1);
    const grads = (lambda: number) => {
      for (const layer of [mean, share]) layer.zeroGrad();
      const loss = hybridLoss(network, schedule, x0, new Rng(4), { lambda });
      loss.backward();
      return {
        loss: loss.item(),
        mean: mean.weight.grad!.toTypedArray(),
        share: share.weight.grad!.toTypedArray(),
      };
    };
    const [without, withBound] = [grads(0), grads(1)];
    assert.equal([...without.mean], [...withBound.mean]);
    assert.ok(without.share.every((g: number) => g === 0));
    assert.ok(withBound.share.some((g: number) => Math.abs(g) > 1e-6));
    assert.ok(withBound.loss > without.loss);
    // The derivative in a weight of the share, compared with a difference quotient
    const h = 1e-5;
    const at = (delta: number) => {
      const own = share.weight.toTypedArray();
      const moved = own.slice();
      moved[5]! += delta;
      share.weight.set(moved);
      const loss = hybridLoss(network, schedule, x0, new Rng(4), { lambda: 1 }).item();
      share.weight.set(own);
      return loss;
    };
    const quotient = (at(h) - at(-h)) / (2 * h);
    near(withBound.share[5]!, quotient, 1e-6 * (1 + Math.abs(quotient)));
    // The training bound, whose Φ is approximate, compared with the exact one
    const model = learnedVariancePredictor(network, 'eps');
    const exact = variationalBound(model, schedule, x0, new Rng(6), { variance: 'learned' });
    let average = 0;
    for (let k = 0; k < 60; k++) {
      const rng = new Rng(`bound ${k}`);
      const options = (lambda: number) =>
        hybridLoss(network, schedule, x0, rng.stream('same'), { lambda }).item();
      average += (options(1) - options(0)) / 60;
    }
    near(average, exact.diffusion + exact.decoder, 0.1 * exact.bitsPerDimension);
    refused(() => splitVariance(zeros([2, 3])), /expected an output \[batch, ..., 2·channels\], got \[2,3\]/);
  });

  test('time embeddings are cosines and sines of geometric frequencies', () => {
    const e = timestepEmbedding([0, 3, 3, 250], 8);
    assert.equal(e.shape, [4, 8]);
    const values = e.toTypedArray();
    assert.equal([...values.subarray(0, 8)], [1, 1, 1, 1, 0, 0, 0, 0]);
    assert.equal([...values.subarray(8, 16)], [...values.subarray(16, 24)]);
    for (let i = 0; i < 4; i++) {
      near(values[24 + i]!, Math.cos(250 * 10_000 ** (-i / 4)), 1e-12);
      near(values[28 + i]!, Math.sin(250 * 10_000 ** (-i / 4)), 1e-12);
    }
    // A time between two float32 numbers is not rounded to one of them: near 999 they are 6e-5 apart.
    const between = 999 + 2 ** -15;
    const [c, s] = [0, 4].map((i) => timestepEmbedding([between], 8).toTypedArray()[i]);
    near(c, Math.cos(between), 2e-7);
    near(s, Math.sin(between), 2e-7);
    const module = new TimeEmbedding(8, 5, { rng: new Rng(1), scale: 1000 });
    const out: Tensor = module.forward([0.003]);
    assert.equal(out.shape, [1, 5]);
    assert.equal(
      [...module.stateDict().keys()],
      ['first.weight', 'first.bias', 'second.weight', 'second.bias'],
    );
    const by = module.second.forward(module.first.forward(timestepEmbedding([3], 8)).silu());
    for (const [i, v] of by.toTypedArray().entries()) near(out.toTypedArray()[i]!, v, 1e-12);
    refused(() => timestepEmbedding([1], 7), /even dimension, got 7/);
    refused(
      () => timestepEmbedding(zeros([2]) as unknown as number[], 8),
      /time embedding: expected a list of times, got /,
    );
  });

  test('bad objectives are refused in one line', () => {
    refused(() => new Objective(LINEAR, { predicts: 'noise' as Prediction }), /expected one of eps, x0, v/);
    refused(
      () => new Objective(LINEAR, { lossWeighting: 'min_snr' as LossWeighting }),
      /Did you mean "min-snr"\?/,
    );
    refused(
      () => new Objective(SCHEDULES[1]!, { lossWeighting: 'vlb' }),
      /vlb: expected a discrete schedule, got sub-vp/,
    );
    refused(() => new Objective(LINEAR, { lossWeighting: 'p2', gamma: -1 }), /weight: gamma/);
    refused(() => edmPredictor((x) => x, LINEAR, 0), /sigmaData/);
    const objective = new Objective(LINEAR);
    assert.throws(
      () => objective.lossAt((x) => x, zeros([3, 2]), [1, 2], zeros([3, 2])),
      (error: Error) =>
        error instanceof ShapeError && /expected 3 numbers, one per sample, got 2/.test(error.message),
    );
    refused(
      () =>
        variationalBound(
          networkPredictor((x) => x, 'eps'),
          LINEAR,
          zeros([1, 2]),
          new Rng(0),
          { variance: 'learned' },
        ),
      /expected a model that predicts its variance/,
    );
  });
});
