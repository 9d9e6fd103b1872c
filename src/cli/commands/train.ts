/**
 * The code that all training commands share. It claims the output folder, loads the data, starts or resumes the run,
 * writes checkpoints during the run, and writes the results at the end. The training loop is in the library. Each
 * command adds its settings and its results.
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
import { applyEngineOptions, arithmeticOf, engineLine, engineReport } from '../options/engine.ts';
import { PROGRAM } from '../options/program.ts';
import { type Plan, readPlan, runTable } from '../options/resume.ts';
import { counted } from '../report/counted.ts';
import { createReporter, type Reporter } from '../report/reporter.ts';
import { follow, type LoopEnd } from '../report/training-loop.ts';
import { CheckpointWriter, listCheckpoints } from '../results/checkpoints.ts';
import { requireWritable } from '../results/out-folder.ts';
import { periodicSave } from '../results/periodic-save.ts';
import { newRun, RunFolder } from '../results/run-folder.ts';
import {
  describeRun,
  type NamedSets,
  type Results,
  type Run,
  type Stopped,
  setName,
  writeRun,
} from '../results/run-results.ts';

/** A command that trains. It learns from D: by default pictures, but a student learns from its teacher. */
export interface TrainCommand<R extends Recipe, D extends NamedSets = TrainTest> {
  readonly name: 'train denoiser' | 'train classifier' | 'train lecture' | 'train diffusion' | 'distill';
  readonly summary: string;
  readonly examples: readonly string[];
  /** The settings of a new run. */
  readonly table: Settings;
  /** The default output folder. */
  readonly out: string;
  /** The files that it writes, in this order, each with its description. */
  readonly files: Readonly<Record<string, string>>;
  /** Settings that can change when a run resumes, besides the epochs and the time limit. */
  readonly free?: readonly string[];
  /** Reads the options of a new run. The function that it returns creates the trainer. @throws UsageError */
  begin(options: Options, choice: DataChoice): (data: D, limitSeconds?: number) => Trainer<R>;
  /** Loads what the run learns from. */
  load(plan: Plan, options: Options, reporter: Reporter): Promise<D>;
  /** The trainer that continues from a checkpoint. @throws FormatError for one of another kind or other data */
  resume(checkpoint: Checkpoint, data: D, options: ResumeOptions): Trainer<R>;
  /** Values for the file, besides the settings of the recipe. */
  notes(plan: Plan): Readonly<Record<string, unknown>>;
  /** One or two lines that describe the model. @param parameters its number of parameters, in words */
  lines(recipe: R, parameters: string): string[];
  /** The results of the run. If they have a `summary`, it is printed and the test loss is not. */
  results(run: Run<R, D>): Results & { readonly summary?: readonly string[] };
  /** Commands to try next, each with its description. */
  next(out: string): (readonly [command: string, what: string])[];
}

/** What most training commands learn from: the pictures that the options select. It is also noted in the file. */
export const FROM_PICTURES = {
  load: ({ choice }: Plan, _options: Options, reporter: Reporter) => loadData(choice, reporter),
  notes: ({ choice }: Plan) => ({ data: dataNotes(choice) }),
} as const;

const thousands = (value: number) => value.toLocaleString('en');

/** The command with its options, from the parts that differ between training commands. */
export function trainCommand<R extends Recipe, D extends NamedSets = TrainTest>(
  training: TrainCommand<R, D>,
): Command {
  const { name, summary, examples, out } = training;
  return {
    name,
    summary,
    examples,
    groups: { ...RECIPES[name], Output: runTable(out) },
    run: (options) => runTraining(training, options),
  };
}

/** Runs the command and returns the exit code. */
async function runTraining<R extends Recipe, D extends NamedSets>(
  command: TrainCommand<R, D>,
  options: Options,
): Promise<number> {
  const plan = await readPlan(options, command.table, command.out, command.free);
  const { checkpoint, choice, out, epochs, seconds } = plan;
  const begin = checkpoint ? null : command.begin(options, choice);
  const reporter = createReporter(options);
  applyEngineOptions(options);
  const cleanUp = requireWritable(out, Object.keys(command.files));
  let session: Session<R, D> | undefined;
  try {
    session = new Session(command, plan, reporter);
    const data = await command.load(plan, options, reporter);
    const trainer = checkpoint
      ? command.resume(checkpoint, data, { epochs, limitSeconds: seconds })
      : begin!(data, seconds);
    const engine = await engineReport();
    if (checkpoint && arithmeticOf(checkpoint) !== arithmeticOf(engine)) {
      const [before, now] = [checkpoint, engine].map(arithmeticOf);
      const message = `the arithmetic of the run changes from "${before}" to "${now}": its bits will differ`;
      reporter.event({ type: 'warning', message });
    }
    const notes = { ...command.notes(plan), ...(seconds === undefined ? {} : { seconds }) };
    return await session.train({ trainer, data, engine, notes });
  } finally {
    reporter.close();
    session?.close();
    cleanUp();
  }
}

/** One run, and its output folder. */
class Session<R extends Recipe, D extends NamedSets> {
  private readonly folder: RunFolder;
  private readonly checkpoints: CheckpointWriter;
  /** Whether the folder holds results of another run, and no results of this run. */
  private holdsOtherRun: boolean;

  /** @throws FileError if another run writes to the folder */
  constructor(
    private readonly command: TrainCommand<R, D>,
    private readonly plan: Plan,
    private readonly reporter: Reporter,
  ) {
    const { checkpoint, out } = plan;
    const run = (checkpoint && runOf(checkpoint)) ?? newRun();
    this.folder = new RunFolder(out, run, command.name);
    this.checkpoints = new CheckpointWriter(out, checkpoint?.source ?? null);
    const results = Object.keys(command.files).some((file) => existsSync(join(out, file)));
    this.holdsOtherRun = !checkpoint && (results || listCheckpoints(out).length > 0);
  }

  close(): void {
    this.folder.release();
  }

  async train(run: Run<R, D>): Promise<number> {
    const { trainer } = run;
    this.reportStart(run);
    const { step, position } = trainer.progress;
    let saved = this.plan.checkpoint ? step : -1;
    const save = async () => {
      const { step } = trainer.progress;
      if (step === saved) return;
      await this.save(run, step);
      saved = step;
    };
    const warn = (message: string) => this.reporter.event({ type: 'warning', message });
    return follow(
      {
        events: trainer.run(),
        begin: { epoch: position.epoch + 1, batch: position.batch },
        after: periodicSave(save, warn),
        finish: async (end) => {
          if (end.signal !== 'divergence') await save();
          await this.finish(run, end);
        },
        keepDiverged: () => trainer.history.epochs.length > 0 && !this.holdsOtherRun,
      },
      this.reporter,
    );
  }

  private async save({ trainer, notes }: Run<R, D>, step: number): Promise<void> {
    const bytes = encodeRun(trainer, { resumable: true, notes, run: this.folder.run });
    await this.checkpoints.save(step, bytes);
    this.folder.used = true;
    this.holdsOtherRun = false;
  }

  /** Reports the model, the data and the engine. */
  private reportStart(run: Run<R, D>): void {
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
        `data     ${setName(data)}: ${counted(train.length, 'training picture')}, ${counted(test.length, 'test picture')}`,
        `engine   ${engineLine(engine)}`,
        ...(step > 0 ? [`resumed  after step ${thousands(step)} of ${thousands(trainer.steps)}`] : []),
        '',
      ],
    });
  }

  /** Writes the results and reports the end of the run. */
  private async finish(run: Run<R, D>, { signal, last }: LoopEnd): Promise<void> {
    const { command, plan, reporter } = this;
    const { trainer } = run;
    const stopped = signal && !trainer.complete ? { signal, ...last } : null;
    const { summary, ...results } = command.results(run);
    const files = await writeRun(plan.out, command.files, run, results, stopped);
    this.folder.used = true;
    const how = outcome(trainer, stopped, last);
    const over = trainer.complete || signal === 'divergence';
    const resume: [string, string][] = over
      ? []
      : [
          [
            `${PROGRAM} ${command.name} --resume ${quoted(plan.out)}`,
            'continues this run, with the same bits as without a stop',
          ],
        ];
    reporter.event({
      type: 'end',
      stopped: stopped?.signal ?? null,
      files,
      numbers: results.hashes.numbers,
      summary: [...(summary ? [how, ...summary] : [how + testLoss(trainer)]), ''],
      next: [...resume, ...command.next(plan.out), [`${PROGRAM} ${command.name} --help`, 'all options']],
    });
  }
}

/** How a run ended, in words. */
function outcome(trainer: Trainer, stopped: Stopped, last: LoopEnd['last']): string {
  const { epochs } = trainer.options;
  const place = `in epoch ${last.epoch} of ${epochs}, after batch ${last.batch}`;
  if (stopped) return `stopped (${stopped.signal}) ${place}`;
  return trainer.complete ? `trained for ${counted(epochs, 'epoch')}` : `reached the time limit ${place}`;
}

/** The test loss after the last epoch, in words; empty before the first epoch ends. */
function testLoss({ history }: Trainer): string {
  const last = history.epochs.at(-1);
  return last ? `, test loss ${last.testLoss.toFixed(4)}` : '';
}
