/** Lesson 3: from a picture to noise. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { NOISING } from './figure-noising.ts';
import { SCHEDULES } from './figure-schedules.ts';

export const NOISING_LESSON: Lesson = {
  number: 3,
  slug: 'noising',
  title: 'From a picture to noise',
  summary:
    'Every pixel follows the same equation. At the end nothing of the picture is left, and we know exactly how much there is on the way.',
  blocks: [
    `<p>A picture of 28 by 28 pixels is a list of 784 numbers, here from −1 (black) to 1 (white). Let each of them follow a
stochastic differential equation, with noise of its own. The picture sinks into noise.</p>
<p>All equations of this kind have the same solution. At the time ${tex`t`} a pixel is what is left of its first value,
and noise:</p>
${display`x_t = \alpha_t\, x_0 + \sigma_t\, \varepsilon, \qquad \varepsilon \sim \mathcal{N}(0, 1)`}
<p>They differ in how ${tex`\alpha`} and ${tex`\sigma`} move. <em>Variance preserving</em>: the picture fades while the noise
grows, and ${tex`\alpha^2 + \sigma^2 = 1`}. <em>Variance exploding</em>: the picture stays, and the noise grows until the
picture does not matter. Brownian motion is the slow case of the latter.</p>`,
    {
      figure: NOISING,
      caption:
        'Move the slider. The bar below each picture is the share of the picture in the variance, α²/(α² + σ²). Pictures are scaled by 1/√(α² + σ²), so that growing noise does not just burn them out.',
      code: [
        { file: 'src/models/figures/noising.ts', from: 'function coursesOf' },
        { file: 'src/sde/processes/variance-preserving.ts', from: 'export const variancePreserving' },
        { file: 'src/sde/processes/variance-exploding.ts', from: 'export const varianceExploding' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Find the time at which you cannot read the digit any more. Look at the share of the picture there: it is small. Eyes
are good denoisers.</li>
<li>Open <strong>Draw your own digit</strong>, and watch it go.</li>
<li>At t = 1 Brownian motion has left half of the picture. That is too much: a sampler begins with pure noise, and so
training must end there.</li>
</ul></div>
<h2>Schedules</h2>
<p>How fast the picture fades is a choice, the <em>schedule</em>. What counts is the signal-to-noise ratio
${tex`\alpha_t^2/\sigma_t^2`}: two schedules that pass through the same ratios differ only in when they do. The share of the
data in the variance, ${tex`\bar\alpha = \alpha^2/(\alpha^2+\sigma^2)`}, says the same on a scale from 1 to 0.</p>`,
    {
      figure: SCHEDULES,
      caption:
        'Both plots show the same schedules. Below them: one digit with one noise at the time of the dotted line. Only the mixture differs.',
      code: [
        { file: 'src/models/figures/schedules.ts', from: 'export function schedulesFigures' },
        { file: 'src/diffusion/betas.ts', from: 'export function namedBetas' },
      ],
    },
    `<h2>What to notice</h2>
<p>The linear schedule has destroyed the digit long before the end; a large share of its steps looks at noise alone. The
cosine schedule spends its steps more evenly. A model that is trained on one schedule learns to denoise at all its levels of
noise, and the schedule decides how often it practises each.</p>
<p>Look at the ends of the curves. Some schedules never reach an SNR of 0: at their last step the mean of the picture can
still be seen. Tick <strong>zero SNR too</strong> to compare them with versions that are rescaled to end in pure noise.</p>`,
  ],
};
