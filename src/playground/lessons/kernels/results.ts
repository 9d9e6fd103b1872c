/** The results of the kernels' lesson: what is measured, and the file in which a person keeps it. */
import { ValueError } from '../../../errors.ts';
import type { Rounds, Spread } from '../../../models/benchmark/rounds.ts';

export type Build = 'strict' | 'relaxed';

/** One work under one setting. */
export interface KernelRow extends Rounds {
  readonly name: string;
  readonly shape: string;
  readonly threads: number;
  readonly numerics: Build;
  /** Whether the roof counts flop or bytes. */
  readonly unit: 'flop' | 'byte';
  /** Flop and bytes of one run. Work whose flop are not defined has null. */
  readonly flop: number | null;
  readonly bytes: number;
  /** Random numbers or elements of one run; null for products and convolutions. */
  readonly numbers: number | null;
}

/** Where something was measured. */
export interface Environment {
  readonly engine: string;
  readonly processors: number;
  /** Whether memory can be shared between threads. */
  readonly isolated: boolean;
  /** The date and time in UTC. */
  readonly date: string;
}

export interface Results {
  readonly environment: Environment;
  readonly rounds: number;
  readonly rows: readonly KernelRow[];
}

const KIND = 'langevin kernels';
/** The most bytes of a file, and the most characters of a name in it. A page writes some 10 KB. */
const [MOST_BYTES, MOST_NAME] = [1_000_000, 200];

/** The text of a file with results. */
export const resultsText = ({ environment, rounds, rows }: Results): string =>
  `${JSON.stringify({ kind: KIND, environment, rounds, rows }, null, 1)}\n`;

const isName = (value: unknown): value is string => typeof value === 'string' && value.length <= MOST_NAME;
const isPositive = (value: unknown): value is number => Number.isFinite(value) && (value as number) > 0;

const isSpread = (value: unknown): value is Spread => {
  const { low, median, high } = (value ?? {}) as Spread;
  return [low, median, high].every(isPositive) && low <= median && median <= high;
};

const isRow = (value: unknown): value is KernelRow => {
  const row = (value ?? {}) as KernelRow;
  return (
    [row.name, row.shape].every(isName) &&
    Number.isInteger(row.threads) &&
    isPositive(row.threads) &&
    ['strict', 'relaxed'].includes(row.numerics) &&
    ['flop', 'byte'].includes(row.unit) &&
    isPositive(row.bytes) &&
    [row.flop, row.numbers].every((amount) => amount === null || isPositive(amount)) &&
    (row.unit === 'byte' || row.flop !== null) &&
    [row.ms, row.ofRoof, row.roof].every(isSpread)
  );
};

/** The results in a file. @throws ValueError for a file that is too large or something else */
export async function readResultsFile(file: File): Promise<Results> {
  if (file.size <= MOST_BYTES) return readResults(await file.text(), file.name);
  throw new ValueError(`${file.name}: expected at most ${MOST_BYTES} bytes, got ${file.size}`);
}

/** The results in a file's text. @throws ValueError in one line for what is no such file */
export function readResults(text: string, file: string): Results {
  const expected = `${file}: expected a JSON file that this page has saved`;
  let found: Partial<Results> & { kind?: unknown };
  try {
    found = JSON.parse(text) ?? {};
  } catch {
    throw new ValueError(`${expected}, got a file that is no JSON`);
  }
  if (found.kind !== KIND)
    throw new ValueError(
      `${expected}, with "kind": "${KIND}", got ${JSON.stringify(found.kind)?.slice(0, 40) ?? 'none'}`,
    );
  const { environment, rows } = found;
  if (!isName(environment?.engine) || !isPositive(environment.processors) || !isName(environment.date))
    throw new ValueError(`${expected}, got one without its environment`);
  if (!Array.isArray(rows) || rows.length === 0) throw new ValueError(`${expected}, got one without rows`);
  const wrong = rows.findIndex((row) => !isRow(row));
  if (wrong >= 0) throw new ValueError(`${expected}, got one whose row ${wrong + 1} is not a measurement`);
  return found as Results;
}
