/** All ops in one list, for tests and benchmarks. A bundle that imports this file contains every op. */
import { OPS, type OpDef } from '../autograd/op.ts';
import * as definitions from './index.ts';

/** The exported ops. A file exports single ops or records of them. */
const EXPORTED = new Set(Object.values<object>(definitions).flatMap((one) => [one, ...Object.values(one)]));

/** The ops of this folder, in the order of their definition. */
export const ALL_OPS = (OPS as OpDef<unknown>[]).filter((op) => EXPORTED.has(op));
