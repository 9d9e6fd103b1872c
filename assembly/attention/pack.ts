/**
 * Packing for attention. A head's queries, keys and values are rows of `dims` contiguous channels, `ld` bytes apart.
 *
 * `packLanes` transposes rows to [dims][width], where a lane is a row. A product over channels reads this. `packStrips`
 * cuts rows into panels [rows][width], where a lane is a channel. A product over rows reads these. `storeLanes` is the
 * reverse: it writes a block [dims][width], where a lane is a row, back to rows.
 */
import { put4 } from '../elementwise/put';
import { storeColumns4 } from '../gemm/pack';
import { NARROW } from './tile';

/**
 * dst[dims][width] = `width` rows. The source has only the first `valid` of them. Copies of the last valid row fill the
 * lanes of the missing rows, and the results of these lanes are not used.
 */
// @ts-ignore: decorator
@inline
export function packLanes(width: i32, valid: i32, dims: i32, src: usize, ld: usize, dst: usize): void {
  packFour(valid, dims, src, ld, dst, (<usize>width) << 2);
  if (width > NARROW) {
    const next = valid > 4 ? 4 : valid - 1;
    packFour(max(1, valid - 4), dims, src + <usize>next * ld, ld, dst + 16, (<usize>width) << 2);
  }
}

/** Four lanes of a panel. Its rows are `step` bytes apart. */
function packFour(valid: i32, dims: i32, src: usize, ld: usize, dst: usize, step: usize): void {
  let r0 = src;
  let r1 = valid > 1 ? r0 + ld : r0;
  let r2 = valid > 2 ? r1 + ld : r1;
  let r3 = valid > 3 ? r2 + ld : r2;
  let left = dims;
  for (; left >= 4; left -= 4) {
    storeColumns4(v128.load(r0), v128.load(r1), v128.load(r2), v128.load(r3), dst, step);
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    dst += step << 2;
  }
  for (; left > 0; --left) {
    f32.store(dst, f32.load(r0));
    f32.store(dst, f32.load(r1), 4);
    f32.store(dst, f32.load(r2), 8);
    f32.store(dst, f32.load(r3), 12);
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
    dst += step;
  }
}

/** Panels [rows][width] of factor·src, side by side. Lanes beyond `dims` are 0. */
// @ts-ignore: decorator
@inline
export function packStrips(width: i32, rows: i32, dims: i32, src: usize, ld: usize, factor: f32, dst: usize): void {
  const f = f32x4.splat(factor);
  const step = (<usize>width) << 2;
  for (let c = 0; c < dims; c += width) {
    let from = src + ((<usize>c) << 2);
    const end = dst + <usize>rows * step;
    if (c + width <= dims) {
      for (; dst < end; dst += step, from += ld) {
        v128.store(dst, f32x4.mul(v128.load(from), f));
        if (width > NARROW) v128.store(dst, f32x4.mul(v128.load(from, 16), f), 16);
      }
    } else {
      for (; dst < end; dst += step, from += ld) {
        for (let lane = 0; lane < width; ++lane) {
          const at = (<usize>lane) << 2;
          f32.store(dst + at, c + lane < dims ? f32.load(from + at) * factor : 0);
        }
      }
    }
  }
}

/**
 * Rows out = [out +] factor·block[dims][width], for the first `valid` rows. `factors` is the address of a factor for
 * each lane. The other lanes are written to `nowhere`, memory for `dims` elements.
 */
// @ts-ignore: decorator
@inline
export function storeLanes(
  width: i32,
  valid: i32,
  dims: i32,
  block: usize,
  factors: usize,
  out: usize,
  ld: usize,
  accumulate: bool,
  nowhere: usize,
): void {
  const step = (<usize>width) << 2;
  storeFour(valid, dims, block, step, v128.load(factors), out, ld, accumulate, nowhere);
  if (width > NARROW && valid > 4) {
    storeFour(valid - 4, dims, block + 16, step, v128.load(factors, 16), out + (ld << 2), ld, accumulate, nowhere);
  }
}

/** Four lanes of a block. Its rows are `step` bytes apart. */
function storeFour(
  valid: i32,
  dims: i32,
  block: usize,
  step: usize,
  f: v128,
  out: usize,
  ld: usize,
  accumulate: bool,
  nowhere: usize,
): void {
  let r0 = out;
  let r1 = valid > 1 ? r0 + ld : nowhere;
  let r2 = valid > 2 ? r1 + ld : nowhere;
  let r3 = valid > 3 ? r2 + ld : nowhere;
  let left = dims;
  for (; left >= 4; left -= 4) {
    const x0 = f32x4.mul(v128.load(block), f);
    const x1 = f32x4.mul(v128.load(block + step), f);
    const x2 = f32x4.mul(v128.load(block + (step << 1)), f);
    const x3 = f32x4.mul(v128.load(block + 3 * step), f);
    const t0 = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
    const t1 = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
    const t2 = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
    const t3 = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
    put4(r0, v128.shuffle<i64>(t0, t2, 0, 2), accumulate);
    put4(r1, v128.shuffle<i64>(t0, t2, 1, 3), accumulate);
    put4(r2, v128.shuffle<i64>(t1, t3, 0, 2), accumulate);
    put4(r3, v128.shuffle<i64>(t1, t3, 1, 3), accumulate);
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    block += step << 2;
  }
  for (; left > 0; --left) {
    const x = f32x4.mul(v128.load(block), f);
    f32.store(r0, accumulate ? f32.load(r0) + f32x4.extract_lane(x, 0) : f32x4.extract_lane(x, 0));
    f32.store(r1, accumulate ? f32.load(r1) + f32x4.extract_lane(x, 1) : f32x4.extract_lane(x, 1));
    f32.store(r2, accumulate ? f32.load(r2) + f32x4.extract_lane(x, 2) : f32x4.extract_lane(x, 2));
    f32.store(r3, accumulate ? f32.load(r3) + f32x4.extract_lane(x, 3) : f32x4.extract_lane(x, 3));
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
    block += step;
  }
}
