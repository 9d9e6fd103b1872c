/**
 * Own pictures: area averaging against means that are computed pixel by pixel, the split, folders of PNG files with and
 * without classes, and hostile files.
 */
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { zipSync } from 'fflate';
import * as assert from 'uvu/assert';
import { encodeIdx } from '../src/data/idx.ts';
import { encodeNpy } from '../src/data/npy.ts';
import { loadOwnPictures } from '../src/data/own-data.ts';
import { type OwnPicturesOptions, PictureCollector } from '../src/data/own-pictures.ts';
import { FileError, FormatError, LangevinError, ValueError } from '../src/errors.ts';
import { coloured, fitted, grey, type OpaquePicture, opaque, scaled } from '../src/image/fit.ts';
import { encodePng, type Picture } from '../src/image/png.ts';
import { inFolder } from './dist.ts';
import { refused } from './helpers.ts';
import { disc, hostileFolder, writeClasses } from './helpers-pictures.ts';
import { suite } from './suite.ts';

const greyOf = (width: number, height: number, pixels: ArrayLike<number>): OpaquePicture => ({
  width,
  height,
  channels: 1,
  pixels: Uint8Array.from(pixels),
});

async function rejected(
  promise: Promise<unknown>,
  type: new (...args: never[]) => Error,
  message: RegExp,
): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  assert.instance(error, type, `${error}`);
  assert.match(error!.message, message);
  assert.not.match(error!.message, /\n/);
}

/** The data set of a folder, with its warnings. */
async function load(folder: string, options: OwnPicturesOptions = {}) {
  const warnings: string[] = [];
  const data = await loadOwnPictures(folder, { ...options, warn: (message) => warnings.push(message) });
  return { ...data, warnings };
}

suite('own pictures: size and colour', (test) => {
  test('a whole factor takes the mean of each square, and enlarging repeats pixels', () => {
    const picture = greyOf(4, 2, [0, 10, 200, 100, 20, 30, 0, 100]);
    assert.equal(scaled(picture, 1, 2), greyOf(2, 1, [15, 100]));
    assert.equal(scaled(greyOf(2, 1, [7, 9]), 2, 4), greyOf(4, 2, [7, 7, 9, 9, 7, 7, 9, 9]));
  });

  test('a pixel that is partly covered counts with its share', () => {
    // Three pixels become two: each has one whole pixel and half of the middle one.
    assert.equal(scaled(greyOf(3, 1, [0, 90, 240]), 1, 2), greyOf(2, 1, [30, 190]));
    assert.equal(scaled(greyOf(2, 1, [0, 90]), 1, 3), greyOf(3, 1, [0, 45, 90]));
  });

  test('any size: each pixel is the mean of its rectangle, over a fine grid of points', () => {
    const side = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.constantFrom(1 as const, 3 as const),
        (w, h, wide, high, channels) => {
          const pixels = Uint8Array.from({ length: w * h * channels }, (_, i) => (i * 89 + 13) % 256);
          const result = scaled({ width: w, height: h, channels, pixels }, high, wide);
          // Each source pixel is cut into wide x high parts, and each result pixel is made of w x h such parts.
          for (let y = 0; y < high; y++) {
            for (let x = 0; x < wide; x++) {
              for (let c = 0; c < channels; c++) {
                let sum = 0;
                for (let i = y * h; i < (y + 1) * h; i++) {
                  for (let j = x * w; j < (x + 1) * w; j++) {
                    sum += pixels[(Math.floor(i / high) * w + Math.floor(j / wide)) * channels + c];
                  }
                }
                const found = result.pixels[(y * wide + x) * channels + c];
                assert.ok(Math.abs(found - sum / (w * h)) <= 0.5 + 1e-9, `${found} for ${sum / (w * h)}`);
              }
            }
          }
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  test('a picture keeps its proportions in the middle of a black square', () => {
    const bar = fitted(greyOf(4, 2, new Uint8Array(8).fill(100)), 4);
    assert.equal([...bar.pixels], [...Array(4).fill(0), ...Array(8).fill(100), ...Array(4).fill(0)]);
    const thin = fitted(greyOf(1, 100, new Uint8Array(100).fill(9)), 5);
    assert.equal([thin.width, thin.height, thin.pixels.filter((v) => v === 9).length], [5, 5, 5]);
  });

  test('alpha is over black, a picture without colour is grey, and grey is the luma', () => {
    const rgba: Picture = {
      width: 2,
      height: 1,
      channels: 4,
      pixels: Uint8Array.of(200, 100, 50, 128, 9, 9, 9, 0),
    };
    assert.equal([...opaque(rgba).pixels], [100, 50, 25, 0, 0, 0]);
    const plain: Picture = { width: 2, height: 1, channels: 3, pixels: Uint8Array.of(7, 7, 7, 8, 8, 8) };
    assert.equal(opaque(plain), greyOf(2, 1, [7, 8]));
    const primary = {
      width: 3,
      height: 1,
      channels: 3 as const,
      pixels: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255),
    };
    assert.equal(grey(primary), greyOf(3, 1, [76, 150, 29]));
    assert.equal([...coloured(greyOf(2, 1, [1, 2])).pixels], [1, 1, 1, 2, 2, 2]);
  });
});

suite('own pictures: folders', (test) => {
  test('subfolders are classes: numbers by value, then other names; the split is the same each time', () =>
    inFolder(async (folder) => {
      const place = join(folder, 'set');
      writeClasses(place, ['10', '9', 'b', 'B'], 20, (i, label) => disc(i, 8, 8 + 0 * label));
      const first = await load(place);
      assert.equal(first.classNames, ['9', '10', 'B', 'b']);
      assert.equal([first.train.length, first.test.length, first.train.classes], [72, 8, 4]);
      assert.equal([first.train.height, first.train.width, first.train.channels], [8, 8, 1]);
      assert.equal([first.train.name, first.test.name, first.warnings.length], ['set train', 'set test', 0]);
      for (let label = 0; label < 4; label++) {
        assert.is(first.test.labels.filter((other) => other === label).length, 2, 'a tenth of each class');
      }
      assert.equal(
        new Set(first.train.labels.subarray(0, 20)).size,
        4,
        'the first pictures have all classes',
      );
      const again = await load(place);
      assert.equal([again.train, again.test], [first.train, first.test]);
      const half = await load(place, { testShare: 0.5 });
      assert.equal([half.train.length, half.test.length], [40, 40]);
    }));

  test('each picture is in one of the two sets, with its own label', () =>
    inFolder(async (folder) => {
      const place = join(folder, 'set');
      writeClasses(place, ['a', 'b'], 30, (i, label) => ({
        ...{ width: 1, height: 1, channels: 1 },
        pixels: Uint8Array.of(100 * label + i),
      }));
      const { train, test: tested } = await load(place);
      const all = [train, tested].flatMap(({ images, labels }) =>
        Array.from(images, (v, i) => [v, labels[i]]),
      );
      const expected = [0, 1].flatMap((label) =>
        Array.from({ length: 30 }, (_, i) => [100 * label + i, label]),
      );
      assert.equal(
        all.sort(([a], [b]) => a - b),
        expected,
      );
    }));

  test('without subfolders there is one class; train and test as the only subfolders are the two sets', () =>
    inFolder(async (folder) => {
      const flat = join(folder, 'flat');
      writeClasses(folder, ['flat'], 12, (i) => disc(i, 9, 9));
      const { train, test: tested, classNames } = await load(flat);
      assert.equal([train.length, tested.length, train.classes, classNames], [11, 1, 1, ['flat']]);
      for (const [part, count] of [
        ['train', 5],
        ['test', 3],
      ] as const) {
        writeClasses(join(folder, 'parts', part), ['x', 'y'], count, (i) => disc(i, 9, 9));
      }
      const parts = await load(join(folder, 'parts'));
      assert.equal([parts.train.length, parts.test.length, parts.classNames], [10, 6, ['x', 'y']]);
      await rejected(
        loadOwnPictures(join(folder, 'parts'), { testShare: 0.3 }),
        ValueError,
        /^test share: expected pictures without a test set, got parts, which has one$/,
      );
    }));

  test('equal sizes stay, others and large ones become 28x28, and size decides', () =>
    inFolder(async (folder) => {
      const sizeOf = async (name: string, options: OwnPicturesOptions = {}) => {
        const { train, sizes } = await load(join(folder, name), options);
        return [train.height, train.width, train.channels, sizes.size];
      };
      writeClasses(folder, ['equal'], 4, (i) => disc(i, 20, 12));
      writeClasses(folder, ['mixed'], 4, (i) => disc(i, i === 3 ? 21 : 20, 12));
      writeClasses(folder, ['large'], 4, (i) => disc(i, 129, 129));
      writeClasses(folder, ['colour'], 4, (i) => disc(i, 6, 6, i === 2 ? 3 : 4));
      writeClasses(folder, ['half'], 4, (i) => disc(i, 6, 6, i === 2 ? 3 : 1));
      assert.equal(await sizeOf('equal'), [12, 20, 1, 1]);
      assert.equal(await sizeOf('equal', { size: 16 }), [16, 16, 1, 1]);
      assert.equal(await sizeOf('mixed'), [28, 28, 1, 2]);
      assert.equal(await sizeOf('large'), [28, 28, 1, 1]);
      assert.equal(await sizeOf('colour'), [6, 6, 3, 1]);
      assert.equal(await sizeOf('half'), [6, 6, 3, 1]);
      assert.equal(await sizeOf('colour', { colour: 'grey' }), [6, 6, 1, 1]);
    }));

  test('the pictures before and after another size are scaled in the same way', () =>
    inFolder(async (folder) => {
      writeClasses(folder, ['set'], 4, (i) => (i === 2 ? disc(9, 31, 17) : disc(0, 40, 40)));
      const { train, test: tested } = await load(join(folder, 'set'));
      const all = [train, tested].flatMap(({ images, length }) =>
        Array.from({ length }, (_, i) => images.subarray(784 * i, 784 * (i + 1)).join()),
      );
      assert.is(new Set(all).size, 2);
      assert.ok(all.includes(fitted(disc(0, 40, 40) as OpaquePicture, 28).pixels.join()));
    }));

  test('200 files, some of them no pictures: a warning names each, and the others are read', () =>
    inFolder(async (folder) => {
      const place = hostileFolder(folder);
      const { train, test: tested, classNames, sizes, warnings } = await load(place);
      assert.is(train.length + tested.length, 196);
      assert.equal(
        [train.height, train.width, train.channels, classNames],
        [28, 28, 1, ['cats', 'dogs', 'eels']],
      );
      assert.equal([...sizes.keys()].sort(), ['1x1', '20x32', '28x28', '40x9', '60x100']);
      const expected = [
        /^left out: .*mixed\/cats\/0\.png: expected a whole PNG, got a truncated one/,
        /^left out: .*mixed\/dogs\/0\.png: expected a PNG signature, got other bytes/,
        /^left out: .*mixed\/eels\/0\.png: expected a PNG signature, got other bytes/,
        /^left out: .*mixed\/eels\/1\.png: expected 1 to 16777216 pixels, got 20000x20000/,
        /^left out: 1 without a \.png picture: .*mixed\/eels\/drawing\.jpg$/,
      ];
      assert.is(warnings.length, expected.length, warnings.join('\n'));
      for (const [i, message] of expected.entries()) assert.match(warnings[i], message);
    }));

  test('a class without a whole picture gets no label, and many damaged files get few warnings', () =>
    inFolder(async (folder) => {
      const place = join(folder, 'set');
      writeClasses(place, ['a', 'c'], 4, (i) => disc(i, 5, 5));
      mkdirSync(join(place, 'b'));
      for (let i = 0; i < 30; i++) writeFileSync(join(place, 'b', `${i}.png`), 'x');
      mkdirSync(join(place, 'empty'));
      const { train, classNames, warnings } = await load(place);
      assert.equal([classNames, train.classes, Math.max(...train.labels)], [['a', 'c'], 2, 1]);
      assert.is(warnings.length, 12);
      assert.match(warnings[10], /^left out: 20 more files that cannot be read$/);
      assert.match(warnings[11], /^left out: 1 without a \.png picture: .*set\/empty$/);
    }));

  test.when(process.platform !== 'win32', 'links that go in a circle or nowhere are left out', () =>
    inFolder(async (folder) => {
      writeClasses(folder, ['set'], 4, (i) => disc(i, 5, 5));
      symlinkSync('.', join(folder, 'set', 'again.png'));
      symlinkSync('absent', join(folder, 'set', 'nowhere.png'));
      const { train, test: tested, warnings } = await load(join(folder, 'set'));
      // The link to the folder itself is a subfolder, and so a class of the same pictures.
      assert.is(train.length + tested.length, 4);
      assert.ok(
        warnings.some((message) => message.includes('nowhere.png')),
        warnings.join('\n'),
      );
    }),
  );

  test('a folder that gives no data set is an error of one line', () =>
    inFolder(async (folder) => {
      const none = join(folder, 'none');
      mkdirSync(none);
      await rejected(loadOwnPictures(none), FileError, /none: expected PNG pictures, .* found none$/);
      writeFileSync(join(none, 'a.npz'), 'x');
      await rejected(
        loadOwnPictures(none),
        FileError,
        /an array is selected by its file, such as .*none\/a\.npz$/,
      );
      writeFileSync(join(none, 'a.png'), 'x');
      await rejected(
        loadOwnPictures(none),
        FormatError,
        /expected a PNG that can be read, got 1 others; .*a\.png/,
      );
      writeFileSync(join(none, 'a.png'), encodePng(disc(0, 5, 5)));
      await rejected(
        loadOwnPictures(none),
        FormatError,
        /none: expected two pictures of a class or more, got 1 for/,
      );
      await rejected(loadOwnPictures(join(folder, 'absent')), FileError, /cannot read the folder .*absent/);
      await rejected(
        loadOwnPictures(none, { size: 0 }),
        ValueError,
        /^size: expected .* from 1 to 1024, got 0$/,
      );
      await rejected(loadOwnPictures(none, { testShare: 1 }), ValueError, /^test share: expected .*, got 1$/);
      await rejected(
        loadOwnPictures(none, { colour: 'gray' as never }),
        LangevinError,
        /^colour: expected keep or grey, got "gray"\. Did you mean "grey"/,
      );
    }));

  test('more bytes than the limit are refused before they are held', () => {
    const collector = new PictureCollector('set', { size: 1024 });
    const picture = greyOf(1024, 1024, new Uint8Array(2 ** 20).fill(9));
    // With three channels a picture has 3 MiB. 341 of them are below 1 GiB.
    for (let i = 0; i < 341; i++) collector.add(picture, 'a', null);
    refused(
      () => collector.add(picture, 'a', null),
      FormatError,
      /^set: expected pictures of at most 1073741824 bytes in all, got 342 pictures of 1024x1024; a smaller size/,
    );
  });

  test('IDX files keep their labels and their test set, also with another size', () =>
    inFolder(async (folder) => {
      for (const [part, n] of [
        ['train', 30],
        ['t10k', 12],
      ] as const) {
        const pixels = Uint8Array.from({ length: n * 64 }, (_, i) => (i * 37) % 256);
        writeFileSync(join(folder, `${part}-images-idx3-ubyte`), encodeIdx([n, 8, 8], pixels));
        writeFileSync(
          join(folder, `${part}-labels-idx1-ubyte`),
          encodeIdx(
            [n],
            Uint8Array.from({ length: n }, (_, i) => 3 * (i % 3)),
          ),
        );
      }
      const own = await load(folder);
      assert.equal([own.train.length, own.test.length, own.train.width], [30, 12, 8]);
      const small = await load(folder, { size: 4 });
      assert.equal([small.train.length, small.test.length, small.train.width], [30, 12, 4]);
      assert.equal([small.train.classes, own.train.classes], [10, 10]);
      assert.equal([...new Set(small.train.labels)].sort(), [0, 3, 6]);
      renameSync(join(folder, 't10k-labels-idx1-ubyte'), join(folder, 'x'));
      await rejected(loadOwnPictures(folder), FileError, /expected t10k-labels-idx1-ubyte/);
    }));
});

/** An NPZ file of these arrays. */
const npz = (arrays: Record<string, Uint8Array>) =>
  zipSync(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])));
/** `n` pictures of 2x3. All pixels of picture i are i. */
const numbered = (n: number, channels = 1) =>
  Uint8Array.from({ length: n * 6 * channels }, (_, i) => Math.floor(i / (6 * channels)));
const inTurn = (n: number, classes: number) => Uint8Array.from({ length: n }, (_, i) => i % classes);

suite('own pictures: arrays', (test) => {
  test('an NPY file has its labels beside it, or one class', () =>
    inFolder(async (folder) => {
      const path = join(folder, 's.npy');
      writeFileSync(path, encodeNpy(numbered(40), [40, 2, 3]));
      const plain = await load(path);
      assert.equal([plain.train.length, plain.test.length, plain.train.classes], [36, 4, 1]);
      assert.equal([plain.train.height, plain.train.width, plain.train.name], [2, 3, 's train']);
      writeFileSync(join(folder, 's.labels.npy'), encodeNpy(inTurn(40, 4), [40]));
      const { train, test: tested } = await load(path);
      assert.equal([train.length, tested.length, train.classes], [36, 4, 4]);
      for (const set of [train, tested]) {
        for (const [i, label] of set.labels.entries()) assert.is(set.images[6 * i] % 4, label);
      }
    }));

  test('an NPZ file has one of the layouts of Keras, MedMNIST and NumPy', () =>
    inFolder(async (folder) => {
      const path = join(folder, 's.npz');
      const of = async (arrays: Record<string, Uint8Array>) => {
        writeFileSync(path, npz(arrays));
        const { train, test: tested, classNames } = await load(path);
        return [train.length, tested.length, train.channels, classNames.length];
      };
      const [big, small] = [encodeNpy(numbered(40), [40, 2, 3]), encodeNpy(numbered(10), [10, 2, 3])];
      const labels = (n: number, classes: number) => encodeNpy(inTurn(n, classes), [n, 1]);
      const keras = { x_train: big, y_train: labels(40, 3), x_test: small, y_test: labels(10, 5) };
      assert.equal(await of(keras), [40, 10, 1, 5]);
      const [a, b] = [labels(40, 3), labels(10, 2)];
      const med = { train_images: big, train_labels: a, test_images: small, test_labels: b };
      assert.equal(await of({ ...med, val_images: Uint8Array.of(1, 2) }), [40, 10, 1, 3]);
      assert.equal(await of({ arr_0: big }), [36, 4, 1, 1]);
      const colours = numbered(40, 3).map((v, i) => v + (i % 3));
      assert.equal(await of({ x: encodeNpy(colours, [40, 2, 3, 3]), y: labels(40, 2) }), [36, 4, 3, 2]);
    }));

  test('arrays of another kind, and damaged files, are errors of one line', () =>
    inFolder(async (folder) => {
      const path = join(folder, 's.npz');
      const refusedAs = async (bytes: Uint8Array, message: RegExp) => {
        writeFileSync(path, bytes);
        await rejected(loadOwnPictures(path), FormatError, message);
      };
      const good = encodeNpy(numbered(40), [40, 2, 3]);
      await refusedAs(
        npz({ a: good }),
        /s\.npz: expected an array of pictures named x_train and x_test, .*"a"$/,
      );
      await refusedAs(Uint8Array.of(1, 2, 3), /s\.npz: expected a whole NPZ file, got: /);
      await refusedAs(npz({ x: good }).subarray(0, 60), /s\.npz: expected a whole NPZ file, got: /);
      await refusedAs(npz({ x: good.subarray(0, 300) }), /s\.npz: x: expected 240 bytes for uint8/);
      const floats = encodeNpy(new Float32Array(12), [2, 2, 3]);
      await refusedAs(npz({ x: floats }), /s\.npz: x: expected pictures of uint8, 0 to 255, got float32/);
      await refusedAs(npz({ x: encodeNpy(numbered(40), [40, 6]) }), /expected pictures .*, got \[40, 6\]/);
      await refusedAs(npz({ x: encodeNpy(numbered(20, 2), [20, 2, 3, 2]) }), /got \[20, 2, 3, 2\]/);
      const few = encodeNpy(inTurn(39, 3), [39]);
      await refusedAs(npz({ x: good, y: few }), /s\.npz: x: expected 40 labels, one per picture, got \[39\]/);
      const halves = Float32Array.from({ length: 40 }, (_, i) => i / 2);
      const odd = npz({ x: good, y: encodeNpy(halves, [40]) });
      await refusedAs(odd, /expected labels from 0 to 255, got 0\.5 at 1/);
    }));

  test('an array that says it is larger than the limit is not inflated', () =>
    inFolder(async (folder) => {
      const path = join(folder, 's.npz');
      const bytes = Buffer.from(npz({ x: encodeNpy(numbered(40), [40, 2, 3]) }));
      // The size after inflation in the central directory, which begins with PK 1 2.
      const at = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24;
      bytes.writeUInt32LE(2 ** 31, at);
      writeFileSync(path, bytes);
      const message = /s\.npz: x: expected an array of at most \d+ bytes, got 2147483648$/;
      await rejected(loadOwnPictures(path), FormatError, message);
      bytes.writeUInt32LE(2 ** 24, at);
      writeFileSync(path, bytes);
      // So few compressed bytes cannot become 16 MiB.
      await rejected(
        loadOwnPictures(path),
        FormatError,
        /expected an array of at most \d{5,6} bytes, got 16777216$/,
      );
      // A size that is too small cuts the array, and its header does not fit any more.
      bytes.writeUInt32LE(200, at);
      writeFileSync(path, bytes);
      await rejected(loadOwnPictures(path), FormatError, /s\.npz: /);
    }));
});

suite('own pictures: sets of the shape of MNIST', (test) => {
  const write = (folder: string, prefix: string, testName: string, first: number, classes: number) => {
    mkdirSync(folder, { recursive: true });
    for (const [part, n] of [
      ['train', 2 * classes],
      [testName, classes],
    ] as const) {
      const labels = Uint8Array.from({ length: n }, (_, i) => first + (i % classes));
      const pixels = Uint8Array.from({ length: n * 784 }, (_, i) => i % 251);
      writeFileSync(join(folder, `${prefix}${part}-images-idx3-ubyte`), encodeIdx([n, 28, 28], pixels));
      writeFileSync(join(folder, `${prefix}${part}-labels-idx1-ubyte`), encodeIdx([n], labels));
    }
  };

  test('Fashion-MNIST, KMNIST and EMNIST: ten classes, 26 letters from 0, and 47 of both', () =>
    inFolder(async (folder) => {
      const of = async (prefix: string, testName: string, first: number, classes: number) => {
        const place = join(folder, `set-${prefix}${classes}`);
        write(place, prefix, testName, first, classes);
        const { train, test: tested } = await load(place);
        return [train.classes, Math.min(...train.labels), Math.max(...tested.labels), tested.length];
      };
      assert.equal(await of('', 't10k', 0, 10), [10, 0, 9, 10]);
      assert.equal(await of('emnist-digits-', 'test', 0, 10), [10, 0, 9, 10]);
      assert.equal(await of('emnist-letters-', 'test', 1, 26), [26, 0, 25, 26]);
      assert.equal(await of('emnist-balanced-', 'test', 0, 47), [47, 0, 46, 47]);
      assert.equal(await of('', 't10k', 1, 9), [10, 1, 9, 9], 'digits without a zero stay as they are');
    }));

  test('several sets in one folder are refused, and the error names them', () =>
    inFolder(async (folder) => {
      write(folder, 'emnist-digits-', 'test', 0, 10);
      write(folder, 'emnist-letters-', 'test', 1, 26);
      await rejected(
        loadOwnPictures(folder),
        FormatError,
        /expected one set of IDX files, got emnist-digits-train, emnist-letters-train; give each its own folder$/,
      );
    }));
});
