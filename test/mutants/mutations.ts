/**
 * The mutations of a source file: small faults that a test should notice. A table has the operators and the functions that
 * are exchanged. The syntax tree comes from the parser that Prettier uses. It reads TypeScript, and AssemblyScript without
 * its decorators.
 *
 *     sign        a - b for a + b, x for -x, true for false
 *     bound       < for <=, and the opposite; n + 1 for a number n
 *     condition   the opposite of a condition, && for ||, the branches of ?: exchanged
 *     dropped     = for +=; a call whose result is not used is removed
 *     operands    b - a for a - b, also for f32x4.sub(a, b)
 *     function    max for min, sub for add, or for and
 *
 * Left out on purpose: types, imports, error messages, names, and the samples of an op, which are inputs of tests.
 */
import { parsers } from 'prettier/plugins/babel';

/** A fault: the characters [start, end) of the source are replaced by `text`. */
export interface Mutation {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const opposite = (pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    pairs.flatMap(([a, b]) => [
      [a, b],
      [b, a],
    ]),
  );

const BINARY: Readonly<Record<string, string>> = {
  ...opposite([
    ['+', '-'],
    ['*', '/'],
    ['<', '<='],
    ['>', '>='],
    ['===', '!=='],
    ['==', '!='],
  ]),
  ...opposite([
    ['<<', '>>'],
    ['&', '|'],
    ['&&', '||'],
  ]),
  ...{ '%': '*', '>>>': '<<', '**': '*', '^': '&', '??': '&&' },
};
const ASSIGNMENT: Readonly<Record<string, string>> = {
  ...{ '+=': '=', '-=': '+=', '*=': '=', '/=': '*=', '|=': '=', '&=': '=', '^=': '=' },
};
const FUNCTIONS = opposite([
  ...([
    ['min', 'max'],
    ['add', 'sub'],
    ['pmin', 'pmax'],
    ['and', 'or'],
    ['lt', 'le'],
    ['gt', 'ge'],
  ] as const),
  ...([
    ['eq', 'ne'],
    ['floor', 'ceil'],
    ['some', 'every'],
  ] as const),
]);
/** Operators and functions whose operands are not interchangeable. */
const ORDERED = ['-', '/', '%', '<<', '>>', '>>>', '**', 'sub', 'div'];

/** Parts of the tree without faults of their own. */
const SKIPPED = ['ImportDeclaration', 'ThrowStatement', 'Decorator', 'ExportAllDeclaration'];
/** Types of TypeScript that contain expressions. */
const WITH_EXPRESSION = ['TSAsExpression', 'TSNonNullExpression', 'TSTypeAssertion', 'TSSatisfiesExpression'];

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** The nodes directly below. */
const children = (node: Node): Node[] =>
  Object.entries(node)
    .filter(([field]) => field !== 'typeAnnotation' && !(field === 'key' && !node.computed))
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter(isNode);

function isSkipped(node: Node): boolean {
  if (SKIPPED.includes(node.type)) return true;
  if (node.type === 'NewExpression') return /Error$/.test(String((node.callee as Node).name));
  if (node.type === 'ObjectProperty' && (node.key as Node).name === 'samples') return true;
  return (
    node.type.startsWith('TS') && !WITH_EXPRESSION.includes(node.type) && node.type !== 'TSParameterProperty'
  );
}

/** The mutations of one node, without those of the nodes below it. */
function mutationsOf(node: Node, source: string): Mutation[] {
  const textOf = ({ start, end }: Node) => source.slice(start, end);
  const whole = (text: string): Mutation => ({ start: node.start, end: node.end, text });
  /** Replaces an operator that stands between two nodes. */
  const between = (left: Node, right: Node, from: string, to: string): Mutation[] => {
    const at = source.indexOf(from, left.end);
    return at >= 0 && at < right.start ? [{ start: at, end: at + from.length, text: to }] : [];
  };
  const operator = String(node.operator);
  switch (node.type) {
    case 'BinaryExpression':
    case 'LogicalExpression': {
      const [left, right] = [node.left as Node, node.right as Node];
      const swapped = whole(`((${textOf(right)}) ${operator} (${textOf(left)}))`);
      const other = Object.hasOwn(BINARY, operator) ? between(left, right, operator, BINARY[operator]) : [];
      return ORDERED.includes(operator) ? [...other, swapped] : other;
    }
    case 'AssignmentExpression':
      return Object.hasOwn(ASSIGNMENT, operator)
        ? between(node.left as Node, node.right as Node, operator, ASSIGNMENT[operator])
        : [];
    case 'UnaryExpression':
      return operator === '-' || operator === '!' ? [whole(`(${textOf(node.argument as Node)})`)] : [];
    case 'NumericLiteral':
      return [whole(`(${textOf(node)} + 1)`)];
    case 'BooleanLiteral':
      return [whole(String(!node.value))];
    case 'ConditionalExpression': {
      const [test, yes, no] = [node.test, node.consequent, node.alternate].map((part) =>
        textOf(part as Node),
      );
      return [whole(`((${test}) ? (${no}) : (${yes}))`)];
    }
    case 'IfStatement': {
      const test = node.test as Node;
      return [{ start: test.start, end: test.end, text: `!(${textOf(test)})` }];
    }
    case 'ExpressionStatement': {
      const call = node.expression as Node;
      const isCall = call.type === 'CallExpression' && (call.callee as Node).type !== 'Super';
      return isCall ? [whole(';')] : [];
    }
    case 'CallExpression':
      return callMutations(node, textOf);
    default:
      return [];
  }
}

function callMutations(node: Node, textOf: (node: Node) => string): Mutation[] {
  const callee = node.callee as Node;
  const named = callee.type === 'MemberExpression' ? (callee.property as Node) : callee;
  const name = String(named.name);
  const other = Object.hasOwn(FUNCTIONS, name)
    ? [{ start: named.start, end: named.end, text: FUNCTIONS[name] }]
    : [];
  const given = node.arguments as Node[];
  if (!ORDERED.includes(name) || given.length !== 2) return other;
  const [a, b] = given;
  return [...other, { start: a.start, end: b.end, text: `${textOf(b)}, ${textOf(a)}` }];
}

/** The source with AssemblyScript's decorators replaced by spaces: they stand before functions, where none may. */
const withoutDecorators = (source: string): string =>
  source.replace(/^[ \t]*@(inline|unmanaged|external|lazy)\b.*$/gm, (line) => ' '.repeat(line.length));

/** All mutations of a source, in the order of the tree. @throws SyntaxError for a source that does not parse */
export async function mutations(source: string): Promise<Mutation[]> {
  const text = withoutDecorators(source);
  const parse = parsers['babel-ts'].parse as (text: string, options: object) => Node | Promise<Node>;
  const found: Mutation[] = [];
  const visit = (node: Node): void => {
    if (isSkipped(node)) return;
    found.push(...mutationsOf(node, text));
    for (const child of children(node)) visit(child);
  };
  visit(((await parse(text, {})) as unknown as { program: Node }).program);
  return found;
}

/** The source with the mutation. */
export const mutated = (source: string, { start, end, text }: Mutation): string =>
  source.slice(0, start) + text + source.slice(end);

/** The line of a mutation, from 1. */
export const lineOf = (source: string, { start }: Mutation): number =>
  source.slice(0, start).split('\n').length;
