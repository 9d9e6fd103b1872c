/**
 * The SDE laboratory, exported as `sde`: processes, solvers, Brownian paths, solving, and measured orders.
 * @module
 */

export { type AdaptiveOptions, type AdaptiveSolution, solveAdaptive } from './adaptive.ts';
export { BrownianPath, type BrownianPathOptions } from './brownian-path.ts';
export { type Equation, type EquationSettings, equationOf } from './equation.ts';
export { type CompiledExpression, type Dual, expressionSde, parseExpression } from './expression.ts';
export {
  type EndFigure,
  endFigure,
  type PathsFigure,
  type PathsSettings,
  pathsFigure,
  type Simulation,
  simulate,
} from './figures.ts';
export { FreshNoise, type Increment, type NoiseOrigin, type NoiseSource, noiseOrigin } from './increments.ts';
export { type Law, lognormalLaw, normalLaw, twoSigmaBand } from './law.ts';
export {
  type ConvergenceKind,
  claimsOf,
  type MeasuredOrder,
  measureOrder,
  measureOrders,
  type OrderClaim,
  type OrderOptions,
  type OrdersFigure,
  ordersFigures,
} from './orders.ts';
export * from './processes/index.ts';
export {
  type Affine,
  assertFits,
  type Interpretation,
  misfit,
  type NoiseType,
  type Order,
  type SDE,
  type SdeSolver,
  toIto,
  toStratonovich,
} from './sde.ts';
export {
  type Grid,
  type IntegrationStep,
  integrate,
  type Solution,
  type SolveOptions,
  solve,
  startAt,
} from './solve.ts';
export * from './solvers/index.ts';
