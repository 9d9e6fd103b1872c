/** Plain statistics of pictures against closed forms of rectangles and dots. */
import * as assert from 'uvu/assert';
import { ShapeError } from '../src/errors.ts';
import { pictureStatistics, STATISTICS } from '../src/models/evaluation/picture-statistics.ts';
import { close, refused, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

const SHAPE = { height: 28, width: 28, channels: 1 };

/** The statistics of one picture by name. */
function of(images: Uint8Array, shape = SHAPE): Record<string, number> {
  const values = pictureStatistics(images, shape);
  return Object.fromEntries(STATISTICS.map((name, i) => [name, values[i]]));
}

/** A picture with rectangles [left, top, width, height, grey]. */
function drawn(...rectangles: readonly (readonly number[])[]): Uint8Array {
  const picture = new Uint8Array(28 * 28);
  for (const [left, top, width, height, grey] of rectangles) {
    for (let y = top; y < top + height; y++) picture.fill(grey, y * 28 + left, y * 28 + left + width);
  }
  return picture;
}

suite('picture-statistics', (test) => {
  test('a rectangle has the box, centre, moments and edges of its closed form', () => {
    const [w, h] = [4, 10];
    const s = of(drawn([3, 12, w, h, 255]));
    assert.equal([s.left, s.top, s.width, s.height, s.longer], [3, 12, w, h, h]);
    assert.equal([s.left64, s.top64, s.width64, s.height64, s.longer64], [3, 12, w, h, h]);
    // The rectangle's middle is at 4.5 and 16.5, the picture's at 13.5.
    close([s.centreX, s.centreY, s.offCentre], [-9, 3, Math.sqrt(90)], 1e-12, 'centre');
    const moments = [s.momentXX, s.momentYY, s.momentXY];
    close(moments, [(w * w - 1) / 12, (h * h - 1) / 12, 0], 1e-10, 'second moments');
    close([s.ink, s.grey255, s.grey0], [40 / 784, 40 / 784, 744 / 784], 1e-12, 'greys');
    // Its outline has 2·(4 + 10) sides; the Laplacian is 1 outside of each, -1 within, and -2 in the corners.
    const roughness = 28 * 1 + (2 * (w - 2) + 2 * (h - 2)) * 1 + 4 * 4;
    close([s.edges, s.roughness], [28 / 784, roughness / (26 * 26)], 1e-12, 'edges');
    assert.equal([s.border, s.specks, s.specks64], [0, 0, 0]);
    // The frame is 4 pixels wide; one column of the rectangle lies in it.
    close([s.frame], [h / (784 - 400)], 1e-12, 'frame');
  });

  test('a diagonal pair has a mixed moment, and its weights are the greys', () => {
    const s = of(drawn([0, 0, 1, 1, 200], [10, 20, 1, 1, 100]));
    close([s.centreX, s.centreY], [10 / 3 - 13.5, 20 / 3 - 13.5], 1e-12, 'centre');
    const variance = (2 / 3) * (1 / 3);
    const moments = [s.momentXX, s.momentYY, s.momentXY];
    close(moments, [100 * variance, 400 * variance, 200 * variance], 1e-10, 'moments');
    close([s.border], [200 / 255 / (784 - 26 * 26)], 1e-12, 'border');
  });

  test("grey levels fall into bins, MNIST's spikes into their own, and all shares sum to 1", () => {
    const greys = [0, 1, 3, 4, 31, 32, 95, 96, 159, 160, 223, 224, 252, 253, 254, 255];
    const values = pictureStatistics(Uint8Array.from(greys), { height: 4, width: 4, channels: 1 });
    close(
      values.subarray(0, 10),
      [1, 2, 2, 2, 2, 2, 2, 1, 1, 1].map((n) => n / 16),
      1e-12,
      'bins',
    );
    assert.equal(STATISTICS.slice(0, 4), ['grey0', 'grey1-3', 'grey4-31', 'grey32-95']);
    const any = Uint8Array.from(uniforms('greys', 784, 0, 256));
    const sum = pictureStatistics(any, SHAPE)
      .subarray(0, 10)
      .reduce((a, b) => a + b);
    close([sum], [1], 1e-12, 'sum');
  });

  test('a speck has no neighbour of its level, not even across a corner; faint ground changes only the lower level', () => {
    const dots = drawn(
      [0, 0, 1, 1, 255],
      [5, 5, 1, 1, 80],
      [9, 9, 1, 1, 80],
      [10, 10, 1, 1, 80],
      [27, 3, 1, 1, 9],
    );
    assert.equal([of(dots).specks, of(dots).specks64], [3, 2]);
    const ground = dots.map((grey) => Math.max(grey, 2));
    const s = of(ground);
    assert.equal([s.specks, s.specks64], [0, 2]);
    assert.equal([s.longer, s.longer64], [28, 11]);
  });

  test('an empty picture has no box, no mass and no moments, and nothing is NaN', () => {
    const s = of(new Uint8Array(784));
    const { grey0, ...others } = s;
    assert.is(grey0, 1);
    assert.ok(Object.values(others).every((value) => value === 0));
  });

  test('channels are averaged, pictures stay apart, and parts of a picture are refused', () => {
    const grey = drawn([3, 12, 4, 10, 100]);
    const rgb = Uint8Array.from({ length: 784 * 3 }, (_, i) => {
      const value = grey[Math.floor(i / 3)];
      return i % 3 === 0 ? value * 0.5 : i % 3 === 1 ? value : value * 1.5;
    });
    assert.equal(of(rgb, { ...SHAPE, channels: 3 }), of(grey));
    const both = pictureStatistics(Uint8Array.from([...grey, ...drawn([0, 0, 2, 2, 9])]), SHAPE);
    assert.equal(both.subarray(0, STATISTICS.length), pictureStatistics(grey, SHAPE));
    refused(
      () => pictureStatistics(grey.subarray(1), SHAPE),
      ShapeError,
      /expected pictures of 784 numbers, got 783/,
    );
  });
});
