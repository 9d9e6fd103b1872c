/** Lesson 1: Brownian motion. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { BROWNIAN } from './figure.ts';

export const BROWNIAN_LESSON: Lesson = {
  number: 1,
  slug: 'brownian',
  title: 'Brownian motion',
  summary:
    'Many small random steps make a path that nobody can predict. The crowd of paths can be predicted exactly.',
  blocks: [
    `<p>A diffusion model turns a picture into noise, step by step, and learns the way back. The noise is Brownian
motion. So we begin there, with a single number in place of a picture.</p>
<p>Let ${tex`X`} start at 0. In a short time ${tex`dt`} it takes a random step: a normal number with mean 0 and variance
${tex`dt`}.</p>
${display`X_{t+dt} = X_t + \sqrt{dt}\,\varepsilon, \qquad \varepsilon \sim \mathcal{N}(0, 1)`}
<p>Steps that do not overlap are independent. Their variances add up, so after the time ${tex`t`} the variance is
${tex`t`}, whatever the size of the steps was:</p>
${display`X_t \sim \mathcal{N}(0,\, t)`}
<p>The typical distance from the start is therefore ${tex`\sqrt{t}`}. Four times the time gives twice the distance.</p>`,
    {
      figure: BROWNIAN,
      caption:
        'Left: paths over time. The shaded band holds 95.4 % of all paths at each time; it is computed from the formula, not from the paths. Right: the histogram of all paths at the time shown, under the exact density.',
      code: [
        { file: 'src/sde/solvers/euler-maruyama.ts', from: 'step(sde, x, t, dt, dW)' },
        { file: 'src/sde/processes/brownian.ts', from: 'export const brownian' },
        { file: 'src/sde/increments.ts', from: 'increment(s: number, t: number): Increment {' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Press <strong>Run</strong>. Each path wanders on its own. The histogram widens, and stays under the curve.</li>
<li>Set <strong>steps</strong> to 10. The paths become coarse. The histogram at the end still fits: the sum of normal
steps is normal, so a large ${tex`dt`} costs no accuracy here. For most other equations it does, as the next lesson shows.</li>
<li>Set <strong>paths</strong> to 100, then to 4000. The error of the measured deviation, in the tab Numbers, falls
like ${tex`1/\sqrt{n}`} for ${tex`n`} paths.</li>
<li>Take <strong>another seed</strong>. All paths change, and the histogram hardly does.</li>
</ul></div>
<h2>What to notice</h2>
<p>A path has no direction: knowing where it came from does not help to say where it goes. It has no slope either. Look at
it with smaller steps, and it stays as rough as before: over a time ${tex`dt`} it moves by about ${tex`\sqrt{dt}`}, which
is much more than ${tex`dt`}.</p>
<p>The distribution of all paths is smooth, and we know it exactly. Diffusion models live on this: they never predict
one path of the noise, only distributions.</p>`,
  ],
};
