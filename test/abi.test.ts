/**
 * The table of the ABI (src/backend/abi.ts) against what AssemblyScript compiles: the fields of every record by name,
 * type and offset, the signature of every export, and the constants that both sides need. The oracle is the sources of
 * assembly/ and the module itself; a record is also written, and read back field by field.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  ABI,
  type FIELD_TYPES,
  type KernelName,
  placesOf,
  RECORD_BYTES,
  RecordWriter,
  SUM_BLOCK,
  WORD_BYTES,
  type Word,
} from '../src/backend/abi.ts';
import { instantiate, kernelBytes } from '../src/backend/instance.ts';
import { ACTIVATION } from '../src/backend/kernels.ts';
import { GROUP, gemmBoxes, PATHS, TILE_COLUMNS, TILE_ROWS } from '../src/backend/partition.ts';
import { suite } from './suite.ts';

const sources = readdirSync('assembly', { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join('assembly', file), 'utf8'));
const source = sources.join('\n');

interface Place {
  readonly name: string;
  readonly word: Word;
  readonly at: number;
}

/** The fields of a class in assembly/records.ts, laid out as C does: each at the next multiple of its size. */
function declared(record: string): Place[] {
  const body = new RegExp(`@unmanaged\\s+export class ${record} \\{([^}]*)\\}`).exec(source)?.[1];
  assert.ok(body, `assembly/ declares ${record}`);
  let end = 0;
  return [...body!.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/(\w+): (\w+);/g)].map(([, name, type]) => {
    const size = WORD_BYTES[type as Word];
    assert.ok(size, `${record}.${name} is a word`);
    const at = Math.ceil(end / size) * size;
    end = at + size;
    return { name: name!, word: type as Word, at };
  });
}

/** The words of a kernel's record by the table. */
function tabled(kernel: KernelName): Place[] {
  return ABI[kernel].fields.flatMap(({ name, type, at }) =>
    placesOf(type, at).map(({ suffix, word, at }) => {
      // A target's second word, and a key's, have names of their own.
      const own = type === 'key' || (type === 'target' && suffix !== '');
      return { name: own ? suffix : `${name}${suffix}`, word, at };
    }),
  );
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
        .filter(Boolean)
        .map((parameter) => parameter.split(':')[1]!.trim()),
    ]),
  );
}

/** A constant of assembly/, wherever it is declared. */
function constants(name: string): number[] {
  return [...source.matchAll(new RegExp(`const ${name}: i32 = (\\d+)`, 'g'))].map(([, value]) =>
    Number(value),
  );
}

suite('abi', (test) => {
  const kernels = Object.keys(ABI) as KernelName[];
  const exported = signatures();

  test('every kernel of the table is an export of the module, and every other export prepares an instance', () => {
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });
    const names = Object.keys(instantiate('strict', memory).exports);
    const others = ['attach', 'heapBase', 'init', 'isFused', 'peakMulAdd', 'scratchBytes'];
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
      assert.equal(tabled(kernel), declared(record));
      const bounds = kernel === 'gemm' ? 4 : 2;
      assert.equal(parameters.slice(0, -1), Array(bounds).fill('i32'));
    });
  }

  test('a record that is written is read back word by word, and nothing is written beyond it', () => {
    const memory = new SharedArrayBuffer(1024);
    const bytes = new DataView(memory);
    const at = 64;
    const writer = new RecordWriter(memory, at);
    const values: Readonly<
      Record<keyof typeof FIELD_TYPES, readonly [unknown, readonly (number | bigint)[]]>
    > = {
      i32: [-7, [-7]],
      f32: [0.5, [0.5]],
      f64: [0.1, [0.1]],
      u64: [2 ** 40 + 3, [2n ** 40n + 3n]],
      flag: [true, [1]],
      ptr: [0xfffffff0, [0xfffffff0]],
      activation: ['tanh', [ACTIVATION.indexOf('tanh')]],
      matrix: [{ ptr: 0x80000000, transposed: true }, [0x80000000, 1]],
      view: [{ ptr: 64, row: -3, col: 1 }, [64, -3, 1]],
      target: [{ ptr: 128, accumulate: true }, [128, 1]],
      key: [{ seed: [1, 2], stream: [3, 0xffffffff] }, [1n + (2n << 32n), 3n + (0xffffffffn << 32n)]],
    };
    const read: Readonly<Record<Word, (at: number) => number | bigint>> = {
      i32: (place) => bytes.getInt32(place, true),
      usize: (place) => bytes.getUint32(place, true),
      f32: (place) => bytes.getFloat32(place, true),
      f64: (place) => bytes.getFloat64(place, true),
      u64: (place) => bytes.getBigUint64(place, true),
    };
    for (const kernel of kernels) {
      new Uint8Array(memory).fill(0xaa);
      const { fields, bytes: size } = ABI[kernel];
      writer.write(fields, Object.fromEntries(fields.map(({ name, type }) => [name, values[type][0]])));
      for (const { name, type, at: place } of fields) {
        const words = placesOf(type, place).map(({ word, at: offset }) => read[word](at + offset));
        assert.equal(words, values[type][1], `${kernel}: ${name}`);
      }
      const beyond = new Uint8Array(memory, at + size);
      assert.ok(
        beyond.every((byte) => byte === 0xaa),
        `${kernel}: nothing is written beyond its record`,
      );
      assert.ok(size <= RECORD_BYTES);
    }
  });

  test('what is left out of a record is 0, and no activation', () => {
    const memory = new SharedArrayBuffer(RECORD_BYTES);
    new Uint8Array(memory).fill(0xff);
    const { fields } = ABI.gemm;
    const matrix = { ptr: 8, transposed: false };
    new RecordWriter(memory, 0).write(fields, {
      m: 1,
      n: 1,
      k: 1,
      a: matrix,
      b: matrix,
      out: { ptr: 8, accumulate: false },
    });
    const word = (name: string) =>
      new Int32Array(memory)[fields.find((field) => field.name === name)!.at / 4];
    assert.equal([word('bias'), word('activation')], [0, 0]);
  });

  test('constants that both sides need are equal', () => {
    assert.equal(constants('GROUP'), [GROUP, GROUP]);
    assert.ok(constants('BLOCK').includes(SUM_BLOCK));
    assert.ok(constants('CHUNK').includes(PATHS));
    for (const [code, name] of ACTIVATION.entries()) {
      if (name === 'none') continue;
      assert.match(source, new RegExp(`export const ${name.toUpperCase()}: i32 = ${code};`));
    }
    // A cut along rows or columns must be at whole tiles of both builds.
    const [, relaxed, strict] = /const MR: i32 = ASC_FEATURE_RELAXED_SIMD \? (\d+) : (\d+)/.exec(source)!;
    assert.is(TILE_ROWS % Number(relaxed), 0);
    assert.is(TILE_ROWS % Number(strict), 0);
    assert.equal(constants('NR'), [TILE_COLUMNS]);
    for (const [m0, , n0] of gemmBoxes({ m: 1000, n: 900, k: 500 })) {
      assert.equal([m0! % TILE_ROWS, n0! % TILE_COLUMNS], [0, 0]);
    }
  });
});
