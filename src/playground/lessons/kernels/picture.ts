/**
 * The picture of the kernels' lesson for one setting: each work's share of its roof as a bar with its quartiles, and a
 * roofline plot. A loaded file adds a second bar and its own dots.
 */
import { axes, niceDomain, placeOn } from '../../draw/axes.ts';
import { curve, key, path, picture, px, text } from '../../draw/svg.ts';
import type { KernelRow, Results } from './results.ts';

/** A work's rows and its bars take so many pixels, and the space between two works. */
const [LABEL, BAR, SPACE] = [20, 10, 10];
const PLOT = 232;
/** The wide picture has the names beside the bars. */
const NARROW = 520;

/** Which setting a row has. */
export const settingOf = ({ numerics, threads }: KernelRow): string =>
  `${numerics}, ${threads === 1 ? 'one thread' : `${threads} threads`}`;

const rateOf = ({ flop, bytes, unit, ms }: KernelRow) => (unit === 'flop' ? flop! : bytes) / ms.median / 1e6;
/** A rate with its unit: `41 Gflop/s`. */
export const rateText = (row: KernelRow): string =>
  `${rateOf(row).toPrecision(3)} ${row.unit === 'flop' ? 'Gflop/s' : 'GB/s'}`;
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

const same = (a: KernelRow) => (b: KernelRow) =>
  a.name === b.name && a.shape === b.shape && settingOf(a) === settingOf(b);

interface Bars {
  readonly left: number;
  readonly right: number;
  readonly most: number;
}

function bar(row: KernelRow, top: number, look: string, { left, right, most }: Bars): string {
  const X = placeOn({ label: '', domain: [0, most] }, left, right);
  const { low, median, high } = row.ofRoof;
  const middle = px(top + BAR / 2);
  const at = (share: number) => px(X(Math.min(most, share)));
  return (
    path(`kernel-bar ${look}`, `M${left} ${middle}H${at(median)}`) +
    path(
      'whisker',
      `M${at(low)} ${middle}H${at(high)}M${at(low)} ${px(top + 1)}v8M${at(high)} ${px(top + 1)}v8`,
    )
  );
}

function bars(
  rows: readonly KernelRow[],
  other: Results | null,
  top: number,
  width: number,
): { svg: string; height: number } {
  const narrow = width < NARROW;
  const left = narrow ? 0 : 248;
  const right = width - 8;
  // A quartile may be far away on a busy machine: its mark then ends at the end of the axis.
  const shares = rows.map(({ ofRoof }) => 1.15 * ofRoof.median);
  const [, most] = niceDomain(0, Math.max(1.05, ...shares));
  const roof = placeOn({ label: '', domain: [0, most] }, left, right)(1);
  const box = { left, right, most };
  let [y, svg] = [top, ''];
  for (const row of rows) {
    const found = other?.rows.find(same(row));
    const said = `${percent(row.ofRoof.median)} of the ${row.unit === 'flop' ? 'peak' : 'copy'}, ${rateText(row)}`;
    svg += text('label strong', 0, y + 14, row.name);
    if (narrow) {
      svg += text('label', 0, y + 32, `${row.shape}: ${said}`);
      y += LABEL + 20;
    } else {
      svg += text('label', 0, y + 32, row.shape) + text('label', left, y + 14, said);
      y += LABEL;
    }
    svg += path('now', `M${px(roof)} ${px(y - 2)}v${BAR + 4}`) + bar(row, y, 's0', box);
    if (found) svg += bar(found, y + BAR + 2, 's1', box);
    y += (narrow && !found ? BAR : 2 * BAR + 2) + SPACE;
  }
  svg += text('label', roof, y + 14, 'roof: 100 %', roof - left < 64 ? 'start' : 'middle');
  return { svg, height: y + 24 - top };
}

/** Rates over flop per byte. A rate is below both roofs: the peak, and the copy's bytes times flop per byte. */
function roofline(rows: readonly KernelRow[], other: Results | null, top: number, width: number): string {
  const dots = (all: readonly KernelRow[]) => all.filter(({ flop }) => flop !== null);
  const theirs = other ? other.rows.filter((row) => rows.some(same(row))) : [];
  const roofsOf = (all: readonly KernelRow[]) =>
    (['flop', 'byte'] as const).map((unit) => {
      const found = all.filter((row) => row.unit === unit).map(({ roof }) => roof.median);
      return found.length > 0 ? Math.max(...found) : null;
    });
  const [peak, copy] = roofsOf(rows);
  if (peak === null || copy === null) return '';
  const box = { left: 56, top: top + 40, right: width - 8, bottom: top + 40 + PLOT };
  const [least, most] = [0.05, 500];
  const rates = [...dots(rows), ...dots(theirs)].map(({ flop, ms }) => flop! / ms.median / 1e6);
  const { X, Y, svg } = axes(
    box,
    { label: 'flop per byte', domain: [least, most], log: true },
    {
      label: 'Gflop/s',
      domain: [0.5 * Math.min(copy * least, ...rates), 2 * Math.max(peak, ...rates)],
      log: true,
    },
  );
  const roofCurve = (kind: string, flop: number, byte: number) => {
    const xs = [least, flop / byte, most];
    return curve(
      kind,
      xs,
      xs.map((x) => Math.min(flop, byte * x)),
      [X, Y],
    );
  };
  const dot =
    (look: string) =>
    ({ flop, bytes, ms }: KernelRow) => {
      const [x, y] = [X(flop! / bytes), Y(flop! / ms.median / 1e6)];
      return `<circle class="dot ${look}" cx="${px(x)}" cy="${px(y)}" r="4.5"/>`;
    };
  const [theirPeak, theirCopy] = roofsOf(theirs);
  return [
    text('label strong', 0, top + 12, 'Roofline'),
    svg,
    roofCurve('line exact solid', peak, copy),
    theirPeak && theirCopy ? roofCurve('line s1 dashed', theirPeak, theirCopy) : '',
    ...dots(theirs).map(dot('s1')),
    ...dots(rows).map(dot('s0')),
  ].join('');
}

const machine = ({ environment: { engine, processors, date } }: Results) => {
  const name =
    /Chrome\/[\d.]+|Firefox\/[\d.]+|Version\/[\d.]+ Safari/.exec(engine)?.[0].replace('/', ' ') ?? engine;
  return `${name}, ${processors} processors, ${date}`;
};

export function drawKernels(
  results: Results,
  setting: string | undefined,
  other: Results | null,
  width: number,
): string {
  const rows = results.rows.filter((row) => settingOf(row) === setting);
  const entries: [string, string][] = [['line thick s0', machine(results)]];
  if (other) entries.push(['line thick s1', `file: ${machine(other)}`]);
  const { svg: legend, height } = key(entries, 0, 0, width);
  const { svg, height: barsHeight } = bars(rows, other, height + 16, width);
  const top = height + 16 + barsHeight + 24;
  const label = `Shares of kernels of their roofs, ${setting}: ${rows.map((row) => `${row.name} ${percent(row.ofRoof.median)}`).join(', ')}; and a roofline plot`;
  return picture(width, top + PLOT + 88, label, legend, svg, roofline(rows, other, top, width));
}
