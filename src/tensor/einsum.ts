/**
 * Einstein's summation: sums of products of elements of several tensors. Letters name the axes.
 *
 *     einsum('bij,bjk->bik', a, b)    a batch of matrix products
 *     einsum('ij->ji', a)             a transpose;  'ij->' a sum;  'ii->i' a diagonal;  'i,j->ij' an outer product
 *
 * Without `->`, the axes of the result are the letters that occur once, in alphabetical order, as in NumPy. Operands
 * are contracted from the left, two at a time. Letters that are not needed any more are summed first. Then a pair
 * becomes one batch of matrix products [batch, m, k]·[batch, k, n]. Here `batch` are the letters of both operands that
 * stay, and k are the letters of both that are summed. Gradients follow from the operators that einsum calls.
 *
 * Left out on purpose: ellipses (`...`), and a search for the cheapest order of contraction.
 */
import { ShapeError, ValueError } from '../errors.ts';
import { describe } from '../options.ts';
import { requireTensor, type Tensor } from './tensor.ts';

/** A tensor with a name for each axis. */
interface Named {
  readonly x: Tensor;
  readonly axes: readonly string[];
}

/**
 * @param equation names of axes, such as `'ij,jk->ik'`; spaces are ignored
 * @throws ValueError for an equation that is not valid, ShapeError for sizes that differ; both name the index
 */
export function einsum(equation: string, ...operands: Tensor[]): Tensor {
  const { inputs, output } = parse(equation, operands);
  checkSizes(inputs, operands);
  const named = inputs.map((axes, i) => diagonal({ x: operands[i], axes }));
  const later = (i: number) => new Set([...output, ...named.slice(i + 1).flatMap(({ axes }) => axes)]);
  const result = named.reduce((left, right, i) => contract(left, right, later(i)));
  return permuted(summed(result, new Set(output)), output);
}

/** The letters of each operand and of the result. */
function parse(equation: string, operands: readonly Tensor[]): { inputs: string[][]; output: string[] } {
  if (typeof equation !== 'string') {
    throw new ValueError(`einsum: expected an equation such as 'ij,jk->ik', got ${describe(equation)}`);
  }
  const match = /^([A-Za-z,]*)(?:->([A-Za-z]*))?$/.exec(equation.replace(/\s/g, ''));
  if (!match) {
    throw new ValueError(
      `einsum: expected letters, commas and one ->, such as 'ij,jk->ik', got "${equation}"`,
    );
  }
  const inputs = match[1].split(',').map((letters) => [...letters]);
  for (const x of operands) requireTensor('einsum', x);
  if (inputs.length !== operands.length) {
    throw new ValueError(
      `einsum: expected ${inputs.length} tensors for "${equation}", got ${operands.length}`,
    );
  }
  const all = inputs.flat();
  const once = [...new Set(all)].filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter));
  const output = match[2] === undefined ? once.sort() : [...match[2]];
  for (const [i, letter] of output.entries()) {
    if (!all.includes(letter)) {
      throw new ValueError(`einsum: index ${letter} of the result is in no operand of "${equation}"`);
    }
    if (output.indexOf(letter) !== i) {
      throw new ValueError(`einsum: expected index ${letter} once in the result of "${equation}"`);
    }
  }
  return { inputs, output };
}

/** Throws unless each letter has one size. */
function checkSizes(inputs: readonly (readonly string[])[], operands: readonly Tensor[]): void {
  const sizes = new Map<string, number>();
  for (const [i, axes] of inputs.entries()) {
    const { shape } = operands[i];
    if (axes.length !== shape.length) {
      throw new ShapeError(
        `einsum: expected ${axes.length} axes for the indices "${axes.join('')}", got shape [${shape}]`,
      );
    }
    for (const [axis, letter] of axes.entries()) {
      const size = sizes.get(letter) ?? shape[axis];
      if (size !== shape[axis]) {
        throw new ShapeError(`einsum: expected index ${letter} of one size, got ${size} and ${shape[axis]}`);
      }
      sizes.set(letter, size);
    }
  }
}

/** Repeated letters of one operand become one axis: their diagonal. */
function diagonal({ x, axes }: Named): Named {
  const letter = axes.find((name, i) => axes.indexOf(name) !== i);
  if (letter === undefined) return { x, axes };
  const first = axes.indexOf(letter);
  const second = axes.indexOf(letter, first + 1);
  const others = [...axes.keys()].filter((axis) => axis !== first && axis !== second);
  const n = x.shape[first];
  const pairs = x.transpose(...others, first, second).flatten(others.length);
  const onDiagonal = Int32Array.from({ length: n }, (_, i) => i * (n + 1));
  const taken = pairs.indexSelect(others.length, onDiagonal);
  return diagonal({ x: taken, axes: [...others.map((axis) => axes[axis]), letter] });
}

/** Sums over the letters that are not `needed`. */
function summed({ x, axes }: Named, needed: ReadonlySet<string>): Named {
  const gone = [...axes.keys()].filter((axis) => !needed.has(axes[axis]));
  if (gone.length === 0) return { x, axes };
  return { x: x.sum(gone), axes: axes.filter((letter) => needed.has(letter)) };
}

/** The product of two operands, summed over the letters of both that are no longer `needed`. */
function contract(left: Named, right: Named, needed: ReadonlySet<string>): Named {
  const a = summed(left, new Set([...needed, ...right.axes]));
  const b = summed(right, new Set([...needed, ...left.axes]));
  const shared = a.axes.filter((letter) => b.axes.includes(letter));
  const batch = shared.filter((letter) => needed.has(letter));
  const inner = shared.filter((letter) => !needed.has(letter));
  const rows = a.axes.filter((letter) => !shared.includes(letter));
  const cols = b.axes.filter((letter) => !shared.includes(letter));
  const product = matrices(a, batch, rows, inner).matmul(matrices(b, batch, inner, cols));
  const sizes = [...batch, ...rows, ...cols].map((letter) => sizeOf(letter, a, b));
  return { x: product.reshape(sizes), axes: [...batch, ...rows, ...cols] };
}

/** An operand as matrices [...batch, rows, cols]. Rows and columns are groups of letters. */
function matrices(
  operand: Named,
  batch: readonly string[],
  rows: readonly string[],
  cols: readonly string[],
): Tensor {
  const product = (letters: readonly string[]) =>
    letters.reduce((n, letter) => n * sizeOf(letter, operand, operand), 1);
  const ordered = permuted(operand, [...batch, ...rows, ...cols]);
  return ordered.reshape([...ordered.shape.slice(0, batch.length), product(rows), product(cols)]);
}

function sizeOf(letter: string, a: Named, b: Named): number {
  const { x, axes } = a.axes.includes(letter) ? a : b;
  return x.shape[axes.indexOf(letter)];
}

/** The axes in the order of `letters`. */
function permuted({ x, axes }: Named, letters: readonly string[]): Tensor {
  const order = letters.map((letter) => axes.indexOf(letter));
  return order.every((axis, i) => axis === i) ? x : x.transpose(...order);
}
