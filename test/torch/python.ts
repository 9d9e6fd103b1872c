/** Finds a Python that has PyTorch, and runs expressions.py in it, once for all cases. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Shape } from '../../src/autograd/variable.ts';
import { sizeOf } from '../../src/autograd/variable.ts';
import type { Input } from './draw.ts';

/** The data of a case for PyTorch. dL/dy has one array for each differentiable result, in order. */
export interface Question {
  readonly torch: string;
  readonly attributes: unknown;
  readonly inputs: readonly Input[];
  readonly dys: readonly Input[];
}

/** A result in float64. */
export interface Expected {
  readonly shape: Shape;
  readonly values: Float64Array;
}

export type Answer =
  | { readonly error: string }
  | {
      readonly ys: readonly (Expected & { readonly differentiable: boolean })[];
      /** One gradient per input; null if it was not requested, or if y does not depend on the input. */
      readonly gradients: readonly (Expected | null)[];
    };

/** A line of results.jsonl. */
type Line =
  | { readonly error: string }
  | {
      readonly ys: readonly { readonly shape: Shape; readonly differentiable: boolean }[];
      readonly gradients: readonly boolean[];
    };

/**
 * The first Python that imports a package: `LANGEVIN_PYTHON` if it is set, else Debian's, else the one on the path. Null if
 * there is none.
 */
export function findPython(name = 'torch'): string | null {
  const named = process.env.LANGEVIN_PYTHON;
  const candidates = named ? [named] : ['/usr/bin/python3', 'python3'];
  return candidates.find((python) => spawnSync(python, ['-c', `import ${name}`]).status === 0) ?? null;
}

/** PyTorch's results for the cases, in their order. */
export function askTorch(python: string, questions: readonly Question[]): Answer[] {
  if (questions.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), 'langevin-torch-'));
  try {
    writeQuestions(folder, questions);
    // Tests and scripts run in the root of the project.
    const { status, stderr } = spawnSync(python, [resolve('test/torch/expressions.py'), folder], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${python} ended with status ${status}: ${stderr}`);
    return readAnswers(folder, questions);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeQuestions(folder: string, questions: readonly Question[]): void {
  const lines = questions.map(({ torch, attributes, inputs, dys }) =>
    JSON.stringify({
      torch,
      attributes,
      inputs: inputs.map(({ shape, grad }) => ({ shape, grad })),
      dys: dys.map(({ shape }) => shape),
    }),
  );
  writeFileSync(join(folder, 'cases.jsonl'), lines.join('\n'));
  const arrays = questions.flatMap(({ inputs, dys }) => [...inputs, ...dys].map(({ values }) => values));
  writeFileSync(
    join(folder, 'inputs.f32'),
    Buffer.concat(
      arrays.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
    ),
  );
}

function readAnswers(folder: string, questions: readonly Question[]): Answer[] {
  const text = readFileSync(join(folder, 'results.jsonl'), 'utf8').trimEnd();
  const numbers = new Float64Array(new Uint8Array(readFileSync(join(folder, 'results.f64'))).buffer);
  let at = 0;
  const take = (shape: Shape): Expected => {
    const begin = at;
    at += sizeOf(shape);
    return { shape, values: numbers.subarray(begin, at) };
  };
  return text.split('\n').map((json, i): Answer => {
    const line = JSON.parse(json) as Line;
    if ('error' in line) return line;
    const ys = line.ys.map(({ shape, differentiable }) => ({ ...take(shape), differentiable }));
    const { inputs } = questions[i];
    return { ys, gradients: line.gradients.map((has, j) => (has ? take(inputs[j].shape) : null)) };
  });
}
