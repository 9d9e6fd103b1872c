/** `langevin data`: shows what a data set has, and draws a contact sheet. */
import { pictureName, type TrainTest } from '../../data/dataset.ts';
import { quoted } from '../../models/command-line.ts';
import { contactSheet, MOST_SHEET_CLASSES } from '../../models/figures/contact-sheet.ts';
import { COARSEST } from '../../models/networks/unet.ts';
import { text } from '../../models/setting.ts';
import { DATA_TABLE } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { chooseData, dataNotes, loadData, loadOwn } from '../options/data.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { counted } from '../report/counted.ts';
import { printable } from '../report/printable.ts';
import { createReporter } from '../report/reporter.ts';
import { drawRows, FigureHashes } from '../results/figures.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';
import { setName } from '../results/run-results.ts';

const SHEET = 'data.png';
/** The most sizes that are printed. */
const MOST_SIZES = 5;

const TABLE = {
  ...DATA_TABLE,
  data: text('data', DATA_TABLE.data.default, DATA_TABLE.data.meaning, {
    argument: true,
    placeholder: 'folder',
  }),
} as const;
const OUTPUT = { out: outSetting('out'), ...REPORT_TABLE } as const;

export const DATA: Command = {
  name: 'data',
  summary: 'Show the pictures and classes of a data set, such as your own folder',
  groups: { Data: TABLE, Output: OUTPUT },
  examples: ['data photos', 'data letters --size 32 --colour grey', 'data mnist'],
  run: dataCommand,
};

/** How many pictures there are of a label. */
const countOf = (labels: Uint8Array, label: number) => labels.filter((other) => other === label).length;

/** A table of the classes, with the number of their pictures. */
function classLines({ train, test }: TrainTest, classNames: readonly string[]): string[] {
  const rows = [
    ['label', 'training', 'test', 'class'],
    ...classNames.map((name, label) => [
      String(label),
      ...[train, test].map(({ labels }) => countOf(labels, label).toLocaleString('en')),
      printable(name),
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, i) => (i < 3 ? cell.padStart(widths[i]) : cell)).join('  '));
}

/** The sizes of the files, the most frequent first. */
function sizesLine(sizes: ReadonlyMap<string, number>): string {
  const sorted = [...sizes].sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, MOST_SIZES).map(([size, n]) => `${size} (${n.toLocaleString('en')})`);
  const more = sorted.length - shown.length;
  return `sizes    ${shown.join(', ')}${more > 0 ? `, and ${counted(more, 'other size')}` : ''}`;
}

/** What to know before a training. */
function notes({ train }: TrainTest, sizes: ReadonlyMap<string, number>): string[] {
  const { height, width } = train;
  const isScaled = !(sizes.size === 1 && sizes.has(`${height}x${width}`));
  const oblong = [...sizes].filter(([size]) => new Set(size.split('x')).size > 1);
  const bars = oblong.reduce((sum, [, n]) => sum + n, 0);
  return [
    ...(isScaled && bars > 0
      ? [`note     ${counted(bars, 'picture')} not square: black bars fill the square`]
      : []),
    ...([height, width].some((side) => side % COARSEST !== 0)
      ? [`note     a U-Net needs sides that are multiples of ${COARSEST}: set --size`]
      : []),
  ];
}

/** Runs the command and returns the exit code. */
export async function dataCommand(options: Options): Promise<number> {
  const choice = chooseData(options, 'data');
  const { out } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  const cleanUp = requireWritable(out, [SHEET]);
  try {
    const own = choice.kind === 'folder' ? await loadOwn(choice, reporter) : null;
    const data = own ?? (await loadData(choice, reporter));
    const { train, test } = data;
    const classNames = own?.classNames ?? Array.from({ length: train.classes }, (_, label) => String(label));
    const sizes = own?.sizes ?? new Map([[`${train.height}x${train.width}`, train.length + test.length]]);
    const counts = [counted(train.length, 'training picture'), counted(test.length, 'test picture')];
    const classes = classNames.map((name, label) => ({
      label,
      name,
      ...{ train: countOf(train.labels, label), test: countOf(test.labels, label) },
    }));
    const { height, width, channels } = train;
    reporter.event({
      type: 'start',
      epochs: 1,
      run: {
        langevin: VERSION,
        ...dataNotes(choice),
        ...{ height, width, channels, train: train.length, test: test.length },
        sizes: Object.fromEntries(sizes),
        classes,
      },
      lines: [
        `data     ${setName(data)}: ${counts.join(', ')}, ${pictureName(train)}`,
        sizesLine(sizes),
        ...notes(data, sizes),
        '',
        ...classLines(data, classNames),
        '',
      ],
    });
    const hashes = new FigureHashes();
    const compute = () => contactSheet(train, classNames);
    const some = classNames.length > MOST_SHEET_CLASSES ? `the first ${MOST_SHEET_CLASSES}` : 'all';
    const files = await writeAll(
      out,
      { [SHEET]: `training pictures of ${some} classes` },
      { [SHEET]: hashes.content(SHEET, compute, drawRows) },
    );
    const next = [
      [
        `${PROGRAM} train diffusion --data ${quoted(choice.name)}`,
        'trains a diffusion model on these pictures',
      ],
    ] as const;
    reporter.event({ type: 'end', stopped: null, files, numbers: hashes.numbers, summary: [], next });
    return 0;
  } finally {
    reporter.close();
    cleanUp();
  }
}
