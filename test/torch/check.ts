/**
 * `npm run check:torch -- [name ...] [--cases 200] [--backend reference]`: compares rows of the table with PyTorch.
 * With names, it takes the rows whose names begin with one of them. It prints the largest relative errors, and ends
 * with status 1 if a case failed.
 */
import { parseArgs } from 'node:util';
import { setBackend } from '../../src/backend/backend.ts';
import { didYouMean, LangevinError, ValueError } from '../../src/errors.ts';
import { oneOf } from '../../src/options.ts';
import { compare, type Report } from './compare.ts';
import { findPython } from './python.ts';
import type { Row } from './row.ts';
import { ROWS } from './table.ts';

/** The most failed cases of a row that are printed. */
const SHOWN = 3;

const { values, positionals } = parseArgs({
  options: {
    cases: { type: 'string', default: '200' },
    backend: { type: 'string', default: 'wasm' },
  },
  allowPositionals: true,
});

function main(): boolean {
  const python = findPython();
  if (python === null) {
    const where = process.env.LANGEVIN_PYTHON ? `at LANGEVIN_PYTHON=${process.env.LANGEVIN_PYTHON} ` : '';
    throw new ValueError(
      `check:torch: expected a Python with torch ${where}(Debian's package python3-torch), got none`,
    );
  }
  setBackend(oneOf('--backend', ['wasm', 'reference'], values.backend as 'wasm'));
  const reports = compare(python, chosen(), wholeNumber(values.cases));
  print(reports);
  return reports.every(({ failures }) => failures.length === 0);
}

/** The rows whose names begin with one of the arguments; all rows without arguments. */
function chosen(): Row[] {
  const names = ROWS.map(({ name }) => name);
  const unknown = positionals.find((given) => !names.some((name) => name.startsWith(given)));
  if (unknown !== undefined) {
    throw new ValueError(`check:torch: no row's name begins with "${unknown}".${didYouMean(unknown, names)}`);
  }
  return ROWS.filter(
    ({ name }) => !positionals.length || positionals.some((given) => name.startsWith(given)),
  );
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new ValueError(`--cases: expected a whole number >= 1, got "${text}"`);
}

function print(reports: readonly Report[]): void {
  const width = Math.max(0, ...reports.map(({ name }) => name.length));
  console.log(`${'row'.padEnd(width)}  cases         y  gradients     bound`);
  for (const { name, cases, y, gradient, bound, failures } of reports) {
    const [a, b, c] = [y, gradient, bound].map((x) => (x === null ? '-' : x.toExponential(1)).padStart(9));
    const verdict = failures.length === 0 ? 'passed' : `${failures.length} FAILED`;
    console.log(`${name.padEnd(width)}  ${String(cases).padStart(5)} ${a}  ${b} ${c}  ${verdict}`);
    for (const failure of failures.slice(0, SHOWN)) console.log(`  ${failure}`);
  }
  const failed = reports.filter(({ failures }) => failures.length > 0).length;
  console.log(`\n${reports.length - failed} rows passed, ${failed} failed`);
}

try {
  process.exitCode = main() ? 0 : 1;
} catch (error) {
  console.error(error instanceof LangevinError ? error.message : error);
  process.exitCode = 1;
}
