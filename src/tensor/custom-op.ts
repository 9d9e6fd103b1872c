/**
 * Custom ops: a function of tensors with a derivative of your own. The tape does not record the steps inside the
 * function. That saves memory. A shorter formula for the derivative is more accurate. An op also gives a derivative to
 * functions that have none (a straight-through estimator). The design follows PyTorch's `autograd.Function`.
 *
 * Both passes are written with tensors, so they run on either backend. Left out on purpose: custom kernels, several
 * results, and second derivatives.
 */
import type { Differentiable } from '../autograd/op.ts';
import { checkOperands, noGrad, record } from '../autograd/tape.ts';
import { copyArray } from '../backend/kernels.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { checkKeys, describe } from '../options.ts';
import { requireTensor, Tensor } from './tensor.ts';

/** What the backward pass of an op can read, apart from dL/dy. */
export interface CustomPass<A> {
  /** The inputs of the forward pass. */
  readonly xs: readonly Tensor[];
  /** The result of the forward pass. */
  readonly y: Tensor;
  /** The attributes that the op was called with. */
  readonly attrs: A;
  /** Whether input i needs a gradient. If it does not, `backward` may return null for it. */
  wants(input: number): boolean;
}

/** The definition of an op; A is the type of its attributes. */
export interface CustomOp<A = undefined> {
  /** The name in messages. */
  readonly name: string;
  /** y = f(xs). The tape does not record inside it. */
  forward(xs: readonly Tensor[], attrs: A): Tensor;
  /** Returns dL/dx of each input from dL/dy, in the input's shape; null means 0. The tape does not record inside it. */
  backward(dy: Tensor, pass: CustomPass<A>): readonly (Tensor | null)[];
  /**
   * What `backward` reads: indices of inputs, and 'y'. Between the passes, do not write to these tensors. Default: all.
   */
  readonly saves?: readonly (number | 'y')[];
}

/** The arguments are the inputs and, if the op has attributes, the attributes as the last one. */
export type CustomFunction<A> = (...args: [A] extends [undefined] ? Tensor[] : [...Tensor[], A]) => Tensor;

/**
 * Makes a function of tensors from its two passes. If the last argument of a call is not a tensor, it is the
 * attributes.
 *
 * The function throws ValueError for inputs that are not tensors of one backend, and for passes that do not return
 * tensors of that backend. The backward pass throws ShapeError for a gradient that does not have its input's shape.
 *
 * @throws ValueError for a definition without a name or a pass, or with unknown keys
 *
 * @example
 *   // y = x³ and dL/dx = 3·x²·dL/dy
 *   const cube = customOp({
 *     name: 'cube',
 *     forward: ([x]) => x.mul(x).mul(x),
 *     backward: (dy, { xs: [x] }) => [dy.mul(x).mul(x).mul(3)],
 *   });
 *   const x = tensor([1, 2], { requiresGrad: true });
 *   cube(x).sum().backward(); // x.grad is [3, 12]
 *   const error = gradcheck(cube, [x]); // below 1e-6
 */
export function customOp<A = undefined>(definition: CustomOp<A>): CustomFunction<A> {
  checkDefinition(definition);
  const { name, forward, saves } = definition;
  return (...args) => {
    const last: unknown = args.at(-1);
    const hasAttrs = args.length > 0 && !(last instanceof Tensor);
    const xs = (hasAttrs ? args.slice(0, -1) : args) as Tensor[];
    const attrs = (hasAttrs ? last : undefined) as A;
    if (xs.length === 0) throw new ValueError(`${name}: expected at least one tensor, got ${describe(last)}`);
    checkOperands(name, xs);
    const result = noGrad(() => forward(xs, attrs));
    requireLike(`${name}: forward`, result, xs[0]);
    // We need a new variable, because the result may be an input or an older tensor.
    const y = result.alias(result.shape);
    record(derivativeOf(definition, saves ?? [...xs.keys(), 'y']), y, xs, attrs);
    return y;
  };
}

/** @throws ValueError */
function checkDefinition(definition: CustomOp<never>): void {
  checkKeys('customOp', definition, ['name', 'forward', 'backward', 'saves']);
  const { name, forward, backward, saves = [] } = definition;
  if (typeof name !== 'string' || name === '') {
    throw new ValueError(`customOp: expected a name, got ${describe(name)}`);
  }
  for (const [pass, f] of Object.entries({ forward, backward })) {
    if (typeof f !== 'function') {
      throw new ValueError(`customOp: expected a function ${pass} of ${name}, got ${describe(f)}`);
    }
  }
  const isSaved = (saved: number | 'y') => saved === 'y' || (Number.isInteger(saved) && saved >= 0);
  if (!Array.isArray(saves) || !saves.every(isSaved)) {
    throw new ValueError(
      `customOp: expected saves of ${name} such as [0, 'y'], got ${Array.isArray(saves) ? JSON.stringify(saves) : describe(saves)}`,
    );
  }
}

/** @throws ValueError unless `x` is a tensor of the backend of `other` */
function requireLike(what: string, x: unknown, other: Tensor): asserts x is Tensor {
  requireTensor(what, x);
  checkOperands(what, [other, x]);
}

/** The op that the tape calls. */
function derivativeOf<A>({ name, backward }: CustomOp<A>, saves: Differentiable['saves']): Differentiable<A> {
  return {
    name,
    saves,
    vjp(k, dy, y, inputs, into, attrs) {
      const what = `${name}: backward`;
      const xs = inputs as readonly Tensor[];
      const pass = { xs, y: y as Tensor, attrs, wants: into.wants };
      const gradients: unknown = noGrad(() => backward(dy as Tensor, pass));
      if (!Array.isArray(gradients) || gradients.length !== xs.length) {
        throw new ValueError(
          `${what}: expected an array of ${xs.length} ${xs.length === 1 ? 'gradient' : 'gradients'}, got ${describe(gradients)}`,
        );
      }
      for (const [i, gradient] of gradients.entries()) {
        if (gradient === null) continue;
        requireLike(what, gradient, xs[i]);
        if (gradient.shape.join() !== xs[i].shape.join()) {
          throw new ShapeError(
            `${what}: expected a gradient of shape [${xs[i].shape}] for input ${i}, got [${gradient.shape}]`,
          );
        }
        into(i, (out) => copyArray(k, gradient.size, gradient.ptr, out));
      }
    },
  };
}
