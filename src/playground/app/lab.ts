/**
 * A figure that runs. Its settings, its result and the moment that is shown are signals. The drawing follows from them.
 * At first the page shows what the build has drawn. Nothing is computed until a person uses the figure.
 *
 * It is one class because all its parts read and write the same signals.
 */
import { batch, computed, effect, signal } from '@preact/signals-core';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { type AnyFigure, type CommandOf, type Hashed, stillOf, type Values } from '../figure.ts';
import { addressOf } from './address.ts';
import { type Engine, type Running, Stopped } from './client.ts';
import { field, fields } from './fields.ts';
import { download, png } from './save.ts';

/** The time that a run takes from its first picture to its last, in milliseconds, unless it has very few or very many. */
const RUN_TIME = 5000;
const [LEAST_RATE, MOST_RATE] = [8, 30];

/** A screen reader reads the status of a running live figure at most this often. In milliseconds. */
const STATUS_EVERY = 5000;

/** What a lesson adds to a figure. */
export interface Extras {
  /** Settings beside those of the table, such as a drawing. */
  readonly more?: () => Readonly<Record<string, unknown>>;
  /** What stands below the fields. */
  readonly below?: (lab: Lab) => TemplateResult;
}

export class Lab {
  readonly values;
  private readonly result = signal<Hashed | null>(null);
  private readonly frame = signal(0);
  private readonly playing = signal(false);
  private readonly busy = signal('');
  private readonly problem = signal('');
  private readonly note = signal('');
  private readonly wrong = signal<ReadonlyMap<string, string>>(new Map());
  private readonly width = signal(0);
  private readonly running = signal<Running<unknown> | null>(null);
  /** When the status last changed for a running live figure. */
  private statusAt = 0;
  /** Whether the running job waits. */
  private readonly paused = signal(false);
  /** The result that is being computed. */
  private pending: Promise<boolean> | null = null;
  private readonly frames = computed(() => (this.result.value ? this.figure.frames(this.result.value) : 0));

  /** The width of the picture, in pixels. */
  get room(): number {
    return this.width.value;
  }

  /** @param root the element that the build made for the figure */
  constructor(
    readonly figure: AnyFigure,
    private readonly root: HTMLElement,
    readonly engine: Engine,
    given: Values | undefined,
    private readonly extras: Extras = {},
  ) {
    this.values = signal<Values>(given ?? figure.initial);
    const place = (name: string) => root.querySelector<HTMLElement>(`[data-place=${name}]`)!;
    const [controls, settings, numbers, command] = ['controls', 'settings', 'numbers', 'command'].map(place);
    for (const part of [controls, settings]) part.replaceChildren();
    effect(() => void render(this.controls(), controls));
    effect(() => void render(this.settings(), settings));
    this.drawInto(place('picture'));
    this.follow(numbers, () => this.numbers());
    this.follow(command, () => this.command());
    if (given && !figure.live) void this.compute('still');
  }

  /** The result that is shown; null while the page shows the picture of the build. */
  get shown(): Hashed | null {
    return this.result.value;
  }

  /** Computes with the settings as they are. @param show the moment that is shown then */
  compute(show: 'still' | 'same', yields = Infinity): Promise<boolean> {
    const pending = this.run(show, yields).finally(() => {
      if (this.pending === pending) this.pending = null;
    });
    this.pending = pending;
    return pending;
  }

  private async run(show: 'still' | 'same', yields: number): Promise<boolean> {
    this.running.value?.stop();
    [this.busy.value, this.problem.value, this.paused.value] = ['computing', '', yields < Infinity];
    const settings = { ...(this.figure.request(this.values.value) as object), ...this.extras.more?.() };
    const onProgress = (value: unknown) => {
      if (this.running.value !== running) return;
      if (typeof value === 'string') this.busy.value = value;
      else this.follows(value as Hashed);
    };
    const running: Running<unknown> = this.engine.start(this.figure.job, settings as never, {
      onProgress,
      yields,
    });
    this.running.value = running;
    if (this.figure.live && !this.figure.still) this.frame.value = Math.max(0, this.frames.value - 1);
    try {
      const result = (await running.result) as Hashed;
      if (this.figure.live) {
        this.follows(result);
        return true;
      }
      const last = this.figure.frames(result) - 1;
      const fresh = this.result.value === null || show === 'still';
      this.result.value = result;
      this.frame.value = fresh ? stillOf(this.figure, result) : Math.min(this.frame.value, last);
      return true;
    } catch (error) {
      if (!(error instanceof Stopped)) this.problem.value = (error as Error).message;
      return false;
    } finally {
      if (this.running.value === running) {
        [this.running.value, this.busy.value] = [null, ''];
      }
    }
  }

  /**
   * Shows what a live figure has so far. The slider stays at the end, unless a person has moved it, or the pictures are
   * moments of one result.
   */
  private follows(result: Hashed): void {
    const fresh = this.result.value === null;
    const atEnd = !this.figure.still && this.frame.value >= this.frames.value - 1;
    const last = this.figure.frames(result) - 1;
    batch(() => {
      this.result.value = result;
      if (fresh) this.frame.value = stillOf(this.figure, result);
      else this.frame.value = atEnd ? last : Math.min(this.frame.value, last);
    });
    const now = performance.now();
    if (now - this.statusAt < STATUS_EVERY) return;
    this.statusAt = now;
    this.busy.value = this.figure.moment(result, last);
  }

  /** Changes settings, and computes with them. */
  async change(values: Values): Promise<void> {
    this.values.value = { ...this.values.value, ...values };
    this.writeAddress();
    if (!this.figure.live) await this.compute('same');
    else if (this.running.value) this.say(`Press ${this.figure.live} again to use the new settings.`);
  }

  /**
   * Whether there is a result. Without one it computes one, or waits for the one that is being computed. A live figure
   * is not started: its job is long.
   */
  private async ensure(): Promise<boolean> {
    if (this.figure.live) {
      if (!this.result.value) this.say(`Press ${this.figure.live} first.`);
      return this.result.value !== null;
    }
    return (await this.pending) ?? (this.result.value !== null || this.compute('still'));
  }

  /** Starts a live figure, pauses it, or lets it go on. */
  private toggleLive(): void {
    const running = this.running.value;
    if (!running) {
      void this.compute('still');
      return;
    }
    this.paused.value = !this.paused.value;
    running.allow(this.paused.value ? 0 : Infinity);
  }

  private async toggle(): Promise<void> {
    if (this.figure.live) return this.toggleLive();
    await this.play();
  }

  /** Plays the pictures from the one that is shown, or ends that. */
  private async play(): Promise<void> {
    if (this.playing.value) {
      this.playing.value = false;
      return;
    }
    if (!(await this.ensure())) return;
    if (this.frame.value >= this.frames.value - 1) this.frame.value = 0;
    this.playing.value = true;
    const rate = Math.min(MOST_RATE, Math.max(LEAST_RATE, (1000 * this.frames.value) / RUN_TIME));
    let [from, at] = [performance.now(), this.frame.value];
    const draw = (now: number) => {
      if (!this.playing.value) return;
      const steps = Math.floor(((now - from) * rate) / 1000);
      if (steps > 0) {
        [from, at] = [
          from + (1000 * steps) / rate,
          Math.min(this.frames.value - 1, this.frame.value + steps),
        ];
        this.frame.value = at;
        if (at >= this.frames.value - 1) this.playing.value = false;
      }
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  }

  private async step(): Promise<void> {
    this.playing.value = false;
    if (this.figure.live) {
      this.paused.value = true;
      if (this.running.value) this.running.value.allow(1);
      else void this.compute('still', 1);
      return;
    }
    if (!(await this.ensure())) return;
    this.frame.value = (this.frame.value + 1) % this.frames.value;
  }

  private async reset(): Promise<void> {
    this.playing.value = false;
    if (this.figure.live) {
      this.running.value?.stop();
      this.frame.value = 0;
      return;
    }
    if (await this.ensure()) this.frame.value = 0;
  }

  private async defaults(): Promise<void> {
    this.wrong.value = new Map();
    await this.change(this.figure.initial);
  }

  private readonly changes = {
    set: (name: string, value: Values[string]) => {
      const wrong = new Map(this.wrong.value);
      wrong.delete(name);
      this.wrong.value = wrong;
      void this.change({ [name]: value });
    },
    refuse: (name: string, message: string) => {
      this.wrong.value = new Map(this.wrong.value).set(name, message);
    },
  };

  private controls(): TemplateResult {
    const playing = this.playing.value;
    const result = this.result.value;
    // Until something is computed, the picture is that of the build.
    const { frame: still, last: end, moment: built = '' } = this.root.dataset;
    const last = result ? this.frames.value - 1 : end;
    const frame = result ? this.frame.value : still;
    const moment = result ? this.figure.moment(result, this.frame.value) : built;
    const scrub = (event: Event) => {
      this.playing.value = false;
      this.frame.value = Number((event.target as HTMLInputElement).value);
    };
    const { live } = this.figure;
    const wake = () => void (live || this.ensure());
    const going = live ? this.running.value && !this.paused.value : playing;
    const start = this.running.value && live ? 'Go on' : (live ?? 'Run');
    return html`
      <div class="buttons">
        <button class="primary" @click=${() => this.toggle()}>${going ? 'Pause' : start}</button>
        <button @click=${() => this.step()}>Step</button>
        <button @click=${() => this.reset()}>Reset</button>
        ${live && this.figure.still ? html`<button @click=${() => this.play()}>${playing ? 'Halt' : 'Play'}</button>` : nothing}
        ${this.seedField()}
      </div>
      <div class="scrub">
        <input type="range" min="0" max=${last} .value=${String(frame)}
          aria-label="moment" aria-valuetext=${moment || nothing} @input=${scrub} @focus=${wake} @pointerdown=${wake} />
        <output aria-live=${live ? 'off' : nothing}>${moment}</output>
      </div>`;
  }

  private seedField(): TemplateResult | typeof nothing {
    if (!('seed' in this.figure.table)) return nothing;
    const another = () => void this.change({ seed: String(Math.floor(1e6 * Math.random())) });
    const value = this.values.value.seed;
    return html`<div class="seed">${field(this.figure, 'seed', value, this.wrong.value.get('seed'), this.changes)}
      <button @click=${another}>Another seed</button></div>`;
  }

  private settings(): TemplateResult {
    const { figure } = this;
    const busy = this.busy.value;
    return html`
      <div class="fields">${fields(figure, this.values.value, this.wrong.value, this.changes)}</div>
      ${this.extras.below?.(this) ?? nothing}
      <div class="tools">
        <button @click=${() => this.copyLink()}>Copy link</button>
        <button @click=${() => this.savePng()}>PNG</button>
        <button @click=${() => this.saveCsv()}>CSV</button>
        <button @click=${() => this.defaults()}>Lesson's settings</button>
        ${busy ? html`<button @click=${() => this.running.value?.stop()}>Stop</button>` : nothing}
        <span class="status" role="status">${busy || this.note.value}</span>
      </div>
      ${this.problem.value ? html`<p class="problem" role="alert">${this.problem.value}</p>` : nothing}`;
  }

  /** Draws a template where the build has drawn one, once there is a result. */
  private follow(place: HTMLElement, template: () => TemplateResult): void {
    let mine = false;
    effect(() => {
      if (!this.result.value) return;
      if (!mine) place.replaceChildren();
      mine = true;
      render(template(), place);
    });
  }

  private numbers(): TemplateResult {
    const result = this.result.value!;
    return html`<table><tbody>${this.figure
      .numbers(result, this.frame.value)
      .map(({ name, value }) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table>
      ${hashList(result.hashes)}`;
  }

  private command(): TemplateResult {
    const lines: readonly CommandOf[] = this.figure.commands(this.values.value);
    if (lines.length === 0)
      return html`<p>${this.figure.unhashed ?? 'No command makes this: it is your own drawing.'}</p>`;
    return html`${lines.map(
      ({ line }) => html`<div class="command"><code>${line}</code>
        <button @click=${() => this.copy(line, 'The line is copied.')}>Copy</button></div>`,
    )}${this.files()}`;
  }

  /** What the lines of the command read. */
  private files(): TemplateResult | typeof nothing {
    const files = Object.entries(this.result.value?.files ?? {});
    if (files.length === 0) return nothing;
    const save = (name: string, bytes: Uint8Array<ArrayBuffer>) => download(name, new Blob([bytes]));
    return html`<div class="files">${files.map(
      ([name, bytes]) =>
        html`<button data-file=${name} @click=${() => save(name, bytes)}>Save ${name}</button>`,
    )}</div>`;
  }

  private drawInto(place: HTMLElement): void {
    new ResizeObserver(([{ contentRect }]) => {
      this.width.value = Math.floor(contentRect.width);
    }).observe(place);
    effect(() => {
      const [result, width, frame] = [this.result.value, this.width.value, this.frame.value];
      if (result && width > 0) place.innerHTML = this.figure.draw(result, frame, width);
    });
  }

  private link(): string {
    const address = addressOf(this.figure, this.values.value);
    return `${location.origin}${location.pathname}#${address || this.figure.id}`;
  }

  private writeAddress(): void {
    const others = location.hash
      .slice(1)
      .split('&')
      .filter((part) => part.includes('=') && !part.startsWith(`${this.figure.id}.`));
    const own = addressOf(this.figure, this.values.value);
    const hash = [...others, ...(own ? [own] : [])].join('&');
    history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
  }

  private async copy(text: string, said: string): Promise<void> {
    await navigator.clipboard.writeText(text).then(
      () => this.say(said),
      () => this.say(text),
    );
  }

  private copyLink(): void {
    this.writeAddress();
    void this.copy(this.link(), 'The link is copied.');
  }

  private async savePng(): Promise<void> {
    if (!(await this.ensure())) return;
    const svg = this.root.querySelector<SVGSVGElement>('[data-place=picture] svg')!;
    download(`${this.figure.id}.png`, await png(svg));
  }

  private async saveCsv(): Promise<void> {
    if (!(await this.ensure())) return;
    download(`${this.figure.id}.csv`, new Blob([this.figure.csv(this.result.value)], { type: 'text/csv' }));
  }

  private say(words: string): void {
    this.note.value = words;
    setTimeout(() => {
      if (this.note.value === words) this.note.value = '';
    }, 4000);
  }
}

/** The hashes of a result. The command prints the same in its last event. */
const hashList = (hashes: Hashed['hashes']) =>
  html`<dl class="hashes">${Object.entries(hashes).map(
    ([name, hash]) => html`<dt>${name}</dt><dd><code data-hash=${name}>${hash}</code></dd>`,
  )}</dl>`;
