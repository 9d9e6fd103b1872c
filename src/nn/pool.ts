/**
 * Poolings, nearest upsampling, and moves between space and channels, as layers with PyTorch's names. Pictures are
 * [batch, height, width, channels]. These layers have no parameters.
 */
import { withDefaults } from '../options.ts';
import type { Pair } from '../tensor/conv.ts';
import {
  type AvgPool2dOptions,
  avgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
  pixelShuffle,
  pixelUnshuffle,
  type UpsampleOptions,
  upsample,
} from '../tensor/pool.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkWhole, pairFrom } from './check.ts';
import { Layer } from './module.ts';

/** The maximum of each window: see `maxPool2d`. */
export class MaxPool2d extends Layer {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];

  /**
   * @param kernelSize one number, or [height, width]
   * @param options `stride` is kernelSize by default
   * @throws ValueError for sizes that are not whole numbers >= 1
   */
  constructor(kernelSize: Pair, options: MaxPool2dOptions = {}) {
    super();
    const given = withDefaults('MaxPool2d', options, { stride: kernelSize, padding: 0 });
    this.kernelSize = pairFrom('MaxPool2d', 'kernelSize', kernelSize, 1);
    this.stride = pairFrom('MaxPool2d', 'stride', given.stride, 1);
    this.padding = pairFrom('MaxPool2d', 'padding', given.padding, 0);
  }

  /** x [batch, height, width, channels] to [batch, h, w, channels]: see `maxPool2d`. @throws ShapeError */
  override forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding } = this;
    return maxPool2d(x, kernelSize, { stride, padding });
  }
}

/** The mean of each window: see `avgPool2d`. */
export class AvgPool2d extends Layer {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly countIncludePad: boolean;

  /**
   * @param kernelSize one number, or [height, width]
   * @param options `stride` is kernelSize by default
   * @throws ValueError for sizes that are not whole numbers >= 1
   */
  constructor(kernelSize: Pair, options: AvgPool2dOptions = {}) {
    super();
    const given = withDefaults('AvgPool2d', options, {
      ...{ stride: kernelSize, padding: 0, countIncludePad: true },
    });
    this.kernelSize = pairFrom('AvgPool2d', 'kernelSize', kernelSize, 1);
    this.stride = pairFrom('AvgPool2d', 'stride', given.stride, 1);
    this.padding = pairFrom('AvgPool2d', 'padding', given.padding, 0);
    this.countIncludePad = given.countIncludePad;
  }

  /** x [batch, height, width, channels] to [batch, h, w, channels]: see `avgPool2d`. @throws ShapeError */
  override forward(x: Tensor): Tensor {
    const { kernelSize, stride, padding, countIncludePad } = this;
    return avgPool2d(x, kernelSize, { stride, padding, countIncludePad });
  }
}

/** Repeats each pixel: see `upsample`. If a 3x3 convolution follows, `UpsampleConv2d` does both in one op. */
export class Upsample extends Layer {
  readonly scaleFactor: readonly [number, number];

  /** @throws ValueError for factors that are not whole numbers >= 1 */
  constructor(options: UpsampleOptions) {
    super();
    const { scaleFactor } = withDefaults('Upsample', options, { scaleFactor: undefined });
    this.scaleFactor = pairFrom('Upsample', 'scaleFactor', scaleFactor, 1);
  }

  /**
   * x [batch, h, w, channels] to [batch, h·fy, w·fx, channels] for the factor [fy, fx].
   * @throws ShapeError
   */
  override forward(x: Tensor): Tensor {
    return upsample(x, { scaleFactor: this.scaleFactor });
  }
}

/** Moves channels to space: see `pixelShuffle`. */
export class PixelShuffle extends Layer {
  /** @throws ValueError for a factor that is not a whole number >= 1 */
  constructor(readonly upscaleFactor: number) {
    super();
    checkWhole('PixelShuffle', 'upscaleFactor', [upscaleFactor], 1);
  }

  /** x [batch, h, w, channels·f²] to [batch, h·f, w·f, channels] for the factor f. @throws ShapeError */
  override forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor);
  }
}

/** Moves space to channels: see `pixelUnshuffle`. */
export class PixelUnshuffle extends Layer {
  /** @throws ValueError for a factor that is not a whole number >= 1 */
  constructor(readonly downscaleFactor: number) {
    super();
    checkWhole('PixelUnshuffle', 'downscaleFactor', [downscaleFactor], 1);
  }

  /** x [batch, h·f, w·f, channels] to [batch, h, w, channels·f²] for the factor f. @throws ShapeError */
  override forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor);
  }
}
