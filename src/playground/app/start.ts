/** Starts a lesson: its figures, the tabs of their panels, the engine, and the service worker. */
import { effect } from '@preact/signals-core';
import type { AnyFigure } from '../figure.ts';
import { readAddress } from './address.ts';
import { Engine } from './client.ts';
import { isolate } from './isolate.ts';
import { type Extras, Lab } from './lab.ts';
import { startTabs } from './tabs.ts';

/** What a lesson's script works with. */
export interface Started {
  readonly labs: readonly Lab[];
  readonly engine: Engine;
}

/** @param extras by figure: what the lesson adds to it */
export function startLesson(
  figures: readonly AnyFigure[],
  extras: Readonly<Record<string, Extras>> = {},
): Started {
  const { engine: url = '' } = document.documentElement.dataset;
  const engine = new Engine(new URL(url, document.baseURI).href);
  const { values, problems } = readAddress(figures, location.hash);
  if (problems.length > 0) say(`The address has what this page does not understand: ${problems.join('; ')}`);
  const labs = figures.map((figure) => {
    const root = document.querySelector<HTMLElement>(`#${figure.id}`)!;
    startTabs(root);
    return new Lab(figure, root, engine, values.get(figure.id), extras[figure.id]);
  });
  const first = [...values.keys()].find((id) => id !== figures[0]?.id);
  if (first && values.size === 1) document.querySelector(`#${first}`)?.scrollIntoView();
  showFacts(engine);
  keepPage();
  void isolate();
  return { labs, engine };
}

/** Words at the head of the page. */
function say(words: string): void {
  const place = document.querySelector<HTMLElement>('#notice')!;
  place.textContent = words;
  place.hidden = false;
}

/** A file that is dropped beside its field would replace the page in this tab. */
function keepPage(): void {
  const beside = (event: Event) =>
    !(event.target instanceof HTMLInputElement && event.target.type === 'file');
  addEventListener('dragover', (event) => {
    if (beside(event)) event.preventDefault();
  });
  addEventListener('drop', (event) => {
    if (!beside(event)) return;
    event.preventDefault();
    if (event.dataTransfer?.files.length)
      say('A file was dropped beside its field. Drop it on the button of the field.');
  });
}

function showFacts({ facts }: Engine): void {
  const place = document.querySelector<HTMLElement>('#engine')!;
  effect(() => {
    const known = facts.value;
    if (!known) return;
    const threads = known.threads === 1 ? 'one thread' : `${known.threads} threads`;
    const why = known.isolated
      ? ''
      : ' This page is not isolated, so memory cannot be shared: one thread, the same bits.';
    place.textContent = `Computed here, on ${threads} of ${known.processors}.${why}`;
  });
}
