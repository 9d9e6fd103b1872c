/** IDX folders, and MNIST from a folder, a cache and mirrors: small files from a local server, and the real files. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { type DownloadProgress, download } from '../src/data/download.ts';
import { encodeIdx } from '../src/data/idx.ts';
import {
  loadIdxFolder,
  loadMnist,
  MNIST_FILES,
  MNIST_MIRRORS,
  type MnistOptions,
} from '../src/data/mnist.ts';
import { FileError, FormatError, type LangevinError } from '../src/errors.ts';
import { suite } from './suite.ts';

/** Small sets of 2x3 pixels: three training and two test pictures. */
const FILES: Readonly<Record<string, Uint8Array>> = {
  'train-images-idx3-ubyte': encodeIdx(
    [3, 2, 3],
    Uint8Array.from({ length: 18 }, (_, i) => 10 * i),
  ),
  'train-labels-idx1-ubyte': encodeIdx([3], Uint8Array.of(5, 0, 4)),
  't10k-images-idx3-ubyte': encodeIdx(
    [2, 2, 3],
    Uint8Array.from({ length: 12 }, (_, i) => 200 + i),
  ),
  't10k-labels-idx1-ubyte': encodeIdx([2], Uint8Array.of(7, 2)),
};
const NAMES = Object.keys(FILES);
const hashes = Object.fromEntries(
  NAMES.map((name) => [name, createHash('sha256').update(FILES[name]).digest('hex')]),
);

async function rejected(
  promise: Promise<unknown>,
  Kind: typeof LangevinError,
  message: RegExp,
): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  assert.instance(error, Kind);
  assert.match(error!.message, message);
  assert.not.match(error!.message, /\n/);
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'langevin-mnist-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fill(folder: string, files = FILES): void {
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
}

/** A server while `body` runs. `asked` collects the requested paths. */
async function serving(
  answer: RequestListener,
  body: (url: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** `/good/` delivers, the other folders fail, each in its own way. */
const mirror: RequestListener = (request, response) => {
  const [, folder, file] = request.url!.split('/');
  const packed = gzipSync(FILES[file.replace('.gz', '')]);
  if (folder === 'good') return response.writeHead(200, { 'content-length': packed.length }).end(packed);
  if (folder === 'encoded') {
    return response
      .writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length })
      .end(packed);
  }
  if (folder === 'wrong') return response.end(gzipSync('another file'));
  if (folder === 'torn') return response.end(packed.subarray(0, packed.length - 9));
  if (folder === 'cut') {
    response.writeHead(200, { 'content-length': packed.length });
    return response.write(packed.subarray(0, 20), () => response.destroy());
  }
  if (folder === 'silent') return response.writeHead(200).write('x');
  response.writeHead(503).end();
};

const real = process.env.LANGEVIN_MNIST ?? '';

suite('mnist', (test) => {
  test('a folder of IDX files becomes two data sets', () =>
    inFolder(async (folder) => {
      fill(folder);
      const { train, test: held } = await loadIdxFolder(folder, 'small');
      assert.equal(
        [train.name, train.length, train.height, train.width, train.classes],
        ['small train', 3, 2, 3, 10],
      );
      assert.equal([...train.labels], [5, 0, 4]);
      assert.equal([...train.images.subarray(6, 12)], [60, 70, 80, 90, 100, 110]);
      assert.equal([held.name, held.length, ...held.labels], ['small test', 2, 7, 2]);
      assert.equal([...held.images], [200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211]);
      assert.is((await loadIdxFolder(`${folder}/`)).train.name, `${folder.split('/').at(-1)} train`);
    }));

  test('.idx names and gzip are read, and folders with the same names are ignored', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'train-images.idx3-ubyte'), FILES[NAMES[0]]);
      writeFileSync(join(folder, 'train-labels-idx1-ubyte.gz'), gzipSync(FILES[NAMES[1]]));
      writeFileSync(join(folder, 't10k-images.idx3-ubyte.gz'), gzipSync(FILES[NAMES[2]]));
      mkdirSync(join(folder, 't10k-labels-idx1-ubyte'));
      writeFileSync(join(folder, 't10k-labels.idx1-ubyte'), gzipSync(FILES[NAMES[3]]));
      const { train, test: held } = await loadIdxFolder(folder);
      assert.equal([...train.labels, ...held.labels], [5, 0, 4, 7, 2]);
    }));

  test('the number of classes follows from the highest label of both parts', () =>
    inFolder(async (folder) => {
      fill(folder, { ...FILES, 't10k-labels-idx1-ubyte': encodeIdx([2], Uint8Array.of(0, 25)) });
      const { train, test: held } = await loadIdxFolder(folder);
      assert.equal([train.classes, held.classes], [26, 26]);
    }));

  test('files that are absent, damaged or do not belong together are named', () =>
    inFolder(async (folder) => {
      await rejected(
        loadIdxFolder(join(folder, 'no')),
        FileError,
        /no: expected train-images-idx3-ubyte .* found no such/,
      );
      const wrong = async (file: string, bytes: Uint8Array, message: RegExp) => {
        fill(folder, { ...FILES, [file]: bytes });
        await rejected(loadIdxFolder(folder), FormatError, message);
      };
      await wrong(
        NAMES[1],
        encodeIdx([2], Uint8Array.of(1, 2)),
        /labels.*: expected a label for each of 3 .* got 2$/,
      );
      await wrong(
        NAMES[2],
        encodeIdx([2, 3, 2], new Uint8Array(12)),
        /t10k-images.*: expected 2x3 .* got 3x2$/,
      );
      await wrong(
        NAMES[0],
        encodeIdx([0, 2, 3], new Uint8Array(0)),
        /expected pictures, got the shape \[0,2,3\]/,
      );
      await wrong(NAMES[0], FILES[NAMES[1]], /train-images.*: expected the magic number 0x00000803/);
      await wrong(NAMES[3], FILES[NAMES[3]].subarray(0, 9), /t10k-labels.*truncated/);
      await wrong(
        NAMES[3],
        gzipSync(FILES[NAMES[3]]).subarray(0, 20),
        /t10k-labels.*: expected a whole gzip file/,
      );
    }));

  test('a data folder is checked against the hashes and never filled by a download', () =>
    serving(mirror, (url, asked) =>
      inFolder(async (folder) => {
        const options: MnistOptions = {
          dataDir: folder,
          hashes,
          mirrors: [`${url}/good/`],
          cacheDir: folder,
        };
        await rejected(loadMnist(options), FileError, /expected train-images-idx3-ubyte/);
        fill(folder);
        assert.is((await loadMnist(options)).train.length, 3);
        const other = FILES[NAMES[3]].slice();
        other[8] ^= 1;
        writeFileSync(join(folder, NAMES[3]), other);
        await rejected(
          loadMnist(options),
          FormatError,
          /t10k-labels-idx1-ubyte: expected SHA-256 \w{64} of .*, got \w{64}$/,
        );
        assert.equal(asked, []);
      }),
    ));

  test('MNIST is downloaded once, with progress, and comes from the cache from then on', () =>
    serving(mirror, (url, asked) =>
      inFolder(async (folder) => {
        const cacheDir = join(folder, 'new', 'mnist');
        const events: DownloadProgress[] = [];
        const options: MnistOptions = {
          hashes,
          mirrors: [`${url}/good/`],
          cacheDir,
          progress: (e) => events.push(e),
        };
        const first = await loadMnist(options);
        assert.equal([...first.train.labels, ...first.test.labels], [5, 0, 4, 7, 2]);
        assert.equal(
          asked,
          NAMES.map((name) => `/good/${name}.gz`),
        );
        assert.equal(readdirSync(cacheDir).sort(), NAMES.map((name) => `${name}.gz`).sort());
        for (const name of NAMES) {
          const packed = gzipSync(FILES[name]);
          assert.equal(readFileSync(join(cacheDir, `${name}.gz`)), packed);
          const last = events.filter((event) => event.url === `${url}/good/${name}.gz`).at(-1)!;
          assert.equal([last.received, last.total], [packed.length, packed.length]);
        }
        assert.equal((await loadMnist(options)).test.images, first.test.images);
        assert.is(asked.length, 4);
      }),
    ));

  test('after a mirror that fails, sends wrong bytes or stops, the next mirror is used', () =>
    serving(mirror, (url, asked) =>
      inFolder(async (cacheDir) => {
        const folders = ['gone', 'wrong', 'torn', 'cut', 'silent', 'good'];
        const mirrors = folders.map((folder) => `${url}/${folder}/`);
        const { train } = await loadMnist({ hashes, mirrors, cacheDir, patience: 300 });
        assert.is(train.length, 3);
        assert.equal(
          asked.slice(0, 6),
          folders.map((folder) => `/${folder}/${NAMES[0]}.gz`),
        );
        assert.equal(readFileSync(join(cacheDir, `${NAMES[0]}.gz`)), gzipSync(FILES[NAMES[0]]));
      }),
    ));

  test('if every mirror fails, one error names each failure and the remedy, and the cache stays empty', () =>
    serving(mirror, async (url) => {
      // A port that was free a moment ago refuses connections.
      let closed = '';
      await serving(mirror, async (other) => {
        closed = other;
      });
      await inFolder(async (cacheDir) => {
        const mirrors = [
          `${url}/gone/`,
          `${url}/wrong/`,
          `${url}/torn/`,
          `${url}/silent/`,
          `${closed}/good/`,
        ];
        const promise = loadMnist({ hashes, mirrors, cacheDir, patience: 300 });
        const each = [
          'expected one mirror to deliver train-images-idx3-ubyte\\.gz, got none: ',
          'gone/.*: HTTP 503',
          'wrong/.*: expected SHA-256',
          'torn/.*: expected a whole gzip file',
          'silent/.*: expected bytes, got none for 0\\.3 s',
          'good/.*: .*ECONNREFUSED',
          'set dataDir to their folder \\(in a page: its URL\\)$',
        ];
        await rejected(promise, FileError, new RegExp(each.join('.*')));
        assert.equal(readdirSync(cacheDir), []);
        await rejected(
          loadMnist({ hashes, mirrors: [], cacheDir }),
          FileError,
          /there are no mirrors; .*set dataDir to their folder/,
        );
      });
    }));

  test('a damaged cache gives a warning and is repaired', () =>
    serving(mirror, (url, asked) =>
      inFolder(async (cacheDir) => {
        const warnings: string[] = [];
        const options = {
          hashes,
          mirrors: [`${url}/good/`],
          cacheDir,
          warn: (text: string) => warnings.push(text),
        };
        await loadMnist(options);
        const damaged = join(cacheDir, `${NAMES[2]}.gz`);
        writeFileSync(damaged, readFileSync(damaged).subarray(0, 20));
        assert.is((await loadMnist(options)).test.length, 2);
        assert.is(warnings.length, 1);
        assert.match(warnings[0], /^downloading again: .*t10k-images.*: expected a whole gzip file/);
        assert.equal(asked.slice(4), [`/good/${NAMES[2]}.gz`]);
        await loadMnist(options);
        assert.equal([asked.length, warnings.length], [5, 1]);
        writeFileSync(join(cacheDir, `${NAMES[3]}.gz`), gzipSync(encodeIdx([2], Uint8Array.of(7, 3)))); // well-formed
        assert.equal([...(await loadMnist(options)).test.labels], [7, 2]);
        assert.equal([asked.length, warnings.length], [6, 2]);
      }),
    ));

  test('a cache that cannot be written gives a warning and does not stop the load', () =>
    serving(mirror, (url) =>
      inFolder(async (folder) => {
        writeFileSync(join(folder, 'file'), '');
        const warnings: string[] = [];
        const warn = (text: string) => warnings.push(text);
        const { train } = await loadMnist({
          hashes,
          mirrors: [`${url}/good/`],
          cacheDir: join(folder, 'file', 'x'),
          warn,
        });
        assert.is(train.length, 3);
        assert.is(warnings.length, 4);
        assert.match(warnings[0], /^the download is not kept: cannot write /);
      }),
    ));

  test('with a content encoding there is no total, and the decompressed bytes are used', () =>
    serving(mirror, (url) =>
      inFolder(async (cacheDir) => {
        const totals = new Set<number | undefined>();
        const options = { hashes, mirrors: [`${url}/encoded/`], cacheDir };
        const { train } = await loadMnist({ ...options, progress: ({ total }) => totals.add(total) });
        assert.is(train.length, 3);
        assert.equal([...totals], [undefined]);
        assert.equal(readFileSync(join(cacheDir, NAMES[0])), Buffer.from(FILES[NAMES[0]]));
        assert.not(existsSync(join(cacheDir, `${NAMES[0]}.gz`)));
        await loadMnist({ ...options, mirrors: [] });
      }),
    ));

  test('a slow server that keeps sending does not time out', () =>
    serving(
      (_, response) => {
        let left = 12;
        const timer = setInterval(() => {
          if (left-- > 0) response.write('x');
          else {
            clearInterval(timer);
            response.end();
          }
        }, 80);
      },
      async (url) => assert.is((await download(url, { patience: 700 })).length, 12), // 960 ms in all
    ));

  test('the mirrors are folders with https addresses', () => {
    assert.ok(MNIST_MIRRORS.length >= 2);
    for (const url of MNIST_MIRRORS) assert.match(url, /^https:\/\/.*\/$/);
  });

  test.when(real !== '', 'the real MNIST passes its hashes and is what everyone knows', async () => {
    const { train, test: held } = await loadMnist({ dataDir: real });
    assert.equal([train.length, train.height, train.width, train.classes], [60000, 28, 28, 10]);
    assert.equal([held.length, held.height, held.width, held.classes], [10000, 28, 28, 10]);
    assert.equal([...train.labels.subarray(0, 5)], [5, 0, 4, 1, 9]);
    assert.equal([...held.labels.subarray(0, 5)], [7, 2, 1, 0, 4]);
    // The often-quoted mean and deviation of the training pixels, 0.1307 and 0.3081.
    let [sum, squares] = [0, 0];
    for (const pixel of train.images) {
      sum += pixel;
      squares += pixel * pixel;
    }
    const mean = sum / train.images.length;
    assert.is((mean / 255).toFixed(4), '0.1307');
    assert.is((Math.sqrt(squares / train.images.length - mean * mean) / 255).toFixed(4), '0.3081');
  });

  test.when(real !== '', 'one changed pixel of the real MNIST is found', () =>
    inFolder(async (folder) => {
      for (const name of Object.keys(MNIST_FILES)) {
        writeFileSync(join(folder, `${name}.gz`), readFileSync(join(real, `${name}.gz`)));
      }
      const { test: held } = await loadMnist({ dataDir: folder });
      const images = held.images.slice();
      images[5_000_000] ^= 1;
      writeFileSync(join(folder, 't10k-images-idx3-ubyte'), encodeIdx([10000, 28, 28], images));
      await rejected(
        loadMnist({ dataDir: folder }),
        FormatError,
        /t10k-images-idx3-ubyte: expected SHA-256 0fa7898d/,
      );
    }),
  );
});
