/**
 * Animations of pictures as GIF (GIF89a), with the package gifenc.
 *
 * A grey value is its own index into one palette of 256 greys. So no value changes. Colours are rounded to a fixed palette
 * of 6 reds, 7 greens and 6 blues. Left out on purpose: palettes that fit the pictures, and frames that hold only the
 * changed pixels.
 */
import gifenc from 'gifenc';
import { ShapeError, ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import type { Picture } from './png.ts';

/** Options of `encodeGif`. */
export interface GifOptions {
  /** Milliseconds that each frame is shown, in steps of 10. Default 80. Browsers show a delay below 20 as 100. */
  readonly delay?: number;
  /** Milliseconds that the last frame is shown. Default 1500. */
  readonly lastDelay?: number;
  /** Whether the animation starts again after the last frame. Default true. */
  readonly loop?: boolean;
}

// Node gives the CommonJS module as the default import. A bundler may give the function itself.
const makeStream = typeof gifenc === 'function' ? gifenc : gifenc.GIFEncoder;

const GREYS = Array.from({ length: 256 }, (_, v) => [v, v, v] as const);
/** The number of levels of red, green and blue, from 0 to 255. */
const LEVELS = [6, 7, 6] as const;
const COLOURS = Array.from({ length: LEVELS[0] * LEVELS[1] * LEVELS[2] }, (_, i) => {
  const [, green, blue] = LEVELS;
  const levels = [Math.floor(i / (green * blue)), Math.floor(i / blue) % green, i % blue];
  const [r, g, b] = levels.map((level, c) => Math.round((255 * level) / (LEVELS[c] - 1)));
  return [r, g, b] as const;
});
const LONGEST = 655_350; // milliseconds: 16 bits of hundredths of a second

/** The index of each pixel in the palette. */
function indicesOf({ channels, pixels }: Picture): Uint8Array {
  if (channels === 1) return pixels;
  const level = (value: number, c: number) => Math.round((value * (LEVELS[c] - 1)) / 255);
  return Uint8Array.from({ length: pixels.length / 3 }, (_, i) =>
    LEVELS.reduce((index, count, c) => index * count + level(pixels[3 * i + c], c), 0),
  );
}

/**
 * Encodes frames of one size, all of one channel or all of three.
 * @throws {ShapeError} for frames of different sizes or channels, or with alpha.
 * @throws {ValueError} for no frames, or for a delay outside 20 milliseconds to 655 seconds.
 */
export function encodeGif(frames: readonly Picture[], options: GifOptions = {}): Uint8Array {
  const { delay, lastDelay, loop } = withDefaults('GIF', options, { delay: 80, lastDelay: 1500, loop: true });
  const first = frames[0];
  if (!first) throw new ValueError('GIF: expected at least one frame, got none');
  for (const [name, value] of Object.entries({ delay, lastDelay })) {
    if (!(value >= 20 && value <= LONGEST)) {
      throw new ValueError(`GIF: expected ${name} between 20 and ${LONGEST} ms, got ${value}`);
    }
  }
  const { width, height, channels } = first;
  if (channels === 4) throw new ShapeError('GIF: expected frames of 1 or 3 channels, got 4');
  if (width > 0xffff || height > 0xffff) {
    throw new ShapeError(`GIF: expected at most 65535 pixels a side, got ${width}x${height}`);
  }
  const stream = makeStream();
  for (const [i, frame] of frames.entries()) {
    if (frame.width !== width || frame.height !== height || frame.channels !== channels) {
      const got = `${frame.width}x${frame.height}x${frame.channels}`;
      throw new ShapeError(
        `GIF: expected frames of ${width}x${height}x${channels}, got ${got} as frame ${i}`,
      );
    }
    stream.writeFrame(indicesOf(frame), width, height, {
      delay: i === frames.length - 1 ? lastDelay : delay,
      ...(i === 0 ? { palette: channels === 1 ? GREYS : COLOURS, repeat: loop ? 0 : -1 } : {}),
    });
  }
  stream.finish();
  return stream.bytes();
}
