/**
 * Every kernel of the contract, called directly on both backends. The cases have all sizes, strides, transposes and
 * flags, results in place and added to the output, and NaN, infinities, signed zeros and subnormals. Nothing is written
 * outside of the result.
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
  type Kernels,
  type Key,
  NONLINEAR,
  type Ptr,
  REDUCE,
  type ReduceName,
  type RmspropStep,
  rowOf,
  type SgdStep,
  type Target,
  UNARY,
  type UnaryAttributes,
  type UnaryName,
  type View2d,
} from '../src/backend/kernels.ts';
import {
  close,
  closeNormals,
  into,
  onBoth,
  ownReference,
  ownWasm,
  runKernel,
  U,
  UNARY_ULP,
  ulp,
  uniforms,
} from './helpers.ts';
import { SIZES, SPECIALS } from './helpers-cases.ts';
import { suite } from './suite.ts';

/** The seed of the random tests: they are the same in every run. */
const RUNS = { seed: 20, numRuns: 120 };

/** Largest error of the kernels of two arrays, in units in the last place. */
const ulp2 = (name: BinaryName): number =>
  ['add', 'sub', 'mul', 'div'].includes(name) ? 0.5 : name === 'pow' ? 0.51 : 0;

/** Largest error of the derivatives of one array, in units in the last place. */
// biome-ignore format: a table
const ULP_BACKWARD: Readonly<Record<UnaryName, number>> = {
  neg: 0, abs: 0, exp: 0.5, log: 0.5, sqrt: 0.5, relu: 0, clamp: 0,
  sin: 2, cos: 2, erf: 1, softplus: 3, leakyRelu: 0.5,
  // y·(1 - y), 1 - y² and 1 + x·(1 - s) cancel: absolute errors, in units of 2^-24 times |dy|
  sigmoid: 2, tanh: 2, silu: 16, gelu: 1,
};
const CANCELS: readonly string[] = ['sigmoid', 'tanh', 'silu', 'gelu'];

const ATTRIBUTES: UnaryAttributes = { lo: -0.5, hi: 0.75, slope: 0.125 };

/** The range of the operand that a derivative reads: y for sigmoid, tanh and sqrt, else x. */
// biome-ignore format: a table
const KEPT: Readonly<Partial<Record<UnaryName, readonly [number, number]>>> = {
  sigmoid: [0, 1], tanh: [-1, 1], sqrt: [0.1, 10],
};
/** The functions whose derivatives are tested for both signs of x. */
const BOTH_SIGNS: readonly string[] = ['sin', 'cos', 'erf', 'gelu', 'softplus', 'leakyRelu'];
const keptOf = (name: UnaryName) => KEPT[name] ?? ([BOTH_SIGNS.includes(name) ? -8 : 0.1, 8] as const);
const firstOf = (name: string): [number, number] => (name === 'pow' ? [0.01, 4] : [-2, 2]);

/** The error a derivative of one array may have at dy and the exact result. */
function toleranceBackward(name: UnaryName, dy: number, exact: number): number {
  return ULP_BACKWARD[name] * (CANCELS.includes(name) ? 2 * U * Math.abs(dy) + 2 ** -149 : ulp(exact));
}

/** Asserts that a is near b, or equal in kind: NaN, infinite, or a zero of the same sign. */
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

/** n normals from the kernel, and whole groups of them from the reference. */
function normalsOnBoth(n: number, key: Key, block: number) {
  const whole = Math.ceil(n / 16) * 16;
  const draw = (size: number, on: Backend) =>
    runKernel(on, [new Float32Array(size)], (k, [out]) =>
      k.random('gaussian', { n: size, out: out!, key: key, block: block }),
    )[0]!;
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

/** Shapes of every kind of tail. */
const PLANES = [
  [0, 5],
  [1, 1],
  [1, 17],
  [2, 33],
  [3, 0],
  [3, 1],
  [3, 3],
  [3, 6],
  [4, 8],
] as const;

const zerosLike = (x: readonly number[]) => x.map(() => 0);

/** A kernel of [rows, cols] on views of its operands. */
type ViewsCall = (
  k: Kernels,
  record: { rows: number; cols: number; a: View2d; b: View2d; out: Target },
  dense: readonly Ptr[],
) => void;

/**
 * Checks a kernel over [rows, cols] for every pair of views of a and b, summed and not. It also has two dense arrays,
 * such as dy and y.
 */
function checkViews(
  name: string,
  call: ViewsCall,
  range: [number, number],
  tolerance: (exact: number) => number,
): void {
  for (const [rows, cols] of PLANES) {
    for (const first of VIEWS.keys()) {
      for (const second of VIEWS.keys()) {
        const size = Math.max(1, rows * (cols + 3));
        const [a, b] = [uniforms(`a${cols}`, size, ...range), uniforms(`b${cols}`, size, -2, 2)];
        const [dy, y] = [uniforms('dy', rows * cols), uniforms('y', rows * cols)];
        const [p, q] = [VIEWS[first]!(rows, cols), VIEWS[second]!(rows, cols)];
        const view = (ptr: Ptr, v: typeof p, bytes: number) => ({
          ptr: ptr + (v.from ?? 0) * bytes,
          row: v.row,
          col: v.col,
        });
        const what = `${name} [${rows},${cols}] ${JSON.stringify([p, q])}`;
        const run = (accumulate: boolean) =>
          onBoth([a, b, dy, y, uniforms('out', rows * cols)], (k, at, bytes) =>
            call(
              k,
              {
                rows,
                cols,
                a: view(at[0]!, p, bytes),
                b: view(at[1]!, q, bytes),
                out: into(at[4]!, accumulate),
              },
              at.slice(2, 4),
            ),
          );
        const plain = run(false);
        const error = (i: number) => tolerance(plain.reference[4]![i]!);
        close(plain.wasm[4]!, plain.reference[4]!, error, what);
        const summed = run(true);
        const total = summed.reference[4]!;
        close(summed.wasm[4]!, total, (i) => error(i) + ulp(total[i]!) / 2, `${what}, summed`);
      }
    }
  }
}

/** Elements of a reduction. For a product they are near 1 or -1, so that it does not underflow or overflow. */
function reducible(name: ReduceName, seed: string, n: number): Float32Array {
  if (name !== 'prod') return uniforms(seed, n);
  const signs = uniforms(`${seed} signs`, n);
  return uniforms(seed, n, 0.9, 1.1).map((x, i) => (signs[i] < 0 ? -x : x));
}

suite('parity of kernels', (test) => {
  for (const name of UNARY) {
    test(`${name} agrees at every size, summed and not, in place and not`, () => {
      const domain: [number, number] = name === 'log' || name === 'sqrt' ? [0.01, 20] : [-8, 8];
      for (const n of SIZES) {
        for (const accumulate of [false, true]) {
          const x = uniforms(`x${n}`, n, ...domain);
          const y = uniforms(`y${n}`, n);
          const both = onBoth([x, y], (k, [at, out]) =>
            k.unary(name, { n: n, x: at!, out: into(out!, accumulate), ...ATTRIBUTES }),
          );
          const what = `${name} of ${n}${accumulate ? ', summed' : ''}`;
          const value = onBoth([x, x], (k, [at, out]) =>
            k.unary(name, { n: n, x: at!, out: into(out!), ...ATTRIBUTES }),
          ).reference[1]!;
          close(
            both.wasm[1]!,
            both.reference[1]!,
            (i) => UNARY_ULP[name] * ulp(value[i]!) + (accumulate ? ulp(both.reference[1]![i]!) / 2 : 0),
            what,
          );
          assert.equal(both.wasm[0], Float64Array.from(x), 'the input is as it was');
        }
        const x = uniforms(`x${n}`, n, ...domain);
        const both = onBoth([x], (k, [at]) => k.unary(name, { n: n, x: at!, out: into(at!), ...ATTRIBUTES }));
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
      for (const bounds of [
        ATTRIBUTES,
        { lo: 0, hi: Infinity },
        { lo: -Infinity, hi: 0 },
        { lo: NaN, hi: 1 },
      ]) {
        const { wasm, reference } = onBoth([SPECIALS, SPECIALS], (k, [x, y]) =>
          k.unary(name, { n: n, x: x!, out: into(y!), ...bounds }),
        );
        for (const [i, x] of SPECIALS.entries()) {
          const y = reference[1]![i]!;
          sameKind(wasm[1]![i]!, y, UNARY_ULP[name] * ulp(y), `${name}(${x})`);
        }
        if (name !== 'clamp') break;
      }
    });
  }

  for (const name of UNARY) {
    test(`the derivative of ${name} agrees at every size, summed and not`, () => {
      for (const n of SIZES) {
        for (const accumulate of [false, true]) {
          const [dy, kept] = [uniforms(`dy${n}`, n), uniforms(`k${n}`, n, ...keptOf(name))];
          const call = (add: boolean) =>
            onBoth([dy, kept, uniforms('out', n)], (k, [d, x, out]) =>
              k.unaryBackward(name, { n, dy: d!, kept: x!, out: into(out!, add), ...ATTRIBUTES }),
            );
          const exact = call(false).reference[2]!;
          const { wasm, reference } = call(accumulate);
          const added = (i: number) => (accumulate ? ulp(reference[2]![i]!) / 2 : 0);
          close(
            wasm[2]!,
            reference[2]!,
            (i) => toleranceBackward(name, dy[i]!, exact[i]!) + added(i),
            `derivative of ${name}, ${n}`,
          );
        }
      }
    });

    test(`the derivative of ${name} gives the reference's NaN, infinities and signed zeros`, () => {
      const [lo, hi] = KEPT[name] ?? [-Infinity, Infinity];
      const first = SPECIALS.filter(
        (x) => Number.isNaN(x) || (name === 'sqrt' ? x >= 0 && x < 1e20 : x >= lo && x <= hi),
      );
      const kept = first.flatMap((x) => SPECIALS.map(() => x));
      const dy = first.flatMap(() => [...SPECIALS]);
      const n = kept.length;
      for (const bounds of name === 'clamp' ? [ATTRIBUTES, { lo: -Infinity, hi: 0 }] : [ATTRIBUTES]) {
        const { wasm, reference } = onBoth([dy, kept, new Float32Array(n)], (k, [d, x, out]) =>
          k.unaryBackward(name, { n, dy: d!, kept: x!, out: into(out!), ...bounds }),
        );
        for (const i of kept.keys()) {
          const exact = reference[2]![i]!;
          const what = `derivative of ${name}(${kept[i]}) times ${dy[i]}`;
          sameKind(wasm[2]![i]!, exact, toleranceBackward(name, dy[i]!, exact), what);
        }
      }
    });
  }

  for (const name of BINARY) {
    test(`${name} agrees for every way to broadcast, at every width, summed and not`, () => {
      checkViews(
        name,
        (k, record) => k.binary(name, record),
        firstOf(name),
        (exact) => ulp2(name) * ulp(exact),
      );
    });

    test(`${name} gives the reference's NaN, infinities and signed zeros`, () => {
      const a = SPECIALS.flatMap((x) => SPECIALS.map(() => x));
      const b = SPECIALS.flatMap(() => [...SPECIALS]);
      const cols = a.length;
      const { wasm, reference } = onBoth([a, b, new Float32Array(cols)], (k, [x, y, z]) =>
        k.binary(name, { rows: 1, cols, a: rowOf(x!, cols), b: rowOf(y!, cols), out: into(z!) }),
      );
      for (const i of a.keys()) {
        const exact = reference[2]![i]!;
        sameKind(wasm[2]![i]!, exact, ulp2(name) * ulp(exact), `${name}(${a[i]}, ${b[i]})`);
      }
    });
  }

  for (const name of NONLINEAR) {
    for (const operand of ['a', 'b'] as const) {
      test(`the derivative of ${name} to ${operand} agrees for every way to broadcast, summed and not`, () => {
        // At most three roundings. In pow, b - 1 is rounded too, which |ln a| < 5 magnifies; at a = 1, ln a is near 0.
        const ulps = { maximum: 0, minimum: 0, pow: 16 }[name as string] ?? 2.5;
        const absolute = name === 'pow' ? 8 * U : 0;
        checkViews(
          `derivative of ${name}`,
          (k, record, [dy, y]) => k.binaryBackward(name, operand, { ...record, dy: dy!, y: y! }),
          firstOf(name),
          (exact) => ulps * ulp(exact) + absolute,
        );
      });
    }
  }

  test('the derivatives of pow are 0 where a product would be 0 times infinity', () => {
    const [a, b] = [
      [0, 0, 0, 0, 2, -2],
      [0, 2, 0.5, -1, 0, 3],
    ];
    const cols = a.length;
    const of = (operand: 'a' | 'b') =>
      onBoth([a, b, a.map(() => 1), a.map((x, i) => x ** b[i]!), a], (k, [x, z, dy, y, out]) =>
        k.binaryBackward('pow', operand, {
          rows: 1,
          cols,
          a: rowOf(x!, cols),
          b: rowOf(z!, cols),
          dy: dy!,
          y: y!,
          out: into(out!),
        }),
      );
    const [da, db] = [of('a'), of('b')];
    close(da.wasm[4]!, [0, 0, Infinity, -Infinity, 0, 12], 1e-5, 'to the base');
    close(db.wasm[4]!.subarray(0, 5), [0, 0, 0, -Infinity, Math.LN2], 1e-6, 'to the exponent');
    close(da.reference[4]!, [0, 0, Infinity, -Infinity, 0, 12], 1e-5, 'to the base, reference');
  });

  test('the derivative of pow does not overflow where the power is 0', () => {
    const both = onBoth([[0.5], [3e38], [4], [0], [7]], (k, [a, b, dy, y, out]) =>
      k.binaryBackward('pow', 'a', {
        ...{ rows: 1, cols: 1, a: rowOf(a!, 1), b: rowOf(b!, 1), dy: dy!, y: y!, out: into(out!) },
      }),
    );
    assert.equal([both.wasm[4]![0], both.reference[4]![0]], [0, 0]);
  });

  test('where selects a or b by its condition, for every way to broadcast, and a NaN of the other has no effect', () => {
    checkViews(
      'where',
      (k, record, dense) => {
        const { rows, cols } = record;
        const ptr = dense[0]!;
        // About half of the conditions become 0.
        k.unary('relu', { n: rows * cols, x: ptr, out: into(ptr) });
        k.where({ ...record, condition: { ptr, row: cols, col: 1 } });
      },
      [-2, 2],
      () => 0,
    );
    const c = [0, 1, -0, NaN, -3];
    const { wasm } = onBoth([c, [NaN, 2, NaN, 4, 5], [1, NaN, 3, NaN, NaN], c], (k, [x, a, b, out]) =>
      k.where({
        rows: 1,
        cols: 5,
        condition: rowOf(x!, 5),
        a: rowOf(a!, 5),
        b: rowOf(b!, 5),
        out: into(out!),
      }),
    );
    assert.equal(Array.from(wasm[3]!), [1, 2, 3, 4, 5]);
  });

  test('copy moves between any strides: positive, negative, odd and zero, scaled and summed', () => {
    const strides = fc.tuple(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      // The layout: a dense row, a transpose, gaps, a reversed axis, or a repeated element.
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
            k.copy({
              rows: rows,
              cols: cols,
              alpha: alpha,
              x: { ptr: x! + offset(from, bytes), row: xRow, col: xCol },
              y: { ptr: y! + offset(to, bytes), row: yRow, col: yCol },
              accumulate: accumulate,
            }),
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

  test('a transpose is exact at every edge, for several strips of rows, from and to arrays with gaps', () => {
    for (const [rows, cols] of [
      [1, 9],
      [4, 4],
      [5, 7],
      [3, 70],
      [70, 3],
      [64, 64],
      [131, 66],
      [66, 131],
    ]) {
      for (const [xGap, yGap] of [
        [0, 0],
        [3, 5],
      ]) {
        const [xStep, yStep] = [cols + xGap, rows + yGap];
        const x = uniforms('x', rows * xStep);
        const y = uniforms('y', cols * yStep);
        for (const inOrderOf of ['x', 'y']) {
          const [, result] = runKernel(ownWasm(), [x, y], (k, [from, to]) => {
            const record = { alpha: 1, accumulate: false };
            const byX = { x: { ptr: from, row: xStep, col: 1 }, y: { ptr: to, row: 1, col: yStep } };
            const byY = { x: { ptr: from, row: 1, col: xStep }, y: { ptr: to, row: yStep, col: 1 } };
            if (inOrderOf === 'x') k.copy({ ...record, rows, cols, ...byX });
            else k.copy({ ...record, rows: cols, cols: rows, ...byY });
          });
          const expected = Float64Array.from(y, (value, at) => {
            const [j, i] = [Math.floor(at / yStep), at % yStep];
            return i < rows ? x[i * xStep + j] : value;
          });
          assert.equal(result, expected, `[${rows},${cols}] in the order of ${inOrderOf}`);
        }
      }
    }
  });

  test('work that is split into pieces agrees too', () => {
    const n = 70_001;
    const [a, b, y] = [uniforms('a', n, 0.1, 2), uniforms('b', n, 0.1, 2), uniforms('y', n)];
    for (const name of UNARY) {
      const { wasm, reference } = onBoth([a, y], (k, [x, out]) =>
        k.unary(name, { n: n, x: x!, out: into(out!, true), ...ATTRIBUTES }),
      );
      close(wasm[1]!, reference[1]!, (i) => (2 * UNARY_ULP[name] + 1) * ulp(reference[1]![i]! + 8), name);
    }
    for (const name of BINARY) {
      for (const rows of [1, 70]) {
        const cols = n / rows === Math.floor(n / rows) ? n / rows : 1000;
        const { wasm, reference } = onBoth([a, b, y], (k, [p, q, out]) =>
          k.binary(name, {
            rows: rows,
            cols: cols,
            a: rowOf(p!, cols),
            b: { ptr: q!, row: 1, col: 0 },
            out: into(out!),
          }),
        );
        close(wasm[2]!, reference[2]!, (i) => ulp2(name) * ulp(reference[2]![i]!), `${name} of ${rows} rows`);
      }
    }
    for (const [rows, cols] of [
      [1, n],
      [70, 1000],
    ] as const) {
      const { wasm, reference } = onBoth([a, y], (k, [x, out]) =>
        k.copy({
          rows: rows,
          cols: cols,
          alpha: -1,
          x: { ptr: x!, row: cols, col: 1 },
          y: { ptr: out!, row: 1, col: rows },
          accumulate: true,
        }),
      );
      close(wasm[1]!, reference[1]!, 4 * U, `copy [${rows},${cols}]`);
    }
    for (const name of REDUCE) {
      for (const [outer, inner] of [
        [1, 1],
        [70, 1],
        [7, 10],
      ] as const) {
        const { wasm, reference } = onBoth(
          [name === 'prod' ? reducible(name, 'a', n) : a, y],
          (k, [x, out]) =>
            k.reduce(name, {
              outer: outer,
              n: Math.floor(n / outer / inner),
              inner: inner,
              x: x!,
              alpha: 0.5,
              out: into(out!, true),
            }),
        );
        close(
          wasm[1]!,
          reference[1]!,
          (i) => 262 * ulp(reference[1]![i]!) + 4 * U,
          `${name} [${outer},,${inner}]`,
        );
      }
    }
    const loss = onBoth([a, b, [0]], (k, [p, q, out]) => k.mse({ n: n, a: p!, b: q!, out: out! }));
    close(loss.wasm[2]!, loss.reference[2]!, 64 * U, 'mse');
    const gradient = onBoth([a, b, [3], y], (k, [p, q, d, dx]) =>
      k.mseBackward({ n: n, a: p!, b: q!, dy: d!, scale: 0.5, out: into(dx!, true) }),
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
      onBoth([y, b, y, a], (k, [p, g, m, v]) => k.adam({ n: n, p: p!, g: g!, m: m!, v: v!, ...adam })),
      onBoth([y, b, y], (k, [p, g, m]) => k.sgd({ n: n, p: p!, g: g!, buffer: m!, ...sgd })),
      onBoth([y, b, a], (k, [p, g, v]) =>
        k.rmsprop({
          n,
          p,
          g,
          v,
          average: null,
          buffer: null,
          lr: 0.1,
          alpha: 0.9,
          eps: 0.1,
          momentum: 0,
          l2: 0,
        }),
      ),
    ]) {
      for (const [i, values] of step.wasm.entries()) close(values, step.reference[i]!, 16 * U, 'optimiser');
    }
    const key: Key = { seed: [1, 2], stream: [3, 4] };
    const bits = onBoth([y], (k, [out]) =>
      k.random('uniform', { n: n, out: out!, key: key, block: 2 ** 32 - 5 }),
    );
    assert.equal(bits.wasm, bits.reference);
    // A number for which the size of the pieces is not automatically a multiple of a group.
    const normals = normalsOnBoth(300_101, key, 2 ** 32 - 5);
    closeNormals(normals.wasm, normals.reference, 'normals');
  });

  test('fill writes its value, and nothing else', () => {
    for (const n of SIZES) {
      for (const value of [0, -0, 0.1, -Infinity, NaN]) {
        const { wasm } = onBoth([uniforms('x', n)], (k, [x]) => k.fill({ n: n, out: x!, value: value }));
        assert.ok(wasm[0]!.every((x) => Object.is(x, Math.fround(value))));
      }
    }
  });

  for (const name of REDUCE) {
    test(`${name} along any axis agrees within its bound, scaled and summed`, () => {
      const shapes = fc.tuple(
        fc.integer({ min: 0, max: 4 }),
        fc.oneof(fc.integer({ min: 0, max: 70 }), fc.constantFrom(63, 64, 65, 129, 4095, 4097, 9001)),
        fc.integer({ min: 0, max: 40 }),
        fc.constantFrom(1, -1, 0.3),
        fc.boolean(),
      );
      fc.assert(
        fc.property(shapes, ([outer, n, inner, alpha, accumulate]) => {
          const x = reducible(name, `x${n}`, outer * n * inner);
          const y = uniforms('y', outer * inner);
          const { wasm, reference } = onBoth([x, y], (k, [from, to]) =>
            k.reduce(name, {
              outer: outer,
              n: n,
              inner: inner,
              x: from!,
              alpha: alpha,
              out: into(to!, accumulate),
            }),
          );
          // See assembly/reduce/sum.ts: the sums of |x| and of x² are at most n here.
          const roundings = (inner === 1 ? 4096 / 16 + 5 : 64) + 1;
          const extreme = name === 'max' || name === 'min';
          // A sum is rounded before it is added to the output. It is at most n.
          const size = (i: number) => Math.max(...[reference[1][i], y[i]].map(Math.abs));
          const tolerance = (i: number) => {
            if (extreme && alpha !== 0.3 && !accumulate) return 0;
            if (extreme || name === 'prod') return 2 * ulp(size(i));
            return roundings * U * Math.min(n, 4096 * 4) + 2 * ulp(reference[1][i]);
          };
          const what = `${name} [${outer},${n},${inner}]`;
          close(wasm[1], reference[1].map(Math.fround), tolerance, what);
        }),
        RUNS,
      );
    });

    test(`${name} gives the reference's NaN and infinities wherever they stand`, () => {
      for (const inner of [1, 2, 4, 5, 17]) {
        for (const n of [1, 5, 18, 70]) {
          for (const special of [NaN, Infinity, -Infinity]) {
            for (let at = 0; at < n; at += 3) {
              const x = uniforms('x', n * inner);
              x[at * inner + (inner - 1)] = special;
              const { wasm, reference } = onBoth([x, new Float32Array(inner)], (k, [from, to]) =>
                k.reduce(name, { outer: 1, n: n, inner: inner, x: from!, alpha: 1, out: into(to!) }),
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

  test('the gradient of a product agrees with the product of the others, also where elements are 0', () => {
    const shapes = fc.tuple(
      fc.integer({ min: 0, max: 4 }),
      fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(63, 64, 65)),
      fc.integer({ min: 0, max: 11 }),
      fc.integer({ min: 0, max: 3 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(shapes, ([outer, n, inner, zeros, accumulate]) => {
        const x = reducible('prod', `x${n}`, outer * n * inner);
        for (let i = 0; i < zeros * outer * inner; i++) x[(i * 7919) % Math.max(1, x.length)] = 0;
        const [dy, dx] = [uniforms('dy', outer * inner), uniforms('dx', x.length)];
        const both = onBoth([x, dy, dx], (k, [from, d, to]) =>
          k.prodBackward({ outer, n, inner, x: from, dy: d, out: into(to, accumulate) }),
        );
        const exact = Array.from(x, (_, at) => {
          const column = Math.floor(at / (n * inner)) * inner + (at % inner);
          const first = Math.floor(at / (n * inner)) * n * inner + (at % inner);
          let product = dy[column];
          for (let k = 0; k < n; k++) if (first + k * inner !== at) product *= x[first + k * inner];
          return product;
        });
        const what = `gradient of prod [${outer},${n},${inner}], ${zeros} zeros`;
        const total = (at: number) => exact[at] + (accumulate ? dx[at] : 0);
        const expected = exact.map((_, at) => total(at));
        const rounded = (at: number) => 0.5 * (ulp(total(at)) + (accumulate ? ulp(exact[at]) : 0)) * 1.001;
        close(both.reference[2], expected, 1e-13, `${what}, reference`);
        close(both.wasm[2], expected, rounded, what);
        assert.equal(both.wasm[0], Float64Array.from(x), 'the input is as it was');
      }),
      RUNS,
    );
  });

  test('the gradient of a product gives the reference’s NaN and infinities wherever they stand', () => {
    for (const inner of [1, 4, 5]) {
      for (const n of [1, 2, 9]) {
        for (const special of [NaN, Infinity, -Infinity, 0]) {
          for (let at = 0; at < n; at += 3) {
            const x = uniforms('x', n * inner, 0.5, 2);
            x[at * inner + (inner - 1)] = special;
            const arrays = [x, uniforms('dy', inner, 0.5, 2), x.map(() => 0)];
            const { wasm, reference } = onBoth(arrays, (k, [from, dy, to]) =>
              k.prodBackward({ outer: 1, n, inner, x: from, dy, out: into(to) }),
            );
            for (const [i, exact] of reference[2].entries())
              sameKind(wasm[2][i], exact, ulp(exact), `gradient of prod with ${special} at ${at} of ${n}`);
          }
        }
      }
    }
  });

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
            kernels.gemm({
              m: m!,
              n: n!,
              k: k!,
              a: { ptr: a!, transposed: aT },
              b: { ptr: b!, transposed: bT },
              bias: bias ? d! : null,
              activation: act,
              out: into(c!, accumulate),
            }),
          );
        const { wasm, reference } = call(arrays, activation);
        const magnitudes = call(
          arrays.map((array) => array.map(Math.abs)),
          'none',
        ).reference[2]!;
        // The slope of an activation is at most 1.1, and it has its own error.
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

  test('in gemm NaN and infinities reach only their own row and column', () => {
    const [m, n, k] = [7, 13, 11];
    for (const special of [NaN, Infinity]) {
      const a = uniforms('a', m * k, 0.5, 1);
      const b = uniforms('b', k * n, 0.5, 1);
      a[6 * k + 10] = special;
      b[2 * n + 12] = special;
      const { wasm, reference } = onBoth([a, b, new Float32Array(m * n)], (kernels, [x, y, z]) =>
        kernels.gemm({
          m: m,
          n: n,
          k: k,
          a: { ptr: x!, transposed: false },
          b: { ptr: y!, transposed: false },
          out: into(z!),
        }),
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
      const forward = onBoth([a, b, [0]], (k, [x, y, out]) => k.mse({ n: n, a: x!, b: y!, out: out! }));
      close(forward.wasm[2]!, forward.reference[2]!, 12 * U, `mse of ${n}`);
      for (const accumulate of [false, true]) {
        for (const scale of [2 / n, -2 / n, 1]) {
          if (!Number.isFinite(scale)) continue;
          const both = onBoth([a, b, dy, uniforms('dx', n)], (k, [x, y, d, dx]) =>
            k.mseBackward({ n: n, a: x!, b: y!, dy: d!, scale: scale, out: into(dx!, accumulate) }),
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
          k.adam({ n: n, p: a!, g: b!, m: c!, v: d!, ...step }),
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
          k.sgd({ n: n, p: p!, g: g!, buffer: step.momentum ? b! : null, ...step }),
        );
        for (const [i, name] of ['p', 'g', 'b'].entries())
          close(both.wasm[i]!, both.reference[i]!, 8 * U, `sgd of ${n} ${JSON.stringify(some)}: ${name}`);
      }
    }
  });

  test('affineSample and its gradient agree at every size, and read only their own picture for any map', () => {
    const maps = [
      [1, 0, 0, 0, 1, 0],
      [0.7, -0.6, 1.3, 0.6, 0.7, -0.4],
      [1, 0, -1, 0, 1, -0.999],
      [3, 0, -4, 0, -2, 5],
      [1e9, 1, -1e9, 1, 1e9, 1e30],
      [NaN, 0, 0, 0, 1, 0],
      [0, 0, -Infinity, 0, 0, Infinity],
    ];
    const batch = maps.length;
    for (const [height, width, channels] of [
      [0, 3, 1],
      [3, 0, 1],
      [4, 4, 0],
      [1, 1, 1],
      [3, 5, 1],
      [5, 3, 3],
      [2, 7, 4],
      [6, 6, 5],
    ]) {
      const sizes = { batch, height, width, channels };
      const n = batch * height * width * channels;
      const arrays = [uniforms('x', n), maps.flat(), uniforms('out', n)];
      const forward = onBoth(arrays, (k, [x, matrix, out]) => k.affineSample({ ...sizes, x, matrix, out }));
      const backward = onBoth(arrays, (k, [dy, matrix, out]) =>
        k.affineSampleBackward({ ...sizes, dy, matrix, out }),
      );
      // A coordinate of up to 8 is rounded three times. A gradient is a sum of at most `height·width` numbers below 1.
      const what = `affineSample [${height},${width},${channels}]`;
      close(forward.wasm[2], forward.reference[2], 64 * U, what);
      close(backward.wasm[2], backward.reference[2], 64 * U * (1 + height * width), `${what}, gradient`);
      for (const { wasm } of [forward, backward]) {
        for (const input of [0, 1])
          close(wasm[input], Float32Array.from(arrays[input]), 0, `${what}, inputs`);
      }
    }
  });

  test('in affineSample NaN and infinities have an effect only if their weight is not 0', () => {
    const x = [1, NaN, 3, Infinity, 5, -Infinity];
    for (const shift of [0, 1, -1, 0.5, -0.25]) {
      const both = onBoth([x, [1, 0, shift, 0, 1, 0], zerosLike(x)], (k, [from, matrix, out]) =>
        k.affineSample({ batch: 1, height: 1, width: 6, channels: 1, x: from, matrix, out }),
      );
      for (const [i, value] of both.reference[2].entries())
        sameKind(both.wasm[2][i], value, 8 * U, `shifted by ${shift}, at ${i}`);
    }
  });

  test('rmsprop agrees plain, centred, with momentum and decay, and writes no array that it does not use', () => {
    const step: RmspropStep = { lr: 0.01, alpha: 0.99, eps: 1e-3, momentum: 0.9, l2: 0.1 };
    for (const n of SIZES) {
      for (const [centred, moves] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ]) {
        const small = uniforms('a', n, -0.1, 0.1);
        const arrays = [
          uniforms('p', n),
          uniforms('g', n),
          uniforms('v', n, 0.1, 1),
          small,
          uniforms('b', n),
        ];
        const both = onBoth(arrays, (k, [p, g, v, a, b]) =>
          k.rmsprop({ n, p, g, v, average: centred ? a : null, buffer: moves ? b : null, ...step }),
        );
        const what = `rmsprop of ${n}, centred ${centred}, momentum ${moves}`;
        for (const [i, values] of both.wasm.entries())
          close(values, both.reference[i], 16 * U, `${what}: ${i}`);
        if (!centred) assert.equal(both.wasm[3], Float64Array.from(small), what);
      }
    }
  });

  test('rmsprop treats a variance that rounds below 0 as 0, and keeps NaN', () => {
    // With alpha = 0 the variance is g² - g², exactly 0, where the products are rounded alike; NaN stays NaN.
    const g = [0.1, -3, 1e-20, 0, NaN, Infinity];
    const zeros = g.map(() => 0);
    const step = { lr: 1, alpha: 0, eps: 0.5, momentum: 0, l2: 0 };
    const both = onBoth([zeros, g, zeros, zeros], (k, [p, gradient, v, average]) =>
      k.rmsprop({ n: g.length, p, g: gradient, v, average, buffer: null, ...step }),
    );
    for (const { 0: p } of [both.wasm, both.reference]) close(p, [-0.2, 6, -2e-20, 0, NaN, NaN], 1e-6, 'p');
    // v is too small for the average: this enlarges the rounding error of a converged average.
    const rounded = onBoth([[0], [1], [0.9], [1]], (k, [p, gradient, v, average]) =>
      k.rmsprop({ n: 1, p, g: gradient, v, average, buffer: null, ...step, alpha: 0.5 }),
    );
    for (const { 0: p } of [rounded.wasm, rounded.reference]) close(p, [-2], 1e-6, 'p');
  });

  test('random bits and uniforms are equal, and normals agree, at every size, block and key', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const keys = fc.record({ seed: fc.tuple(word, word), stream: fc.tuple(word, word) });
    fc.assert(
      fc.property(keys, fc.maxSafeNat(), fc.constantFrom(...SIZES), (key: Key, block, n) => {
        const at = Math.min(block, Number.MAX_SAFE_INTEGER - 64);
        const uniform = onBoth([new Float32Array(n)], (k, [out]) =>
          k.random('uniform', { n: n, out: out!, key: key, block: at }),
        );
        assert.equal(uniform.wasm, uniform.reference);
        const normal = normalsOnBoth(n, key, at);
        closeNormals(normal.wasm, normal.reference, 'normals');
      }),
      RUNS,
    );
  });
});
