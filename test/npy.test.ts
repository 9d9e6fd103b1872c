/** NPY: the bytes of files from NumPy 2.4, files of our own writer, and all kinds of damage. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { decodeNpy, encodeNpy } from '../src/data/npy.ts';
import { FormatError, LangevinError } from '../src/errors.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

/** A file in the layout of `numpy.save`: magic, version, length and header, padded to a multiple of 64 bytes. */
function npy(header: string, values: readonly number[], version: 1 | 2 = 1): Uint8Array<ArrayBuffer> {
  const prefix = version === 1 ? 10 : 12;
  const length = Math.ceil((prefix + header.length + 1) / 64) * 64 - prefix;
  const size = version === 1 ? [length & 255, length >> 8] : [length & 255, length >> 8, 0, 0];
  const text = new TextEncoder().encode(`${header.padEnd(length - 1)}\n`);
  return Uint8Array.from([
    0x93,
    ...new TextEncoder().encode('NUMPY'),
    version,
    0,
    ...size,
    ...text,
    ...values,
  ]);
}
const header = (type: string, shape: string, order = 'False') =>
  `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
const bad = (bytes: Uint8Array<ArrayBuffer>, message: RegExp) =>
  refused(() => decodeNpy(bytes, 's.npy'), FormatError, message);

suite('npy', (test) => {
  test('files of numpy.save are read: bytes, whole numbers of either sign, and floats', () => {
    const u8 = decodeNpy(npy(header('|u1', '(1, 2, 3)'), [0, 1, 2, 3, 4, 255]));
    assert.equal(u8, { type: 'uint8', shape: [1, 2, 3], values: Uint8Array.of(0, 1, 2, 3, 4, 255) });
    const i4 = decodeNpy(npy(header('<i4', '(2,)'), [3, 0, 0, 0, 255, 255, 255, 255]));
    assert.equal(i4, { type: 'int32', shape: [2], values: Float64Array.of(3, -1) });
    const i8 = decodeNpy(npy(header('<i8', '(1,)'), [251, 255, 255, 255, 255, 255, 255, 255], 2));
    assert.equal(i8, { type: 'int64', shape: [1], values: Float64Array.of(-5) });
    const f4 = decodeNpy(npy(header('<f4', '(1, 2)'), [0, 0, 0, 63, 0, 0, 0, 192]));
    assert.equal(f4, { type: 'float32', shape: [1, 2], values: Float64Array.of(0.5, -2) });
    const scalar = decodeNpy(npy(header('<f8', '()'), [0, 0, 0, 0, 0, 0, 244, 63]));
    assert.equal(scalar, { type: 'float64', shape: [], values: Float64Array.of(1.25) });
    assert.equal(decodeNpy(npy(header('|u1', '(0, 28)'), [])).shape, [0, 28]);
  });

  test('files of our own writer are read back', () => {
    const values = Float32Array.of(1.5, -0.25, 3e-40, Infinity, -1e30, 7);
    const back = decodeNpy(new Uint8Array(encodeNpy(values, [3, 2])));
    assert.equal(back, { type: 'float32', shape: [3, 2], values: Float64Array.from(values) });
  });

  test('the values of a written file begin at a multiple of 64, behind a header that ends with a line end', () => {
    // The header gets longer by one character at a time.
    for (let digits = 1; digits <= 80; digits++) {
      const shape = [...Array(Math.floor((digits - 1) / 3)).fill(1), 10 ** ((digits - 1) % 3), 0];
      const file = new Uint8Array(encodeNpy(new Float32Array(0), shape));
      assert.is(file.length % 64, 0);
      assert.is(new DataView(file.buffer).getUint16(8, true), file.length - 10);
      assert.match(new TextDecoder().decode(file.subarray(10)), /^\{'descr': '<f4', .*, 0\), \} *\n$/);
      if (shape.length <= 32) assert.equal(decodeNpy(file).shape, shape);
    }
  });

  test('another type, order, version or size is refused, and so is a file that is not an array', () => {
    bad(Uint8Array.of(1, 2, 3), /s\.npy: expected an NPY file, got 3 bytes of something else/);
    const whole = npy(header('|u1', '(2, 2)'), [1, 2, 3, 4]);
    bad(whole.subarray(0, whole.length - 1), /expected 4 bytes for uint8 \[2, 2\], got 3 \(truncated\)/);
    bad(Uint8Array.from([...whole, 0]), /expected 4 bytes for uint8 \[2, 2\], got 5 \(trailing bytes\)/);
    bad(npy(header('|u1', '(2, 2)', 'True'), [1, 2, 3, 4]), /expected C order, got Fortran order/);
    bad(npy(header('>i4', '(1,)'), [0, 0, 0, 1]), /expected values of type \|u1, .*, got ">i4"/);
    bad(npy(header('|O', '(1,)'), [0]), /expected values of type .*, got "\|O"/);
    bad(npy(header('|u1', '(1, -2)'), []), /expected a header of/);
    bad(npy(header('|u1', '(1,, 2)'), []), /expected a shape of at most 32 sizes, got "\(1,, 2\)"/);
    bad(npy(header('|u1', `(${'9'.repeat(30)},)`), []), /expected a shape of at most 32 sizes/);
    bad(npy(header('|u1', '(9007199254740991, 9007199254740991)'), [1]), /got 1 \(truncated\)/);
    bad(npy("{'shape': (1,)}", [1]), /expected a header of 'descr', 'fortran_order' and 'shape'/);
    const later = whole.slice();
    later[6] = 4;
    bad(later, /expected NPY version 1, 2 or 3, got 4\.0/);
    const long = whole.slice();
    long[9] = 255;
    bad(long, /expected a header of at most 122 bytes, got 65\d+/);
  });

  test('a file with random changes or a cut is either read, or refused in one line', () => {
    const whole = npy(header('<i4', '(2, 1)'), [1, 0, 0, 0, 2, 0, 0, 0]);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, fc.nat(whole.length), (changes, cut) => {
        const bytes = whole.slice(0, whole.length - (cut % 3 === 0 ? cut : 0));
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          const { shape, values } = decodeNpy(bytes);
          return shape.reduce((a, b) => a * b, 1) === values.length;
        } catch (error) {
          return error instanceof LangevinError && !/\n/.test(error.message);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
