/** The line of the command `langevin` that makes the same thing as given settings, for figures, files and pages. */
import { defaultOf, defaultsOf, type Settings, settingText, type Value } from './setting.ts';
import { RECIPES, type RecipeName } from './settings.ts';

/** The settings of a recipe in one table. */
export const recipeTable = (name: RecipeName): Settings => Object.assign({}, ...Object.values(RECIPES[name]));

/**
 * A word as shells take it: as it is where it has no special character, else in double quotes; in single quotes where
 * it holds what double quotes do not keep.
 */
export function quoted(word: string): string {
  if (/^[\w./,:=+@%-]+$/.test(word)) return word;
  if (!/["$`\\!]/.test(word)) return `"${word}"`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The words after `langevin` that make `name` with these settings. Those that are the defaults are left out, and so is
 * what no option of the command says.
 */
export function commandWords(name: RecipeName, settings: Readonly<Record<string, unknown>>): string[] {
  const table = recipeTable(name);
  const given = { ...defaultsOf(table), ...settings };
  const [before, after]: [string[], string[]] = [name.split(' '), []];
  for (const [key, setting] of Object.entries(table)) {
    const value = settings[key] as Value | null | undefined;
    if (value === undefined || value === null) continue;
    const [word, otherwise] = [settingText(value), defaultOf(setting, given)];
    if (otherwise !== undefined && word === settingText(otherwise)) continue;
    if (setting.argument) before.push(word);
    else if (setting.is.kind === 'flag') after.push(`--${setting.flag}`);
    else if (word.startsWith('-')) after.push(`--${setting.flag}=${word}`);
    else after.push(`--${setting.flag}`, word);
  }
  return [...before, ...after];
}

/** The same as one line for a shell. @param program how the command is called here */
export function commandLine(
  name: RecipeName,
  settings: Readonly<Record<string, unknown>>,
  program = 'langevin',
): string {
  return [program, ...commandWords(name, settings).map(quoted)].join(' ');
}
