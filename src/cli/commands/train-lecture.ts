/** `langevin train lecture`: the lecture's diffusion model as its slides have it, and what comes of it. */
import type { TrainTest } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import { testLecture } from '../../models/lecture/figures.ts';
import { LectureNetwork, trainLecture } from '../../models/lecture/lecture.ts';
import type { ValuesOf } from '../../models/setting.ts';
import { LECTURE_TABLE, RECIPES } from '../../models/settings.ts';
import type { TrainEvent } from '../../models/training/denoiser.ts';
import { requireFiniteTest, Tally } from '../../models/training/loop.ts';
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
import { setName } from '../results/denoiser-results.ts';
import { describeLecture, LECTURE_FILES, type LectureRun, writeLecture } from '../results/lecture-results.ts';
import { LossHistory } from '../results/loss-plot.ts';
import { requireWritable } from '../results/out-folder.ts';

export type LectureSettings = ValuesOf<typeof LECTURE_TABLE>;

const OUTPUT = { out: outSetting('out/lecture'), ...REPORT_TABLE } as const;

export const TRAIN_LECTURE: Command = {
  name: 'train lecture',
  summary: "Train the lecture's diffusion model, and see what it cannot learn",
  groups: { ...RECIPES['train lecture'], Output: OUTPUT },
  examples: ['train lecture', 'train lecture --data mnist'],
  run: trainLectureCommand,
};

/** Runs the command; the exit code. */
export async function trainLectureCommand(options: Options): Promise<number> {
  const choice = chooseData(options);
  const settings = readSettings(LECTURE_TABLE, options);
  const { out } = readSettings(OUTPUT, options);
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
        stopped
          ? `stopped (${signal}) in epoch ${last.epoch}`
          : `trained for ${counted(settings.epochs, 'epoch')}`,
        `test loss ${figure(figures.measured)}; ${figure(figures.zero)} for a network that says 0, at least ${figure(figures.width)} for any of its width`,
        '',
      ],
      next: [
        [`${PROGRAM} train diffusion`, 'the same idea with a thousand steps, which makes digits'],
        [`${PROGRAM} train lecture --help`, 'all options'],
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
    }
  };
  const rng = new Rng(seed).stream('training noise');
  let whole = new Tally();
  try {
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
  } finally {
    loader.dispose();
  }
}
