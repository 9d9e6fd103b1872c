/** `langevin train denoiser`: the loop is the library's; here are its settings, its progress and its results. */
import type { Command } from 'cac';
import { Denoiser } from '../../models/networks/denoiser.ts';
import { DENOISER_SETTINGS, type DenoiserSettings, trainDenoiser } from '../../models/training/denoiser.ts';
import { Rng } from '../../random/rng.ts';
import { count, number, type Options, text } from '../options/arguments.ts';
import { addDataOptions, chooseData, type DataChoice, loadData } from '../options/data.ts';
import { addEngineOptions, applyEngineOptions, engineLine, engineReport } from '../options/engine.ts';
import { createReporter, REPORT_OPTIONS, type Reporter } from '../report/reporter.ts';
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

/** Epochs over `strokes`, of which there are a sixth as many as of MNIST. */
const STROKES_EPOCHS = 15;

/** Declares the command and its options. */
export function addDenoiserOptions(command: Command): Command {
  const { epochs, batchSize, lr, noise, seed } = DENOISER_SETTINGS;
  addDataOptions(command)
    .usage('train denoiser [options]')
    .option('--epochs <n>', `Passes over the data (default: ${STROKES_EPOCHS} for strokes, else ${epochs})`)
    .option('--batch-size <n>', `Pictures a step (default: ${batchSize})`)
    .option('--lr <rate>', `Adam's learning rate (default: ${lr})`)
    .option('--noise <sigma>', `Standard deviation of the noise; pixels are in 0 to 1 (default: ${noise})`)
    .option('--seed <seed>', `Any text or number; the same seed gives the same bits (default: ${seed})`)
    .option('--out <folder>', 'Where the results go (default: out)');
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command
    .example('  $ langevin train denoiser')
    .example('  $ langevin train denoiser --data mnist --out out/mnist')
    .example('  $ langevin train denoiser --noise 0.8 --seed "my seed" --json');
}

/** @throws UsageError */
function readSettings(options: Options, data: DataChoice): DenoiserSettings {
  const defaults = DENOISER_SETTINGS;
  return {
    epochs: count(options, 'epochs', data.kind === 'strokes' ? STROKES_EPOCHS : defaults.epochs),
    batchSize: count(options, 'batchSize', defaults.batchSize),
    lr: number(options, 'lr', defaults.lr, 'a number > 0', (lr) => lr > 0),
    noise: number(options, 'noise', defaults.noise, 'a number >= 0', (noise) => noise >= 0),
    seed: text(options, 'seed', String(defaults.seed)),
  };
}

/** Runs the command; the exit code. */
export async function trainDenoiserCommand(options: Options): Promise<number> {
  const choice = chooseData(options);
  const settings = readSettings(options, choice);
  const out = text(options, 'out', 'out');
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
    : `trained for ${epochs.length} ${epochs.length === 1 ? 'epoch' : 'epochs'}`;
  reporter.event({
    type: 'end',
    stopped: stopped?.signal ?? null,
    files,
    summary: [`${outcome}${tested}`, ''],
    next: [
      ['langevin train denoiser --data mnist', 'real handwriting: 12 MB to download once'],
      ['langevin train denoiser --noise 0.8', 'a harder task'],
      ['langevin train denoiser --help', 'all options'],
    ],
  });
}
