/** All samplers, and a function that creates one by its name. */
import { oneOf } from '../../options.ts';
import { type AnnealedLangevinOptions, annealedLangevin } from './annealed-langevin.ts';
import { type DdimInversionOptions, type DdimOptions, ddim, ddimInversion } from './ddim.ts';
import { type DdpmOptions, ddpm } from './ddpm.ts';
import type { MultistepOptions } from './dpm-solver.ts';
import { dpmSolver2M, dpmSolverSde2M } from './dpm-solver-2m.ts';
import { type DpmSolver2SOptions, dpmSolver2S } from './dpm-solver-2s.ts';
import { type EdmOptions, edm } from './edm.ts';
import { euler } from './euler.ts';
import { heun } from './heun.ts';
import { type PredictorCorrectorOptions, predictorCorrector } from './predictor-corrector.ts';
import type { Sampler, SamplerOptions } from './sampler.ts';
import { type UniPcOptions, uniPc } from './unipc.ts';

/** The options of each sampler. */
export interface SamplersOptions {
  /** The sampler of Ho et al. (2020), stochastic. */
  ddpm: DdpmOptions;
  /** DDIM of Song et al. (2021): no noise for eta = 0, DDPM's noise for eta = 1. */
  ddim: DdimOptions;
  /** DDIM backwards: from data to the noise that gives them. */
  'ddim-inversion': DdimInversionOptions;
  /** Euler's steps of the probability-flow ODE, order 1. */
  euler: SamplerOptions;
  /** Heun's steps of the probability-flow ODE, order 2. */
  heun: SamplerOptions;
  /** The stochastic sampler of Karras et al. (2022). */
  edm: EdmOptions;
  /** DPM-Solver in single steps, order 2. */
  'dpm-solver-2s': DpmSolver2SOptions;
  /** DPM-Solver++ in multisteps, order 2. */
  'dpm-solver-2m': MultistepOptions;
  /** The stochastic form of DPM-Solver++ in multisteps. */
  'dpm-solver-sde-2m': MultistepOptions;
  /** The predictor and corrector of Zhao et al. (2023). */
  unipc: UniPcOptions;
  /** The predictor and corrector of Song et al. (2021): reverse SDE and Langevin steps. */
  'predictor-corrector': PredictorCorrectorOptions;
  /** Langevin steps at each noise level, Song and Ermon (2019). */
  'annealed-langevin': AnnealedLangevinOptions;
}

/** The name of a sampler. */
export type SamplerName = keyof SamplersOptions;

const MAKERS: { readonly [N in SamplerName]: (options: SamplersOptions[N]) => Sampler } = {
  ddpm,
  ddim,
  'ddim-inversion': ddimInversion,
  euler,
  heun,
  edm,
  'dpm-solver-2s': dpmSolver2S,
  'dpm-solver-2m': dpmSolver2M,
  'dpm-solver-sde-2m': dpmSolverSde2M,
  unipc: uniPc,
  'predictor-corrector': predictorCorrector,
  'annealed-langevin': annealedLangevin,
};

/** The names of the samplers. */
export const SAMPLERS = Object.keys(MAKERS) as readonly SamplerName[];

/**
 * Creates the sampler of that name with its options.
 * @throws ValueError for an unknown name, or options that the sampler refuses
 */
export function createSampler<N extends SamplerName>(name: N, options: SamplersOptions[N] = {}): Sampler {
  return MAKERS[oneOf('sampler', SAMPLERS, name) as N](options);
}

export { runSampler, type Sampler, type SamplerOptions, type SampleStep, startNoise } from './sampler.ts';
export type {
  AnnealedLangevinOptions,
  DdimInversionOptions,
  DdimOptions,
  DdpmOptions,
  DpmSolver2SOptions,
  EdmOptions,
  MultistepOptions,
  PredictorCorrectorOptions,
  UniPcOptions,
};
export {
  annealedLangevin,
  ddim,
  ddimInversion,
  ddpm,
  dpmSolver2M,
  dpmSolver2S,
  dpmSolverSde2M,
  edm,
  euler,
  heun,
  predictorCorrector,
  uniPc,
};
