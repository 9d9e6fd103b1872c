/** safetensors: files built byte by byte, one of the reference implementation, and all kinds of damage. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DTYPES, type Dtype, dtypeInfo, swapToLittleEndian } from '../src/checkpoint/dtype.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../src/checkpoint/safetensors.ts';
import { FormatError, ValueError } from '../src/errors.ts';
import { suite } from './suite.ts';

/** The value of a half's bits by the formula of IEEE 754: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. */
function halfValue(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  const finite = exponent === 0 ? 2 ** -14 * (fraction / 1024) : 2 ** (exponent - 15) * (1 + fraction / 1024);
  return sign * finite;
}

/** The bits of these numbers in a file, as halves. */
function halvesOf(data: Float32Array | Float64Array): Uint16Array {
  const bytes = encodeSafetensors([['x', { dtype: 'F16', shape: [data.length], data }]]);
  return new Uint16Array(bytes.slice(bytes.length - 2 * data.length).buffer);
}

/** A file of this header text and these data bytes, byte by byte. */
function file(header: string | Uint8Array, data: readonly number[] = [], length?: bigint): Uint8Array {
  const json = typeof header === 'string' ? Buffer.from(header, 'utf8') : header;
  const n = length ?? BigInt(json.length);
  const size = Array.from({ length: 8 }, (_, i) => Number((n >> BigInt(8 * i)) & 255n));
  return Uint8Array.from([...size, ...json, ...data]);
}

function refused(bytes: Uint8Array, message: RegExp): void {
  try {
    decodeSafetensors(bytes, 'a.safetensors');
  } catch (error) {
    assert.instance(error, FormatError);
    const text = (error as Error).message;
    assert.match(text, message);
    assert.ok(text.startsWith('a.safetensors: '), text);
    assert.not.match(text, /\n/);
    return;
  }
  assert.unreachable(`accepted, expected ${message}`);
}

function unwritable(action: () => unknown, message: RegExp): void {
  assert.throws(action, (error: Error) => error instanceof ValueError && message.test(error.message));
}

const bitsOf = (data: StoredTensor['data']) =>
  Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
const one = (fields: string) => `{"x":{${fields}}}`;
const F32_PAIR = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';
const ZEROS = [0, 0, 0, 0, 0, 0, 0, 0];

const writable = DTYPES.filter((dtype) => !dtypeInfo(dtype).widen);
const anyTensor: fc.Arbitrary<StoredTensor> = fc
  .record({
    dtype: fc.constantFrom(...writable),
    shape: fc.array(fc.nat(3), { maxLength: 4 }),
    bits: fc.uint8Array({ minLength: 648, maxLength: 648 }),
  })
  .map(({ dtype, shape, bits }) => {
    const { stored } = dtypeInfo(dtype);
    const size = shape.reduce((a, b) => a * b, 1) * stored.BYTES_PER_ELEMENT;
    return { dtype, shape, data: new stored(bits.slice(0, size).buffer) };
  });
const hostile = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '0',
  '10',
  '',
  'a"\\\n',
  'ключ',
  '\u{1f600}',
);
const anyName = fc.oneof(fc.string(), hostile).filter((name) => name !== '__metadata__');
const anyFile = fc.tuple(
  fc.uniqueArray(fc.tuple(anyName, anyTensor), { selector: ([name]) => name, maxLength: 6 }),
  fc.dictionary(fc.oneof(fc.string(), hostile), fc.string()),
);

suite('safetensors', (test) => {
  test('a file is written as the format says, byte by byte', () => {
    const written = encodeSafetensors(
      [['x', { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1.5, -2) }]],
      { a: 'b' },
    );
    const header = '{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}       ';
    assert.is(header.length, 88);
    assert.equal(written, file(header, [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]));
  });

  test('a file of the reference implementation is read, with every type and padding it has', () => {
    const header =
      '{"__metadata__":{"format":"pt"},"step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},' +
      '"w":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},' +
      '"brain":{"dtype":"BF16","shape":[2],"data_offsets":[32,36]},' +
      '"half":{"dtype":"F16","shape":[4],"data_offsets":[36,44]},' +
      '"none":{"dtype":"U8","shape":[0,5],"data_offsets":[44,44]},' +
      '"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[44,47]}}     ';
    const data =
      'f9ffffffffffffff0000c03f000000c00000807f00000000010000000000504080' + '3f49c0003c00b8ff7b0100010001';
    // Written by safetensors 0.8.0 from Python.
    const bytes = file(header, [...Buffer.from(data, 'hex')]);
    assert.is(bytes.length, 439);
    const { tensors, metadata } = decodeSafetensors(bytes);
    assert.equal([...metadata], [['format', 'pt']]);
    assert.equal([...tensors.keys()], ['step', 'w', 'brain', 'half', 'none', 'mask']);
    assert.equal(tensors.get('step'), { dtype: 'I64', shape: [], data: BigInt64Array.of(-7n) });
    const w = Float32Array.of(1.5, -2, Infinity, 0, 1.401298464324817e-45, 3.25);
    assert.equal(tensors.get('w'), { dtype: 'F32', shape: [2, 3], data: w });
    assert.equal(tensors.get('brain')!.data, Float32Array.of(1, -3.140625));
    assert.equal(tensors.get('half')!.data, Float32Array.of(1, -0.5, 65504, 2 ** -24));
    assert.equal(tensors.get('none'), { dtype: 'U8', shape: [0, 5], data: new Uint8Array(0) });
    assert.equal(tensors.get('mask')!.data, Uint8Array.of(1, 0, 1));
  });

  test('any names, shapes, types and bits are read back bit for bit', () => {
    fc.assert(
      fc.property(anyFile, ([tensors, metadata]) => {
        const back = decodeSafetensors(encodeSafetensors(tensors, metadata));
        assert.equal([...back.metadata].sort(), Object.entries(metadata).sort());
        assert.is(back.tensors.size, tensors.length);
        for (const [name, { dtype, shape, data }] of tensors) {
          const got = back.tensors.get(name)!;
          assert.is(got.dtype, dtype);
          assert.equal(got.shape, shape);
          assert.is(got.data.constructor, data.constructor);
          assert.equal(bitsOf(got.data), bitsOf(data));
        }
      }),
    );
  });

  test('every tensor begins at a multiple of its element size, and of 8 bytes the data', () => {
    fc.assert(
      fc.property(anyFile, ([tensors, metadata]) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const n = Number(new DataView(bytes.buffer).getBigUint64(0, true));
        assert.is(n % 8, 0);
        const { __metadata__, ...header } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + n)));
        for (const { dtype, data_offsets } of Object.values<{ dtype: Dtype; data_offsets: number[] }>(
          header,
        )) {
          assert.is(data_offsets[0] % dtypeInfo(dtype).stored.BYTES_PER_ELEMENT, 0);
        }
      }),
    );
  });

  test('a cut file is refused wherever it is cut', () => {
    const whole = encodeSafetensors([
      ['w', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }],
      ['b', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) }],
    ]);
    for (let n = 0; n < whole.length; n++) refused(whole.subarray(0, n), /expected/);
    refused(Uint8Array.from([...whole, 0]), /expected 11 bytes after the header, got 12/);
  });

  test('one damaged byte of the header is refused, or names other tensors of the same bytes', () => {
    fc.assert(
      fc.property(anyFile, fc.nat(), fc.integer({ min: 1, max: 255 }), ([tensors, metadata], where, flip) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
        bytes[where % end] ^= flip;
        try {
          const back = [...decodeSafetensors(bytes).tensors.values()];
          const sizes = back.map(({ dtype, shape }) =>
            shape.reduce((a, b) => a * b, dtypeInfo(dtype).stored.BYTES_PER_ELEMENT),
          );
          assert.is(
            sizes.reduce((a, b) => a + b, 0),
            bytes.length - end,
          );
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          assert.not.match(error.message, /\n/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('the header length is checked against the file and the cap', () => {
    refused(new Uint8Array(7), /8 bytes or more, got 7/);
    refused(new Uint8Array(8), /a header that begins with {/);
    refused(file('{}', [], 3n), /at most 2 bytes, got one of 3/);
    refused(file('{}', [], 2n ** 64n - 1n), /at most 2 bytes, got one of 18446744073709551615/);
    refused(file('{}', [], 0n), /JSON/);
    const big = new Uint8Array(100_000_010);
    new DataView(big.buffer).setBigUint64(0, 100_000_001n, true);
    refused(big, /at most 100000000 bytes, got one of 100000001/);
    assert.is(decodeSafetensors(file('{}')).tensors.size, 0);
  });

  test('a header that is not JSON in UTF-8 is refused', () => {
    refused(file(' {}'), /begins with \{/);
    refused(file('[1]'), /begins with \{/);
    refused(file('\ufeff{}'), /begins with \{/);
    refused(file('{"x":'), /JSON/);
    refused(file('{}\n\n!'), /JSON/);
    refused(file('{"x":\n!}'), /JSON/); // V8 quotes this one with its line end
    refused(file(one(`${F32_PAIR},`), ZEROS), /JSON/);
    refused(file('{"x'), /JSON/);
    refused(file('{"x\\'), /JSON/);
    const json = Buffer.from(one(F32_PAIR));
    json[2] = 0xff; // the name, which is not valid UTF-8 now
    refused(file(json, ZEROS), /UTF-8: .*utf-8/);
    refused(file(`{"x":${'['.repeat(200_000)}`), /nested/);
    refused(file(`{"x":${'{"x":'.repeat(200_000)}`), /nested/);
    refused(file('{"x":[{}]}'), /nested/);
  });

  test('a name that occurs twice is refused, for any spelling', () => {
    const twice = (a: string, b: string) => `{"${a}":{${F32_PAIR}},"${b}":{${F32_PAIR}}}`;
    refused(file(twice('x', 'x'), ZEROS), /the name "x" is given twice/);
    refused(file(twice('x', '\\u0078'), ZEROS), /the name "x" is given twice/);
    refused(file(one(`${F32_PAIR},"dtype":"F32"`), ZEROS), /the name "dtype" is given twice/);
    refused(file('{"__metadata__":{"a":"1","a" : "2"}}'), /the name "a" is given twice/);
    const apart =
      '{"dtype":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"dtype":"dtype"}}';
    assert.is(decodeSafetensors(file(apart, [5])).tensors.get('dtype')!.data[0], 5);
  });

  test('names with a meaning in JavaScript are ordinary names', () => {
    const empty = '"shape":[0],"data_offsets":[0,0]';
    const header =
      `{"__proto__":{"dtype":"U8",${empty}},"constructor":{"dtype":"I8",${empty}},` +
      `"__metadata__":{"__proto__":"p"}}`;
    const { tensors, metadata } = decodeSafetensors(file(header));
    assert.equal([...tensors.keys()], ['__proto__', 'constructor']);
    assert.is(metadata.get('__proto__'), 'p');
    assert.is(({} as { dtype?: unknown }).dtype, undefined);
    refused(file('{"x":{"__proto__":"U8","shape":[0],"data_offsets":[0,0]}}'), /dtype .* got nothing/);
  });

  test('wrong fields of a tensor are refused by name', () => {
    refused(file('{"x":7}'), /"x": expected dtype to be one of F64 F32 .* got nothing/);
    refused(file('{"x":null}'), /dtype/);
    refused(file('{"x":[]}'), /dtype/);
    refused(file(one('"dtype":"F31","shape":[2],"data_offsets":[0,8]'), ZEROS), /dtype .* got "F31"/);
    refused(file(one('"dtype":"toString","shape":[2],"data_offsets":[0,8]'), ZEROS), /dtype/);
    refused(file(one('"dtype":["F32"],"shape":[2],"data_offsets":[0,8]'), ZEROS), /dtype/);
    for (const shape of [
      '[-2]',
      '[2.5]',
      '["2"]',
      '[null]',
      '2',
      '"2"',
      'null',
      '[1e400]',
      '[9007199254740992]',
    ]) {
      refused(file(one(`"dtype":"F32","shape":${shape},"data_offsets":[0,8]`), ZEROS), /expected shape/);
    }
    refused(file(one('"dtype":"F32","shape":[-0],"data_offsets":[0,0]')), /expected shape/);
    for (const offsets of [
      '[0]',
      '[0,8,8]',
      '[-8,0]',
      '[0,8.5]',
      '["0",8]',
      'null',
      '[0,18446744073709551616]',
    ]) {
      refused(
        file(one(`"dtype":"F32","shape":[2],"data_offsets":${offsets}`), ZEROS),
        /expected data_offsets/,
      );
    }
  });

  test('a shape that is not the size of its bytes is refused, also beyond 2^53', () => {
    const with_ = (shape: string, offsets = '[0,8]') =>
      file(one(`"dtype":"F32","shape":${shape},"data_offsets":${offsets}`), ZEROS);
    refused(with_('[3]'), /12 bytes apart for F32 \[3\], got \[0,8\]/);
    refused(with_('[]'), /4 bytes apart/);
    refused(with_('[2]', '[8,0]'), /8 bytes apart/);
    refused(with_('[4294967296,4294967296]'), /bytes apart/); // 2^64: 0 in 64-bit arithmetic
    refused(with_(`[${Array(40).fill(9007199254740991)}]`), /bytes apart/);
    refused(with_(`[${Array(40).fill(9007199254740991)},0]`), /bytes apart/);
    refused(with_('[2]', '[8,16]'), /from byte 0, got 8/);
  });

  test('holes, overlaps and uncovered bytes are refused', () => {
    const two = (a: string, b: string) =>
      `{"a":{"dtype":"U8","shape":[2],"data_offsets":${a}},"b":{"dtype":"U8","shape":[2],"data_offsets":${b}}}`;
    assert.is(decodeSafetensors(file(two('[2,4]', '[0,2]'), [1, 2, 3, 4])).tensors.get('a')!.data[0], 3);
    refused(file(two('[0,2]', '[3,5]'), [1, 2, 3, 4, 5]), /"b": expected data from byte 2, got 3/);
    refused(file(two('[0,2]', '[1,3]'), [1, 2, 3]), /"b": expected data from byte 2, got 1/);
    refused(file(two('[0,2]', '[0,2]'), [1, 2]), /expected data from byte 2, got 0/);
    refused(file(two('[0,2]', '[2,4]'), [1, 2, 3]), /expected 4 bytes after the header, got 3/);
    refused(file('{}', [1]), /expected 0 bytes after the header, got 1/);
  });

  test('metadata is an object of strings', () => {
    refused(file('{"__metadata__":{"epoch":3}}'), /"epoch" to be a string, got 3/);
    refused(file('{"__metadata__":{"a":["b"]}}'), /to be a string/);
    refused(file('{"__metadata__":"epoch"}'), /to be an object/);
    refused(file('{"__metadata__":null}'), /to be an object/);
    refused(file('{"__metadata__":["a"]}'), /to be an object/);
  });

  test('the writer refuses arguments whose file the reader would refuse', () => {
    const x: StoredTensor = { dtype: 'F32', shape: [2], data: new Float32Array(2) };
    unwritable(
      () =>
        encodeSafetensors([
          ['x', x],
          ['x', x],
        ]),
      /the name x is given twice/,
    );
    unwritable(
      () => encodeSafetensors([['__metadata__', x]]),
      /expected the name of a tensor, got the reserved name __metadata__/,
    );
    unwritable(() => encodeSafetensors([['x', { ...x, shape: [3] }]]), /the elements of \[3\], got 2/);
    unwritable(() => encodeSafetensors([['x', { ...x, shape: [-1, -2] }]]), /the elements of/);
    unwritable(
      () => encodeSafetensors([['x', { ...x, dtype: 'I32' }]]),
      /Int32Array for I32, got a Float32Array/,
    );
    unwritable(
      () => encodeSafetensors([['x', { ...x, dtype: 'BF16' }]]),
      /expected one of F64 F32 F16 I64 .* got BF16/,
    );
    unwritable(
      () => encodeSafetensors([['x', { ...x, dtype: 'F16', data: new Uint16Array(2) }]]),
      /x: expected a Float32Array or Float64Array for F16, got a Uint16Array/,
    );
    unwritable(() => encodeSafetensors([['x', { ...x, dtype: 'f32' as Dtype }]]), /got f32/);
    unwritable(
      () => encodeSafetensors([], { epoch: 3 as unknown as string }),
      /metadata epoch: .* got number/,
    );
  });

  test('a view into a larger buffer is written alone, and read where nothing is aligned', () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const bytes = encodeSafetensors([['x', { dtype: 'F32', shape: [2], data }]]);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const back = decodeSafetensors(shifted.subarray(1)).tensors.get('x')!;
    assert.equal(back.data, Float32Array.of(1, 2));
    shifted.fill(0);
    assert.equal(back.data, Float32Array.of(1, 2));
  });

  test('all 65,536 half floats widen to the value of their formula', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const header = one('"dtype":"F16","shape":[65536],"data_offsets":[0,131072]');
    const { data } = decodeSafetensors(file(header, [...new Uint8Array(bits.buffer)])).tensors.get('x')!;
    for (const half of bits) {
      const expected = halfValue(half);
      if (!Object.is(data[half], expected)) assert.is(data[half], expected, `bits ${half}`);
    }
  });

  test('all 65,536 half floats are written back to the same bits, NaNs with their payload', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const header = one('"dtype":"F16","shape":[65536],"data_offsets":[0,131072]');
    const { data } = decodeSafetensors(file(header, [...new Uint8Array(bits.buffer)])).tensors.get('x')!;
    assert.equal(halvesOf(data as Float32Array), bits);
    const doubles = halvesOf(Float64Array.from(data as Float32Array));
    for (const half of bits) {
      if (Number.isNaN(halfValue(half))) assert.ok(Number.isNaN(halfValue(doubles[half])), `NaN ${half}`);
      else if (doubles[half] !== half) assert.is(doubles[half], half);
    }
    const payload = new Float32Array(Uint32Array.of(0x7f800001, 0xffc00000).buffer);
    assert.equal([...halvesOf(payload)], [0x7e00, 0xfe00], 'a NaN whose upper bits are 0 stays a NaN');
  });

  test('between any two halves a number goes to the nearer, and the middle to the even one', () => {
    // Neighbours and their middles are exact in float64, and so are the neighbours of a middle in float64 and float32.
    const [doubles, floats, expected]: number[][] = [[], [], []];
    const float = new Float32Array(1);
    const bits = new Uint32Array(float.buffer);
    const beside = (x: number, step: number) => {
      float[0] = x;
      bits[0] += step;
      return float[0];
    };
    for (let half = 0; half < 0x7bff; half++) {
      const middle = (halfValue(half) + halfValue(half + 1)) / 2;
      const even = half % 2 === 0 ? half : half + 1;
      doubles.push(middle * (1 - 2 ** -53), middle, middle * (1 + 2 ** -52));
      floats.push(beside(middle, -1), middle, beside(middle, 1));
      expected.push(half, even, half + 1);
    }
    for (const [values, name] of [
      [Float64Array.from(doubles), 'float64'],
      [Float32Array.from(floats), 'float32'],
    ] as const) {
      const [plus, minus] = [halvesOf(values), halvesOf(values.map((x) => -x))];
      for (let i = 0; i < expected.length; i++) {
        if (plus[i] !== expected[i]) assert.is(plus[i], expected[i], `${name} ${values[i]}`);
        if (minus[i] !== (expected[i] | 0x8000)) assert.is(minus[i], expected[i] | 0x8000, `-${values[i]}`);
      }
    }
    assert.equal([...halvesOf(Float64Array.of(5e-324, -1e-300, -0))], [0, 0x8000, 0x8000]);
  });

  test('a number beyond the largest half is refused with the name of its tensor, and infinity is kept', () => {
    const largest = Float64Array.of(65519.999999, -65519.999999, Infinity, -Infinity);
    assert.equal([...halvesOf(largest)], [0x7bff, 0xfbff, 0x7c00, 0xfc00]);
    for (const wrong of [65520, -65520, 1e300]) {
      unwritable(
        () => halvesOf(Float64Array.of(0, wrong)),
        new RegExp(
          `^safetensors: x: expected numbers from -65504 to 65504 for F16, got ${String(wrong).replace('+', '.')}$`,
        ),
      );
    }
  });

  test('halves are after wider elements in the file, with two bytes each', () => {
    const bytes = encodeSafetensors([
      ['h', { dtype: 'F16', shape: [3], data: Float32Array.of(1, -2, 0.5) }],
      ['w', { dtype: 'F32', shape: [1], data: Float32Array.of(1.5) }],
    ]);
    assert.equal([...bytes.slice(-10)], [0, 0, 0xc0, 0x3f, 0, 0x3c, 0, 0xc0, 0, 0x38]);
    assert.equal([...decodeSafetensors(bytes).tensors.keys()], ['w', 'h']);
  });

  test('on a big-endian host the bytes of each element are swapped', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    swapToLittleEndian(bytes, 4, false);
    assert.equal(bytes, Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5));
    swapToLittleEndian(bytes, 1, false);
    swapToLittleEndian(bytes, 8, true);
    assert.equal(bytes, Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5));
  });
});
