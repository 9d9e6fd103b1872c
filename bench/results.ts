/**
 * A results file: the machine, the engine, the SHA-256 of the kernels, and the rows, as
 * `bench/results/<subject>-<engine>.json`. A quick run is not saved.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { host } from '#host';
import { kernelBytes } from '../src/backend/instance.ts';
import type { Row } from './row.ts';
import type { Numerics } from './setting.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** `Node 20.20.2`, or a browser and its version. */
  readonly engine: string;
  /** SHA-256 of each build's kernels. */
  readonly kernels: Readonly<Record<Numerics, string>>;
}

/** Describes this machine. @param engine the engine that runs the kernels */
export function machine(engine: string): Machine {
  const hash = (numerics: Numerics) => createHash('sha256').update(kernelBytes(numerics)).digest('hex');
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    engine,
    kernels: { strict: hash('strict'), relaxed: hash('relaxed') },
  };
}

/** The first lines of a report. */
export function describe({ cpu, cores, engine, kernels }: Machine): string {
  const hashes = Object.entries(kernels).map(([numerics, hash]) => `${numerics} ${hash.slice(0, 12)}`);
  return `${cpu}, ${cores} cores; ${engine}; kernels ${hashes.join(', ')}`;
}

/** Writes a subject's rows to one file, atomically. Returns the path. */
export function save(root: string, subject: string, on: Machine, rows: readonly Row[]): string {
  const folder = join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  // "Node 20.20.2" becomes node20.
  const [, name, version] = /^(\w+) (\d+)/.exec(on.engine)!;
  const path = join(folder, `${subject}-${name!.toLowerCase()}${version}.json`);
  const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  const head = JSON.stringify({ subject, ...on }, null, 2).replace(/\n}$/, '');
  host.writeFileAtomicSync(path, `${head},\n  "rows": [\n${lines}\n  ]\n}\n`);
  return path;
}
