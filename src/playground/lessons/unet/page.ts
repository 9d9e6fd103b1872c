/** The script of the lesson on the U-Net. The model can complete a drawing by the reader. */
import { signal } from '@preact/signals-core';
import { html } from 'lit-html';
import { drawingPad } from '../../app/drawing-pad.ts';
import type { Lab } from '../../app/lab.ts';
import { startLesson } from '../../app/start.ts';
import { CAPTIONS } from './figure-captions.ts';
import { COMPLETING } from './figure-completing.ts';
import { GROWING } from './figure-growing.ts';
import { STUDENT } from './figure-student.ts';

const drawing = signal<Uint8Array | null>(null);
const pad = drawingPad((pixels) => {
  drawing.value = pixels;
});

function below({ values }: Lab) {
  // The style sheet shades the half that is made new.
  pad.dataset.half = String(values.value.half);
  return html`<details class="pad"><summary>Draw your own half of a digit</summary>${pad}</details>`;
}

startLesson([GROWING, COMPLETING, CAPTIONS, STUDENT], {
  completing: { more: () => (drawing.value ? { drawing: drawing.value.slice() } : {}), below },
});
