/** Checks of the inputs of ops on pictures [batch, height, width, channels]. */
import type { Shape } from '../autograd/variable.ts';
import { ShapeError, ValueError } from '../errors.ts';

/** Two numbers, along height and width. */
export type Two = readonly [height: number, width: number];

/** @throws ShapeError unless x is [batch, height, width, channels] with at least one pixel in a map */
export function checkPictures(op: string, x: Shape): void {
  if (x.length !== 4) throw new ShapeError(`${op}: expected x[batch,height,width,channels], got [${x}]`);
  const [, height, width] = x;
  if (height < 1 || width < 1) {
    throw new ShapeError(`${op}: expected a map of at least 1x1, got ${height}x${width}`);
  }
}

/** @throws ValueError unless both are whole numbers >= `least` */
export function checkTwo(op: string, name: string, [h, w]: Two, least: number): void {
  if (![h, w].every((n) => Number.isInteger(n) && n >= least)) {
    throw new ValueError(`${op}: expected whole numbers >= ${least} as ${name}, got ${h} and ${w}`);
  }
}

/** @throws ShapeError unless a kernel that spans `span` pixels fits into the padded map */
export function checkSpan(op: string, x: Shape, [padY, padX]: Two, span: Two): void {
  const padded = [x[1] + 2 * padY, x[2] + 2 * padX];
  if (span[0] > padded[0] || span[1] > padded[1]) {
    throw new ShapeError(
      `${op}: expected a kernel within the padded map of ${padded[0]}x${padded[1]}, got one that spans ${span[0]}x${span[1]}`,
    );
  }
}
