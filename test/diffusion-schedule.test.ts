/** Noise schedules: published constants, identities, the processes of the SDE laboratory, spacings and bad input. */
import * as assert from 'uvu/assert';
import {
  BETA_SCHEDULES,
  type BetaSchedule,
  karrasSigmas,
  namedBetas,
  rescaleZeroTerminalSnr,
} from '../src/diffusion/betas.ts';
import {
  CONTINUOUS_SCHEDULES,
  type ContinuousName,
  type ContinuousOptions,
  continuousSchedule,
} from '../src/diffusion/continuous-schedule.ts';
import { createSchedule, DiscreteSchedule } from '../src/diffusion/discrete-schedule.ts';
import { lambda, noiseToSignal, snr, transition } from '../src/diffusion/level.ts';
import { SPACINGS, type Spacing, spacedLevels, timesteps } from '../src/diffusion/spacing.ts';
import { ValueError } from '../src/errors.ts';
import { subVariancePreserving } from '../src/sde/processes/sub-variance-preserving.ts';
import { varianceExploding } from '../src/sde/processes/variance-exploding.ts';
import { variancePreserving } from '../src/sde/processes/variance-preserving.ts';
import { suite } from './suite.ts';

const near = (value: number, expected: number, relative: number, what = '') =>
  assert.ok(
    Math.abs(value - expected) <= relative * Math.abs(expected),
    `${what} ${value} is not ${expected} within ${relative} of it`,
  );

function refused(action: () => unknown, message: RegExp): void {
  assert.throws(action, (error: Error) => error instanceof ValueError && message.test(error.message));
}

suite('diffusion: schedules', (test) => {
  test('the linear schedule has the constants of DDPM', () => {
    const s = createSchedule('linear');
    assert.is(s.length, 1000);
    near(s.alphaBars[999]!, 4.0358e-5, 1e-5);
    near(s.betas[0]!, 1e-4, 1e-12);
    near(s.betas[999]!, 0.02, 1e-12);
    near(s.sigmas[999]!, 157.407, 1e-5);
    // The posterior variances that diffusers' tests state
    near(s.posteriorVariances[487]!, 0.00979, 1e-3);
    near(s.posteriorVariances[999]!, 0.02, 1e-3);
    assert.is(s.posteriorVariances[0], 0);
    assert.is(s.posteriorLogVariances[0], s.posteriorLogVariances[1]);
    near(transition(s.level(420), s.level(400)).variance, 0.14771, 1e-4);
    near(transition(s.level(980), s.level(960)).variance, 0.3246, 1e-4);
  });

  test('linear betas are rescaled for other numbers of steps, so that the last level is about the same', () => {
    for (const T of [100, 250, 4000]) near(createSchedule('linear', T).alphaBars[T - 1]!, 4.0358e-5, 0.6);
    near(namedBetas('linear', 250)[0]!, 4e-4, 1e-15);
    near(namedBetas('linear', 250)[249]!, 0.08, 1e-15);
    refused(
      () => createSchedule('linear', 20),
      /linear, 20 steps: expected betas in \(0, 1\), got 1 at step 19/,
    );
  });

  test('the scaled linear schedule ends at the sigmas of Stable Diffusion', () => {
    const { sigmas } = createSchedule('scaled-linear');
    near(sigmas[0]!, 0.0292, 2e-3);
    near(sigmas[999]!, 14.6146, 1e-5);
  });

  test('the cosine schedule follows its formula and clips at 0.999', () => {
    const betas = namedBetas('cosine', 1000);
    assert.is(betas[999], 0.999);
    const f = (t: number) => Math.cos((((t / 1000 + 0.008) / 1.008) * Math.PI) / 2) ** 2;
    for (const t of [0, 1, 499, 900]) near(betas[t]!, 1 - f(t + 1) / f(t), 1e-9);
    near(createSchedule('cosine').alphaBars[499]!, f(500) / f(0), 1e-12);
  });

  test('the sigmoid schedules are symmetric about their middle', () => {
    const { alphaBars } = createSchedule('sigmoid', 1000);
    near(alphaBars[499]!, 0.5, 1e-12);
    for (const t of [100, 300]) near(alphaBars[t - 1]! + alphaBars[999 - t]!, 1, 1e-12);
    const betas = namedBetas('sigmoid-beta', 1001);
    near(betas[500]!, (1e-4 + 0.02) / 2, 1e-12);
    near(betas[0]!, 1e-4 + 0.0199 / (1 + Math.exp(6)), 1e-12);
  });

  test('zero terminal SNR keeps the first level and makes the last level pure noise', () => {
    const usual = createSchedule('scaled-linear');
    const rescaled = createSchedule('scaled-linear', 1000, { zeroTerminalSnr: true });
    near(rescaled.alphaBars[0]!, usual.alphaBars[0]!, 1e-14);
    assert.is(rescaled.alphaBars[999], 0);
    assert.is(rescaled.level(999).alpha, 0);
    assert.is(rescaled.level(999).sigma, 1);
    // √alphaBar is changed by an affine map, so ratios of differences do not change.
    const r = (a: Float64Array) =>
      (Math.sqrt(a[100]!) - Math.sqrt(a[500]!)) / (Math.sqrt(a[0]!) - Math.sqrt(a[999]!));
    near(r(rescaled.alphaBars), r(usual.alphaBars), 1e-12);
    assert.is(rescaleZeroTerminalSnr([0.9, 0.5]).length, 2);
  });

  test('1 - alphaBar keeps all its digits if alphaBar is near 1', () => {
    const s = DiscreteSchedule.fromBetas([1e-12, 1e-12, 0.5]);
    near(s.level(1).sigma ** 2, 2e-12 - 1e-24, 1e-14);
  });

  test('betas, alphaBars and sigmas make the same schedule', () => {
    const s = createSchedule('cosine', 50);
    const copies = [
      DiscreteSchedule.fromBetas(s.betas),
      DiscreteSchedule.fromAlphaBars(s.alphaBars),
      DiscreteSchedule.fromSigmas(s.sigmas, { scaling: 'preserving' }),
    ];
    for (const copy of copies) {
      for (let t = 0; t < 50; t++) {
        near(copy.level(t).alpha, s.level(t).alpha, 1e-9);
        near(copy.level(t).sigma, s.level(t).sigma, 1e-9);
      }
    }
    const exploding = DiscreteSchedule.fromSigmas([0.5, 2], { timesteps: [10, 20] });
    assert.equal(exploding.level(20), { t: 20, alpha: 1, sigma: 2 });
    assert.is(exploding.priorStd, 2);
    // The middle in time is the middle in ln(sigma).
    near(exploding.level(15).sigma, 1, 1e-14);
  });

  test('levelOfRatio inverts the ratio of a level, on every schedule', () => {
    const schedules = [
      createSchedule('linear'),
      DiscreteSchedule.fromSigmas(karrasSigmas(20, 0.01, 50).reverse()),
      ...CONTINUOUS_SCHEDULES.map((name) => continuousSchedule(name)),
    ];
    for (const s of schedules) {
      for (const u of [0.02, 0.3, 0.77, 0.99]) {
        const level = s.level(s.tMin + u * (s.tMax - s.tMin));
        const found = s.levelOfRatio(noiseToSignal(level));
        near(found.t, level.t, 1e-9, s.name);
        near(found.alpha, level.alpha, 1e-9, s.name);
        near(found.sigma, level.sigma, 1e-9, s.name);
      }
      assert.is(s.levelOfRatio(1e9 * noiseToSignal(s.level(s.tMax))).t, s.tMax);
      assert.is(s.levelOfRatio(1e-9 * noiseToSignal(s.level(s.tMin))).t, s.tMin);
    }
  });

  test('Karras’ sigmas are those of the formula', () => {
    const sigmas = karrasSigmas(18, 0.002, 80);
    assert.is(sigmas[0], 80);
    assert.is(sigmas[17], 0.002);
    near(sigmas[9]!, (80 ** (1 / 7) + (9 / 17) * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7, 1e-12);
  });

  test('lambda is half the logarithm of the SNR', () => {
    const level = createSchedule('linear').level(300);
    near(lambda(level), 0.5 * Math.log(snr(level)), 1e-13);
  });

  test('a transition is the posterior of Bayes’ rule', () => {
    const s = createSchedule('linear');
    for (const [from, to] of [
      [s.level(700), s.level(400)],
      [continuousSchedule('ve').level(0.8), continuousSchedule('ve').level(0.3)],
      [continuousSchedule('sub-vp').level(0.5), continuousSchedule('sub-vp').level(0.2)],
    ] as const) {
      // q(x_to | x_from, x0) ∝ N(x_from; scale·x_to, beta)·N(x_to; alpha_to·x0, sigma_to²)
      const { beta, variance, fromX, fromX0 } = transition(from, to);
      const scale = from.alpha / to.alpha;
      const precision = scale ** 2 / beta + 1 / to.sigma ** 2;
      near(variance, 1 / precision, 1e-10);
      near(fromX, scale / beta / precision, 1e-10);
      near(fromX0, to.alpha / to.sigma ** 2 / precision, 1e-10);
      near(from.sigma ** 2, scale ** 2 * to.sigma ** 2 + beta, 1e-12);
    }
  });

  test('the continuous schedules are the processes of the SDE laboratory', () => {
    const pairs = [
      [continuousSchedule('vp'), variancePreserving()],
      [continuousSchedule('sub-vp'), subVariancePreserving()],
      [continuousSchedule('ve', { sigmaMax: 5 }), varianceExploding({ sigmaMin: 0.01, sigmaMax: 5 })],
    ] as const;
    for (const [s, process] of pairs) {
      for (const t of [0.01, 0.4, 1]) {
        const { a1, b0 } = process.affine!(t);
        const { alpha, sigma } = s.level(t);
        near(s.drift(t), a1, 1e-13, s.name);
        near(s.diffusionSquared(t), b0 * b0, 1e-12, s.name);
        const law = process.law!(1, 0, t);
        near(alpha, law.mean, 1e-13, s.name);
        // The VE process of the SDE laboratory starts without noise, this schedule with sigmaMin.
        const start = s.name === 've' ? 0.01 ** 2 : 0;
        near(sigma * sigma, law.variance! + start, 1e-9, s.name);
      }
    }
  });

  test('drift and diffusion are the derivatives of alpha and sigma', () => {
    for (const name of CONTINUOUS_SCHEDULES) {
      const s = continuousSchedule(name);
      const t = s.tMin + 0.4 * (s.tMax - s.tMin);
      const h = 1e-5 * s.tMax;
      const [before, after] = [s.level(t - h), s.level(t + h)];
      const f = (Math.log(after.alpha) - Math.log(before.alpha)) / (2 * h);
      const variance = (after.sigma ** 2 - before.sigma ** 2) / (2 * h);
      assert.ok(Math.abs(s.drift(t) - f) < 1e-6 * (1 + Math.abs(f)), name);
      near(s.diffusionSquared(t), variance - 2 * f * s.level(t).sigma ** 2, 1e-6, name);
    }
  });

  test('leading, linspace and trailing are the timesteps that diffusers takes', () => {
    assert.equal(timesteps('leading', 1000, 5, 1), [801, 601, 401, 201, 1]);
    assert.equal(timesteps('leading', 1000, 10), [900, 800, 700, 600, 500, 400, 300, 200, 100, 0]);
    assert.equal(timesteps('linspace', 1000, 10), [999, 888, 777, 666, 555, 444, 333, 222, 111, 0]);
    assert.equal(timesteps('trailing', 1000, 10), [999, 899, 799, 699, 599, 499, 399, 299, 199, 99]);
    assert.equal(timesteps('trailing', 1000, 3), [999, 666, 332]);
    assert.equal(timesteps('leading', 1000, 3), [666, 333, 0]);
    // numpy.linspace(0, 9, 3) has 4.5, and NumPy rounds it to 4.
    assert.equal(timesteps('linspace', 10, 3), [9, 4, 0]);
    for (const spacing of ['leading', 'linspace', 'trailing'] as const) {
      assert.equal(timesteps(spacing, 7, 7), [6, 5, 4, 3, 2, 1, 0]);
    }
  });

  test('a grid of N steps has N + 1 levels, and ends without noise or at the schedule’s first level', () => {
    const schedules = [createSchedule('cosine', 100), continuousSchedule('vp'), continuousSchedule('edm')];
    for (const s of schedules) {
      for (const spacing of SPACINGS) {
        for (const end of ['clean', 'first'] as const) {
          const levels = spacedLevels(s, { steps: 8, spacing, end });
          assert.is(levels.length, 9);
          const last = levels[8]!;
          if (end === 'clean') assert.equal([last.alpha, last.sigma], [1, 0]);
          else assert.equal(last, s.level(s.tMin));
          if (spacing !== 'leading' || s.times === null) assert.equal(levels[0], s.level(s.tMax));
        }
      }
    }
    const s = createSchedule('linear');
    const logs = spacedLevels(s, { steps: 10, spacing: 'log-snr', end: 'first' }).map(lambda);
    for (let i = 1; i < 10; i++) near(logs[i + 1]! - logs[i]!, logs[1]! - logs[0]!, 1e-9);
    const karras = spacedLevels(s, { steps: 10, spacing: 'karras' }).map(noiseToSignal);
    near(karras[4]!, karrasSigmas(10, s.sigmas[0]!, s.sigmas[999]!)[4]!, 1e-12);
    assert.equal(
      spacedLevels(s, { timesteps: [500, 20] }).map(({ t }) => t),
      [500, 20, 0],
    );
  });

  test('bad schedules are refused in one line', () => {
    for (const T of [0, 1, Number.NaN, 2.5, -3, Infinity]) {
      refused(
        () => createSchedule('cosine', T),
        /schedule cosine: expected a whole number of steps, 2 or more/,
      );
    }
    refused(() => createSchedule('cosin' as BetaSchedule), /got "cosin"\. Did you mean "cosine"\?/);
    refused(() => createSchedule('toString' as BetaSchedule), /expected one of linear, .*, got "toString"/);
    assert.is(BETA_SCHEDULES.length, 5);
    for (const name of CONTINUOUS_SCHEDULES) {
      const largest = name === 'flow' ? 1 : Infinity;
      for (const [tMin, tMax] of [
        [0, 0.5],
        [-1, 0.5],
        [0.5, 0.5],
        [0.5, 0.4],
        [0.5, Infinity],
        [Number.NaN, 0.5],
        [0.5, Number.NaN],
      ]) {
        refused(() => continuousSchedule(name, { tMin, tMax }), /times 0 < tMin < tMax.*, got /);
      }
      for (const tMax of [0.9, 1, 1.01, 1e3]) {
        const make = () => continuousSchedule(name, { tMin: 0.1, tMax }).tMax;
        if (tMax > largest) refused(make, /0 < tMin < tMax <= 1, got 0.1 and/);
        else assert.is(make(), tMax);
      }
    }
    refused(() => continuousSchedule('subvp' as ContinuousName), /Did you mean "sub-vp"\?/);
    const times = (options: ContinuousOptions) => () => continuousSchedule('flow', options);
    refused(times({ tMin: 0 }), /expected times 0 < tMin < tMax <= 1, got 0 and 1/);
    refused(times({ tMax: 2 }), /got 0.001 and 2/);
    refused(() => continuousSchedule('ve', { sigmaMin: 60 }), /0 < sigmaMin < sigmaMax, got .* 60, 50/);
    refused(() => continuousSchedule('vp', { betaMin: -1 }), /0 < betaMin <= betaMax/);
    refused(
      () => DiscreteSchedule.fromBetas([0.1, 1.5]),
      /betas: expected numbers in \(0, 1\), got 1.5 at step 1/,
    );
    refused(() => DiscreteSchedule.fromBetas([0.1]), /expected a whole number of steps, 2 or more, got 1/);
    refused(() => DiscreteSchedule.fromAlphaBars([0.9, 0.95]), /expected noise that grows with time/);
    refused(() => DiscreteSchedule.fromAlphaBars([0.9, 0, 0]), /noise that grows/);
    refused(
      () => DiscreteSchedule.fromSigmas([1, Number.NaN]),
      /sigmas: expected finite numbers > 0, got NaN/,
    );
    refused(
      () => DiscreteSchedule.fromSigmas([1, 2], { timesteps: [3, 3] }),
      /expected increasing timesteps/,
    );
    refused(() => DiscreteSchedule.fromSigmas([1, 2], { timesteps: [3] }), /expected 2 timesteps, got 1/);
    refused(() => createSchedule('linear').level(1000), /expected a time from 0 to 999, got 1000/);
    refused(() => createSchedule('linear').level(Number.NaN), /got NaN/);
    refused(() => karrasSigmas(5, 2, 1), /0 < sigmaMin < sigmaMax/);
    refused(() => createSchedule('linear', 1000, { range: [0.02, 3] }), /expected betas in \(0, 1\)/);
  });

  test('bad grids are refused in one line', () => {
    const s = createSchedule('linear');
    refused(
      () => spacedLevels(s, { steps: 1001 }),
      /at most 1000 sampling steps on .* 1000 training steps, got 1001/,
    );
    refused(() => spacedLevels(s, { steps: 1000, end: 'first' }), /at most 999 sampling steps/);
    for (const steps of [0, Number.NaN, 1.5])
      refused(() => spacedLevels(s, { steps }), /whole number of steps, 1 or more/);
    refused(() => spacedLevels(s, { spacing: 'trailling' as Spacing }), /Did you mean "trailing"\?/);
    refused(() => spacedLevels(s, { end: 'dirty' as 'clean' }), /expected clean or first, got "dirty"/);
    refused(() => spacedLevels(s, { timesteps: [20, 500] }), /expected levels with decreasing sigma\/alpha/);
    refused(() => spacedLevels(s, { levels: [s.level(3)] }), /expected at least two levels, got 1/);
    refused(
      () => spacedLevels(s, { steps: 10, spacing: 'leading', offset: 200 }),
      /an offset within .* 1000 steps, got 200/,
    );
    const zero = createSchedule('linear', 1000, { zeroTerminalSnr: true });
    refused(() => spacedLevels(zero, { spacing: 'log-snr' }), /SNR above 0/);
  });
});
