/**
 * Compares the table of the ABI (src/backend/abi.ts) with the compiled kernels: the name, type and offset of every
 * field of a record, the signature of every export, and the constants that both sides need. The oracles are the sources
 * in assembly/ and the compiled module. A record is also written and read back field by field.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  ABI,
  type KernelAbi,
  type KernelName,
  layoutOf,
  type Place,
  QUERY_CHUNK,
  RECORD_BYTES,
  RecordWriter,
  SUM_BLOCK,
  WORD_BYTES,
  type Word,
} from '../src/backend/abi.ts';
import { BLOCK_TILES, BLOCK_TILES_4 } from '../src/backend/conv/winograd.ts';
import { instantiate, kernelBytes } from '../src/backend/instance.ts';
import { ACTIVATION, MASK_KIND } from '../src/backend/kernels.ts';
import { GROUP, gemmBoxes, TILE_COLUMNS, TILE_ROWS } from '../src/backend/partition.ts';
import { suite } from './suite.ts';

const sources = readdirSync('assembly', { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join('assembly', file), 'utf8'));
const source = sources.join('\n');

/**
 * The fields of a class in assembly/records.ts, after those of its base class, with the layout of C: each field is at
 * the next multiple of its size.
 */
function declared(record: string): Place[] {
  const form = new RegExp(`@unmanaged\\s+export class ${record}(?: extends (\\w+))? \\{([^}]*)\\}`);
  const [, base, body] = form.exec(source) ?? [];
  assert.ok(body, `assembly/ declares ${record}`);
  const inherited = base ? declared(base) : [];
  const last = inherited.at(-1);
  let end = last ? last.at + WORD_BYTES[last.word] : 0;
  const own = [...body!.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/(\w+): (\w+);/g)].map(([, name, type]) => {
    const size = WORD_BYTES[type as Word];
    assert.ok(size, `${record}.${name} is a word`);
    const at = Math.ceil(end / size) * size;
    end = at + size;
    return { name: name!, word: type as Word, at };
  });
  return [...inherited, ...own];
}

/** The parameters of every exported function, by the name of its export. */
function signatures(): Map<string, string[]> {
  const index = readFileSync('assembly/index.ts', 'utf8');
  const renamed = new Map([...index.matchAll(/(\w+) as (\w+)/g)].map(([, from, to]) => [from!, to!]));
  const functions = [...source.matchAll(/export function (\w+)\(([^)]*)\): void/g)];
  return new Map(
    functions.map(([, name, parameters]) => [
      renamed.get(name!) ?? name!,
      parameters!
        .split(',')
        .filter((parameter) => parameter.trim() !== '')
        .map((parameter) => parameter.split(':')[1]!.trim()),
    ]),
  );
}

/** A constant of assembly/, from any file. */
function constants(name: string): number[] {
  return [...source.matchAll(new RegExp(`const ${name}: i32 = (\\d+)`, 'g'))].map(([, value]) =>
    Number(value),
  );
}

suite('abi', (test) => {
  const kernels = Object.keys(ABI) as KernelName[];
  const exported = signatures();
  /** The kernels whose chunks are boxes. The chunks of the others are ranges. */
  const BOXES: readonly string[] = [
    'gemm',
    'scatterAdd',
    'conv2d',
    'conv2dInputGradient',
    'conv2dWeightGradient',
    'winograd',
    'winograd4',
    'winogradSums',
  ];

  test('every kernel of the table is an export of the module, and every other export prepares an instance', () => {
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
    const names = Object.keys(instantiate('strict', memory).exports);
    const others = [
      'attach',
      'heapBase',
      'init',
      'isFused',
      'scratchBytes',
      'winogradBytes',
      'winograd4Bytes',
    ];
    assert.equal(names.sort(), [...kernels, ...others].sort());
    assert.equal(
      WebAssembly.Module.imports(new WebAssembly.Module(kernelBytes('strict'))).map(({ name }) => name),
      ['memory'],
    );
  });

  for (const kernel of kernels) {
    test(`the record of ${kernel} has the fields that its kernel reads, at the same places`, () => {
      const parameters = exported.get(kernel)!;
      const record = parameters.at(-1)!;
      assert.equal(layoutOf(kernel).places, declared(record));
      const bounds = BOXES.includes(kernel) ? 4 : 2;
      assert.equal(parameters.slice(0, -1), Array(bounds).fill('i32'));
    });
  }

  const bits = { i32: 32, usize: 32, f32: 32, u64: 64, f64: 64 };
  /** Different numbers for the fields of every record, by their names in the contract. */
  const numbers = (name: string) =>
    [...name].reduce((sum, letter) => 3 * sum + letter.charCodeAt(0), 0) % 50_000;
  const VALUES: Readonly<Record<string, unknown>> = {
    activation: 'tanh',
    accumulate: true,
    nesterov: true,
    first: true,
    reverse: true,
    turned: true,
    silu: true,
    inside: true,
    causal: true,
    mask: { ptr: numbers('mask'), kind: 'add', batch: -8, head: -9, row: -10 },
    out: { ptr: numbers('out'), accumulate: true },
    x: { ptr: numbers('x'), row: -3, col: 1 },
    y: { ptr: numbers('y'), row: -4, col: 1 },
    condition: { ptr: numbers('condition'), row: -5, col: 1 },
    index: { ptr: numbers('index'), outer: -6, row: -7, col: 1 },
    key: { seed: [numbers('seed'), 7], stream: [numbers('stream'), 0xffffffff] },
    block: 2 ** 40 + numbers('block'),
  };
  const WORDS: Readonly<Record<string, number | bigint>> = {
    accumulate: 1,
    nesterov: 1,
    first: 1,
    reverse: 1,
    turned: 1,
    silu: 1,
    inside: 1,
    causal: 1,
    maskKind: MASK_KIND.indexOf('add'),
    maskBatch: -8,
    maskHead: -9,
    maskRow: -10,
    ...{ qRow: -11, kRow: -11, vRow: -11, dqRow: -11, dkRow: -11, dvRow: -11 },
    ...{ dqAccumulate: 1, dkAccumulate: 1, dvAccumulate: 1 },
    activation: ACTIVATION.indexOf('tanh'),
    aT: 1,
    bT: 1,
    aRow: -1,
    bRow: -2,
    xRow: -3,
    yRow: -4,
    conditionRow: -5,
    indexOuter: -6,
    indexRow: -7,
    indexCol: 1,
    aCol: 1,
    bCol: 1,
    xCol: 1,
    yCol: 1,
    conditionCol: 1,
    seed: BigInt(numbers('seed')) + (7n << 32n),
    stream: BigInt(numbers('stream')) + (0xffffffffn << 32n),
    block: 2n ** 40n + BigInt(numbers('block')),
  };

  /** Rows of channels, if they have a stride, and rows of a gradient. */
  const ROWS: readonly string[] = ['q', 'k', 'v', 'dq', 'dk', 'dv'];

  test('a record that is written is read back word by word, and nothing is written beyond it', () => {
    const memory = new SharedArrayBuffer(1024);
    const view = new DataView(memory);
    const at = 64;
    const read: Readonly<Record<Word, (at: number) => number | bigint>> = {
      i32: (place) => view.getInt32(place, true),
      usize: (place) => view.getUint32(place, true),
      f32: (place) => view.getFloat32(place, true),
      f64: (place) => view.getFloat64(place, true),
      u64: (place) => view.getBigUint64(place, true),
    };
    for (const kernel of kernels) {
      new Uint8Array(memory).fill(0xaa);
      const { places, bytes } = layoutOf(kernel);
      const words = new Set(places.map(({ name }) => name));
      const operand = (name: string, row: number) => {
        const ptr = numbers(name);
        return words.has(`${name}T`)
          ? { ptr, transposed: true }
          : words.has(`${name}Row`)
            ? { ptr, row, col: 1 }
            : ptr;
      };
      const target = words.has('accumulate') && !words.has('yRow');
      const record = new Proxy({} as Record<string, unknown>, {
        get: (_, name: string) => {
          if (name === 'a' || name === 'b') return operand(name, name === 'a' ? -1 : -2);
          if (ROWS.includes(name) && words.has(`${name}Row`)) {
            return { ptr: numbers(name), row: -11, accumulate: true };
          }
          if (name === 'out' && !target) return numbers('out');
          if ((name === 'x' || name === 'y') && !words.has(`${name}Row`)) return numbers(name);
          return name in VALUES ? VALUES[name] : numbers(name);
        },
      });
      (ABI[kernel] as KernelAbi<object>).write(new RecordWriter(memory, at).start(), record);
      for (const { name, word, at: place } of places) {
        const expected = WORDS[name] ?? numbers(name);
        const got = read[word](at + place);
        assert.equal(
          got,
          typeof got === 'bigint' ? BigInt(expected) : expected,
          `${kernel}: ${name}, ${bits[word]} bits`,
        );
      }
      const beyond = new Uint8Array(memory, at + bytes);
      assert.ok(
        beyond.every((byte) => byte === 0xaa),
        `${kernel}: nothing is written beyond its record`,
      );
      assert.ok(bytes <= RECORD_BYTES);
    }
  });

  test('a field that is left out of a record is 0, and the activation is none', () => {
    const memory = new SharedArrayBuffer(RECORD_BYTES);
    new Uint8Array(memory).fill(0xff);
    const matrix = { ptr: 8, transposed: false };
    const out = { ptr: 8, accumulate: false };
    ABI.gemm.write(new RecordWriter(memory, 0).start(), { m: 1, n: 1, k: 1, a: matrix, b: matrix, out });
    const word = (name: string) =>
      new Int32Array(memory)[layoutOf('gemm').places.find((place) => place.name === name)!.at / 4];
    assert.equal([word('bias'), word('activation')], [0, 0]);
  });

  test('constants that both sides need are equal', () => {
    assert.equal(constants('GROUP'), [GROUP, GROUP]);
    assert.ok(constants('BLOCK').includes(SUM_BLOCK));
    assert.equal(constants('QUERY_CHUNK'), [QUERY_CHUNK]);
    assert.equal(constants('TILES').sort(), [BLOCK_TILES_4, BLOCK_TILES]);
    for (const kind of MASK_KIND.filter((kind) => kind !== 'none')) {
      assert.equal(constants(`MASK_${kind.toUpperCase()}`), [MASK_KIND.indexOf(kind)]);
    }
    for (const [code, name] of ACTIVATION.entries()) {
      if (name === 'none') continue;
      assert.match(source, new RegExp(`export const ${name.toUpperCase()}: i32 = ${code};`));
    }
    // A split along rows or columns must be at whole tiles of both builds.
    const [, relaxed, strict] = /const MR: i32 = ASC_FEATURE_RELAXED_SIMD \? (\d+) : (\d+)/.exec(source)!;
    assert.is(TILE_ROWS % Number(relaxed), 0);
    assert.is(TILE_ROWS % Number(strict), 0);
    assert.equal(constants('NR'), [TILE_COLUMNS]);
    for (const [m0, , n0] of gemmBoxes({ m: 1000, n: 900, k: 500 })) {
      assert.equal([m0! % TILE_ROWS, n0! % TILE_COLUMNS], [0, 0]);
    }
  });
});
