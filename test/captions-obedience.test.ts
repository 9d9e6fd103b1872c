/**
 * Obedience: drawn digits are samples whose attributes are known. Digits that were drawn for their captions obey all
 * words. Digits of other captions obey by chance.
 */
import * as assert from 'uvu/assert';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { ATTRIBUTES } from '../src/models/captions/attributes.ts';
import { captionedData } from '../src/models/captions/captioned.ts';
import { HELD_OUT, isHeldOut } from '../src/models/captions/held-out.ts';
import { meaningOf } from '../src/models/captions/words.ts';
import {
  type CaptionedSamples,
  captionTask,
  measureLeakage,
  measureObedience,
} from '../src/models/evaluation/obedience.ts';
import { suite } from './suite.ts';

const data = loadStrokes({ train: 3000, test: 900 });
const COUNT = 800;
const task = captionTask(data, COUNT, 'seed');
const { test: real } = captionedData(data);
const SIZE = 784;

/** The real picture behind each caption, or that of the caption `shift` places further on. */
function samples(shift = 0): CaptionedSamples {
  const places = Array.from({ length: COUNT }, (_, i) => (i + shift) % real.dataset.length);
  const images = new Uint8Array(COUNT * SIZE);
  for (const [i, at] of places.entries())
    images.set(real.dataset.images.subarray(at * SIZE, (at + 1) * SIZE), i * SIZE);
  const classes = places.map((at) => real.dataset.labels[at]);
  return { height: 28, width: 28, channels: 1, captions: task.captions, images, classes };
}

suite('captions: obedience', (test) => {
  test('the pictures behind the captions obey all words, and nothing leaks', () => {
    const { attributes, digit, all } = measureObedience(task.thirds, samples());
    for (const name of ATTRIBUTES) {
      const { low, high, both } = attributes[name];
      assert.equal([low!.value, high!.value, both!.value], [1, 1, 1]);
      assert.is(low!.trials + high!.trials, both!.trials);
    }
    assert.equal([digit!.value, all!.value], [1, 1]);
    for (const leak of Object.values(measureLeakage(task, samples()))) assert.is(leak!.distance, 0);
  });

  test('pictures of other captions obey a word by chance, in a third of the cases, and a digit in a tenth', () => {
    const { attributes, digit, all } = measureObedience(task.thirds, samples(101));
    for (const name of ATTRIBUTES) {
      const { value, trials } = attributes[name].both!;
      // Another digit can lie in this digit's third more often, so the bounds are wide.
      assert.ok(trials > 150 && value > 0.2 && value < 0.47, `${name}: ${value} of ${trials}`);
    }
    assert.ok(digit!.value < 0.2 && all!.value < 0.1);
  });

  test('one disobedient sample is counted once, for its own word', () => {
    const i = task.captions.findIndex(({ named, digit }) => named.thickness === 'low' && digit !== null);
    const { captions, images, classes, ...shape } = samples();
    const thick = task.captions.findIndex(
      ({ digit, named }) => digit === captions[i].digit && named.thickness === 'high',
    );
    const changed = Uint8Array.from(images);
    changed.set(images.subarray(thick * SIZE, (thick + 1) * SIZE), i * SIZE);
    const { attributes, all } = measureObedience(task.thirds, {
      ...shape,
      captions,
      images: changed,
      classes,
    });
    const { low, high } = attributes.thickness;
    assert.ok(Math.abs(low!.value - (1 - 1 / low!.trials)) < 1e-12);
    assert.is(high!.value, 1);
    assert.ok(Math.abs(all!.value - (1 - 1 / all!.trials)) < 1e-12);
  });

  test('a sample that leans more than its picture, without a word for it, leaks', () => {
    const own = samples();
    const images = Uint8Array.from(own.images);
    const swapped = new Set<number>();
    // The unnamed pictures of a digit become one picture of the upper third of the slant.
    for (const [i, { named, digit }] of task.captions.entries()) {
      if (named.slant !== undefined || digit === null) continue;
      const from = task.captions.findIndex((other) => other.digit === digit && other.named.slant === 'high');
      images.set(own.images.subarray(from * SIZE, (from + 1) * SIZE), i * SIZE);
      swapped.add(i);
    }
    const { slant } = measureLeakage(task, { ...own, images });
    const before = measureLeakage(task, own).slant!;
    assert.ok(slant!.distance > 0.6 && slant!.ofSamples[2] > 0.85, JSON.stringify(slant));
    assert.equal(slant!.ofReal, before.ofReal);
    assert.ok(Math.abs(slant!.ofReal.reduce((a, b) => a + b) - 1) < 1e-12);
  });

  test('the captions are a function of data, count and seed, and only the last ones are held out', () => {
    const again = captionTask(data, COUNT, 'seed');
    assert.equal(again.captions, task.captions);
    assert.not.equal(captionTask(data, COUNT, 'other').captions, task.captions);
    assert.not(task.captions.some(isHeldOut));
    assert.is(task.heldOut.length, COUNT / 4);
    assert.ok(task.heldOut.every(isHeldOut));
    for (const { text, digit, named } of [...task.captions, ...task.heldOut]) {
      assert.equal(meaningOf(text), { digit, named });
    }
    assert.is(new Set(task.heldOut.map(({ digit }) => digit)).size, HELD_OUT.length);
  });
});
