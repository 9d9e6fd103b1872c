/**
 * What all training commands do: claim the folder, read the data, begin or go on, follow the run, write checkpoints on
 * the way, and the results in the end. The loop is the library's; a command adds its settings and its results.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { quoted } from '../../models/command-line.ts';
import type { Settings } from '../../models/setting.ts';
import { RECIPES } from '../../models/settings.ts';
import type { Trainer } from '../../models/training/loop.ts';
import type { Recipe } from '../../models/training/recipe.ts';
import { encodeRun, type ResumeOptions, runOf } from '../../models/training/resume.ts';
import type { Options } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { type DataChoice, dataNotes, loadData } from '../options/data.ts';
import { applyEngineOptions, engineLine, engineReport } from '../options/engine.ts';
import { PROGRAM } from '../options/program.ts';
import { type Plan, readPlan, runTable } from '../options/resume.ts';
import { counted } from '../report/counted.ts';
import { createReporter, type Reporter } from '../report/reporter.ts';
import { type Followed, follow } from '../report/training-loop.ts';
import { CheckpointWriter, listCheckpoints } from '../results/checkpoints.ts';
import { requireWritable } from '../results/out-folder.ts';
import { newRun, RunFolder } from '../results/run-folder.ts';
import {
  describeRun,
  type Results,
  type Run,
  type Stopped,
  setName,
  writeRun,
} from '../results/run-results.ts';

/** Milliseconds from one checkpoint to the next; each is about three times as large as the model. */
const SAVE_EVERY = 30_000;

/** A command that trains. */
export interface TrainCommand<R extends Recipe> {
  readonly name: 'train denoiser' | 'train classifier' | 'train lecture' | 'train diffusion';
  readonly summary: string;
  readonly examples: readonly string[];
  /** The settings of a new run. */
  readonly table: Settings;
  /** Where the results go if nothing is said. */
  readonly out: string;
  /** The files that it leaves, in the order in which they are written, and what is in each. */
  readonly files: Readonly<Record<string, string>>;
  /** Reads the options of a new run; what it returns makes the run. @throws UsageError */
  begin(options: Options, choice: DataChoice): (data: TrainTest, limitSeconds?: number) => Trainer<R>;
  /** @throws FormatError for a checkpoint that does not fit */
  resume(checkpoint: Checkpoint, data: TrainTest, options: ResumeOptions): Trainer<R>;
  /** The model in a line or two, given its number of parameters. */
  lines(recipe: R, parameters: string): string[];
  /** @returns with them what is said of the run in place of its test loss */
  results(run: Run<R>): Results & { readonly summary?: readonly string[] };
  /** What to try next, each with what it is. */
  next(out: string): (readonly [command: string, what: string])[];
}

const thousands = (value: number) => value.toLocaleString('en');

/** The command, with its options. */
export function trainCommand<R extends Recipe>(training: TrainCommand<R>): Command {
  const { name, summary, examples, out } = training;
  return {
    name,
    summary,
    examples,
    groups: { ...RECIPES[name], Output: runTable(out) },
    run: (options) => runTraining(training, options),
  };
}

/** Runs the command; the exit code. */
async function runTraining<R extends Recipe>(command: TrainCommand<R>, options: Options): Promise<number> {
  const plan = await readPlan(options, command.table, command.out);
  const { checkpoint, choice, out, epochs, seconds } = plan;
  const begin = checkpoint ? null : command.begin(options, choice);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const tidy = requireWritable(out, Object.keys(command.files));
  let session: Session<R> | undefined;
  try {
    session = new Session(command, plan, reporter);
    const data = await loadData(choice, reporter);
    const trainer = checkpoint
      ? command.resume(checkpoint, data, { epochs, limitSeconds: seconds })
      : begin!(data, seconds);
    const engine = await engineReport();
    if (checkpoint && checkpoint.numerics !== engine.numerics) {
      const message = `the run was begun with ${checkpoint.numerics} numerics and goes on with ${engine.numerics}: its bits will differ`;
      reporter.event({ type: 'warning', message });
    }
    const notes = { data: dataNotes(choice), ...(seconds === undefined ? {} : { seconds }) };
    return await session.train({ trainer, data, engine, notes });
  } finally {
    reporter.close();
    session?.close();
    tidy();
  }
}

/** One run in its folder. */
class Session<R extends Recipe> {
  private readonly folder: RunFolder;
  private readonly checkpoints: CheckpointWriter;
  /** Whether the folder holds results of another run, and none of this one. */
  private foreign: boolean;

  /** @throws FileError where another run is writing to the folder */
  constructor(
    private readonly command: TrainCommand<R>,
    private readonly plan: Plan,
    private readonly reporter: Reporter,
  ) {
    const { checkpoint, out } = plan;
    const run = (checkpoint && runOf(checkpoint)) ?? newRun();
    this.folder = new RunFolder(out, run, command.name);
    this.checkpoints = new CheckpointWriter(out, checkpoint?.source ?? null);
    const results = Object.keys(command.files).some((file) => existsSync(join(out, file)));
    this.foreign = !checkpoint && (results || listCheckpoints(out).length > 0);
  }

  close(): void {
    this.folder.release();
  }

  async train(run: Run<R>): Promise<number> {
    const { trainer } = run;
    this.announce(run);
    const { step, position } = trainer.progress;
    let saved = { step: this.plan.checkpoint ? step : -1, at: performance.now() };
    const save = async () => {
      const { step } = trainer.progress;
      if (step === saved.step) return;
      await this.save(run, step);
      saved = { step, at: performance.now() };
    };
    return follow(
      {
        events: trainer.run(),
        begin: { epoch: position.epoch + 1, batch: position.batch },
        after: async () => {
          if (performance.now() - saved.at > SAVE_EVERY) await save();
        },
        finish: async (end) => {
          if (end.signal !== 'divergence') await save();
          await this.finish(run, end);
        },
        keeps: () => trainer.history.epochs.length > 0 && !this.foreign,
      },
      this.reporter,
    );
  }

  private async save({ trainer, notes }: Run<R>, step: number): Promise<void> {
    const bytes = encodeRun(trainer, { resumable: true, notes, run: this.folder.run });
    await this.checkpoints.save(step, bytes);
    this.folder.used = true;
    this.foreign = false;
  }

  /** Says what is about to happen. */
  private announce(run: Run<R>): void {
    const { trainer, data, engine } = run;
    const { step } = trainer.progress;
    const parameters = trainer.recipe.module.parameters().reduce((sum, p) => sum + p.size, 0);
    const { train, test } = data;
    this.reporter.event({
      type: 'start',
      run: { ...describeRun(run), parameters, step },
      epochs: trainer.options.epochs,
      lines: [
        ...this.command.lines(trainer.recipe, `${thousands(parameters)} parameters`),
        `data     ${setName(data)}: ${counted(train.length, 'picture')} to train on, ${thousands(test.length)} to test on`,
        `engine   ${engineLine(engine)}`,
        ...(step > 0 ? [`resumed  after step ${thousands(step)} of ${thousands(trainer.steps)}`] : []),
        '',
      ],
    });
  }

  /** Writes the results and says so. */
  private async finish(run: Run<R>, { signal, last }: Followed): Promise<void> {
    const { command, plan, reporter } = this;
    const { trainer } = run;
    const stopped = signal && !trainer.complete ? { signal, ...last } : null;
    const { summary, ...results } = command.results(run);
    const files = await writeRun(plan.out, command.files, run, results, stopped);
    this.folder.used = true;
    const how = outcome(trainer, stopped, last);
    const over = trainer.complete || signal === 'divergence';
    const goesOn: [string, string][] = over
      ? []
      : [[`${PROGRAM} ${command.name} --resume ${quoted(plan.out)}`, 'goes on, to the same bits']];
    reporter.event({
      type: 'end',
      stopped: stopped?.signal ?? null,
      files,
      numbers: results.hashes.numbers,
      summary: [...(summary ? [how, ...summary] : [how + tested(trainer)]), ''],
      next: [...goesOn, ...command.next(plan.out), [`${PROGRAM} ${command.name} --help`, 'all options']],
    });
  }
}

/** How a run ended, in words. */
function outcome(trainer: Trainer, stopped: Stopped, last: Followed['last']): string {
  const { epochs } = trainer.options;
  const place = `in epoch ${last.epoch} of ${epochs}, after batch ${last.batch}`;
  if (stopped) return `stopped (${stopped.signal}) ${place}`;
  return trainer.complete ? `trained for ${counted(epochs, 'epoch')}` : `time is up ${place}`;
}

/** The test loss after the last epoch, where there is one. */
function tested({ history }: Trainer): string {
  const last = history.epochs.at(-1);
  return last ? `, test loss ${last.testLoss.toFixed(4)}` : '';
}
