/** `langevin train diffusion`: the loop is the library's; here are its settings, its checkpoints and its results. */
import type { TrainTest } from '../../data/dataset.ts';
import { quoted } from '../../models/command-line.ts';
import { DIFFUSION_MLP_SIZES, DiffusionMlp } from '../../models/networks/diffusion-mlp.ts';
import { DiffusionPipeline } from '../../models/pipeline.ts';
import { RECIPES } from '../../models/settings.ts';
import { DiffusionTrainer } from '../../models/training/diffusion.ts';
import { resumeDiffusion } from '../../models/training/resume.ts';
import { Rng } from '../../random/rng.ts';
import type { Options } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { dataNotes, loadData } from '../options/data.ts';
import { type Plan, RUN_TABLE, readPlan } from '../options/diffusion.ts';
import { applyEngineOptions, engineLine, engineReport } from '../options/engine.ts';
import { REPORT_TABLE } from '../options/output.ts';
import { PROGRAM } from '../options/program.ts';
import { counted } from '../report/counted.ts';
import { createReporter, type Reporter } from '../report/reporter.ts';
import { type Followed, follow } from '../report/training-loop.ts';
import { setName } from '../results/denoiser-results.ts';
import {
  DIFFUSION_FILES,
  type DiffusionRun,
  describeRun,
  saveRun,
  writeResults,
} from '../results/diffusion-results.ts';
import { LossHistory } from '../results/loss-plot.ts';
import { requireWritable } from '../results/out-folder.ts';

/** Milliseconds from one checkpoint to the next; each is four times as large as the model. */
const SAVE_EVERY = 30_000;

export const TRAIN_DIFFUSION: Command = {
  name: 'train diffusion',
  summary: 'Train a diffusion model, which makes digits of noise',
  groups: { ...RECIPES['train diffusion'], Output: { ...RUN_TABLE, ...REPORT_TABLE } },
  examples: [
    'train diffusion --data mnist --seconds 600',
    'train diffusion --resume out/diffusion',
    'sample --label 7',
  ],
  run: trainDiffusionCommand,
};

/** Runs the command; the exit code. */
export async function trainDiffusionCommand(options: Options): Promise<number> {
  const planned = await readPlan(options);
  const { choice, checkpoint, out, seconds, settings } = planned;
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const tidy = requireWritable(out, Object.keys(DIFFUSION_FILES));
  try {
    const data = await loadData(choice, reporter);
    const trainer = createTrainer(planned, data);
    const engine = await engineReport();
    if (checkpoint && checkpoint.numerics !== engine.numerics) {
      const message = `the run was begun with ${checkpoint.numerics} numerics and goes on with ${engine.numerics}: its bits will differ`;
      reporter.event({ type: 'warning', message });
    }
    const notes = { data: dataNotes(choice), ...(seconds === undefined ? {} : { seconds }) };
    return await train({ trainer, data, settings, engine, history: new LossHistory(), notes }, out, reporter);
  } finally {
    reporter.close();
    tidy();
  }
}

/** @throws FormatError for a checkpoint that does not fit */
function createTrainer({ checkpoint, settings, sizes, seconds }: Plan, data: TrainTest): DiffusionTrainer {
  const limitSeconds = seconds ?? Infinity;
  if (checkpoint) return resumeDiffusion(checkpoint, data, { limitSeconds, epochs: settings.epochs });
  const { height, width, classes } = data.train;
  const known = settings.labelDropout === 1 ? 0 : classes;
  const rng = new Rng(settings.seed).stream('initial values');
  const network = new DiffusionMlp({ ...DIFFUSION_MLP_SIZES, ...sizes, height, width, classes: known, rng });
  return new DiffusionTrainer(new DiffusionPipeline(network, settings), data, settings, limitSeconds);
}

/** Says what is about to happen. */
function announce(run: DiffusionRun, reporter: Reporter): void {
  const { trainer, data, settings, engine } = run;
  const { hidden, inner, depth, classes } = trainer.model.network.sizes;
  const n = (value: number) => value.toLocaleString('en');
  const parameters = trainer.model.network.parameters().reduce((sum, p) => sum + p.size, 0);
  const { steps: T, times } = { ...settings, times: trainer.model.schedule.times };
  const done = trainer.progress.step;
  reporter.event({
    type: 'start',
    run: { ...describeRun(run), parameters, step: done },
    epochs: settings.epochs,
    lines: [
      `network  ${counted(depth, 'residual block')} of ${hidden}-${inner}-${hidden}, ${classes || 'no'} classes, ${n(parameters)} parameters`,
      `process  ${settings.schedule}${times ? `, ${n(T)} steps` : ''}, predicts ${settings.predicts}, weight ${settings.lossWeighting}`,
      `data     ${setName(data)}: ${n(data.train.length)} pictures to train on, ${n(data.test.length)} to test on`,
      `engine   ${engineLine(engine)}`,
      ...(done > 0 ? [`resumed  after step ${n(done)} of ${n(trainer.steps)}`] : []),
      '',
    ],
  });
}

async function train(run: DiffusionRun, out: string, reporter: Reporter): Promise<number> {
  const { trainer, history } = run;
  announce(run, reporter);
  let [first, saved] = [trainer.progress.step === 0, performance.now()];
  const save = async () => {
    await saveRun(out, run, first);
    [first, saved] = [false, performance.now()];
  };
  return follow(
    {
      events: trainer.run(),
      history,
      async after({ type }) {
        if (type === 'epoch' && performance.now() - saved > SAVE_EVERY) await save();
      },
      async finish(end) {
        await save();
        await finish(run, end, out, reporter);
      },
    },
    reporter,
  );
}

/** Writes the results and says so. */
async function finish(run: DiffusionRun, { signal, last }: Followed, out: string, reporter: Reporter) {
  const { trainer, settings } = run;
  const complete = trainer.progress.step >= trainer.steps;
  const stopped = signal && !complete ? { signal, ...last } : null;
  const files = await writeResults(out, run, stopped);
  const place = `epoch ${last.epoch} of ${settings.epochs}, after batch ${last.batch}`;
  const outcome = stopped
    ? `stopped (${signal}) in ${place}`
    : complete
      ? 'trained to the end'
      : `time is up in ${place}`;
  reporter.event({
    type: 'end',
    stopped: stopped?.signal ?? null,
    files,
    summary: [outcome, ''],
    next: [
      [`${PROGRAM} sample --model ${quoted(out)}`, 'more pictures of its own'],
      ...(complete
        ? []
        : ([[`${PROGRAM} train diffusion --resume ${quoted(out)}`, 'goes on, to the same bits']] as const)),
      [`${PROGRAM} train diffusion --help`, 'all options'],
    ],
  });
}
