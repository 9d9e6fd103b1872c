/**
 * The process that `--against` starts for each of two checkouts: it times slices of a row whenever its parent asks.
 * `Bench` is all that it needs of a checkout, which may be older than this file.
 */
import type { Setting } from './setting.ts';
import { runsFor, timed } from './timing.ts';

/** What a checkout's bench/ exports: from subjects.ts, operands.ts and engine.ts. */
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

/** What the parent asks, in this order: the rows; then for one row after the other `prepare`, and times. */
export interface Requests {
  /** Sets the engine, and names a subject's rows in their order: none where the checkout lacks the subject. */
  rows(subject: string, setting: Setting): RowName[];
  /** Makes a row's work, and runs it for `warmUp` ms. A turn will be as many runs as take `slice` ms, at least one. */
  prepare(row: number, slice: number, warmUp: number): void;
  /** Takes a turn, after one run that does not count: the other process has used the caches. In ms of one run. */
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

/** Answers the parent's requests until it is gone. */
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
