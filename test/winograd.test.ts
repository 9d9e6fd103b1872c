/**
 * Compares Winograd convolutions with the plain loops of the reference in float64. The cases have odd maps, paddings,
 * and channels that end inside of tiles or need several blocks.
 */
import * as assert from 'uvu/assert';
import { createWasmBackend } from '../src/backend/backend.ts';
import { forwardMaps } from '../src/backend/conv/maps.ts';
import { sumsElements, usesWinograd } from '../src/backend/conv/winograd.ts';
import { ACTIVATION, type ConvSizes } from '../src/backend/kernels.ts';
import type { WasmKernels } from '../src/backend/wasm.ts';
import { close, into, onBoth, U, UNARY_ULP, ulp, uniforms } from './helpers.ts';
import { difference, elements, KERNELS, operands, rms, sizes, WINOGRAD_SHAPES } from './helpers-conv.ts';
import { suite } from './suite.ts';

type Kind = keyof typeof KERNELS;
const KINDS = Object.keys(KERNELS) as Kind[];

/** The results of both backends. */
function call(kind: Kind, s: ConvSizes, arrays: readonly Float32Array[], accumulate: boolean) {
  const { wasm, reference } = onBoth(arrays, (k, [a, b, out]) =>
    KERNELS[kind].run(k, s, [a, b], into(out, accumulate)),
  );
  return { wasm: wasm[2], reference: reference[2] };
}

/** The result of the kernel with direct sums. */
function directSum(kind: Kind, s: ConvSizes, arrays: readonly Float32Array[]): Float32Array {
  const { heap, kernels, write, read } = createWasmBackend({ threads: 1 });
  const [a, b, out] = arrays.map((array) => heap.alloc(4 * array.length));
  for (const [i, ptr] of [a, b].entries()) write(ptr, arrays[i]);
  const places = s.batch * s.height * s.width;
  const [name, operands, box] = {
    forward: ['conv2d', { x: a, w: b }, [0, places, 0, s.outChannels]] as const,
    'gradient to the input': ['conv2dInputGradient', { dy: a, w: b }, [0, places, 0, s.inChannels]] as const,
    'gradient to the weights': [
      'conv2dWeightGradient',
      { x: a, dy: b },
      [0, s.outChannels, 0, 9 * s.inChannels],
    ] as const,
  }[kind];
  (kernels as WasmKernels).runChunks(name, { ...s, ...operands, out: into(out) }, [box]);
  return Float32Array.from(read(out, arrays[2].length));
}

suite('winograd', (test) => {
  test('Winograd is used only for 3x3 kernels with stride 1 and channels that are multiples of four, at least 32', () => {
    const s = sizes({ inChannels: 32, outChannels: 36 });
    assert.ok(usesWinograd(s));
    assert.ok(WINOGRAD_SHAPES.every(usesWinograd));
    const others: Partial<ConvSizes>[] = [
      { inChannels: 28 },
      { outChannels: 28 },
      { inChannels: 33 },
      { outChannels: 34 },
      { strideWidth: 2 },
      { dilationHeight: 2, height: 9 },
      { groups: 4, inChannels: 128, outChannels: 128 },
      { kernelHeight: 1 },
      { kernelWidth: 5 },
      { batch: 0 },
    ];
    for (const other of others) assert.not(usesWinograd({ ...s, ...other }), JSON.stringify(other));
  });

  test('the weight gradient of a wide map reads no uninitialised memory', () => {
    for (const [height, width] of [
      [2, 256],
      [8, 256],
      [3, 400],
    ]) {
      const s = sizes({ batch: 1, height, width, inChannels: 32, outChannels: 32 });
      const arrays = operands('gradient to the weights', s);
      const { heap, kernels, write, read } = createWasmBackend({ threads: 1 });
      const [x, dy, out] = arrays.map((array) => heap.alloc(4 * array.length));
      for (const [i, ptr] of [x, dy].entries()) write(ptr, arrays[i]);
      // The sums are in memory that another array had before: freed memory keeps its numbers.
      const n = sumsElements(forwardMaps(s, x));
      const freed = heap.alloc(4 * n);
      kernels.fill({ n, out: freed, value: NaN });
      heap.release(freed);
      kernels.conv2dWeightGradient({ ...s, x, dy, out: into(out) });
      const expected = directSum('gradient to the weights', s, arrays);
      const close = read(out, expected.length).every((dw, i) => Math.abs(dw - expected[i]) < 1e-3);
      assert.ok(close, `${height}x${width}`);
    }
  });

  for (const kind of KINDS) {
    test(`the ${kind} is within the direct sum's bound of float64 on odd maps, summed and not`, () => {
      for (const s of WINOGRAD_SHAPES) {
        const arrays = operands(kind, s);
        const absolute = arrays.map((array) => array.map(Math.abs));
        // Pixels of one tile enter each other's sums: so the bound is that of the largest.
        const most = call(kind, s, absolute, true).reference.reduce((a, b) => Math.max(a, b));
        const bound = (KERNELS[kind].terms(s) + 9) * U * most;
        for (const accumulate of [false, true]) {
          const { wasm, reference } = call(kind, s, arrays, accumulate);
          close(wasm, reference, bound, `${kind} ${JSON.stringify(s)}${accumulate ? ', summed' : ''}`);
        }
      }
    });

    test(`the error of the ${kind} is at most 4e-7 of the results' rms, and about the direct sum's`, () => {
      for (const [side, inChannels, outChannels] of [
        [14, 32, 32],
        [7, 128, 64],
      ]) {
        const s = sizes({ batch: 8, height: side, width: side, inChannels, outChannels });
        const arrays = operands(kind, s);
        const { wasm, reference } = call(kind, s, arrays, false);
        const error = rms(difference(wasm, reference)) / rms(reference);
        const direct = rms(difference(directSum(kind, s, arrays), reference)) / rms(reference);
        assert.ok(error < 4e-7 && error < 1.1 * direct, `${kind}: ${error}, direct ${direct}`);
        assert.not.equal(error, direct);
      }
    });
  }

  test('a bias and an activation are applied to the sum', () => {
    const s = sizes({ batch: 3, height: 5, width: 7, inChannels: 36, outChannels: 44 });
    const [x, w, y] = elements(s);
    const arrays = [uniforms('x', x, -0.3, 0.3), uniforms('w', w), uniforms('y', y), uniforms('b', 44)];
    for (const activation of ACTIVATION) {
      for (const accumulate of [false, true]) {
        const { wasm, reference } = onBoth(arrays, (k, [x, w, out, bias]) =>
          k.conv2d({ ...s, x, w, bias, activation, out: into(out, accumulate) }),
        );
        const own = activation === 'none' ? 0 : 2 * UNARY_ULP[activation];
        const terms = KERNELS.forward.terms(s);
        const bound = (i: number) =>
          1.1 * (terms + 9) * U * (0.3 * terms + 2) + own * (ulp(reference[2][i]) + U);
        close(wasm[2], reference[2], bound, `${activation}, summed: ${accumulate}`);
      }
    }
  });

  test('a NaN or an infinity affects only the tiles that read it', () => {
    const s = sizes({ batch: 2, height: 9, width: 8, inChannels: 32, outChannels: 32 });
    const [nx, nw, ny] = elements(s);
    for (const special of [NaN, Infinity]) {
      const x = uniforms('x', nx);
      // Picture 1, row 4, column 3: read by the tiles of rows 2 to 5 and columns 2 to 5.
      x[((9 + 4) * 8 + 3) * 32 + 7] = special;
      const { wasm } = onBoth([x, uniforms('w', nw, 0.1, 1), uniforms('y', ny)], (k, [x, w, out]) =>
        k.conv2d({ ...s, x, w, out: into(out) }),
      );
      for (const [i, y] of wasm[2].entries()) {
        const [row, column] = [Math.floor(i / 32 / 8) - 9, Math.floor(i / 32) % 8];
        const covered = Math.abs(row - 4) <= 1 && Math.abs(column - 3) <= 1;
        const near = row >= 2 && row < 6 && column >= 2 && column < 6;
        if (covered) assert.not(Number.isFinite(y), `${special} at ${i}`);
        if (!near) assert.ok(Number.isFinite(y), `${special} at ${i}`);
      }
    }
  });
});
