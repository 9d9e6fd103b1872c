/**
 * What the fuzzer reads: for each format, random inputs that are nearly right, and the reader with a check of its result.
 * An input is a function of (seed, format, number). So a number is enough to make it again.
 */
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { scope } from '../../src/autograd/tape.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/checkpoint/safetensors.ts';
import { gunzip } from '../../src/data/bytes.ts';
import { decodeIdx, encodeIdx } from '../../src/data/idx.ts';
import { decodeNpy, encodeNpy } from '../../src/data/npy.ts';
import { arraysInNpz } from '../../src/data/picture-arrays.ts';
import { decodePng } from '../../src/image/png.ts';
import { meaningOf, tokensOf, WORDS } from '../../src/models/captions/words.ts';
import { addressOf, readAddress } from '../../src/playground/app/address.ts';
import { figuresOf } from '../../src/playground/lesson.ts';
import { LESSONS } from '../../src/playground/lessons/index.ts';
import { expressionSde } from '../../src/sde/expression.ts';
import { ones } from '../../src/tensor/create.ts';
import type { Reader } from './judge.ts';
import { changedModel, openCheckpoint } from './models.ts';
import { changeBytes, changeJson, changeText, TEXTS } from './mutate.ts';
import { randomPng } from './png.ts';
import { Choices } from './random.ts';

/** A format under test. */
export interface Target {
  input(r: Choices): Uint8Array<ArrayBuffer>;
  readonly read: Reader;
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function requireThat(condition: boolean, what: string): void {
  if (!condition) throw new Error(`wrong result: ${what}`);
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A text target: sentences made of words, with changes. */
const texts = (words: readonly string[], join: string, read: (text: string) => void): Target => ({
  input(r) {
    const sentence = Array.from({ length: r.below(9) }, () => r.oneOf(words)).join(join);
    return utf8(r.has(0.3) ? sentence : changeText(sentence, r, words));
  },
  read: (bytes) => read(textOf(bytes)),
});

function idxFile(r: Choices): Uint8Array<ArrayBuffer> {
  const shape = r.has(0.5) ? [r.below(5)] : [r.below(3), 1 + r.below(4), 1 + r.below(4)];
  const changed = changeBytes(encodeIdx(shape, r.bytes(product(shape))), r);
  return r.has(0.2) ? changeBytes(gzipSync(changed), r) : changed;
}

async function readIdx(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const file = await gunzip(bytes, 'fuzz.gz');
  const { shape, data } = decodeIdx(file, file[3] === 3 ? 3 : 1, 'fuzz.idx');
  requireThat(product(shape) === data.length, `${data.length} values of [${shape}]`);
}

const NPY_WORDS = [
  "'descr': ",
  "'<f4'",
  "'|u1'",
  "'>f8'",
  "'|O'",
  'True',
  'False',
  '(2, 2)',
  '(',
  ')',
  ',',
  '-1',
  '}',
];

function npyFile(r: Choices): Uint8Array<ArrayBuffer> {
  const shape = Array.from({ length: r.below(4) }, () => r.below(4));
  const n = product(shape);
  const file = encodeNpy(r.oneOf([new Float32Array(n), new Float64Array(n), new Uint8Array(n)]), shape);
  if (r.has(0.4)) return changeBytes(file, r);
  // A changed header with the length that fits it.
  const length = 10 + (file[8] | (file[9] << 8));
  const header = utf8(changeText(textOf(file.subarray(10, length)), r, NPY_WORDS)).subarray(0, 65_535);
  const start = Uint8Array.of(...file.subarray(0, 8), header.length & 255, header.length >> 8);
  return Uint8Array.from([...start, ...header, ...file.subarray(length)]);
}

function safetensorsFile(r: Choices): Uint8Array<ArrayBuffer> {
  const data = Float32Array.of(1, 2, 3, 4);
  const file = encodeSafetensors(
    [
      [r.oneOf(['w', 'a.b', ...TEXTS]), { dtype: 'F32', shape: [2, 2], data }],
      ['half', { dtype: 'F16', shape: [4], data }],
    ],
    { format: 'pt' },
  );
  if (r.has(0.4)) return changeBytes(file, r);
  const start = 8 + file[0] + 256 * file[1];
  const json = utf8(JSON.stringify(changeJson(JSON.parse(textOf(file.subarray(8, start))), r)));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return Uint8Array.from([...length, ...json, ...file.subarray(start)]);
}

const FORMULA_WORDS = [
  ...['x', 't', 'pi', 'e', 'mu', '0.1', '2', '1e308', '+', '-', '*', '/', '^', '(', ')', ','],
  ...[
    'exp(',
    'log(',
    'sqrt(',
    'abs(',
    'tanh(',
    'sin(',
    'this',
    'x.y',
    'x[0]',
    '"a"',
    '=>',
    '?',
    ':',
    ';',
    '`',
    '!',
    '&&',
  ],
];

function readFormula(text: string): void {
  scope(() => {
    const equation = expressionSde(text, '1', { mu: 2 });
    const drift = equation.drift(ones([3]), 0.5);
    requireThat(drift.size === 1 || drift.size === 3, `a drift of ${drift.size} elements`);
  });
}

const FIGURES = LESSONS.flatMap(figuresOf);
const ADDRESS_WORDS = [
  ...['#', '&', '=', '.', '%', '%0A', '%E2%80%A8', '%25', ','],
  ...FIGURES.flatMap(({ id, table }) => [id, ...Object.keys(table).map((name) => `${id}.${name}=`)]),
];

function readHash(text: string): void {
  const { values, problems } = readAddress(FIGURES, text);
  for (const problem of problems) {
    requireThat(
      !/[\p{Cc}\u2028\u2029]/u.test(problem),
      `a problem of several lines: ${JSON.stringify(problem)}`,
    );
    requireThat(problem.length <= 3000, `a problem of ${problem.length} characters`);
  }
  for (const figure of FIGURES) {
    const given = values.get(figure.id);
    if (!given) continue;
    const again = readAddress([figure], `#${addressOf(figure, given)}`);
    requireThat(again.problems.length === 0, `an address that is not read again: ${again.problems[0]}`);
    figure.request(given);
    figure.commands(given);
  }
}

/** An NPZ file of one to four arrays, compressed or stored. Half of the files have changes in an array or in the file. */
function npzFile(r: Choices): Uint8Array<ArrayBuffer> {
  const names = ['x_train', 'y_train', 'x_test', 'y_test', 'images', 'labels', 'arr_0', '../x', '__proto__'];
  const whole = r.has(0.5);
  const array = () => (whole || r.has(0.7) ? encodeNpy(r.bytes(6), [1, 2, 3]) : npyFile(r));
  const more = Array.from({ length: r.below(4) }, () => [`${r.oneOf(names)}.npy`, array()] as const);
  const arrays = Object.fromEntries([[`${r.oneOf(['images', 'x', 'arr_0'])}.npy`, array()], ...more]);
  const file = new Uint8Array(zipSync(arrays, { level: r.has(0.5) ? 0 : 6, mtime: '2026-01-01' }));
  return whole || r.has(0.3) ? file : changeBytes(file, r);
}

/** All formats by their names. */
export const TARGETS: Readonly<Record<string, Target>> = {
  idx: { input: idxFile, read: readIdx },
  npy: {
    input: npyFile,
    read(bytes) {
      const { shape, values } = decodeNpy(bytes, 'fuzz.npy');
      requireThat(product(shape) === values.length, `${values.length} values of [${shape}]`);
    },
  },
  npz: {
    input: npzFile,
    read(bytes) {
      for (const { images } of arraysInNpz(bytes, 'fuzz.npz')) {
        const { shape, values } = images;
        requireThat(product(shape) === values.length, `${values.length} values of [${shape}]`);
      }
    },
  },
  png: {
    input: randomPng,
    read(bytes) {
      const { width, height, channels, pixels } = decodePng(bytes, { name: 'fuzz.png', maxPixels: 2 ** 16 });
      requireThat(
        pixels.length === width * height * channels,
        `${pixels.length} bytes of ${width}x${height}`,
      );
    },
  },
  safetensors: {
    input: safetensorsFile,
    read(bytes) {
      for (const { shape, data } of decodeSafetensors(bytes, 'fuzz.safetensors').tensors.values())
        requireThat(product(shape) === data.length, `${data.length} elements of [${shape}]`);
    },
  },
  model: { input: changedModel, read: openCheckpoint },
  formula: texts(FORMULA_WORDS, ' ', readFormula),
  address: texts(ADDRESS_WORDS, '', readHash),
  caption: texts(WORDS, ' ', (text) => {
    requireThat(tokensOf(text).length >= 1, 'no tokens');
    meaningOf(text);
  }),
};

export const TARGET_NAMES: readonly string[] = Object.keys(TARGETS);

/** The input with this number. */
export const inputOf = (seed: string, target: string, number: number): Uint8Array<ArrayBuffer> =>
  TARGETS[target].input(new Choices(`${number}/${seed}/${target}`));
