/**
 * Transposed convolutions, and upsampling with a 3x3. langevin has the channels last, PyTorch has them second. Numbers
 * of one tensor have one sign, so that no sum cancels.
 */
import { ConvTranspose2d, convTranspose2d, UpsampleConv2d } from '../../../src/index.ts';
import type { Draw } from '../draw.ts';
import { type Row, row } from '../row.ts';

/** A case whose result has at least one pixel. */
function transposed(draw: Draw) {
  const kernel = [draw.integer(1, 4), draw.integer(1, 4)] as const;
  const two = (lo: number, hi: (i: number) => number) =>
    [draw.integer(lo, hi(0)), draw.integer(lo, hi(1))] as const;
  const stride = two(1, () => 3);
  const dilation = two(1, () => 2);
  const padding = two(0, (i) => Math.min(2, Math.floor((dilation[i] * (kernel[i] - 1)) / 2)));
  const outputPadding = two(0, (i) => stride[i] - 1);
  const groups = draw.oneOf([1, 1, 2, 3]);
  const [inner, out] = [groups * draw.integer(1, 6), draw.integer(1, 6)];
  const terms = kernel[0] * kernel[1] * inner;
  const x = draw.tensor([draw.oneOf([1, 2, 7]), draw.integer(1, 6), draw.integer(1, 6), inner], [0.5, 1]);
  const weight = draw.tensor([inner, ...kernel, out], [0.25 / terms, 1 / terms]);
  const inputs = draw.chance(0.5) ? [x, weight, draw.tensor([groups * out], [0.1, 1])] : [x, weight];
  return { inputs, attributes: { stride, padding, outputPadding, dilation, groups } };
}

export const CONV_TRANSPOSE: readonly Row[] = [
  row({
    name: 'convTranspose2d',
    bound: 1e-6,
    draw: transposed,
    langevin: ([x, w, b = null], options) => convTranspose2d(x, w, b, options),
    torch:
      'lambda x, w, b=None, *, stride, padding, outputPadding, dilation, groups: F.conv_transpose2d(x.permute(0, 3, 1, 2), w.permute(0, 3, 1, 2), b, stride, padding, outputPadding, groups, dilation).permute(0, 2, 3, 1)',
  }),
  row({
    name: 'ConvTranspose2d',
    bound: 1e-6,
    draw: (draw) => {
      const { inputs, attributes } = transposed(draw);
      const [inner, kh, kw, out] = inputs[1].shape;
      const sizes = { inner, out: out * attributes.groups, kernel: [kh, kw] as const };
      return { inputs, attributes: { ...attributes, sizes } };
    },
    langevin: ([x, weight, bias = null], { sizes: { inner, out, kernel }, ...options }) =>
      Object.assign(new ConvTranspose2d(inner, out, kernel, options), { weight, bias }).forward(x),
    torch:
      "lambda x, w, b=None, sizes={}, outputPadding=0, **options: call(nn.ConvTranspose2d(sizes['inner'], sizes['out'], sizes['kernel'], bias=b is not None, output_padding=outputPadding, **options), x.permute(0, 3, 1, 2), weight=w.permute(0, 3, 1, 2), **({} if b is None else {'bias': b})).permute(0, 2, 3, 1)",
  }),
  row({
    name: 'UpsampleConv2d',
    bound: 2e-6,
    draw: (draw) => {
      const [inner, out] = [draw.integer(1, 40), draw.integer(1, 9)];
      const terms = 9 * inner;
      return {
        inputs: [
          draw.tensor([draw.oneOf([1, 2, 7]), draw.integer(1, 6), draw.integer(1, 6), inner], [0.5, 1]),
          draw.tensor([out, 3, 3, inner], [0.25 / terms, 1 / terms]),
          draw.tensor([out], [0.1, 1]),
        ],
        attributes: {},
      };
    },
    langevin: ([x, weight, bias]) =>
      Object.assign(new UpsampleConv2d(x.shape[3], weight.shape[0]), { weight, bias }).forward(x),
    torch:
      'lambda x, w, b: F.conv2d(F.interpolate(x.permute(0, 3, 1, 2), scale_factor=2.0), w.permute(0, 3, 1, 2), b, padding=1).permute(0, 2, 3, 1)',
  }),
];
