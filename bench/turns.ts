/**
 * `--against` starts this process for each of the two checkouts. When its parent sends a request, it measures a slice of
 * a row. It uses only the interface `Bench` of a checkout, because the checkout may be older than this file.
 */

import { runsFor, timed } from '../src/models/benchmark/timing.ts';
import type { Setting } from './setting.ts';

/** The exports of a checkout's bench/: from subjects.ts, operands.ts and engine.ts. */
export interface Bench<Memory extends { release(): void }> {
  readonly SUBJECTS: readonly {
    readonly name: string;
    cases(setting: Setting): readonly ((memory: Memory) => Work)[];
  }[];
  readonly Operands: new () => Memory;
  /** Sets the engine. */
  apply(setting: Setting): void;
}

interface Work {
  readonly name: string;
  readonly shape: string;
  run(): void;
}

/** The requests of the parent: first `rows`, and then for each row `prepare` and several `time`. */
export interface Requests {
  /** Sets the engine, and returns the names of a subject's rows. They are empty for an unknown subject. */
  rows(subject: string, setting: Setting): RowName[];
  /** Makes a row's work, and runs it for `warmUp` ms. It also counts the runs in a turn of `slice` ms, at least one. */
  prepare(row: number, slice: number, warmUp: number): void;
  /**
   * Takes a turn, and returns the ms of one run. The first run does not count. It is slower, because the other process
   * has filled the caches with its own data.
   */
  time(): number;
}

export type RowName = Pick<Work, 'name' | 'shape'>;
export type Request = { [K in keyof Requests]: [K, ...Parameters<Requests[K]>] }[keyof Requests];
export type Answer = { readonly value: unknown } | { readonly error: string };

function requestsTo<Memory extends { release(): void }>(bench: Bench<Memory>): Requests {
  let makes: readonly ((memory: Memory) => Work)[] = [];
  let memory: Memory | undefined;
  let work: Work;
  let runs = 1;
  const make = (row: number): Work => {
    memory?.release();
    memory = new bench.Operands();
    return makes[row](memory);
  };
  return {
    rows(subject, setting) {
      bench.apply(setting);
      makes = bench.SUBJECTS.find(({ name }) => name === subject)?.cases(setting) ?? [];
      return [...makes.keys()].map((row) => {
        const { name, shape } = make(row);
        return { name, shape };
      });
    },
    prepare(row, slice, warmUp) {
      work = make(row);
      runs = runsFor(slice, work.run, warmUp);
    },
    time() {
      work.run();
      return timed(work.run, runs) / runs;
    },
  };
}

/** Answers the parent's requests until the parent ends. */
export function takeTurns<Memory extends { release(): void }>(bench: Bench<Memory>): void {
  const requests = requestsTo(bench);
  const answer = ([name, ...args]: Request): Answer => {
    try {
      return { value: (requests[name] as (...args: unknown[]) => unknown)(...args) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  };
  process.on('message', (request: Request) => process.send?.(answer(request)));
  process.on('disconnect', () => process.exit());
}
