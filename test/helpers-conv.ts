/** Convolutions for tests: their sizes, and the three kernels (forward and two gradients). */
import { type ConvSizes, convPlaces, type Kernels, type Ptr, type Target } from '../src/backend/kernels.ts';
import { uniforms } from './helpers.ts';

/** The numbers of elements of x, w and y. */
export function elements(s: ConvSizes): [x: number, w: number, y: number] {
  const [h, w] = convPlaces(s);
  return [
    s.batch * s.height * s.width * s.inChannels,
    (s.outChannels * s.kernelHeight * s.kernelWidth * s.inChannels) / s.groups,
    s.batch * h * w * s.outChannels,
  ];
}

/** The three kernels. `operands` are the inputs and the result. `terms` is the most products in an element's sum. */
export const KERNELS = {
  forward: {
    operands: ['x', 'w', 'y'],
    run: (k: Kernels, s: ConvSizes, [x, w]: readonly Ptr[], out: Target) => k.conv2d({ ...s, x, w, out }),
    terms: (s: ConvSizes) => (s.kernelHeight * s.kernelWidth * s.inChannels) / s.groups,
  },
  'gradient to the input': {
    operands: ['y', 'w', 'x'],
    run: (k: Kernels, s: ConvSizes, [dy, w]: readonly Ptr[], out: Target) =>
      k.conv2dInputGradient({ ...s, dy, w, out }),
    terms: (s: ConvSizes) => (s.kernelHeight * s.kernelWidth * s.outChannels) / s.groups,
  },
  'gradient to the weights': {
    operands: ['x', 'y', 'w'],
    run: (k: Kernels, s: ConvSizes, [x, dy]: readonly Ptr[], out: Target) =>
      k.conv2dWeightGradient({ ...s, x, dy, out }),
    terms: (s: ConvSizes) => s.batch * convPlaces(s)[0] * convPlaces(s)[1],
  },
} as const;

/** The sizes of a 3x3 convolution with padding 1. `given` replaces some of them. */
export const sizes = (given: Partial<ConvSizes>): ConvSizes => ({
  ...{ batch: 1, height: 5, width: 5, inChannels: 1, outChannels: 1, kernelHeight: 3, kernelWidth: 3 },
  ...{ strideHeight: 1, strideWidth: 1, paddingHeight: 1, paddingWidth: 1 },
  ...{ dilationHeight: 1, dilationWidth: 1, groups: 1 },
  ...given,
});

/** The root mean square. */
export function rms(a: ArrayLike<number>): number {
  return Math.sqrt(Array.from(a).reduce((sum, x) => sum + x * x, 0) / a.length);
}

export const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number[] =>
  Array.from(a, (x, i) => x - b[i]!);

/** Operands of one of the three kernels, and room for its result. */
export function operands(kind: keyof typeof KERNELS, s: ConvSizes): Float32Array[] {
  const size = Object.fromEntries(elements(s).map((n, i) => ['xwy'[i], n]));
  return KERNELS[kind].operands.map((name) => uniforms(name, size[name]));
}

/**
 * Shapes for Winograd's algorithm: map, batch, channels of x and y, and padding. The maps have every number of positions in
 * their last tiles. Channels end inside of tiles, or need several blocks.
 */
export const WINOGRAD_SHAPES = [
  [1, 1, 1, 32, 32, 1],
  [3, 5, 1, 32, 32, 1],
  [3, 5, 7, 36, 32, 1],
  [7, 7, 3, 32, 44, 1],
  [2, 9, 3, 64, 36, 1],
  [9, 2, 7, 36, 64, 1],
  [14, 14, 1, 40, 40, 1],
  [8, 5, 3, 132, 36, 1],
  [5, 8, 3, 36, 132, 1],
  [3, 3, 1, 260, 140, 1],
  [1, 3, 70, 32, 32, 1],
  [3, 131, 1, 32, 36, 1],
  [3, 131, 1, 136, 36, 1],
  [4, 6, 3, 32, 32, 0],
  [3, 3, 3, 32, 36, 0],
  [5, 4, 3, 36, 32, 2],
  [4, 5, 2, 32, 32, 4],
].map(([height, width, batch, inChannels, outChannels, padding]) =>
  sizes({
    ...{ batch, height, width, inChannels, outChannels, paddingHeight: padding, paddingWidth: padding },
  }),
);
