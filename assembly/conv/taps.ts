/**
 * The taps of a map with few channels as a matrix, and the sums of such a matrix. They turn a convolution into a plain
 * product if x or y has few channels (src/backend/conv/taps.ts). With X[batch, height, width, channels], the positions
 * (b, i, j) of a grid and the taps (ty, tx) of a kernel,
 *
 *     at(i, j, ty, tx) = (i·strideY + offsetY + ty·stepY, j·strideX + offsetX + tx·stepX)
 *     gatherTaps:  A[(b,i,j), (ty,tx,c)] = X[b, at(i,j,ty,tx), c],   0 outside X
 *     sumTaps:     y[b,i,j,c] = [y +] Σ Z[b, at(i,j,ty,tx), (ty,tx,c)]   over the taps inside Z [+ bias], then the activation
 *
 * Order of summation: taps ascending, the first added to 0.
 */
import { storeElement } from '../gemm/gemm';
import { GatherTapsRecord, SumTapsRecord, TapMap } from '../records';

/** Computes the rows of A for the grid rows [from, to), counted through all pictures. */
export function gatherTaps(from: i32, to: i32, r: GatherTapsRecord): void {
  const channels = r.channels;
  const channelStep = (<usize>r.channelStep) << 2;
  const tapStep = (<usize>r.tapStep) << 2;
  const row = rowBytes(r);
  let out = r.out + <usize>from * r.columns * row;
  for (let line = from; line < to; ++line) {
    for (let j = 0; j < r.columns; ++j, out += row) {
      let tap = out;
      for (let ty = 0; ty < r.tapsY; ++ty) {
        const source = lineAt(r, line, ty);
        for (let tx = 0; tx < r.tapsX; ++tx, tap += tapStep) {
          const x = columnAt(r, j, tx);
          const inside = source >= 0 && <u32>x < <u32>r.width;
          const at = r.x + (((<usize>source * r.width + x) * channels) << 2);
          for (let c = 0; c < channels; ++c) {
            f32.store(tap + <usize>c * channelStep, inside ? f32.load(at + ((<usize>c) << 2)) : 0);
          }
        }
      }
    }
  }
}

/** Computes the grid rows [from, to) of y. */
export function sumTaps(from: i32, to: i32, r: SumTapsRecord): void {
  const channels = r.channels;
  const channelStep = (<usize>r.channelStep) << 2;
  const tapStep = (<usize>r.tapStep) << 2;
  const row = rowBytes(r);
  let out = r.out + ((<usize>from * r.columns * channels) << 2);
  for (let line = from; line < to; ++line) {
    for (let j = 0; j < r.columns; ++j) {
      for (let c = 0; c < channels; ++c, out += 4) {
        let sum: f32 = 0;
        let tap = r.x + <usize>c * channelStep;
        for (let ty = 0; ty < r.tapsY; ++ty) {
          const source = lineAt(r, line, ty);
          const start = <usize>source * r.width * row;
          for (let tx = 0; tx < r.tapsX; ++tx, tap += tapStep) {
            const x = columnAt(r, j, tx);
            if (source >= 0 && <u32>x < <u32>r.width) sum += f32.load(tap + start + <usize>x * row);
          }
        }
        storeElement(out, sum, r.accumulate != 0, r.bias ? r.bias + ((<usize>c) << 2) : 0, r.activation);
      }
    }
  }
}

/** Bytes of a row of the matrix. */
// @ts-ignore: decorator
@inline
function rowBytes(r: TapMap): usize {
  return (<usize>(r.tapsY * r.tapsX * r.channels)) << 2;
}

/** The row of the map, counted through all pictures, that a row of the grid reads at a tap, or -1 outside. */
// @ts-ignore: decorator
@inline
function lineAt(r: TapMap, line: i32, ty: i32): i32 {
  const y = (line % r.rows) * r.strideY + r.offsetY + ty * r.stepY;
  return <u32>y < <u32>r.height ? (line / r.rows) * r.height + y : -1;
}

// @ts-ignore: decorator
@inline
function columnAt(r: TapMap, j: i32, tx: i32): i32 {
  return j * r.strideX + r.offsetX + tx * r.stepX;
}
