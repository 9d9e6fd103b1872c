/** The script of the lesson on kernels: the figure, and files of results to keep and to compare. */
import { signal } from '@preact/signals-core';
import { html, nothing } from 'lit-html';
import type { Lab } from '../../app/lab.ts';
import { download } from '../../app/save.ts';
import { startLesson } from '../../app/start.ts';
import { compared, KERNELS } from './figure.ts';
import { type Results, readResultsFile, resultsText } from './results.ts';

/** What is wrong with the last file. */
const problem = signal('');

async function load(file: File | undefined): Promise<void> {
  if (!file) return;
  try {
    compared.value = await readResultsFile(file);
    problem.value = '';
  } catch (error) {
    problem.value = (error as Error).message;
  }
}

const below = (lab: Lab) => {
  const results = lab.shown as Results | null;
  const save = () =>
    results && download('kernels.json', new Blob([resultsText(results)], { type: 'application/json' }));
  const other = compared.value;
  return html`<div class="compare">
      <button @click=${save} ?disabled=${results === null}>Save JSON</button>
      <label>Compare with a file
        <input type="file" accept=".json,application/json"
          @change=${(event: Event) => load((event.target as HTMLInputElement).files?.[0])} /></label>
      ${other ? html`<button @click=${() => (compared.value = null)}>Remove the file</button>` : nothing}
    </div>
    ${other && !results ? html`<p class="small">The file is read. Press Measure to compare.</p>` : nothing}
    ${problem.value ? html`<p class="problem" role="alert">${problem.value}</p>` : nothing}`;
};

startLesson([KERNELS], { kernels: { below } });
