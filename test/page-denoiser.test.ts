/**
 * The jobs of the lesson on the denoiser: the bits of the command, files of data and of models, threads, and the server
 * of MNIST.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { backend, setBackend, setThreads } from '../src/backend/backend.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { mnistPaths } from '../src/cli/commands/page.ts';
import { serveFolder } from '../src/cli/page/server.ts';
import { encodeIdx } from '../src/data/idx.ts';
import { MNIST_FILES } from '../src/data/mnist.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { Classifier } from '../src/models/networks/classifier.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { denoiserOf } from '../src/models/networks/registry.ts';
import { grey, grey16, pixels } from '../src/playground/draw/pixels.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { DENOISER } from '../src/playground/lessons/denoiser/figure.ts';
import { THREADS } from '../src/playground/lessons/denoiser/figure-threads.ts';
import type { PageDenoiserSettings } from '../src/playground/lessons/denoiser/job.ts';
import { threadCounts } from '../src/playground/lessons/denoiser/job-threads.ts';
import { inFolder, langevin, npmRun } from './dist.ts';
import { numbersOf } from './helpers-page.ts';
import { suite } from './suite.ts';

npmRun('build:node');
setBackend('wasm');

const SHORT = { ...DENOISER.initial, limit: 320, epochs: 2, seed: 'short' };
const train = (more: object = {}) =>
  runJob('denoiser', { ...DENOISER.request(SHORT), ...more } as PageDenoiserSettings);

/** Four IDX files with strokes. */
function idxFiles(count = 96): Map<string, Uint8Array<ArrayBuffer>> {
  const { train, test } = loadStrokes({ train: count, test: 20 });
  return new Map(
    [
      ['train', train],
      ['t10k', test],
    ].flatMap(([prefix, set]) => {
      const { images, labels, length } = set as typeof train;
      return [
        [`${prefix}-images-idx3-ubyte`, encodeIdx([length, 28, 28], images)],
        [`${prefix}-labels-idx1-ubyte`, encodeIdx([length], labels)],
      ] as [string, Uint8Array<ArrayBuffer>][];
    }),
  );
}
const given = (files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) =>
  [...files].map(([name, bytes]) => new File([bytes], name));
const wordsOf = async (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'no error',
    (error: Error) => error.message,
  );

suite('page: the denoiser', (test) => {
  test('a run has the bits of the command whose line is shown, also from files', async () => {
    const { hashes } = await train();
    const [{ line, numbers }] = DENOISER.commands(SHORT);
    assert.is(line, 'langevin train denoiser --limit 320 --epochs 2 --seed short');
    const printed = await numbersOf(line, 2);
    for (const [file, key] of Object.entries(numbers)) assert.is(hashes[key], printed[file], file);
    const files = idxFiles();
    const settings = { ...SHORT, data: 'files', limit: undefined };
    const [shown] = DENOISER.commands(settings);
    assert.is(shown!.line, 'langevin train denoiser --data FOLDER --epochs 2 --seed short');
    const packed = new Map(
      [...files].map(([name, bytes]) => [`${name}.gz`, new Uint8Array(gzipSync(bytes))]),
    );
    const own = await train({ data: 'files', limit: undefined, files: given(packed) });
    await inFolder(async (folder) => {
      mkdirSync(join(folder, 'FOLDER'));
      for (const [name, bytes] of files) writeFileSync(join(folder, 'FOLDER', name), bytes);
      const { stdout } = await langevin([...shown!.line.split(' ').slice(1), '--json'], folder);
      const { numbers } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
      assert.is(own.hashes['denoised.png'], numbers['denoised.png']);
    });
  });

  test('moments are evenly spaced, begin before the training and stay few, and the last one is the model', async () => {
    const { moments, pictures, steps, step } = await train({ limit: 64, epochs: 70, batchSize: 64 });
    assert.equal([step, steps], [70, 70]);
    assert.equal(
      moments.map((moment) => moment.step),
      [...Array.from({ length: 18 }, (_, i) => 4 * i), 70],
    );
    assert.equal(
      moments.at(-1)!.pixels,
      Uint8Array.from(pictures.rows[2]!.pixels, (value) => Math.round(255 * value)),
    );
    assert.equal(pictures.rows[0]!.pixels.length, 7840);
  });

  test('files that are no data set are refused in one line', async () => {
    const refused = async (change: (files: Map<string, Uint8Array<ArrayBuffer>>) => void) => {
      const files = idxFiles();
      change(files);
      const message = await wordsOf(train({ data: 'files', limit: undefined, files: given(files) }));
      assert.not.match(message, /\n/);
      return message;
    };
    const images = 'train-images-idx3-ubyte';
    assert.match(await refused((files) => files.clear()), /your files: expected the 4 files .*, got none/);
    assert.match(await refused((files) => files.delete(images)), /expected the 4 files .*, got train-labels/);
    assert.match(
      await refused((files) => {
        files.set('other', files.get(images)!);
        files.delete(images);
      }),
      /your files: expected train-images-idx3-ubyte .*, found no such file/,
    );
    assert.match(
      await refused((files) => files.set(images, files.get(images)!.slice(0, 999))),
      /train-images-idx3-ubyte: expected 16 \+ 96·28·28 .*truncated/,
    );
    const huge = new Uint8Array(16);
    new DataView(huge.buffer).setUint32(0, 0x803);
    for (const at of [4, 8, 12]) new DataView(huge.buffer).setUint32(at, 0xffffffff);
    assert.match(await refused((files) => files.set(images, huge)), /expected 16 \+ .*truncated/);
    assert.match(
      await refused((files) => files.set(images, new Uint8Array([0x1f, 0x8b, 1, 2, 3]))),
      /expected a whole gzip file, got a damaged one/,
    );
    assert.match(
      await refused((files) => {
        for (const part of ['train', 't10k']) {
          files.set(`${part}-images-idx3-ubyte`, encodeIdx([1, 65, 65], new Uint8Array(65 * 65)));
          files.set(`${part}-labels-idx1-ubyte`, encodeIdx([1], new Uint8Array(1)));
        }
      }),
      /expected pictures of at most 64x64 on this page, got 65x65/,
    );
    assert.match(await wordsOf(train({ batchSize: 5000 })), /batch size: expected at most 4096 on this page/);
  });

  test('a model goes into a file and comes back with the same pictures; what is no denoiser is refused', async () => {
    const { hashes, loss } = await train();
    const bytes = await runJob('denoiser-file', {});
    assert.is(decodeCheckpoint(bytes).seed, 'short');
    denoiserOf(decodeCheckpoint(bytes)).dispose();
    const { noise, seed, data, limit } = DENOISER.request(SHORT);
    const openFile = (content: Uint8Array<ArrayBuffer>) =>
      runJob('denoiser-open', {
        model: new File([content], 'given.safetensors'),
        ...{ noise, seed, data, limit },
      });
    const opened = await openFile(bytes);
    assert.is(opened.hashes['denoised.png'], hashes['denoised.png']);
    assert.is(opened.testLoss, loss.test.y.at(-1));
    assert.is(opened.description, '784-400-400-400-784');
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'model.safetensors'), bytes);
      const { code, stderr } = await langevin(['export', '--model', 'model.safetensors'], folder);
      assert.equal([code, stderr], [0, '']);
    });
    assert.match(await wordsOf(openFile(new Uint8Array(4))), /^given\.safetensors: expected/);
    assert.match(await wordsOf(openFile(bytes.slice(0, 5000))), /^given\.safetensors: expected/);
    const classifier = new Classifier({ height: 28, width: 28, classes: 10 });
    const other = encodeCheckpoint(classifier, { kind: classifier.kind, sizes: { ...classifier.sizes } });
    assert.match(
      await wordsOf(openFile(other)),
      /^given\.safetensors: expected a model "denoiser".*got "classifier"/,
    );
    const small = new Denoiser({ inputs: 9, hidden: 2, code: 2 });
    const tiny = encodeCheckpoint(small, { kind: small.kind, sizes: { ...small.sizes } });
    assert.match(await wordsOf(openFile(tiny)), /expected a denoiser of 28x28 pictures, got 9 pixels/);
  });

  test('a stopped run leaves its model, and frees it when the next one ends', async () => {
    const { train: compute } = await import('../src/playground/lessons/denoiser/job.ts');
    const stopped = async () => {
      const steps = compute(DENOISER.request(SHORT)) as AsyncGenerator;
      for (let i = 0; i < 3; i++) await steps.next();
      await steps.return(undefined);
    };
    /** Bytes in use, after what Adam left is collected. */
    const used = async () => {
      for (let i = 0; i < 4; i++) {
        gc!();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return backend().heap.usedBytes;
    };
    await stopped();
    const before = await used();
    for (let i = 0; i < 3; i++) await stopped();
    assert.is(await used(), before);
    assert.is(decodeCheckpoint(await runJob('denoiser-file', {})).kind, 'denoiser');
  });

  test('all numbers of threads have the bits of the command, and the number of before comes back', async () => {
    assert.equal([1, 2, 3, 6, 16].map(threadCounts), [
      [1],
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4, 6],
      [1, 2, 3, 4, 8, 16],
    ]);
    setThreads(2);
    const values = { ...THREADS.initial, limit: 640 };
    const { runs, hashes } = await runJob('denoiser-threads', THREADS.request(values));
    assert.is(backend().threads, 2);
    const [{ line }] = THREADS.commands(values);
    const printed = await numbersOf(line);
    assert.equal(
      runs.map(({ hash }) => hash),
      runs.map(() => printed['denoised.png']),
    );
    assert.is(hashes['denoised.png'], printed['denoised.png']);
    setThreads(1);
  });

  test('pictures in 16 greys take half the bytes, and each pixel has its grey', () => {
    const place = { x: 0, y: 0, width: 3, height: 2 };
    const file = (color: typeof grey, width: number, height: number) =>
      Buffer.from(
        /base64,([^"]*)/.exec(pixels(place, width, height, (x, y) => color((x + 4 * y) / 11)))![1]!,
        'base64',
      );
    const bytes = file(grey16, 3, 2);
    assert.is(bytes.readUInt16LE(28), 4);
    const start = bytes.readUInt32LE(10);
    // The lower row comes first. A row has whole words of four bytes, a pixel half a byte.
    const levels = (row: number) =>
      [0, 1, 2].map((x) => (bytes[start + 4 * (1 - row) + (x >> 1)]! >> (x % 2 === 0 ? 4 : 0)) & 15);
    assert.equal([0, 1].map(levels), [
      [0, 1, 3],
      [5, 7, 8],
    ]);
    assert.equal([...bytes.subarray(54 + 4 * 7, 54 + 4 * 7 + 3)], [119, 119, 119]);
    assert.is(file(grey, 3, 2).readUInt16LE(28), 8);
    assert.ok(file(grey16, 280, 28).length < 0.55 * file(grey, 280, 28).length);
  });

  test('the server has the files of MNIST at a fixed path, gzipped or not, and a folder without them is refused', () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, 'site'));
      mkdirSync(join(folder, 'data'));
      const [first, second, ...rest] = Object.keys(MNIST_FILES);
      writeFileSync(join(folder, 'data', `${first}.gz`), 'packed');
      writeFileSync(join(folder, 'data', second!.replace('-idx', '.idx')), 'plain');
      for (const name of rest.slice(1)) writeFileSync(join(folder, 'data', name), name);
      assert.throws(
        () => mnistPaths(join(folder, 'data')),
        /--data-dir: expected t10k-images-idx3-ubyte in .*found no such file/,
      );
      writeFileSync(join(folder, 'data', rest[0]!), rest[0]!);
      const { server, port } = await serveFolder(join(folder, 'site'), 0, mnistPaths(join(folder, 'data')));
      try {
        const texts = await Promise.all(
          Object.keys(MNIST_FILES).map(async (name) =>
            (await fetch(`http://127.0.0.1:${port}/mnist/${name}`)).text(),
          ),
        );
        assert.equal(texts, ['packed', 'plain', ...rest]);
        assert.is((await fetch(`http://127.0.0.1:${port}/mnist/other`)).status, 404);
      } finally {
        server.close();
      }
    }));
});
