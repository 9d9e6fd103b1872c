/**
 * Convolutions of pictures [batch, height, width, channels] as matrix products: the forward pass and the gradient to
 * the input.
 *
 *     y[b,i,j,o]  = Σ x[b, i·stride - padding + ky·dilation, ..., c]·w[o,ky,kx,c]   over (ky, kx, c)
 *     dx[b,i,j,c] = Σ dy[b, (i + padding - ky·dilation)/stride, ..., o]·w[o,ky,kx,c]   over (ky, kx, o)
 *
 * The layers are those of the GEMM (gemm/gemm.ts). Four pictures at a time are packed together (pictures.ts). For the
 * other pictures, panels of A are gathered just before use. So there is no array of all taps.
 *
 * Order of summation: (ky, kx, channel) ascending, cut into equal blocks of at most KC. With a stride the gradient has
 * only the taps that reach a position. The order depends only on the shape.
 *
 * Accuracy: that of the GEMM, with k = taps·channels.
 */
import { BLOCK, EDGE, KC, MR, NR, PACKED_A } from '../gemm/blocks';
import { storeEdge, storeFour, tiles } from '../gemm/gemm';
import { Conv2dInputGradientRecord, Conv2dRecord, ConvSizes } from '../records';
import { convolution, scratch } from '../scratch';
import { packRows, packWeights } from './pack';
import { Block, blockOf, move, Pass, placeRows, rowOf, zerosOf } from './pass';
import {
  coverAll,
  multiplyPictures,
  multiplyStrips,
  noLines,
  packLines,
  PICTURES,
  place,
  roomBeside,
  stripRows,
} from './pictures';

/** The number of output positions along a side of `size` pixels, for a kernel with `taps` taps along this side. */
// @ts-ignore: decorator
@inline
export function outSize(size: i32, taps: i32, stride: i32, padding: i32, dilation: i32): i32 {
  return (size + 2 * padding - dilation * (taps - 1) - 1) / stride + 1;
}

/** A pass over x that reads only the channels of one group. Its grid is the positions of y. */
export function forwardPass(s: ConvSizes, x: usize, group: i32): Pass {
  const pass = changetype<Pass>(convolution());
  v128.store(zerosOf(pass), f32x4.splat(0));
  pass.channels = s.inChannels / s.groups;
  pass.x = x + ((<usize>(group * pass.channels)) << 2);
  pass.height = s.height;
  pass.width = s.width;
  pass.pixel = (<usize>s.inChannels) << 2;
  pass.tapsY = s.kernelHeight;
  pass.tapsX = s.kernelWidth;
  pass.gridY = outSize(s.height, s.kernelHeight, s.strideHeight, s.paddingHeight, s.dilationHeight);
  pass.gridX = outSize(s.width, s.kernelWidth, s.strideWidth, s.paddingWidth, s.dilationWidth);
  pass.strideY = s.strideHeight;
  pass.strideX = s.strideWidth;
  pass.offsetY = -s.paddingHeight;
  pass.offsetX = -s.paddingWidth;
  pass.stepY = s.dilationHeight;
  pass.stepX = s.dilationWidth;
  return pass;
}

/** Computes the positions [m0, m1) and channels [n0, n1) of y. */
export function conv2d(m0: i32, m1: i32, n0: i32, n1: i32, r: Conv2dRecord): void {
  if (m0 >= m1) return;
  const columns = r.outChannels / r.groups;
  for (let group = n0 / columns; group * columns < n1; ++group) {
    const pass = forwardPass(r, r.x, group);
    const first = group * columns;
    pass.wChannel = 4;
    pass.wTapX = (<usize>pass.channels) << 2;
    pass.wTapY = pass.wTapX * r.kernelWidth;
    pass.wColumn = pass.wTapY * r.kernelHeight;
    pass.w = r.w + <usize>first * pass.wColumn;
    pass.out = r.out + ((<usize>first) << 2);
    pass.outX = (<usize>r.outChannels) << 2;
    pass.outY = pass.outX * pass.gridX;
    pass.outPicture = pass.outY * pass.gridY;
    const bias: usize = r.bias ? r.bias + ((<usize>first) << 2) : 0;
    const from = max(n0, first) - first;
    const to = min(n1, first + columns) - first;
    const places = pass.gridY * pass.gridX;
    const b0 = (m0 + places - 1) / places;
    const b1 = b0 + (max(0, m1 / places - b0) & -PICTURES);
    noLines(pass);
    coverAll(pass);
    if (b0 == b1 || !reused(pass) || !place(pass)) {
      product(pass, false, m0, m1, from, to, bias, r.activation, r.accumulate != 0);
      continue;
    }
    product(pass, false, m0, b0 * places, from, to, bias, r.activation, r.accumulate != 0);
    product(pass, false, b1 * places, m1, from, to, bias, r.activation, r.accumulate != 0);
    move(pass, b0);
    for (let b = b0; b < b1; b += PICTURES, move(pass, PICTURES)) {
      packLines(pass, 0);
      product(pass, true, 0, PICTURES * places, from, to, bias, r.activation, r.accumulate != 0);
    }
  }
}

/** Whether the taps of a pass read all pixels of its lines. If not, we gather only those that are read. */
// @ts-ignore: decorator
@inline
function reused(pass: Pass): bool {
  return pass.tapsX >= pass.strideX;
}

/** The least number of pictures for which the gradient to the input goes through four pictures at a time. */
const MANY: i32 = 16;

/**
 * Computes the positions [m0, m1) and channels [n0, n1) of dx. Many pictures are divided into groups of four. The
 * positions of a group are ordered first by their remainders modulo the stride.
 */
export function conv2dInputGradient(m0: i32, m1: i32, n0: i32, n1: i32, r: Conv2dInputGradientRecord): void {
  const columns = r.inChannels / r.groups;
  const pixels = r.height * r.width;
  const many = r.batch < MANY ? r.batch : PICTURES;
  for (let group = n0 / columns; group * columns < n1; ++group) {
    const first = group * columns;
    const from = max(n0, first) - first;
    const to = min(n1, first + columns) - first;
    for (let b = 0; b < r.batch; b += many) {
      const count = min(many, r.batch - b);
      const begin = max(0, m0 - b * pixels);
      const end = min(count * pixels, m1 - b * pixels);
      if (begin < end) gradientOf(r, group, b, count, begin, end, from, to);
    }
  }
}

/** The positions [m0, m1) and columns [n0, n1) of `count` pictures from b on, for one group of channels. */
function gradientOf(
  r: Conv2dInputGradientRecord,
  group: i32,
  b: i32,
  count: i32,
  m0: i32,
  m1: i32,
  n0: i32,
  n1: i32,
): void {
  const bias: usize = r.bias ? r.bias + ((<usize>(group * (r.inChannels / r.groups))) << 2) : 0;
  const rows = min(r.strideHeight, r.height);
  const columns = min(r.strideWidth, r.width);
  let packed = false;
  if (count == PICTURES && m1 - m0 == count * r.height * r.width) {
    const pass = gradientPass(r, group, 0, 0);
    noLines(pass);
    for (let i = 0; i < rows * columns; ++i) coverAll(gradientPass(r, group, i / columns, i % columns));
    move(pass, b);
    packed = place(pass);
    if (packed) packLines(pass, 0);
  }
  let places = 0;
  for (let i = 0; i < rows * columns; ++i) {
    const pass = gradientPass(r, group, i / columns, i % columns);
    const size = count * pass.gridY * pass.gridX;
    const begin = max(0, m0 - places);
    const end = min(size, m1 - places);
    move(pass, b);
    product(pass, packed, begin, end, n0, n1, bias, r.activation, r.accumulate != 0);
    places += size;
  }
}

/** A pass that reads dy. Its grid is every stride-th position of dx, beginning at (y, x). */
function gradientPass(r: Conv2dInputGradientRecord, group: i32, y: i32, x: i32): Pass {
  const pass = changetype<Pass>(convolution());
  v128.store(zerosOf(pass), f32x4.splat(0));
  const columns = r.inChannels / r.groups;
  pass.channels = r.outChannels / r.groups;
  pass.x = r.dy + ((<usize>(group * pass.channels)) << 2);
  pass.height = outSize(r.height, r.kernelHeight, r.strideHeight, r.paddingHeight, r.dilationHeight);
  pass.width = outSize(r.width, r.kernelWidth, r.strideWidth, r.paddingWidth, r.dilationWidth);
  pass.pixel = (<usize>r.outChannels) << 2;
  pass.gridY = (r.height - y + r.strideHeight - 1) / r.strideHeight;
  pass.gridX = (r.width - x + r.strideWidth - 1) / r.strideWidth;
  pass.strideY = 1;
  pass.strideX = 1;

  // The taps k for which y + padding - k·dilation is a multiple of the stride: the first one, and their distance.
  const apartY = r.strideHeight / gcd(r.strideHeight, r.dilationHeight);
  const apartX = r.strideWidth / gcd(r.strideWidth, r.dilationWidth);
  const firstY = firstTap(y + r.paddingHeight, r.dilationHeight, r.strideHeight, apartY);
  const firstX = firstTap(x + r.paddingWidth, r.dilationWidth, r.strideWidth, apartX);
  pass.tapsY = firstY < 0 ? 0 : max(0, (r.kernelHeight - firstY + apartY - 1) / apartY);
  pass.tapsX = firstX < 0 ? 0 : max(0, (r.kernelWidth - firstX + apartX - 1) / apartX);
  pass.offsetY = (y + r.paddingHeight - firstY * r.dilationHeight) / r.strideHeight;
  pass.offsetX = (x + r.paddingWidth - firstX * r.dilationWidth) / r.strideWidth;
  pass.stepY = (-apartY * r.dilationHeight) / r.strideHeight;
  pass.stepX = (-apartX * r.dilationWidth) / r.strideWidth;

  const tapX = (<usize>columns) << 2;
  const tapY = tapX * r.kernelWidth;
  pass.wColumn = 4;
  pass.wChannel = tapY * r.kernelHeight;
  pass.wTapX = tapX * apartX;
  pass.wTapY = tapY * apartY;
  pass.w = r.w + <usize>(group * pass.channels) * pass.wChannel;
  pass.w += tapY * max(0, firstY) + tapX * max(0, firstX);

  const pixel = (<usize>r.inChannels) << 2;
  const across = pixel * r.width;
  pass.out = r.out + ((<usize>(group * columns)) << 2) + across * y + pixel * x;
  pass.outX = pixel * r.strideWidth;
  pass.outY = across * r.strideHeight;
  pass.outPicture = across * r.height;
  return pass;
}

/** The least k < apart for which at - k·dilation is a multiple of the stride, or -1 if there is none. */
function firstTap(at: i32, dilation: i32, stride: i32, apart: i32): i32 {
  for (let k = 0; k < apart; ++k) {
    if ((at - k * dilation) % stride == 0) return k;
  }
  return -1;
}

function gcd(a: i32, b: i32): i32 {
  return b == 0 ? a : gcd(b, a % b);
}

/**
 * Rows [m0, m1) and columns [n0, n1) of a pass. If the pictures are packed, the rows are all positions of four pictures.
 * If not, each four pictures that are inside [m0, m1) are packed in strips, and the other rows are gathered.
 */
function product(
  pass: Pass,
  packed: bool,
  m0: i32,
  m1: i32,
  n0: i32,
  n1: i32,
  bias: usize,
  activate: i32,
  accumulate: bool,
): void {
  if (m0 >= m1) return;
  const block = blockOf(pass);
  const k = pass.tapsY * pass.tapsX * pass.channels;
  const blocks = k > 0 ? (k + KC - 1) / KC : 1;
  const kBlock = (k + blocks - 1) / blocks;
  const places = pass.gridY * pass.gridX;
  const b0 = (m0 + places - 1) / places;
  const b1 = b0 + (max(0, m1 / places - b0) & -PICTURES);
  const whole = packed && k > 0;
  const strips = !packed && b1 > b0 && k > 0 && reused(pass) && stripRows(pass, 0, kBlock) > 0;
  const room = whole ? roomBeside(pass) : strips ? BLOCK / 2 : BLOCK;
  const nBlock = (room / max(kBlock, 8) / NR) * NR;
  for (let j0 = n0; j0 < n1; j0 += nBlock) {
    const j1 = min(j0 + nBlock, n1);
    const first = (<usize>j0) << 2;
    block.columns = j1 - j0;
    block.column = first;
    for (let i = 0; i < blocks; ++i) {
      const last = i == blocks - 1;
      block.p0 = i * kBlock;
      block.kc = min(kBlock, k - block.p0);
      block.accumulate = accumulate || i > 0;
      block.bias = bias && last ? bias + first : 0;
      block.activation = last ? activate : 0;
      let panel = scratch;
      for (let j = j0; j < j1; j += NR) {
        packWeights(pass, j, min(NR, j1 - j), block.p0, block.kc, panel);
        panel += (block.kc * NR) << 2;
      }
      const rows = strips ? stripRows(pass, block.p0, block.kc) : 0;
      if (whole) {
        multiplyPictures(pass, block);
      } else if (rows > 0) {
        gathered(pass, block, m0, b0 * places);
        multiplyStrips(pass, block, b0, b1, rows);
        gathered(pass, block, b1 * places, m1);
      } else {
        gathered(pass, block, m0, m1);
      }
    }
  }
}

/** Adds a block to the rows [m0, m1), in panels gathered from the pictures. */
function gathered(pass: Pass, block: Block, m0: i32, m1: i32): void {
  const packedA = scratch + PACKED_A;
  const edge = scratch + EDGE;
  const packedB = scratch;
  const columns = block.columns;
  const kc = block.kc;
  const add = block.accumulate;
  const biasAt = block.bias;
  const activate = block.activation;
  for (let i = m0; i < m1; i += MR) {
    const rows = min(MR, m1 - i);
    placeRows(pass, i, rows);
    packRows(pass, block.p0, kc, packedA);
    const ld = evenStep(pass, rows);
    const first = block.column;
    const whole = ld ? columns / NR : 0;
    if (whole > 0) tiles(whole, kc, packedA, packedB, rowOf(pass, 0).out + first, ld, add, biasAt, activate);
    for (let j = whole * NR; j < columns; j += NR) {
      tiles(1, kc, packedA, packedB + ((kc * j) << 2), edge, NR << 2, false, 0, 0);
      const at = j << 2;
      for (let row = 0; row < rows; ++row) {
        const to = rowOf(pass, row).out + first + at;
        const cols = min(NR, columns - j);
        const from = edge + ((row * NR) << 2);
        const b: usize = biasAt ? biasAt + at : 0;
        if (cols == NR) {
          // A whole tile, but its rows are not evenly spaced in memory.
          storeFour(to, v128.load(from), add, b, activate);
          storeFour(to + 16, v128.load(from, 16), add, b ? b + 16 : 0, activate);
        } else {
          storeEdge(1, cols, from, to, 0, add, b, activate);
        }
      }
    }
  }
}

/** The number of bytes between the results of neighbouring rows, if it is the same in the whole panel; else 0. */
function evenStep(pass: Pass, rows: i32): usize {
  if (rows < MR) return 0;
  const step = rowOf(pass, 1).out - rowOf(pass, 0).out;
  for (let i = 2; i < MR; ++i) {
    if (rowOf(pass, i).out - rowOf(pass, i - 1).out != step) return 0;
  }
  return step;
}
