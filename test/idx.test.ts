/** IDX and gzip: files built byte by byte, round trips, and all kinds of damage. */
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { gunzip, readAll, sha256 } from '../src/data/bytes.ts';
import { decodeIdx, encodeIdx } from '../src/data/idx.ts';
import { FormatError, LangevinError, ValueError } from '../src/errors.ts';
import { suite } from './suite.ts';

const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const idx = (magic: number, sizes: readonly number[], data: readonly number[]) =>
  Uint8Array.from([...u32(magic), ...sizes.flatMap(u32), ...data]);
const pictures = idx(0x00000803, [2, 1, 3], [1, 2, 3, 4, 5, 255]);

function refused(bytes: Uint8Array<ArrayBuffer>, rank: 1 | 3, message: RegExp): void {
  const right = (error: Error) => error instanceof FormatError && message.test(error.message);
  assert.throws(() => decodeIdx(bytes, rank, 'data/train-images'), right, `expected ${message}`);
}

async function rejected(promise: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  assert.instance(error, FormatError);
  assert.match(error!.message, message);
}

suite('idx', (test) => {
  test('pictures and labels built byte by byte are read', () => {
    const images = decodeIdx(pictures, 3);
    assert.equal(images.shape, [2, 1, 3]);
    assert.equal(images.data, Uint8Array.of(1, 2, 3, 4, 5, 255));
    const labels = decodeIdx(idx(0x00000801, [3], [7, 0, 9]), 1);
    assert.equal(labels.shape, [3]);
    assert.equal(labels.data, Uint8Array.of(7, 0, 9));
  });

  test('an array is written byte by byte in the format', () => {
    assert.equal(encodeIdx([2, 1, 3], Uint8Array.of(1, 2, 3, 4, 5, 255)), pictures);
    assert.equal(encodeIdx([2], Uint8Array.of(4, 5)), idx(0x00000801, [2], [4, 5]));
  });

  test('written arrays are read back', () => {
    const shape = fc.oneof(fc.tuple(fc.nat(20)), fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6)));
    fc.assert(
      fc.property(shape, fc.nat(255), (sizes, first) => {
        const data = Uint8Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => first + 7 * i);
        const back = decodeIdx(encodeIdx(sizes, data), sizes.length as 1 | 3);
        assert.equal(back.shape, sizes);
        assert.equal(back.data, data);
      }),
    );
  });

  test('other types, ranks and formats are refused, and errors name them', () => {
    refused(
      pictures,
      1,
      /^data\/train-images: expected .* 0x00000801 \(unsigned bytes, rank 1\), got 0x00000803/,
    );
    refused(idx(0x00000d03, [1, 1, 1], [0, 0, 0, 0]), 3, /got 0x00000d03 \(float32, rank 3\)/);
    refused(idx(0x00000903, [1, 1, 1], [0]), 3, /signed bytes/);
    refused(idx(0x00000703, [1, 1, 1], [0]), 3, /got 0x00000703 \(not an IDX file\)/);
    refused(idx(0x89504e47, [1, 1, 1], [0]), 3, /got 0x89504e47 \(not an IDX file\)/);
    refused(idx(0x00000804, [1, 1, 1, 1], [0]), 3, /rank 4/);
  });

  test('a file that is cut at any byte is refused, and so is a longer one', () => {
    for (let n = 0; n < pictures.length; n++) refused(pictures.slice(0, n), 3, /expected .* got/);
    refused(pictures.slice(0, 3), 3, /expected an IDX file, got 3 bytes/);
    refused(pictures.slice(0, 15), 3, /header of 16 bytes, got 15/);
    refused(pictures.slice(0, 21), 3, /16 \+ 2·1·3 = 22 bytes, got 21 \(truncated\)/);
    refused(Uint8Array.from([...pictures, 0]), 3, /= 22 bytes, got 23 \(trailing bytes\)/);
  });

  test('sizes whose product overflows 32 or 53 bits are refused', () => {
    refused(idx(0x00000803, [65536, 65536, 1], []), 3, /= 4294967312 bytes, got 16/); // 2^32: 0 in 32 bits
    refused(idx(0x00000803, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], []), 3, /truncated/);
    refused(idx(0x00000803, [2 ** 31, 2 ** 31, 4], []), 3, /truncated/); // 2^64: 0 in 64 bits
    assert.equal(decodeIdx(idx(0x00000803, [0, 28, 28], []), 3).shape, [0, 28, 28]);
  });

  test('a file with one damaged byte is refused, or only one pixel differs', () => {
    fc.assert(
      fc.property(fc.nat(pictures.length - 1), fc.integer({ min: 1, max: 255 }), (where, flip) => {
        const bytes = pictures.slice();
        bytes[where] ^= flip;
        if (where < 16) return refused(bytes, 3, /expected/);
        assert.equal(decodeIdx(bytes, 3).data, bytes.slice(16));
      }),
    );
  });

  test('the writer refuses arguments whose file the reader would refuse', () => {
    const unwritable = (shape: number[], length: number) =>
      assert.throws(
        () => encodeIdx(shape, new Uint8Array(length)),
        (error: Error) => error instanceof ValueError,
      );
    unwritable([2, 3], 6);
    unwritable([3], 2);
    unwritable([-1, -1, 2], 2);
    unwritable([0.5, 2, 2], 2);
    unwritable([2 ** 32, 0, 1], 0);
  });

  test('gzip is decompressed, and other bytes are returned unchanged', async () => {
    assert.equal(await gunzip(Uint8Array.from(gzipSync(pictures)), 'a.gz'), pictures);
    assert.is(await gunzip(pictures, 'a'), pictures);
    assert.equal(await gunzip(new Uint8Array(0), 'a'), new Uint8Array(0));
  });

  test('damaged gzip is refused without delay: cut anywhere, or with one byte changed', async () => {
    const plain = Uint8Array.from({ length: 4000 }, (_, i) => (i * i) >> 5);
    const packed = Uint8Array.from(gzipSync(plain));
    for (let n = 2; n < packed.length; n += n < 24 ? 1 : 97) {
      await rejected(
        gunzip(packed.slice(0, n), 'a.gz'),
        /^a\.gz: expected a whole gzip file, got a damaged one: \S/,
      );
    }
    await rejected(gunzip(packed.slice(0, -1), 'a.gz'), /damaged/);
    const damaged = async (where: number, flip: number) => {
      const bytes = packed.slice();
      bytes[2 + (where % (bytes.length - 2))] ^= flip;
      const result = await gunzip(bytes, 'a.gz').catch((error: unknown) => error);
      if (result instanceof Error) assert.instance(result, FormatError);
      else assert.equal(result, plain, 'the bytes differ, although the check sum is correct');
    };
    await fc.assert(fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), damaged), { numRuns: 300 });
  });

  test('a stream of exactly the most bytes is read, and one byte more is refused', async () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    assert.equal(await readAll(new Blob([bytes]).stream(), 'mirror', undefined, 5), bytes);
    await rejected(
      readAll(new Blob([bytes]).stream(), 'mirror', undefined, 4),
      /^mirror: expected at most 4 bytes, got more/,
    );
  });

  test('an endless stream is refused at 1 GiB', async () => {
    const chunk = new Uint8Array(2 ** 28);
    let [pulled, cancelled] = [0, false];
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled++;
        controller.enqueue(chunk);
      },
      cancel: () => {
        cancelled = true;
      },
    });
    await rejected(readAll(endless, 'mirror'), /^mirror: expected at most 1073741824 bytes, got more/);
    assert.ok(cancelled);
    assert.ok(pulled <= 6, `${pulled} chunks of 256 MiB were read`);
  });

  test('SHA-256 gives the known answers of FIPS 180-2, and an error names its requirement', async () => {
    const of = (text: string) => sha256(new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>);
    assert.is(await of('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    assert.is(await of(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'crypto')!;
    Object.defineProperty(globalThis, 'crypto', { value: {}, configurable: true });
    try {
      const error = await of('abc').catch((reason: unknown) => reason);
      assert.instance(error, LangevinError);
      assert.match((error as Error).message, /expected a secure page/);
    } finally {
      Object.defineProperty(globalThis, 'crypto', descriptor);
    }
  });
});
