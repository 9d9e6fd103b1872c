/**
 * The fingerprints of the strict build: for each subject and seed, a SHA-256 of the results of the subject. They are
 * the same on every engine, every processor and every number of threads. test/bits.test.ts checks one seed, and `npm
 * run verify-bits` checks all seeds.
 */
import { SAMPLERS } from '../../src/diffusion/samplers/index.ts';
import type { Seed } from '../../src/random/rng.ts';
import { SOLVERS } from '../../src/sde/solvers/index.ts';
import { convolutions, fastConvolutions } from './convolutions.ts';
import { denoiser200 } from './denoiser-200.ts';
import { samplerBits } from './samplers.ts';
import { solverBits } from './solvers.ts';
import {
  classifier,
  convClassifier,
  convDenoiser,
  denoiser,
  diffusion,
  distillation,
  lecture,
  noiseClassifier,
  toys,
  unet,
} from './training.ts';

/** Named seeds of the published table. */
export const SEEDS = [
  'langevin',
  'wiener',
  'ito',
  'stratonovich',
  'ornstein',
  'fokker',
  'planck',
  'kolmogorov',
  0,
  42,
];

/** A computation with a fingerprint. Add a new one to the list below; `npm run verify-bits -- --publish` stores it. */
export interface Subject {
  readonly name: string;
  fingerprint(seed: Seed): Promise<string>;
}

export const SUBJECTS: readonly Subject[] = [
  { name: 'denoiser, 200 steps', fingerprint: denoiser200 },
  { name: 'training denoiser', fingerprint: denoiser },
  { name: 'training lecture', fingerprint: (seed) => lecture(seed, false) },
  { name: 'training lecture, carried', fingerprint: (seed) => lecture(seed, true) },
  { name: 'training diffusion', fingerprint: (seed) => diffusion(seed, {}) },
  {
    name: 'training diffusion, v on vp',
    fingerprint: (seed) => diffusion(seed, { schedule: 'vp', predicts: 'v', lossWeighting: 'min-snr' }),
  },
  { name: 'training U-Net', fingerprint: unet },
  { name: 'training student', fingerprint: distillation },
  { name: 'training classifier', fingerprint: classifier },
  { name: 'training convolutional classifier', fingerprint: convClassifier },
  { name: 'training convolutional denoiser', fingerprint: convDenoiser },
  { name: 'convolutions and attention, 4 steps', fingerprint: convolutions },
  { name: 'fast convolutions and attention, 4 steps', fingerprint: fastConvolutions },
  { name: 'training noise classifier', fingerprint: noiseClassifier },
  { name: 'training toys', fingerprint: toys },
  ...SAMPLERS.map((name) => ({
    name: `sampler ${name}`,
    fingerprint: (seed: Seed) => samplerBits(name, seed),
  })),
  ...SOLVERS.map((solver) => ({
    name: `solver ${solver.name}`,
    fingerprint: (seed: Seed) => solverBits(solver, seed),
  })),
];

/** The published table: by subject, then by seed. */
export type Published = Readonly<Record<string, Readonly<Record<string, string>>>>;
