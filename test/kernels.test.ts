/**
 * Compares the kernels with float64 on difficult inputs, within the error bounds in the headers of assembly/*.ts. Also
 * checks the sections and imports of the WebAssembly modules.
 */
import seedrandom from 'seedrandom';
import * as assert from 'uvu/assert';
import type { KernelName } from '../src/backend/abi.ts';
import { hasRelaxedSimd, instantiate, kernelBytes, type Numerics } from '../src/backend/instance.ts';
import type { Kernels, Ptr, UnaryName } from '../src/backend/kernels.ts';
import { erf, erfc } from '../src/math.ts';
import { callExport, into, ownWasm, runKernel, U, UNARY_ULP, ulp, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

const CHUNK = 1 << 18;

/** The functions of the kernels, in float64. */
const EXACT: Readonly<Partial<Record<UnaryName, (x: number) => number>>> = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  silu: (x) => (x === -Infinity ? -0 : x / (1 + Math.exp(-x))),
  sin: Math.sin,
  cos: Math.cos,
  erf,
  gelu: (x) => (x === -Infinity ? -0 : 0.5 * x * erfc(-x * Math.SQRT1_2)),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};

/** Derivatives with their bounds in ulp, and an absolute bound if there is cancellation. */
const DERIVATIVES: Readonly<
  Partial<Record<UnaryName, { of: (x: number) => number; ulp: number; absolute?: number }>>
> = {
  sin: { of: Math.cos, ulp: 1.5 },
  cos: { of: (x) => -Math.sin(x), ulp: 1.5 },
  erf: { of: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x), ulp: 0.51 },
  gelu: {
    of: (x) =>
      0.5 * erfc(-x * Math.SQRT1_2) +
      (Number.isFinite(x) ? (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI) : 0),
    ulp: 0.51,
    absolute: 2 ** -30,
  },
};

/** Below this x, e^-x overflows, and sigmoid and SiLU are 0. */
const FLUSH = -128 * Math.LN2;

/** Critical inputs: a kernel changes its formula there, or its result overflows or underflows. */
// biome-ignore format: a table
const CRITICAL = [
  0, 2 ** -149, 2 ** -126, 2 ** -24, 0.625, 0.875, 1, Math.SQRT1_2, Math.SQRT2, 2, Math.LN2 / 2, 1.5 * Math.LN2,
  8.3, 9.01, 16.6, 17.33, 44, 87.33, 88.0297, 88.3763, 88.7228, 103.2789, 103.9721, 104, 2 ** 23, 2 ** 127,
  3.925, 10.3, 14.6, 0.7518, ...[1, 2, 3, 4, 5, 7, 8].map((n) => (n * Math.PI) / 4), 355, 2 ** 20, 1e22,
  // The float32 with the smallest relative distance to a multiple of π/2 (from continued fractions).
  16367173 * 2 ** 72,
].flatMap((x) => [x, -x]);

/** Float32 numbers of all kinds: every 2039th bit pattern, and 500 neighbours on both sides of critical inputs. */
function* inputs(): Generator<Float32Array> {
  let words = new Uint32Array(CHUNK);
  let n = 0;
  for (let pattern = 0; pattern < 2 ** 32; pattern += 2039) {
    words[n++] = pattern;
    if (n < CHUNK) continue;
    yield new Float32Array(words.buffer);
    words = new Uint32Array(CHUNK);
    n = 0;
  }
  yield new Float32Array(words.buffer, 0, n);
  const around = 500;
  yield Float32Array.from({ length: CRITICAL.length * (2 * around + 1) }, (_, i) => {
    const centre = Math.floor(i / (2 * around + 1));
    return neighbour(bitsOf(CRITICAL[centre]!), (i % (2 * around + 1)) - around);
  });
}

const one = new Float32Array(1);
const word = new Uint32Array(one.buffer);

function bitsOf(x: number): number {
  one[0] = x;
  return word[0]!;
}

/** The float32 whose bit pattern is `steps` away from that of another. */
function neighbour(bits: number, steps: number): number {
  word[0] = bits + steps;
  return one[0]!;
}

/** The error of y in ulp of the exact result; infinite if only one of the two is NaN, infinite or beyond float32. */
function error(y: number, exact: number): number {
  if (Number.isNaN(y) || Number.isNaN(exact)) return Number.isNaN(y) && Number.isNaN(exact) ? 0 : Infinity;
  const rounded = Math.fround(exact);
  if (!Number.isFinite(y) || !Number.isFinite(rounded)) {
    // A result whose distance to the largest float32 is within the bound may be finite or infinite.
    return y === rounded ||
      (Math.sign(y) === Math.sign(exact) && Math.abs(Math.abs(exact) / 2 ** 128 - 1) < U)
      ? 0
      : Infinity;
  }
  return Math.abs(y - exact) / ulp(exact);
}

/** Runs a kernel on all inputs x, beside an array of ones. Returns the largest error that `errorOf(x, y)` finds. */
function sweep(
  call: (k: Kernels, n: number, x: Ptr, ones: Ptr, out: Ptr) => void,
  errorOf: (x: number, y: number) => number,
): number {
  let count = 0;
  let worst = 0;
  for (const x of inputs()) {
    const n = x.length;
    const ones = new Float32Array(n).fill(1);
    const y = runKernel(ownWasm(), [x, ones, x], (k, [at, one, to]) => call(k, n, at, one, to))[2];
    for (let i = 0; i < n; i++) worst = Math.max(worst, errorOf(x[i], y[i]));
    count += n;
  }
  assert.ok(count > 2e6);
  return worst;
}

const dense = (ptr: number, n: number) => ({ ptr, row: n, col: 1 });

/** The exact sum of products or squares: float64 with a second float64 for the rounding errors (Neumaier). */
function sumOf(n: number, term: (i: number) => number): number {
  let sum = 0;
  let lost = 0;
  for (let i = 0; i < n; i++) {
    const value = term(i);
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}

/** Long arrays whose sums are difficult: in one float32 accumulator the first number would absorb the others. */
function hardArrays(n: number): Record<string, Float32Array> {
  const next = seedrandom('hard');
  return {
    'a large number and ones': new Float32Array(n).fill(1).map((x, i) => (i === 0 ? 2 ** 24 : x)),
    'numbers of all magnitudes': new Float32Array(n).map(() => (next() - 0.5) * 2 ** (60 * next() - 30)),
    'pairs that cancel': new Float32Array(n).map((_, i) => (i % 2 === 0 ? 1 : -1) * (1e6 + (i >> 1))),
    'rising powers': new Float32Array(n).map((_, i) => 1.00002 ** i),
    'falling powers': new Float32Array(n).map((_, i) => 1.00002 ** (n - i)),
    'equal numbers': new Float32Array(n).fill(0.1),
  };
}

/** The sum with one float32 accumulator. The kernels must be more accurate. */
function naiveSum(x: Float32Array): number {
  let sum = 0;
  for (const value of x) sum = Math.fround(sum + value);
  return sum;
}

suite('accuracy', (test) => {
  for (const [name, exact] of Object.entries(EXACT) as [UnaryName, (x: number) => number][]) {
    test(`${name} is within ${UNARY_ULP[name]} ulp of float64, on two million inputs of all magnitudes`, () => {
      const flushes = name === 'sigmoid' || name === 'silu';
      const bound = UNARY_ULP[name];
      const worst = sweep(
        (k, n, x, _ones, out) => k.unary(name, { n, x, out: into(out) }),
        (x, y) => {
          const t = exact(x);
          if (flushes && x < FLUSH) {
            assert.ok(y === 0 && Math.abs(t) < (name === 'silu' ? 2 ** -121 : 2 ** -128), `${name}(${x})`);
            return 0;
          }
          const e = error(y, t);
          if (!(e <= bound)) assert.unreachable(`${name}(${x}): got ${y}, expected ${t}: ${e} ulp`);
          return e;
        },
      );
      assert.ok(worst > bound / 2, `the bound of ${name} is loose: ${worst} was the most`);
    });
  }

  for (const [name, { of, ulp: bound, absolute = 0 }] of Object.entries(DERIVATIVES)) {
    test(`the derivative of ${name} is within ${bound} ulp of float64, on two million inputs`, () => {
      const worst = sweep(
        (k, n, x, ones, out) => k.unaryBackward(name as UnaryName, { n, dy: ones, kept: x, out: into(out) }),
        (x, y) => {
          const t = of(x);
          const e = error(y, t);
          if (!(e <= bound || Math.abs(y - t) <= absolute + bound * ulp(t))) {
            assert.unreachable(`the derivative of ${name} at ${x}: got ${y}, expected ${t}: ${e} ulp`);
          }
          return e;
        },
      );
      assert.ok(worst > bound / 2, `the bound is loose: ${worst} was the most`);
    });
  }

  test('pow is within 0.51 ulp of float64, for bases and exponents of every kind', () => {
    const next = seedrandom('pow');
    const any = (limit: number) => neighbour(Math.floor(next() * limit), 0);
    /** An exponent with which the result is anywhere in float32's range. */
    const exponent = (x: number) => Math.fround((-104 + 193 * next()) / Math.log(x));
    const kinds: Record<string, () => [number, number]> = {
      'any bits': () => [any(2 ** 32), any(2 ** 32)],
      'results of all magnitudes': () => {
        const x = any(0x7f800000);
        return [x, exponent(x)];
      },
      'bases near 1': () => {
        const x = Math.fround(1 + (next() - 0.5) * 2 ** -(1 + 22 * next()));
        return [x, exponent(x)];
      },
      'whole exponents, bases of both signs': () => [8 * next() - 4, Math.round(40 * next() - 20)],
      'small numbers': () => [4 * next(), 8 * next() - 4],
    };
    const n = 1 << 18;
    for (const [kind, draw] of Object.entries(kinds)) {
      const [a, b] = [new Float32Array(n), new Float32Array(n)];
      for (let i = 0; i < n; i++) [a[i], b[i]] = draw();
      const z = runKernel(ownWasm(), [a, b, a], (k, [p, q, to]) =>
        k.binary('pow', { rows: 1, cols: n, a: dense(p!, n), b: dense(q!, n), out: into(to!) }),
      )[2]!;
      for (let i = 0; i < n; i++) {
        // 1^NaN and 1^∞ are NaN in JavaScript, and 1 in IEEE 754.
        const exact = a[i] === 1 ? 1 : a[i]! ** b[i]!;
        const e = error(z[i]!, exact);
        if (!(e <= 0.51))
          assert.unreachable(`${kind}: ${a[i]}^${b[i]}: got ${z[i]}, expected ${exact}: ${e} ulp`);
      }
    }
  });

  test('a sum of a million numbers is within 261 half ulp of the sum of magnitudes, also for difficult numbers', () => {
    const n = 1_000_000;
    for (const [what, x] of Object.entries(hardArrays(n))) {
      const exact = sumOf(n, (i) => x[i]!);
      const bound = 262 * U * sumOf(n, (i) => Math.abs(x[i]!));
      const [, y] = runKernel(ownWasm(), [x, [0]], (k, [at, to]) =>
        k.reduce('sum', { outer: 1, n: n, inner: 1, x: at!, alpha: 1, out: into(to!) }),
      );
      assert.ok(Math.abs(y![0]! - exact) <= bound, `${what}: ${y![0]} is not ${exact} ± ${bound}`);
      if (what === 'a large number and ones') {
        assert.ok(Math.abs(naiveSum(x) - exact) > 100 * bound, 'the input would not reveal a naive sum');
      }
    }
  });

  test('the partial sums of a block, and the elements behind it, are added in float64', () => {
    // 2^24 + 1 is not a float32 number. After the first sixteen elements, three are added one by one.
    const cancel = [2 ** 24, 1, -(2 ** 24)];
    const x = [...cancel, ...Array(13).fill(0), ...cancel];
    const [, y] = runKernel(ownWasm(), [x, [0]], (k, [at, to]) =>
      k.reduce('sum', { outer: 1, n: x.length, inner: 1, x: at!, alpha: 1, out: into(to!) }),
    );
    assert.is(y![0], 2);
  });

  test('a sum down a long column is within 64 half ulp of the sum of magnitudes', () => {
    const [n, inner] = [200_000, 5];
    for (const [what, x] of Object.entries(hardArrays(n * inner))) {
      const [, y] = runKernel(ownWasm(), [x, new Float32Array(inner)], (k, [at, to]) =>
        k.reduce('sum', { outer: 1, n: n, inner: inner, x: at!, alpha: 1, out: into(to!) }),
      );
      for (let j = 0; j < inner; j++) {
        const exact = sumOf(n, (i) => x[i * inner + j]!);
        const bound = 65 * U * sumOf(n, (i) => Math.abs(x[i * inner + j]!));
        assert.ok(Math.abs(y![j]! - exact) <= bound, `${what}: ${y![j]} is not ${exact} ± ${bound}`);
      }
    }
  });

  test('sums of squares and squared errors are within their bounds', () => {
    const n = 1_000_000;
    for (const [what, x] of Object.entries(hardArrays(n))) {
      const zero = new Float32Array(n);
      const exact = sumOf(n, (i) => x[i]! * x[i]!);
      const [, squares] = runKernel(ownWasm(), [x, [0]], (k, [at, to]) =>
        k.reduce('sumSquares', { outer: 1, n: n, inner: 1, x: at!, alpha: 1, out: into(to!) }),
      );
      assert.ok(Math.abs(squares![0]! - exact) <= 263 * U * exact, `${what}: ${squares![0]} is not ${exact}`);
      // Blocks of 4096 elements in eight lanes: 512 additions each.
      const [, , loss] = runKernel(ownWasm(), [x, zero, [0]], (k, [a, b, to]) =>
        k.mse({ n: n, a: a!, b: b!, out: to! }),
      );
      assert.ok(
        Math.abs(loss![0]! - exact / n) <= (520 * U * exact) / n,
        `${what}: ${loss![0]} is not ${exact / n}`,
      );
    }
  });

  test('the error of a product is within (k + 2) half ulp of the sum of |a||b|', () => {
    for (const [m, n, k] of [
      [9, 17, 2000],
      [5, 9, 399],
      [4, 8, 401],
      [3, 250, 1201],
      [6, 6, 1],
    ] as const) {
      for (const numerics of ['strict', ...(hasRelaxedSimd() ? ['relaxed' as const] : [])] as Numerics[]) {
        const next = seedrandom(`${m}`);
        const magnitudes = () => (next() - 0.5) * 2 ** (24 * next() - 12);
        for (const draw of [magnitudes, next, () => next() - 0.5]) {
          const a = new Float32Array(m * k).map(draw);
          const b = new Float32Array(k * n).map(draw);
          const backend = ownWasm(numerics);
          for (const [aT, bT] of [
            [false, false],
            [false, true],
            [true, false],
            [true, true],
          ] as const) {
            const [, , c] = runKernel(backend, [a, b, new Float32Array(m * n)], (kernels, [x, y, z]) =>
              kernels.gemm({
                m: m,
                n: n,
                k: k,
                a: { ptr: x!, transposed: aT },
                b: { ptr: y!, transposed: bT },
                out: into(z!),
              }),
            );
            for (let i = 0; i < m; i++) {
              for (let j = 0; j < n; j++) {
                const product = (p: number) =>
                  a[aT ? p * m + i : i * k + p]! * b[bT ? j * k + p : p * n + j]!;
                const exact = sumOf(k, product);
                const bound = (k + 2) * U * sumOf(k, (p) => Math.abs(product(p)));
                assert.ok(
                  Math.abs(c![i * n + j]! - exact) <= bound,
                  `${numerics} [${m},${n},${k}] at ${i}, ${j}`,
                );
              }
            }
          }
        }
      }
    }
  });

  for (const [what, name] of [
    ['maximum', 'max'],
    ['minimum', 'min'],
  ] as const) {
    test(`the ${what} takes +0 as larger than -0, at all positions`, () => {
      const other = name === 'max' ? -1 : 1;
      for (const inner of [1, 3, 4, 17]) {
        for (const n of [1, 2, 9]) {
          for (const fill of [0, -0]) {
            for (const beside of [-fill, other]) {
              for (let at = 0; at < n; at++) {
                const x = Float32Array.from({ length: n * inner }, (_, i) =>
                  Math.floor(i / inner) === at ? fill : beside,
                );
                const [, y] = runKernel(ownWasm(), [x, new Float32Array(inner)], (k, [from, to]) =>
                  k.reduce(name, { outer: 1, n, inner, x: from, alpha: 1, out: into(to) }),
                );
                const expected = n === 1 ? fill : Math[name](fill, beside);
                assert.ok(
                  y.every((value) => Object.is(value, expected)),
                  `${fill} at ${at} beside ${beside}, [${n},${inner}]: expected ${expected}, got ${y}`,
                );
              }
            }
          }
        }
      }
    });

    test(`the ${what} is exact, and NaN if any element is NaN`, () => {
      for (const inner of [1, 3, 4, 6, 16, 23]) {
        for (const n of [1, 2, 15, 16, 17, 33, 64, 65, 130]) {
          const x = uniforms(
            `${n}`,
            n * inner,
            ...(name === 'max' ? ([-2, -1] as const) : ([1, 2] as const)),
          );
          const extreme = (values: Float32Array) =>
            runKernel(ownWasm(), [values, new Float32Array(inner)], (k, [at, to]) =>
              k.reduce(name, { outer: 1, n: n, inner: inner, x: at!, alpha: 1, out: into(to!) }),
            )[1]!;
          const column = (j: number) => x.filter((_, i) => i % inner === j);
          assert.equal(
            extreme(x),
            Float64Array.from({ length: inner }, (_, j) => Math[name](...column(j))),
          );
          for (let at = 0; at < n * inner; at++) {
            const y = extreme(x.with(at, NaN));
            for (let j = 0; j < inner; j++)
              assert.is(Number.isNaN(y[j]!), j === at % inner, `NaN at ${at} of [${n},${inner}]`);
          }
        }
      }
    });
  }
});

/** The ids of a module's sections, in order. */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]!);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return ids;
}

/** A memory with bytes of a pattern, and an instance of the kernels over it. */
function fresh(numerics: Numerics) {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  bytes.forEach((_, i) => {
    bytes[i] = (i * 37) & 0xff;
  });
  const before = bytes.slice();
  const { exports } = instantiate(numerics, memory);
  return { memory, bytes, before, exports };
}

suite('modules', (test) => {
  for (const numerics of ['strict', 'relaxed'] as const) {
    test(`the ${numerics} module has no data and no start function, and imports only the memory`, () => {
      const bytes = kernelBytes(numerics);
      const [custom, start, data, dataCount, element] = [0, 8, 11, 12, 9];
      const ids = sectionIds(bytes);
      assert.ok(ids.includes(10) && ids.includes(7), 'code and exports are there');
      for (const id of [start, data, dataCount, element]) assert.not.ok(ids.includes(id), `section ${id}`);
      assert.ok(ids.every((id) => id >= custom && id <= 10));
      if (numerics === 'relaxed' && !hasRelaxedSimd()) return;
      const module = new WebAssembly.Module(bytes);
      assert.equal(WebAssembly.Module.imports(module), [{ module: 'env', name: 'memory', kind: 'memory' }]);
    });
  }

  test('creating an instance writes nothing, and its setup writes only its table below the heap', () => {
    const { bytes, before, exports } = fresh('strict');
    assert.equal(bytes.slice(), before);
    exports.init();
    const changed = bytes.findLastIndex((byte, i) => byte !== before[i]);
    assert.ok(changed > 0 && changed < exports.heapBase(), `${changed} is beyond ${exports.heapBase()}`);
    const table = bytes.slice();
    exports.init();
    assert.equal(bytes.slice(), table);
  });

  test('two instances over one memory agree, and do not change data of the other', () => {
    const { memory, exports: first } = fresh('strict');
    const base = first.heapBase();
    first.attach(base, 0);
    first.init();
    const { exports: second } = instantiate('strict', memory);
    const scratch = Math.ceil(first.scratchBytes() / 64) * 64;
    second.attach(base + scratch, 1);
    second.init();
    const data = base + 2 * scratch;
    const n = 999;
    const [m, k, w] = [33, 30, 33];
    const x = new Float32Array(memory.buffer, data, n).fill(0).map((_, i) => Math.sin(i));
    new Float32Array(memory.buffer, data, n).set(x);
    const record = data + 4096 + 2 * 32768;
    const outputs = [first, second].map((exports, i) => {
      const at = data + 4096 + i * 32768;
      const call = (name: KernelName, bounds: number[], fields: object) =>
        callExport({ memory, exports }, name, bounds, fields, record);
      const key = { seed: [1, 2], stream: [3, 4] };
      const [a, b] = [false, true].map((transposed) => ({ ptr: data, transposed }));
      call('tanh', [0, n], { n, x: data, out: into(at) });
      call('gaussian', [0, n], { n, out: at + 4096, key, block: 5 });
      call('sum', [0, 1], { outer: 1, n, inner: 1, x: data, alpha: 1, out: into(at + 8192) });
      call('gemm', [0, m, 0, w], { m, n: w, k, a, b, out: into(at + 12288) });
      return new Uint8Array(memory.buffer, at, 12288 + 4 * m * w).slice();
    });
    const untouched = (bytes: Uint8Array) => bytes.subarray(0, 4 * n);
    assert.equal(untouched(outputs[0]!), untouched(outputs[1]!));
    for (const [from, length] of [
      [0, 4 * n],
      [4096, 4 * n],
      [8192, 4],
      [12288, 4 * m * w],
    ] as const) {
      assert.equal(outputs[0]!.subarray(from, from + length), outputs[1]!.subarray(from, from + length));
    }
    assert.ok(new Float32Array(outputs[0]!.buffer, 12288, m * w).every((c) => c !== 0 && Math.abs(c) < k));
  });
});
