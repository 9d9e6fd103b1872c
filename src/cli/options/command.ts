/** Describes a command as data, and parses a command line into a command and its options. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../../errors.ts';
import { nameOf, type Setting, type Settings } from '../../models/setting.ts';
import { type Options, UsageError } from './arguments.ts';
import { PROGRAM } from './program.ts';

export interface Command {
  /** One word or two: `train denoiser`. */
  readonly name: string;
  /** One line that says what the command does. */
  readonly summary: string;
  /** Tables of settings by their titles in the help. */
  readonly groups: Readonly<Record<string, Settings>>;
  /** Example command lines, without the name of the program. */
  readonly examples: readonly string[];
  /** The usage lines. Default: `name [options]`. */
  readonly usage?: string;
  /** Runs the command and returns the exit code. */
  run(options: Options): Promise<number>;
}

/** The options that every command has. They are also valid without a command. */
const GLOBAL = ['help', 'version', 'debug'] as const;
type Global = (typeof GLOBAL)[number];

/** A command line, split into words and options. */
export interface Request {
  /** The words that are neither options nor values of options. */
  readonly words: readonly string[];
  readonly globals: ReadonlySet<Global>;
  readonly tokens: readonly Token[];
}

type Token = Extract<NonNullable<ReturnType<typeof parseArgs>['tokens']>[number], { kind: 'option' }>;

/** The settings of a command in one table. */
export const tableOf = ({ groups }: Command): Settings => Object.assign({}, ...Object.values(groups));

const flagsOf = ({ flag, alias }: Setting) => (alias === undefined ? [flag] : [flag, alias]);
const settingsOf = (commands: readonly Command[]): Setting[] =>
  commands.flatMap((command) => Object.values(tableOf(command)));

/**
 * Splits a command line into words and options. The options of all commands are known here. An option with a value
 * takes the next word, even if this word begins with a minus.
 */
export function split(commands: readonly Command[], argv: readonly string[]): Request {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'v' },
    debug: { type: 'boolean' },
  };
  for (const setting of settingsOf(commands)) {
    if (setting.argument) continue;
    const type = setting.is.kind === 'flag' ? 'boolean' : 'string';
    for (const name of flagsOf(setting)) options[name] = { type };
  }
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const given = tokens.filter((token): token is Token => token.kind === 'option');
  const isGlobal = (name: string): name is Global => GLOBAL.includes(name as Global);
  return {
    words,
    globals: new Set(given.map(({ name }) => name).filter(isGlobal)),
    tokens: given.filter(({ name }) => !isGlobal(name)),
  };
}

/** The command whose name the words begin with, and the words after this name. A name of two words has priority. */
export function commandOf(
  commands: readonly Command[],
  words: readonly string[],
): { command: Command; rest: readonly string[] } | null {
  for (const length of [2, 1]) {
    const command = commands.find(({ name }) => name === words.slice(0, length).join(' '));
    if (command) return { command, rest: words.slice(command.name.split(' ').length) };
  }
  return null;
}

/** The error for words that are not the name of a command. */
export function unknownCommand(commands: readonly Command[], words: readonly string[]): UsageError {
  const names = commands.map(({ name }) => name);
  const longer = names.filter((name) => name.startsWith(`${words[0]} `));
  if (longer.length > 0 && words.length === 1) {
    const calls = longer.map((name) => `${PROGRAM} ${name}`);
    return new UsageError(`${words[0]}: expected another word, as in ${calls.join(', ')}`);
  }
  const given = words.slice(0, 2).join(' ');
  const candidates = words.length > 1 ? names : [...new Set(names.map((name) => name.split(' ')[0]))];
  return new UsageError(`unknown command "${given}".${didYouMean(given, candidates)} Try ${PROGRAM} --help`);
}

/** The error for an option that the command does not have. @param command null for a command line without a command */
function unknownOption(command: Command | null, token: Token): UsageError {
  const flags = command
    ? Object.values(tableOf(command))
        .filter(({ argument }) => !argument)
        .flatMap(flagsOf)
    : [];
  const near = didYouMean(token.name, [...flags, ...GLOBAL]).replace(/"(.*)"/, '--$1');
  const where = [PROGRAM, ...(command ? [command.name] : [])].join(' ');
  return new UsageError(`unknown option ${token.rawName}.${near} Try ${where} --help`);
}

/**
 * The options of a command line by their names in the command's tables.
 * @param rest the words after the command's name
 * @throws UsageError for an unknown option, a repeated option, an option without its value, or too many words
 */
export function optionsOf(
  command: Command | null,
  rest: readonly string[],
  tokens: readonly Token[],
): Options {
  const entries = Object.entries(command ? tableOf(command) : {});
  const options: Record<string, string | true> = {};
  for (const token of tokens) {
    const entry = entries.find(([, setting]) => !setting.argument && flagsOf(setting).includes(token.name));
    if (!entry) throw unknownOption(command, token);
    const [name, setting] = entry;
    const value = valueFrom(token, setting, entries);
    const before = options[name];
    if (before === undefined) options[name] = value;
    else if (setting.is.kind === 'assignments') options[name] = `${before},${value}`;
    else throw new UsageError(`${nameOf(setting)}: expected one value, got several`);
  }
  const places = entries.filter(([, { argument }]) => argument);
  if (rest.length > places.length) {
    throw new UsageError(`${command?.name}: unexpected "${rest.slice(places.length).join(' ')}"`);
  }
  for (const [i, word] of rest.entries()) options[places[i][0]] = word;
  return options;
}

/** The value of an option. @throws UsageError for an option without its value, or a flag with a value */
function valueFrom(
  token: Token,
  setting: Setting,
  entries: readonly (readonly [string, Setting])[],
): string | true {
  const { value, inlineValue, rawName } = token;
  if (setting.is.kind === 'flag') {
    if (value === undefined) return true;
    throw new UsageError(`${rawName}: expected no value, got "${value}"`);
  }
  // In `--seed --json` the value of the seed is missing. In `--seed=--json` the value is "--json".
  const known = [...entries.map(([, known]) => known).flatMap(flagsOf), ...GLOBAL];
  const isOption =
    !inlineValue && known.some((flag) => value === `--${flag}` || value?.startsWith(`--${flag}=`));
  if (value === undefined || isOption) throw new UsageError(`${rawName}: expected a value, got none`);
  return value;
}
