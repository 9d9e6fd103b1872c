/**
 * Random numbers: the known answers of Philox, the formulas of uniforms and normals at chosen bits, streams and state,
 * and statistical tests. Seeds are fixed, so a test always has the same result. A perfect generator would fail a
 * threshold at most once in ten thousand runs.
 */
import * as assert from 'uvu/assert';
import { tapeLength } from '../src/autograd/tape.ts';
import { ABI, layoutOf, RecordWriter } from '../src/backend/abi.ts';
import { backend } from '../src/backend/backend.ts';
import { instantiate } from '../src/backend/instance.ts';
import type { Key } from '../src/backend/kernels.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { manualSeed, Rng, rand, randn } from '../src/random/rng.ts';
import { empty } from '../src/tensor/create.ts';
import {
  closeNormals,
  gaussianError,
  onBackend,
  ownReference,
  ownWasm,
  refused,
  runKernel,
} from './helpers.ts';
import { counterFor, philoxBlock, type Words } from './helpers-philox.ts';
import {
  binomialScore,
  chiSquareScore,
  correlationScore,
  ksTest,
  normalCdf,
  poissonTest,
} from './helpers-statistics.ts';
import { suite } from './suite.ts';

/** The largest possible normal: sqrt(-2 ln u) for u = 2^-32. */
const LARGEST = Math.sqrt(64 * Math.LN2);

/** A standard score above this in magnitude has probability 6e-7. */
const SCORE = 5;

/** From Random123's file kat_vectors: counter, key, words. */
const KNOWN: readonly [Words, [number, number], Words][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

/** An instance of the kernels whose arguments are words, and the address of free memory. */
function rawKernels() {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true });
  const { exports } = instantiate('strict', memory);
  const record = exports.heapBase();
  exports.attach(record + 256, 0);
  exports.init();
  const out = record + 256 + exports.scratchBytes();
  /** Sixteen numbers at any counter: a block's number has more bits than a number of JavaScript is exact to. */
  const sixteen = (name: 'gaussian' | 'randomBits', counter: readonly number[], seed: readonly number[]) => {
    const stream = counter.slice(2);
    ABI[name].write(new RecordWriter(memory.buffer, record).start(), {
      n: 16,
      out,
      key: { seed: [seed[0]!, seed[1]!], stream: [stream[0]!, stream[1]!] },
      block: 0,
    });
    const { at } = layoutOf(name).places.find((place) => place.name === 'block')!;
    new Uint32Array(memory.buffer, record + at, 2).set(counter.slice(0, 2));
    exports[name](0, 16, record);
  };
  return { memory, out, sixteen };
}

/** The words that a backend's kernel writes. */
function bitsOf(on: ReturnType<typeof ownWasm>, n: number, key: Key, block: number): Uint32Array {
  const { heap, kernels, readWords } = on;
  const ptr = heap.alloc(4 * n);
  kernels.random('randomBits', { n: n, out: ptr, key: key, block: block });
  const words = readWords(ptr, n);
  heap.release(ptr);
  return words;
}

/** Words spread over all of 32 bits, and the smallest and largest ones. */
const spread = (i: number) => Math.imul(i + 1, 0x9e3779b1) >>> 0;

suite('philox', (test) => {
  test("the known answers come out of the kernel, and of the tests' own Philox", () => {
    const { memory, out, sixteen } = rawKernels();
    for (const [counter, key, words] of KNOWN) {
      assert.equal(philoxBlock(counter, key), words);
      assert.equal(counterFor(words, key), counter);
      sixteen('randomBits', counter, key);
      assert.equal(Array.from(new Uint32Array(memory.buffer, out, 4)), words);
    }
  });

  test('both backends: the key is the seed, the counter the block below and the stream above', () => {
    assert.equal(Array.from(bitsOf(ownReference(), 4, { seed: [0, 0], stream: [0, 0] }, 0)), KNOWN[0]![2]);
    for (let i = 0; i < 50; i++) {
      const key: Key = { seed: [spread(i), spread(i + 100)], stream: [spread(i + 200), spread(i + 300)] };
      // Blocks on both sides of 2^32, and up to the largest whole number of a double.
      for (const block of [i, 2 ** 32 - 2, 2 ** 32 + i, Number.MAX_SAFE_INTEGER - 4]) {
        const expected = [0, 1, 2, 3, 4].flatMap((j) => {
          const at = BigInt(block) + BigInt(j);
          return philoxBlock(
            [Number(at & 0xffffffffn), Number(at >> 32n), key.stream[0], key.stream[1]],
            key.seed as [number, number],
          );
        });
        for (const on of [ownWasm(), ownReference()]) {
          assert.equal(
            Array.from(bitsOf(on, 19, key, block)),
            expected.slice(0, 19),
            `${on.name} at ${block}`,
          );
        }
      }
    }
  });

  test('uniforms are the top 24 bits of each word, exactly', () => {
    const key: Key = { seed: [1, 2], stream: [3, 4] };
    const words = bitsOf(ownWasm(), 1001, key, 77);
    for (const on of [ownWasm(), ownReference()]) {
      const [values] = runKernel(on, [new Float32Array(1001)], (k, [out]) =>
        k.random('uniform', { n: 1001, out: out!, key: key, block: 77 }),
      );
      assert.equal(
        values,
        Float64Array.from(words, (word) => (word >>> 8) / 2 ** 24),
        on.name,
      );
    }
  });

  test('normals follow the Box-Muller formula for any bits, the smallest and the largest too', () => {
    const { memory, out, sixteen } = rawKernels();
    const key: [number, number] = [7, 8];
    /** The kernel's pair of normals for a word of the radius and a word of the angle. */
    const pair = (radius: number, angle: number) => {
      sixteen('gaussian', counterFor([radius, angle, 1, 2], key), key);
      const [x, , , , y] = new Float32Array(memory.buffer, out, 5);
      return [x!, y!] as const;
    };
    const words = [
      ...[
        0,
        1,
        2,
        3,
        255,
        256,
        2 ** 24,
        0x3fffffff,
        0x7fffffff,
        0x80000000,
        0xb504f333,
        0xffffff00,
        0xffffffff,
      ],
      ...Array.from({ length: 100 }, (_, i) => spread(i) >>> (i % 32)),
      ...Array.from({ length: 30 }, (_, i) => ~(2 ** i) >>> 0),
    ];
    const eighths = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => i * 2 ** 29);
    const angles = [
      ...eighths.flatMap((angle) => [angle, angle + 1, angle + 2 ** 29 - 1]),
      ...Array.from({ length: 60 }, (_, i) => spread(i + 1000)),
    ];
    for (const radius of words) {
      for (const angle of angles) {
        const w = radius >>> 1;
        const r = Math.sqrt(-2 * Math.log1p((w + 0.5 - 2 ** 31) / 2 ** 31));
        // The top bit is a turn by 180°; the other bits are a signed part of 90°.
        const theta = Math.PI * (angle >>> 31) + (Math.PI / 2) * ((angle << 1) / 2 ** 31);
        const [x, y] = pair(radius, angle);
        const error = Math.hypot(x - r * Math.cos(theta), y - r * Math.sin(theta));
        assert.ok(error <= gaussianError(r), `${radius}, ${angle}: error ${error} at radius ${r}`);
      }
    }
    assert.ok(Math.abs(pair(0, 0)[0] - LARGEST) < 1e-6, 'the radius for the word 0');
    assert.ok(pair(0, 0)[0] > pair(2, 0)[0]);
  });

  test('the backends agree on normals', () => {
    for (let i = 0; i < 20; i++) {
      const key: Key = { seed: [i, spread(i)], stream: [spread(i + 1), i] };
      const draw = (on: ReturnType<typeof ownWasm>) =>
        runKernel(on, [new Float32Array(4096)], (k, [out]) =>
          k.random('gaussian', { n: 4096, out: out!, key: key, block: i * 2 ** 31 }),
        )[0]!;
      const [wasm, reference] = [draw(ownWasm()), draw(ownReference())];
      closeNormals(wasm, reference, `key ${i}`);
      // Near 0 the rounding of u is visible. It is rare, and does not change the distribution.
      const far = Array.from(wasm).filter((x, j) => Math.abs(x - reference[j]!) > 1e-6);
      assert.ok(far.length <= 8, `${far.length} of 4096 further than 1e-6`);
    }
  });
});

suite('rng', (test) => {
  test('the same seed gives the same numbers, as a number and as its text', () => {
    const draw = (rng: Rng) => Array.from(rng.bits(8));
    assert.equal(draw(new Rng(42)), draw(new Rng(42)));
    assert.equal(draw(new Rng(42)), draw(new Rng('42')));
    const seeds = [0, 1, -1, 0.5, 2 ** 53, 'a', 'b', '', 'ab', '0.50'];
    assert.is(new Set(seeds.map((seed) => draw(new Rng(seed)).join())).size, seeds.length);
  });

  test('invalid seeds, shapes, ranges and states are refused', () => {
    for (const seed of [NaN, Infinity, null, undefined, {}, 1n, Symbol('s'), [1]]) {
      refused(() => new Rng(seed as number), ValueError, /^seed: expected a string or a finite number, got /);
    }
    const rng = new Rng(1);
    refused(() => rng.normal([2, -1]), ShapeError, /whole numbers >= 0, got \[2,-1\]/);
    refused(() => rng.uniform([0.5]), ShapeError, /got \[0.5\]/);
    refused(() => rng.bits(-1), ShapeError, /got \[-1\]/);
    for (const [lo, hi] of [
      [1, 1],
      [2, 1],
      [NaN, 1],
      [0, Infinity],
    ] as const) {
      refused(
        () => rng.uniform([1], lo, hi),
        ValueError,
        `uniform: expected finite lo < hi, got ${lo} and ${hi}`,
      );
    }
    for (const n of [-1, 0.5, NaN, Infinity]) {
      refused(() => rng.skip(n), ValueError, `skip: expected a whole number >= 0, got ${n}`);
    }
    for (const block of [-1, 0.5, NaN, '1']) {
      refused(
        () => Rng.restore({ seed: 1, stream: '', block: block as number }),
        ValueError,
        `rng: expected a block number >= 0, got ${block}`,
      );
    }
    refused(
      () => Rng.restore({ seed: 1, stream: 3 as unknown as string, block: 0 }),
      ValueError,
      'rng: expected the name of a stream, got 3',
    );
    assert.is(rng.state.block, 0, 'what was refused drew nothing');
  });

  test('a restored generator goes on exactly, also from JSON and in a stream', () => {
    for (const rng of [new Rng('seed'), new Rng(3).stream('noise').stream('inner')]) {
      rng.normal([5]).dispose();
      rng.bits(3);
      const again = Rng.restore(JSON.parse(JSON.stringify(rng.state)));
      assert.equal(again.state, rng.state);
      for (let i = 0; i < 3; i++) {
        assert.equal(again.bits(17), rng.bits(17));
        onBackend(backend().name, () => {
          assert.equal(again.normal([3, 7]).toArray(), rng.normal([3, 7]).toArray());
          assert.equal(again.uniform([5], -2, 3).toArray(), rng.uniform([5], -2, 3).toArray());
        });
      }
    }
  });

  test('draws of any size and kind never share a block', () => {
    const rng = new Rng(5);
    const all = bitsOf(backend(), 16 * 200, rng.key, 0);
    let at = 0;
    for (const [i, n] of [1, 15, 16, 17, 31, 32, 33, 0, 100].entries()) {
      const words = rng.bits(n);
      assert.equal(words, all.slice(at, at + n));
      at += 16 * Math.ceil(n / 16);
      if (i % 2) rng.normal([n]).dispose();
      else rng.uniform([n]).dispose();
      at += 16 * Math.ceil(n / 16);
      assert.is(4 * rng.state.block, at);
    }
  });

  test('skipping n numbers is the same as drawing them', () => {
    for (const n of [0, 1, 16, 17, 1000]) {
      const [a, b] = [new Rng(1), new Rng(1)];
      a.skip(n);
      b.normal([n]).dispose();
      assert.equal(a.state, b.state);
      assert.equal(a.bits(4), b.bits(4));
    }
  });

  test('streams differ from their parent, from each other and over seeds, and do not advance it', () => {
    const rng = new Rng(1);
    const sequences = [
      rng,
      rng.stream('a'),
      rng.stream('b'),
      rng.stream('a').stream('b'),
      rng.stream('b').stream('a'),
      rng.stream(''),
      rng.stream('').stream(''),
      rng.stream('a/b'),
      rng.stream('a%2Fb'),
      new Rng(2),
      new Rng(2).stream('a'),
    ].map((stream) => Array.from(stream.bits(4)).join());
    assert.is(new Set(sequences).size, sequences.length);
    assert.is(rng.state.block, 4);
    assert.is(Array.from(rng.stream('a').bits(4)).join(), sequences[1], 'a stream begins at its beginning');
  });

  test('writing in place gives the same numbers as a new tensor, and leaves no memory', () => {
    const out = empty([3, 5], { requiresGrad: true });
    const heap = backend().heap.blocks;
    const nodes = tapeLength();
    for (const [draw, into] of [
      [(r: Rng) => r.normal([3, 5]), (r: Rng) => r.normalInto(out)],
      [(r: Rng) => r.uniform([3, 5]), (r: Rng) => r.uniformInto(out)],
      [(r: Rng) => r.uniform([3, 5], -3, 7), (r: Rng) => r.uniformInto(out, -3, 7)],
    ] as const) {
      const expected = onBackend(backend().name, () => draw(new Rng(9)).toArray());
      assert.is(into(new Rng(9)), out);
      assert.equal(out.toArray(), expected);
    }
    assert.is(tapeLength(), nodes);
    assert.is(backend().heap.blocks, heap);
    out.dispose();
  });

  test('the shared generator starts again with its seed', () => {
    manualSeed('again');
    const draw = () => onBackend(backend().name, () => [randn([3]).toArray(), rand([2, 2]).toArray()]);
    const first = draw();
    assert.not.equal(draw(), first);
    manualSeed('again');
    assert.equal(draw(), first);
    const own = new Rng('own');
    assert.equal(
      onBackend(backend().name, () => randn([3], own).toArray()),
      onBackend(backend().name, () => new Rng('own').normal([3]).toArray()),
    );
  });

  for (const name of ['wasm', 'reference'] as const) {
    test(`uniforms of the backend ${name} stay below their upper end, also where float32 would round to it`, () => {
      onBackend(name, () => {
        const least = name === 'wasm' ? 2 ** -149 : 2 ** -1074;
        for (const [lo, hi] of [
          [0, 1],
          [1, 2],
          [1000, 1001],
          [-1, 0],
          [-least, 0],
          [-3, 5],
          [16777215, 16777216],
        ]) {
          const x = new Rng(1).uniform([200_000], lo, hi).toTypedArray();
          assert.ok(
            x.every((value) => value >= lo && value < hi),
            `[${lo}, ${hi})`,
          );
        }
      });
    });
  }
});

/** n normals of a stream, in arrays of at most 2^18. */
function* normals(rng: Rng, n: number): Generator<Float32Array | Float64Array> {
  const chunk = empty([Math.min(n, 1 << 18)]);
  for (let left = n; left > 0; left -= chunk.size) yield rng.normalInto(chunk).toTypedArray();
  chunk.dispose();
}

const draw = (rng: Rng, n: number): Float64Array =>
  onBackend(backend().name, () => Float64Array.from(rng.normal([n]).toTypedArray()));

/** The number of samples for large tests. The reference backend is slow, so it has fewer. */
const MANY = backend().name === 'wasm' ? 2 ** 25 : 2 ** 20;

suite('statistics', (test) => {
  test('bits are balanced in every place, and all bytes are equally frequent', () => {
    const n = 1 << 18;
    const words = new Rng('bits').bits(n);
    const bytes = new Float64Array(256);
    for (let bit = 0; bit < 32; bit++) {
      let count = 0;
      for (const word of words) count += (word >>> bit) & 1;
      assert.ok(Math.abs(binomialScore(count, n, 0.5)) < SCORE, `bit ${bit}`);
    }
    for (const byte of new Uint8Array(words.buffer)) bytes[byte]!++;
    assert.ok(Math.abs(chiSquareScore(bytes, 4 * n)) < SCORE);
  });

  test('uniforms have the moments and the distribution of uniforms', () => {
    const n = 1 << 18;
    const x = onBackend(backend().name, () =>
      Float64Array.from(new Rng('uniform').uniform([n]).toTypedArray()),
    );
    assert.ok(x.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24)));
    for (const k of [1, 2, 3, 4]) {
      // E u^k = 1/(k+1), var u^k = 1/(2k+1) - 1/(k+1)²
      const mean = x.reduce((sum, value) => sum + value ** k, 0) / n;
      const deviation = Math.sqrt((1 / (2 * k + 1) - 1 / (k + 1) ** 2) / n);
      assert.ok(Math.abs(mean - 1 / (k + 1)) < SCORE * deviation, `moment ${k}: ${mean}`);
    }
    const p = ksTest(x, (value) => value);
    assert.ok(p > 1e-4 && p < 1 - 1e-4, `KS: p = ${p}`);
  });

  test('normals have the moments of normals up to the eighth', () => {
    const n = MANY >> 3;
    const sums = new Float64Array(9);
    for (const values of normals(new Rng('moments'), n)) {
      for (const x of values) for (let k = 1, power = x; k <= 8; k++, power *= x) sums[k]! += power;
    }
    // E x^k = (k-1)!! for even k, and the variance of x^k is E x^2k - (E x^k)².
    const moment = (k: number): number => (k === 0 ? 1 : k % 2 === 1 ? 0 : (k - 1) * moment(k - 2));
    for (let k = 1; k <= 8; k++) {
      const deviation = Math.sqrt((moment(2 * k) - moment(k) ** 2) / n);
      const score = (sums[k]! / n - moment(k)) / deviation;
      assert.ok(Math.abs(score) < SCORE, `moment ${k}: ${sums[k]! / n}, ${score} standard errors off`);
    }
  });

  test('KS tests over 500 seeds give p-values that are themselves uniform', () => {
    const p = Float64Array.from({ length: 500 }, (_, seed) => ksTest(draw(new Rng(seed), 2000), normalCdf));
    const overall = ksTest(p, (x) => x);
    assert.ok(overall > 1e-4, `the p-values are not uniform: ${overall}`);
    assert.ok(
      p.every((x) => x > 1e-4 / 500),
      `the least p-value of 500 is ${Math.min(...p)}`,
    );
    assert.ok(Math.abs(binomialScore(p.filter((x) => x < 0.05).length, 500, 0.05)) < SCORE);
  });

  test('the KS test sees a wrong variance, a shift and too few values in the tail', () => {
    const x = draw(new Rng('wrong'), 100_000);
    const p = (change: (value: number) => number) => ksTest(x.map(change), normalCdf);
    assert.ok(p((value) => value) > 1e-4);
    assert.ok(p((value) => value * 1.05) < 1e-4);
    assert.ok(p((value) => value + 0.02) < 1e-4);
    assert.ok(p((value) => Math.max(-2, Math.min(2, value))) < 1e-4);
  });

  test('the expected number of normals is beyond 1 to 5 sigma on either side', () => {
    const limits = [1, 2, 3, 4, 5];
    /** The probability beyond a limit on one side. */
    const tail = [
      0.158655253931457, 0.0227501319481792, 1.349898031630095e-3, 3.167124183311992e-5, 2.866515718791939e-7,
    ];
    const above = new Float64Array(5);
    const below = new Float64Array(5);
    let largest = 0;
    for (const values of normals(new Rng('tails'), MANY)) {
      for (const x of values) {
        const size = Math.abs(x);
        if (size < 1) continue;
        const side = x > 0 ? above : below;
        for (let i = 0; i < 5 && size > limits[i]!; i++) side[i]!++;
        if (size > largest) largest = size;
      }
    }
    for (const [i, p] of tail.entries()) {
      for (const side of [above, below]) {
        const expected = MANY * p;
        const what = `${side[i]} beyond ${limits[i]} sigma, ${expected} expected`;
        if (expected < 100) assert.ok(poissonTest(side[i]!, expected) > 1e-4, what);
        else assert.ok(Math.abs(binomialScore(side[i]!, MANY, p)) < SCORE, what);
      }
    }
    assert.ok(largest > (MANY > 1e7 ? 5.3 : 4.5) && largest <= LARGEST + 1e-6, `${largest}`);
  });

  test('normals are not correlated with those before them, nor their squares', () => {
    const n = 1 << 18;
    const x = draw(new Rng('lags'), n);
    const squares = x.map((value) => (value * value - 1) / Math.SQRT2);
    for (const lag of [1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 31, 32, 64, 100, 1000]) {
      assert.ok(Math.abs(correlationScore(x, x.subarray(lag))) < SCORE, `lag ${lag}`);
      assert.ok(Math.abs(correlationScore(squares, squares.subarray(lag))) < SCORE, `squares at lag ${lag}`);
    }
  });

  test('cosine and sine of a pair are independent: uncorrelated, also squared, and of uniform angle', () => {
    const n = 1 << 18;
    const x = draw(new Rng('pairs'), n);
    const isCosine = (i: number) => (i & 4) === 0;
    const cosines = x.filter((_, i) => isCosine(i));
    const sines = x.filter((_, i) => !isCosine(i));
    const squared = (values: Float64Array) => values.map((value) => (value * value - 1) / Math.SQRT2);
    assert.ok(Math.abs(correlationScore(cosines, sines)) < SCORE);
    assert.ok(Math.abs(correlationScore(squared(cosines), squared(sines))) < SCORE);
    const sectors = new Float64Array(64);
    const radii = new Float64Array(cosines.length);
    for (const [i, c] of cosines.entries()) {
      const s = sines[i]!;
      sectors[Math.min(63, Math.floor((Math.atan2(s, c) / (2 * Math.PI) + 0.5) * 64))]!++;
      radii[i] = c * c + s * s;
    }
    assert.ok(Math.abs(chiSquareScore(sectors, cosines.length)) < SCORE, 'the angles are not uniform');
    assert.ok(ksTest(radii, (r) => 1 - Math.exp(-r / 2)) > 1e-4, 'the squared radii are not exponential');
  });

  test('streams, seeds next to each other and far blocks are not correlated', () => {
    const n = 1 << 16;
    const far = Rng.restore({ seed: 1, stream: '', block: 2 ** 40 });
    const near = Rng.restore({ seed: 1, stream: '', block: 2 ** 32 });
    const names = ['', 'a', 'b', 'noise', 'data', 'time'];
    const sequences = [
      ...names.map((name) => (name ? new Rng(1).stream(name) : new Rng(1))),
      new Rng(2),
      new Rng(3),
      near,
      far,
    ].map((rng) => draw(rng, n));
    for (const [i, a] of sequences.entries()) {
      for (const [j, b] of sequences.entries()) {
        if (i < j) assert.ok(Math.abs(correlationScore(a, b)) < SCORE, `sequences ${i} and ${j}`);
      }
    }
  });
});
