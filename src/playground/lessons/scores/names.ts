/** Names and sizes that the job and the page of this lesson share. */

/** The set of points that a person chooses. */
export const CHOSEN = 'your points';
/** Places in a row and in a column of the pad. */
export const PAD_SIDE = 256;
/** The most points that a person chooses. */
export const MOST_POINTS = 200;
/** Vectors along a side of a picture. */
export const ARROWS = 13;

export type ScoreName = 'exact' | 'learned';

/** The samplers: what they follow, and their names in the command. */
export const FLOWS = [
  { id: 'ode', sampler: 'ddim', title: 'Probability-flow ODE' },
  { id: 'sde', sampler: 'ddpm', title: 'Reverse SDE' },
] as const;
export type FlowName = (typeof FLOWS)[number]['id'];
