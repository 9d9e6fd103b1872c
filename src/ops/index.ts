/** All ops. Importing this file fills the table `OPS`. */
export * from './affine-sample.ts';
export * from './attention.ts';
export * from './binary.ts';
export * from './conv2d.ts';
export * from './cumsum.ts';
export * from './fused-activation.ts';
export { gather, indexSelect } from './gather.ts';
export { groupNorm } from './group-norm.ts';
export * from './linear.ts';
export * from './matmul.ts';
export * from './pixel-shuffle.ts';
export { avgPool2d, maxPool2d, upsample } from './pool.ts';
export * from './reduce.ts';
export * from './shape.ts';
export * from './softmax.ts';
export * from './unary.ts';
export * from './where.ts';
