/** The script of the lesson on noising: two figures, which a person's drawing can enter. */
import { signal } from '@preact/signals-core';
import { html } from 'lit-html';
import { drawingPad } from '../../app/drawing-pad.ts';
import type { Lab } from '../../app/lab.ts';
import { startLesson } from '../../app/start.ts';
import { NOISING } from './figure-noising.ts';
import { SCHEDULES } from './figure-schedules.ts';

const drawing = signal<Uint8Array | null>(null);
const more = () => (drawing.value ? { drawing: drawing.value.slice(), ...single } : {});
/** A drawing is one picture. */
const single = { pictures: 1 };

const pad = drawingPad((pixels) => {
  drawing.value = pixels;
  for (const lab of labs) void lab.compute('same');
});
const below = (_lab: Lab) =>
  html`<details class="pad"><summary>Draw your own digit</summary>${pad}</details>`;
const { labs } = startLesson([NOISING, SCHEDULES], {
  noising: { more, below },
  schedules: { more: () => (drawing.value ? { drawing: drawing.value.slice() } : {}) },
});
