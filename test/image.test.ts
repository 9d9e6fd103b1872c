/**
 * Pictures. PNG is compared with the bytes of the format (chunks and inflated rows), grids with the expected position
 * of every pixel, and GIF with a separate reader of its blocks and LZW codes.
 */
import { deflateSync, inflateSync, crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { FormatError, ShapeError, ValueError } from '../src/errors.ts';
import { drawText, LINE_HEIGHT, textWidth } from '../src/image/font.ts';
import { encodeGif } from '../src/image/gif.ts';
import { cellsOf, pictureGrid, pictureGridFromBatch } from '../src/image/grid.ts';
import { decodePng, encodePng, type Picture } from '../src/image/png.ts';
import { suite } from './suite.ts';

function throws(body: () => unknown, kind: new (message: string) => Error, message: RegExp): void {
  assert.throws(body, (error: Error) => error instanceof kind && message.test(error.message));
}

// ---- PNG, built byte by byte

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

function chunk(type: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE(zlibCrc32(body));
  return Buffer.concat([length, body, crc]);
}

function header(width: number, height: number, depth = 8, colour = 0, interlace = 0): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, 0, 0, interlace], 8);
  return chunk('IHDR', data);
}

/** A complete PNG file. `rows` are the scanlines, each with its filter byte. */
function png(head: Buffer, rows: readonly number[], ...before: Buffer[]): Uint8Array {
  return Buffer.concat([
    SIGNATURE,
    head,
    ...before,
    chunk('IDAT', deflateSync(Uint8Array.from(rows))),
    chunk('IEND'),
  ]);
}

const picture = (width: number, height: number, channels: 1 | 3 | 4 = 1): Picture => ({
  width,
  height,
  channels,
  pixels: Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + 11) % 256),
});

suite('png', (test) => {
  test('a picture decoded again is the same picture', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(1 as const, 3 as const, 4 as const),
        (width, height, channels) => {
          const before = picture(width, height, channels);
          const after = decodePng(encodePng(before));
          assert.equal(after, before);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  test('the file has the header and the rows of the format', () => {
    const { pixels } = picture(5, 3);
    const bytes = Buffer.from(encodePng(picture(5, 3)));
    assert.equal(
      new Uint8Array(bytes.subarray(0, 33)),
      new Uint8Array(Buffer.concat([SIGNATURE, header(5, 3)])),
    );
    const length = bytes.readUInt32BE(33);
    assert.is(bytes.toString('latin1', 37, 41), 'IDAT');
    const rows = inflateSync(bytes.subarray(41, 41 + length));
    const wanted = [0, 1, 2].flatMap((y) => [0, ...pixels.subarray(5 * y, 5 * y + 5)]);
    assert.equal([...rows], wanted);
    assert.equal(new Uint8Array(bytes.subarray(41 + length + 4)), new Uint8Array(chunk('IEND')));
  });

  test('bytes that begin inside a larger buffer decode too', () => {
    const bytes = encodePng(picture(4, 4));
    const larger = new Uint8Array(bytes.length + 20).fill(7);
    larger.set(bytes, 13);
    assert.equal(decodePng(larger.subarray(13, 13 + bytes.length)), picture(4, 4));
  });

  test('palettes, 16 bits, 1 bit and grey with alpha become pictures', () => {
    const palette = chunk('PLTE', Uint8Array.of(1, 2, 3, 40, 50, 60));
    assert.equal(decodePng(png(header(2, 1, 8, 3), [0, 1, 0], palette)), {
      width: 2,
      height: 1,
      channels: 3,
      pixels: Uint8Array.of(40, 50, 60, 1, 2, 3),
    });
    const transparent = chunk('tRNS', Uint8Array.of(9));
    assert.equal(
      [...decodePng(png(header(2, 1, 8, 3), [0, 1, 0], palette, transparent)).pixels],
      [40, 50, 60, 255, 1, 2, 3, 9],
    );
    assert.equal([...decodePng(png(header(2, 1, 16), [0, 0x12, 0x34, 0xff, 0])).pixels], [0x12, 0xff]);
    assert.equal(
      [...decodePng(png(header(3, 2, 1), [0, 0b101_00000, 0, 0b010_00000])).pixels],
      [255, 0, 255, 0, 255, 0],
    );
    assert.equal([...decodePng(png(header(2, 1, 4), [0, 0x3f])).pixels], [51, 255]);
    assert.equal([...decodePng(png(header(2, 1, 8, 4), [0, 7, 8, 9, 10])).pixels], [7, 7, 7, 8, 9, 9, 9, 10]);
    // in a truecolour file a palette is only a suggestion: pixels are not indices
    assert.equal([...decodePng(png(header(1, 1, 8, 2), [0, 7, 8, 9], palette)).pixels], [7, 8, 9]);
  });

  test('a flipped bit anywhere in the file is a FormatError', () => {
    const bytes = encodePng(picture(6, 5));
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i]! ^= 1 << (i % 8);
      assert.throws(
        () => decodePng(damaged),
        (error: Error) => error instanceof FormatError,
        `byte ${i}`,
      );
    }
  });

  test('a file cut anywhere is a FormatError', () => {
    const bytes = encodePng(picture(6, 5));
    for (let length = 0; length < bytes.length; length++) {
      throws(() => decodePng(bytes.subarray(0, length)), FormatError, /signature|truncated/);
    }
  });

  test('a header with too large sizes is refused before anything is allocated', () => {
    throws(
      () => decodePng(png(header(0x7fffffff, 0x7fffffff), [0])),
      FormatError,
      /got 2147483647x2147483647/,
    );
    throws(() => decodePng(png(header(4097, 4096), [0])), FormatError, /1 to 16777216 pixels, got 4097x4096/);
    throws(() => decodePng(png(header(0, 5), [0])), FormatError, /got 0x5/);
    throws(
      () => decodePng(encodePng(picture(3, 3)), { maxPixels: 8 }),
      FormatError,
      /1 to 8 pixels, got 3x3/,
    );
    const second = header(0x7fffffff, 1);
    throws(
      () => decodePng(png(header(1, 1), [0, 0], second)),
      FormatError,
      /one PNG header at the start, got IHDR as chunk 1/,
    );
    throws(() => decodePng(Buffer.concat([SIGNATURE, chunk('IEND')])), FormatError, /got IEND as chunk 0/);
  });

  test('rows that inflate to more than the header allows are refused early', () => {
    // The stream is damaged after 16 KiB. A decoder that inflates more of it reports the damage.
    const stream = deflateSync(Buffer.alloc(2 ** 26)).subarray(0, 2 ** 14);
    const rows = chunk('IDAT', Buffer.concat([stream, Buffer.alloc(100, 0xff)]));
    const bomb = (head: Buffer) => Buffer.concat([SIGNATURE, head, rows, chunk('IEND')]);
    const refused = (head: Buffer, message: RegExp) =>
      throws(() => decodePng(bomb(head)), FormatError, message);
    refused(header(1, 1), /^PNG: expected 2 bytes of rows, got more$/);
    refused(header(3, 2, 16, 6), /expected 50 bytes of rows/);
    refused(header(9, 2, 1), /expected 6 bytes of rows/);
    // Adam7 divides 3x2 pixels into three passes of one pixel and one of 3x1.
    refused(header(3, 2, 8, 2, 1), /expected 22 bytes of rows/);
  });

  test('compressed chunks that a picture does not need are not inflated', () => {
    const damaged = Buffer.concat([Buffer.from('name\0\0', 'latin1'), Buffer.from('no zlib stream')]);
    const extra = ['iCCP', 'zTXt', 'iTXt'].map((type) => chunk(type, damaged));
    assert.equal([...decodePng(png(header(2, 1), [0, 7, 9], ...extra)).pixels], [7, 9]);
  });

  test('a file that cannot be read correctly is refused with its name', () => {
    throws(
      () => decodePng(png(header(9, 9, 1, 0, 1), [0])),
      FormatError,
      /at least 8 bits in an interlaced PNG, got 1/,
    );
    throws(() => decodePng(png(header(2, 2, 8, 0), [0, 1, 2])), FormatError, /undamaged PNG/);
    throws(() => decodePng(png(header(2, 1, 8, 3), [0, 0, 0])), FormatError, /undamaged|palette/i);
    throws(
      () => decodePng(png(header(2, 1, 8, 3), [0, 5, 0], chunk('PLTE', Uint8Array.of(1, 2, 3)))),
      FormatError,
      /palette/,
    );
    throws(
      () => decodePng(Buffer.from('not a picture'), { name: 'cat.png' }),
      FormatError,
      /^cat\.png: expected a PNG/,
    );
  });

  test('a picture whose size and data do not fit is refused', () => {
    throws(() => encodePng({ ...picture(3, 2), width: 4 }), ShapeError, /expected 8 bytes for 4x2x1, got 6/);
    throws(() => encodePng({ ...picture(1, 1), width: 0 }), ShapeError, /got 0x1/);
    throws(() => encodePng({ ...picture(1, 2), channels: 2 as 1 }), ValueError, /1, 3 or 4 channels, got 2/);
  });
});

const at = (p: Picture, x: number, y: number) => p.pixels[y * p.width + x]!;

suite('grid', (test) => {
  test('every pixel is a sharp square at its place, and the rest is background', () => {
    const cell = (first: number) => Uint8Array.from({ length: 6 }, (_, i) => first + i);
    const options = { height: 2, width: 3, scale: 4, gutter: 3, margin: 5 };
    const drawn = pictureGrid([[cell(10), cell(20)], [cell(30)]], options);
    assert.is(drawn.width, 5 + 12 + 3 + 12 + 5);
    assert.is(drawn.height, 5 + 8 + 3 + 8 + 5);
    const wanted = new Uint8Array(drawn.pixels.length).fill(255);
    for (const [column, row, first] of [
      [0, 0, 10],
      [1, 0, 20],
      [0, 1, 30],
    ] as const) {
      for (let y = 0; y < 8; y++) {
        for (let x = 0; x < 12; x++) {
          const value = first + Math.floor(y / 4) * 3 + Math.floor(x / 4);
          wanted[(5 + row * 11 + y) * drawn.width + 5 + column * 15 + x] = value;
        }
      }
    }
    assert.equal(drawn.pixels, wanted);
  });

  test('floats run from black to white and are clamped', () => {
    const drawn = pictureGrid([[Float32Array.of(-1, 0, 0.5, 1, 7)]], {
      height: 1,
      width: 5,
      scale: 1,
      margin: 0,
    });
    assert.equal([...drawn.pixels], [0, 0, 128, 255, 255]);
  });

  test('labels do not touch the cells or each other', () => {
    const black = new Uint8Array(28 * 28);
    const options = { height: 28, width: 28, scale: 1, margin: 4, gutter: 2 };
    const labels = {
      rowLabels: ['original', 'noisy'],
      columnLabels: ['a long label', 'another one', 'c'],
      title: 'Title',
    };
    const drawn = pictureGrid(
      [
        [black, black, black],
        [black, black, black],
      ],
      { ...options, ...labels },
    );
    // only the cells are black; ink is lighter
    const isCell = (x: number, y: number) => at(drawn, x, y) === 0;
    const columns = Array.from(
      { length: drawn.width },
      (_, x) => Array.from({ length: drawn.height }, (_, y) => isCell(x, y)).filter(Boolean).length,
    );
    assert.is(columns.filter((n) => n > 0).length, 3 * 28, 'three columns of cells');
    const rows = Array.from(
      { length: drawn.height },
      (_, y) => Array.from({ length: drawn.width }, (_, x) => isCell(x, y)).filter(Boolean).length,
    );
    assert.is(rows.filter((n) => n === 3 * 28).length, 2 * 28, 'no ink runs into a cell');
    const left = columns.findIndex((n) => n > 0);
    const top = rows.findIndex((n) => n > 0);
    const inked = (x0: number, x1: number, y0: number, y1: number) => {
      let count = 0;
      for (let y = y0; y < y1; y++)
        for (let x = x0; x < x1; x++) if (at(drawn, x, y) < 128 && !isCell(x, y)) count++;
      return count;
    };
    assert.ok(inked(4, left - 4, top, top + 28) > 40, 'first row label');
    assert.ok(inked(4, left - 4, top + 30, top + 58) > 30, 'second row label');
    assert.ok(inked(4, drawn.width - 4, top - 19, top - 2) > 100, 'column labels');
    assert.is(
      inked(0, 3, 0, drawn.height) + inked(drawn.width - 3, drawn.width, 0, drawn.height),
      0,
      'margins are free',
    );
    const pitch = columns.findIndex((n, x) => n > 0 && x > left + 28) - left;
    assert.ok(
      pitch >= (textWidth('a long label') + textWidth('another one')) / 2,
      'columns make room for labels',
    );
  });

  test('captions are below their cells, and columns are wider if captions need it', () => {
    const black = new Uint8Array(100);
    const options = { height: 10, width: 10, scale: 1, margin: 4, gutter: 2 };
    const rows = [[black, black], [black]];
    const drawn = pictureGrid(rows, { ...options, captions: [['4 as 9', '1 as 7'], ['8 as 3']] });
    const pitch = textWidth('4 as 9') + 12;
    // A gap of 2 and a line of 16 below each row of cells.
    const below = 18;
    assert.is(drawn.height - pictureGrid(rows, options).height, 2 * below);
    const left = Math.ceil((textWidth('4 as 9') - 10) / 2) + 4;
    const cellAt = (x: number, y: number) => at(drawn, x, y) === 0 && at(drawn, x + 9, y + 9) === 0;
    assert.ok(cellAt(left, 4) && cellAt(left + pitch, 4) && cellAt(left, 4 + 12 + below), 'cells');
    const ink = (x: number, y: number, width: number, height: number) => {
      let count = 0;
      for (let i = 0; i < width * height; i++) {
        if (at(drawn, x + (i % width), y + Math.floor(i / width)) < 128) count++;
      }
      return count;
    };
    for (const [x, y] of [
      [0, 0],
      [1, 0],
      [0, 1],
    ]) {
      const top = 4 + y * (12 + below) + 10;
      assert.ok(ink(left + x * pitch - 12, top + 1, 34, below - 1) > 20, `caption ${x}, ${y}`);
    }
    assert.is(ink(left + pitch - 12, 4 + 12 + below, 34, 10 + below), 0, 'no caption without a cell');
  });

  test('a grid in colour has the grey grid of each channel, with grey labels', () => {
    const cells = [0, 1].map((n) => Uint8Array.from({ length: 12 }, (_, i) => (n * 50 + i * 17) % 256));
    const options = { height: 2, width: 2, scale: 3, rowLabels: ['a'], title: 'colours' };
    const found = pictureGrid([cells], { ...options, channels: 3 });
    assert.is(found.channels, 3);
    for (let c = 0; c < 3; c++) {
      const plane = pictureGrid([cells.map((cell) => cell.filter((_, i) => i % 3 === c))], options);
      assert.equal([found.width, found.height], [plane.width, plane.height]);
      assert.equal(
        found.pixels.filter((_, i) => i % 3 === c),
        plane.pixels,
      );
    }
    const batch = Uint8Array.from(cells.flatMap((cell) => [...cell]));
    assert.equal(cellsOf(batch, { height: 2, width: 2, channels: 3 }), cells);
    const size = { height: 2, width: 2, channels: 3 };
    assert.equal(pictureGridFromBatch(batch, { ...size, columns: 2 }), pictureGrid([cells], size));
    throws(() => pictureGrid([[[1, 2, 3, 4]]], size), ShapeError, /2x2x3 values in row 0, column 0, got 4/);
    throws(() => pictureGrid([cells], { ...size, channels: 2 }), ValueError, /1 or 3 channels, got 2/);
    throws(() => cellsOf([1, 2, 3], size), ShapeError, /pictures of 2x2x3, got 3 values/);
  });

  test('a batch fills rows in order, and the last may be short', () => {
    const data = Float32Array.from({ length: 5 * 4 }, (_, i) => Math.floor(i / 4) / 10);
    const drawn = pictureGridFromBatch(data, {
      height: 2,
      width: 2,
      scale: 1,
      gutter: 1,
      margin: 0,
      columns: 3,
    });
    assert.is(drawn.width, 8);
    assert.is(drawn.height, 5);
    const corners = [0, 3].flatMap((y) => [0, 3, 6].map((x) => at(drawn, x, y)));
    assert.equal(corners, [0, 26, 51, 77, 102, 255]);
    const square = pictureGridFromBatch(data, {
      height: 2,
      width: 2,
      count: 4,
      scale: 1,
      gutter: 0,
      margin: 0,
    });
    assert.equal([square.width, square.height], [4, 4]);
    assert.equal(cellsOf([1, 2, 3, 4], { height: 1, width: 2 }), [
      [1, 2],
      [3, 4],
    ]);
  });

  test('in both themes ink and background differ clearly', () => {
    for (const theme of ['light', 'dark'] as const) {
      const drawn = pictureGrid([[Float32Array.of(0)]], {
        height: 1,
        width: 1,
        scale: 20,
        rowLabels: ['Hill'],
        theme,
      });
      const ground = at(drawn, 0, 0);
      const contrast = Math.max(
        ...Array.from(drawn.pixels.subarray(0, drawn.width * drawn.height), (v, i) =>
          i % drawn.width < 12 + textWidth('Hill') ? Math.abs(v - ground) : 0,
        ),
      );
      assert.ok(contrast > 150, `${theme}: ${contrast}`);
    }
  });

  test('a picture that cannot be drawn is refused, with its position', () => {
    const o = { height: 2, width: 2 };
    const cell = [0, 0, 0, 0];
    throws(() => pictureGrid([], o), ValueError, /at least one picture, got none/);
    throws(() => pictureGrid([[]], o), ValueError, /at least one picture, got none/);
    throws(() => pictureGrid([[cell, [0, 0, 0]]], o), ShapeError, /2x2 values in row 0, column 1, got 3/);
    throws(
      () => pictureGrid([[cell], [[0, Number.NaN, 0, 0]]], o),
      ValueError,
      /finite values, got NaN in row 1, column 0/,
    );
    throws(
      () => pictureGrid([[cell]], { ...o, scale: 1.5 }),
      ValueError,
      /whole scale of at least 1, got 1.5/,
    );
    throws(() => pictureGrid([[cell]], { ...o, height: -2 }), ValueError, /whole height/);
    throws(() => pictureGrid([[cell]], { ...o, rowLabels: ['a', 'b'] }), ShapeError, /1 row labels, got 2/);
    throws(
      () => pictureGrid([[cell]], { ...o, columnLabels: ['a', 'b'] }),
      ShapeError,
      /1 column labels, got 2/,
    );
    throws(
      () => pictureGrid([[cell]], { ...o, theme: 'pink' as 'dark' }),
      ValueError,
      /"light" or "dark", got "pink"/,
    );
    throws(
      () => pictureGridFromBatch([1, 2, 3], { ...o, count: 1 }),
      ShapeError,
      /1 pictures of 2x2, got 3 values/,
    );
    throws(
      () => pictureGridFromBatch([1, 2, 3, 4, 5], o),
      ShapeError,
      /whole number of pictures of 2x2, got 5/,
    );
    throws(() => pictureGridFromBatch(cell, { ...o, columns: 0 }), ValueError, /at least 1 column, got 0/);
  });
});

function draw(text: string, size: number): { pixels: Uint8Array; stride: number } {
  const stride = textWidth(text, size) + 20;
  const pixels = new Uint8Array(stride * (LINE_HEIGHT * size + 20)).fill(255);
  drawText(pixels, stride, text, 10, 10, 0, size);
  return { pixels, stride };
}

suite('font', (test) => {
  const ascii = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));

  test('every sign of ASCII has a shape of its own', () => {
    const shapes = new Map([['box', String(draw('\u0007', 1).pixels)]]);
    for (const char of ascii) shapes.set(char, String(draw(char, 1).pixels));
    // 'I' and 'l' have the same shape in a sans-serif typeface; '|' differs only in height
    assert.is(new Set(shapes.values()).size, shapes.size - 1);
    assert.is(shapes.get('I'), shapes.get('l'));
  });

  test('no ink is outside the stated width and line height', () => {
    for (const size of [1, 2, 3]) {
      for (const text of [...ascii, 'jÿ|', 'sigma = 0.5, guidance [3]']) {
        const { pixels, stride } = draw(text, size);
        pixels.forEach((value, i) => {
          const [x, y] = [(i % stride) - 10, Math.floor(i / stride) - 10];
          const inside = x >= 0 && x < textWidth(text, size) && y >= 0 && y < LINE_HEIGHT * size;
          if (!inside && value !== 255) assert.unreachable(`${text} at size ${size}: ink at ${x}, ${y}`);
        });
      }
    }
  });

  test('stems are sharp: full ink in the middle, almost none beside it', () => {
    const { pixels, stride } = draw('l', 1);
    const row = [...pixels.subarray(stride * 16, stride * 17)];
    assert.is(row.filter((v) => v === 0).length, 1);
    assert.is(row.filter((v) => v < 200).length, 1);
  });

  test('text beyond the edge is cut, not wrapped', () => {
    const whole = new Uint8Array(60 * 40).fill(255);
    drawText(whole, 60, 'MgM', 10, 10, 0);
    const cut = (left: number, top: number) =>
      Array.from({ length: 100 }, (_, i) => whole[(top + Math.floor(i / 10)) * 60 + left + (i % 10)]!);
    for (const [left, top] of [
      [14, 15],
      [5, 6],
      [30, 20],
    ] as const) {
      const small = new Uint8Array(10 * 10).fill(255);
      drawText(small, 10, 'MgM', 10 - left, 10 - top, 0);
      assert.equal([...small], cut(left, top));
      assert.ok(small.some((value) => value < 128));
    }
  });
});

// ---- GIF, read block by block

interface GifFrame {
  delay: number;
  width: number;
  height: number;
  indices: number[];
}

function readGif(bytes: Uint8Array): {
  width: number;
  height: number;
  loops: number | undefined;
  greys: number[];
  palette: number[][];
  frames: GifFrame[];
} {
  const file = Buffer.from(bytes);
  assert.is(file.toString('latin1', 0, 6), 'GIF89a');
  const flags = file[10]!;
  assert.ok(flags & 0x80, 'a global colour table');
  const colours = 2 << (flags & 7);
  const palette = Array.from({ length: colours }, (_, i) => [...file.subarray(13 + 3 * i, 16 + 3 * i)]);
  const greys = palette.flatMap(([r, g, b]) => (r === g && g === b ? [r!] : []));
  const frames: GifFrame[] = [];
  let loops: number | undefined;
  let delay = 0;
  let p = 13 + 3 * colours;
  const subBlocks = () => {
    const parts: Buffer[] = [];
    for (let n = file[p++]!; n > 0; n = file[p++]!) {
      parts.push(file.subarray(p, p + n));
      p += n;
    }
    return Buffer.concat(parts);
  };
  for (;;) {
    const kind = file[p++];
    if (kind === 0x3b) break;
    if (kind === 0x21) {
      const label = file[p++];
      const data = subBlocks();
      if (label === 0xf9) delay = data.readUInt16LE(1);
      if (label === 0xff && data.toString('latin1', 0, 11) === 'NETSCAPE2.0') loops = data.readUInt16LE(12);
      continue;
    }
    assert.is(kind, 0x2c, 'an image block');
    assert.is(file[p + 8]! & 0x80, 0, 'no palette of its own');
    const [width, height] = [file.readUInt16LE(p + 4), file.readUInt16LE(p + 6)];
    p += 9;
    const codeSize = file[p++]!;
    frames.push({ delay, width, height, indices: unpack(subBlocks(), codeSize) });
  }
  assert.is(p, file.length, 'nothing after the trailer');
  return { width: file.readUInt16LE(6), height: file.readUInt16LE(8), loops, greys, palette, frames };
}

/** LZW as in GIF: codes of growing width, least significant bit first. */
function unpack(data: Uint8Array, codeSize: number): number[] {
  const [clear, end] = [1 << codeSize, (1 << codeSize) + 1];
  let table: number[][] = [];
  let width = 0;
  let previous: number[] | undefined;
  const out: number[] = [];
  for (let bit = 0; ; ) {
    if (width === 0) width = codeSize + 1;
    let code = 0;
    for (let i = 0; i < width; i++, bit++) code |= ((data[bit >> 3]! >> (bit & 7)) & 1) << i;
    if (code === end) return out;
    if (code === clear) {
      table = Array.from({ length: end + 1 }, (_, i) => (i < clear ? [i] : []));
      width = codeSize + 1;
      previous = undefined;
      continue;
    }
    const entry = code < table.length ? table[code]! : [...previous!, previous![0]!];
    out.push(...entry);
    if (previous && table.length < 4096) table.push([...previous, entry[0]!]);
    if (table.length === 1 << width && width < 12) width++;
    previous = entry;
  }
}

suite('gif', (test) => {
  const noise = (shift: number): Picture => ({
    width: 90,
    height: 70,
    channels: 1,
    pixels: Uint8Array.from(
      { length: 6300 },
      (_, i) => (Math.imul(i + shift * 7919, 2654435761) >>> 24) & 255,
    ),
  });

  test('every frame is read back pixel by pixel, also with a full code table', () => {
    const frames = [noise(1), picture(90, 70), noise(2)];
    const read = readGif(encodeGif(frames));
    assert.equal([read.width, read.height, read.frames.length], [90, 70, 3]);
    assert.equal(
      read.greys,
      Array.from({ length: 256 }, (_, i) => i),
    );
    for (const [i, frame] of read.frames.entries()) {
      assert.equal([frame.width, frame.height], [90, 70]);
      assert.equal(Uint8Array.from(frame.indices), frames[i]!.pixels, `frame ${i}`);
    }
  });

  test('a colour is at most half a level from the pixel, in each of red, green and blue', () => {
    const frame = picture(40, 30, 3);
    const { palette, frames } = readGif(encodeGif([frame, frame]));
    const half = [5, 6, 5].map((steps) => 255 / steps / 2 + 0.5);
    for (const { indices } of frames) {
      for (const [i, index] of indices.entries()) {
        for (let c = 0; c < 3; c++) {
          const [given, shown] = [frame.pixels[3 * i + c]!, palette[index]![c]!];
          assert.ok(Math.abs(given - shown) <= half[c]!, `${given} is shown as ${shown}`);
        }
      }
    }
    const ends: Picture = { width: 2, height: 1, channels: 3, pixels: Uint8Array.of(0, 0, 0, 255, 255, 255) };
    const read = readGif(encodeGif([ends]));
    assert.equal(
      read.frames[0]!.indices.map((i) => read.palette[i]),
      [
        [0, 0, 0],
        [255, 255, 255],
      ],
    );
  });

  test('the last frame stays longer, and loop says whether it begins again', () => {
    const frames = [picture(4, 4), picture(4, 4), picture(4, 4)];
    const read = readGif(encodeGif(frames, { delay: 50, lastDelay: 2000 }));
    assert.equal(
      read.frames.map((f) => f.delay),
      [5, 5, 200],
    );
    assert.is(read.loops, 0, 'for ever');
    assert.is(readGif(encodeGif(frames, { loop: false })).loops, undefined);
  });

  test('frames that do not fit together and odd delays are refused', () => {
    throws(() => encodeGif([]), ValueError, /at least one frame, got none/);
    throws(
      () => encodeGif([picture(4, 4), picture(4, 5)]),
      ShapeError,
      /frames of 4x4x1, got 4x5x1 as frame 1/,
    );
    throws(
      () => encodeGif([picture(4, 4), picture(4, 4, 3)]),
      ShapeError,
      /frames of 4x4x1, got 4x4x3 as frame 1/,
    );
    throws(() => encodeGif([picture(4, 4, 4)]), ShapeError, /frames of 1 or 3 channels, got 4/);
    throws(
      () => encodeGif([picture(4, 4)], { delay: 5 }),
      ValueError,
      /delay between 20 and 655350 ms, got 5/,
    );
    throws(() => encodeGif([picture(4, 4)], { lastDelay: Number.NaN }), ValueError, /lastDelay .* got NaN/);
  });
});
