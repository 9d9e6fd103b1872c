/** `langevin evaluate` on pictures from a file, and its tests that train classifiers, run as a user runs them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { UsageError } from '../src/cli/options/arguments.ts';
import { fitSamples, readSampleFile } from '../src/cli/options/sample-file.ts';
import { take } from '../src/data/dataset.ts';
import { encodeNpy } from '../src/data/npy.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { FileError, FormatError, type LangevinError } from '../src/errors.ts';
import { decodePng } from '../src/image/png.ts';
import { inFolder, langevin, npmRun } from './dist.ts';
import { suite } from './suite.ts';

const strokes = loadStrokes();
const { images, labels, length } = take(strokes.test, 120);

async function ok(words: readonly string[], folder: string): Promise<string> {
  const { code, stdout, stderr } = await langevin([...words, '--threads', '1'], folder);
  assert.equal([code, stderr], [0, ''], words.join(' '));
  return stdout;
}

async function failed(words: readonly string[], folder: string, expected: number, message: RegExp) {
  const { code, stdout, stderr } = await langevin(words, folder);
  assert.match(stderr, message);
  assert.match(stderr, /^langevin: [^\n]+\n$/, 'one line');
  assert.equal([code, stdout], [expected, '']);
}

const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
/** A file of pictures with its labels. */
function save(folder: string, name: string, pictures: Uint8Array, shape: number[], given = labels): string {
  const path = join(folder, `${name}.npy`);
  writeFileSync(path, encodeNpy(pictures, shape));
  writeFileSync(join(folder, `${name}.labels.npy`), encodeNpy(given, [given.length]));
  return path;
}
const CLASSIFIER = ['train', 'classifier', '--limit', '100', '--epochs', '2', '--quiet', '--out', 'c'];

npmRun('build:node');

suite('cli: evaluate', (test) => {
  test('a file of samples has the same metrics as its model, except the likelihood', () =>
    inFolder(async (folder) => {
      await ok(CLASSIFIER, folder);
      const train = ['train', 'diffusion', '--model', 'mlp-tiny', '--limit', '300', '--epochs', '1'];
      await ok([...train, '--quiet', '--out', 'm'], folder);
      const sampling = ['--model', 'm', '--steps', '2', '--count', '110', '--seed', 's', '--quiet'];
      await ok(['sample', ...sampling, '--save', 's.npy'], folder);
      const evaluate = ['evaluate', '--judge', 'c', '--limit', '300'];
      await ok([...evaluate, ...sampling, '--out', 'a'], folder);
      const words = [...evaluate, '--samples', 's.npy', '--seed', 's', '--out', 'b'];
      const stdout = await ok(words, folder);
      assert.match(stdout, /^samples {2}s\.npy, 110 pictures\ndata +strokes/);
      const [{ likelihood, ...byModel }, byFile] = ['a', 'b'].map((out) =>
        json(folder, out, 'evaluation.json'),
      );
      assert.ok(likelihood.ode > 0);
      const { model, sampler, steps, guidance, guidanceAbove, guidanceBelow, ...given } = byModel;
      const { classifierGuidance, prepare, ...rest } = given;
      assert.equal(byFile, { ...rest, samples: 's.npy' });
      const [one, other] = ['a', 'b'].map((out) => readFileSync(join(folder, out, 'neighbours.png')));
      assert.ok(one.equals(other));
      const first = [...evaluate, '--samples', 's.npy', '--seed', 's', '--count', '100', '--quiet'];
      await ok(first, folder);
      const { count, found } = json(folder, 'evaluation.json');
      assert.equal([count, found.reduce((a: number, b: number) => a + b)], [100, 100]);
    }));

  test('all tests write their figures, their sheets and the answers of the quiz, and report every epoch', () =>
    inFolder(async (folder) => {
      await ok(CLASSIFIER, folder);
      // A fifth of the ground is grey.
      const damaged = images.map((grey, i) => (grey === 0 && (i * 7919) % 5 === 0 ? 90 : grey));
      save(folder, 's', damaged, [length, 28, 28]);
      const words = ['evaluate', '--samples', 's.npy', '--judge', 'c', '--limit', '600', '--out', 'e'];
      const stdout = await ok([...words, '--two-sample', '--score', '--quiz', '--json'], folder);
      const events = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const trained = new Set(events.filter(({ type }) => type === 'preparation').map(({ name }) => name));
      assert.equal(
        [...trained],
        [
          'two-sample network, new',
          'two-sample network, from the judge',
          'classifier of samples',
          'classifier of real pictures',
        ],
      );
      const { files, numbers } = events.at(-1);
      const names = ['evaluation.json', 'neighbours.png', 'suspects.png', 'mean-difference.png', 'quiz.png'];
      assert.equal(
        files,
        [...names, 'quiz-key.txt'].map((name) => join('e', name)),
      );
      assert.equal(Object.keys(numbers), names.slice(1));
      assert.equal(readdirSync(join(folder, 'e')).sort(), [...names, 'quiz-key.txt'].sort());
      for (const name of names.slice(1)) {
        assert.ok(decodePng(readFileSync(join(folder, 'e', name))).width > 800, name);
      }
      const key = readFileSync(join(folder, 'e', 'quiz-key.txt'), 'utf8');
      assert.equal([key.match(/ sample /g)?.length, key.match(/ real {4}/g)?.length], [50, 50]);

      const { twoSample, classificationScore: score } = json(folder, 'e', 'evaluation.json');
      assert.equal(twoSample.pairs, { train: 84, choose: 12, test: 24 });
      for (const { accuracy } of [twoSample.fresh, twoSample.fromJudge, twoSample.plain]) {
        assert.is(accuracy.trials, 48);
        assert.ok(accuracy.low > 0.5 && accuracy.value <= accuracy.high, JSON.stringify(accuracy));
      }
      assert.ok(twoSample.plain.statistics[0].alone > 0.95);
      assert.equal([twoSample.suspects.length, twoSample.genuine.length], [24, 24]);
      assert.is(twoSample.matched, undefined);
      assert.is(score.pictures, 120);
      for (const side of [score.samples, score.real]) assert.is(side.trials, 600);
      assert.ok(score.real.value > 0.3, JSON.stringify(score.real));
    }));

  test('a file of other pictures or labels is refused in a line', () =>
    inFolder(async (folder) => {
      const refused = async (
        path: string,
        kind: new (...words: never[]) => LangevinError,
        message: RegExp,
        count?: number,
      ) => {
        try {
          fitSamples(await readSampleFile(path), strokes, count);
        } catch (error) {
          assert.instance(error, kind);
          assert.match((error as Error).message, message);
          return;
        }
        assert.unreachable(`expected ${message}`);
      };
      const file = (
        name: string,
        pictures: Parameters<typeof encodeNpy>[0],
        shape: number[],
        given = labels,
      ) => {
        const path = save(folder, name, new Uint8Array(0), [0], given);
        writeFileSync(path, encodeNpy(pictures, shape));
        return path;
      };
      const whole = save(folder, 'whole', images, [120, 28, 28, 1]);
      const judged = fitSamples(await readSampleFile(whole), strokes, 101);
      assert.equal([judged.images.length, judged.labels], [101 * 784, [...labels.subarray(0, 101)]]);
      await refused(whole, UsageError, /^--count: expected at most the 120 pictures of .*, got 121$/, 121);
      const bytes = (n: number) => new Uint8Array(n);
      await refused(
        file('size', bytes(120 * 8 * 8), [120, 8, 8]),
        UsageError,
        /^--samples: expected pictures of 28x28, as in strokes train, got 8x8$/,
      );
      await refused(
        file('depth', bytes(120 * 784 * 3), [120, 28, 28, 3]),
        UsageError,
        /expected pictures of 28x28, .*, got 28x28x3$/,
      );
      await refused(
        file('floats', Float32Array.from(images), [120, 28, 28]),
        FormatError,
        /floats\.npy: expected pictures of uint8, 0 to 255, got float32$/,
      );
      await refused(
        file('flat', images, [120, 784]),
        FormatError,
        /flat\.npy: expected pictures \[n, height, width\], got \[120, 784\]$/,
      );
      await refused(
        file('few', bytes(99 * 784), [99, 28, 28], labels.subarray(0, 99)),
        UsageError,
        /^--samples: expected at least 100 pictures in .*few\.npy, got 99$/,
      );
      await refused(
        save(folder, 'fewer', images, [120, 28, 28], labels.subarray(1)),
        FormatError,
        /fewer\.labels\.npy: expected 120 labels, one per picture, got \[119\]$/,
      );
      const ten = labels.map((label, i) => (i === 7 ? 10 : label));
      await refused(
        save(folder, 'ten', images, [120, 28, 28], ten),
        FormatError,
        /ten\.labels\.npy: expected labels from 0 to 9, got 10 at 7$/,
      );
      writeFileSync(
        join(folder, 'ten.labels.npy'),
        encodeNpy(
          Float64Array.from(labels, (label) => label + 0.5),
          [120],
        ),
      );
      await refused(join(folder, 'ten.npy'), FormatError, /expected labels from 0 to 9, got \d\.5 at 0$/);
      await refused(join(folder, 'none.npy'), FileError, /^cannot read .*none\.npy: no such file/);
      await refused(
        join(folder, 'none.npz'),
        UsageError,
        /^--samples: expected a \.npy file, got ".*\.npz"$/,
      );

      writeFileSync(join(folder, 'alone.npy'), encodeNpy(images, [120, 28, 28]));
      const missing =
        /cannot read alone\.labels\.npy: no such file; expected a label for each picture of alone\.npy/;
      await failed(['evaluate', '--samples', 'alone.npy', '--quiet'], folder, 1, missing);
    }));

  test('options that do not fit the file of pictures or the training data are refused before any work', () =>
    inFolder(async (folder) => {
      const all = Uint8Array.from({ length }, () => 3);
      save(folder, 's', images, [length, 28, 28], all);
      const words = ['evaluate', '--samples', 's.npy', '--quiet'];
      await failed([...words, '--model', 'm'], folder, 2, /--model: expected no --samples with it, got both/);
      await failed([...words, '--steps', '9'], folder, 2, /--steps: expected no --samples with it, got both/);
      await failed(
        [...words, '--two-sample', '--limit', '200'],
        folder,
        2,
        /--two-sample: expected 120 real pictures with the label 3, as many as samples, got \d\d/,
      );
      const train = [
        'train',
        'diffusion',
        '--model',
        'mlp-tiny',
        '--limit',
        '100',
        '--epochs',
        '1',
        '--quiet',
      ];
      await ok([...train, '--guidance-dropout', '1', '--out', 'u'], folder);
      await failed(
        ['evaluate', '--model', 'u', '--score', '--quiet'],
        folder,
        2,
        /--score: expected a model with labels, got an unconditional one/,
      );
      assert.not(readdirSync(join(folder, 'u')).includes('evaluation.json'));
    }));
});
