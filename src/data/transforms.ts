/**
 * Transforms of pictures `[batch, height, width, channels]`: shifts, rotations and flips, and random ones that augment
 * a training set. Names and meaning are those of torchvision. The size of the picture stays the same. All but `flip`
 * interpolate bilinearly, with zeros outside of the picture. A shift by whole pixels copies pixels exactly, and so does
 * a rotation of a square by 90° or 180°. Gradients flow to the pictures.
 *
 * Columns go to the right and rows go down. The centre is ((width - 1)/2, (height - 1)/2). A positive rotation is
 * counter-clockwise on the screen. Left out on purpose: shear, perspective, colours, and other sizes of the result.
 */
import { apply } from '../autograd/tape.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { cos, sin } from '../math.ts';
import { affineSample as affineSampleOp } from '../ops/affine-sample.ts';
import { oneOf, withDefaults } from '../options.ts';
import { checkRng, type Rng } from '../random/rng.ts';
import type { Tensor } from '../tensor/tensor.ts';

/**
 * Samples pictures under affine maps. Pixel (row i, column j) of the result is the picture's value at column
 * m0·j + m1·i + m2 and row m3·j + m4·i + m5. (PyTorch's `affine_grid` and `grid_sample` with coordinates in pixels,
 * zeros as padding, and `align_corners`.)
 *
 * @param images `[batch, height, width, channels]`
 * @param matrices m0 to m5 for each picture
 * @throws ShapeError for other shapes, ValueError for numbers that are not finite
 */
export function affineSample(images: Tensor, matrices: ArrayLike<number>): Tensor {
  const wrong = Array.from(matrices).find((m) => !Number.isFinite(m));
  if (wrong !== undefined)
    throw new ValueError(`affineSample: expected finite numbers in matrices, got ${wrong}`);
  return apply(affineSampleOp, [images], { matrices: Float64Array.from(matrices) });
}

/**
 * Shifts pictures by pixels to the right and down. Fractions are interpolated. New pixels at the border are 0.
 * @throws ShapeError for anything but pictures, ValueError for numbers that are not finite
 */
export function shift(images: Tensor, right: number, down: number): Tensor {
  requireNumbers('shift', { right, down });
  return mapped('shift', images, () => ({ ...STILL, right, down }));
}

/**
 * Rotates pictures about their centre, counter-clockwise.
 * @throws ShapeError for anything but pictures, ValueError for an angle that is not finite
 */
export function rotate(images: Tensor, degrees: number): Tensor {
  requireNumbers('rotate', { degrees });
  return mapped('rotate', images, () => ({ ...STILL, degrees }));
}

const DIRECTIONS = ['horizontal', 'vertical'] as const;

/**
 * Mirror images: `horizontal` exchanges left and right, `vertical` top and bottom.
 * @throws ShapeError for anything but pictures, ValueError for another direction
 */
export function flip(images: Tensor, direction: (typeof DIRECTIONS)[number]): Tensor {
  requirePictures('flip', images);
  return images.flip(oneOf('flip', DIRECTIONS, direction) === 'horizontal' ? 2 : 1);
}

/** Options of `randomAffine`. With no option the pictures stay the same. */
export interface RandomAffineOptions {
  /** The angle is uniform in (-degrees, degrees), or between two numbers. Default 0. */
  readonly degrees?: number | readonly [number, number];
  /** The shift in whole pixels, uniform up to these fractions of width and height. Default [0, 0]. */
  readonly translate?: readonly [number, number];
  /** The scale factor is uniform between these. Default [1, 1]. */
  readonly scale?: readonly [number, number];
  /** The probability of a horizontal flip. Default 0. */
  readonly flip?: number;
}

/** The number of random words per picture. It is constant, so that one option does not change the draws of another. */
const WORDS = 5;

/**
 * Flips each picture at random, then rotates and scales it about the centre, then shifts it (torchvision's
 * `RandomHorizontalFlip`, then `RandomAffine`).
 *
 * @throws ShapeError for anything but pictures, ValueError for options out of range
 * @example new DataLoader(set, { batchSize: 64, seed: 0, transform: (x, rng) => randomAffine(x, rng, { degrees: 10 }) })
 */
export function randomAffine(images: Tensor, rng: Rng, options: RandomAffineOptions = {}): Tensor {
  const {
    degrees,
    translate,
    scale,
    flip: mirrored,
  } = withDefaults('randomAffine', options, {
    degrees: 0,
    translate: [0, 0],
    scale: [1, 1],
    flip: 0,
  });
  const turns = typeof degrees === 'number' ? [-degrees, degrees] : degrees;
  requireRange('degrees', turns, -Number.MAX_VALUE, Number.MAX_VALUE);
  requireRange('scale', scale, Number.MIN_VALUE, Number.MAX_VALUE);
  for (const share of translate) requireRange('translate', [0, share], 0, 1);
  requireRange('flip', [0, mirrored], 0, 1);
  requirePictures('randomAffine', images);
  const [batch, height, width] = images.shape;
  const words = checkRng('randomAffine', rng).bits(WORDS * batch);
  return mapped('randomAffine', images, (b) => {
    const uniform = (k: number, lo: number, hi: number) => lo + (hi - lo) * (words[WORDS * b + k] / 2 ** 32);
    const [across, down] = [translate[0] * width, translate[1] * height];
    return {
      degrees: uniform(0, turns[0], turns[1]),
      scale: uniform(1, scale[0], scale[1]),
      right: Math.round(uniform(2, -across, across)),
      down: Math.round(uniform(3, -down, down)),
      mirrored: uniform(4, 0, 1) < mirrored,
    };
  });
}

/** The motion of a picture, in this order: flip, scale and rotation about the centre, shift by pixels. */
interface Motion {
  readonly mirrored: boolean;
  readonly scale: number;
  readonly degrees: number;
  readonly right: number;
  readonly down: number;
}

const STILL: Motion = { mirrored: false, scale: 1, degrees: 0, right: 0, down: 0 };

/** Applies its motion to each picture. */
function mapped(what: string, images: Tensor, motionOf: (picture: number) => Motion): Tensor {
  requirePictures(what, images);
  const [batch, height, width] = images.shape;
  const maps = Array.from({ length: batch }, (_, b) => inverseOf(motionOf(b), height, width));
  return affineSample(images, maps.flat());
}

/**
 * The map from the result to the picture. Let c be the centre, t the shift and F the flip. Because rows go down, a
 * rotation by θ is R = [cos θ, sin θ; -sin θ, cos θ]. So
 *
 *     to = c + t + scale·R·F·(from - c)   and   from = c + F·Rᵀ·(to - c - t)/scale
 */
function inverseOf({ mirrored, scale, degrees, right, down }: Motion, height: number, width: number) {
  const [cosine, sine] = turnOf(degrees);
  const mirror = mirrored ? -1 : 1;
  const across = [(mirror * cosine) / scale, (-mirror * sine) / scale];
  const along = [sine / scale, cosine / scale];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const from = ([a, b]: number[], centre: number) => centre - a * (cx + right) - b * (cy + down);
  return [...across, from(across, cx), ...along, from(along, cy)];
}

/** Cosine and sine of an angle. Multiples of 90° are exact; cos and sin are computed for at most 45°. */
function turnOf(degrees: number): [number, number] {
  const rest = degrees % 360;
  const quarters = Math.round(rest / 90);
  const angle = ((rest - 90 * quarters) * Math.PI) / 180;
  let [c, s] = [cos(angle), sin(angle)];
  for (let k = 0; k < (quarters + 4) % 4; k++) [c, s] = [-s, c];
  return [c, s];
}

function requirePictures(what: string, images: Tensor): void {
  if (images.rank === 4) return;
  throw new ShapeError(
    `${what}: expected pictures [batch, height, width, channels], got shape [${images.shape}]`,
  );
}

function requireNumbers(what: string, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value)) throw new ValueError(`${what}: expected a finite ${name}, got ${value}`);
  }
}

/** Throws ValueError unless least <= lo <= hi <= most. */
function requireRange(name: string, [lo, hi]: readonly number[], least: number, most: number): void {
  if (lo >= least && lo <= hi && hi <= most) return;
  const got = `${lo} to ${hi}`;
  const within = most === 1 ? ' within [0, 1]' : least > 0 ? ' of finite numbers > 0' : ' of finite numbers';
  throw new ValueError(`randomAffine: expected ${name} to be a range${within}, got ${got}`);
}
