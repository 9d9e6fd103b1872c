/**
 * Convolutions. langevin's pictures are [batch, height, width, channels] and its weights [out, kh, kw, in]; PyTorch has
 * the channels second. Numbers of one tensor have one sign, so that no sum cancels.
 */
import { Conv2d, conv2d } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Row, row } from '../row.ts';

const ACTIVATIONS = ['none', 'relu', 'sigmoid', 'tanh'] as const;

/** A case whose kernel spans at most the padded map. */
function convolution(draw: Draw, kernels: readonly number[]) {
  const two = (lo: number, hi: number) => [draw.integer(lo, hi), draw.integer(lo, hi)] as const;
  const kernel = [draw.oneOf(kernels), draw.oneOf(kernels)];
  const [stride, padding, dilation] = [two(1, 3), two(0, 2), two(1, 2)];
  const groups = draw.oneOf([1, 1, 1, 2, 3]);
  const span = kernel.map((k, i) => dilation[i] * (k - 1) + 1);
  const map = span.map((n, i) => Math.max(1, n - 2 * padding[i] + draw.integer(0, 6)));
  const [inner, out] = [draw.integer(1, 9), groups * draw.integer(1, 9)];
  // Sums of products of up to 1, so that activations are not saturated.
  const terms = kernel[0] * kernel[1] * inner;
  const x = draw.tensor([draw.oneOf([1, 2, 7]), ...map, groups * inner], [0.5, 1]);
  const weight = draw.tensor([out, ...kernel, inner], [0.25 / terms, 1 / terms]);
  const inputs = draw.chance(0.5) ? [x, weight, draw.tensor([out], [0.1, 1])] : [x, weight];
  return { inputs, attributes: { stride, padding, dilation, groups } };
}

/** PyTorch's, from and to channels last. */
const torch = (activation: string, options: string) =>
  `lambda x, w, b=None, *, ${options}: ${activation}(F.conv2d(x.permute(0, 3, 1, 2), w.permute(0, 3, 1, 2), b, stride, padding, dilation, groups)).permute(0, 2, 3, 1)`;
const OPTIONS = 'stride, padding, dilation, groups';

export const CONV: readonly Row[] = [
  ...ACTIVATIONS.map((activation) =>
    row({
      name: activation === 'none' ? 'conv2d' : `conv2d with ${activation}`,
      bound: 1e-6,
      draw: (draw) => convolution(draw, [1, 2, 3, 3, 5]),
      langevin: ([x, w, b = null], options) => conv2d(x, w, b, { ...options, activation }),
      torch: torch(activation === 'none' ? '' : `F.${activation}`, OPTIONS),
    }),
  ),
  row({
    name: 'conv2d 3x3 of many channels',
    bound: 2e-6,
    draw: (draw) => {
      const [inner, out] = [draw.integer(28, 70), draw.integer(28, 70)];
      const map = [draw.integer(1, 9), draw.integer(1, 9)];
      const scaled: [number, number] = [1 / 36 / inner, 1 / 9 / inner];
      return {
        inputs: [
          draw.tensor([draw.oneOf([1, 2, 7]), ...map, inner], [0.5, 1]),
          draw.tensor([out, 3, 3, inner], scaled),
          draw.tensor([out], [0.1, 1]),
        ],
        attributes: {},
      };
    },
    langevin: ([x, w, b]) => conv2d(x, w, b, { padding: 1 }),
    torch: torch('', 'stride=1, padding=1, dilation=1, groups=1'),
  }),
  row({
    name: 'conv2d depthwise',
    bound: 1e-6,
    draw: (draw) => {
      const { inputs, attributes } = convolution(draw, [1, 2, 3, 3, 5]);
      const channels = draw.integer(2, 40);
      const [, kh, kw] = inputs[1].shape;
      return {
        inputs: [
          draw.tensor([...inputs[0].shape.slice(0, 3), channels], [0.5, 1]),
          draw.tensor([channels, kh, kw, 1], [0.25, 1]),
          draw.tensor([channels], [0.1, 1]),
        ],
        attributes: { ...attributes, groups: channels },
      };
    },
    langevin: ([x, w, b], options) => conv2d(x, w, b, options),
    torch: torch('', OPTIONS),
  }),
  row({
    name: 'Conv2d',
    bound: 1e-6,
    draw: (draw) => {
      const { inputs, attributes } = convolution(draw, [1, 3]);
      const [out, kh, kw, inner] = inputs[1].shape;
      const sizes = { inner: inner * attributes.groups, out, kernel: [kh, kw] as const };
      return { inputs, attributes: { ...attributes, sizes } };
    },
    langevin: ([x, weight, bias = null], { sizes: { inner, out, kernel }, ...options }) =>
      Object.assign(new Conv2d(inner, out, kernel, options), { weight, bias }).forward(x),
    torch:
      "lambda x, w, b=None, sizes={}, **options: call(nn.Conv2d(sizes['inner'], sizes['out'], sizes['kernel'], bias=b is not None, **options), x.permute(0, 3, 1, 2), weight=w.permute(0, 3, 1, 2), **({} if b is None else {'bias': b})).permute(0, 2, 3, 1)",
  }),
];
