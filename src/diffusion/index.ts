/**
 * The public names of `diffusion`: schedules, predictions, objectives, samplers, guidance, bounds and closed forms.
 * @module
 */
export {
  BETA_SCHEDULES,
  type BetaOptions,
  type BetaSchedule,
  karrasSigmas,
  namedBetas,
  rescaleZeroTerminalSnr,
} from './betas.ts';
export { combine, type Term } from './combine.ts';
export {
  CONTINUOUS_SCHEDULES,
  type ContinuousName,
  type ContinuousOptions,
  type ContinuousSchedule,
  continuousSchedule,
} from './continuous-schedule.ts';
export {
  createSchedule,
  DiscreteSchedule,
  type Scaling,
  type ScheduleOptions,
  type ScheduleTableOptions,
} from './discrete-schedule.ts';
export {
  type EdmLossOptions,
  edmLoss,
  edmLossAt,
  edmPredictor,
  type Preconditioning,
  preconditioning,
} from './edm.ts';
export { type Component, GaussianMixture, gaussian } from './gaussian-mixture.ts';
export {
  type ClassifierFreeOptions,
  type ConditionalModel,
  type Conditions,
  classifierFree,
  classifierGuided,
  type GuidanceOptions,
  type Labels,
  type LogProbability,
} from './guidance.ts';
export {
  GREY_BIN,
  type HybridLossOptions,
  hybridLoss,
  learnedVariancePredictor,
  splitVariance,
} from './learned-variance.ts';
export { lambda, type NoiseLevel, noiseToSignal, snr, type Transition, transition } from './level.ts';
export { type Likelihood, type LikelihoodOptions, odeLikelihood } from './likelihood.ts';
export {
  LOSS_WEIGHTINGS,
  type LossWeighting,
  type Network,
  networkPredictor,
  Objective,
  type ObjectiveOptions,
  type TimeSampling,
  type TimeSamplingName,
} from './objective.ts';
export type { Scalings } from './preconditioning.ts';
export {
  type Coefficients,
  conversion,
  PREDICTIONS,
  type Prediction,
  type Predictor,
  predictionRow,
  predictor,
} from './prediction.ts';
export { diffuse, diffuseEach, probabilityFlow, reverseSde, score } from './process.ts';
export { type Inpainting, repaint } from './repaint.ts';
export * from './samplers/index.ts';
export { cleanLevel, type NoiseSchedule, timeAt } from './schedule.ts';
export { SPACINGS, type Spacing, type SpacingOptions, spacedLevels, timesteps } from './spacing.ts';
export type { Threshold } from './threshold.ts';
export { type Bound, type BoundOptions, variationalBound } from './variational-bound.ts';
