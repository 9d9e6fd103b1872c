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
  ddpm: DdpmOptions;
  ddim: DdimOptions;
  'ddim-inversion': DdimInversionOptions;
  euler: SamplerOptions;
  heun: SamplerOptions;
  edm: EdmOptions;
  'dpm-solver-2s': DpmSolver2SOptions;
  'dpm-solver-2m': MultistepOptions;
  'dpm-solver-sde-2m': MultistepOptions;
  unipc: UniPcOptions;
  'predictor-corrector': PredictorCorrectorOptions;
  'annealed-langevin': AnnealedLangevinOptions;
}

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

export const SAMPLERS = Object.keys(MAKERS) as readonly SamplerName[];

/**
 * Creates the sampler of that name with its options.
 * @throws ValueError for an unknown name, or options that the sampler refuses
 */
export function createSampler<N extends SamplerName>(name: N, options: SamplersOptions[N] = {}): Sampler {
  return MAKERS[oneOf('sampler', SAMPLERS, name) as N](options);
}

export { runSampler, type Sampler, type SamplerOptions, type SampleStep, startNoise } from './sampler.ts';
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
