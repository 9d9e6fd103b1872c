/** `langevin train diffusion`: the loop is the library's; here are its settings, its checkpoints and its results. */
import type { Command } from 'cac';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { TrainTest } from '../data/dataset.ts';
import { WEIGHTS } from '../diffusion/objective.ts';
import { PREDICTIONS } from '../diffusion/prediction.ts';
import { ValueError } from '../errors.ts';
import { DIFFUSION_MLP_SIZES, DiffusionMlp, type DiffusionMlpSizes } from '../models/diffusion-mlp.ts';
import { TRAINING_SCHEDULES, TrainedDiffusion, trainingSchedule } from '../models/diffusion-run.ts';
import { resumeDiffusion, settingsOf } from '../models/diffusion-state.ts';
import { DIFFUSION_SETTINGS, type DiffusionSettings, DiffusionTrainer } from '../models/train-diffusion.ts';
import { Rng } from '../random/rng.ts';
import { count, number, type Options, oneOf, text, UsageError } from './arguments.ts';
import { clearCheckpoints, folderOf, readCheckpoint } from './checkpoints.ts';
import { addDataOptions, chooseData, type DataChoice, loadData } from './data-options.ts';
import { setName } from './denoiser-results.ts';
import {
  DIFFUSION_FILES,
  type DiffusionRun,
  describeRun,
  saveRun,
  writeResults,
} from './diffusion-results.ts';
import { addEngineOptions, applyEngineOptions, engineLine, engineReport } from './engine-options.ts';
import { LossHistory } from './loss-plot.ts';
import { requireWritable } from './out-folder.ts';
import { createReporter, REPORT_OPTIONS, type Reporter } from './reporter.ts';
import { type Followed, follow } from './training-loop.ts';

const OUT = 'out/diffusion';

/** The networks by name; pictures and classes come from the data. */
const MODELS: Readonly<Record<string, Partial<DiffusionMlpSizes>>> = {
  mlp: {},
  'mlp-small': { hidden: 256, inner: 256, condition: 64 },
  'mlp-tiny': { hidden: 32, inner: 32, depth: 1, condition: 16 },
};

/** What a run that goes on has from its file, by the names of the options. */
const FIXED = [
  'schedule',
  'steps',
  'predict',
  'weight',
  'model',
  'batchSize',
  'lr',
  'ema',
  'guidanceDropout',
  'seed',
];

/** Milliseconds from one checkpoint to the next; each is four times as large as the model. */
const SAVE_EVERY = 30_000;

/** Declares the command and its options. */
export function addDiffusionOptions(command: Command): Command {
  const d = DIFFUSION_SETTINGS;
  addDataOptions(command)
    .usage('train diffusion [options]')
    .option('--schedule <name>', `Noise: ${TRAINING_SCHEDULES.join(', ')} (default: ${d.schedule})`)
    .option('--steps <T>', `Steps of a schedule that has some (default: ${d.steps})`)
    .option('--predict <kind>', `What the network says: ${PREDICTIONS.join(', ')} (default: ${d.predicts})`)
    .option('--weight <name>', `Of times in the loss: ${WEIGHTS.join(', ')} (default: ${d.weight})`)
    .option('--model <name>', `Network: ${Object.keys(MODELS).join(', ')} (default: mlp)`)
    .option('--epochs <n>', `Passes over the data (default: ${d.epochs})`)
    .option(
      '--seconds <s>',
      'Ends the run after this time of training, with the learning rate lowered by then',
    )
    .option('--batch-size <n>', `Pictures a step (default: ${d.batchSize})`)
    .option('--lr <rate>', `Adam's learning rate after its warm-up (default: ${d.lr})`)
    .option('--ema <decay>', `Of the moving average of the network, which samples (default: ${d.ema})`)
    .option(
      '--guidance-dropout <share>',
      `Of labels that are withheld, so that sampling can be guided; 1: no labels at all (default: ${d.guidanceDropout})`,
    )
    .option('--resume <path>', 'Goes on from a checkpoint, or from the newest in a folder')
    .option('--seed <seed>', `Any text or number; the same seed gives the same bits (default: ${d.seed})`)
    .option('--out <folder>', `Where the results go (default: ${OUT})`);
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command
    .example('  $ langevin train diffusion --data mnist --seconds 600')
    .example('  $ langevin train diffusion --resume out/diffusion')
    .example('  $ langevin sample --label 7');
}

/** The settings of a new run. @throws UsageError */
function readSettings(options: Options): DiffusionSettings {
  const d = DIFFUSION_SETTINGS;
  const share = (name: string, otherwise: number, most: string, fits: (x: number) => boolean) =>
    number(options, name, otherwise, `a number from 0 to ${most}`, (x) => x >= 0 && fits(x));
  return {
    schedule: oneOf(options, 'schedule', TRAINING_SCHEDULES, d.schedule),
    steps: number(options, 'steps', d.steps, 'a whole number >= 2', (n) => Number.isSafeInteger(n) && n >= 2),
    predicts: oneOf(options, 'predict', PREDICTIONS, d.predicts),
    weight: oneOf(options, 'weight', WEIGHTS, d.weight),
    epochs: count(options, 'epochs', d.epochs),
    batchSize: count(options, 'batchSize', d.batchSize),
    lr: number(options, 'lr', d.lr, 'a number > 0', (lr) => lr > 0),
    ema: share('ema', d.ema, 'below 1', (x) => x < 1),
    guidanceDropout: share('guidanceDropout', d.guidanceDropout, '1', (x) => x <= 1),
    seed: text(options, 'seed', String(d.seed)),
  };
}

/** What a run is made of before its data are read. */
interface Plan {
  readonly checkpoint: Checkpoint | null;
  readonly choice: DataChoice;
  readonly settings: DiffusionSettings;
  readonly sizes: Partial<DiffusionMlpSizes>;
  readonly seconds: number | undefined;
  readonly out: string;
}

/** @throws UsageError, and FileError or FormatError for a checkpoint that cannot be read */
async function plan(options: Options): Promise<Plan> {
  const resume = text(options, 'resume', undefined);
  const seconds = number(options, 'seconds', undefined, 'a number > 0', (s) => s > 0);
  if (resume === undefined) {
    const model = oneOf(options, 'model', Object.keys(MODELS), 'mlp');
    const settings = readSettings(options);
    requireSchedule(settings);
    const out = text(options, 'out', OUT);
    return { checkpoint: null, choice: chooseData(options), settings, sizes: MODELS[model], seconds, out };
  }
  const fixed = FIXED.find((name) => options[name] !== undefined);
  if (fixed) {
    const flag = fixed.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`--${flag} belongs to a new run, got --resume ${resume}, which has its own`);
  }
  const epochs = count(options, 'epochs', undefined);
  const checkpoint = await readCheckpoint(resume);
  const saved = settingsOf(checkpoint);
  const notes = (checkpoint.settings ?? {}) as { data?: Record<string, string | number>; seconds?: number };
  const data = Object.fromEntries(
    Object.entries(notes.data ?? {}).map(([name, value]) => [name, String(value)]),
  );
  return {
    checkpoint,
    choice: chooseData({ ...data, ...options }),
    settings: { ...saved, epochs: epochs ?? saved.epochs },
    sizes: {},
    seconds: seconds ?? notes.seconds,
    out: text(options, 'out', folderOf(checkpoint.source)),
  };
}

/** Runs the command; the exit code. */
export async function trainDiffusionCommand(options: Options): Promise<number> {
  const planned = await plan(options);
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
    if (!checkpoint) clearCheckpoints(out);
    const notes = { data: dataNotes(choice), ...(seconds === undefined ? {} : { seconds }) };
    return await train({ trainer, data, settings, engine, history: new LossHistory(), notes }, out, reporter);
  } finally {
    reporter.close();
    tidy();
  }
}

/** The options that chose the data, for a run that goes on. */
function dataNotes({ name, dataDir, limit }: DataChoice): Record<string, string | number> {
  return { data: name, ...(dataDir ? { dataDir } : {}), ...(limit ? { limit } : {}) };
}

/** @throws UsageError for a schedule that such steps cannot have */
function requireSchedule(settings: DiffusionSettings): void {
  try {
    trainingSchedule(settings);
  } catch (error) {
    throw error instanceof ValueError ? new UsageError(error.message) : error;
  }
}

/** @throws FormatError for a checkpoint that does not fit */
function createTrainer({ checkpoint, settings, sizes, seconds }: Plan, data: TrainTest): DiffusionTrainer {
  const limitSeconds = seconds ?? Infinity;
  if (checkpoint) return resumeDiffusion(checkpoint, data, { limitSeconds, epochs: settings.epochs });
  const { height, width, classes } = data.train;
  const told = settings.guidanceDropout === 1 ? 0 : classes;
  const rng = new Rng(settings.seed).stream('initial values');
  const network = new DiffusionMlp({ ...DIFFUSION_MLP_SIZES, ...sizes, height, width, classes: told, rng });
  return new DiffusionTrainer(new TrainedDiffusion(network, settings), data, settings, limitSeconds);
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
      `network  ${depth} residual blocks of ${hidden}-${inner}-${hidden}, ${classes || 'no'} classes, ${n(parameters)} parameters`,
      `process  ${settings.schedule}${times ? `, ${n(T)} steps` : ''}, predicts ${settings.predicts}, weight ${settings.weight}`,
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
  let saved = performance.now();
  const save = async () => {
    await saveRun(out, run);
    saved = performance.now();
  };
  return follow(
    trainer.run(),
    reporter,
    history,
    async ({ type }) => {
      if (type === 'epoch' && performance.now() - saved > SAVE_EVERY) await save();
    },
    async (end) => {
      await save();
      await finish(run, end, out, reporter);
    },
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
      [`langevin sample --model ${out}`, 'more pictures of its own'],
      ...(complete
        ? []
        : ([[`langevin train diffusion --resume ${out}`, 'goes on, to the same bits']] as const)),
      ['langevin train diffusion --help', 'all options'],
    ],
  });
}
