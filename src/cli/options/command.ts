/** A command of the program as data, and the words of a command line as one of them with its options. */
import { parseArgs } from 'node:util';
import { didYouMean } from '../../errors.ts';
import { nameOf, type Setting, type Settings } from '../../models/setting.ts';
import { type Options, UsageError } from './arguments.ts';
import { PROGRAM } from './program.ts';

export interface Command {
  /** One word or two: `train denoiser`. */
  readonly name: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Tables of settings by their titles in the help. */
  readonly groups: Readonly<Record<string, Settings>>;
  /** The words after the program's name, each with what it does. */
  readonly examples: readonly string[];
  /** How to call it, where `name [options]` does not say it. */
  readonly usage?: string;
  /** Runs it; the exit code. */
  run(options: Options): Promise<number>;
}

/** Options of every command, and of none. */
const GLOBAL = ['help', 'version', 'debug'] as const;
type Global = (typeof GLOBAL)[number];

/** What a command line asks for. */
export interface Request {
  /** The first words that are no options. */
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

/** Splits a command line by what any command declares: an option takes the word after it, also one with a minus. */
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

/** The command whose name the words begin with, the longer name first, and the words after it. */
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

/** That there is no such command. */
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

/** That the command has no such option. @param command null outside of any */
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
 * The options of a command as they were typed, by their names in its tables.
 * @param rest the words after the command's name
 * @throws UsageError for an unknown option, one given twice, one without its value, and a word too many
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

/** @throws UsageError for an option without its value, or a flag with one */
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
  // `--seed --json` forgets the seed; `--seed=--json` means it.
  const known = [...entries.map(([, known]) => known).flatMap(flagsOf), ...GLOBAL];
  const isOption =
    !inlineValue && known.some((flag) => value === `--${flag}` || value?.startsWith(`--${flag}=`));
  if (value === undefined || isOption) throw new UsageError(`${rawName}: expected a value, got none`);
  return value;
}
