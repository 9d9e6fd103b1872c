/**
 * Every op of the table (src/autograd/op.ts), on the `benchmark` case in its definition. A new op needs no code here.
 * Each op has two rows. The first is the forward pass without a tape. The second is the forward and backward pass with
 * all gradients; it includes the work for tape and tensors. GB/s count inputs and output once. In the second row they
 * also count the gradients once. Twin: the same on the reference backend.
 */
import type { OpDef } from '../src/autograd/op.ts';
import { apply, noGrad, scope } from '../src/autograd/tape.ts';
import { type Shape, sizeOf } from '../src/autograd/variable.ts';
import { ALL_OPS } from '../src/ops/table.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { onReference } from './program.ts';
import type { Make, Subject } from './subject.ts';

/** The interval of inputs, if an op is defined everywhere. */
const DOMAIN: readonly [number, number] = [-2, 2];

/** dL/dy. */
interface Values {
  readonly values: Float32Array;
  readonly shape: Shape;
}

/** Runs an op once. Returns its result or its gradients, which are valid until the scope ends. */
type Run = () => readonly Tensor[];

/** Makes the inputs from their values on the current backend, and returns a function that runs the op on them. */
function runOf(op: OpDef<unknown>, values: readonly Float32Array[], dy: Values | null): Run {
  const { shapes, attrs } = op.benchmark;
  const xs = shapes.map((shape, i) => tensor(values[i], shape, { requiresGrad: dy !== null }));
  if (!dy) return () => noGrad(() => [apply(op, xs, attrs)]);
  const seed = tensor(dy.values, dy.shape);
  return () => {
    for (const x of xs) x.zeroGrad();
    apply(op, xs, attrs).backward(seed);
    return xs.map((x) => x.grad as Tensor);
  };
}

const opCase =
  (op: OpDef<unknown>, gradients: boolean): Make =>
  (memory) => {
    const { shapes, attrs, domain = DOMAIN } = op.benchmark;
    const output = op.shape(shapes, attrs);
    const values = shapes.map((shape) => memory.array(sizeOf(shape), ...domain).twin);
    const dy = gradients ? { values: memory.array(sizeOf(output)).twin, shape: output } : null;
    const make = () => runOf(op, values, dy);
    const [run, slow] = [make(), onReference(make)];
    // An op that shares its input's memory moves no bytes in the forward pass.
    const passes = (op.alias ? 0 : 1) + (gradients ? 1 : 0);
    const elements = [...shapes, output].reduce((sum, shape) => sum + sizeOf(shape), 0);
    return {
      name: gradients ? `${op.name} with gradients` : op.name,
      shape: shapes.map((shape) => shape.join('x')).join(' '),
      ...(passes > 0 && { bytes: 4 * passes * elements }),
      run: () => void scope(run),
      twin: () => onReference(() => void scope(slow)),
      difference: () =>
        difference(
          valuesOf(run),
          onReference(() => valuesOf(slow)),
        ),
    };
  };

const valuesOf = (run: Run) => scope(() => run().map((x) => Float64Array.from(x.toTypedArray())));

/** The largest difference, divided by the largest number of its array, or by 1 if that is larger. */
function difference(got: readonly Float64Array[], expected: readonly Float64Array[]): number {
  let worst = 0;
  for (const [i, values] of expected.entries()) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    for (const [j, value] of values.entries()) {
      const d = Math.abs(got[i][j] - value) / largest;
      if (!(d <= worst)) worst = d;
    }
  }
  return worst;
}

export const ops: Subject = {
  name: 'ops',
  title: 'Every op, forwards and with all gradients. Twin: the reference backend, float64 in TypeScript.',
  cases: () =>
    ALL_OPS.flatMap((op) => (op.constant ? [opCase(op, false)] : [opCase(op, false), opCase(op, true)])),
};
