/**
 * Compares the convolution kernels with the plain loops of the reference, within the error bound of a sum. The cases
 * have every size at the edges of tiles, several blocks of channels and pixels, strides, dilations, paddings and
 * groups.
 */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { isPlain3x3 } from '../src/backend/conv/maps.ts';
import { fewSide } from '../src/backend/conv/taps.ts';
import { ACTIVATION, type ConvSizes } from '../src/backend/kernels.ts';
import { close, into, onBoth, ownWasm, runKernel, U, UNARY_ULP, ulp, uniforms } from './helpers.ts';
import { elements, KERNELS, operands, sizes } from './helpers-conv.ts';
import { suite } from './suite.ts';

/** Checks one kernel at one shape. The bound of a sum of n products is (n + 2)·2^-24 times the sum of magnitudes. */
function check(kind: keyof typeof KERNELS, s: ConvSizes, accumulate: boolean): void {
  const { operands, run, terms } = KERNELS[kind];
  const size = Object.fromEntries(elements(s).map((n, i) => ['xwy'[i], n]));
  const arrays = operands.map((name) => uniforms(name, size[name]));
  const call = (inputs: readonly Float32Array[]) =>
    onBoth(inputs, (k, [a, b, out]) => run(k, s, [a, b], into(out, accumulate)));
  const { wasm, reference } = call(arrays);
  const magnitudes = call(arrays.map((array) => array.map(Math.abs))).reference[2];
  const bound = (i: number) => (terms(s) + 3) * U * magnitudes[i];
  close(wasm[2], reference[2], bound, `${kind} ${JSON.stringify(s)}${accumulate ? ', summed' : ''}`);
  assert.equal(wasm[0], Float64Array.from(arrays[0]), 'the input is as it was');
}

/** Shapes that end inside of tiles, or need several blocks. */
const SHAPES: readonly ConvSizes[] = [
  sizes({ batch: 1, height: 3, width: 5 }),
  sizes({ batch: 7, height: 3, width: 5 }),
  sizes({ batch: 7, height: 3, width: 5, inChannels: 4, outChannels: 8 }),
  sizes({ batch: 2, height: 1, width: 1, inChannels: 3, outChannels: 2 }),
  sizes({ batch: 3, height: 7, width: 7, inChannels: 33, outChannels: 17 }),
  sizes({ batch: 2, height: 4, width: 4, inChannels: 50, outChannels: 260 }),
  sizes({ batch: 7, height: 3, width: 5, inChannels: 45, outChannels: 89 }),
  sizes({ batch: 5, height: 11, width: 13, inChannels: 5, outChannels: 6 }),
  sizes({ batch: 3, height: 14, width: 14, inChannels: 32, outChannels: 32 }),
  sizes({ batch: 2, height: 7, width: 9, inChannels: 8, outChannels: 8, strideHeight: 2, strideWidth: 2 }),
  sizes({
    height: 8,
    width: 8,
    strideHeight: 2,
    strideWidth: 2,
    kernelHeight: 1,
    kernelWidth: 1,
    paddingHeight: 0,
  }),
  sizes({
    batch: 2,
    inChannels: 6,
    outChannels: 10,
    kernelHeight: 1,
    kernelWidth: 1,
    paddingHeight: 0,
    paddingWidth: 0,
  }),
  sizes({
    batch: 1,
    height: 9,
    width: 9,
    inChannels: 3,
    outChannels: 5,
    dilationHeight: 4,
    dilationWidth: 3,
  }),
  sizes({ batch: 2, height: 6, width: 5, inChannels: 12, outChannels: 12, groups: 12 }),
  sizes({ batch: 2, height: 6, width: 5, inChannels: 18, outChannels: 27, groups: 3, strideWidth: 2 }),
  sizes({ batch: 0, inChannels: 3, outChannels: 5 }),
  ...[
    [1, 1, 1, 1, 16, 1],
    [3, 5, 7, 1, 32, 1],
    [3, 5, 7, 32, 1, 1],
    [2, 9, 2, 3, 20, 1],
    [9, 2, 2, 36, 3, 1],
    [7, 4, 3, 2, 52, 0],
    [4, 7, 3, 52, 2, 0],
    [5, 5, 1, 1, 16, 2],
    [4, 3, 2, 20, 1, 4],
    [3, 3, 0, 20, 1, 1],
  ].map(([height, width, batch, inChannels, outChannels, padding]) =>
    sizes({
      ...{ height, width, batch, inChannels, outChannels },
      ...{ paddingHeight: padding, paddingWidth: padding },
    }),
  ),
];

/** Shapes where x or y has few channels: see backend/conv/taps.ts. */
const FEW: readonly ConvSizes[] = [
  sizes({ batch: 3, height: 5, width: 7, inChannels: 1, outChannels: 33 }),
  sizes({
    batch: 2,
    height: 9,
    width: 8,
    inChannels: 3,
    outChannels: 38,
    kernelHeight: 5,
    strideHeight: 2,
    strideWidth: 3,
  }),
  sizes({
    batch: 1,
    height: 9,
    width: 9,
    inChannels: 2,
    outChannels: 20,
    dilationHeight: 3,
    paddingWidth: 0,
  }),
  sizes({ batch: 3, height: 5, width: 7, inChannels: 33, outChannels: 1 }),
  sizes({ batch: 2, height: 9, width: 8, inChannels: 38, outChannels: 3, kernelHeight: 4, paddingHeight: 2 }),
  sizes({
    batch: 7,
    height: 3,
    width: 5,
    inChannels: 40,
    outChannels: 2,
    kernelWidth: 5,
    dilationWidth: 2,
    paddingWidth: 4,
  }),
];

const two = { strideHeight: 2, strideWidth: 2 };
const upsampling = { ...two, kernelHeight: 4, kernelWidth: 4 };
/**
 * Shapes whose pictures are computed four at a time: see assembly/conv/pictures.ts. Some pictures remain, and with 16 or
 * more pictures the gradient to the input takes them in groups.
 */
const MANY: readonly ConvSizes[] = [
  sizes({ batch: 5, height: 7, width: 9, inChannels: 8, outChannels: 12, ...two }),
  sizes({ batch: 18, height: 7, width: 9, inChannels: 40, outChannels: 33, ...two }),
  sizes({ batch: 18, height: 8, width: 6, inChannels: 30, outChannels: 45, ...upsampling }),
  sizes({ batch: 4, height: 5, width: 6, inChannels: 70, outChannels: 90, groups: 2, ...upsampling }),
  sizes({ batch: 17, height: 6, width: 5, inChannels: 18, outChannels: 27, groups: 3, strideWidth: 2 }),
  sizes({
    batch: 4,
    height: 9,
    width: 8,
    inChannels: 21,
    outChannels: 25,
    dilationHeight: 2,
    dilationWidth: 3,
  }),
  // Lines of a few rows of the grid fit scratch memory.
  sizes({ batch: 4, height: 37, width: 30, inChannels: 40, outChannels: 44, ...two }),
  sizes({ batch: 16, height: 30, width: 35, inChannels: 36, outChannels: 40, ...upsampling }),
  // Not even one row fits.
  sizes({ batch: 4, height: 3, width: 390, inChannels: 36, outChannels: 40, strideHeight: 2 }),
];

const random: fc.Arbitrary<ConvSizes> = fc
  .record({
    batch: fc.constantFrom(1, 2, 7),
    extra: fc.tuple(fc.nat(9), fc.nat(9)),
    kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    stride: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    dilation: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    padding: fc.tuple(fc.nat(4), fc.nat(4)),
    channels: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20 })),
    groups: fc.constantFrom(1, 1, 2, 3),
  })
  .map(({ batch, extra, kernel, stride, dilation, padding, channels, groups }) => {
    const side = (i: 0 | 1) => Math.max(1, dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i] + extra[i]);
    return {
      ...{ batch, height: side(0), width: side(1), groups },
      ...{ inChannels: channels[0] * groups, outChannels: channels[1] * groups },
      ...{ kernelHeight: kernel[0], kernelWidth: kernel[1], strideHeight: stride[0], strideWidth: stride[1] },
      ...{ dilationHeight: dilation[0], dilationWidth: dilation[1] },
      ...{ paddingHeight: padding[0], paddingWidth: padding[1] },
    };
  });

suite('kernels of convolutions', (test) => {
  test('the shapes with few channels use the kernel for few channels', () => {
    assert.equal(FEW.map(fewSide), ['x', 'x', 'x', 'y', 'y', 'y']);
    const strided = { ...FEW[3], strideHeight: 2 };
    assert.equal([SHAPES[2], strided].map(fewSide), [null, null]);
  });

  test('a convolution is plain only with a filter of 3x3, and with strides, dilations and groups of 1', () => {
    const plain = {
      ...{ batch: 2, height: 7, width: 6, inChannels: 4, outChannels: 8, kernelHeight: 3, kernelWidth: 3 },
      ...{ strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1, groups: 1 },
      ...{ paddingHeight: 1, paddingWidth: 1 },
    };
    assert.ok(isPlain3x3(plain));
    const ones = ['strideHeight', 'strideWidth', 'dilationHeight', 'dilationWidth', 'groups'] as const;
    for (const a of ones) for (const b of ones) assert.not(isPlain3x3({ ...plain, [a]: 2, [b]: 2 }));
    for (const side of ['kernelHeight', 'kernelWidth']) assert.not(isPlain3x3({ ...plain, [side]: 1 }));
  });

  for (const kind of Object.keys(KERNELS) as (keyof typeof KERNELS)[]) {
    test(`the ${kind} agrees at the edges of tiles and blocks, summed and not`, () => {
      for (const shape of SHAPES) for (const accumulate of [false, true]) check(kind, shape, accumulate);
    });

    test(`the ${kind} agrees where x or y has few channels`, () => {
      for (const shape of FEW) for (const accumulate of [false, true]) check(kind, shape, accumulate);
    });

    test(`the ${kind} agrees for random strides, dilations, paddings and groups`, () => {
      fc.assert(
        fc.property(random, fc.boolean(), (shape, accumulate) => check(kind, shape, accumulate)),
        { seed: 20, numRuns: 150 },
      );
    });
  }

  for (const kind of ['forward', 'gradient to the input'] as const) {
    test(`the ${kind} of many pictures has the bits of each picture alone`, () => {
      for (const s of MANY) {
        for (const accumulate of [false, true]) {
          const [from, w, to] = operands(kind, s);
          const [step, next] = [from, to].map((array) => (array.length * 4) / s.batch);
          const [, , together, alone] = runKernel(ownWasm(), [from, w, to, to], (k, at) => {
            const { run } = KERNELS[kind];
            run(k, s, [at[0], at[1]], into(at[2], accumulate));
            for (let b = 0; b < s.batch; b++) {
              run(k, { ...s, batch: 1 }, [at[0] + b * step, at[1]], into(at[3] + b * next, accumulate));
            }
          });
          assert.equal(together, alone, `${JSON.stringify(s)}${accumulate ? ', summed' : ''}`);
        }
      }
    });
  }

  test('depthwise convolutions agree in all directions, in every kind of strip, summed and not', () => {
    const depthwise = fc
      .tuple(random, fc.constantFrom(2, 3, 4, 5, 16, 17, 23, 36))
      .map(([s, channels]) => ({ ...s, inChannels: channels, outChannels: channels, groups: channels }));
    for (const kind of Object.keys(KERNELS) as (keyof typeof KERNELS)[]) {
      fc.assert(
        fc.property(depthwise, fc.boolean(), (shape, accumulate) => check(kind, shape, accumulate)),
        { seed: 20, numRuns: 150 },
      );
    }
  });

  test('a bias and an activation are applied to the sum, forwards and to the input', () => {
    const winograd = sizes({ batch: 2, height: 5, width: 6, inChannels: 32, outChannels: 36 });
    for (const activation of ACTIVATION) {
      for (const s of [
        SHAPES[4],
        SHAPES[8],
        SHAPES[9],
        SHAPES[10],
        SHAPES[11],
        SHAPES[14],
        MANY[0],
        // Thin maps, 3x3
        ...SHAPES.slice(17, 21),
        ...FEW,
        winograd,
      ]) {
        for (const kind of ['forward', 'gradient to the input'] as const) {
          const forward = kind === 'forward';
          const [x, w, y] = elements(s);
          const arrays = [
            uniforms('x', forward ? x : y, -0.3, 0.3),
            uniforms('w', w),
            uniforms('y', forward ? y : x),
            uniforms('b', forward ? s.outChannels : s.inChannels),
          ];
          const { wasm, reference } = onBoth(arrays, (k, [from, w, to, bias]) => {
            const common = { ...s, w, bias, activation, out: into(to, true) };
            if (forward) k.conv2d({ ...common, x: from });
            else k.conv2dInputGradient({ ...common, dy: from });
          });
          const own = activation === 'none' ? 0 : 2 * UNARY_ULP[activation];
          const terms = KERNELS[kind].terms(s);
          // Magnitudes of a product are below 0.3.
          const bound = (i: number) =>
            1.1 * (terms + 4) * U * (0.3 * terms + 2) + own * (ulp(reference[2][i]) + U);
          close(wasm[2], reference[2], bound, `${kind}, ${activation} ${JSON.stringify(s)}`);
        }
      }
    }
  });

  test('a NaN or an infinity affects only the pixels whose kernel covers it', () => {
    const s = sizes({ batch: 2, height: 6, width: 7, inChannels: 5, outChannels: 9 });
    const [nx, nw, ny] = elements(s);
    for (const special of [NaN, Infinity]) {
      const x = uniforms('x', nx);
      // Picture 1, row 2, column 6.
      x[((6 + 2) * 7 + 6) * 5 + 3] = special;
      const { wasm } = onBoth([x, uniforms('w', nw, 0.1, 1), uniforms('y', ny)], (k, [x, w, out]) =>
        k.conv2d({ ...s, x, w, out: into(out) }),
      );
      for (const [i, y] of wasm[2].entries()) {
        const [row, column] = [Math.floor(i / 9 / 7), Math.floor(i / 9) % 7];
        const near = row >= 6 && Math.abs(row - 6 - 2) <= 1 && column >= 5;
        assert.is(Number.isFinite(y), !near, `${special} at ${i}`);
      }
    }
  });
});
