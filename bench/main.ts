/**
 * The command of the benchmark: it selects subjects and settings, and prints and saves the rows. bench/run.js bundles
 * and starts it.
 */
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LangevinError } from '../src/errors.ts';
import { against } from './against.ts';
import { apply, settingsFor } from './engine.ts';
import { type Options, parse, UsageError } from './options.ts';
import { PEERS_TITLE, peerRows } from './peers.ts';
import { describe, type Machine, machine, save } from './results.ts';
import type { Row } from './row.ts';
import type { Setting } from './setting.ts';
import { run } from './subject.ts';
import { SUBJECTS } from './subjects.ts';
import { COLUMNS, table } from './table.ts';

/** The folder of the project. The bundle is in build/bench-<pid>/. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The source of rows: this process, its peers, or a browser. */
interface Source {
  /** The engine's name and version. */
  readonly engine: string;
  rows(subject: string): AsyncIterable<Row>;
  close(): Promise<void>;
}

function inThisProcess(options: Options, settings: readonly Setting[]): Source {
  return {
    engine: `Node ${process.versions.node}`,
    rows(name) {
      if (name === 'peers') return peerRows(settings, join(ROOT, 'bench', 'peers'), options);
      return run(SUBJECTS.find((subject) => subject.name === name)!, settings, apply);
    },
    close: async () => {},
  };
}

async function main(): Promise<void> {
  const cores = availableParallelism();
  const options = parse(process.argv, [...SUBJECTS.map(({ name }) => name), 'peers'], cores);
  if (!options) return;
  if (options.against !== undefined)
    return against(options.against, ROOT, options, settingsFor(options, cores));
  const source = options.browser
    ? await (await import('./browser.ts')).inBrowser(options, options.subjects)
    : inThisProcess(options, settingsFor(options, cores));
  try {
    const on = machine(source.engine);
    if (!options.json) console.log(describe(on));
    for (const subject of options.subjects) await report(subject, source, on, options);
  } finally {
    await source.close();
  }
}

/** Prints a subject's rows one by one or as one table, and saves them. */
async function report(subject: string, source: Source, on: Machine, options: Options): Promise<void> {
  const progress = !options.json && process.stderr.isTTY;
  const rows: Row[] = [];
  for await (const row of source.rows(subject)) {
    rows.push(row);
    if (options.json) console.log(JSON.stringify(row));
    if (progress) process.stderr.write(`\r\x1b[K${subject}: ${row.name} ${row.shape}`);
  }
  if (progress) process.stderr.write('\r\x1b[K');
  if (!options.json) {
    const title = SUBJECTS.find(({ name }) => name === subject)?.title ?? PEERS_TITLE;
    console.log(`\n${subject}. ${title}\n\n${table(rows, COLUMNS)}`);
  }
  if (!options.quick) {
    const path = save(ROOT, subject, on, rows);
    if (!options.json) console.log(`\nwrote ${relative(process.cwd(), path)}`);
  }
}

try {
  await main();
} catch (error) {
  // An error that the user can fix is one line. A defect of the benchmark is printed with its stack.
  console.error(error instanceof LangevinError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
