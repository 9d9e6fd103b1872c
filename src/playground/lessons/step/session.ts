/**
 * A real training step of the denoiser, run node by node: the first step of `langevin train denoiser`, with the same
 * pictures, noise and initial values. Every tensor of it is kept, with its gradient, so that it can be walked through
 * forward and back. Losses of the step with one number changed are computed in float64, for finite differences.
 */
import type { OpDef } from '../../../autograd/op.ts';
import { OPS } from '../../../autograd/op.ts';
import { apply, backwardSteps, noGrad, scope, type TapeNode } from '../../../autograd/tape.ts';
import type { Variable } from '../../../autograd/variable.ts';
import { backend, setBackend } from '../../../backend/backend.ts';
import { copyArray, type Target } from '../../../backend/kernels.ts';
import { type KernelCall, recordKernels } from '../../../backend/recorder.ts';
import { DataLoader } from '../../../data/loader.ts';
import { loadStrokes } from '../../../data/strokes-set.ts';
import { Denoiser } from '../../../models/networks/denoiser.ts';
import { defaultsOf } from '../../../models/setting.ts';
import { DENOISER_TABLE } from '../../../models/settings.ts';
import { DenoiserRecipe } from '../../../models/training/denoiser.ts';
import { Rng } from '../../../random/rng.ts';
import { tensor } from '../../../tensor/create.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import type { StepSettings } from './command.ts';

/** One tensor of the step. */
export interface TensorFacts {
  readonly id: number;
  /** `encoder.0.weight`, or what it is: `noisy pictures`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: 'input' | 'parameter' | 'result' | 'target';
  /** Whether it has a gradient. */
  readonly differentiable: boolean;
}

export interface CallFacts {
  readonly label: string;
  readonly shape: string;
}

/** One node of the tape. */
export interface NodeFacts {
  readonly op: string;
  /** What the op has beside its inputs, in words. */
  readonly attributes: string;
  readonly inputs: readonly number[];
  readonly output: number;
  readonly forward: readonly CallFacts[];
  readonly backward: readonly CallFacts[];
}

/** A tensor's numbers. */
export interface Kept {
  readonly values: Float32Array;
  readonly gradient: Float32Array | null;
}

export interface Session {
  readonly settings: StepSettings;
  readonly loss: number;
  readonly nodes: readonly NodeFacts[];
  readonly tensors: readonly TensorFacts[];
  readonly kept: readonly Kept[];
  /** For the step in float64: ops with their attributes. */
  readonly program: readonly { readonly op: OpDef<unknown>; readonly attrs: unknown }[];
}

/** What `langevin train denoiser` begins with. @param pictures as its `--limit`; default: those of one batch */
export function recipeOf(
  { batchSize, noise, seed }: StepSettings,
  pictures = batchSize,
): {
  recipe: DenoiserRecipe;
  loader: DataLoader;
} {
  const data = loadStrokes({ train: pictures, test: 1 });
  const model = new Denoiser({ rng: new Rng(seed).stream('initial values') });
  const { model: _, ...defaults } = defaultsOf(DENOISER_TABLE);
  const recipe = new DenoiserRecipe(model, data, { ...defaults, batchSize, noise, seed });
  return { recipe, loader: new DataLoader(data.train, { batchSize, seed }) };
}

const read = (x: Variable): Float32Array => Float32Array.from(x.backend.read(x.ptr, x.size));
const callsOf = (calls: readonly KernelCall[]): CallFacts[] =>
  calls.map(({ label, shape }) => ({ label, shape }));
const opNamed = (name: string) => OPS.find((op) => op.name === name) as OpDef<unknown>;

/** Runs the step. All of it is in one scope: what is kept is copied out. */
export function runStep(settings: StepSettings): Session {
  const { recipe, loader } = recipeOf(settings);
  try {
    return scope(() => walk(settings, recipe, loader.next().images));
  } finally {
    recipe.module.dispose();
  }
}

function walk(settings: StepSettings, recipe: DenoiserRecipe, images: Tensor): Session {
  const loss = recipe.loss({ images, labels: new Uint8Array() });
  const backwardCalls: KernelCall[] = [];
  const tape: TapeNode[] = [];
  const adjoints = new Map<Variable, Float32Array>();
  const calls = new Map<TapeNode, readonly CallFacts[]>();
  const steps = backwardSteps(loss);
  for (;;) {
    const before = backwardCalls.length;
    let next: IteratorResult<TapeNode, void> | undefined;
    recordKernels(() => {
      next = steps.next();
    }, backwardCalls);
    if (next!.done) break;
    const node = next!.value as TapeNode;
    tape.unshift(node);
    calls.set(node, callsOf(backwardCalls.slice(before)));
    adjoints.set(node.y, read(node.y.adjoint!));
  }
  return describe(settings, recipe, images, loss, { tape, adjoints, calls });
}

interface Walked {
  readonly tape: readonly TapeNode[];
  readonly adjoints: ReadonlyMap<Variable, Float32Array>;
  readonly calls: ReadonlyMap<TapeNode, readonly CallFacts[]>;
}

function describe(
  settings: StepSettings,
  { module }: DenoiserRecipe,
  images: Tensor,
  loss: Tensor,
  { tape, adjoints, calls }: Walked,
): Session {
  const names = new Map<Variable, string>(module.namedParameters().map(([name, p]) => [p, name]));
  const found = new Map<Variable, number>();
  const tensors: TensorFacts[] = [];
  const kept: Kept[] = [];
  const enter = (x: Variable, role: TensorFacts['role'], name: string): number => {
    const known = found.get(x);
    if (known !== undefined) return known;
    const id = found.size;
    found.set(x, id);
    const gradient = adjoints.get(x) ?? (x.grad ? read(x.grad) : null);
    tensors.push({ id, name, shape: [...x.shape], role, differentiable: x.requiresGrad });
    kept.push({ values: read(x), gradient });
    return id;
  };
  const leaf = (x: Variable): number => {
    const name = names.get(x);
    if (name) return enter(x, 'parameter', name);
    return x === images ? enter(x, 'target', 'clean pictures') : enter(x, 'input', 'noisy pictures');
  };
  const nodes = tape.map((node, i): NodeFacts => {
    const inputs = node.xs.map((x) => found.get(x) ?? leaf(x));
    const name = node.y === loss ? 'loss' : `result ${i + 1}`;
    const forward = recordKernels(() =>
      opNamed(node.op.name).forward(node.y.backend.kernels, node.y, node.xs, node.attrs),
    );
    return {
      op: node.op.name,
      attributes: attributesOf(node.attrs),
      inputs,
      output: enter(node.y, 'result', name),
      forward: callsOf(forward),
      backward: calls.get(node)!,
    };
  });
  const program = tape.map(({ op, attrs }) => ({ op: opNamed(op.name), attrs }));
  return { settings, loss: loss.item(), nodes, tensors, kept, program };
}

/** `relu`, `[64,28,28,1]`. */
function attributesOf(attrs: unknown): string {
  if (typeof attrs !== 'object' || attrs === null) return '';
  return Object.values(attrs)
    .map((value) => (Array.isArray(value) ? `[${value}]` : String(value)))
    .join(', ');
}

/** A step size for differences: small beside what an activation bends at, large beside float64's rounding. */
const H = 1e-5;

/**
 * (L(x + h) − L(x − h)) / 2h for one number of one tensor, in float64 on the reference kernels. What does not depend on
 * the tensor is computed once.
 */
export function difference({ nodes, kept, tensors, program }: Session, id: number, index: number): number {
  const before = backend().name;
  setBackend('reference');
  try {
    return noGrad(() =>
      scope(() => {
        const first = nodes.findIndex(({ output }) => output === id) + 1;
        const start = kept[id].values[index];
        const h = H * Math.max(1, Math.abs(start));
        const lossAt = (value: number) =>
          scope(() => {
            const made = new Map<number, Tensor>();
            const get = (t: number): Tensor => {
              const values = Float64Array.from(kept[t].values);
              if (t === id) values[index] = value;
              const fresh = made.get(t) ?? tensor(values, tensors[t].shape);
              made.set(t, fresh);
              return fresh;
            };
            for (const [i, { inputs, output }] of nodes.entries()) {
              if (i < first) continue;
              made.set(output, apply(program[i].op, inputs.map(get), program[i].attrs));
            }
            return made.get(nodes[nodes.length - 1].output)!.item();
          });
        return (lossAt(start + h) - lossAt(start - h)) / (2 * h);
      }),
    );
  } finally {
    setBackend(before);
  }
}

/** Which derivative is broken: what an op sends to one of its inputs. */
export interface Break {
  readonly op: string;
  readonly input: number;
}

/** Runs `body` while the op sends the derivative of that input with the wrong sign. */
export async function whileBroken<T>({ op: name, input }: Break, body: () => Promise<T>): Promise<T> {
  const op = opNamed(name) as { vjp: OpDef<unknown>['vjp'] };
  const { vjp } = op;
  op.vjp = (k, dy, y, xs, into, attrs) => {
    const wrong = ((i: number, write: (out: Target) => void) => {
      if (i !== input) return into(i, write);
      into(i, (out) => {
        const n = xs[i].size;
        const scratch = into.scratch(n);
        write({ ptr: scratch, accumulate: false });
        copyArray(k, n, scratch, out, -1);
      });
    }) as typeof into;
    wrong.wants = into.wants;
    wrong.scratch = into.scratch;
    vjp(k, dy, y, xs, wrong, attrs);
  };
  try {
    return await body();
  } finally {
    op.vjp = vjp;
  }
}
