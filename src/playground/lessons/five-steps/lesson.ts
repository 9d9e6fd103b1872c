/** Lesson 7: the lecture's five-step model. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { FIVE_STEPS } from './figure.ts';

export const FIVE_STEPS_LESSON: Lesson = {
  number: 7,
  slug: 'five-steps',
  title: 'The lecture’s five-step model',
  summary:
    'A first diffusion model with five times. It trains, its loss falls, and it draws no digit. We can compute why, and the run agrees.',
  blocks: [
    `<p>The lecture’s model has ${tex`T = 5`} times, ${tex`s = 0, \tfrac14, \tfrac12, \tfrac34, 1`}. All noise is added to a digit
${tex`x_0`} at once, a part for each step of ${tex`\Delta = \tfrac14`}. Then a loop goes through the times from the last to the
first. In each it subtracts noise, and asks the network for the direction that leads to the digit:</p>
${display`x = x_0 + \sum_t \sqrt{\Delta}\,\varepsilon_t, \qquad \tilde{x}_t = x - \sqrt{\Delta}\,\varepsilon'_t`}
${display`L = \sum_t \mathbb{E}\,\Bigl\| f_\theta(\tilde{x}_t, s_t) - \frac{x_0 - \tilde{x}_t}{\Delta} \Bigr\|^2`}
<p>To draw a picture, it starts with pure noise and goes ${tex`x \leftarrow x + \Delta\, f_\theta(x, s)`} for the four times
${tex`s = \tfrac34, \tfrac12, \tfrac14, 0`}. The network is an MLP of 785, 400, 400 and 784 numbers. The time is its 785th input.
Press <strong>Train</strong>.</p>`,
    {
      figure: FIVE_STEPS,
      caption:
        'Above: digits that the network never learns from, its inputs for them, and its predictions as pictures. In the middle: the loop from pure noise. Below: the loss over the training, beside the losses that are possible in theory. The tab Numbers has the loss at each time when the training has ended. Its hash index.html is that of this analysis.',
      code: [
        { file: 'src/models/lecture/lecture.ts', from: 'export function lectureLoss(' },
        { file: 'src/models/lecture/analysis.ts', from: 'export function lectureNoise(' },
        { file: 'src/models/lecture/figures.ts', from: 'function theoryOf(' },
        { file: 'src/models/lecture/pictures.ts', from: 'export function sampledFigure(' },
      ],
    },
    `<h2>What it sees</h2>
<p>The noise ${tex`\varepsilon'_t`} that the loop subtracts is a new draw. It is not the noise that was added. Subtracting it
removes nothing, and adds its variance. So at every time the network sees its digit under noise of the same variance:</p>
${display`\underbrace{4 \cdot \tfrac14}_{\text{added}} + \underbrace{\tfrac14}_{\text{“subtracted”}} = 1.25`}
<p>The input does not depend on the time, so the time says nothing. The model has learned one task four times. In the tab
Numbers the four losses are nearly the same, and the predictions at the first and at the last time differ by a small part of a
percent.</p>
<h2>What it can learn</h2>
<p>The target is the noise in the input, divided by ${tex`-\Delta`}. Four losses can be computed without any training:</p>
<ul>
<li>A network that <strong>always predicts 0</strong> has the loss
${tex`4 \cdot 1.25 / \Delta^2 = 80`}. The training begins there.</li>
<li>The noise points in all 784 directions alike. The last layer has <strong>400 units</strong>, and so it can predict in 400
directions only. The rest remains, whatever the training does: ${tex`80 \cdot (1 - 400/784) = 39.2`}.</li>
<li>The <strong>best linear network</strong> without this bottleneck has a loss below 2. It follows from the covariance of the
digits.</li>
<li>A network that has <strong>the training digits by heart</strong> answers with the mean of all that fit the input. Asked for
test digits, it is a little better still, if it has enough training digits.</li>
</ul>
<p>So the width decides. Nearly all of the loss that is left is the noise outside of the 400 directions. A network that predicts
the digit, not the noise, does not have this problem: digits need few directions.</p>
<h2>What it cannot do</h2>
<p>Look at the loop. Noise outside of the 400 directions stays in the picture through all four steps. But a wider network would not
draw digits either. Its first step leads from pure noise to the posterior mean, which lesson 6 showed to be a blur. After that
the picture has hardly any noise, while the network has only seen inputs with noise of variance 1.25. Nothing has taught it
to make a blur sharp.</p>
<div class="try"><ul>
<li>Train for more <strong>epochs</strong>. The loss creeps toward the vermilion line, and stays above it.</li>
<li>Compare the mean square of a pixel after each time in the tab Numbers. A digit has about 0.1, pure noise has 1.</li>
<li>Take <strong>Another seed</strong>. Everything is drawn anew but the first three of the four lines.</li>
</ul></div>
<p>Two changes make a diffusion model of this. The noise must fall from time to time, so that the time says how much is left.
And the network must be asked for what it can say. The lessons on scores and on DDPM do both.</p>`,
  ],
};
