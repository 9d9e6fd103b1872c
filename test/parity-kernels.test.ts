/**
 * Every kernel of the contract, called directly on both backends: all sizes, strides, transposes and flags, in
 * place and summed; NaN, infinities, signed zeros and subnormals; and nothing written beside the result.
 */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Backend } from '../src/backend/backend.ts';
import {
  ACTIVATION,
  type ActivationName,
  type AdamStep,
  BINARY,
  type BinaryName,
  type Bounds,
  type Key,
  REDUCE,
  type SgdStep,
  UNARY,
} from '../src/backend/kernels.ts';
import {
  close,
  closeNormals,
  onBoth,
  ownReference,
  ownWasm,
  runKernel,
  UNARY_ULP,
  ulp,
  uniforms,
} from './helpers.ts';
import { SIZES, SPECIALS } from './helpers-cases.ts';
import { suite } from './suite.ts';

/** Half the distance of float32 numbers around 1: the error of one rounding. */
const U = 2 ** -24;

/** Random tests are the same in every run. */
const RUNS = { seed: 20, numRuns: 120 };

/** Largest error of the kernels of two arrays, in units in the last place. */
// biome-ignore format: a table
const ULP2: Readonly<Record<BinaryName, number>> = {
  add: 0.5, sub: 0.5, mul: 0.5, div: 0.5, maximum: 0, minimum: 0, pow: 0.51,
  absBackward: 0, sqrtBackward: 0.5, reluBackward: 0, clampBackward: 0, greaterShare: 0,
  // y·(1 - y), 1 - y² and 1 + x·(1 - s) cancel: absolute errors, in units of 2^-24 times |dy|
  sigmoidBackward: 2, tanhBackward: 2, siluBackward: 16,
};

const BOUNDS: Bounds = { lo: -0.5, hi: 0.75 };

/** Where the first operand of a kernel may lie: y of sigmoid, tanh and sqrt, x elsewhere. */
// biome-ignore format: a table
const FIRST: Readonly<Partial<Record<BinaryName, readonly [number, number]>>> = {
  sigmoidBackward: [0, 1], tanhBackward: [-1, 1], sqrtBackward: [0.1, 10], pow: [0.01, 4],
};

/** The error a kernel of two arrays may have at dy and the exact result. */
function tolerance2(name: BinaryName, second: number, exact: number): number {
  const absolute = ['sigmoidBackward', 'tanhBackward', 'siluBackward'].includes(name);
  return ULP2[name] * (absolute ? 2 * U * Math.abs(second) + 2 ** -149 : ulp(exact));
}

/** Asserts that a is b, or near it, and of the same kind: NaN, infinite, or a zero of the same sign. */
function sameKind(a: number, exact: number, tolerance: number, what: string): void {
  const b = Math.fround(exact);
  const kind = (x: number) =>
    Object.is(x, -0) ? '-0' : x === 0 || !Number.isFinite(x) ? String(x) : 'number';
  const tiny = Math.abs(exact) < 2 ** -126 && exact !== 0;
  if (tiny ? Math.abs(a - exact) > tolerance : kind(a) !== kind(b)) {
    assert.unreachable(`${what}: expected ${kind(b)} (${exact}), got ${kind(a)} (${a})`);
  }
  if (kind(b) === 'number') close([a], [exact], tolerance, what);
}

const dense = (ptr: number, cols: number) => ({ ptr, row: cols, col: 1 });

/** n normals from the kernel, and whole groups of them from the reference. */
function normalsOnBoth(n: number, key: Key, block: number) {
  const whole = Math.ceil(n / 16) * 16;
  const draw = (size: number, on: Backend) =>
    runKernel(on, [new Float32Array(size)], (k, [out]) => k.gaussian(size, out!, key, block))[0]!;
  return { wasm: draw(n, ownWasm()), reference: draw(whole, ownReference()) };
}

/** Ways to read an operand of [rows, cols]: dense, a row, a column, a scalar, with gaps, from the last row up. */
const VIEWS: readonly ((rows: number, cols: number) => { row: number; col: number; from?: number })[] = [
  (_, cols) => ({ row: cols, col: 1 }),
  () => ({ row: 0, col: 1 }),
  () => ({ row: 1, col: 0 }),
  () => ({ row: 0, col: 0 }),
  (_, cols) => ({ row: cols + 3, col: 1 }),
  (rows, cols) => ({ row: -cols, col: 1, from: Math.max(0, rows - 1) * cols }),
];

/** Checks a kernel of two arrays on one pair of views, summed and not. */
function checkViews(name: BinaryName, rows: number, cols: number, first: number, second: number): void {
  const size = Math.max(1, rows * (cols + 3));
  const a = uniforms(`a${cols}`, size, ...(FIRST[name] ?? [-2, 2]));
  const b = uniforms(`b${cols}`, size, -2, 2);
  const [p, q] = [VIEWS[first]!(rows, cols), VIEWS[second]!(rows, cols)];
  const call = (accumulate: boolean) =>
    onBoth([a, b, uniforms('y', rows * cols)], (k, [x, z, out], bytes) =>
      k.binary(
        name,
        rows,
        cols,
        { ptr: x! + (p.from ?? 0) * bytes, row: p.row, col: p.col },
        { ptr: z! + (q.from ?? 0) * bytes, row: q.row, col: q.col },
        out!,
        accumulate,
        BOUNDS,
      ),
    );
  const plain = call(false);
  const dy = (i: number) => b[(q.from ?? 0) + Math.floor(i / cols) * q.row + (i % cols) * q.col]!;
  const error = (i: number) => tolerance2(name, dy(i), plain.reference[2]![i]!);
  const what = `${name} [${rows},${cols}] ${JSON.stringify([p, q])}`;
  close(plain.wasm[2]!, plain.reference[2]!, error, what);
  const summed = call(true);
  const total = summed.reference[2]!;
  close(summed.wasm[2]!, total, (i) => error(i) + ulp(total[i]!) / 2, `${what}, summed`);
}

suite('parity of kernels', (test) => {
  for (const name of UNARY) {
    test(`${name} agrees at every size, summed and not, in place and not`, () => {
      const domain: [number, number] = name === 'log' || name === 'sqrt' ? [0.01, 20] : [-8, 8];
      for (const n of SIZES) {
        for (const accumulate of [false, true]) {
          const x = uniforms(`x${n}`, n, ...domain);
          const y = uniforms(`y${n}`, n);
          const both = onBoth([x, y], (k, [at, out]) => k.unary(name, n, at!, out!, accumulate, BOUNDS));
          const what = `${name} of ${n}${accumulate ? ', summed' : ''}`;
          const value = onBoth([x, x], (k, [at, out]) => k.unary(name, n, at!, out!, false, BOUNDS))
            .reference[1]!;
          close(
            both.wasm[1]!,
            both.reference[1]!,
            (i) => UNARY_ULP[name] * ulp(value[i]!) + (accumulate ? ulp(both.reference[1]![i]!) / 2 : 0),
            what,
          );
          assert.equal(both.wasm[0], Float64Array.from(x), 'the input is as it was');
        }
        const x = uniforms(`x${n}`, n, ...domain);
        const both = onBoth([x], (k, [at]) => k.unary(name, n, at!, at!, false, BOUNDS));
        close(
          both.wasm[0]!,
          both.reference[0]!,
          (i) => UNARY_ULP[name] * ulp(both.reference[0]![i]!),
          `${name} in place`,
        );
      }
    });

    test(`${name} gives the reference's NaN, infinities and signed zeros`, () => {
      const n = SPECIALS.length;
      for (const bounds of [BOUNDS, { lo: 0, hi: Infinity }, { lo: -Infinity, hi: 0 }, { lo: NaN, hi: 1 }]) {
        const { wasm, reference } = onBoth([SPECIALS, SPECIALS], (k, [x, y]) =>
          k.unary(name, n, x!, y!, false, bounds),
        );
        for (const [i, x] of SPECIALS.entries()) {
          const y = reference[1]![i]!;
          sameKind(wasm[1]![i]!, y, UNARY_ULP[name] * ulp(y), `${name}(${x})`);
        }
        if (name !== 'clamp') break;
      }
    });
  }

  for (const name of BINARY) {
    test(`${name} agrees for every way to broadcast, at every width, summed and not`, () => {
      for (const [rows, cols] of [
        [0, 5],
        [1, 1],
        [1, 17],
        [2, 33],
        [3, 0],
        [3, 1],
        [3, 3],
        [3, 6],
        [4, 8],
      ] as const) {
        for (const p of VIEWS.keys()) for (const q of VIEWS.keys()) checkViews(name, rows, cols, p, q);
      }
    });

    test(`${name} gives the reference's NaN, infinities and signed zeros`, () => {
      const [lo, hi] = name === 'pow' ? [-Infinity, Infinity] : (FIRST[name] ?? [-Infinity, Infinity]);
      const first = SPECIALS.filter(
        (x) => Number.isNaN(x) || (name === 'sqrtBackward' ? x >= 0 && x < 1e20 : x >= lo && x <= hi),
      );
      const a = first.flatMap((x) => SPECIALS.map(() => x));
      const b = first.flatMap(() => [...SPECIALS]);
      const n = a.length;
      for (const bounds of name === 'clampBackward' ? [BOUNDS, { lo: -Infinity, hi: 0 }] : [BOUNDS]) {
        const { wasm, reference } = onBoth([a, b, new Float32Array(n)], (k, [x, y, z]) =>
          k.binary(name, 1, n, dense(x!, n), dense(y!, n), z!, false, bounds),
        );
        for (const i of a.keys()) {
          const exact = reference[2]![i]!;
          sameKind(wasm[2]![i]!, exact, tolerance2(name, b[i]!, exact), `${name}(${a[i]}, ${b[i]})`);
        }
      }
    });
  }

  test('copy moves between any strides: positive, negative, odd and zero, scaled and summed', () => {
    const strides = fc.tuple(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      // The layout: a dense row, a transpose, gaps, a reversed axis, or one element again and again.
      fc.constantFrom('row', 'column', 'gaps', 'reversed', 'zero'),
      fc.constantFrom('row', 'column', 'gaps', 'reversed', 'zero'),
      fc.constantFrom(1, -0.5, 0, 3),
      fc.boolean(),
    );
    const layout = (kind: string, rows: number, cols: number): [number, number] =>
      ({
        row: [cols, 1] as [number, number],
        column: [1, rows] as [number, number],
        gaps: [3 * cols + 2, 3] as [number, number],
        reversed: [cols, -1] as [number, number],
        zero: [0, 1] as [number, number],
      })[kind]!;
    fc.assert(
      fc.property(strides, ([rows, cols, from, to, alpha, accumulate]) => {
        const [xRow, xCol] = layout(from, rows, cols);
        const [yRow, yCol] = layout(to, rows, cols);
        const length = 4 * (rows + 1) * (cols + 1);
        const offset = (kind: string, bytes: number) =>
          (kind === 'reversed' ? Math.max(0, cols - 1) : 0) * bytes;
        const { wasm, reference } = onBoth(
          [uniforms('x', length), uniforms('y', length)],
          (k, [x, y], bytes) =>
            k.copy(
              rows,
              cols,
              alpha,
              x! + offset(from, bytes),
              xRow,
              xCol,
              y! + offset(to, bytes),
              yRow,
              yCol,
              accumulate,
            ),
        );
        // A zero stride sums up to `rows` numbers, each sum rounded.
        const roundings = accumulate ? (to === 'zero' ? rows : 1) : 0;
        close(
          wasm[1]!,
          reference[1]!,
          (i) => (alpha === 3 ? 2 * ulp(reference[1]![i]!) : 0) + roundings * (rows + 3) * U * 4,
          `copy [${rows},${cols}] ${from} to ${to}`,
        );
        if (!accumulate && alpha !== 3) assert.equal(wasm[1], reference[1]);
        assert.equal(wasm[0], Float64Array.from(uniforms('x', length)));
      }),
      { ...RUNS, numRuns: 400 },
    );
  });

  test('work that is cut into pieces agrees like small work', () => {
    const n = 70_001;
    const [a, b, y] = [uniforms('a', n, 0.1, 2), uniforms('b', n, 0.1, 2), uniforms('y', n)];
    for (const name of UNARY) {
      const { wasm, reference } = onBoth([a, y], (k, [x, out]) => k.unary(name, n, x!, out!, true, BOUNDS));
      close(wasm[1]!, reference[1]!, (i) => (2 * UNARY_ULP[name] + 1) * ulp(reference[1]![i]! + 8), name);
    }
    for (const name of BINARY) {
      for (const rows of [1, 70]) {
        const cols = n / rows === Math.floor(n / rows) ? n / rows : 1000;
        const { wasm, reference } = onBoth([a, b, y], (k, [p, q, out]) =>
          k.binary(name, rows, cols, dense(p!, cols), { ptr: q!, row: 1, col: 0 }, out!, false, BOUNDS),
        );
        close(
          wasm[2]!,
          reference[2]!,
          (i) => tolerance2(name, 2, reference[2]![i]!),
          `${name} of ${rows} rows`,
        );
      }
    }
    for (const [rows, cols] of [
      [1, n],
      [70, 1000],
    ] as const) {
      const { wasm, reference } = onBoth([a, y], (k, [x, out]) =>
        k.copy(rows, cols, -1, x!, cols, 1, out!, 1, rows, true),
      );
      close(wasm[1]!, reference[1]!, 4 * U, `copy [${rows},${cols}]`);
    }
    for (const name of REDUCE) {
      for (const [outer, inner] of [
        [1, 1],
        [70, 1],
        [7, 10],
      ] as const) {
        const { wasm, reference } = onBoth([a, y], (k, [x, out]) =>
          k.reduce(name, outer, Math.floor(n / outer / inner), inner, x!, out!, 0.5, true),
        );
        close(
          wasm[1]!,
          reference[1]!,
          (i) => 262 * ulp(reference[1]![i]!) + 4 * U,
          `${name} [${outer},,${inner}]`,
        );
      }
    }
    const loss = onBoth([a, b, [0]], (k, [p, q, out]) => k.mse(n, p!, q!, out!));
    close(loss.wasm[2]!, loss.reference[2]!, 64 * U, 'mse');
    const gradient = onBoth([a, b, [3], y], (k, [p, q, d, dx]) =>
      k.mseBackward(n, p!, q!, d!, 0.5, dx!, true),
    );
    close(gradient.wasm[3]!, gradient.reference[3]!, 16 * U, 'gradient of mse');
    const adam: AdamStep = {
      stepSize: 1e-2,
      beta1: 0.9,
      beta2: 0.99,
      eps: 1e-8,
      correction: 0.1,
      l2: 0,
      shrink: 1,
    };
    const sgd: SgdStep = { lr: 0.1, momentum: 0.9, dampening: 0, l2: 0, nesterov: true, first: false };
    for (const step of [
      onBoth([y, b, y, a], (k, [p, g, m, v]) => k.adam(n, p!, g!, m!, v!, adam)),
      onBoth([y, b, y], (k, [p, g, m]) => k.sgd(n, p!, g!, m!, sgd)),
    ]) {
      for (const [i, values] of step.wasm.entries()) close(values, step.reference[i]!, 16 * U, 'optimiser');
    }
    const key: Key = { seed: [1, 2], stream: [3, 4] };
    const bits = onBoth([y], (k, [out]) => k.uniform(n, out!, key, 2 ** 32 - 5));
    assert.equal(bits.wasm, bits.reference);
    // So many that the pieces' size is no multiple of a group by itself.
    const normals = normalsOnBoth(300_101, key, 2 ** 32 - 5);
    closeNormals(normals.wasm, normals.reference, 'normals');
  });

  test('fill writes its value, and nothing else', () => {
    for (const n of SIZES) {
      for (const value of [0, -0, 0.1, -Infinity, NaN]) {
        const { wasm } = onBoth([uniforms('x', n)], (k, [x]) => k.fill(n, x!, value));
        assert.ok(wasm[0]!.every((x) => Object.is(x, Math.fround(value))));
      }
    }
  });

  for (const name of REDUCE) {
    test(`${name} along any axis agrees within its bound, scaled and summed`, () => {
      const shapes = fc.tuple(
        fc.integer({ min: 0, max: 4 }),
        fc.oneof(fc.integer({ min: 0, max: 70 }), fc.constantFrom(63, 64, 65, 129, 4095, 4097, 9001)),
        fc.integer({ min: 0, max: 11 }),
        fc.constantFrom(1, -1, 0.3),
        fc.boolean(),
      );
      fc.assert(
        fc.property(shapes, ([outer, n, inner, alpha, accumulate]) => {
          const x = uniforms(`x${n}`, outer * n * inner);
          const y = uniforms('y', outer * inner);
          const { wasm, reference } = onBoth([x, y], (k, [from, to]) =>
            k.reduce(name, outer, n, inner, from!, to!, alpha, accumulate),
          );
          // See assembly/reduce.ts: the sums of |x| and of x² are at most n here.
          const roundings = name === 'max' ? 1 : (inner === 1 ? 4096 / 16 + 5 : 64) + 1;
          close(
            wasm[1]!,
            reference[1]!.map(Math.fround),
            (i) =>
              name === 'max' && alpha !== 0.3 && !accumulate
                ? 0
                : roundings * U * Math.min(n, 4096 * 4) + 2 * ulp(reference[1]![i]!),
            `${name} [${outer},${n},${inner}]`,
          );
        }),
        RUNS,
      );
    });

    test(`${name} gives the reference's NaN and infinities wherever they stand`, () => {
      for (const inner of [1, 2, 4, 5]) {
        for (const n of [1, 5, 18, 70]) {
          for (const special of [NaN, Infinity, -Infinity]) {
            for (let at = 0; at < n; at += 3) {
              const x = uniforms('x', n * inner);
              x[at * inner + (inner - 1)] = special;
              const { wasm, reference } = onBoth([x, new Float32Array(inner)], (k, [from, to]) =>
                k.reduce(name, 1, n, inner, from!, to!, 1, false),
              );
              for (const [i, exact] of reference[1]!.entries())
                sameKind(
                  wasm[1]![i]!,
                  exact,
                  70 * U * 70,
                  `${name} with ${special} at ${at} of [${n},${inner}]`,
                );
            }
          }
        }
      }
    });
  }

  test('gemm agrees within its bound: every transpose, bias, activation, summed and not', () => {
    const sizes = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(...[70, 70, 70].map((max) => fc.integer({ min: 0, max }))) },
      {
        weight: 1,
        arbitrary: fc.tuple(
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 230, max: 500 }),
          fc.integer({ min: 395, max: 405 }),
        ),
      },
      { weight: 1, arbitrary: fc.constantFrom([3, 12005, 7], [9, 17, 1203], [65, 33, 800]) },
    );
    const flags = fc.record({
      aT: fc.boolean(),
      bT: fc.boolean(),
      accumulate: fc.boolean(),
      bias: fc.boolean(),
      activation: fc.constantFrom(...ACTIVATION),
    });
    fc.assert(
      fc.property(sizes, flags, ([m, n, k], { aT, bT, accumulate, bias, activation }) => {
        const arrays = [
          uniforms('a', m! * k!),
          uniforms('b', k! * n!),
          uniforms('c', m! * n!),
          uniforms('bias', n!),
        ];
        const call = (inputs: Float32Array[], act: ActivationName) =>
          onBoth(inputs, (kernels, [a, b, c, d]) =>
            kernels.gemm(m!, n!, k!, a!, aT, b!, bT, c!, accumulate, bias ? d! : null, act),
          );
        const { wasm, reference } = call(arrays, activation);
        const magnitudes = call(
          arrays.map((array) => array.map(Math.abs)),
          'none',
        ).reference[2]!;
        // The activations change by at most 1.1 times what their argument does, and add their own error.
        const own = activation === 'none' ? 0 : 2 * UNARY_ULP[activation];
        close(
          wasm[2]!,
          reference[2]!,
          (i) => 1.1 * (k! + 3) * U * magnitudes[i]! + own * ulp(reference[2]![i]!) + own * U,
          `gemm ${JSON.stringify({ m, n, k, aT, bT, accumulate, bias, activation })}`,
        );
      }),
      { ...RUNS, numRuns: 300 },
    );
  });

  test('gemm lets NaN and infinities pass to their own row and column only', () => {
    const [m, n, k] = [7, 13, 11];
    for (const special of [NaN, Infinity]) {
      const a = uniforms('a', m * k, 0.5, 1);
      const b = uniforms('b', k * n, 0.5, 1);
      a[6 * k + 10] = special;
      b[2 * n + 12] = special;
      const { wasm, reference } = onBoth([a, b, new Float32Array(m * n)], (kernels, [x, y, z]) =>
        kernels.gemm(m, n, k, x!, false, y!, false, z!, false),
      );
      for (const [i, exact] of reference[2]!.entries()) {
        sameKind(wasm[2]![i]!, exact, 16 * k * U, `gemm with ${special}`);
        const hit = Math.floor(i / n) === 6 || i % n === 12;
        assert.is(Number.isFinite(wasm[2]![i]!), !hit);
      }
    }
  });

  test('mse and its gradient agree at every size', () => {
    for (const n of [...SIZES, 4095, 4096, 4097, 10001]) {
      const [a, b, dy] = [uniforms('a', n), uniforms('b', n), uniforms('dy', 1)];
      const forward = onBoth([a, b, [0]], (k, [x, y, out]) => k.mse(n, x!, y!, out!));
      close(forward.wasm[2]!, forward.reference[2]!, 12 * U, `mse of ${n}`);
      for (const accumulate of [false, true]) {
        for (const scale of [2 / n, -2 / n, 1]) {
          if (!Number.isFinite(scale)) continue;
          const both = onBoth([a, b, dy, uniforms('dx', n)], (k, [x, y, d, dx]) =>
            k.mseBackward(n, x!, y!, d!, scale, dx!, accumulate),
          );
          close(both.wasm[3]!, both.reference[3]!, 8 * U * Math.max(1, Math.abs(scale)), `gradient of ${n}`);
        }
      }
    }
  });

  test('adam agrees at every size and with every kind of decay', () => {
    for (const n of SIZES) {
      for (const [l2, shrink] of [
        [0, 1],
        [0.1, 1],
        [0, 0.99],
      ] as const) {
        const step: AdamStep = {
          stepSize: 1e-2,
          beta1: 0.9,
          beta2: 0.999,
          eps: 1e-8,
          correction: 0.0447,
          l2,
          shrink,
        };
        const [p, g, m] = [uniforms('p', n), uniforms('g', n), uniforms('m', n)];
        const both = onBoth([p, g, m, uniforms('v', n, 0, 1)], (k, [a, b, c, d]) =>
          k.adam(n, a!, b!, c!, d!, step),
        );
        for (const [i, name] of ['p', 'g', 'm', 'v'].entries())
          close(both.wasm[i]!, both.reference[i]!, 8 * U, `adam of ${n}: ${name}`);
      }
    }
  });

  test('sgd agrees with momentum, dampening, Nesterov, decay and on its first step', () => {
    const steps: Partial<SgdStep>[] = [
      {},
      { l2: 0.1 },
      { momentum: 0.9, first: true },
      { momentum: 0.9 },
      { momentum: 0.9, dampening: 0.3 },
      { momentum: 0.9, dampening: 0.3, first: true },
      { momentum: 0.9, nesterov: true },
      { momentum: 0.9, nesterov: true, first: true, l2: 0.01 },
    ];
    for (const n of SIZES) {
      for (const some of steps) {
        const step: SgdStep = {
          lr: 0.1,
          momentum: 0,
          dampening: 0,
          l2: 0,
          nesterov: false,
          first: false,
          ...some,
        };
        const both = onBoth([uniforms('p', n), uniforms('g', n), uniforms('b', n)], (k, [p, g, b]) =>
          k.sgd(n, p!, g!, step.momentum ? b! : null, step),
        );
        for (const [i, name] of ['p', 'g', 'b'].entries())
          close(both.wasm[i]!, both.reference[i]!, 8 * U, `sgd of ${n} ${JSON.stringify(some)}: ${name}`);
      }
    }
  });

  test('random bits and uniforms are equal, and normals agree, at every size, block and key', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const keys = fc.record({ seed: fc.tuple(word, word), stream: fc.tuple(word, word) });
    fc.assert(
      fc.property(keys, fc.maxSafeNat(), fc.constantFrom(...SIZES), (key: Key, block, n) => {
        const at = Math.min(block, Number.MAX_SAFE_INTEGER - 64);
        const uniform = onBoth([new Float32Array(n)], (k, [out]) => k.uniform(n, out!, key, at));
        assert.equal(uniform.wasm, uniform.reference);
        const normal = normalsOnBoth(n, key, at);
        closeNormals(normal.wasm, normal.reference, 'normals');
      }),
      RUNS,
    );
  });
});
