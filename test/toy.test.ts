/** Diffusion in the plane: exact densities, and the score that a network learns. */
import * as assert from 'uvu/assert';
import { EIGHT_CENTRES, TOY_CURVES, TOY_NOISE, TOY_SETS, toySet } from '../src/data/toy.ts';
import { diffuse } from '../src/diffusion/process.ts';
import { ValueError } from '../src/errors.ts';
import { compareScores, toyMixture } from '../src/models/toy/toy.ts';
import { trainToy } from '../src/models/training/toy.ts';
import { Rng } from '../src/random/rng.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

suite('toy sets', (test) => {
  test('the mixture of a set has the density of its curve with noise around it', () => {
    for (const name of TOY_SETS) {
      const points = toySet(name, 40, new Rng(name));
      const found = toyMixture(name).logDensity(points).toTypedArray();
      const values = points.toTypedArray();
      const variance = TOY_NOISE[name] ** 2;
      const fine = 20_000;
      for (let i = 0; i < 40; i++) {
        const [x, y] = [values[2 * i]!, values[2 * i + 1]!];
        let sum = 0;
        for (let k = 0; k < fine; k++) {
          const [cx, cy] = TOY_CURVES[name]((k + 0.5) / fine);
          sum += Math.exp(-0.5 * (((x - cx) ** 2 + (y - cy) ** 2) / variance));
        }
        const exact = Math.log(sum / fine / (2 * Math.PI * variance));
        assert.ok(Math.abs(found[i]! - exact) < 0.03, `${name}: ${found[i]} is not ${exact}`);
      }
    }
    assert.is(toyMixture('eight').means.length, EIGHT_CENTRES.length);
  });

  test('a set has one point or more', () => {
    assert.equal(toySet('eight', 1, new Rng(1)).shape, [1, 2]);
    for (const n of [0, -1, 1.5, Number.NaN])
      refused(() => toySet('eight', n, new Rng(1)), ValueError, /whole number of points >= 1, got/);
  });

  test('an unknown set is refused with the nearest name', () => {
    const near = /expected one of moons, swirl, eight, got "moon"\. Did you mean "moons"\?/;
    refused(() => toyMixture('moon' as 'moons'), ValueError, near);
    refused(() => trainToy('moon' as 'moons').next(), ValueError, near);
  });

  test('a network that learns from points approximates the exact score, and better after more training', () => {
    const mixture = toyMixture('eight');
    const errors = [20, 300].map((steps) => {
      const run = trainToy('eight', { steps, seed: 'score' });
      let next = run.next();
      while (!next.done) next = run.next();
      const model = next.value;
      const level = model.schedule.level(300);
      const { x } = diffuse(toySet('eight', 300, new Rng(1)), level, new Rng(2));
      const { error } = compareScores(model, mixture, x, level);
      model.network.dispose();
      return error;
    });
    assert.ok(errors[1]! < 0.4 && errors[1]! < 0.5 * errors[0]!, `${errors}`);
  });
});
