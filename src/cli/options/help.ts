/** The help texts of the program and of its commands, wrapped at the width of the terminal. */
import { nameOf, type Setting, type Settings, settingText } from '../../models/setting.ts';
import { VERSION } from '../../version.ts';
import type { Command } from './command.ts';
import { PROGRAM } from './program.ts';

/** The width of the text in columns: that of the terminal, from 50 to 100. Without a terminal it is 80. */
export const WIDTH = Math.min(100, Math.max(50, process.stdout.columns ?? 80));
/** The largest width of the left column of a list. */
const MOST_LEFT = 30;

const GLOBAL: readonly (readonly [string, string])[] = [
  ['-h, --help', 'Print this help.'],
  ['-v, --version', 'Print the version.'],
  ['--debug', 'Print the stack of an error.'],
];

/** The text in lines of at most `width` columns. A word that is longer stands alone on a line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A list in two columns. A left text that is too wide stands alone on a line. */
function columns(rows: readonly (readonly [left: string, right: string])[], width: number): string[] {
  const left = Math.min(MOST_LEFT, Math.max(...rows.map(([text]) => text.length))) + 2;
  const indent = ' '.repeat(2 + left);
  return rows.flatMap(([name, text]) => {
    const [first = '', ...more] = wrap(text, width - indent.length);
    const rest = more.map((line) => indent + line);
    if (name.length + 2 > left) return [`  ${name}`, indent + first, ...rest];
    return [`  ${name.padEnd(left)}${first}`, ...rest];
  });
}

function optionRow(setting: Setting): [string, string] {
  const { is, meaning, placeholder, argument, alias, defaultText } = setting;
  const value = is.kind === 'flag' ? '' : ` <${placeholder}>`;
  const names =
    'names' in is ? ` ${is.kind === 'choice' ? 'One' : 'One or several'} of: ${is.names.join(', ')}.` : '';
  const shown =
    defaultText ??
    (setting.default === null || setting.default === false
      ? ''
      : settingText(setting.default).replaceAll(',', ', '));
  const notes = [shown && `default: ${shown}`, alias && `also --${alias}`].filter(Boolean).join('; ');
  const left = argument ? `<${setting.flag}>` : `${nameOf(setting)}${value}`;
  return [left, `${meaning}${names}${notes && ` (${notes})`}`];
}

/** Sections of text, each below its title. */
const sections = (parts: readonly (readonly [title: string, lines: readonly string[]])[]): string =>
  parts.map(([title, lines]) => [...(title ? [`${title}:`] : []), ...lines].join('\n')).join('\n\n');

const exampleLines = (examples: readonly string[]) => examples.map((words) => `  $ ${PROGRAM} ${words}`);

/** The help of one command. */
export function commandHelp({ name, summary, groups, examples, usage }: Command, width = WIDTH): string {
  const argument = Object.values(groups)
    .flatMap((table: Settings) => Object.values(table))
    .find((setting) => setting.argument);
  const calls = usage ?? `${name}${argument ? ` [${argument.flag}]` : ''} [options]`;
  return `${sections([
    ['', wrap(`${summary}.`, width)],
    ['Usage', calls.split('\n').map((call) => `  $ ${PROGRAM} ${call}`)],
    ...Object.entries(groups).map(
      ([title, table]) => [title, columns(Object.values(table).map(optionRow), width)] as const,
    ),
    ['Other', columns(GLOBAL, width)],
    ['Examples', exampleLines(examples)],
  ])}\n`;
}

/** The help of the program. @param commands the commands to list: all, or those that begin with the same word */
export function programHelp(
  commands: readonly Command[],
  examples: readonly string[],
  width = WIDTH,
): string {
  return `${sections([
    ['', [`langevin ${VERSION}: diffusion models from scratch, on the CPU.`]],
    ['Usage', [`  $ ${PROGRAM} <command> [options]`, `  $ ${PROGRAM} help <command>`]],
    [
      'Commands',
      columns(
        commands.map(({ name, summary }) => [name, `${summary}.`]),
        width,
      ),
    ],
    ['Options', columns(GLOBAL, width)],
    ['Examples', exampleLines(examples)],
  ])}\n`;
}
