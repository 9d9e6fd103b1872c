/** Lesson 6: a denoiser's answer to pure noise. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { PURE_NOISE } from './figure.ts';

export const PURE_NOISE_LESSON: Lesson = {
  number: 6,
  slug: 'pure-noise',
  title: 'Pure noise, once and five times',
  summary:
    'A denoiser turns noisy digits into digits. Can it turn noise into digits, if its answer is given back to it? No, and the reason leads to diffusion.',
  blocks: [
    `<p>A denoiser is trained on pairs: a digit ${tex`x_0`}, and the same digit with noise, ${tex`x = x_0 + \sigma\varepsilon`}. Its
loss is the mean squared error. We know the answer with the smallest loss. It is the mean of all digits that can be
behind the input, each weighted by its probability:</p>
${display`D(x) = \mathbb{E}[\,x_0 \mid x\,]`}
<p>This is the <em>posterior mean</em>. If the input shows the digit clearly, all these digits are alike, and so is their
mean. If the input shows little, the mean is a blur of many digits. If the input shows nothing, ${tex`x`} and
${tex`x_0`} are independent, and the answer is the same for every input:</p>
${display`\mathbb{E}[\,x_0 \mid x\,] = \mathbb{E}[\,x_0\,] \qquad \text{the mean of the data}`}
<p>The figure trains a denoiser with strong noise, ${tex`\sigma = 2`}, while a pixel of a digit is from 0 to 1. Then
the denoiser gets ten pictures of noise with no digit behind them. Its answer is given back to it as the next input, and
so on. Press <strong>Train</strong>.</p>`,
    {
      figure: PURE_NOISE,
      caption:
        'Each column begins with other noise. Below it: the answer, and the answers to the answers. The curves measure them over the passes. Blue: how much the ten pictures differ from each other, as the standard deviation of a pixel. Vermilion: how far they are from the mean of the data. The dashed line is how much the digits of the data differ. Move the slider to see the answers of an earlier step of the training.',
      code: [
        { file: 'src/models/figures/denoiser.ts', from: 'export function pureNoiseFigure' },
        { file: 'src/models/training/denoiser.ts', from: 'loss({ images }: Batch): Tensor {' },
        { file: 'src/playground/lessons/pure-noise/job.ts', from: 'export function spreadOf' },
      ],
    },
    `<h2>What to notice</h2>
<p>The first answers are blurs: they are about half as far from the mean of the data as a digit is. They are not the same,
because noise agrees by chance with some digits more than with others. Then look at the last row. From ten different pictures
of noise comes ten times nearly the same picture, and it is no digit.</p>
<p>The denoiser is a function, and the figure computes ${tex`D(D(D(D(D(\varepsilon)))))`}. Repeated application of a function
that brings its inputs closer together ends in a fixed point, ${tex`D(x) = x`}. We call it an <em>attractor</em>. A
<em>sampler</em> must do something else: its results must be distributed as the data are. They must differ from each other
as much as digits do, and each must be a digit. The curves show that the answers differ less with each pass.</p>
<h2>What to try</h2>
<div class="try"><ul>
<li>Press <strong>Reset</strong>, then <strong>Step</strong>, and wait for the first thing that the network learns: the mean of
the data, for any input.</li>
<li>Set <strong>noise</strong> to 4 and train. The input says less, so the first answers are closer to the mean. Two passes
more, and the ten are one.</li>
<li>Set <strong>noise</strong> to 0.5, the lecture’s value. After five passes there are white shapes. Some are like digits,
and some are like two digits at once. There is more than one attractor now, and the noise only chooses one that is near. The
ten differ half as much as digits do.</li>
<li>Leave it at 0.5, and set <strong>epochs</strong> to 20. The first answers become dark. An input without a digit is not
without information: it says that there is little ink. No input of the training was like this.</li>
<li>Take <strong>Another seed</strong>. Another network has another attractor. The attractor is a property of this network,
and not of the data.</li>
</ul></div>
<h2>What is missing</h2>
<p>The denoiser expects noise of one strength. Its own answer has none of it, so that from the second pass on it gets inputs
that it has never seen. And each answer is a jump to a mean, which loses what the noise could have decided. A sampler needs
both mended. It knows denoisers for all strengths of noise, begins with the strongest, and goes only a small part of the way
to each answer. So the noise falls a little, and the next answer is a mean of fewer digits. The lecture’s five-step model is a
first attempt at this. It has a flaw, which you can measure.</p>`,
  ],
};
