/**
 * `langevin schedules`: compares noise schedules in two plots over time. One shows the share of the data in the
 * variance, the other the signal-to-noise ratio.
 */
import { schedulesFigures } from '../../models/figures/schedules.ts';
import { RECIPES, SCHEDULES_TABLE } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import { asUsage, type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { createReporter } from '../report/reporter.ts';
import { FigureHashes } from '../results/figures.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';
import { drawAlphaBar, drawSnr } from '../results/schedule-plots.ts';

const [ALPHA_BAR, SNR] = ['alpha-bar.svg', 'snr.svg'] as const;
const FILES = {
  [ALPHA_BAR]: 'alphaBar, the share of the data in the variance',
  [SNR]: 'the signal-to-noise ratio',
};

const OUTPUT = { out: outSetting('out'), ...REPORT_TABLE } as const;

export const SCHEDULES: Command = {
  name: 'schedules',
  summary: 'Plot noise schedules over time, to compare them',
  groups: { ...RECIPES.schedules, Output: OUTPUT },
  examples: ['schedules', 'schedules --schedule linear,scaled-linear,karras --zero-snr'],
  run: schedulesCommand,
};

/** Runs the command and returns the exit code. */
export async function schedulesCommand(options: Options): Promise<number> {
  const settings = readSettings(SCHEDULES_TABLE, options);
  // readSettings has checked the names. An error here is a number of steps that a schedule cannot have.
  const { alphaBar, snr } = asUsage(() => schedulesFigures(settings), '--steps: ');
  const reporter = createReporter(options);
  const { out } = readSettings(OUTPUT, options);
  const cleanUp = requireWritable(out, Object.keys(FILES));
  try {
    reporter.event({ type: 'start', epochs: 1, lines: [], run: { langevin: VERSION, ...settings } });
    const hashes = new FigureHashes();
    const { steps } = settings;
    const files = await writeAll(out, FILES, {
      [ALPHA_BAR]: hashes.content(
        ALPHA_BAR,
        () => alphaBar,
        (figure) => drawAlphaBar(figure, steps),
      ),
      [SNR]: hashes.content(
        SNR,
        () => snr,
        (figure) => drawSnr(figure, steps),
      ),
    });
    const next = [[`${PROGRAM} schedules --help`, 'all schedules and options']] as const;
    reporter.event({ type: 'end', stopped: null, files, numbers: hashes.numbers, summary: [], next });
    return 0;
  } finally {
    reporter.close();
    cleanUp();
  }
}
