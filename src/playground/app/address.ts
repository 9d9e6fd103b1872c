/**
 * The settings of a page's figures in its address: `#paths.seed=7&paths.steps=100`. Only what differs from the
 * lesson's own settings is written.
 */
import { didYouMean, shortened, ValueError } from '../../errors.ts';
import { readSetting, type Setting, settingText, type Value } from '../../models/setting.ts';
import type { AnyFigure, Values } from '../figure.ts';

const textOf = (value: Value | undefined): string => (value === undefined ? '' : settingText(value));

/** A setting's value from a text; an empty one stands for none. @throws ValueError */
export function readValue(setting: Setting, text: string): Value | undefined {
  if (setting.is.kind === 'flag') {
    if (text === 'true' || text === 'false') return text === 'true';
    throw new ValueError(`${setting.flag}: expected true or false, got "${shortened(text)}"`);
  }
  if (text === '' && setting.default === null) return undefined;
  return readSetting(setting, text);
}

/** The part of the address that gives a figure these settings; empty for the lesson's own. */
export function addressOf({ id, table, initial }: AnyFigure, values: Values): string {
  return Object.keys(table)
    .filter((name) => textOf(values[name]) !== textOf(initial[name]))
    .map((name) => `${id}.${name}=${encodeURIComponent(textOf(values[name]))}`)
    .join('&');
}

/** What an address says, and what of it cannot be understood. */
export interface Read {
  /** By figure: its settings, where the address has some. */
  readonly values: ReadonlyMap<string, Values>;
  readonly problems: readonly string[];
}

/** The settings in an address. What is wrong stays as the lesson has it. */
export function readAddress(figures: readonly AnyFigure[], hash: string): Read {
  const values = new Map<string, Values>();
  const problems: string[] = [];
  for (const part of hash.replace(/^#/, '').split('&')) {
    if (!part.includes('=')) continue;
    try {
      const [name, text] = split(part);
      const [id, key] = split(name, '.');
      const figure = figures.find((one) => one.id === id);
      if (!figure) throw new ValueError(`expected a figure of this page, got "${shortened(id)}"`);
      if (!Object.hasOwn(figure.table, key)) {
        const names = Object.keys(figure.table);
        throw new ValueError(
          `expected a setting of ${id}, got "${shortened(key)}".${didYouMean(key, names)}`,
        );
      }
      const value = readValue(figure.table[key], text);
      values.set(id, { ...figure.initial, ...values.get(id), [key]: value });
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return { values, problems };
}

/** Both sides of the first mark, decoded. @throws ValueError */
function split(text: string, mark = '='): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) return [text, ''];
  return [decoded(text.slice(0, at)), decoded(text.slice(at + 1))];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError(`expected an encoded text, got "${shortened(text)}"`);
  }
}
