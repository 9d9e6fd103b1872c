/** Lesson 10: digits by the published U-Net. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { CAPTIONS } from './figure-captions.ts';
import { COMPLETING } from './figure-completing.ts';
import { GROWING } from './figure-growing.ts';
import { STUDENT } from './figure-student.ts';

export const UNET_LESSON: Lesson = {
  number: 10,
  slug: 'unet',
  title: 'The U-Net: digits out of noise',
  summary:
    'A trained convolutional network makes handwritten digits on your machine, and completes what you draw. Others draw what you say in words, or in four steps.',
  blocks: [
    `<p>An MLP treats the 784 pixels of a picture as a list. It does not know which pixels are neighbours. A convolution
does: each of its outputs depends on 3 by 3 pixels, with the same weights everywhere. But a small window sees no whole
digit. So a <em>U-Net</em> works at several sizes. It halves the picture twice, from 28 to 14 to 7 pixels. At 7 by 7 an
attention layer compares every place with every other. Then the network goes back up. At each size it also gets what it had
there on the way down, so no detail is lost.</p>
<p>This one has 1.4 million weights. It was trained for 82 minutes on the 60,000 digits of MNIST, by
<em>flow matching</em>. A training picture ${tex`x_0`} and noise ${tex`\varepsilon`} are joined by a straight line, and the
network learns the velocity on it:</p>
${display`x_t = (1 - t)\, x_0 + t\, \varepsilon, \qquad v(x_t, t, \text{label}) \approx \varepsilon - x_0`}
<p>Sampling walks back from noise at ${tex`t = 1`} to data at ${tex`t = 0`}. At each moment the network also says where the
walk would end if it went straight on. That is the <em>predicted data</em>:</p>
${display`\hat{x}_0 = x_t - t\, v(x_t, t, \text{label})`}
<p>The file of the model has 2.8 MB. This page loads it when you press <strong>Sample</strong> or
<strong>Complete</strong>. It comes from the same place as the page.</p>`,
    {
      figure: GROWING,
      caption:
        'Press Sample, then move the slider back. For each digit: the state x, below it the data that the network predicts from this state, below that the label. All digits are sampled at once.',
      code: [
        { file: 'src/models/networks/unet.ts', from: 'override forward(x: Tensor, t: ArrayLike<number>' },
        { file: 'src/models/networks/unet.ts', from: 'forward(x: Tensor, c: Tensor)' },
        { file: 'src/diffusion/samplers/heun.ts', from: 'export function heunStep' },
      ],
    },
    `<h2>What to notice</h2>
<p>Look at the first prediction, made from noise alone. It is a blurred digit: the mean of all digits of this label that
the noise allows. A mean is the best answer in the sense of the squared error, but it is no sample. Step by step the noise
falls and the prediction becomes sharp. The large shape is decided first, then the slant, then the ends of the strokes.</p>
<p>The last frame can differ from the one before it. MNIST’s makers scaled each digit so that its longer side is 20 pixels,
and the model’s file says that samples must be like that. Digits of another size are drawn again.</p>
<h2>What to try</h2>
<div class="try"><ul>
<li>Write <strong>7</strong> into the field of digits. Ten noises give ten different sevens.</li>
<li>Set <strong>guidance</strong> to 1, and to 5. A high guidance makes clear digits that look more alike.</li>
<li>Set <strong>steps</strong> to 3. The walk is a curve, and long steps leave it: the black ground gets a grain.</li>
<li>Choose the sampler <strong>ddpm</strong> and 100 steps. It adds new noise at each step.</li>
</ul></div>
<h2>Complete half a digit</h2>
<p>The network was never trained to complete anything. Still it can. After each step of the sampler we know what half of the
state should be: the given pixels ${tex`g`}, with the noise of that time. So we put them in (<em>RePaint</em>):</p>
${display`x \leftarrow m\, x + (1 - m)\,\left((1 - t)\, g + t\, \varepsilon\right)`}
<p>The mask ${tex`m`} is 1 where pixels are made new, and 0 where they stay. After one such step the two halves do not fit
each other. So noise leads the state one step back, and the step is made again, several times: <em>resamples</em>.</p>`,
    {
      figure: COMPLETING,
      caption:
        'Press Complete. The same upper half becomes a 3, a 2, a 7, an 8 and a 9, because the label says so. Open “Draw your own half of a digit”, draw, and press Complete again.',
      code: [
        { file: 'src/diffusion/repaint.ts', from: '*sample(model, schedule, x, rng)' },
        { file: 'src/diffusion/repaint.ts', from: 'function renoise' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Set <strong>resamples</strong> to 1. Now some strokes do not meet at the border between the halves.</li>
<li>Draw the upper half of a 6, and ask for 6, 0 and 5.</li>
<li>Ask for a digit that cannot have this half, such as 4. Watch how the network bends it.</li>
<li>Make the <strong>left</strong> half new. Which digits can still be guessed from their right half?</li>
</ul></div>
<p>Below <strong>Command</strong> you can save your drawing and the mask as PNG files. The line there reads them, and makes
the same pictures, bit for bit.</p>
<h2>Words instead of labels</h2>
<p>A label can say which digit, and no more. Words can say how: <em>thin</em> or <em>thick</em>, <em>narrow</em> or
<em>wide</em>, <em>leaning left</em> or <em>right</em>. MNIST has no captions, so they were written by measuring each
picture: the thickness of its strokes, its slant, its width and its height. A word names an outer third of a digit’s
distribution.</p>
<p>Each word is a vector that is learned. A small transformer lets the words see each other. Then every place of the picture
asks, by <em>cross-attention</em>, which words matter to it. With a query ${tex`q`} from the place, and a key ${tex`k_w`} and
a value ${tex`v_w`} from each word:</p>
${display`p_w = \operatorname{softmax}_w\!\left(\frac{q \cdot k_w}{\sqrt d}\right), \qquad \text{what the place gets} = \sum_w p_w\, v_w`}
<p>The shares ${tex`p_w`} can be drawn. Below the digits you see the first of them once for each word. Where it is orange,
the share of this word is large.</p>`,
    {
      figure: CAPTIONS,
      caption:
        'Write a caption and press Sample. Several captions are separated by |. Below the finished digits: the regions that attend to each word.',
      code: [
        { file: 'src/models/networks/text-encoder.ts', from: 'export class TextEncoder' },
        { file: 'src/models/networks/caption-layers.ts', from: 'export class CaptionLayers' },
        { file: 'src/models/captions/grammar.ts', from: 'export function writeCaption' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Write <strong>a thin two | a thick two | a two leaning left | a two leaning right</strong>. Each column begins with
other noise.</li>
<li>Set <strong>guidance</strong> to 1, then to 4. How thick does a thick seven become?</li>
<li>Write only <strong>a thick digit</strong>. The network chooses the digit.</li>
<li>Write <strong>a thin wide zero</strong>. Training left out all thin and wide zeros, so no caption ever said this.</li>
<li>Write a word that the network does not know, such as <strong>fat</strong>.</li>
</ul></div>
<h2>Four steps</h2>
<p>The walk of the first figure has 12 steps of Heun’s method. They need 23 evaluations of the network for each digit, and
most of these are made twice for guidance: with the label and without. A <em>student</em> has the same architecture. It learned from its teacher’s walks. They were cut into four
pieces, and the student learned the mean velocity of each piece, with the teacher’s guidance in it:</p>
${display`\bar v(x_t, t) \approx \frac{x_t - x_s}{t - s}, \qquad x_s = x_t - (t - s)\,\bar v(x_t, t)`}
<p>So it walks in four steps, with one evaluation in each. It has learned no other number of steps.</p>`,
    {
      figure: STUDENT,
      caption:
        'Press Sample, then move the slider. Both begin with the same noise. Above is the teacher, below the student, which is finished after four steps.',
      code: [
        { file: 'src/diffusion/few-steps.ts', from: 'export function jumps' },
        { file: 'src/models/training/distill.ts', from: 'loss({ images, ends, intervals, known }' },
      ],
    },
    `<h2>What to notice</h2>
<p>Most of the student’s digits are those of its teacher. A few strokes have other ends. The student’s first prediction is
sharper than the teacher’s, because it does not predict the mean of all digits. It predicts where the walk goes.</p>`,
  ],
};
