/**
 * Combinations that training never sees. A model that understands words one by one can still draw them. Training leaves
 * out all pictures of these combinations, and no caption of a training picture names one. `evaluate` measures how well
 * samples obey them.
 */
import type { Meaning } from './words.ts';

/** The combinations, each of a digit and two attributes. */
export const HELD_OUT: readonly (Meaning & { readonly digit: number })[] = [
  { digit: 0, named: { thickness: 'low', width: 'high' } },
  { digit: 2, named: { thickness: 'high', width: 'low' } },
  { digit: 4, named: { thickness: 'low', slant: 'high' } },
  { digit: 5, named: { thickness: 'high', slant: 'low' } },
  { digit: 7, named: { slant: 'low', width: 'low' } },
  { digit: 9, named: { slant: 'high', width: 'high' } },
];

/** Whether a meaning has one of these combinations. */
export const isHeldOut = ({ digit, named }: Meaning): boolean =>
  HELD_OUT.some(
    (held) =>
      held.digit === digit &&
      Object.entries(held.named).every(([name, third]) => named[name as keyof typeof named] === third),
  );
