/** The twins of the convolution kernels: loops over Float32Array. The innermost loop is over channels. */
import { type ConvSizes, convPlaces } from '../src/backend/kernels.ts';

/** y from x and w, dx from dy and w, or dw from x and dy. In a gradient `y` is dy. There are no groups. */
export function conv2d(
  makes: 'forward' | 'input gradient' | 'weight gradient',
  s: ConvSizes,
  x: Float32Array,
  w: Float32Array,
  y: Float32Array,
): void {
  const [rows, columns] = convPlaces(s);
  const result = { forward: y, 'input gradient': x, 'weight gradient': w }[makes];
  const sums = new Float64Array(result.length);
  for (let b = 0, at = 0; b < s.batch; b++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at += s.outChannels) {
        for (let ky = 0; ky < s.kernelHeight; ky++) {
          const row = i * s.strideHeight - s.paddingHeight + ky * s.dilationHeight;
          if (row < 0 || row >= s.height) continue;
          for (let kx = 0; kx < s.kernelWidth; kx++) {
            const column = j * s.strideWidth - s.paddingWidth + kx * s.dilationWidth;
            if (column < 0 || column >= s.width) continue;
            const pixel = ((b * s.height + row) * s.width + column) * s.inChannels;
            for (let o = 0; o < s.outChannels; o++) {
              const tap = ((o * s.kernelHeight + ky) * s.kernelWidth + kx) * s.inChannels;
              if (makes === 'forward') {
                for (let c = 0; c < s.inChannels; c++) sums[at + o] += x[pixel + c] * w[tap + c];
              } else if (makes === 'input gradient') {
                for (let c = 0; c < s.inChannels; c++) sums[pixel + c] += y[at + o] * w[tap + c];
              } else {
                for (let c = 0; c < s.inChannels; c++) sums[tap + c] += y[at + o] * x[pixel + c];
              }
            }
          }
        }
      }
    }
  }
  result.set(sums);
}
