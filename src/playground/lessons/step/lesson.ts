/** Lesson 5: one training step, taken apart. */
import { grey, pixels } from '../../draw/pixels.ts';
import { escaped, picture, text } from '../../draw/svg.ts';
import { runJob } from '../../engine/jobs.ts';
import { shown } from '../../figure.ts';
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { opSource } from '../../site/op-source.ts';
import { STEP_SETTINGS, stepCommand } from './command.ts';
import type { StepResult } from './jobs.ts';
import { drawLosses } from './losses.ts';

const SOURCES = [
  ['linear', 'src/ops/linear.ts', 'export const linear'],
  ['reshape', 'src/ops/shape.ts', 'export const reshape'],
  ['mse', 'src/ops/reduce.ts', 'export const mse'],
] as const;

/**
 * Four pictures: clean, noisy, and what the untrained network makes of the noisy one. A name stands above its row, so that
 * the drawing fits a slim screen and its letters keep their size.
 */
function drawPictures({ pictures }: StepResult): string {
  const [size, gap, line] = [72, 8, 24];
  const names = ['clean', 'with noise', 'output'];
  const parts = names.flatMap((name, r) => [
    text('label', 0, r * (line + size + gap) + 16, name),
    ...[0, 1, 2, 3].map((p) => {
      const from = (p * 3 + r) * 784;
      const y = r * (line + size + gap) + line;
      const place = { x: p * (size + gap), y, width: size, height: size };
      return pixels(place, 28, 28, (x, y) => grey(pictures[from + y * 28 + x]));
    }),
  ]);
  const label = 'Four digits of the batch, clean, with noise, and as the untrained network sees them: grey';
  return picture(4 * size + 3 * gap, 3 * (line + size) + 2 * gap, label, ...parts);
}

/** The step before any script: its nodes in a list. */
async function stepper(): Promise<string> {
  const result = await runJob('step', STEP_SETTINGS);
  const { nodes, tensors, loss, parameters, gradients } = result;
  const named = (id: number) => `${tensors[id].name} <span>[${tensors[id].shape.join(', ')}]</span>`;
  const list = nodes
    .map(
      ({ op, attributes, inputs, output }) =>
        `<li class="node"><div class="node-head"><strong>${op}</strong> <span>${attributes}</span></div><div class="tensors">${inputs.map((id) => `<span class="chip">${named(id)}</span>`).join('')}<span class="chip">⇒ ${named(output)}</span></div></li>`,
    )
    .join('');
  const tab = (name: string, word: string, on: boolean) =>
    `<button role="tab" id="step-${name}-tab" aria-controls="step-${name}" aria-selected="${on}">${word}</button>`;
  const panel = (name: string, content: string) =>
    `<div role="tabpanel" class="tabpanel" id="step-${name}" aria-labelledby="step-${name}-tab" tabindex="0">${content}</div>`;
  const sources = SOURCES.map(([op, file, from], i) =>
    i === 0 ? opSource(op, file, from).replace(' hidden', '') : opSource(op, file, from),
  );
  const hash = `<dl class="hashes"><dt>gradients of all parameters</dt><dd><code data-hash="gradients">${gradients}</code></dd></dl>`;
  const numbers = `<table><tbody><tr><th scope="row">loss</th><td data-loss="${loss}">${shown(loss)}</td></tr><tr><th scope="row">nodes on the tape</th><td>${nodes.length}</td></tr><tr><th scope="row">parameters</th><td>${parameters.toLocaleString('en')}</td></tr></tbody></table>${hash}`;
  return `<div class="opening">${drawPictures(result)}</div>
<section class="lab" id="step" aria-labelledby="step-title"><figure><h2 id="step-title">The step, node by node</h2>
<div class="controls" data-place="controls"></div>
<div data-place="chain"><ol class="chain">${list}</ol></div>
<div class="tensor" data-place="tensor"></div>
<figcaption>Each box is a node of the tape: an op with its inputs, and ⇒ its result. Step walks forward to the loss, then backward. Click a tensor to see its numbers, and a number to see its gradient.</figcaption>
</figure><div class="panel"><div role="tablist" aria-label="About the step">${tab('code', 'Code', true)}${tab('numbers', 'Numbers', false)}${tab('command', 'Command', false)}</div>
${panel('code', `<p class="where">The lines that run at this node are marked.</p>${sources.join('')}`)}
${panel('numbers', `<div data-place="numbers">${numbers}</div>`)}
${panel('command', `<div data-place="command"><div class="command"><code>${stepCommand(STEP_SETTINGS)}</code></div></div><p class="small">The loss of its first batch is the loss of this step, with all its digits.</p>`)}
</div></section>`;
}

/** The experiment with a wrong sign, before it runs. */
async function breakIt(): Promise<string> {
  const { right, wrong, error } = await runJob('step-broken', {
    ...STEP_SETTINGS,
    op: 'linear',
    input: 1,
    steps: 60,
  });
  const drawn = (width: number) => drawLosses(right, wrong, 60, width);
  return `<section class="prose breaks" aria-labelledby="break-title"><h2 id="break-title">Break it</h2>
<p>A wrong derivative is easy to write and hard to see: the program runs, and the loss still moves. Flip one sign, and look at
two witnesses. <em>gradcheck</em> compares the derivative with finite differences. The loss compares it with the world.</p>
<div data-place="break" data-built="${escaped(JSON.stringify({ error, right, wrong }))}"><p class="verdict bad">linear, to its weights: gradcheck’s largest relative error is ${shown(error)}.</p><div class="wide">${drawn(608)}</div><div class="slim">${drawn(328)}</div></div></section>`;
}

export const STEP_LESSON: Lesson = {
  number: 5,
  slug: 'step',
  title: 'One step, taken apart',
  summary:
    'A training step of a network with 949,184 parameters: every op, every number, every derivative, and the source that computes it.',
  blocks: [
    `<p>A denoiser sees a digit with noise and answers with the digit without it. At first its answer is grey. One training
step changes all of its parameters a little, so that the next answer is better. The gradient of the loss says how much each
parameter should change:</p>
${display`L = \frac{1}{n}\sum_i (\hat{x}_i - x_i)^2, \qquad \theta \leftarrow \theta - \eta\,\frac{\partial L}{\partial \theta}`}
<p>While the loss is computed, a <em>tape</em> notes each operation with its inputs. The backward pass goes along the tape from
its end. Each node gets ${tex`\partial L/\partial y`}, the derivative of the loss by its result. From that it computes the
derivative by each of its inputs, and passes it on.</p>
<p>Below is such a step as it really ran: the first of the command in the tab <strong>Command</strong>.</p>`,
    { html: stepper },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Step forward to the loss. Look at the picture of each result: a row is one of the sixteen digits of the batch.</li>
<li>Go on stepping. Now the derivatives come. At <code>linear</code> read the source: the gradient of the weights is one
product of two matrices, and that of the input is another.</li>
<li>Choose a number with a large gradient, and press <strong>Compute</strong>. The loss is computed twice more in float64,
with this number a little larger and a little smaller. The difference gives the same derivative to six digits.</li>
<li>Show the kernel calls. Backward takes about twice the work of forward: two products in place of one.</li>
</ul></div>`,
    { html: breakIt },
    `<h2>What to notice</h2>
<p>No node knows the network. Each knows its own formula and its derivative, and the chain rule does the rest. This is all
there is to backpropagation: the same loop trains every model of the lessons that follow.</p>
<p>A sign that is wrong in a bias hardly shows in the loss, since the weights learn around it. Gradcheck finds it at once.
That is why each op here has one.</p>`,
  ],
};
