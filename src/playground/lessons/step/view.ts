/**
 * The stepper: it walks through the nodes of a real training step, forward and backward. The left and right arrow keys
 * walk. Up and down close and open the kernel calls of the node. A click or the arrow keys in the picture of a tensor
 * choose a number.
 *
 * It is one class because all its views read and write the same signals: the position, the tensor and the number.
 */
import { computed, effect, signal } from '@preact/signals-core';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { type Engine, type Running, Stopped } from '../../app/client.ts';
import { signed } from '../../draw/pixels.ts';
import { shown } from '../../figure.ts';
import { STEP_SETTINGS, type StepSettings, stepCommand } from './command.ts';
import type { BrokenResult, StepResult, TensorResult } from './jobs.ts';
import { drawLosses } from './losses.ts';
import type { TensorFacts } from './session.ts';

/** Steps of training with a wrong sign. */
const BROKEN_STEPS = 60;
/** Derivatives that can be broken: of which op, to which input. */
const BREAKS = [
  { op: 'linear', input: 1, name: 'linear: to its weights' },
  { op: 'linear', input: 0, name: 'linear: to its input' },
  { op: 'linear', input: 2, name: 'linear: to its bias' },
  { op: 'mse', input: 0, name: 'mse: to the prediction' },
] as const;

/** A tensor as rows and columns: the last axis across, or a picture as it is. */
function planeOf({ shape }: TensorFacts): [rows: number, columns: number] {
  const size = shape.reduce((product, n) => product * n, 1);
  const columns = shape.length === 4 ? shape[1] * shape[2] * shape[3] : (shape[shape.length - 1] ?? 1);
  return [Math.max(1, size / columns), columns];
}

export class Stepper {
  private readonly step = signal<StepResult | null>(null);
  /** 0 to 2N: nodes that were walked, forward and then backward. */
  private readonly position = signal(0);
  private readonly open = signal(false);
  private readonly tensor = signal<TensorResult | null>(null);
  private readonly chosen = computed(() => this.tensor.value?.id ?? null);
  private readonly showGradient = signal(false);
  private readonly cell = signal(0);
  private readonly check = signal<{ id: number; index: number; value: number | string } | null>(null);
  private readonly broken = signal<Partial<BrokenResult> | null>(null);
  private readonly breakage = signal<number>(0);
  private readonly playing = signal(false);
  private readonly status = signal('');
  private readonly problem = signal('');
  private readonly seed;
  private readonly breaking = signal<Running<BrokenResult> | null>(null);
  /** What the build found for the first of the derivatives. */
  private readonly built: BrokenResult;

  private readonly count = computed(() => this.step.value?.nodes.length ?? 0);
  /** The node at the position, and whether the pass is on its way back. */
  private readonly here = computed(() => {
    const [n, p] = [this.count.value, this.position.value];
    if (p === 0 || n === 0) return null;
    return p <= n ? { node: p - 1, back: false } : { node: 2 * n - p, back: true };
  });

  constructor(
    private readonly root: HTMLElement,
    private readonly engine: Engine,
    seed: string | null,
  ) {
    this.seed = signal(seed ?? '0');
    this.built = JSON.parse(document.querySelector<HTMLElement>('[data-built]')!.dataset.built!);
    const place = (name: string) => document.querySelector<HTMLElement>(`[data-place=${name}]`)!;
    const follow = (name: string, template: () => TemplateResult | typeof nothing) => {
      const element = place(name);
      let mine = false;
      effect(() => {
        const made = template();
        if (made === nothing && !mine) return;
        if (!mine) element.replaceChildren();
        mine = true;
        render(made, element);
      });
    };
    follow('controls', () => this.controls());
    follow('chain', () => this.chain());
    follow('tensor', () => this.tensorView());
    follow('break', () => this.breakView());
    follow('numbers', () => this.numbers());
    follow('command', () => this.command());
    effect(() => this.showSource());
    effect(() => this.paint(place('tensor')));
    root
      .querySelector('[data-place=chain]')!
      .addEventListener('keydown', (event) => this.key(event as KeyboardEvent));
    if (seed !== null) void this.run();
  }

  private get settings(): StepSettings {
    return { ...STEP_SETTINGS, seed: this.seed.value };
  }

  private async attempt(body: () => Promise<void>): Promise<void> {
    this.problem.value = '';
    try {
      await body();
    } catch (error) {
      if (!(error instanceof Stopped)) this.problem.value = (error as Error).message;
    } finally {
      this.status.value = '';
    }
  }

  private run(): Promise<void> {
    return this.attempt(async () => {
      this.status.value = 'running the step';
      this.step.value = await this.engine.run('step', this.settings);
      [this.position.value, this.check.value, this.broken.value] = [0, null, null];
      await this.choose(this.step.value.nodes[0].inputs[0]);
    });
  }

  private async walk(by: number): Promise<void> {
    if (!this.step.value) await this.run();
    const most = 2 * this.count.value;
    const to = Math.max(0, Math.min(most, this.position.value + by));
    this.position.value = to;
    const { value: here } = this.here;
    if (!here) return;
    const { output, inputs } = this.step.value!.nodes[here.node];
    // Forward the result is new; backward what the node sends to its weights or its input.
    const [, weights] = inputs;
    const facts = this.step.value!.tensors;
    const next = here.back
      ? ([weights, inputs[0]].find((id) => id !== undefined && facts[id].differentiable) ?? output)
      : output;
    this.showGradient.value = here.back;
    await this.choose(next);
  }

  private async toggle(): Promise<void> {
    if (this.playing.value) {
      this.playing.value = false;
      return;
    }
    if (!this.step.value) await this.run();
    if (this.position.value === 2 * this.count.value) this.position.value = 0;
    this.playing.value = true;
    while (this.playing.value && this.position.value < 2 * this.count.value) {
      await this.walk(1);
      await new Promise((resolve) => setTimeout(resolve, 900));
    }
    this.playing.value = false;
  }

  private choose(id: number): Promise<void> {
    return this.attempt(async () => {
      const tensor = await this.engine.run('step-tensor', { id });
      if (this.chosen.value !== id) [this.cell.value, this.check.value] = [brightest(tensor), null];
      this.tensor.value = tensor;
    });
  }

  /** Whether the gradient of a tensor is known at the position: the node that made it has been reached, or what uses it. */
  private known(id: number): { value: boolean; gradient: boolean } {
    const { nodes } = this.step.value!;
    const [n, p] = [nodes.length, this.position.value];
    const made = nodes.findIndex(({ output }) => output === id);
    const used = nodes.findIndex(({ inputs }) => inputs.includes(id));
    const backAt = made === n - 1 ? n + 1 : 2 * n - used;
    return { value: made < 0 || p > made, gradient: p >= backAt };
  }

  private key(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, () => void>> = {
      ArrowRight: () => void this.walk(1),
      ArrowLeft: () => void this.walk(-1),
      ArrowDown: () => {
        this.open.value = true;
      },
      ArrowUp: () => {
        this.open.value = false;
      },
    };
    const act = steps[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  private controls(): TemplateResult {
    const [n, p] = [this.count.value, this.position.value];
    const here = this.here.value;
    const words =
      here === null
        ? 'before the first node'
        : `${here.back ? 'backward' : 'forward'} through node ${here.node + 1} of ${n}`;
    const seeded = (event: Event) => {
      this.seed.value = (event.target as HTMLInputElement).value.trim() || '0';
      history.replaceState(
        null,
        '',
        this.seed.value === '0' ? location.pathname : `#step.seed=${encodeURIComponent(this.seed.value)}`,
      );
      void this.run();
    };
    return html`<div class="buttons">
        <button class="primary" @click=${() => this.toggle()}>${this.playing.value ? 'Pause' : 'Run'}</button>
        <button @click=${() => this.walk(-1)} ?disabled=${p === 0}>Back</button>
        <button @click=${() => this.walk(1)} ?disabled=${n > 0 && p === 2 * n}>Step</button>
        <button @click=${() => this.run()}>Reset</button>
        <div class="seed"><div class="field"><label for="step-seed">seed</label>
        <input id="step-seed" type="text" autocomplete="off" .value=${this.seed.value} @change=${seeded} /></div></div>
      </div>
      <p class="status" role="status">${this.status.value || words}</p>
      ${this.problem.value ? html`<p class="problem" role="alert">${this.problem.value}</p>` : nothing}`;
  }

  private chain(): TemplateResult | typeof nothing {
    const step = this.step.value;
    if (!step) return nothing;
    const here = this.here.value;
    const [n, p] = [step.nodes.length, this.position.value];
    return html`<ol class="chain" tabindex="0" aria-label="The nodes of the tape. Arrows left and right walk, up and down close and open a node.">
      ${step.nodes.map((node, i) => {
        const [forward, back] = [p > i, p >= 2 * n - i];
        const on = here?.node === i;
        const calls = on && this.open.value ? (here.back ? node.backward : node.forward) : null;
        const tensors = [...node.inputs, node.output];
        return html`<li class=${on ? `node on ${here.back ? 'back' : ''}` : 'node'} aria-current=${on ? 'step' : nothing}>
          <div class="node-head"><strong>${node.op}</strong> <span>${node.attributes}</span>
            <span class="marks"><span class=${forward ? 'mark-on' : ''}>→ forward</span><span class=${back ? 'mark-on back' : ''}>← backward</span></span></div>
          <div class="tensors">${tensors.map((id) => this.chip(id, id === node.output))}</div>
          ${calls ? html`<ul class="calls">${calls.map(({ label, shape }) => html`<li><code>${label}</code> <span>${shape}</span></li>`)}</ul>` : nothing}
        </li>`;
      })}</ol>
      <button class="small-button" aria-expanded=${this.open.value} @click=${() => {
        this.open.value = !this.open.value;
      }}>${this.open.value ? 'Hide' : 'Show'} the kernel calls of the node</button>`;
  }

  private chip(id: number, result: boolean): TemplateResult {
    const { name, shape } = this.step.value!.tensors[id];
    const { value, gradient } = this.known(id);
    const chosen = this.chosen.value === id;
    return html`<button class=${chosen ? 'chip chosen' : 'chip'} ?disabled=${!value} aria-pressed=${chosen}
      @click=${() => this.choose(id)}>${result ? '⇒ ' : ''}${name} <span>[${shape.join(', ')}]${gradient ? ' ∂' : ''}</span></button>`;
  }

  private tensorView(): TemplateResult | typeof nothing {
    const [step, tensor, id] = [this.step.value, this.tensor.value, this.chosen.value];
    if (!step || !tensor || id === null) return nothing;
    const facts = step.tensors[id];
    const { gradient: known } = this.known(id);
    const has = tensor.gradient !== null && known;
    const showing = this.showGradient.value && has;
    const [rows, columns] = planeOf(facts);
    const cell = this.cell.value;
    const check = this.check.value;
    const checked = check?.id === id && check.index === cell ? check.value : null;
    const of = (
      gradient: boolean,
    ) => html`<button aria-pressed=${showing === gradient} ?disabled=${gradient && !has}
      @click=${() => {
        this.showGradient.value = gradient;
      }}>${gradient ? 'gradient' : 'value'}</button>`;
    const place = facts.shape.length > 0 ? placeIn(facts.shape, cell).join(', ') : '';
    return html`<div class="tensor-head"><strong>${facts.name}</strong> <span>${rows} × ${columns}</span> ${of(false)}${of(true)}</div>
      <canvas tabindex="0" role="img" aria-label="The numbers of ${facts.name} as colours: blue below zero, vermilion above. Arrows choose a number."
        @click=${(event: MouseEvent) => this.pick(event, rows, columns)} @keydown=${(event: KeyboardEvent) => this.move(event, rows, columns)}></canvas>
      <table class="cell"><tbody>
        <tr><th scope="row">${facts.name}[${place}]</th><td>${shown(tensor.values[cell])}</td></tr>
        <tr><th scope="row">its gradient, by backward()</th><td>${has ? shown(tensor.gradient![cell]) : 'not yet'}</td></tr>
        <tr><th scope="row">by a finite difference, in float64</th><td>${
          checked === null
            ? html`<button @click=${() => this.difference(id, cell)}>Compute</button>`
            : typeof checked === 'number'
              ? shown(checked)
              : checked
        }</td></tr>
      </tbody></table>`;
  }

  private difference(id: number, index: number): Promise<void> {
    return this.attempt(async () => {
      this.check.value = { id, index, value: 'computing' };
      this.check.value = { id, index, value: await this.engine.run('step-difference', { id, index }) };
    });
  }

  private pick(event: MouseEvent, rows: number, columns: number): void {
    const { left, top, width, height } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const row = Math.min(rows - 1, Math.max(0, Math.floor(((event.clientY - top) / height) * rows)));
    const column = Math.min(columns - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * columns)));
    this.cell.value = row * columns + column;
  }

  private move(event: KeyboardEvent, rows: number, columns: number): void {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const to = this.cell.value + by;
    if (to >= 0 && to < rows * columns) this.cell.value = to;
  }

  /** Draws the tensor's numbers, one pixel each, and a frame about the chosen one. */
  private paint(place: HTMLElement): void {
    const [step, tensor, id, cell] = [this.step.value, this.tensor.value, this.chosen.value, this.cell.value];
    const [gradient, _position] = [this.showGradient.value, this.position.value];
    const canvas = place.querySelector('canvas');
    if (!step || !tensor || id === null || !canvas) return;
    const facts = step.tensors[id];
    const values = gradient && tensor.gradient && this.known(id).gradient ? tensor.gradient : tensor.values;
    const [rows, columns] = planeOf(facts);
    [canvas.width, canvas.height] = [columns, rows];
    const context = canvas.getContext('2d')!;
    const image = context.createImageData(columns, rows);
    let most = 0;
    for (const value of values) most = Math.max(most, Math.abs(value));
    for (let i = 0; i < values.length; i++) {
      const [r, g, b] = signed(most > 0 ? values[i] / most : 0);
      image.data.set([r, g, b, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const reach = Math.max(2, Math.round(Math.max(rows, columns) / 60));
    context.strokeStyle = '#000';
    context.strokeRect(column - reach + 0.5, row - reach + 0.5, 2 * reach, 2 * reach);
  }

  private breakView(): TemplateResult {
    const result = this.broken.value ?? this.built;
    const chosen = BREAKS[this.breakage.value];
    const error = result?.error;
    const verdict =
      error === undefined
        ? nothing
        : html`<p class=${error > 1e-4 ? 'verdict bad' : 'verdict good'} role="status">gradcheck: the largest relative error is ${shown(error)}. ${
            error > 1e-4 ? 'The derivative is wrong.' : 'The derivative is right.'
          }</p>`;
    return html`<div class="buttons"><label for="break">flip the sign of what</label>
      <select id="break" @change=${(event: Event) => {
        this.breakage.value = Number((event.target as HTMLSelectElement).value);
      }}>${BREAKS.map(({ name }, i) => html`<option value=${i} ?selected=${i === this.breakage.value}>${name}</option>`)}</select>
      <button class="primary" @click=${() => this.breakIt(chosen)}>Break it</button>
      ${this.breaking.value ? html`<button @click=${() => this.breaking.value?.stop()}>Stop</button>` : nothing}</div>
      ${verdict}
      ${result?.right ? html`<div class="losses" .innerHTML=${drawLosses(result.right, result.wrong ?? [], BROKEN_STEPS, document.querySelector('[data-place=break]')!.clientWidth)}></div>` : nothing}`;
  }

  private breakIt({ op, input }: (typeof BREAKS)[number]): Promise<void> {
    this.breaking.value?.stop();
    this.broken.value = { right: [] };
    const settings = { ...this.settings, op, input, steps: BROKEN_STEPS };
    const onProgress = (progress: Partial<BrokenResult>) => {
      this.broken.value = { ...this.broken.value, ...progress };
    };
    const running = this.engine.start('step-broken', settings, { onProgress });
    this.breaking.value = running;
    return this.attempt(async () => {
      this.broken.value = await running.result;
    }).finally(() => {
      if (this.breaking.value === running) this.breaking.value = null;
    });
  }

  private numbers(): TemplateResult | typeof nothing {
    const step = this.step.value;
    if (!step) return nothing;
    return html`<table><tbody>
      <tr><th scope="row">loss</th><td data-loss=${step.loss}>${shown(step.loss)}</td></tr>
      <tr><th scope="row">nodes on the tape</th><td>${step.nodes.length}</td></tr>
      <tr><th scope="row">parameters</th><td>${step.parameters.toLocaleString('en')}</td></tr></tbody></table>
      <dl class="hashes"><dt>gradients of all parameters</dt><dd><code data-hash="gradients">${step.gradients}</code></dd></dl>`;
  }

  private command(): TemplateResult | typeof nothing {
    return this.step.value
      ? html`<div class="command"><code>${stepCommand(this.settings)}</code></div>`
      : nothing;
  }

  /** Shows the source of the op, and marks the lines that run. */
  private showSource(): void {
    const here = this.here.value;
    const op = here ? this.step.value!.nodes[here.node].op : null;
    for (const block of this.root.querySelectorAll<HTMLElement>('[data-op]')) {
      block.hidden = op !== null ? block.dataset.op !== op : block.dataset.op !== 'linear';
      for (const line of block.querySelectorAll<HTMLElement>('[data-part]')) {
        const runs = here !== null && line.dataset.part === (here.back ? 'backward' : 'forward');
        line.classList.toggle('runs', runs);
      }
    }
  }
}

/** The index along each axis. */
function placeIn(shape: readonly number[], cell: number): number[] {
  const place: number[] = [];
  for (const n of shape.toReversed()) {
    place.unshift(cell % n);
    cell = Math.floor(cell / n);
  }
  return place;
}

/** The number with the largest gradient, or value: it says more than the first. */
function brightest({ values, gradient }: TensorResult): number {
  const of = gradient ?? values;
  let best = 0;
  for (let i = 1; i < of.length; i++) if (Math.abs(of[i]) > Math.abs(of[best])) best = i;
  return best;
}
