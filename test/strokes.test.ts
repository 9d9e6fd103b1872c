/**
 * The synthetic digits: the same bytes for the same (seed, index), MNIST's geometry, and attributes that can be
 * measured from the pixels. A nearest-neighbour classifier tests whether the digits can be read (also with real MNIST,
 * if `LANGEVIN_MNIST` names its folder). Bounds follow from measurements; the measured number is beside each bound.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { glyphs } from '../src/data/glyphs.ts';
import { caption, type StrokeAttributes, strokeDigit, strokeDigits } from '../src/data/strokes.ts';
import { ValueError } from '../src/errors.ts';
import { suite } from './suite.ts';

const sum = (v: ArrayLike<number>) => Array.from(v).reduce((a, b) => a + b, 0);

/** Pearson's chi-squared of `counts` against equal expectation. */
function chiSquared(counts: number[]): number {
  const expected = sum(counts) / counts.length;
  return sum(counts.map((c) => (c - expected) ** 2 / expected));
}

function correlation(a: number[], b: number[]): number {
  const [ma, mb] = [sum(a) / a.length, sum(b) / b.length];
  const cov = (x: number[], mx: number, y: number[], my: number) =>
    sum(x.map((v, i) => (v - mx) * (y[i] - my)));
  return cov(a, ma, b, mb) / Math.sqrt(cov(a, ma, a, ma) * cov(b, mb, b, mb));
}

/** Measurements on the pixels of one image: mass, its centre, shear, pen width and extent. */
function measure(pixels: Uint8Array) {
  let mass = 0;
  let mx = 0;
  let my = 0;
  let xy = 0; // second moments about the origin
  let yy = 0;
  let edge = 0;
  let left = 28;
  let right = -1;
  let top = 28;
  let bottom = -1;
  for (let i = 0; i < 784; i++) {
    const x = i % 28;
    const y = (i - x) / 28;
    const v = pixels[i];
    if (x < 27 && y < 27) edge += Math.hypot(pixels[i + 1] - v, pixels[i + 28] - v);
    if (v === 0) continue;
    mass += v;
    mx += v * x;
    my += v * y;
    xy += v * x * y;
    yy += v * y * y;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  mx /= mass;
  my /= mass;
  const shear = -(xy / mass - mx * my) / (yy / mass - my * my);
  const extent = Math.max(right - left, bottom - top) + 1;
  return { mass, mx, my, shear, width: (2 * mass) / edge, left, right, top, bottom, extent };
}

/** Rows of images blurred by (1 2 1)/4 both ways, with norm 1, so that a dot product compares two. */
function features(images: Uint8Array, count: number): Float32Array {
  const rows = new Float32Array(count * 784);
  for (let k = 0; k < count; k++) {
    const p = images.subarray(k * 784, (k + 1) * 784);
    const column = (i: number) => p[i - 28] + 2 * p[i] + p[i + 28];
    let norm2 = 0;
    for (let i = 29; i < 784 - 29; i++) {
      const v = column(i - 1) + 2 * column(i) + column(i + 1);
      rows[k * 784 + i] = v;
      norm2 += v * v;
    }
    const scale = 1 / Math.sqrt(norm2);
    for (let i = k * 784; i < (k + 1) * 784; i++) rows[i] *= scale;
  }
  return rows;
}

/** The share of queries whose nearest reference has the same label. */
function nearestNeighbour(
  references: { images: Uint8Array; labels: Uint8Array },
  queries: { images: Uint8Array; labels: Uint8Array },
): number {
  const known = features(references.images, references.labels.length);
  const asked = features(queries.images, queries.labels.length);
  let right = 0;
  for (let q = 0; q < queries.labels.length; q++) {
    let best = -1;
    let label = -1;
    for (let r = 0; r < references.labels.length; r++) {
      const a = q * 784;
      const b = r * 784;
      let even = 0; // two sums are faster: with one, each addition waits for the one before
      let odd = 0;
      for (let i = 0; i < 784; i += 2) {
        even += asked[a + i] * known[b + i];
        odd += asked[a + i + 1] * known[b + i + 1];
      }
      const dot = even + odd;
      if (dot > best) [best, label] = [dot, references.labels[r]];
    }
    if (label === queries.labels[q]) right++;
  }
  return right / queries.labels.length;
}

const folder = process.env.LANGEVIN_MNIST;
const mnistFile = (name: string, header: number) =>
  gunzipSync(readFileSync(join(folder as string, `${name}.gz`))).subarray(header);
const many = strokeDigits('langevin', 10_000);
const measured = Array.from(many.labels, (_, i) => measure(many.images.subarray(i * 784, (i + 1) * 784)));

suite('strokes', (test) => {
  test('the first hundred digits of a seed have the recorded bytes', () => {
    const { images, labels } = strokeDigits('langevin', 100);
    assert.is(
      createHash('sha256').update(images).digest('hex'),
      '420c634bcbef51256b70fdc05f30ec808e995473f384d8a57856dc5123fc7b5a',
    );
    assert.is(Array.from(labels.subarray(0, 20)).join(''), '91154504486611305353');
  });

  test('the source uses no function whose last bits engines can choose', () => {
    for (const file of ['glyphs', 'strokes', 'strokes-hand', 'strokes-pen']) {
      const source = readFileSync(`src/data/${file}.ts`, 'utf8');
      for (const [, name] of source.matchAll(/Math\.(\w+)/g))
        assert.ok(['abs', 'floor', 'max', 'min', 'sqrt'].includes(name), `${file}.ts calls Math.${name}`);
      assert.not.ok(source.replace(/\/\*[\s\S]*?\*\//g, '').includes('**'), `${file}.ts raises to a power`);
    }
  });

  test('a digit depends on its seed and index only, not on earlier digits', () => {
    for (const i of [99, 0, 57, 3]) {
      const alone = strokeDigit('langevin', i);
      assert.equal(alone.pixels, many.images.slice(i * 784, (i + 1) * 784));
      assert.is(alone.label, many.labels[i]);
      assert.equal(alone.attributes, many.attributes[i]);
    }
    const range = strokeDigits('langevin', 5, { start: 95 });
    assert.equal(range.images, many.images.slice(95 * 784, 100 * 784));
    assert.equal(strokeDigit(7, 1), strokeDigit('7', 1));
    assert.not.equal(strokeDigit(7, 1).pixels, strokeDigit(8, 1).pixels);
    assert.not.equal(strokeDigit(7, 1).pixels, strokeDigit(7, 2).pixels);
    assert.equal(strokeDigits('langevin', 0).images.length, 0);
  });

  test('one index has one pen and posture for every given digit', () => {
    for (let digit = 0; digit < 10; digit++) {
      const asked = strokeDigit('langevin', 12, digit);
      assert.is(asked.label, digit);
      const { form } = asked.attributes;
      assert.ok(glyphs[digit].some((f) => f.name === form));
      assert.equal(asked.attributes, { ...many.attributes[12], digit, form });
      if (digit === many.labels[12]) assert.equal(asked.pixels, many.images.slice(12 * 784, 13 * 784));
    }
    assert.equal(new Set(strokeDigits('langevin', 50, { digit: 3 }).labels), new Set([3]));
  });

  test('all digits are equally frequent and independent of the digit before', () => {
    const counts = new Array(10).fill(0);
    const pairs = new Array(100).fill(0);
    many.labels.forEach((label, i) => {
      counts[label]++;
      if (i > 0) pairs[10 * many.labels[i - 1] + label]++;
    });
    assert.ok(chiSquared(counts) < 27.9, `chi2(9) ${chiSquared(counts)}, 0.1 % point 27.9`);
    assert.ok(chiSquared(pairs) < 148.2, `chi2(99) ${chiSquared(pairs)}, 0.1 % point 148.2`);
  });

  test('every form of every digit occurs by its weight, and all masters are well drawn', () => {
    glyphs.forEach((forms, digit) => {
      const total = sum(forms.map((f) => f.weight));
      const drawn = many.attributes.filter((a) => a.digit === digit);
      for (const form of forms) {
        const share = drawn.filter((a) => a.form === form.name).length / drawn.length;
        assert.ok(Math.abs(share - form.weight / total) < 0.07, `${form.name} ${digit}: ${share}`);
        for (const master of form.masters)
          assert.ok(master.length > 4 && master.every((v) => v >= -10 && v <= 110), `${form.name} ${digit}`);
      }
    });
  });

  test('no two of a hundred drawings of one digit are alike', () => {
    for (let digit = 0; digit < 10; digit++) {
      const { images } = strokeDigits('differ', 100, { digit });
      let least = Number.POSITIVE_INFINITY;
      for (let a = 0; a < 100; a++)
        for (let b = 0; b < a; b++) {
          let difference = 0;
          for (let i = 0; i < 784; i++) difference += Math.abs(images[a * 784 + i] - images[b * 784 + i]);
          least = Math.min(least, difference / 255);
        }
      assert.ok(least > 5, `${digit}: the most similar pair differs by ${least} white pixels`);
    }
  });

  test('the ink fits 20x20, does not touch the border and has the amount of MNIST', () => {
    for (const m of measured) {
      assert.ok(Math.min(m.left, m.top) >= 1 && Math.max(m.right, m.bottom) <= 26);
      assert.ok(m.extent <= 20);
    }
    const ink = measured.map((m) => m.mass / 255 / 784);
    const mean = sum(ink) / ink.length;
    assert.ok(mean > 0.115 && mean < 0.135, `mean ink ${mean}; MNIST has 0.1307, strokes 0.123`);
    assert.ok(
      Math.min(...ink) > 0.02 && Math.max(...ink) < 0.3,
      `${Math.min(...ink)} to ${Math.max(...ink)}`,
    );
    const width = sum(measured.map((m) => m.width)) / measured.length;
    assert.ok(width > 2.3 && width < 2.8, `mean 2 area / perimeter ${width}; MNIST has 2.47, strokes 2.58`);
  });

  test('the centre of mass is on pixel (14, 14), as in MNIST', () => {
    const off = measured.map((m) => Math.max(Math.abs(m.mx - 14), Math.abs(m.my - 14)));
    // The free border limits the shift of sevens with most of their ink in the bar: 0.7 % of the digits.
    assert.ok(off.filter((d) => d > 0.5 + 1e-9).length < 100);
    assert.ok(Math.max(...off) < 1.5, `a digit is ${Math.max(...off)} pixels off`);
  });

  test('slant, thickness and size can be measured from the pixels', () => {
    const ones = many.attributes.flatMap((a, i) => (a.digit === 1 && a.form === 'plain' ? [i] : []));
    const lean = correlation(
      ones.map((i) => many.attributes[i].slant + many.attributes[i].rotation),
      ones.map((i) => measured[i].shear),
    );
    assert.ok(lean > 0.95, `lean of plain ones against their shear: ${lean}, was 0.973`);
    const zeros = many.attributes.flatMap((a, i) => (a.digit === 0 ? [i] : []));
    const pen = correlation(
      zeros.map((i) => many.attributes[i].thickness),
      zeros.map((i) => measured[i].width),
    );
    assert.ok(pen > 0.9, `thickness of zeros against 2 area / perimeter: ${pen}, was 0.984`);
    many.attributes.forEach((a, i) => {
      const { extent } = measured[i];
      assert.ok(extent > a.size - 2 && extent < a.size + 1, `size ${a.size}: ${extent} pixels`);
    });
  });

  test('captions have the digit and its unusual attributes', () => {
    const plain: StrokeAttributes = {
      digit: 7,
      form: 'plain',
      thickness: 2.6,
      size: 20,
      slant: 0.1,
      width: 1,
      rotation: 0,
      shake: 1,
    };
    const say = (change: Partial<StrokeAttributes>) => caption({ ...plain, ...change });
    assert.is(say({}), 'a seven');
    assert.is(say({ thickness: 3.5, slant: 0.5 }), 'a thick slanted seven');
    assert.is(
      say({ thickness: 3.5, slant: 0.5, size: 16, form: 'crossed' }),
      'a small thick slanted crossed seven',
    );
    assert.is(say({ thickness: 1.8, width: 0.8, slant: -0.2 }), 'a thin narrow back-slanted seven');
    assert.is(say({ slant: 0.25, rotation: 0.1 }), 'a slanted seven');
    assert.is(say({ digit: 4, form: 'open', width: 1.2 }), 'a wide open four');
    assert.is(say({ digit: 4, form: 'open' }), 'an open four');
    assert.is(say({ digit: 8 }), 'an eight');
    assert.is(say({ digit: 1, width: 0.8 }), 'a one');
    const names = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
    for (const a of many.attributes) assert.is(caption(a).split(' ').at(-1), names[a.digit]);
  });

  test('400 digits are classified by their nearest neighbour among 2,000 others', () => {
    const accuracy = nearestNeighbour(strokeDigits('reference', 2000), strokeDigits('query', 400));
    assert.ok(accuracy >= 0.98, `${accuracy}, was 1`);
  });

  test.when(
    folder !== undefined && existsSync(join(folder, 'train-images-idx3-ubyte.gz')),
    '200 digits are named by their nearest neighbour among 4,000 of MNIST',
    () => {
      const references = {
        images: mnistFile('train-images-idx3-ubyte', 16).subarray(0, 4000 * 784),
        labels: mnistFile('train-labels-idx1-ubyte', 8).subarray(0, 4000),
      };
      const accuracy = nearestNeighbour(references, strokeDigits('query', 200));
      assert.ok(accuracy >= 0.92, `${accuracy}, was 0.94`);
    },
  );

  test('wrong arguments are refused with their names', () => {
    const refuses = (body: () => unknown, pattern: RegExp) =>
      assert.throws(body, (error: unknown) => error instanceof ValueError && pattern.test(error.message));
    for (const index of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      refuses(() => strokeDigit('a', index), /^strokes: expected index to be a whole number .*, got /);
    for (const digit of [-1, 10, 2.5]) {
      refuses(() => strokeDigit('a', 0, digit), /expected digit to be a whole number from 0 to 9, got /);
      refuses(() => strokeDigits('a', 1, { digit }), /expected digit/);
    }
    refuses(() => strokeDigits('a', -1), /expected count/);
    refuses(() => strokeDigits('a', 1e9), /expected count .*, got 1000000000$/);
    refuses(() => strokeDigits('a', 1, { start: -1 }), /expected start/);
  });
});
