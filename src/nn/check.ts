/** Checks of what layers are made from. */
import { ValueError } from '../errors.ts';
import { describe } from '../options.ts';

/** @throws ValueError unless all are whole numbers from `least` on */
export function checkWhole(layer: string, what: string, numbers: readonly number[], least: number): void {
  if (!numbers.every((n) => Number.isInteger(n) && n >= least)) {
    throw new ValueError(
      `${layer}: expected whole numbers >= ${least} as ${what}, got ${numbers.map((n) => describe(n)).join(' and ')}`,
    );
  }
}
