/**
 * Packing for the GEMM. One panel of a matrix, `width` rows of A or columns of B, is copied to [kc][width]. This is the
 * order in which the micro-kernel reads it, so its loads are contiguous.
 *
 * The source of a panel is contiguous along the panel if it is a transposed A or a plain B. It is contiguous along k if
 * it is a plain A or a transposed B. Each case has a function below. No other file has to know about transposes. Lanes
 * beyond `valid` are zero. The tile is always computed whole, and the lanes beyond its edge are not stored.
 */

/**
 * @param width the lanes of the panel, @param valid how many of them the source has
 * @param src address of element (k = 0, lane = 0)
 * @param ld bytes between rows of the stored matrix: from one k to the next if `alongPanel`, else from
 *   one lane to the next
 */
// @ts-ignore: decorator
@inline
export function packPanel(width: i32, valid: i32, kc: i32, src: usize, ld: usize, alongPanel: bool, dst: usize): void {
  if (alongPanel) {
    if (valid == width) copyRows(width, kc, src, ld, dst);
    else gather(width, valid, kc, src, 4, ld, dst);
  } else {
    if (valid == width) interleaveRows(width, kc, src, ld, dst);
    else gather(width, valid, kc, src, ld, 4, dst);
  }
}

/** dst[p][0..width) = src row p: `width` is a multiple of two. */
// @ts-ignore: decorator
@inline
function copyRows(width: i32, kc: i32, src: usize, ld: usize, dst: usize): void {
  for (let p = 0; p < kc; ++p) {
    v128.store(dst, v128.load(src));
    if (width >= 8) v128.store(dst, v128.load(src, 16), 16);
    else if (width >= 6) i64.store(dst, i64.load(src, 16), 16);
    src += ld;
    dst += (<usize>width) << 2;
  }
}

/** dst[p][lane] = src row lane, element p: 4x4 blocks transposed in registers. */
// @ts-ignore: decorator
@inline
function interleaveRows(width: i32, kc: i32, src: usize, ld: usize, dst: usize): void {
  const step = (<usize>width) << 2;
  let p = 0;
  for (; p + 4 <= kc; p += 4) {
    transpose4x4(src, ld, dst, step);
    if (width >= 8) transpose4x4(src + 4 * ld, ld, dst + 16, step);
    else if (width >= 6) transpose2x4(src + 4 * ld, ld, dst + 16, step);
    src += 16;
    dst += step << 2;
  }
  if (p < kc) gather(width, width, kc - p, src, ld, 4, dst);
}

// @ts-ignore: decorator
@inline
function transpose4x4(src: usize, ld: usize, dst: usize, step: usize): void {
  storeColumns4(v128.load(src), v128.load(src + ld), v128.load(src + 2 * ld), v128.load(src + 3 * ld), dst, step);
}

// @ts-ignore: decorator
@inline
function transpose2x4(src: usize, ld: usize, dst: usize, step: usize): void {
  storeColumns2(v128.load(src), v128.load(src + ld), dst, step);
}

/** Stores the four columns of four rows, `step` bytes apart. */
// @ts-ignore: decorator
@inline
export function storeColumns4(r0: v128, r1: v128, r2: v128, r3: v128, dst: usize, step: usize): void {
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
  const t1 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const t2 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(dst, v128.shuffle<i64>(t0, t2, 0, 2));
  v128.store(dst + step, v128.shuffle<i64>(t0, t2, 1, 3));
  v128.store(dst + 2 * step, v128.shuffle<i64>(t1, t3, 0, 2));
  v128.store(dst + 3 * step, v128.shuffle<i64>(t1, t3, 1, 3));
}

/** Stores the four columns of two rows, `step` bytes apart. */
// @ts-ignore: decorator
@inline
export function storeColumns2(r0: v128, r1: v128, dst: usize, step: usize): void {
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
  const t1 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  i64.store(dst, i64x2.extract_lane(t0, 0));
  i64.store(dst + step, i64x2.extract_lane(t0, 1));
  i64.store(dst + 2 * step, i64x2.extract_lane(t1, 0));
  i64.store(dst + 3 * step, i64x2.extract_lane(t1, 1));
}

/** The simple form, for edges. It takes any strides, and writes zeros beyond `valid`. */
function gather(width: i32, valid: i32, kc: i32, src: usize, laneStride: usize, kStride: usize, dst: usize): void {
  for (let p = 0; p < kc; ++p) {
    let from = src;
    for (let lane = 0; lane < width; ++lane) {
      f32.store(dst, lane < valid ? f32.load(from) : 0);
      from += laneStride;
      dst += 4;
    }
    src += kStride;
  }
}
