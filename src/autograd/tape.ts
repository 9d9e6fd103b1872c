/**
 * The tape: the list of operations in the order in which they ran. This order is a topological order of the graph. So
 * the backward pass is one loop from the end to the beginning, without a sort or recursion.
 *
 * When a scope ends, its part of the tape is removed. Outside of scopes a graph stays until `backward()` has used it.
 * Use `noGrad` for results that need no gradient.
 */
import { backend } from '../backend/backend.ts';
import { copyArray, type Target } from '../backend/kernels.ts';
import { LangevinError, ShapeError, ValueError } from '../errors.ts';
import type { Differentiable, GradSink, OpDef } from './op.ts';
import { type Shape, Variable, writesSoFar } from './variable.ts';

/**
 * What the tape stores for an operation y = op(xs). `op` is the op, `xs` are its inputs, `y` is its result, and `attrs` are
 * the attributes of this call.
 */
export interface TapeNode {
  readonly op: Differentiable<unknown>;
  readonly y: Variable;
  readonly xs: readonly Variable[];
  readonly attrs: unknown;
  /** The value of `writesSoFar()` when the operation was recorded. */
  readonly writes: number;
}

/** A used node is replaced by null, so that positions stay valid. */
const tape: (TapeNode | null)[] = [];
/** Where the innermost open scope's part of the tape begins. Nodes before it are not removed inside the scope. */
let mark = 0;
let recording = true;

/** The number of nodes on the tape. */
export function tapeLength(): number {
  return tape.length;
}

/** @throws ValueError unless all are tensors of one backend */
export function checkOperands(what: string, xs: readonly Variable[]): void {
  const first = xs[0];
  for (const x of xs) {
    if (!(x instanceof Variable)) throw new ValueError(`${what}: expected tensors, got ${typeof x}`);
    if (x.backend !== first.backend) {
      throw new ValueError(
        `${what}: expected tensors of one backend, got ${first.backend.name} and ${x.backend.name}`,
      );
    }
  }
}

/** Records y = op(xs) if an input requires a gradient. */
export function record<A>(op: Differentiable<A>, y: Variable, xs: readonly Variable[], attrs: A): void {
  if (!recording || !xs.some((x) => x.requiresGrad)) return;
  y.requiresGrad = true;
  y.node = tape.length;
  tape.push({ op: op as Differentiable<unknown>, y, xs, attrs, writes: writesSoFar() });
}

/** Runs `op` and records it. A constant op is not recorded: its result requires no gradient. */
export function apply<A, T extends Variable>(op: OpDef<A>, xs: readonly T[], attrs: A): T {
  checkOperands(op.name, xs);
  const [first] = xs;
  const shape = op.shape(
    xs.map((x) => x.shape),
    attrs,
  );
  const y = op.alias ? first.alias(shape) : first.empty(shape);
  op.forward(first.backend.kernels, y, xs, attrs);
  if (!op.constant) record(op, y, xs, attrs);
  return y;
}

/**
 * Runs `body` without recording, for evaluation, sampling and updates. Returns the result of `body`.
 * @throws LangevinError for an asynchronous function, most of which would run after the end
 */
export function noGrad<T>(body: () => T): T {
  const before = recording;
  recording = false;
  try {
    return synchronous('noGrad', body());
  } finally {
    recording = before;
  }
}

/** Returns `result` unless it is a promise. */
function synchronous<T>(name: string, result: T): T {
  if (!(result instanceof Promise)) return result;
  // We ignore later errors of this function, because they follow from the error below.
  result.catch(() => {});
  throw new LangevinError(`${name}: expected a synchronous function, got one that returns a Promise`);
}

/** Whether operations are being recorded. */
export function isRecording(): boolean {
  return recording;
}

/**
 * Runs `body` with its tensors in the arena. When `body` ends, the tensors and their part of the tape are released. A
 * tensor that must live longer is kept with `keep()`.
 * @throws LangevinError for an asynchronous function, most of which would run after the end
 */
export function scope<T>(body: () => T): T {
  const { arena } = backend();
  const frame = arena.open();
  const before = mark;
  mark = tape.length;
  try {
    return synchronous('scope', body());
  } finally {
    arena.close(frame);
    tape.length = mark;
    mark = before;
    dropUsed();
  }
}

/** Removes used nodes from the end of the tape. */
function dropUsed(): void {
  while (tape.length > mark && tape[tape.length - 1] === null) tape.pop();
}

/**
 * The memory for a gradient: the leaf's own buffer, or memory of the pass for an intermediate result. It adds leaves
 * with hooks to `reached`.
 */
function place(x: Variable, reached: Set<Variable>): Target {
  if (x.isLeaf) {
    if (x.gradHooks) reached.add(x);
    const accumulate = x.grad !== null;
    if (!x.gradBuffer?.alive) x.gradBuffer = x.emptyOnHeap(x.shape);
    x.gatherGrad();
    x.grad = x.gradBuffer;
    x.grad.markWritten();
    return { ptr: x.gradBuffer.ptr, accumulate };
  }
  if (tape[x.node]?.y !== x) throw usedUp();
  const accumulate = x.adjoint !== null;
  x.adjoint ??= x.empty(x.shape);
  return { ptr: x.adjoint.ptr, accumulate };
}

const usedUp = () =>
  new LangevinError(
    'backward: part of this graph was used by an earlier backward() or ended with its scope: compute it again, or call backward(null, { retainGraph: true }) the first time',
  );

/** Throws LangevinError if an array that the derivative reads has been written to since. */
function requireUnchanged({ op, y, xs, writes }: TapeNode): void {
  for (const saved of op.saves) {
    const x = saved === 'y' ? y : xs[saved];
    if (!x || x.version <= writes) continue;
    if (op.multilinear && !xs.some((other, i) => i !== saved && other.requiresGrad)) continue;
    const what = saved === 'y' ? 'its result' : `its input ${saved}`;
    throw new LangevinError(
      `backward: the derivative of ${op.name} reads ${what} of shape [${x.shape}], which was written to after ${op.name} ran: write to a clone() of it, or after backward()`,
    );
  }
}

/** The sink of one node. It skips inputs that need no gradient. */
function sinkOf({ xs, y }: TapeNode, reached: Set<Variable>): GradSink {
  const sink = ((i: number, write: (out: Target) => void) => {
    if (xs[i].requiresGrad) write(place(xs[i], reached));
  }) as GradSink;
  sink.wants = (i) => xs[i].requiresGrad;
  sink.scratch = (n) => y.backend.arena.alloc(n * y.backend.elementBytes);
  return sink;
}

/**
 * Adds d(root)/d(leaf) to `grad` of every leaf that requires a gradient.
 *
 * @param seed dL/d(root), of root's shape; 1 for a root of one element
 * @param retainGraph keeps the graph for another backward pass
 * @throws ShapeError for a root of several elements without a seed
 * @throws LangevinError for a graph that was used before, or if an array that a derivative reads was written to. In
 * that case leaves may already have a part of their gradient.
 */
export function backward(root: Variable, seed: Variable | null, retainGraph: boolean): void {
  const steps = backwardSteps(root, seed, retainGraph);
  while (!steps.next().done);
}

/**
 * The same pass node by node: it yields each node after its derivative is computed. Then `y.adjoint` is dL/dy, and
 * `adjoint` of an input (`grad` of a leaf) is the sum of its gradient so far. Both stay valid until the pass continues.
 * A scope that is opened in between must end before that. If the pass is stopped early with `return()`, the gradients
 * of leaves are incomplete sums.
 * @throws as `backward`
 */
export function* backwardSteps(
  root: Variable,
  seed: Variable | null = null,
  retainGraph = false,
): Generator<TapeNode, void> {
  requireSeed(root, seed);
  const { kernels, arena } = root.backend;
  prepareLeaves(root);
  const reached = new Set<Variable>();
  // All memory of the pass, apart from the gradients of leaves, is released at its end.
  const frame = arena.open();
  let at = root.node;
  try {
    seedRoot(root, seed, reached);
    for (; at >= 0; at--) {
      const node = tape[at];
      const dy = node?.y.adjoint;
      if (!node || !dy) continue;
      requireUnchanged(node);
      callHooks(node.y, dy);
      const { op, y, xs, attrs } = node;
      op.vjp(kernels, dy, y, xs, sinkOf(node, reached), attrs);
      yield node;
      y.adjoint = null;
      if (!retainGraph) tape[at] = null;
    }
    for (const x of reached) callHooks(x, x.grad);
  } finally {
    // If the pass ended early, some adjoints remain. Their memory is released now.
    for (; at >= 0; at--) if (tape[at]) tape[at]!.y.adjoint = null;
    arena.close(frame);
  }
  dropUsed();
}

/**
 * The operations that a result was computed with, in the order in which they ran. Operations on constants alone are not
 * among them, because the tape does not record them.
 * @throws LangevinError if a part of the graph was used by a backward pass, or ended with its scope
 */
export function recordedNodes(root: Variable): TapeNode[] {
  const needed = new Set<Variable>([root]);
  const found: TapeNode[] = [];
  for (let at = root.node; at >= 0; at--) {
    const node = tape[at];
    if (!node || !needed.has(node.y)) continue;
    for (const x of node.xs) {
      if (!x.isLeaf && tape[x.node]?.y !== x) throw usedUp();
      needed.add(x);
    }
    found.push(node);
  }
  return found.reverse();
}

/** Calls the hooks of x with its gradient. A hook may change the gradient in place. */
function callHooks({ gradHooks }: Variable, gradient: Variable | null): void {
  if (!gradHooks || !gradient) return;
  for (const hook of [...gradHooks]) {
    const result: unknown = noGrad(() => synchronous('onGradient', hook(gradient)));
    if (result instanceof Variable && result !== gradient) {
      throw new ValueError(
        'onGradient: expected a hook that changes the gradient in place, such as (g) => g.copyFrom(...), got one that returns another tensor',
      );
    }
  }
}

/** Sets dL/d(root). It is 1 without a seed. */
function seedRoot(root: Variable, seed: Variable | null, reached: Set<Variable>): void {
  const { kernels } = root.backend;
  let from = seed;
  if (!from) {
    from = root.empty(root.shape);
    kernels.fill({ n: 1, out: from.ptr, value: 1 });
  }
  copyArray(kernels, root.size, from.ptr, place(root, reached));
}

function requireSeed(root: Variable, seed: Variable | null): void {
  if (!root.requiresGrad) {
    throw new ValueError(
      'backward: expected a result of tensors that require gradients, got one of constants',
    );
  }
  const shape: Shape = seed?.shape ?? root.shape;
  if (seed ? shape.join() !== root.shape.join() : root.size !== 1) {
    throw new ShapeError(
      seed
        ? `backward: expected a gradient of shape [${root.shape}], got [${shape}]`
        : `backward: expected a scalar or a gradient for it, got a tensor of shape [${shape}]`,
    );
  }
  if (seed && seed.backend !== root.backend) {
    throw new ValueError(
      `backward: expected a gradient on the backend ${root.backend.name}, got one on ${seed.backend.name}`,
    );
  }
}

/**
 * Leaves of the current scope get memory for their gradient in that scope, before the pass opens a frame of its own.
 * All other leaves get it on the heap, because their gradient must outlive the current scope.
 */
function prepareLeaves(root: Variable): void {
  const prepare = (x: Variable) => {
    if (x.isLeaf && x.requiresGrad && x.inCurrentScope && !x.gradBuffer?.alive) {
      x.gradBuffer = x.empty(x.shape);
    }
  };
  prepare(root);
  for (let i = root.node; i >= 0; i--) for (const x of tape[i]?.xs ?? []) prepare(x);
}
