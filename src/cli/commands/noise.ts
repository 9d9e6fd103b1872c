/**
 * `langevin noise`: turns pictures into noise, step by step, by a stochastic differential equation. It writes a strip
 * of pictures and a GIF.
 */
import { noisingFigure } from '../../models/figures/noising.ts';
import { NOISE_TABLE, RECIPES } from '../../models/settings.ts';
import { VERSION } from '../../version.ts';
import { type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { chooseData, dataNotes, loadData } from '../options/data.ts';
import { applyEngineOptions, engineReport } from '../options/engine.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { createReporter } from '../report/reporter.ts';
import { FigureHashes } from '../results/figures.ts';
import { drawAnimation, drawStrip } from '../results/noise-pictures.ts';
import { requireWritable, writeAll } from '../results/out-folder.ts';

const OUTPUT = { out: outSetting('out'), ...REPORT_TABLE } as const;

export const NOISE: Command = {
  name: 'noise',
  summary: 'Draw how a process turns pictures into noise',
  groups: { ...RECIPES.noise, Output: OUTPUT },
  examples: ['noise', 'noise --process vp --data mnist'],
  run: noiseCommand,
};

/** Runs the command and returns the exit code. */
export async function noiseCommand(options: Options): Promise<number> {
  const choice = chooseData(options);
  const settings = readSettings(NOISE_TABLE, options);
  const { out } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const [strip, gif] = ['png', 'gif'].map((ending) => `noise-${settings.process}.${ending}`);
  const cleanUp = requireWritable(out, [strip, gif]);
  try {
    const limit = Math.min(choice.limit ?? Infinity, settings.pictures);
    const { test } = await loadData({ ...choice, limit }, reporter);
    const run = { langevin: VERSION, ...dataNotes(choice), ...settings, ...(await engineReport()) };
    reporter.event({ type: 'start', epochs: 1, lines: [], run });
    const figure = noisingFigure(test, settings);
    const hashes = new FigureHashes();
    const files = await writeAll(
      out,
      { [strip]: 'each picture at nine times, in one row', [gif]: 'all pictures, from data to noise' },
      {
        [strip]: hashes.content(strip, () => figure, drawStrip),
        [gif]: hashes.content(gif, () => figure, drawAnimation),
      },
    );
    const next = [[`${PROGRAM} noise --help`, 'all options']] as const;
    reporter.event({ type: 'end', stopped: null, files, numbers: hashes.numbers, summary: [], next });
    return 0;
  } finally {
    reporter.close();
    cleanUp();
  }
}
