/** Converts between nested arrays and flat ones, and prints tensors for people. */
import type { Shape } from '../autograd/variable.ts';
import { ShapeError, ValueError } from '../errors.ts';

/** Numbers, or arrays of arrays of numbers. */
export type Nested = number | Nested[];

/** A flat row-major array as nested arrays. */
export function nest(values: ArrayLike<number>, shape: Shape): Nested {
  const build = (axis: number, at: number): Nested => {
    if (axis === shape.length) return values[at];
    const step = shape.slice(axis + 1).reduce((n, m) => n * m, 1);
    return Array.from({ length: shape[axis] }, (_, i) => build(axis + 1, at + i * step));
  };
  return build(0, 0);
}

/**
 * Shape and elements of nested arrays.
 * @throws ShapeError for rows of different lengths, ValueError for values that are not numbers
 */
export function flatten(value: Nested): { shape: number[]; values: number[] } {
  const shape: number[] = [];
  for (let inner: Nested = value; Array.isArray(inner); inner = inner[0]) {
    shape.push(inner.length);
    if (inner.length === 0) break;
  }
  const values: number[] = [];
  const visit = (item: Nested, axis: number) => {
    if (Array.isArray(item)) {
      if (axis >= shape.length || item.length !== shape[axis]) {
        throw new ShapeError(
          `tensor: expected rows of equal length as in [${shape}], got one of ${item.length}`,
        );
      }
      for (const part of item) visit(part, axis + 1);
    } else {
      if (typeof item !== 'number')
        throw new ValueError(`tensor: expected numbers, got ${item === null ? 'null' : typeof item}`);
      if (axis !== shape.length)
        throw new ShapeError(`tensor: expected rows of equal depth as in [${shape}], got ${item}`);
      values.push(item);
    }
  };
  visit(value, 0);
  return { shape, values };
}

/**
 * The number of elements that are shown at each end of a long axis. An axis is long if it has more than twice as many.
 */
const EDGE = 3;

/** `tensor [2,3]` and the elements, aligned, to four significant digits. */
export function format(values: ArrayLike<number>, shape: Shape): string {
  const show = (x: number) => (Number.isInteger(x) && Math.abs(x) < 1e6 ? String(x) : x.toPrecision(4));
  const shown = (n: number): number[] =>
    n <= 2 * EDGE
      ? [...Array(n).keys()]
      : [...Array(EDGE).keys(), -1, ...[...Array(EDGE).keys()].map((i) => n - EDGE + i)];
  const strings: string[] = [];
  const render = (axis: number, at: number, emit: (text: string) => string): string => {
    if (axis === shape.length) return emit(show(values[at]));
    const step = shape.slice(axis + 1).reduce((n, m) => n * m, 1);
    const parts = shown(shape[axis]).map((i) => (i < 0 ? '…' : render(axis + 1, at + i * step, emit)));
    const innermost = axis === shape.length - 1;
    return `[${parts.join(innermost ? ', ' : `,\n${' '.repeat(axis + 1)}`)}]`;
  };
  render(0, 0, (text) => {
    strings.push(text);
    return text;
  });
  const width = Math.max(0, ...strings.map((text) => text.length));
  const body = render(0, 0, (text) => (shape.length === 0 ? text : text.padStart(width)));
  return `tensor [${shape.join(',')}] ${shape.length > 1 ? '\n' : ''}${body}`;
}
