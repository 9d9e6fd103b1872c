/**
 * `--against FOLDER`: compares the time of each row here with the time in another checkout.
 *
 * Each checkout runs in a separate process, and the processes take turns: here, there, there, here. One waits while the
 * other computes. So both turns of a pair have the same conditions on a shared machine. The result is the median over
 * all pairs of time here / time there, with its 95 % interval (median.ts). The time of a process also depends on its
 * start: on addresses in memory, and on the order of compilation. So the pairs come from several starts.
 *
 * Rows are the cases of the subjects. The parts of a case are not compared.
 */
import { Checkout, type Side } from './checkout.ts';
import { medianOf } from './median.ts';
import { type Options, UsageError } from './options.ts';
import { round } from './row.ts';
import type { Setting } from './setting.ts';
import { type Column, number, table } from './table.ts';
import type { RowName } from './turns.ts';

/** The number of starts, the pairs of turns in each, and the milliseconds of a turn (`slice`) and of the warm-up. */
const QUICK = { starts: 1, pairs: 6, slice: 2, warmUp: 5 };
const FULL = { starts: 3, pairs: 12, slice: 30, warmUp: 300 };
/** A row is a loss if time here / time there is above this. */
const LOSS = 1.03;

/** A line of `--json`. If a row exists on one side only, it has no times. */
export interface Comparison extends RowName, Omit<Setting, 'quick'> {
  readonly subject: string;
  /** The median time in milliseconds of one run, here and there. */
  readonly ms?: number;
  readonly msThere?: number;
  /** The median of time here / time there, and the ends of its 95 % interval. */
  readonly ratio?: number;
  readonly low?: number;
  readonly high?: number;
  readonly pairs?: number;
  /**
   * `loss`: the whole interval is above 1.03. `gain`: the whole interval is below 1/1.03. `unclear`: 1.03 is in the
   * interval.
   */
  readonly verdict: 'loss' | 'no loss' | 'gain' | 'unclear' | 'only here' | 'only there';
}

/** Milliseconds of one run on each side, measured one after the other. */
type Pair = readonly [here: number, there: number];

/** A row, and its places among the rows of both sides. A place is -1 if the row does not exist there. */
type Matched = RowName & { readonly places: readonly [here: number, there: number] };

/**
 * Compares the checkouts, and prints a table, or one JSON object per line. The last line has the number of losses.
 * @param folder the other checkout
 * @param root this checkout
 */
export async function against(
  folder: string,
  root: string,
  { subjects, json, browser }: Options,
  settings: readonly Setting[],
): Promise<void> {
  if (browser || subjects.includes('peers')) {
    throw new UsageError('bench: expected --against without --browser and without the subject peers');
  }
  const checkouts = [await Checkout.open(root, root), await Checkout.open(folder, root)] as const;
  const all: Comparison[] = [];
  for (const subject of subjects) {
    for (const setting of settings) {
      if (process.stderr.isTTY)
        process.stderr.write(`\r\x1b[K${subject}, threads ${setting.threads}, ${setting.numerics} ...`);
      const rows = await compare(checkouts, subject, setting);
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
      all.push(...rows);
      if (json) for (const row of rows) console.log(JSON.stringify(row));
    }
  }
  const losses = all.filter(({ verdict }) => verdict === 'loss').length;
  if (json) return console.log(JSON.stringify({ rows: all.length, losses }));
  console.log(table(all, COLUMNS));
  console.log(`\n${all.length} rows, losses of more than 3 %: ${losses}`);
}

/** All rows of a subject under one setting. */
async function compare(
  checkouts: readonly [here: Checkout, there: Checkout],
  subject: string,
  setting: Setting,
): Promise<Comparison[]> {
  const plan = setting.quick ? QUICK : FULL;
  const pairs: Pair[][] = [];
  let rows: Matched[] = [];
  for (let start = 0; start < plan.starts; start++) {
    const sides = checkouts.map((checkout) => checkout.start());
    try {
      const [here, there] = [
        await sides[0].ask('rows', subject, setting),
        await sides[1].ask('rows', subject, setting),
      ];
      rows = match(here, there);
      for (const [i, { places }] of rows.entries()) {
        pairs[i] ??= [];
        if (!places.includes(-1)) pairs[i].push(...(await takeTurns(sides, places, plan)));
      }
    } finally {
      for (const side of sides) await side.stop();
    }
  }
  const { threads, numerics } = setting;
  return rows.map(({ name, shape, places }, i) => {
    const row = { subject, name, shape, threads, numerics };
    if (places.includes(-1)) return { ...row, verdict: places[0] < 0 ? 'only there' : 'only here' };
    return { ...row, ...figures(pairs[i]) };
  });
}

/** The rows of `here` in their order, and then the rows that exist only there. */
function match(here: readonly RowName[], there: readonly RowName[]): Matched[] {
  const placeIn = (rows: readonly RowName[], { name, shape }: RowName) =>
    rows.findIndex((row) => row.name === name && row.shape === shape);
  return [
    ...here.map((row, i) => ({ ...row, places: [i, placeIn(there, row)] as const })),
    ...there
      .map((row, i) => ({ ...row, places: [placeIn(here, row), i] as const }))
      .filter(({ places }) => places[0] < 0),
  ];
}

/**
 * Measures one row in pairs of turns: here, there, there, here. So a machine that becomes slower affects both sides
 * equally.
 */
async function takeTurns(
  sides: readonly Side[],
  places: readonly number[],
  { pairs, slice, warmUp }: typeof FULL,
): Promise<Pair[]> {
  for (const [i, side] of sides.entries()) await side.ask('prepare', places[i], slice, warmUp);
  const taken: Pair[] = [];
  for (let i = 0; i < pairs; i++) {
    const ms: [number, number] = [0, 0];
    for (const turn of i % 2 === 0 ? [0, 1] : [1, 0]) ms[turn] = await sides[turn].ask('time');
    taken.push(ms);
  }
  return taken;
}

function figures(pairs: readonly Pair[]) {
  const { median, interval } = medianOf(pairs.map(([here, there]) => here / there));
  return {
    ms: round(medianOf(pairs.map(([here]) => here)).median),
    msThere: round(medianOf(pairs.map(([, there]) => there)).median),
    ratio: round(median),
    low: round(interval[0]),
    high: round(interval[1]),
    pairs: pairs.length,
    verdict: verdictOf(...interval),
  };
}

function verdictOf(low: number, high: number): Comparison['verdict'] {
  if (low > LOSS) return 'loss';
  if (high > LOSS) return 'unclear';
  return high < 1 / LOSS ? 'gain' : 'no loss';
}

const COLUMNS: readonly Column<Comparison>[] = [
  { head: 'subject', cell: (r) => r.subject, left: true },
  { head: 'name', cell: (r) => r.name, left: true },
  { head: 'shape', cell: (r) => r.shape, left: true },
  { head: 'threads', cell: (r) => String(r.threads) },
  { head: 'numerics', cell: (r) => r.numerics, left: true },
  { head: 'ms here', cell: (r) => number(r.ms) },
  { head: 'ms there', cell: (r) => number(r.msThere) },
  { head: 'here/there', cell: (r) => r.ratio?.toFixed(3) },
  {
    head: '95 % interval',
    cell: (r) => (r.ratio === undefined ? undefined : `${r.low?.toFixed(3)} to ${r.high?.toFixed(3)}`),
  },
  { head: 'verdict', cell: (r) => r.verdict, left: true },
];
