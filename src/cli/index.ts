#!/usr/bin/env node
/**
 * The program `langevin`: its list of commands, its help, and the printing of errors. The exit code is 0 for success,
 * 1 for a failure, 2 for an invalid command line, and 128 + n after signal n. An error is one line on standard error.
 * `--debug` adds the stack.
 */
import { LangevinError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { DATA } from './commands/data.ts';
import { DISTILL } from './commands/distill.ts';
import { EVALUATE } from './commands/evaluate.ts';
import { EXPORT } from './commands/export.ts';
import { IMPORT } from './commands/import.ts';
import { INFO } from './commands/info.ts';
import { INSPECT } from './commands/inspect.ts';
import { MODELS } from './commands/models.ts';
import { NOISE } from './commands/noise.ts';
import { PAGE } from './commands/page.ts';
import { SAMPLE } from './commands/sample.ts';
import { SCHEDULES } from './commands/schedules.ts';
import { SDE_PATHS } from './commands/sde.ts';
import { SDE_ORDERS } from './commands/sde-orders.ts';
import { tour } from './commands/tour.ts';
import { TOY } from './commands/toy.ts';
import { TRAIN_CLASSIFIER } from './commands/train-classifier.ts';
import { TRAIN_DENOISER } from './commands/train-denoiser.ts';
import { TRAIN_DIFFUSION } from './commands/train-diffusion.ts';
import { TRAIN_LECTURE } from './commands/train-lecture.ts';
import { type Options, UsageError } from './options/arguments.ts';
import {
  type Command,
  commandOf,
  optionsOf,
  type Request,
  split,
  unknownCommand,
} from './options/command.ts';
import { commandHelp, programHelp } from './options/help.ts';

const COMMANDS: readonly Command[] = [
  tour(run),
  TRAIN_DENOISER,
  TRAIN_LECTURE,
  TRAIN_CLASSIFIER,
  TRAIN_DIFFUSION,
  DISTILL,
  SAMPLE,
  EVALUATE,
  EXPORT,
  IMPORT,
  INSPECT,
  MODELS,
  SDE_PATHS,
  SDE_ORDERS,
  DATA,
  NOISE,
  SCHEDULES,
  TOY,
  PAGE,
  INFO,
];
const EXAMPLES = [
  'train denoiser                 trains in about a minute',
  'train denoiser --data mnist    trains on real handwriting',
  'train diffusion --data mnist   trains a model of digits',
  'sample --model mnist-unet      samples a hundred digits',
  'sde gbm --paths 5              draws five paths',
  'tour                           runs all parts of the lecture',
  'help train denoiser            prints all options',
];

const print = (text: string) => void process.stdout.write(text);

/** The help for these words: of a command, of all commands that begin with a word, or of the program. */
function help(words: readonly string[]): string {
  if (words.length === 0) return programHelp(COMMANDS, EXAMPLES);
  const found = commandOf(COMMANDS, words);
  if (found) return commandHelp(found.command);
  const matching = COMMANDS.filter(({ name }) => words.length === 1 && name.startsWith(`${words[0]} `));
  if (matching.length === 0) throw unknownCommand(COMMANDS, words);
  return programHelp(matching, EXAMPLES);
}

/** The help or the version, if the command line requests it; null if it contains a command to run. */
function helpOrVersion({ words, globals, tokens }: Request): string | null {
  if (words[0] === 'help') return help(words.slice(1));
  if (globals.has('help')) return help(words);
  if (globals.has('version')) {
    return `langevin/${VERSION} ${process.platform}-${process.arch} node-${process.version}\n`;
  }
  if (words.length > 0) return null;
  optionsOf(null, [], tokens);
  return programHelp(COMMANDS, EXAMPLES);
}

/**
 * Runs the command of a command line.
 * @param more options in addition to those of the command line: the tour sets `quiet` and `progress` for its commands
 * @returns the exit code of the command
 */
async function run(argv: readonly string[], more: Options = {}): Promise<number> {
  const request = split(COMMANDS, argv);
  const text = helpOrVersion(request);
  if (text !== null) {
    print(text);
    return 0;
  }
  const found = commandOf(COMMANDS, request.words);
  if (!found) throw unknownCommand(COMMANDS, request.words);
  return found.command.run({ ...optionsOf(found.command, found.rest, request.tokens), ...more });
}

/** Prints an error in one line, and returns the exit code. */
function reportError(error: unknown): number {
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

// If the reader of the output stops early, as in `langevin --help | head -1`, this is no error.
process.stdout.on('error', () => {});
process.exitCode = await run(process.argv.slice(2)).catch(reportError);
