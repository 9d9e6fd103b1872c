/**
 * The whole ABI of the kernel module. A kernel takes items of the work and a record of arguments (records.ts), and
 * writes arrays in memory. There are no objects, no static data and no start function. So any number of instances can
 * share one memory (asconfig.json: runtime stub).
 */

export { affineSample, affineSampleBackward } from './affine-sample';
export { attention } from './attention/attention';
export { attentionBackward } from './attention/attention-backward';
export { init } from './constants';
export { depthwise, depthwiseInputGradient, depthwiseWeightGradient } from './conv/depthwise';
export { conv2d, conv2dInputGradient } from './conv/direct';
export { gatherTaps, sumTaps } from './conv/taps';
export { conv2dWeightGradient } from './conv/weight-gradient';
export { conv2dThin } from './conv/thin';
export { conv2dThinWeightGradient } from './conv/thin-weights';
export { winogradFilter } from './conv/winograd/filter';
export { winogradBytes } from './conv/winograd/layout';
export { winogradSums, winogradWeightGradient } from './conv/winograd/weight-gradient';
export { winograd } from './conv/winograd/winograd';
export { winograd4Bytes } from './conv/winograd4/layout';
export { winograd4 } from './conv/winograd4/winograd4';
export { copy, fill } from './copy';
export { cumsum } from './cumsum';
export * from './elementwise/binary';
export * from './elementwise/unary';
export { gather, scatterAdd } from './gather';
export { gemm, gemmBatch } from './gemm/gemm';
export { groupNorm } from './norm/group-norm';
export { groupNormBackward } from './norm/group-norm-backward';
export { adam, rmsprop, sgd } from './optim';
export { isFused, peakMulAdd } from './peak';
export { pixelShuffle, pixelUnshuffle } from './pixel-shuffle';
export { averagePool, averagePoolBackward } from './pool/average';
export { maxPool, maxPoolBackward } from './pool/maximum';
export { gaussian, randomBits, uniform } from './random/gaussian';
export { mse, mseBackward, squaredErrorBlocks } from './reduce/mse';
export { prodBackward } from './reduce/prod';
export { maxOf as max, minOf as min, prod, storeTotal, sum, sumSquares } from './reduce/reduce';
export { sumBlocks, sumSquaresBlocks } from './reduce/sum';
export { attach, scratchBytes } from './scratch';
export { affinePath } from './sde';
export { logSoftmax, logSoftmaxBackward, softmax, softmaxBackward } from './softmax';

/** The first byte that no kernel uses. The heap starts here. */
export function heapBase(): usize {
  return __heap_base;
}
