/** Every op in one list, for tests and benchmarks. A bundle that uses it has all ops, also those nothing else needs. */
import { OPS, type OpDef } from '../autograd/op.ts';
import * as definitions from './index.ts';

/** The ops as files export them, alone or in records. */
const EXPORTED = new Set(Object.values<object>(definitions).flatMap((one) => [one, ...Object.values(one)]));

/** The ops of this folder, in the order of their definition. */
export const ALL_OPS = (OPS as OpDef<unknown>[]).filter((op) => EXPORTED.has(op));
