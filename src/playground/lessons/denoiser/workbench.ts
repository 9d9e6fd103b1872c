/** The controls below the denoiser's figure: number of threads, data files, and the model as a file. */
import { signal } from '@preact/signals-core';
import { html, nothing, type TemplateResult } from 'lit-html';
import { Stopped } from '../../app/client.ts';
import type { Lab } from '../../app/lab.ts';
import { download } from '../../app/save.ts';
import { drawPictures } from '../../draw/pictures.ts';
import { picture } from '../../draw/svg.ts';
import { shown } from '../../figure.ts';
import type { OpenedDenoiser } from './job.ts';

/** The folder of MNIST on the page's own origin. */
const MNIST = new URL('mnist', document.baseURI).href;
/** The largest number of threads in the list. The other figure compares numbers of threads. */
const MOST_THREADS = 64;

export class Workbench {
  private readonly files = signal<readonly File[]>([]);
  /** The opened model: the name of its file, and its results on test pictures. */
  private readonly opened = signal<{ readonly name: string; readonly model: OpenedDenoiser } | null>(null);
  private readonly problem = signal('');
  private readonly busy = signal('');

  /** Settings of the jobs, in addition to the figure's settings. */
  more(): { readonly files: readonly File[]; readonly mnist: string } {
    return { files: this.files.value, mnist: MNIST };
  }

  below(lab: Lab): TemplateResult {
    return html`
      <div class="fields bench">
        ${this.threads(lab)}
        ${lab.values.value.data === 'files' || this.files.value.length > 0 ? this.data(lab) : nothing}
      </div>
      <details class="pad"><summary>The model as a file</summary>${this.model(lab)}</details>`;
  }

  private threads({ engine }: Lab): TemplateResult {
    const facts = engine.facts.value;
    const most = crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
    const used = facts?.threads ?? most;
    const changed = (event: Event) => engine.setThreads(Number((event.target as HTMLSelectElement).value));
    return html`<div class="field narrow"><label for="denoiser-threads">threads</label>
      <select id="denoiser-threads" @change=${changed}>
        ${Array.from({ length: most }, (_, i) => i + 1).map(
          (n) => html`<option value=${n} .selected=${n === used}>${n}</option>`,
        )}
      </select></div>`;
  }

  private data(lab: Lab): TemplateResult {
    const chosen = (event: Event) => {
      this.files.value = [...(event.target as HTMLInputElement).files!];
      void lab.change({ data: 'files' });
    };
    return html`<div class="field given"><label for="denoiser-files">the four IDX files, gzipped or not</label>
      <input id="denoiser-files" type="file" multiple @change=${chosen} /></div>`;
  }

  private model(lab: Lab): TemplateResult {
    const { engine } = lab;
    const opened = this.opened.value;
    const save = () =>
      this.attempt('saving', async () => {
        const bytes = await engine.run('denoiser-file', {});
        download('model.safetensors', new Blob([bytes]));
      });
    const open = (event: Event) => {
      const [model] = (event.target as HTMLInputElement).files!;
      if (!model) return;
      const settings = { ...(lab.figure.request(lab.values.value) as object), ...this.more(), model };
      void this.attempt(`opening ${model.name}`, async () => {
        this.opened.value = null;
        this.opened.value = {
          name: model.name,
          model: await engine.run('denoiser-open', settings as never),
        };
      });
    };
    return html`
      <p>The model of the last run, as it is now. <code>langevin export --model model.safetensors</code> opens it, and so
        does PyTorch.</p>
      <div class="tools"><button @click=${save}>Download the model</button></div>
      <div class="field given"><label for="denoiser-model">open a denoiser, a file .safetensors</label>
        <input id="denoiser-model" type="file" accept=".safetensors" @change=${open} /></div>
      <p class="status" role="status">${this.busy.value}</p>
      ${this.problem.value ? html`<p class="problem" role="alert">${this.problem.value}</p>` : nothing}
      ${opened ? this.shown(opened, lab) : nothing}`;
  }

  private shown({ name, model }: { name: string; model: OpenedDenoiser }, lab: Lab): TemplateResult {
    const { description, testLoss, pictures, hashes } = model;
    const rows = pictures.rows.map(({ label, pixels }) => ({ label, at: (i: number) => pixels[i] }));
    const width = lab.room;
    const { svg, height } = drawPictures({ ...pictures, rows }, width);
    const label = `Ten test digits, the same with noise, and what the denoiser in ${name} makes of them`;
    return html`<p>${name}: a denoiser ${description}. Its loss on the test pictures is ${shown(testLoss)}.</p>
      <div class="picture" .innerHTML=${picture(width, height, label, svg)}></div>
      <dl class="hashes"><dt>denoised.png</dt><dd><code data-opened>${hashes['denoised.png']}</code></dd></dl>`;
  }

  /** Runs `what` and shows `words` meanwhile. If it fails, shows the error's message. */
  private async attempt(words: string, what: () => Promise<void>): Promise<void> {
    [this.busy.value, this.problem.value] = [`${words} …`, ''];
    try {
      await what();
    } catch (error) {
      if (!(error instanceof Stopped)) this.problem.value = (error as Error).message;
    } finally {
      this.busy.value = '';
    }
  }
}
