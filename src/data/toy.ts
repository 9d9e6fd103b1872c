/**
 * Toy sets of points in the plane, [n, 2]. A plot of the points shows what a diffusion model learns. The coordinates
 * lie within about [-2, 2]. The mean is 0, but that of the swirl is (-0.09, 0.41).
 *
 *   moons   two interlocking half circles of radius 1
 *   swirl   a spiral of one and a half turns, from the centre to radius 2
 *   eight   eight Gaussians on a circle of radius 1.5; its exact marginals follow from `EIGHT_CENTRES`
 *
 * Each point has Gaussian noise of standard deviation `noise`. For `eight` it is the deviation of the Gaussians.
 */
import { scope } from '../autograd/tape.ts';
import { ValueError } from '../errors.ts';
import { cos, sin } from '../math.ts';
import { oneOf, withDefaults } from '../options.ts';
import type { Rng } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The names of the toy sets. */
export const TOY_SETS = ['moons', 'swirl', 'eight'] as const;
/** The name of a toy set. */
export type ToySet = (typeof TOY_SETS)[number];

type Point = readonly [number, number];

/** A point of a set as a function of u in [0, 1), before noise. For a random point, u is uniform. */
export const TOY_CURVES: Readonly<Record<ToySet, (u: number) => Point>> = {
  moons(u) {
    const upper = u < 0.5;
    const angle = Math.PI * (upper ? 2 * u : 2 * u - 1);
    // The lower moon is the upper one turned by 180°. Both are shifted so that their common mean is 0.
    return upper ? [cos(angle) - 0.5, sin(angle) - 0.25] : [0.5 - cos(angle), 0.25 - sin(angle)];
  },
  swirl(u) {
    // √u makes the points uniform along the spiral, because its length grows as the square of the radius.
    const r = Math.sqrt(u);
    return [2 * r * cos(3 * Math.PI * r), 2 * r * sin(3 * Math.PI * r)];
  },
  eight: (u) => EIGHT_CENTRES[Math.floor(8 * u)],
};

/** The centres of `eight`. */
export const EIGHT_CENTRES: readonly Point[] = Array.from({ length: 8 }, (_, k) => [
  1.5 * cos((Math.PI * k) / 4),
  1.5 * sin((Math.PI * k) / 4),
]);

/** Standard deviation of the noise around each curve. */
export const TOY_NOISE: Readonly<Record<ToySet, number>> = { moons: 0.08, swirl: 0.05, eight: 0.15 };

/** Options of `toySet`. */
export interface ToyOptions {
  /** Standard deviation; 0.08 for moons, 0.05 for swirl and 0.15 for eight by default. */
  readonly noise?: number;
}

/** Returns the name if there is such a set. @throws ValueError for another name */
export function checkToySet(name: ToySet): ToySet {
  return oneOf('toy set', TOY_SETS, name);
}

/**
 * n points of a set, [n, 2].
 * @throws ValueError for an unknown set, a negative noise, or n that is not a whole number >= 1
 */
export function toySet(name: ToySet, n: number, rng: Rng, options: ToyOptions = {}): Tensor {
  const set = checkToySet(name);
  const { noise } = withDefaults('toy set', options, { noise: TOY_NOISE[set] });
  const curve = TOY_CURVES[set];
  if (!Number.isInteger(n) || n < 1)
    throw new ValueError(`toy set: expected a whole number of points >= 1, got ${n}`);
  if (!(noise >= 0 && noise < Infinity)) throw new ValueError(`toy set: expected a noise >= 0, got ${noise}`);
  const [u, z] = scope(() => [rng.uniform([n]).toTypedArray(), rng.normal([n, 2]).toTypedArray()]);
  const values = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const [x, y] = curve(u[i]);
    values[2 * i] = x + noise * z[2 * i];
    values[2 * i + 1] = y + noise * z[2 * i + 1];
  }
  return tensor(values, [n, 2]);
}
