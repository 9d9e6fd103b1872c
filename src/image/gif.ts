/**
 * Animations of grey pictures as GIF (GIF89a), with the package gifenc.
 *
 * A grey value is its own index into one palette of 256 greys. So no value changes. Left out on purpose: colour, and
 * frames that hold only the changed pixels.
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
const LONGEST = 655_350; // milliseconds: 16 bits of hundredths of a second

/**
 * Encodes frames of one size and one channel.
 * @throws {ShapeError} for frames of different sizes or with colour.
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
  const { width, height } = first;
  if (width > 0xffff || height > 0xffff) {
    throw new ShapeError(`GIF: expected at most 65535 pixels a side, got ${width}x${height}`);
  }
  const stream = makeStream();
  for (const [i, frame] of frames.entries()) {
    if (frame.width !== width || frame.height !== height || frame.channels !== 1) {
      const got = `${frame.width}x${frame.height}x${frame.channels}`;
      throw new ShapeError(`GIF: expected frames of ${width}x${height}x1, got ${got} as frame ${i}`);
    }
    stream.writeFrame(frame.pixels, width, height, {
      delay: i === frames.length - 1 ? lastDelay : delay,
      ...(i === 0 ? { palette: GREYS, repeat: loop ? 0 : -1 } : {}),
    });
  }
  stream.finish();
  return stream.bytes();
}
