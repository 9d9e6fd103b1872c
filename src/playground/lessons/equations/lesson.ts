/** Lesson 2: stochastic differential equations, and how well a scheme solves them. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { ONE_PATH } from './figure-one-path.ts';
import { ORDERS } from './figure-orders.ts';
import { PATHS } from './figure-paths.ts';

export const EQUATIONS_LESSON: Lesson = {
  number: 2,
  slug: 'equations',
  title: 'Drift, noise, and your own equation',
  summary:
    'A stochastic differential equation has a drift, which pulls, and a diffusion, which shakes. Write one yourself.',
  blocks: [
    `<p>Brownian motion only shakes. Most processes are also pulled somewhere. A stochastic differential equation names
both:</p>
${display`dX = a(X, t)\,dt + b(X, t)\,dW`}
<p>The drift ${tex`a`} says where ${tex`X`} goes on average. The diffusion ${tex`b`} says how strong the noise
${tex`dW`} is. Without noise, ${tex`dX = a(X,t)\,dt`} is an ordinary differential equation, and we call its solution the
noise-free twin.</p>
<p>Geometric Brownian motion is the classical example. Drift and noise are both proportional to ${tex`X`}, so a large
value shakes more than a small one:</p>
${display`dX = \mu X\,dt + \sigma X\,dW`}`,
    {
      figure: PATHS,
      caption:
        'Paths of the equation, the exact mean and band where they are known, and the twin without noise. Choose another process, or “your own equation”, and type a drift and a diffusion in x and t.',
      code: [
        { file: 'src/sde/processes/gbm.ts', from: 'export const gbm' },
        { file: 'src/sde/solvers/euler-maruyama.ts', from: 'step(sde, x, t, dt, dW)' },
        { file: 'src/sde/expression.ts', from: 'const FUNCTIONS' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>The mean of all paths lies on the noise-free twin. Most paths lie below it: a few large ones carry the mean. Look at
the histogram, which leans to one side.</li>
<li>Choose <strong>ou</strong>. The drift pulls back to a mean, and after a while the paths forget where they began.</li>
<li>Choose <strong>your own equation</strong>. With ${tex`a = x - x^3`} and ${tex`b = 0.5`} the paths live in two valleys,
near −1 and 1. With less noise they stay in the one they are in.</li>
<li>Type <code>-x</code> and <code>0.5*x</code>, then <code>x^2</code> and <code>1</code>. The last one explodes, and the
page says when.</li>
</ul></div>
<h2>How exact is a step?</h2>
<p>The computer takes steps of a finite size. Euler and Maruyama take drift and diffusion from the beginning of the step.
But over the step ${tex`X`} moves by about ${tex`\sqrt{dt}`}, and ${tex`b(X)`} moves with it. Milstein's scheme adds the
first term of that change:</p>
${display`X' = X + a\,dt + b\,dW + \tfrac12\, b\,b'\,(dW^2 - dt)`}
<p>For geometric Brownian motion the exact solution on the same Brownian path is known. So we can watch both schemes miss
it.</p>`,
    {
      figure: ONE_PATH,
      caption:
        'All three take the same random increments. The exact solution is a function of the Brownian path alone; the schemes only approximate it.',
      code: [
        { file: 'src/sde/solvers/milstein.ts', from: 'step(sde, x, t, dt, dW)' },
        { file: 'src/sde/solvers/euler-maruyama.ts', from: 'step(sde, x, t, dt, dW)' },
        { file: 'src/sde/processes/gbm.ts', from: 'transition: (x, _t, dt, dW) =>' },
      ],
    },
    `<p>One path is an anecdote. The <em>strong error</em> is the mean distance between scheme and solution over many
paths. If it falls like ${tex`dt^p`}, the scheme has the strong order ${tex`p`}. On axes that are both logarithmic, a power
is a straight line, and ${tex`p`} is its slope.</p>`,
    {
      figure: ORDERS,
      caption:
        'The mean error at t = 1 for steps from 1/8 to 1/128. Euler-Maruyama has the strong order ½, Milstein 1. Each point is computed from the same paths.',
      code: [
        { file: 'src/sde/orders.ts', from: 'function batchErrors(' },
        { file: 'src/sde/orders.ts', from: 'export function slopeOf' },
      ],
    },
    `<h2>What to notice</h2>
<p>To halve the error, Milstein needs steps half as long, and Euler-Maruyama steps a quarter as long. If ${tex`b`} does not
depend on ${tex`X`}, then ${tex`b' = 0`}: the two schemes are one. That is so for the noise of diffusion models, which is
why the simplest scheme serves them well.</p>`,
  ],
};
