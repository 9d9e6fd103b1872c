/**
 * Data in the plane: how points of it are drawn, and its density as a mixture of Gaussians, whose score is exact at every
 * noise level. The data are a toy set, or points that a person has chosen with Gaussian noise around each.
 */
import { type ToySet, toySet } from '../../data/toy.ts';
import { GaussianMixture } from '../../diffusion/gaussian-mixture.ts';
import type { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { toyMixture } from './toy.ts';

/** A distribution of points in the plane, whose score is known. */
export interface PlaneData {
  /** The name in the settings of a model. */
  readonly name: string;
  /** The density of the points. */
  readonly mixture: GaussianMixture;
  /** n random points, [n, 2]. */
  sample(n: number, rng: Rng): Tensor;
}

/** A toy set. @throws ValueError for an unknown name */
export const planeSet = (name: ToySet): PlaneData => ({
  name,
  mixture: toyMixture(name),
  sample: (n, rng) => toySet(name, n, rng),
});

/** The standard deviation of the noise around each chosen point. */
const CHOSEN_NOISE = 0.1;

/** Chosen points, all equally likely. @throws ValueError for no point */
export function chosenPoints(points: readonly (readonly [number, number])[]): PlaneData {
  const variance = CHOSEN_NOISE * CHOSEN_NOISE;
  const mixture = new GaussianMixture(points.map((mean) => ({ weight: 1, mean, variance })));
  return { name: 'chosen points', mixture, sample: (n, rng) => mixture.sample(n, rng) };
}
