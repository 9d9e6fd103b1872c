/** The worker of the page that `--browser` opens. On request it measures a subject and posts its rows. */
import type { Answer, Request } from './browser.ts';
import { apply, settingsFor } from './engine.ts';
import { run } from './subject.ts';
import { SUBJECTS } from './subjects.ts';

const post = (answer: Answer) =>
  (globalThis as unknown as { postMessage(a: Answer): void }).postMessage(answer);

async function measure({ subject: name, ...matrix }: Request): Promise<void> {
  const subject = SUBJECTS.find((known) => known.name === name)!;
  const settings = settingsFor(matrix, navigator.hardwareConcurrency);
  for await (const row of run(subject, settings, apply)) post({ row });
  post({ done: true });
}

globalThis.onmessage = ({ data }: MessageEvent<Request>) => {
  measure(data).catch((error) => post({ error: String(error) }));
};
