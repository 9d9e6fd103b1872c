/**
 * The gradient of a convolution to its weights, as a product that sums over all positions of y:
 *
 *     dw[o,ky,kx,c] = Σ dy[b,i,j,o]·x[b, i·stride - padding + ky·dilation, ..., c]   over (b, i, j)
 *
 * m runs over the channels of y, n over the taps and channels (ky, kx, c), and k over the positions. The layers are
 * those of the GEMM. Order of summation: positions ascending, cut into equal blocks of at most KC, which are added in
 * ascending order. It depends only on the shape, because threads divide the weights, but never the positions.
 *
 * Accuracy: that of the GEMM, with k = batch·positions.
 */
import { BLOCK, KC, MR, NR, PACKED_A } from '../gemm/blocks';
import { multiply } from '../gemm/gemm';
import { packPanel } from '../gemm/pack';
import { Conv2dWeightGradientRecord } from '../records';
import { scratch } from '../scratch';
import { forwardPass } from './direct';
import { packColumns } from './pack';

/** Computes the weights [n0, n1), in the order (ky, kx, c), of each of the channels [m0, m1) of y. */
export function conv2dWeightGradient(m0: i32, m1: i32, n0: i32, n1: i32, r: Conv2dWeightGradientRecord): void {
  const channels = r.outChannels / r.groups;
  for (let group = m0 / channels; group * channels < m1; ++group) {
    const first = group * channels;
    groupGradient(max(m0, first), min(m1, first + channels), n0, n1, group, r);
  }
}

/** Channels [m0, m1) of one group. */
function groupGradient(m0: i32, m1: i32, n0: i32, n1: i32, group: i32, r: Conv2dWeightGradientRecord): void {
  const pass = forwardPass(r, r.x, group);
  const n = pass.tapsY * pass.tapsX * pass.channels;
  const k = r.batch * pass.gridY * pass.gridX;
  const lda = (<usize>r.outChannels) << 2;
  const ldc = (<usize>n) << 2;
  const blocks = k > 0 ? (k + KC - 1) / KC : 1;
  const kBlock = (k + blocks - 1) / blocks;
  const nBlock = (BLOCK / max(kBlock, 8) / NR) * NR;
  for (let j0 = n0; j0 < n1; j0 += nBlock) {
    const columns = min(nBlock, n1 - j0);
    for (let block = 0; block < blocks; ++block) {
      const p0 = block * kBlock;
      const kc = min(kBlock, k - p0);
      packColumns(pass, p0, kc, j0, columns, scratch);
      for (let i = m0; i < m1; i += MR) {
        const rows = min(MR, m1 - i);
        packPanel(MR, rows, kc, r.dy + <usize>p0 * lda + ((<usize>i) << 2), lda, true, scratch + PACKED_A);
        const out = r.out + <usize>i * ldc + ((<usize>j0) << 2);
        multiply(rows, columns, kc, out, ldc, r.accumulate != 0 || block > 0, 0, 0);
      }
    }
  }
}
