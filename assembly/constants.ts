/**
 * The coefficients of the kernels' polynomials, as a table in memory.
 *
 * They are not literals, because V8 builds a constant vector again at every use (a move, a transfer and a broadcast),
 * also inside loops. That would double the instructions of a polynomial. A broadcast load is one instruction and no
 * work for the vector units. They are not AssemblyScript's static data either. That would become a data section, which
 * the instantiation of every worker writes again. So `init` writes the table once, into the bytes that asconfig.json's
 * `memoryBase` keeps free below the heap.
 */

/** The begin of the table. Its end must be below `memoryBase`. */
const TABLE: usize = 64;
// @ts-ignore: decorator
@inline export const EXP: usize = TABLE;
// @ts-ignore: decorator
@inline export const EXP_REDUCE: usize = EXP + 32;
// @ts-ignore: decorator
@inline export const LOG: usize = EXP_REDUCE + 32;
// @ts-ignore: decorator
@inline export const LN2: usize = LOG + 64;
// @ts-ignore: decorator
@inline export const TANH: usize = LN2 + 16;
// @ts-ignore: decorator
@inline export const ONE: usize = TANH + 32;
// @ts-ignore: decorator
@inline export const LN_RATIO: usize = ONE + 16;
// @ts-ignore: decorator
@inline export const SINE: usize = LN_RATIO + 16;
// @ts-ignore: decorator
@inline export const COSINE: usize = SINE + 32;
// @ts-ignore: decorator
@inline export const ANGLE: usize = COSINE + 32;
// @ts-ignore: decorator
@inline export const PHILOX: usize = ANGLE + 32;
// @ts-ignore: decorator
@inline export const EIGHTH_SINE: usize = PHILOX + 16;
// @ts-ignore: decorator
@inline export const EIGHTH_COSINE: usize = EIGHTH_SINE + 16;
// @ts-ignore: decorator
@inline export const TWO_OVER_PI: usize = EIGHTH_COSINE + 16;
// @ts-ignore: decorator
@inline export const ERF: usize = TWO_OVER_PI + 32;
// @ts-ignore: decorator
@inline export const LOG_ERFC: usize = ERF + 32;
// @ts-ignore: decorator
@inline export const LOG1P: usize = LOG_ERFC + 48;
// From here on the constants are float64.
// @ts-ignore: decorator
@inline export const EXP_PAIR: usize = LOG1P + 16;
// @ts-ignore: decorator
@inline export const EXP_PAIR_REDUCE: usize = EXP_PAIR + 96;
// @ts-ignore: decorator
@inline export const LOG_PAIR: usize = EXP_PAIR_REDUCE + 32;
// @ts-ignore: decorator
@inline export const LOG_PAIR_REDUCE: usize = LOG_PAIR + 64;
// @ts-ignore: decorator
@inline export const QUARTER_TURN: usize = LOG_PAIR_REDUCE + 16;
// @ts-ignore: decorator
@inline export const NORMAL_TAIL: usize = QUARTER_TURN + 32;
// @ts-ignore: decorator
@inline export const NORMAL: usize = NORMAL_TAIL + 88;
// From here on the constants are float32.
// @ts-ignore: decorator
@inline export const EXP2: usize = NORMAL + 32;

/** Writes the table. Called once for a memory, before any other kernel. */
export function init(): void {
  // e^r = 1 + r + r²·q(r) for |r| <= ln2/2
  store4(EXP, 1.98756912e-4, 1.39819994e-3, 8.33345205e-3, 4.16657962e-2);
  store4(EXP + 16, 0.166666657, 0.5, 0, 0);
  // 2^r = 1 + r·q(r) for |r| <= 1/2, with an error of at most 1.5·2^-24: a fit with the least maximal relative error
  store4(EXP2, 0.6931470036506653, 0.24022242426872253, 0.05550733581185341, 0.009671512991189957);
  f32.store(EXP2 + 16, 0.001326472731307149);
  // the bounds of the clamp, log2(e), and ln 2 in two parts; the first has nine bits, so that n·first is exact
  store4(EXP_REDUCE, -104, 104, 1.44269502, 0.693359375);
  store4(EXP_REDUCE + 16, -2.12194442e-4, 0, 0, 0);
  // ln(1 + f) = f - f²/2 + f³·p(f) for sqrt(1/2) <= 1 + f < sqrt(2)
  store4(LOG, 7.03768358e-2, -0.115146101, 0.116769984, -0.12420141);
  store4(LOG + 16, 0.142493233, -0.166680574, 0.200007141, -0.24999994);
  store4(LOG + 32, 0.333333313, 0, 0, 0);
  store4(LN2, -2.12194442e-4, 0.693359375, 0.5, 0);
  // tanh x = x + x³·p(x²) for |x| < 0.625
  store4(TANH, -5.70498872e-3, 2.06390885e-2, -5.37397154e-2, 0.133314422);
  store4(TANH + 16, -0.333332807, 0.625, 0, 0);
  store4(ONE, 1, 0, 0, 0);
  // -2 ln((1 + s)/(1 - s)) = s·p(s²) for |s| < 0.172; error below 1e-9
  store4(LN_RATIO, -0.5985331, -0.79949504, -1.3333364, -4);
  // sin x = x·p(x²) with an error of at most 4e-9, and cos x = p(x²) with at most 5e-8, for |x| <= π/2
  store4(SINE, 2.5904883e-6, -1.9800897e-4, 8.3328998e-3, -0.16666648);
  store4(SINE + 16, 1, 0, 0, 0);
  store4(COSINE, 2.3153932e-5, -1.3853704e-3, 4.1663583e-2, -0.49999905);
  store4(COSINE + 16, 0.99999994, 0, 0, 0);
  // π/2·2^-31, 1/2; the bits of sqrt(1/2)·2^31; the mask of a mantissa, the bits of sqrt(1/2); -2 ln 2; a sign
  store4(ANGLE, 7.3145903e-10, 0.5, 0, 0);
  i32.store(ANGLE + 8, 0x3f3504f3 + (31 << 23));
  i32.store(ANGLE + 12, 0x007fffff);
  i32.store(ANGLE + 16, 0x3f3504f3);
  f32.store(ANGLE + 20, -1.3862944);
  i32.store(ANGLE + 24, 0x80000000);
  // Philox: multipliers, and the key's schedule (the golden ratio and sqrt(3) - 1, as 32-bit fractions)
  i32.store(PHILOX, 0xd2511f53);
  i32.store(PHILOX + 4, 0xcd9e8d57);
  i32.store(PHILOX + 8, 0x9e3779b9);
  i32.store(PHILOX + 12, 0xbb67ae85);
  initErf();
  initAngles();
  initPairs();
}

/** The constants of elementwise/erf.ts, and of softplus. Its header says how they were fitted. */
function initErf(): void {
  // erf x = x + x·p(x²) for |x| < 0.875; the error is at most 2^-30
  store4(ERF, 7.860290497774258e-5, -8.02536029368639e-4, 5.190895404666662e-3, -2.6855358853936195e-2);
  store4(ERF + 16, 0.11283622682094574, -0.3761262893676758, 0.12837916612625122, 0.875);
  // ln(erfc x) = p(x) for 0.875 <= x <= 3.925; the error is at most 2^-33 of erf; beyond, erf rounds to 1
  store4(LOG_ERFC, -2.044959182967432e-5, 4.2706765816546977e-4, -4.1355895809829235e-3, 2.502702735364437e-2);
  store4(LOG_ERFC + 16, -0.10813886672258377, -0.6334736347198486, -1.1294530630111694, 1.6199913807213306e-4);
  f32.store(LOG_ERFC + 32, 3.925);
  // 2·artanh s = 2s + 2s³·p(s²) for |s| <= 1/3; the error is at most 2^-27
  store4(LOG1P, 0.14013181626796722, 0.1399933248758316, 0.20010867714881897, 0.3333320617675781);
  // e^(t²/2)·Φ(-t) = s·p(s) with s = 3/(3 + t), for 0 <= t <= 14.6; the error is at most 2^-29
  store2(NORMAL_TAIL, 0.018590184030082026, -0.11535478559254145);
  store2(NORMAL_TAIL + 16, 0.289071756430297, -0.3528918392262678);
  store2(NORMAL_TAIL + 32, 0.20071012755535853, -0.08526853166879367);
  store2(NORMAL_TAIL + 48, 0.07713154115703742, 0.08321694491916205);
  store2(NORMAL_TAIL + 64, 0.11887956103795987, 0.13293280015050035);
  f64.store(NORMAL_TAIL + 80, 0.13298224167454775);
  // The t from which the tail is 0 in float32; 1/√(2π); 2/√π; and the x from which e^(-x²) is 0
  store2(NORMAL, 14.6, 0.3989422804014327);
  store2(NORMAL + 16, 1.1283791670955126, 10.3);
}

/** The constants of elementwise/trigonometric.ts. */
function initAngles(): void {
  // sin r = r + r³·p(r²) and cos r = 1 - r²/2 + r⁴·p(r²) for |r| <= π/4; the errors are at most 2^-28 and 2^-33
  store4(EIGHTH_SINE, -1.951861777342856e-4, 8.332191035151482e-3, -0.16666655242443085, 0);
  store4(EIGHTH_COSINE, 2.4432563805021346e-5, -1.3887310633435845e-3, 4.166664555668831e-2, 0);
  // The bits of 2/π, in words, from 2^31 down to 2^-224
  i64.store(TWO_OVER_PI, 0xa2f9836e_00000000);
  i64.store(TWO_OVER_PI + 8, 0xfc2757d1_4e441529);
  i64.store(TWO_OVER_PI + 16, 0xdb629599_f534ddc0);
  i64.store(TWO_OVER_PI + 24, 0xfe5163ab_3c439041);
  // 2/π; 1.5·2^52 (a sum n + 1.5·2^52 has n in its low bits); π/2 in two parts, the first of 33 bits
  store2(QUARTER_TURN, 0.6366197723675814, 6755399441055744);
  store2(QUARTER_TURN + 16, 1.5707963267341256, 6.077100506506192e-11);
}

/** The constants of elementwise/pair.ts. */
function initPairs(): void {
  // e^r = 1 + r + r²/2! + ... + r^11/11!
  let factorial: f64 = 1;
  for (let n = 0; n < 12; ++n) {
    f64.store(EXP_PAIR + ((11 - n) << 3), 1 / factorial);
    factorial *= n + 1;
  }
  // log2(e), and ln 2 in two parts; 1.5·2^52 + 1023 (a sum with n has n + 1023 in its low bits)
  store2(EXP_PAIR_REDUCE, 1.4426950408889634, 0.6931471803691238);
  store2(EXP_PAIR_REDUCE + 16, 1.9082149292705877e-10, 6755399441056767);
  // artanh(s) = s + s³·(1/3 + s²/5 + ... + s^14/17)
  for (let n = 0; n < 8; ++n) f64.store(LOG_PAIR + (n << 3), 1.0 / <f64>(17 - 2 * n));
  // The bits of sqrt(1/2), and the mask of a mantissa
  i64.store(LOG_PAIR_REDUCE, 0x3fe6a09e667f3bcd);
  i64.store(LOG_PAIR_REDUCE + 8, 0x000fffffffffffff);
}

function store4(at: usize, a: f32, b: f32, c: f32, d: f32): void {
  f32.store(at, a);
  f32.store(at, b, 4);
  f32.store(at, c, 8);
  f32.store(at, d, 12);
}

function store2(at: usize, a: f64, b: f64): void {
  f64.store(at, a);
  f64.store(at, b, 8);
}

/** Entry `index` of the coefficients at `at`, in all four lanes. */
// @ts-ignore: decorator
@inline
export function constant(at: usize, index: i32): v128 {
  return v128.load32_splat(at + (index << 2));
}

/** a[0]·x^(n-1) + ... + a[n-1] by Horner's scheme, for a compile-time constant n from 2 to 9. */
// @ts-ignore: decorator
@inline
export function polynomial(at: usize, n: i32, x: v128): v128 {
  let p = f32x4.add(f32x4.mul(constant(at, 0), x), constant(at, 1));
  if (n > 2) p = f32x4.add(f32x4.mul(p, x), constant(at, 2));
  if (n > 3) p = f32x4.add(f32x4.mul(p, x), constant(at, 3));
  if (n > 4) p = f32x4.add(f32x4.mul(p, x), constant(at, 4));
  if (n > 5) p = f32x4.add(f32x4.mul(p, x), constant(at, 5));
  if (n > 6) p = f32x4.add(f32x4.mul(p, x), constant(at, 6));
  if (n > 7) p = f32x4.add(f32x4.mul(p, x), constant(at, 7));
  if (n > 8) p = f32x4.add(f32x4.mul(p, x), constant(at, 8));
  return p;
}

/** Entry `index` of the float64 coefficients at `at`, in both lanes. */
// @ts-ignore: decorator
@inline
export function constantPair(at: usize, index: i32): v128 {
  return v128.load64_splat(at + (index << 3));
}

/** `polynomial` of two float64 lanes, for n from 8 to 12. */
// @ts-ignore: decorator
@inline
export function polynomialPair(at: usize, n: i32, x: v128): v128 {
  let p = f64x2.add(f64x2.mul(constantPair(at, 0), x), constantPair(at, 1));
  p = f64x2.add(f64x2.mul(p, x), constantPair(at, 2));
  p = f64x2.add(f64x2.mul(p, x), constantPair(at, 3));
  p = f64x2.add(f64x2.mul(p, x), constantPair(at, 4));
  p = f64x2.add(f64x2.mul(p, x), constantPair(at, 5));
  p = f64x2.add(f64x2.mul(p, x), constantPair(at, 6));
  p = f64x2.add(f64x2.mul(p, x), constantPair(at, 7));
  if (n > 8) p = f64x2.add(f64x2.mul(p, x), constantPair(at, 8));
  if (n > 9) p = f64x2.add(f64x2.mul(p, x), constantPair(at, 9));
  if (n > 10) p = f64x2.add(f64x2.mul(p, x), constantPair(at, 10));
  if (n > 11) p = f64x2.add(f64x2.mul(p, x), constantPair(at, 11));
  return p;
}

/**
 * The same sum for n = 9 or 11, with even and odd powers in two separate chains of operations. Neither chain waits for
 * the other.
 */
// @ts-ignore: decorator
@inline
export function evenOddPair(at: usize, n: i32, x: v128): v128 {
  const z = f64x2.mul(x, x);
  let even = f64x2.add(f64x2.mul(constantPair(at, 0), z), constantPair(at, 2));
  let odd = f64x2.add(f64x2.mul(constantPair(at, 1), z), constantPair(at, 3));
  even = f64x2.add(f64x2.mul(even, z), constantPair(at, 4));
  odd = f64x2.add(f64x2.mul(odd, z), constantPair(at, 5));
  even = f64x2.add(f64x2.mul(even, z), constantPair(at, 6));
  odd = f64x2.add(f64x2.mul(odd, z), constantPair(at, 7));
  even = f64x2.add(f64x2.mul(even, z), constantPair(at, 8));
  if (n > 9) odd = f64x2.add(f64x2.mul(odd, z), constantPair(at, 9));
  if (n > 9) even = f64x2.add(f64x2.mul(even, z), constantPair(at, 10));
  return f64x2.add(f64x2.mul(odd, x), even);
}
