/** All ops. Importing this file fills the table `OPS`. */
export * from './binary.ts';
export * from './linear.ts';
export * from './matmul.ts';
export * from './reduce.ts';
export * from './shape.ts';
export * from './unary.ts';
