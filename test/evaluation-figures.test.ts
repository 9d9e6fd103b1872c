/** Sheets of samples beside real pictures: the quiz, what a classifier is certain of, and the difference of means. */
import * as assert from 'uvu/assert';
import { likelihoodLines, scoreLines, twoSampleLines } from '../src/cli/results/evaluation-lines.ts';
import { drawSheet } from '../src/cli/results/figures.ts';
import { createDataset, take } from '../src/data/dataset.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { ValueError } from '../src/errors.ts';
import { decodePng } from '../src/image/png.ts';
import { judgedOf, picturesAt } from '../src/models/evaluation/judged.ts';
import { proportion } from '../src/models/evaluation/wilson.ts';
import { meanDifferenceFigure } from '../src/models/figures/mean-difference.ts';
import { quizFigure, quizKey, quizPictures } from '../src/models/figures/quiz.ts';
import type { Sheet } from '../src/models/figures/sheet.ts';
import { MOST_SUSPECTS, suspectsFigure } from '../src/models/figures/suspects.ts';
import { close, refused } from './helpers.ts';
import { suite } from './suite.ts';

const { train, test: others } = loadStrokes({ train: 900, test: 120 });
const samples = judgedOf(others);
const { labels } = samples;

/** All pictures of a sheet, one after another, as the index of each in a set. */
function found({ rows, height, width }: Sheet, images: Uint8Array): number[] {
  const size = height * width;
  const sought = new Map(
    Array.from({ length: images.length / size }, (_, i) => [String(picturesAt(images, size, [i])), i]),
  );
  return rows.flatMap(({ pixels }) =>
    Array.from(
      { length: pixels.length / size },
      (_, i) => sought.get(String(pixels.slice(i * size, (i + 1) * size))) ?? -1,
    ),
  );
}

suite('evaluation: figures', (test) => {
  test('the quiz has fifty samples and fifty real pictures of the same labels, none of them twice', () => {
    const pictures = quizPictures(labels, train, 's');
    const [ours, real] = [true, false].map((isSample) => pictures.filter((one) => one.isSample === isSample));
    assert.equal([ours.length, real.length], [50, 50]);
    for (const side of [ours, real]) assert.is(new Set(side.map(({ index }) => index)).size, 50);
    assert.ok(ours.every(({ index, label }) => labels[index] === label));
    assert.ok(real.every(({ index, label }) => train.labels[index] === label));
    const sorted = (side: typeof ours) => side.map(({ label }) => label).sort();
    assert.equal(sorted(ours), sorted(real));
    assert.equal(quizPictures(labels, train, 's'), pictures);
    const order = (of: typeof pictures) => of.map(({ isSample }) => isSample);
    assert.not.equal(order(quizPictures(labels, train, 't')), order(pictures));
    const changes = order(pictures).filter((isSample, i, all) => i > 0 && isSample !== all[i - 1]).length;
    assert.ok(changes > 30 && changes < 70, `${changes} changes from one side to the other`);
    refused(() => quizPictures(labels, take(train, 5), 's'), ValueError, /^quiz: expected \d+ real pictures/);
  });

  test('the sheet of the quiz shows what its key says, and says nothing of it itself', () => {
    const pictures = quizPictures(labels, train, 0);
    const sheet = quizFigure(samples, train, pictures);
    const shown = found(sheet, new Uint8Array([...samples.images, ...train.images]));
    assert.equal(
      shown,
      pictures.map(({ isSample, index }) => (isSample ? index : others.length + index)),
    );
    const captions = sheet.rows.flatMap((row) => row.captions);
    assert.equal(
      captions,
      pictures.map((_, i) => String(i + 1)),
    );
    assert.ok(sheet.rows.every(({ label }) => label === ''));
    const [head, empty, ...lines] = quizKey(pictures).trimEnd().split('\n');
    assert.match(head, /^50 samples and 50 real pictures\./);
    assert.is(empty, '');
    assert.is(lines.length, 100);
    for (const [i, line] of lines.entries()) {
      const [, number, what, index, label] = /^ *(\d+) {2}(sample|real) .*?(\d+), label (\d)$/.exec(line)!;
      const { isSample, index: at, label: wanted } = pictures[i];
      assert.equal(
        [number, what, index, label],
        [String(i + 1), isSample ? 'sample' : 'real', String(at), String(wanted)],
      );
    }
    const { width, height } = decodePng(drawSheet(sheet));
    assert.ok(width > 10 * 84 && height > 10 * 84, `${width}x${height}`);
    const unlabelled = quizPictures(
      labels.map(() => null),
      train,
      0,
    );
    assert.match(quizKey(unlabelled), /^ {3}1 {2}(sample {2}\d+|real {4}training picture \d+)$/m);
  });

  test('suspects are samples and the others real pictures, the most certain first, over their probabilities', () => {
    const suspects = [7, 3, 90].map((sample, i) => ({ sample, probability: 0.99 - i / 100 }));
    const genuine = Array.from({ length: 40 }, (_, i) => ({
      picture: 800 - 3 * i,
      probability: 0.9 - i / 100,
    }));
    const sheet = suspectsFigure(samples, train, { suspects, genuine });
    const [first, ...more] = sheet.rows;
    assert.equal(
      sheet.rows.map(({ label }) => label),
      ['samples', 'real', '', ''],
    );
    assert.equal(found({ ...sheet, rows: [first] }, samples.images), [7, 3, 90]);
    assert.equal(first.captions, ['0.990', '0.980', '0.970']);
    assert.equal(
      found({ ...sheet, rows: more }, train.images),
      genuine.slice(0, MOST_SUSPECTS).map(({ picture }) => picture),
    );
    assert.equal([more[0].captions[0], more[2].captions[9]], ['0.900', '0.610']);
    assert.ok(decodePng(drawSheet(sheet)).height > 4 * 84);
  });

  test('the difference of means is grey where there is none, and white where samples have the most more ink', () => {
    const shape = { height: 1, width: 3, channels: 1 };
    const real = createDataset({
      ...shape,
      name: 'real',
      classes: 3,
      images: Uint8Array.of(0, 51, 255, 0, 51, 255, 102, 0, 0),
      labels: Uint8Array.of(0, 0, 2),
    });
    const judged = {
      ...shape,
      images: Uint8Array.of(0, 102, 255, 102, 0, 0, 51, 51, 204),
      labels: [0, 2, 0],
    };
    const sheet = meanDifferenceFigure(judged, real, Uint32Array.of(1, 2, 0));
    assert.equal(sheet.columnLabels, ['all', '0', '2'], 'there is no sample of 1');
    const [ours, theirs, difference] = sheet.rows.map(({ pixels }) => pixels);
    close(ours.subarray(3, 9), [0.1, 0.3, 0.9, 0.4, 0, 0], 1e-12, 'samples of 0 and 2');
    close(theirs.subarray(3, 9), [0, 0.2, 1, 0.4, 0, 0], 1e-12, 'real ones');
    close(difference.subarray(3, 9), [1, 1, 0, 0.5, 0.5, 0.5], 1e-12, 'differences');
    // Over all: (0 + 102 + 51)/765 - 102/765, and so on.
    close(ours.subarray(0, 3), [0.2, 0.2, 0.6], 1e-12, 'all samples');
    close(difference.subarray(0, 3), [1, 1, 0], 1e-12, 'all');
    assert.equal(sheet.rows[2].captions, ['x15', 'x10', 'x1']);
    const unlabelled = meanDifferenceFigure(
      { ...judged, labels: [null, null, null] },
      real,
      Uint32Array.of(0, 1, 2),
    );
    assert.equal(unlabelled.columnLabels, ['all']);
    assert.ok(decodePng(drawSheet(sheet)).width > 0);
  });

  test('lines for people have each accuracy with its interval, and the statistics that say the most', () => {
    const verdict = { accuracy: proportion(60, 100), epoch: 3, chosenBy: 0.6 };
    const statistic = (name: string, alone: number) => {
      const spread = { mean: 0, deviation: 1 };
      return { name, alone, samples: spread, real: spread, shift: 0, weight: 0, squareWeight: 0 };
    };
    const statistics = [0.81, 0.7, 0.6, 0.5].map((alone, i) => statistic(`s${i}`, alone));
    const test = {
      pairs: { train: 350, choose: 50, test: 50 },
      fresh: verdict,
      fromJudge: null,
      plain: { accuracy: proportion(50, 100), ridge: 1, statistics },
      suspects: [],
      genuine: [],
      matched: new Uint32Array(0),
    };
    assert.equal(twoSampleLines(test), [
      'two-sample  accuracy on 50 samples and 50 real pictures; chance is 0.5',
      '  new       0.600 (0.502 to 0.691) by a new network',
      '  plain     0.500 (0.404 to 0.596) by plain statistics; the best single ones: s0 0.81, s1 0.70, s2 0.60',
    ]);
    assert.match(
      twoSampleLines({ ...test, fromJudge: verdict })[2],
      /^ {2}judge {5}0\.600 \(0\.502 to 0\.691\) by a network that starts from the classifier$/,
    );
    assert.equal(likelihoodLines(null), [
      'likelihood  none: the tones of the model are not linear, or it is a student',
    ]);
    const score = { pictures: 100, samples: proportion(50, 100), real: proportion(60, 100) };
    assert.equal(scoreLines(score), [
      'score       accuracy on test pictures, after training on 100 pictures',
      '  samples   50.0 % (40.4 to 59.6)',
      '  real      60.0 % (50.2 to 69.1)',
    ]);
  });
});
