#!/usr/bin/env node
/**
 * The command `langevin`: its subcommands, and what an error looks like. Exit code 0 for success, 1 for a
 * failure, 2 for a command line that cannot be understood, 128 + n after signal n. An error is one line on
 * standard error; `--debug` adds the stack.
 */
import { LangevinError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { EVALUATE } from './commands/evaluate.ts';
import { EXPORT } from './commands/export.ts';
import { INFO } from './commands/info.ts';
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
  SAMPLE,
  EVALUATE,
  EXPORT,
  SDE_PATHS,
  SDE_ORDERS,
  NOISE,
  SCHEDULES,
  TOY,
  PAGE,
  INFO,
];
const EXAMPLES = [
  'train denoiser                 on drawn digits, within a minute',
  'train denoiser --data mnist    on real handwriting',
  'sde gbm --paths 5              geometric Brownian motion',
  'tour                           the lecture in order, on one page',
  'train diffusion --data mnist   digits from noise',
  'help train denoiser            all options of a command',
];

const print = (text: string) => void process.stdout.write(text);

/** The help that the words ask for: of a command, of those that begin with a word, or of the program. */
function help(words: readonly string[]): string {
  if (words.length === 0) return programHelp(COMMANDS, EXAMPLES);
  const found = commandOf(COMMANDS, words);
  if (found) return commandHelp(found.command);
  const family = COMMANDS.filter(({ name }) => words.length === 1 && name.startsWith(`${words[0]} `));
  if (family.length === 0) throw unknownCommand(COMMANDS, words);
  return programHelp(family, EXAMPLES);
}

/** What is printed in place of a command; null where a command is to run. */
function printed({ words, globals, tokens }: Request): string | null {
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
 * Runs the command that the words are.
 * @param more options that no person types: how the tour wants its commands to report
 * @returns its exit code
 */
async function run(argv: readonly string[], more: Options = {}): Promise<number> {
  const request = split(COMMANDS, argv);
  const text = printed(request);
  if (text !== null) {
    print(text);
    return 0;
  }
  const found = commandOf(COMMANDS, request.words);
  if (!found) throw unknownCommand(COMMANDS, request.words);
  return found.command.run({ ...optionsOf(found.command, found.rest, request.tokens), ...more });
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
