/** `langevin train lecture`: the lecture's diffusion model as its slides have it, and what comes of it. */
import type { Command } from 'cac';
import type { TrainTest } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import { testLecture } from '../../models/lecture/figures.ts';
import { LectureNetwork, trainLecture } from '../../models/lecture/lecture.ts';
import type { TrainEvent } from '../../models/training/denoiser.ts';
import { requireFiniteTest, Tally } from '../../models/training/loop.ts';
import { Rng } from '../../random/rng.ts';
import { count, number, type Options, text } from '../options/arguments.ts';
import { addDataOptions, chooseData, loadData } from '../options/data.ts';
import { addEngineOptions, applyEngineOptions, engineLine, engineReport } from '../options/engine.ts';
import { createReporter, REPORT_OPTIONS, type Reporter } from '../report/reporter.ts';
import { type Followed, follow } from '../report/training-loop.ts';
import { setName } from '../results/denoiser-results.ts';
import { describeLecture, LECTURE_FILES, type LectureRun, writeLecture } from '../results/lecture-results.ts';
import { LossHistory } from '../results/loss-plot.ts';
import { requireWritable } from '../results/out-folder.ts';

const OUT = 'out/lecture';

/** The slides' settings. */
export const LECTURE_SETTINGS = { epochs: 10, batchSize: 64, lr: 1e-3, seed: '0' };
export type LectureSettings = typeof LECTURE_SETTINGS;

/** Declares the command and its options. */
export function addLectureOptions(command: Command): Command {
  const { epochs, batchSize, lr, seed } = LECTURE_SETTINGS;
  addDataOptions(command)
    .usage('train lecture [options]')
    .option('--epochs <n>', `Passes over the data (default: ${epochs})`)
    .option('--batch-size <n>', `Pictures a step (default: ${batchSize})`)
    .option('--lr <rate>', `Adam's learning rate (default: ${lr})`)
    .option('--seed <seed>', `Any text or number; the same seed gives the same bits (default: ${seed})`)
    .option('--out <folder>', `Where the results go (default: ${OUT})`);
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command.example('  $ langevin train lecture').example('  $ langevin train lecture --data mnist');
}

/** Runs the command; the exit code. */
export async function trainLectureCommand(options: Options): Promise<number> {
  const defaults = LECTURE_SETTINGS;
  const choice = chooseData(options);
  const settings: LectureSettings = {
    epochs: count(options, 'epochs', defaults.epochs),
    batchSize: count(options, 'batchSize', defaults.batchSize),
    lr: number(options, 'lr', defaults.lr, 'a number > 0', (lr) => lr > 0),
    seed: text(options, 'seed', defaults.seed),
  };
  const out = text(options, 'out', OUT);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const tidy = requireWritable(out, Object.keys(LECTURE_FILES));
  try {
    const data = await loadData(choice, reporter);
    const { height, width } = data.train;
    const model = new LectureNetwork(height * width, 400, new Rng(settings.seed).stream('initial values'));
    const engine = await engineReport();
    return await train({ model, data, settings, engine, history: new LossHistory() }, out, reporter);
  } finally {
    reporter.close();
    tidy();
  }
}

async function train(run: LectureRun, out: string, reporter: Reporter): Promise<number> {
  const { model, data, settings, engine, history } = run;
  const n = (value: number) => value.toLocaleString('en');
  const parameters = model.parameters().reduce((sum, p) => sum + p.size, 0);
  const { dimension, hidden } = model;
  reporter.event({
    type: 'start',
    run: { ...describeLecture(run), parameters },
    epochs: settings.epochs,
    lines: [
      `lecture  ${[dimension + 1, hidden, hidden, dimension].join('-')} with ReLU, T = 5, ${n(parameters)} parameters`,
      `data     ${setName(data)}: ${n(data.train.length)} pictures to train on, ${n(data.test.length)} to test on`,
      `engine   ${engineLine(engine)}`,
      '',
    ],
  });
  const finish = async ({ signal, last }: Followed) => {
    const stopped = signal && history.epochs.length < settings.epochs ? { signal, ...last } : null;
    const { files, figures } = await writeLecture(out, run, stopped);
    const figure = (value: number) => value.toFixed(2);
    reporter.event({
      type: 'end',
      stopped: stopped?.signal ?? null,
      files,
      summary: [
        stopped ? `stopped (${signal}) in epoch ${last.epoch}` : `trained for ${settings.epochs} epochs`,
        `test loss ${figure(figures.measured)}; ${figure(figures.zero)} for a network that says 0, at least ${figure(figures.width)} for any of its width`,
        '',
      ],
      next: [
        ['langevin train diffusion', 'the same idea with a thousand steps, which makes digits'],
        ['langevin train lecture --help', 'all options'],
      ],
    });
  };
  return follow({ events: lectureEvents(model, data, settings), history, finish }, reporter);
}

/** The lecture's training, told as the other trainers tell theirs. */
function* lectureEvents(
  model: LectureNetwork,
  { train, test }: TrainTest,
  { epochs, batchSize, lr, seed }: LectureSettings,
): Generator<TrainEvent, void> {
  const loader = new DataLoader(train, { batchSize, seed });
  const { batches } = loader;
  let images = 0;
  const pictures = function* () {
    for (const batch of loader) {
      images = batch.labels.length;
      yield batch.images;
      batch.images.dispose();
    }
  };
  const rng = new Rng(seed).stream('training noise');
  let whole = new Tally();
  let started = performance.now();
  for (const { epoch, step, loss } of trainLecture(model, pictures, rng, { epochs, lr })) {
    const seconds = (performance.now() - started) / 1000;
    const batch = step - epoch * batches;
    whole.add(loss, images, seconds);
    yield { type: 'batch', epoch: epoch + 1, batch, batches, loss, imagesPerSecond: images / seconds };
    if (batch === batches) {
      const { loss: trainLoss, seconds: all, imagesPerSecond } = whole;
      const testLoss = testLecture(model, test, seed);
      requireFiniteTest(testLoss, epoch + 1);
      yield { type: 'epoch', epoch: epoch + 1, trainLoss, testLoss, seconds: all, imagesPerSecond };
      whole = new Tally();
    }
    started = performance.now();
  }
}
