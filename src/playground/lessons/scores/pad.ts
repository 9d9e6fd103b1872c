/**
 * A square in which a person chooses points of the plane: a click sets one. With the keyboard, arrows move a cross, the
 * space bar sets a point, and Backspace takes the last one away.
 */
import { signal } from '@preact/signals-core';
import { html, svg, type TemplateResult } from 'lit-html';
import type { Lab } from '../../app/lab.ts';
import { CHOSEN, MOST_POINTS, PAD_SIDE } from './names.ts';

/** How far an arrow key moves the cross. */
const MOVE = 8;
const cross = signal<readonly [number, number] | null>(null);

export function pad(lab: Lab): TemplateResult {
  const points = (lab.values.value.points ?? []) as readonly number[];
  const count = points.length / 2;
  const set = (next: readonly number[]) => void lab.change({ set: CHOSEN, points: next });
  const add = (x: number, y: number) => {
    if (count < MOST_POINTS) set([...points, x, y]);
  };
  const removeLast = () => count > 0 && set(points.slice(0, -2));
  const clicked = (event: PointerEvent) => {
    const { left, top, width, height } = (event.currentTarget as SVGElement).getBoundingClientRect();
    const at = (share: number) => Math.max(0, Math.min(PAD_SIDE - 1, Math.floor(share * PAD_SIDE)));
    cross.value = [at((event.clientX - left) / width), at((event.clientY - top) / height)];
    add(...cross.value);
  };
  const pressed = (event: KeyboardEvent) => {
    const [x, y] = cross.value ?? [PAD_SIDE / 2, PAD_SIDE / 2];
    const move = {
      ArrowLeft: [-MOVE, 0],
      ArrowRight: [MOVE, 0],
      ArrowUp: [0, -MOVE],
      ArrowDown: [0, MOVE],
    }[event.key];
    const inside = (at: number) => Math.max(0, Math.min(PAD_SIDE - 1, at));
    if (move) cross.value = [inside(x + move[0]), inside(y + move[1])];
    else if (event.key === ' ') add(x, y);
    else if (event.key === 'Backspace') removeLast();
    else return;
    event.preventDefault();
  };
  const dot = (_: unknown, i: number) =>
    svg`<circle class="chosen-point" cx=${points[2 * i] + 0.5} cy=${points[2 * i + 1] + 0.5} r="4" />`;
  const [cx, cy] = cross.value ?? [0, 0];
  return html`<details class="pad chooser"><summary>Choose your own points</summary>
    <div class="drawing">
      <svg viewBox="0 0 ${PAD_SIDE} ${PAD_SIDE}" role="application" tabindex="0"
        aria-label="a square of the plane: a click sets a point; arrows move the cross, the space bar sets a point, Backspace takes the last one away"
        @pointerdown=${clicked} @keydown=${pressed}
        @focus=${() => (cross.value ??= [PAD_SIDE / 2, PAD_SIDE / 2])} @blur=${() => (cross.value = null)}>
        <path class="chooser-axis" d="M128 0V256M0 128H256" />
        ${Array.from({ length: count }, dot)}
        ${cross.value ? svg`<path class="chooser-cross" d="M${cx - 8} ${cy}h16M${cx} ${cy - 8}v16" />` : svg``}
      </svg>
      <div class="chooser-tools">
        <p>${count} of at most ${MOST_POINTS} points. Then press Train.</p>
        <button @click=${removeLast} ?disabled=${count === 0}>Take the last one away</button>
        <button @click=${() => set([])} ?disabled=${count === 0}>Clear</button>
      </div>
    </div></details>`;
}
