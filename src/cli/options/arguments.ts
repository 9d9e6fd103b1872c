/**
 * From words on a command line to values: what cac does not do. Values stay the text that was typed, every flag
 * must be known, and what is wrong is said in one line with the nearest name.
 */
import type { CAC, Command } from 'cac';
import { didYouMean, LangevinError } from '../../errors.ts';

/** A command line that cannot be understood: exit code 2. */
export class UsageError extends LangevinError {}

/** Options and arguments of a command by their camel-cased names: text, or true for an option without a value. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

const MARK = '\u0001';

/** Marks words that cac would take for numbers, or not for values: 007 is to stay 007, and -1 a value. */
function mark(word: string): string {
  const [, flag, value] = /^(--?[^=]+=)(.*)$/s.exec(word) ?? [];
  if (flag !== undefined) return `${flag}${MARK}${value}`;
  return Number.isNaN(Number(word)) ? word : MARK + word;
}

const unmark = (value: unknown) =>
  typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : value;

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
/** An option's name as it is typed: `--data-dir` for `dataDir`. */
export const dashed = (name: string) => `${name.length > 1 ? '--' : '-'}${kebab(name)}`;

/** The words of `argv` with the two of a command such as `train denoiser` joined to one, as cac wants them. */
function joinCommand(cli: CAC, argv: readonly string[]): string[] {
  const words = [...argv];
  for (let i = 0; i + 1 < words.length; i++) {
    const both = `${words[i]} ${words[i + 1]}`;
    if (!cli.commands.some((command) => command.name === both)) continue;
    words.splice(i, 2, both);
    break;
  }
  return words;
}

/** @throws UsageError for a command that there is not */
function requireCommand(cli: CAC): Command | undefined {
  if (cli.matchedCommand || cli.args.length === 0) return cli.matchedCommand;
  const given = cli.args
    .slice(0, 2)
    .map((word) => String(unmark(word)))
    .join(' ');
  const names = cli.commands.map((command) => command.name);
  const longer = names.filter((name) => name.startsWith(`${cli.args[0]} `));
  if (longer.length > 0 && cli.args.length === 1) {
    throw new UsageError(`${given}: expected another word, as in langevin ${longer.join(', langevin ')}`);
  }
  const candidates = given.includes(' ') ? names : [...new Set(names.map((name) => name.split(' ')[0]))];
  throw new UsageError(`unknown command "${given}".${didYouMean(given, candidates)} Try langevin --help`);
}

/** @throws UsageError for an unknown option, one given twice, or one without its value */
function requireOptions(cli: CAC, command: Command): Options {
  const known = [...command.options, ...cli.globalCommand.options];
  const checked: Record<string, string | boolean> = {};
  for (const [name, given] of Object.entries(cli.options)) {
    if (name === '--') continue;
    const option = known.find(({ names }) => names.includes(name));
    if (!option) {
      const all = known.flatMap(({ names }) => names.filter((n) => n.length > 1)).map(kebab);
      const near = didYouMean(kebab(name), all).replace(/"(.*)"/, '--$1');
      const where = command === cli.globalCommand ? 'langevin' : `langevin ${command.name}`;
      throw new UsageError(`unknown option ${dashed(name)}.${near} Try ${where} --help`);
    }
    if (Array.isArray(given) && option.rawName.includes(',...')) {
      // One that may be given several times, or once with commas.
      checked[name] = given.map(unmark).join(',');
      continue;
    }
    if (Array.isArray(given))
      throw new UsageError(`${dashed(name)}: expected one value, got ${given.length}`);
    const value = unmark(given);
    if (!option.isBoolean && typeof value !== 'string') {
      throw new UsageError(`${dashed(name)}: expected a value, got none`);
    }
    checked[name] = value as string | boolean;
  }
  return checked;
}

/**
 * Reads a command line; help and version are printed where they are asked for.
 * @param argv the words after the program's name
 * @returns the command and its options, or nothing when there is nothing left to do
 * @throws UsageError
 */
export function parse(cli: CAC, argv: readonly string[]): { command: Command; options: Options } | undefined {
  const joined = joinCommand(cli, argv);
  cli.parse(['node', 'langevin', ...joined.map(mark)], { run: false });
  if (cli.options.help || cli.options.version) return undefined;
  const command = requireCommand(cli);
  if (!command) {
    requireOptions(cli, cli.globalCommand);
    cli.outputHelp();
    return undefined;
  }
  const options = requireOptions(cli, command);
  const places = command.args.map((arg, i) => [arg.value, unmark(cli.args[i])] as const);
  const surplus = [...cli.args.slice(places.length), ...((cli.options['--'] as string[]) ?? [])].map(unmark);
  if (surplus.length > 0) throw new UsageError(`${command.name}: unexpected "${surplus.join(' ')}"`);
  const words = Object.fromEntries(places.filter(([, word]) => word !== undefined));
  return { command, options: { ...options, ...(words as Options) } };
}

/** The text of option `name`, `otherwise` where it was not given. @throws UsageError for an empty text */
export function text<T>(options: Options, name: string, otherwise: T): string | T {
  const given = options[name];
  if (given === undefined) return otherwise;
  if (given === '') throw new UsageError(`${dashed(name)}: expected a value, got an empty one`);
  return given as string;
}

/**
 * The number that option `name` gives, `otherwise` where it was not given.
 * @param expected what is accepted, in words
 * @throws UsageError unless it is a decimal number that `accepts` accepts
 */
export function number<T>(
  options: Options,
  name: string,
  otherwise: T,
  expected: string,
  accepts: (value: number) => boolean,
): number | T {
  const given = options[name];
  if (given === undefined) return otherwise;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given as string) ? Number(given) : Number.NaN;
  if (Number.isFinite(value) && accepts(value)) return value;
  throw new UsageError(`${dashed(name)}: expected ${expected}, got "${given}"`);
}

/** A whole number >= 1. @throws UsageError */
export function count<T>(options: Options, name: string, otherwise: T): number | T {
  return number(options, name, otherwise, 'a whole number >= 1', (n) => Number.isSafeInteger(n) && n >= 1);
}

/** One of `names`. @throws UsageError with the nearest name */
export function oneOf<N extends string>(
  options: Options,
  name: string,
  names: readonly N[],
  otherwise: N,
): N {
  const given = text(options, name, otherwise);
  if (names.includes(given as N)) return given as N;
  throw new UsageError(
    `${dashed(name)}: expected ${names.join(', ')}, got "${given}".${didYouMean(given, names)}`,
  );
}
