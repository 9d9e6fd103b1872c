/** Lesson 8: the score in the plane, where the exact one is known. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { SCORES } from './figure.ts';

export const SCORES_LESSON: Lesson = {
  number: 8,
  slug: 'scores',
  title: 'Scores in the plane',
  summary:
    'A network sees only points. It learns the score: the direction in which data become more likely. In the plane we know the exact score, so we see what it gets right.',
  blocks: [
    `<p>A picture of 28 by 28 pixels is a point in a space of 784 dimensions, which nobody can draw. So here our data have two
numbers each: they are points in the plane. All the rest is as for pictures.</p>
<p>We add noise as in lesson 3. At each time ${tex`t`} the noised data have a density ${tex`p_t(x)`}. Its <em>score</em> is the
gradient of the logarithm of this density:</p>
${display`s(x, t) = \nabla_x \ln p_t(x)`}
<p>At each place ${tex`x`} the score is an arrow. It points to where noised data are more likely. If we know the score at all
times, we can go back from noise to data. There are two ways. One is an ordinary differential equation, and the other one
adds noise of its own on the way:</p>
${display`dx = \left(f x - \tfrac12 g^2 s\right)dt \qquad dx = \left(f x - g^2 s\right)dt + g\,d\bar{W}`}
<p>Here ${tex`f`} and ${tex`g`} depend on ${tex`t`}: they are the drift and the strength of the noise on the way there. Both run from ${tex`t = 1`} down to ${tex`t = 0`}. Their paths differ, but at each time their points have the same density.
The sampler DDIM solves the first equation, and DDPM the second one.</p>
<p>A mixture of Gaussians stays one when noise is added. So its exact score is a formula. The network does not know it: it
learns from random points only, 128 in each step.</p>`,
    {
      figure: SCORES,
      caption:
        'Press <strong>Train</strong>. Move the slider to see another time, or press <strong>Play</strong> to go from noise to data. The length of an arrow grows like the square root of the score’s, up to that of the median. Samples of both scores start from the same noise; lines join those that do.',
      code: [
        {
          file: 'src/diffusion/gaussian-mixture.ts',
          from: 'denoise(x: Tensor, level: NoiseLevel): Tensor {',
        },
        { file: 'src/diffusion/gaussian-mixture.ts', from: 'score(x: Tensor, level: NoiseLevel): Tensor {' },
        { file: 'src/models/toy/toy.ts', from: 'export class PlaneNetwork' },
        { file: 'src/diffusion/process.ts', from: 'export function reverseSde' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Press <strong>Step</strong> a few times: each press is 50 steps of training. At large ${tex`t`} the arrows are right very
soon. At small ${tex`t`} they take much longer.</li>
<li>Look at the difference at ${tex`t = 0.1`}. It is large where no noised data are, the grey points: the network was
never trained there.</li>
<li>Take the <strong>swirl</strong>, and press Train. Its arms are close to each other, so that the score changes over short
distances. It is the hardest of the sets.</li>
<li>Take <strong>eight</strong> with 3 <strong>sampler steps</strong>. Now even the exact score leads to a ring in place of
eight clouds. This error is the sampler’s, not the network’s.</li>
<li>Choose your own points. The network learns a cloud around each of them.</li>
</ul></div>
<h2>What to notice</h2>
<p>Look at the samples at ${tex`t = 0`}. Most lines are so short that the dot hides them. Both scores lead the same noise to
nearly the same point, although the network has never seen the exact one.</p>
<p>A few lines are long, and there are more of them in the SDE. They belong to points that came near a border between two
parts of the data, where a small error decides for the other part. This is no fault: what counts is the density of all
points.</p>
<p>The error of the learned score is in the tab <strong>Numbers</strong>. It is below 2 % at ${tex`t = 0.5`}, and ten times as
large at ${tex`t = 0.1`}: with little noise the score changes over short distances, and its values are large.</p>
<p>At ${tex`t`} near 1 nearly nothing of the data is left, and all arrows point to the middle. The shape of the data appears in
the last third of the way. That is why a network must know the time.</p>`,
  ],
};
