/** Writes the command line of `langevin` for given settings. Figures, files and pages show it. */
import { defaultOf, defaultsOf, type Settings, settingText, type Value } from './setting.ts';
import { RECIPES, type RecipeName } from './settings.ts';

/** All settings of a recipe in one table. */
export const recipeTable = (name: RecipeName): Settings => Object.assign({}, ...Object.values(RECIPES[name]));

/**
 * A word in the form that shells read. Without special characters it has no quotes. Otherwise it has double quotes, or
 * single quotes if it contains characters that are special in double quotes.
 */
export function quoted(word: string): string {
  if (/^[\w./,:=+@%-]+$/.test(word)) return word;
  if (!/["$`\\!]/.test(word)) return `"${word}"`;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The words after `langevin` that run the recipe `name` with these settings. Settings that are equal to their default
 * are left out. Settings that the command does not have are ignored.
 */
export function commandWords(name: RecipeName, settings: Readonly<Record<string, unknown>>): string[] {
  const table = recipeTable(name);
  const all = { ...defaultsOf(table), ...settings };
  const [before, after]: [string[], string[]] = [name.split(' '), []];
  for (const [key, setting] of Object.entries(table)) {
    const value = settings[key] as Value | null | undefined;
    if (value === undefined || value === null) continue;
    const [word, standard] = [settingText(value), defaultOf(setting, all)];
    if (standard !== undefined && word === settingText(standard)) continue;
    if (setting.argument) before.push(word);
    else if (setting.is.kind === 'flag') after.push(`--${setting.flag}`);
    else if (word.startsWith('-')) after.push(`--${setting.flag}=${word}`);
    else after.push(`--${setting.flag}`, word);
  }
  return [...before, ...after];
}

/** The command line of a recipe, for a shell. @param program the name of the program */
export function commandLine(
  name: RecipeName,
  settings: Readonly<Record<string, unknown>>,
  program = 'langevin',
): string {
  return [program, ...commandWords(name, settings).map(quoted)].join(' ');
}
