/** Checks of numbers that callers pass. */
import { ValueError } from '../errors.ts';

/** @throws ValueError unless `steps` is a whole number, `least` or more */
export function checkSteps(what: string, steps: number, least = 2): number {
  if (Number.isInteger(steps) && steps >= least) return steps;
  throw new ValueError(`${what}: expected a whole number of steps, ${least} or more, got ${steps}`);
}

/** @throws ValueError unless `count` is a whole number, `least` or more; `what` names it: `ddim: iterations` */
export function checkWhole(what: string, count: number, least = 0): number {
  if (Number.isInteger(count) && count >= least) return count;
  throw new ValueError(`${what}: expected a whole number, ${least} or more, got ${count}`);
}

/** @throws ValueError unless the number is finite and in [least, most] */
export function checkNumber(what: string, value: number, least = 0, most = Infinity): number {
  if (Number.isFinite(value) && value >= least && value <= most) return value;
  const range = most === Infinity ? `${least} or more` : `from ${least} to ${most}`;
  throw new ValueError(`${what}: expected a number, ${range}, got ${value}`);
}
