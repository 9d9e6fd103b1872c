/**
 * The fingerprints of the strict build: for each subject and seed a SHA-256 over what the subject computes. They are
 * the same on every engine, processor and number of threads: test/bits.test.ts holds one seed of them, and
 * `npm run verify-bits` all.
 */
import { SAMPLERS } from '../../src/diffusion/samplers/index.ts';
import type { Seed } from '../../src/random/rng.ts';
import { SOLVERS } from '../../src/sde/solvers/index.ts';
import { convolutions } from './convolutions.ts';
import { denoiser200 } from './denoiser-200.ts';
import { samplerBits } from './samplers.ts';
import { solverBits } from './solvers.ts';
import {
  classifier,
  convClassifier,
  convDenoiser,
  denoiser,
  diffusion,
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

/** Something that computes. A new one is an entry below; `node test/bits/run.js --publish` adds it to the table. */
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
  { name: 'training classifier', fingerprint: classifier },
  { name: 'training convolutional classifier', fingerprint: convClassifier },
  { name: 'training convolutional denoiser', fingerprint: convDenoiser },
  { name: 'convolutions and attention, 4 steps', fingerprint: convolutions },
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
