/**
 * The job `one-path`: geometric Brownian motion along one Brownian path, by Euler's scheme, by Milstein's, and exactly.
 * The three take the same increments, because noise follows from seed and step alone.
 */
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import { pathsFigure, simulate } from '../../../sde/figures.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';

export const SCHEMES = ['euler-maruyama', 'milstein', 'exact'] as const;
export type Scheme = (typeof SCHEMES)[number];

export interface OnePathSettings {
  readonly steps: number;
  readonly time: number;
  readonly set?: Readonly<Record<string, number>> | undefined;
  readonly seed: string;
}

export interface OnePathResult extends Hashed {
  readonly times: Float64Array;
  /** The path by each scheme. */
  readonly paths: Readonly<Record<Scheme, Float64Array>>;
}

export type OnePathJob = Job<OnePathSettings, OnePathResult>;

/** What `langevin sde` is given for one of the schemes. */
export const settingsOf = (settings: OnePathSettings, solver: Scheme) => ({
  ...settings,
  process: 'gbm',
  solver,
  paths: 1,
  twin: false,
});

export const compute: Compute<OnePathJob> = async (settings) => {
  const figures = SCHEMES.map((scheme) => pathsFigure(simulate(settingsOf(settings, scheme))));
  const hashes = await Promise.all(
    figures.map(async (figure, i) => [SCHEMES[i], await numbersHash(figure)] as const),
  );
  const [euler, milstein, exact] = figures.map(({ paths }) => paths[0]);
  return {
    times: figures[0].times,
    paths: { 'euler-maruyama': euler, milstein, exact },
    hashes: Object.fromEntries(hashes),
  };
};
