/**
 * All ops of this folder in the order of their definition: what tests and the benchmark run through. Apart from
 * index.ts, so that a bundle has only the ops that it uses.
 */
import { OPS, type OpDef } from '../autograd/op.ts';
import * as definitions from './index.ts';

/** As files export them, alone or in records: by this use a bundler keeps them all. */
const EXPORTED = new Set(Object.values<object>(definitions).flatMap((one) => [one, ...Object.values(one)]));

export const ALL_OPS: readonly OpDef<unknown>[] = (OPS as OpDef<unknown>[]).filter((op) => EXPORTED.has(op));
