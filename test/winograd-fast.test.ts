/**
 * Fast convolutions, Winograd's F(4x4, 3x3): compared with the plain loops of the reference in float64, and with the
 * error that `setConvolutions` states. Also the choice itself: which kernels it changes, and that a file records it.
 */
import * as assert from 'uvu/assert';
import {
  backend,
  createReferenceBackend,
  createWasmBackend,
  setConvolutions,
  type WasmBackend,
} from '../src/backend/backend.ts';
import { ACTIVATION, type ActivationName, type ConvSizes } from '../src/backend/kernels.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { Linear } from '../src/nn/linear.ts';
import { Rng } from '../src/random/rng.ts';
import { close, into, uniforms } from './helpers.ts';
import { difference, elements, KERNELS, operands, rms, sizes, WINOGRAD_SHAPES } from './helpers-conv.ts';
import { suite } from './suite.ts';

const MAPS = ['forward', 'gradient to the input'] as const;
type Kind = keyof typeof KERNELS;

const backends = {
  standard: createWasmBackend({ threads: 1 }),
  fast: createWasmBackend({ threads: 1, convolutions: 'fast' }),
  reference: createReferenceBackend(),
};

/** The result of one backend. `arrays` are the two operands, what the result is added to, and a bias. */
function resultOf(
  name: keyof typeof backends,
  kind: Kind,
  s: ConvSizes,
  arrays: readonly Float32Array[],
  { accumulate = false, activation = 'none' as ActivationName } = {},
): Float64Array {
  const { heap, kernels, elementBytes, read, write } = backends[name];
  const places = arrays.map((array) => {
    const ptr = heap.alloc(elementBytes * array.length);
    write(ptr, array);
    return ptr;
  });
  const [a, b, out, bias = null] = places;
  const target = into(out, accumulate);
  if (kind === 'forward') kernels.conv2d({ ...s, x: a, w: b, bias, activation, out: target });
  else KERNELS[kind].run(kernels, s, [a, b], target);
  const result = Float64Array.from(read(out, arrays[2].length));
  for (const ptr of places) heap.release(ptr);
  return result;
}

/** The stated error, in the rms of the results, for at most 132 channels. */
const ERROR = 1.3e-6;

suite('winograd-fast', (test) => {
  for (const kind of MAPS) {
    test(`the fast ${kind} agrees with float64 on maps of all sizes, summed and not`, () => {
      for (const s of WINOGRAD_SHAPES) {
        const arrays = operands(kind, s);
        for (const accumulate of [false, true]) {
          const expected = resultOf('reference', kind, s, arrays, { accumulate });
          const got = resultOf('fast', kind, s, arrays, { accumulate });
          const what = `${kind} ${JSON.stringify(s)}${accumulate ? ', summed' : ''}`;
          close(got, expected, 2e-5 * rms(expected), what);
        }
      }
    });

    test(`the error of the fast ${kind} is the stated one, above that of the standard kernels`, () => {
      for (const [side, inChannels, outChannels] of [
        [28, 32, 32],
        [14, 64, 64],
        [7, 132, 128],
      ]) {
        const s = sizes({ batch: 8, height: side, width: side, inChannels, outChannels });
        const arrays = operands(kind, s);
        const expected = resultOf('reference', kind, s, arrays);
        const [fast, standard] = (['fast', 'standard'] as const).map(
          (name) => rms(difference(resultOf(name, kind, s, arrays), expected)) / rms(expected),
        );
        assert.ok(
          fast < ERROR && fast > 2 * standard && fast < 4 * standard,
          `${kind}: ${fast}, ${standard}`,
        );
      }
    });
  }

  test('a bias and each activation are applied to the fast sum', () => {
    const s = sizes({ batch: 3, height: 5, width: 7, inChannels: 36, outChannels: 44 });
    const [x, w, y] = elements(s);
    const arrays = [uniforms('x', x, -0.3, 0.3), uniforms('w', w), uniforms('y', y), uniforms('b', 44)];
    for (const activation of ACTIVATION) {
      for (const accumulate of [false, true]) {
        const how = { activation, accumulate };
        const expected = resultOf('reference', 'forward', s, arrays, how);
        close(resultOf('fast', 'forward', s, arrays, how), expected, 1e-4, JSON.stringify(how));
      }
    }
  });

  test('fast convolutions leave the gradient to the weights and all other convolutions as they are', () => {
    const cases = [
      ['gradient to the weights', sizes({ inChannels: 32, outChannels: 32 })],
      ['forward', sizes({ inChannels: 28, outChannels: 32 })],
      ['forward', sizes({ inChannels: 32, outChannels: 32, strideHeight: 2, strideWidth: 2 })],
      ['forward', sizes({ inChannels: 32, outChannels: 32, kernelHeight: 5 })],
    ] as const;
    for (const [kind, s] of cases) {
      const arrays = operands(kind, s);
      assert.equal(resultOf('fast', kind, s, arrays), resultOf('standard', kind, s, arrays), kind);
    }
  });

  test('a NaN affects only the tiles that read it', () => {
    const s = sizes({ batch: 2, height: 9, width: 12, inChannels: 32, outChannels: 32 });
    const arrays = operands('forward', s);
    // Picture 1, row 4, column 3: read by the tiles of rows 0 to 7 and columns 0 to 7.
    arrays[0][((9 + 4) * 12 + 3) * 32 + 7] = NaN;
    for (const [i, y] of resultOf('fast', 'forward', s, arrays).entries()) {
      const [row, column] = [Math.floor(i / 32 / 12) - 9, Math.floor(i / 32) % 12];
      const covered = Math.abs(row - 4) <= 1 && Math.abs(column - 3) <= 1;
      if (covered) assert.ok(Number.isNaN(y), `at ${i}`);
      if (row < 0 || row > 7 || column > 7) assert.ok(Number.isFinite(y), `at ${i}`);
    }
  });

  test('setConvolutions changes the current backend, and a file records the choice', () => {
    const wasm = backend() as WasmBackend;
    if (wasm.name !== 'wasm') return;
    const info = { kind: 'linear', sizes: { in: 1 } };
    const recorded = () => {
      const model = new Linear(1, 1, { rng: new Rng(0) });
      return decodeCheckpoint(encodeCheckpoint(model, info)).convolutions;
    };
    assert.equal([wasm.convolutions, recorded()], ['standard', 'standard']);
    try {
      setConvolutions('fast');
      assert.equal([wasm.convolutions, recorded()], ['fast', 'fast']);
    } finally {
      setConvolutions('standard');
    }
    assert.is(wasm.convolutions, 'standard');
    const wrong = /convolutions: expected standard or fast, got "fats"\. Did you mean "fast"\?/;
    assert.throws(() => setConvolutions('fats' as 'fast'), wrong);
  });
});
