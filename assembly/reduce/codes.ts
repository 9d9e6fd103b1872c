/** The reductions as constants. They are folded away when a function is compiled, as in elementwise/. */
export const SUM: i32 = 0;
export const SUM_SQUARES: i32 = 1;
export const MAX: i32 = 2;
export const MIN: i32 = 3;
export const PROD: i32 = 4;
