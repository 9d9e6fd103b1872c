/** `langevin train denoiser`: the loop is the library's; here are its settings, its progress and its results. */
import { Denoiser } from '../../models/networks/denoiser.ts';
import { DENOISER_TABLE, RECIPES } from '../../models/settings.ts';
import { trainDenoiser } from '../../models/training/denoiser.ts';
import { Rng } from '../../random/rng.ts';
import { type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { chooseData, loadData } from '../options/data.ts';
import { applyEngineOptions, engineLine, engineReport } from '../options/engine.ts';
import { outSetting, REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { counted } from '../report/counted.ts';
import { createReporter, type Reporter } from '../report/reporter.ts';
import { type Followed, follow } from '../report/training-loop.ts';
import {
  DENOISER_FILES,
  type DenoiserRun,
  describeRun,
  setName,
  writeResults,
} from '../results/denoiser-results.ts';
import { LossHistory } from '../results/loss-plot.ts';
import { requireWritable } from '../results/out-folder.ts';

const OUTPUT = { out: outSetting('out'), ...REPORT_TABLE } as const;

export const TRAIN_DENOISER: Command = {
  name: 'train denoiser',
  summary: 'Train the denoising autoencoder, and draw what it learned',
  groups: { ...RECIPES['train denoiser'], Output: OUTPUT },
  examples: [
    'train denoiser',
    'train denoiser --data mnist --out out/mnist',
    'train denoiser --noise 0.8 --seed "my seed" --json',
  ],
  run: trainDenoiserCommand,
};

/** Runs the command; the exit code. */
export async function trainDenoiserCommand(options: Options): Promise<number> {
  const choice = chooseData(options);
  const settings = readSettings(DENOISER_TABLE, options, { data: choice.name });
  const { out } = readSettings(OUTPUT, options);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const tidy = requireWritable(out, Object.keys(DENOISER_FILES));
  try {
    const data = await loadData(choice, reporter);
    const { height, width } = data.train;
    const model = new Denoiser({
      inputs: height * width,
      rng: new Rng(settings.seed).stream('initial values'),
    });
    const engine = await engineReport();
    return await train({ model, data, settings, engine, history: new LossHistory() }, out, reporter);
  } finally {
    reporter.close();
    tidy();
  }
}

/** Says what is about to happen. */
function announce(run: Omit<DenoiserRun, 'stopped'>, reporter: Reporter): void {
  const { model, data, settings, engine } = run;
  const { inputs, hidden, code } = model.sizes;
  const parameters = model.parameters().reduce((sum, p) => sum + p.size, 0);
  const n = (value: number) => value.toLocaleString('en');
  reporter.event({
    type: 'start',
    run: { ...describeRun(run), parameters },
    epochs: settings.epochs,
    lines: [
      `denoiser ${[inputs, hidden, code, hidden, inputs].join('-')}, ${n(parameters)} parameters`,
      `data     ${setName(data)}: ${n(data.train.length)} pictures to train on, ${n(data.test.length)} to test on`,
      `engine   ${engineLine(engine)}`,
      '',
    ],
  });
}

async function train(run: Omit<DenoiserRun, 'stopped'>, out: string, reporter: Reporter): Promise<number> {
  const { model, data, settings, history } = run;
  announce(run, reporter);
  const finishRun = async ({ signal, last }: Followed) => {
    const complete = history.epochs.length === settings.epochs;
    await finish({ ...run, stopped: signal && !complete ? { signal, ...last } : null }, out, reporter);
  };
  const events = trainDenoiser(model, { ...data, ...settings, every: 1 });
  return follow({ events, history, finish: finishRun, restores: true }, reporter);
}

/** Writes the results and says so. */
async function finish(run: DenoiserRun, out: string, reporter: Reporter): Promise<void> {
  const files = await writeResults(out, run);
  const { epochs } = run.history;
  const tested = epochs.length > 0 ? `, test loss ${epochs[epochs.length - 1].testLoss.toFixed(4)}` : '';
  const { stopped, settings } = run;
  const outcome = stopped
    ? `stopped (${stopped.signal}) in epoch ${stopped.epoch} of ${settings.epochs}, after batch ${stopped.batch}`
    : `trained for ${counted(epochs.length, 'epoch')}`;
  reporter.event({
    type: 'end',
    stopped: stopped?.signal ?? null,
    files,
    summary: [`${outcome}${tested}`, ''],
    next: [
      [`${PROGRAM} train denoiser --data mnist`, 'real handwriting: 12 MB to download once'],
      [`${PROGRAM} train denoiser --noise 0.8`, 'a harder task'],
      [`${PROGRAM} train denoiser --help`, 'all options'],
    ],
  });
}
