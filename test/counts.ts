/**
 * `npm run test:counts`: counts what the tests are made of, for test/TESTED.md. That page states no such number, because
 * a number in a text is soon wrong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ABI } from '../src/backend/abi.ts';
import { BINARY_FORMULAS, UNARY_FORMULAS } from '../src/backend/formulas.ts';
import { ALL_OPS } from '../src/ops/table.ts';
import { SEEDS, SUBJECTS } from './bits/fingerprint.ts';
import { savedCases } from './fuzz/cases.ts';
import { TARGET_NAMES } from './fuzz/targets.ts';
import { mutantsOf } from './mutants/draw.ts';
import { EQUIVALENT } from './mutants/equivalent.ts';
import { ROWS } from './torch/table.ts';

/** The TypeScript and JavaScript files below a folder. */
const programs = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[])
    .map((file) => join(folder, file))
    .filter((file) => /\.[tj]s$/.test(file) && !/\.d\.ts$|node_modules/.test(file));

/** Lines that are not blank. */
const linesOf = (files: readonly string[]): number =>
  files.reduce((sum, file) => sum + (readFileSync(file, 'utf8').match(/\S.*$/gm) ?? []).length, 0);

const [assembly, src, test] = ['assembly', 'src', 'test'].map(programs);
const mutable = [...assembly, ...src].filter((file) => file.endsWith('.ts'));
let mutants = 0;
for (const file of mutable) mutants += (await mutantsOf(file)).length;

const versions = readdirSync('test/files').filter((name) => /^v\d/.test(name));
const suites = test.filter((file) => file.endsWith('.test.ts'));
const [code, tested] = [linesOf([...assembly, ...src]), linesOf(test)];
const COUNTS: Readonly<Record<string, number | string>> = {
  'lines of the project, assembly/ and src/': code,
  'lines of tests': tested,
  'lines of tests for each line of the project': (tested / code).toFixed(2),
  suites: suites.length,
  'sentences in them, apart from those in loops': suites.reduce(
    (sum, file) => sum + (readFileSync(file, 'utf8').match(/\btest(\.when)?\(/g) ?? []).length,
    0,
  ),
  'kernels in the table of the ABI': Object.keys(ABI).length,
  'formulas that are checked by differences': Object.keys({ ...UNARY_FORMULAS, ...BINARY_FORMULAS }).length,
  'ops that are checked by differences': ALL_OPS.length,
  'rows that are compared with PyTorch': ROWS.length,
  'subjects that have fingerprints': SUBJECTS.length,
  'fingerprints, one for each subject and seed': SUBJECTS.length * SEEDS.length,
  'formats of the fuzzer': TARGET_NAMES.length,
  'inputs that were findings of the fuzzer': savedCases().length,
  'versions whose files are kept': versions.join(', '),
  'mutants that can be planted': mutants,
  'mutants that are known to be equivalent': EQUIVALENT.length,
};
for (const [what, count] of Object.entries(COUNTS)) {
  console.log(`${count.toLocaleString('en').padStart(9)}  ${what}`);
}
