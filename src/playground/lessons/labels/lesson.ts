/** Lesson 9: sampling by label, guidance, and two samplers side by side. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { GUIDANCE } from './figure-guidance.ts';
import { SAMPLERS } from './figure-samplers.ts';

export const LABELS_LESSON: Lesson = {
  number: 9,
  slug: 'labels',
  title: 'Diffusion by label',
  summary:
    'You choose the digit. Guidance decides how much the label counts, and two samplers walk from the same noise side by side.',
  blocks: [
    `<p>A diffusion model learns to remove noise. If it also gets the label of each training picture, we can ask for a
seven. In training the label is left out now and then. So one network knows both: what a digit looks like, and what a seven
looks like. Call its prediction without a label ${tex`v(x)`}, and with the label ${tex`v(x, y)`}.</p>
<p>The difference of the two points from “any digit” to “this digit”. <em>Classifier-free guidance</em> goes
${tex`g`} times as far:</p>
${display`v_g = v(x) + g\,\bigl(v(x, y) - v(x)\bigr)`}
<p>With ${tex`g = 0`} the label is ignored. With ${tex`g = 1`} we have the model as it was trained. A larger ${tex`g`}
goes further than what was learned. This page uses a network that is trained already. It is a file of 2.8 MB, which comes
from the same place as the page when you press <strong>Sample</strong>. The lesson on the U-Net says what is in it.</p>`,
    {
      figure: GUIDANCE,
      caption:
        'Press Sample, then move the slider. Each column starts from one noise. Each row has another guidance. You see the data that the network predicts at each moment.',
      code: [
        { file: 'src/diffusion/guidance.ts', from: 'export function classifierFree' },
        { file: 'src/models/sampling.ts', from: 'export function labelsFor' },
      ],
    },
    `<h2>What to notice</h2>
<p>Without a label the noise decides which digit it becomes. With the label the same noises become the digit that was asked
for. A larger guidance makes the strokes clearer and thicker, and the digits more alike: variety is the price.</p>
<div class="try"><ul>
<li>Write <strong>1</strong> into the field of digits, then <strong>4</strong>. The first row stays the same. Why?</li>
<li>Write <strong>1</strong> into the last field: guidance then works only while there is more noise than data. Where is the
digit decided?</li>
</ul></div>
<h2>Two kinds of samplers</h2>
<p>A sampler walks from noise to data in steps. A <em>deterministic</em> one solves an ordinary differential equation. The
first noise decides the picture, and different solvers of the equation should agree. A <em>stochastic</em> one adds new
noise in each step and removes it again. Then the first noise decides less.</p>`,
    {
      figure: SAMPLERS,
      caption:
        'Press Sample, then move the slider: both walks are shown at the same step. Choose any two samplers. Both get the same first noise.',
      code: [
        { file: 'src/diffusion/samplers/ddim.ts', from: 'export function ddim(' },
        { file: 'src/diffusion/samplers/ddpm.ts', from: 'export function ddpm(' },
        { file: 'src/diffusion/samplers/heun.ts', from: 'export function heunStep' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Compare <strong>ddim</strong> with <strong>ddpm</strong>. The first predictions are the same, and the digits at the end
are not. Below <strong>Numbers</strong> is the mean difference of the states.</li>
<li>Compare <strong>ddim</strong> with <strong>heun</strong>: both are deterministic. The digits are nearly the same.</li>
<li>Now set the steps to 5. Heun’s method has order 2, and nearly all of its steps look at the network twice. Which of the
two is better now?</li>
<li>Compare a sampler with itself. The pictures are the same to the last bit, also for ddpm: its noise follows from the
seed.</li>
</ul></div>`,
  ],
};
