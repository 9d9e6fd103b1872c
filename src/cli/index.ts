#!/usr/bin/env node
/**
 * The command `langevin`: its subcommands, and what an error looks like. Exit code 0 for success, 1 for a
 * failure, 2 for a command line that cannot be understood, 128 + n after signal n. An error is one line on
 * standard error; `--debug` adds the stack.
 */
import { type Command, cac } from 'cac';
import { LangevinError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { addEvaluateOptions, evaluateCommand } from './commands/evaluate.ts';
import { addInfoOptions, infoCommand } from './commands/info.ts';
import { addNoiseOptions, noiseCommand } from './commands/noise.ts';
import { addSampleOptions, sampleCommand } from './commands/sample.ts';
import { addSchedulesOptions, schedulesCommand } from './commands/schedules.ts';
import { addSdeOptions, sdeCommand } from './commands/sde.ts';
import { addTourOptions, tourCommand } from './commands/tour.ts';
import { addToyOptions, toyCommand } from './commands/toy.ts';
import { addDenoiserOptions, trainDenoiserCommand } from './commands/train-denoiser.ts';
import { trainDiffusionCommand } from './commands/train-diffusion.ts';
import { addLectureOptions, trainLectureCommand } from './commands/train-lecture.ts';
import { type Options, parse, UsageError } from './options/arguments.ts';
import { addDiffusionOptions } from './options/diffusion.ts';

const cli = cac('langevin');
type Action = (options: Options) => Promise<number>;
const actions = new Map<Command, Action>();

/** Declares a command. */
function command(name: string, what: string, add: (command: Command) => Command, action: Action): void {
  actions.set(add(cli.command(name, what)), action);
}

command('tour', 'The lecture in order, on one page, in under three minutes', addTourOptions, (options) =>
  tourCommand(options, run),
);
command(
  'train denoiser',
  'Train the denoising autoencoder, and draw what it learned',
  addDenoiserOptions,
  trainDenoiserCommand,
);
command(
  'train lecture',
  "Train the lecture's diffusion model, and see what it cannot learn",
  addLectureOptions,
  trainLectureCommand,
);
command(
  'train diffusion',
  'Train a diffusion model, which makes digits of noise',
  addDiffusionOptions,
  trainDiffusionCommand,
);
command('sample', 'Make pictures with a trained diffusion model', addSampleOptions, sampleCommand);
command('evaluate', 'Judge the pictures of a trained diffusion model', addEvaluateOptions, evaluateCommand);
command('sde [process]', 'Solve and draw a stochastic differential equation', addSdeOptions, sdeCommand);
command('noise', 'Draw pictures on their way into noise', addNoiseOptions, noiseCommand);
command('schedules', 'Plot noise schedules side by side', addSchedulesOptions, schedulesCommand);
command(
  'toy [set]',
  'Diffusion in the plane: learned scores beside the exact ones',
  addToyOptions,
  toyCommand,
);
command('info', 'Print what langevin finds on this machine', addInfoOptions, infoCommand);
cli.option('--debug', 'Print the stack of an error');
cli.help((sections) => sections.filter(({ title }) => !title?.startsWith('For more info')));
cli.version(VERSION);
cli.example('  $ langevin train denoiser                  on drawn digits, within a minute');
cli.example('  $ langevin train denoiser --data mnist     on real handwriting');
cli.example('  $ langevin sde gbm --paths 5                geometric Brownian motion');
cli.example('  $ langevin tour                            the lecture in order, on one page');
cli.example('  $ langevin train diffusion --data mnist     digits out of noise');
cli.example('  $ langevin train denoiser --help           all options of a command');
cli.example('  $ langevin info');

/** Runs the command that the words are; its exit code. */
async function run(words: readonly string[]): Promise<number> {
  const parsed = parse(cli, words);
  return parsed ? await actions.get(parsed.command)!(parsed.options) : 0;
}

function report(error: unknown): number {
  const known = error instanceof LangevinError;
  const message = known
    ? error.message
    : `internal: ${error instanceof Error ? error.message : String(error)}`;
  const debug = process.argv.includes('--debug');
  const hint = known || debug ? '' : ' (--debug prints the stack)';
  process.stderr.write(`langevin: ${message.replace(/\s*\n\s*/g, ' ')}${hint}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return error instanceof UsageError ? 2 : 1;
}

// A reader that goes away, as in `langevin --help | head -1`, is no error.
process.stdout.on('error', () => {});
process.exitCode = await run(process.argv.slice(2)).catch(report);
