/** Checks of the sizes that layers are made with. */
import { ValueError } from '../errors.ts';
import { describe } from '../options.ts';
import { type Pair, pairOf } from '../tensor/conv.ts';

/** @throws ValueError unless all are whole numbers >= `least` */
export function checkWhole(layer: string, what: string, numbers: readonly number[], least: number): void {
  if (!numbers.every((n) => Number.isInteger(n) && n >= least)) {
    throw new ValueError(
      `${layer}: expected whole numbers >= ${least} as ${what}, got ${numbers.map((n) => describe(n)).join(' and ')}`,
    );
  }
}

/** Both numbers of a pair. @throws ValueError unless they are whole numbers >= `least` */
export function pairFrom(layer: string, what: string, pair: Pair, least: number): readonly [number, number] {
  const two = pairOf(`${layer}: ${what}`, pair);
  checkWhole(layer, what, two, least);
  return two;
}
