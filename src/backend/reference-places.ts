/** The index arithmetic of poolings and of pixel shuffling, for the reference backend. */
import { type PixelShuffle, type PoolSizes, poolPlaces } from './kernels.ts';

/** Calls `visit` with each element of y, and the elements of x in its window, row by row. */
export function forEachWindow(s: PoolSizes, visit: (place: number, pixels: readonly number[]) => void): void {
  const [h, w] = poolPlaces(s);
  for (let place = 0; place < s.batch * h * w; place++) {
    const [b, i, j] = [Math.floor(place / (h * w)), Math.floor(place / w) % h, place % w];
    const first: number[] = [];
    for (let ky = 0; ky < s.kernelHeight; ky++) {
      const y = i * s.strideHeight - s.paddingHeight + ky;
      if (y < 0 || y >= s.height) continue;
      for (let kx = 0; kx < s.kernelWidth; kx++) {
        const x = j * s.strideWidth - s.paddingWidth + kx;
        if (x >= 0 && x < s.width) first.push(((b * s.height + y) * s.width + x) * s.channels);
      }
    }
    for (let c = 0; c < s.channels; c++) {
      visit(
        place * s.channels + c,
        first.map((at) => at + c),
      );
    }
  }
}

/** For each element of y, the element of x that it equals: see `PixelShuffle`. */
export function shuffledPlaces({ batch, height, width, channels, factor: r }: PixelShuffle): number[] {
  const places: number[] = [];
  for (let row = 0; row < batch * height * r; row++) {
    for (let column = 0; column < width * r; column++) {
      const pixel = Math.floor(row / r) * width + Math.floor(column / r);
      for (let c = 0; c < channels; c++) {
        places.push((pixel * channels + c) * r * r + (row % r) * r + (column % r));
      }
    }
  }
  return places;
}
