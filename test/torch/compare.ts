/** Computes the cases of rows in langevin and in PyTorch, and compares the results. */
import { scope } from '../../src/autograd/tape.ts';
import type { Shape } from '../../src/autograd/variable.ts';
import { backend } from '../../src/backend/backend.ts';
import { tensor } from '../../src/tensor/create.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { Draw, type Input } from './draw.ts';
import { type Answer, askTorch, type Expected, type Question } from './python.ts';
import type { Result, Row } from './row.ts';

/** On the reference backend everything is float64, and all bounds are this. */
const DOUBLE_BOUND = 1e-12;

/** The comparison of one row. */
export interface Report {
  readonly name: string;
  readonly cases: number;
  readonly bound: number;
  /** Largest relative errors. */
  readonly y: number;
  /** Null where no case has gradients. */
  readonly gradient: number | null;
  /** One line for each case that failed. */
  readonly failures: readonly string[];
}

/** The result of langevin for a case. */
interface Computed {
  readonly question: Question;
  readonly ys: readonly Values[];
  readonly gradients: readonly (Values | null)[];
}

/** A result of langevin. Indices do not have a shape. */
interface Values {
  readonly shape: Shape | null;
  readonly values: ArrayLike<number>;
}

/** The largest errors of a case up to its failure, and the reason of the failure. */
interface Outcome {
  readonly y?: number;
  readonly gradient?: number | null;
  readonly error?: string;
}

/** Compares `cases` random cases of each row. */
export function compare(python: string, rows: readonly Row[], cases: number): Report[] {
  const computed = rows.map((row) => Array.from({ length: cases }, (_, i) => attempt(row, i)));
  const questions = computed.flat().flatMap((result) => ('error' in result ? [] : [result.question]));
  const answers = askTorch(python, questions).values();
  return rows.map((row, i) => {
    const outcomes = computed[i].map(
      (result): Outcome =>
        'error' in result ? result : outcomeOf(row, result, answers.next().value as Answer),
    );
    return reportOf(row, outcomes);
  });
}

function attempt(row: Row, i: number): Computed | { readonly error: string } {
  const draw = new Draw(`${row.name} ${i}`);
  const { inputs, attributes } = row.draw(draw);
  try {
    return scope(() => compute(row, inputs, attributes, draw));
  } catch (error) {
    return { error: `${(error as Error).message}: ${textOf({ inputs, attributes })}` };
  }
}

function compute(
  row: Row,
  inputs: readonly Input[],
  attributes: Readonly<Record<string, unknown>>,
  draw: Draw,
) {
  const xs = inputs.map(({ shape, values, grad }) => tensor(values, shape, { requiresGrad: grad }));
  const ys = listOf(row.langevin(xs, attributes));
  const smooth = ys.filter((y): y is Tensor => !(y instanceof Int32Array) && y.requiresGrad);
  const dys = smooth.map((y) => draw.constant(y.shape));
  for (const [i, y] of smooth.entries()) {
    y.backward(tensor(dys[i].values, y.shape), { retainGraph: i < smooth.length - 1 });
  }
  return {
    question: { torch: row.torch, attributes, inputs, dys },
    ys: ys.map(valuesOf),
    gradients: xs.map((x) => (x.grad ? valuesOf(x.grad as Tensor) : null)),
  };
}

const listOf = (result: Result): readonly (Tensor | Int32Array)[] =>
  Array.isArray(result) ? result : [result as Tensor | Int32Array];

const valuesOf = (y: Tensor | Int32Array): Values =>
  y instanceof Int32Array ? { shape: null, values: y } : { shape: y.shape, values: y.toTypedArray() };

/** The reason why the two results of a case do not have the same form, or null. */
function mismatch({ question, ys, gradients }: Computed, answer: Exclude<Answer, { error: string }>) {
  const shapesOf = (list: readonly { shape: Shape | null }[]) =>
    JSON.stringify(list.map(({ shape }) => shape));
  const expected = answer.ys.map((y, i) => (ys[i]?.shape === null ? { shape: null } : y));
  if (shapesOf(ys) !== shapesOf(expected)) return `shapes ${shapesOf(ys)}, PyTorch ${shapesOf(expected)}`;
  const differentiable = answer.ys.filter((y) => y.differentiable).length;
  if (differentiable !== question.dys.length) {
    return `${question.dys.length} differentiable results, PyTorch ${differentiable}`;
  }
  const wrong = gradients.findIndex((dx, i) => (dx === null) !== (answer.gradients[i] === null));
  return wrong < 0
    ? null
    : `gradient ${wrong} is ${gradients[wrong] ? 'there, PyTorch none' : 'null, PyTorch has one'}`;
}

function outcomeOf(row: Row, computed: Computed, answer: Answer): Outcome {
  const { question, ys, gradients } = computed;
  const why = 'error' in answer ? `PyTorch: ${answer.error}` : mismatch(computed, answer);
  if (why !== null || 'error' in answer) return { error: `${why}: ${textOf(question)}` };
  const errors = (list: readonly (Values | null)[], expected: readonly (Expected | null)[]) =>
    list.flatMap((got, i) => (got ? [errorOf(got, expected[i] as Expected, row.floor ?? 0)] : []));
  const y = Math.max(0, ...errors(ys, answer.ys));
  const gradient = largest(errors(gradients, answer.gradients));
  if (y <= boundOf(row) && (gradient ?? 0) <= boundOf(row)) return { y, gradient };
  const [a, b] = [y, gradient ?? 0].map((error) => error.toExponential(1));
  return { y, gradient, error: `y ${a}, gradient ${b}: ${textOf(question)}` };
}

/** The largest, or null of none. */
const largest = (numbers: readonly number[]) => (numbers.length === 0 ? null : Math.max(...numbers));

/**
 * The norm of the difference divided by the norm. Indices must be equal. Infinities must be at the same places, and NaN
 * too: otherwise the error is infinite.
 */
export function errorOf({ shape, values }: Values, expected: Expected, floor: number): number {
  const wanted = expected.values;
  if (values.length !== wanted.length) return Infinity;
  // Numbers beyond float32 are infinite there.
  const single = values instanceof Float32Array;
  const range = (w: number) => (single && !Number.isFinite(Math.fround(w)) ? Math.fround(w) : w);
  let [difference, norm] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const w = range(wanted[i]);
    if (Object.is(values[i], w)) norm += Number.isFinite(w) ? w ** 2 : 0;
    else if (shape === null || !Number.isFinite(values[i]) || !Number.isFinite(w)) return Infinity;
    else {
      difference += (values[i] - w) ** 2;
      norm += w ** 2;
    }
  }
  return difference === 0 ? 0 : Math.sqrt(difference) / Math.max(Math.sqrt(norm), floor);
}

/** Shapes and attributes of a case, without long attributes such as a list of labels. */
function textOf({ inputs, attributes }: Pick<Question, 'inputs' | 'attributes'>): string {
  const text = JSON.stringify({ shapes: inputs.map(({ shape }) => shape), ...(attributes as object) });
  return text.length > 300 ? `${text.slice(0, 300)} ...` : text;
}

const boundOf = ({ bound }: Row): number => (backend().name === 'reference' ? DOUBLE_BOUND : bound);

function reportOf(row: Row, outcomes: readonly Outcome[]): Report {
  return {
    name: row.name,
    cases: outcomes.length,
    bound: boundOf(row),
    y: Math.max(0, ...outcomes.map(({ y = 0 }) => y)),
    gradient: largest(outcomes.flatMap(({ gradient }) => (gradient == null ? [] : [gradient]))),
    failures: outcomes.flatMap(({ error }, i) => (error === undefined ? [] : [`case ${i}: ${error}`])),
  };
}
