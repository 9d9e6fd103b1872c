/** Folders of PNG files, as people have them: classes in subfolders, mixed sizes, and files that are no pictures. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { encodePng, type Picture } from '../src/image/png.ts';

/** A disc on a dark ground. Its place and, in colour, its hue depend on i. */
export function disc(i: number, width: number, height: number, channels: 1 | 3 | 4 = 1): Picture {
  const pixels = new Uint8Array(width * height * channels).fill(20);
  const [x0, y0] = [(0.3 + 0.4 * ((i * 7) % 11) * 0.1) * width, (0.3 + 0.4 * ((i * 5) % 11) * 0.1) * height];
  const radius = Math.min(width, height) / 4;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels;
      if (channels === 4) pixels[at + 3] = 255;
      if ((x - x0) ** 2 + (y - y0) ** 2 > radius ** 2) continue;
      for (let c = 0; c < Math.min(3, channels); c++) pixels[at + c] = 250 - 60 * ((c + i) % 3);
    }
  }
  return { width, height, channels, pixels };
}

/** A PNG file whose header names this size. Its one row is far too short. */
export function hugePng(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const bytes = Buffer.alloc(12 + data.length);
    bytes.writeUInt32BE(data.length, 0);
    bytes.write(type, 4, 'latin1');
    bytes.set(data, 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
    return bytes;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = deflateSync(new Uint8Array(1000));
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Writes `count` pictures of each class to subfolders of `folder`. */
export function writeClasses(
  folder: string,
  classes: readonly string[],
  count: number,
  draw: (i: number, label: number) => Picture,
): void {
  for (const [label, name] of classes.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      writeFileSync(join(folder, name, `${i}.png`), encodePng(draw(i, label)));
    }
  }
}

/** The sizes of the hostile folder's pictures, as width and height. */
export const MIXED_SIZES = [
  [28, 28],
  [32, 20],
  [9, 40],
  [1, 1],
  [100, 60],
] as const;

/**
 * A folder `mixed` of 200 PNG files in three classes, of mixed sizes. One is cut, one is empty, one is a text, one names
 * 20,000 x 20,000 pixels, and one picture has another ending. 196 are whole.
 */
export function hostileFolder(parent: string): string {
  const folder = join(parent, 'mixed');
  const classes = ['cats', 'dogs', 'eels'];
  writeClasses(folder, classes, 66, (i, label) => {
    const [width, height] = MIXED_SIZES[(i + label) % MIXED_SIZES.length];
    return disc(i + label, width, height);
  });
  const write = (name: string, bytes: Uint8Array | string) => writeFileSync(join(folder, name), bytes);
  const whole = encodePng(disc(1, 28, 28));
  write('cats/66.png', whole);
  write('dogs/66.png', whole);
  write('cats/0.png', whole.subarray(0, whole.length / 2));
  write('dogs/0.png', '');
  write('eels/0.png', 'a text, and no picture');
  write('eels/1.png', hugePng(20_000, 20_000));
  write('eels/drawing.jpg', whole);
  write('.hidden', 'x');
  return folder;
}
