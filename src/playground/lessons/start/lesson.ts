/** Lesson 0: what the lessons lead to, in ten seconds. */
import type { Lesson } from '../../lesson.ts';
import { START } from './figure.ts';

export const START_LESSON: Lesson = {
  number: 0,
  slug: 'start',
  title: 'Start: digits from noise',
  summary: 'A small diffusion model learns to draw digits, in about ten seconds, on this machine.',
  blocks: [
    `<p>A diffusion model makes pictures out of noise. It is a neural network that has learned one thing: to say what is
behind the noise of a picture. A sampler begins with pure noise and uses this network many times. A little noise is removed
each time, until a picture is left.</p>
<p>Press <strong>Train</strong>. Your browser draws some thousand digits to learn from, and trains a network of 855,376
weights on them. At moments of the training the network draws each digit from 0 to 9, always from the same noise.</p>`,
    {
      figure: START,
      caption:
        'Each row shows what the model draws at a moment of its training. Move the slider to see earlier moments. Press Pause, Step and Go on to watch single steps.',
      code: [
        { file: 'src/diffusion/objective.ts', from: 'lossAt(network: Network' },
        { file: 'src/models/networks/diffusion-mlp.ts', from: 'class DiffusionMlpBlock extends Module' },
        { file: 'src/diffusion/samplers/ddim.ts', from: 'export function ddim(' },
      ],
    },
    `<h2>What to notice</h2>
<p>First all ten pictures are alike: a blur of all digits. The network has learned only what the digits have in common. Then
the pictures differ, and at last each label has its own digit. No line of the program says what a stroke is.</p>
<h2>What to try</h2>
<div class="try"><ul>
<li>Take <strong>Another seed</strong>. The network and the noise begin with other numbers, and the digits are other ones.</li>
<li>Train for more <strong>epochs</strong>. The strokes become sharper.</li>
<li>Open the tab <strong>Command</strong>. That line makes the same pictures, bit for bit, in a shell.</li>
</ul></div>
<h2>Where to go from here</h2>
<p>The lessons explain every part of this. Lessons 1 to 3 are about noise: random walks, equations with noise, and pictures
that sink into it. Lessons 4 to 7 train networks, and show why one denoiser alone makes no digits. Lessons 8 to 10 are
diffusion models, from points in the plane to handwriting. Lesson 11 measures the kernels that all of this runs on.</p>`,
  ],
};
