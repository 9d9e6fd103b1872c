/** Poolings, upsampling and the shuffling of pixels. langevin has the channels last, PyTorch has them second. */
import {
  AvgPool2d,
  avgPool2d,
  MaxPool2d,
  maxPool2d,
  pixelShuffle,
  pixelUnshuffle,
  Upsample,
  upsample,
} from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { ROUNDED, type Row, row } from '../row.ts';

/** A case whose kernel lies within the padded map. */
function pooling(draw: Draw, values: (shape: number[]) => ReturnType<Draw['tensor']>) {
  const kernel = [draw.integer(1, 4), draw.integer(1, 4)] as const;
  const stride = [draw.integer(1, 4), draw.integer(1, 4)] as const;
  const padding = [
    draw.integer(0, Math.floor(kernel[0] / 2)),
    draw.integer(0, Math.floor(kernel[1] / 2)),
  ] as const;
  const map = kernel.map((k, i) => Math.max(1, k - 2 * padding[i] + draw.integer(0, 7)));
  return {
    inputs: [values([draw.oneOf([1, 2, 7]), ...map, draw.integer(1, 9)])],
    attributes: { kernel, stride, padding },
  };
}

/** PyTorch's f(x, ...), from and to channels last. */
const turned = (f: string, options: string) => `lambda x, ${options}: ${f}.permute(0, 2, 3, 1)`;
const X = 'x.permute(0, 3, 1, 2)';
const MAX = turned(`F.max_pool2d(${X}, kernel, stride, padding)`, 'kernel, stride, padding');

export const POOL: readonly Row[] = [
  row({
    name: 'maxPool2d',
    bound: 1e-6,
    draw: (draw) => pooling(draw, (shape) => draw.tensor(shape, [-2, 2])),
    langevin: ([x], { kernel, ...options }) => maxPool2d(x, kernel, options),
    torch: MAX,
  }),
  row({
    name: 'maxPool2d of ties',
    bound: 1e-6,
    draw: (draw) => pooling(draw, (shape) => draw.ties(shape)),
    langevin: ([x], { kernel, ...options }) => new MaxPool2d(kernel, options).forward(x),
    torch: MAX,
  }),
  row({
    name: 'avgPool2d',
    bound: 1e-6,
    draw: (draw) => {
      const { inputs, attributes } = pooling(draw, (shape) => draw.tensor(shape));
      return { inputs, attributes: { ...attributes, countIncludePad: draw.chance(0.5) } };
    },
    langevin: ([x], { kernel, ...options }) => avgPool2d(x, kernel, options),
    torch: turned(
      `F.avg_pool2d(${X}, kernel, stride, padding, count_include_pad=countIncludePad)`,
      'kernel, stride, padding, countIncludePad',
    ),
  }),
  row({
    name: 'AvgPool2d with defaults',
    bound: 1e-6,
    draw: (draw) => {
      const kernel = draw.integer(1, 3);
      const shape = [draw.integer(1, 3), kernel + draw.integer(0, 5), kernel + draw.integer(0, 5), 3];
      return { inputs: [draw.tensor(shape)], attributes: { kernel } };
    },
    langevin: ([x], { kernel }) => new AvgPool2d(kernel).forward(x),
    torch: turned(`nn.AvgPool2d(kernel)(${X})`, 'kernel'),
  }),
  ...[
    upsample,
    (x: Parameters<typeof upsample>[0], options: Parameters<typeof upsample>[1]) =>
      new Upsample(options).forward(x),
  ].map((f, i) =>
    row({
      name: ['upsample', 'Upsample'][i],
      bound: 1e-6,
      draw: (draw) => ({
        inputs: [
          draw.tensor([draw.oneOf([1, 2, 7]), draw.integer(1, 6), draw.integer(1, 6), draw.integer(1, 9)]),
        ],
        attributes: { scaleFactor: [draw.integer(1, 3), draw.integer(1, 3)] as const },
      }),
      langevin: ([x], options) => f(x, options),
      // PyTorch takes scale factors of floating point.
      torch: turned(`nn.Upsample(scale_factor=tuple(float(s) for s in scaleFactor))(${X})`, 'scaleFactor'),
    }),
  ),
  row({
    name: 'pixelShuffle',
    bound: ROUNDED,
    draw: (draw) => {
      const factor = draw.integer(1, 3);
      const shape = [
        draw.oneOf([1, 2, 7]),
        draw.integer(1, 5),
        draw.integer(1, 5),
        factor ** 2 * draw.integer(1, 9),
      ];
      return { inputs: [draw.tensor(shape)], attributes: { factor } };
    },
    langevin: ([x], { factor }) => pixelShuffle(x, factor),
    torch: turned(`F.pixel_shuffle(${X}, factor)`, 'factor'),
  }),
  row({
    name: 'pixelUnshuffle',
    bound: ROUNDED,
    draw: (draw) => {
      const factor = draw.integer(1, 3);
      const map = [factor * draw.integer(1, 5), factor * draw.integer(1, 5)];
      return {
        inputs: [draw.tensor([draw.oneOf([1, 2, 7]), ...map, draw.integer(1, 9)])],
        attributes: { factor },
      };
    },
    langevin: ([x], { factor }) => pixelUnshuffle(x, factor),
    torch: turned(`F.pixel_unshuffle(${X}, factor)`, 'factor'),
  }),
];
