/** The fields of a figure's settings, made from the same table as the command's options. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Setting, Value } from '../../models/setting.ts';
import { settingText } from '../../models/setting.ts';
import type { AnyFigure, Values } from '../figure.ts';
import { readValue } from './address.ts';

/** What a field calls with a new value, or with the message about a wrong text. */
export interface Changes {
  set(name: string, value: Value | undefined): void;
  refuse(name: string, message: string): void;
}

const NARROW = /^(paths|steps|time|seed|pictures|count|resamples)$/;

/** The fields of all settings but the seed, which is beside the buttons. */
export function fields(
  figure: AnyFigure,
  values: Values,
  wrong: ReadonlyMap<string, string>,
  changes: Changes,
): TemplateResult {
  const hidden = figure.hidden?.(values) ?? [];
  const names = Object.keys(figure.table).filter((name) => name !== 'seed' && !hidden.includes(name));
  return html`${names.map((name) => field(figure, name, values[name], wrong.get(name), changes))}`;
}

export function field(
  figure: AnyFigure,
  name: string,
  value: Value | undefined,
  wrong: string | undefined,
  changes: Changes,
): TemplateResult {
  const setting = figure.table[name];
  const id = `${figure.id}-${name}`;
  const label = figure.labels?.[name] ?? setting.flag.replaceAll('-', ' ');
  const read = (text: string) => {
    try {
      changes.set(name, readValue(setting, text));
    } catch (error) {
      changes.refuse(name, (error as Error).message);
    }
  };
  const input = inputOf({ figure, name, id, setting, value, wrong, read });
  if (setting.is.kind === 'flag') {
    return html`<label class="field check" title=${setting.meaning}>${input}<span>${label}</span></label>`;
  }
  if (setting.is.kind === 'choices') {
    return html`<fieldset class="field wide"><legend>${label}</legend><div class="checks">${input}</div></fieldset>`;
  }
  return html`<div class=${NARROW.test(name) ? 'field narrow' : 'field'}>
    <label for=${id} title=${setting.meaning}>${label}</label>${input}
    ${wrong ? html`<p class="wrong" id="${id}-wrong">${wrong}</p>` : nothing}
  </div>`;
}

interface Input {
  readonly figure: AnyFigure;
  readonly name: string;
  readonly id: string;
  readonly setting: Setting;
  readonly value: Value | undefined;
  readonly wrong: string | undefined;
  read(text: string): void;
}

function inputOf({ figure, name, id, setting, value, wrong, read }: Input) {
  const { is } = setting;
  const none = figure.none?.[name];
  const text = value === undefined ? '' : settingText(value);
  const textOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value.trim();
  if (is.kind === 'flag') {
    const changed = (event: Event) => read(String((event.target as HTMLInputElement).checked));
    return html`<input id=${id} type="checkbox" .checked=${value === true} @change=${changed} />`;
  }
  if (is.kind === 'choices') {
    const chosen = value as readonly string[];
    const toggled = (word: string, on: boolean) =>
      read(is.names.filter((one) => (one === word ? on : chosen.includes(one))).join(','));
    return html`${is.names.map(
      (word) => html`<label class="check"><input type="checkbox" .checked=${chosen.includes(word)}
        @change=${(event: Event) => toggled(word, (event.target as HTMLInputElement).checked)} /><span>${word}</span></label>`,
    )}`;
  }
  if (is.kind === 'choice') {
    const options = [...(none === undefined ? [] : ['']), ...is.names];
    return html`<select id=${id} @change=${(event: Event) => read(textOf(event))}>
      ${options.map((word) => html`<option value=${word} ?selected=${word === text}>${word === '' ? none : word}</option>`)}
    </select>`;
  }
  return html`<input id=${id} type="text" autocomplete="off" spellcheck="false"
    inputmode=${is.kind === 'number' ? 'decimal' : 'text'} placeholder=${none ?? nothing} .value=${text}
    aria-invalid=${wrong ? 'true' : nothing} aria-describedby=${wrong ? `${id}-wrong` : nothing}
    @change=${(event: Event) => read(textOf(event))} />`;
}
