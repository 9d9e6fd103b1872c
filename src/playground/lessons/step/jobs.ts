/** The jobs of the stepper: the step itself, the numbers of a tensor, a difference, and training with a wrong sign. */
import { gradcheck } from '../../../autograd/gradcheck.ts';
import { OPS } from '../../../autograd/op.ts';
import { setBackend } from '../../../backend/backend.ts';
import { ValueError } from '../../../errors.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import { Trainer } from '../../../models/training/loop.ts';
import { Rng } from '../../../random/rng.ts';
import type { Compute, Job } from '../../protocol.ts';
import type { StepSettings } from './command.ts';
import {
  type Break,
  difference,
  type NodeFacts,
  recipeOf,
  runStep,
  type Session,
  type TensorFacts,
  whileBroken,
} from './session.ts';

export interface StepResult {
  readonly loss: number;
  readonly nodes: readonly NodeFacts[];
  readonly tensors: readonly TensorFacts[];
  /** Numbers in all parameters. */
  readonly parameters: number;
  /** The SHA-256 of the gradients of all parameters by their names. */
  readonly gradients: string;
  /** `[4, 3, 784]`: four pictures, each clean, noisy, and as the untrained network sees it. */
  readonly pictures: Float32Array;
}

export interface TensorResult {
  readonly id: number;
  readonly values: Float32Array;
  readonly gradient: Float32Array | null;
}

export interface BrokenResult {
  /** gradcheck's largest relative error. */
  readonly error: number;
  /** The loss after each step, right and wrong. */
  readonly right: readonly number[];
  readonly wrong: readonly number[];
}

export type StepJob = Job<StepSettings, StepResult>;
export type TensorJob = Job<{ readonly id: number }, TensorResult>;
export type DifferenceJob = Job<{ readonly id: number; readonly index: number }, number>;
export type BrokenJob = Job<
  StepSettings & Break & { readonly steps: number },
  BrokenResult,
  Partial<BrokenResult>
>;

/** Pictures that the two runs train on. */
const PICTURES = 640;

let session: Session | null = null;

function current(): Session {
  if (!session) throw new ValueError('step: expected a step that was run, got none: press Reset');
  return session;
}

export const step: Compute<StepJob> = async (settings) => {
  session = runStep(settings);
  const { loss, nodes, tensors, kept } = session;
  const named = tensors.filter(({ role }) => role === 'parameter');
  const gradients = Object.fromEntries(named.map(({ name, id }) => [name, kept[id].gradient]));
  return {
    loss,
    nodes,
    tensors,
    parameters: named.reduce((sum, { id }) => sum + kept[id].values.length, 0),
    gradients: await numbersHash(gradients),
    pictures: pictures(session),
  };
};

function pictures({ tensors, kept, nodes }: Session): Float32Array {
  const of = (test: (facts: TensorFacts) => boolean) => kept[tensors.findIndex(test)].values;
  const rows = [
    of(({ role }) => role === 'target'),
    of(({ role }) => role === 'input'),
    kept[nodes[nodes.length - 1].inputs[0]].values,
  ];
  const all = new Float32Array(4 * 3 * 784);
  for (let p = 0; p < 4; p++) {
    for (const [r, row] of rows.entries()) all.set(row.subarray(p * 784, (p + 1) * 784), (p * 3 + r) * 784);
  }
  return all;
}

export const tensorOf: Compute<TensorJob> = async ({ id }) => {
  const { values, gradient } = current().kept[id];
  return { id, values: values.slice(), gradient: gradient?.slice() ?? null };
};

export const differenceOf: Compute<DifferenceJob> = async ({ id, index }) => {
  return difference(current(), id, index);
};

/** gradcheck on the first of the op's own cases that has numbers. */
function errorOf(name: string): number {
  const op = OPS.find((one) => one.name === name)!;
  const sample = op.samples().find(({ shapes }) => shapes.every((shape) => shape.every((n) => n > 0)))!;
  setBackend('reference');
  try {
    const rng = new Rng('gradcheck');
    const inputs = sample.shapes.map((shape) => rng.normal(shape));
    const error = gradcheck(op, inputs, { attrs: sample.attrs });
    for (const x of inputs) x.dispose();
    return error;
  } finally {
    setBackend('wasm');
  }
}

export const broken: Compute<BrokenJob> = async function* ({ op, input, steps, ...settings }) {
  async function* losses(): AsyncGenerator<number[], number[]> {
    const { recipe, loader } = recipeOf(settings, PICTURES);
    const trainer = new Trainer(recipe, loader, {
      epochs: Math.ceil(steps / loader.batches),
      lr: 1e-3,
      every: 1,
    });
    const values: number[] = [];
    try {
      for (const event of trainer.run()) {
        if (event.type !== 'batch') continue;
        values.push(event.loss);
        if (values.length >= steps) break;
        yield values;
      }
      return values;
    } finally {
      trainer.dispose();
      recipe.module.dispose();
    }
  }
  const right = yield* map(losses(), (values) => () => ({ right: [...values] }));
  // The op is broken only between two looks at the mail: no other job meets it.
  const error = await whileBroken({ op, input }, async () => errorOf(op));
  const run = losses();
  for (;;) {
    const { done, value } = await whileBroken({ op, input }, () => run.next());
    if (done) return { error, right, wrong: value };
    yield () => ({ error, right, wrong: [...value] });
  }
};

async function* map<T, R, U>(
  from: AsyncGenerator<T, R>,
  change: (value: T) => U,
): AsyncGenerator<U, R, void> {
  for (;;) {
    const { done, value } = await from.next();
    if (done) return value;
    yield change(value);
  }
}
