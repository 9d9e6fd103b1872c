/** Lesson 4: a denoiser is trained. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { DENOISER } from './figure.ts';
import { THREADS } from './figure-threads.ts';

export const DENOISER_LESSON: Lesson = {
  number: 4,
  slug: 'denoiser',
  title: 'The denoiser',
  summary:
    'A network learns to remove noise from digits. It trains on the cores of this machine, and you watch what it learns.',
  blocks: [
    `<p>Lesson 3 put noise on a digit. Now a network shall take it away. It sees ${tex`x + \sigma\varepsilon`} and answers
with a picture. The loss is the mean squared difference between its answer and the digit without noise:</p>
${display`L(\theta) = \mathbb{E}\,\bigl\| D_\theta(x + \sigma\varepsilon) - x \bigr\|^2, \qquad \varepsilon \sim \mathcal{N}(0, I)`}
<p>The network is the lecture’s: 784 numbers become 400, then 400, 400 and 784 again. It has 949,184 parameters. The middle
layer has half as many numbers as the picture has pixels. What fits through it is what digits have in common. Noise has
nothing in common with other noise, and stays behind.</p>
<p>Press <strong>Train</strong>. The digits are drawn first, then the training goes through all of them 15 times.</p>`,
    {
      figure: DENOISER,
      caption:
        'Above: ten digits that the network never learns from, the same with noise, and its answers. Below: the loss of each batch, their running mean, and the loss on 1,000 test digits after each epoch. Move the slider to see an earlier answer.',
      code: [
        { file: 'src/models/networks/denoiser.ts', from: 'constructor(options: DenoiserOptions' },
        { file: 'src/models/networks/denoiser.ts', from: 'override forward(x: Tensor): Tensor {' },
        { file: 'src/models/training/denoiser.ts', from: 'export function addNoise' },
        { file: 'src/models/training/denoiser.ts', from: 'loss({ images }: Batch): Tensor {' },
        { file: 'src/models/training/loop.ts', from: 'private takeStep(' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Press <strong>Step</strong> a few times, then <strong>Go on</strong>. The first answer is grey. After ten steps all
answers are alike: the mean of all digits, whose loss is small already. After about a hundred steps each digit has a shape
of its own.</li>
<li>Set <strong>noise</strong> to 1. Read the noisy digits yourself, then compare with the answers. Where the network
is not sure, it answers with something between two digits.</li>
<li>Set <strong>only so many pictures</strong> to 100 and <strong>epochs</strong> to 300. The training loss falls to
less than half of the test loss: the network learns the hundred pictures by heart.</li>
<li>Set <strong>learning rate</strong> to 1. The loss falls to about 0.09 and stays there, and every answer is black:
the first steps were so large that the network is stuck.</li>
</ul></div>
<h2>What to notice</h2>
<p>The answers are smoother than the digits. Many digits fit to one noisy picture, and the answer with the least squared
error is their mean, ${tex`\mathbb{E}[x \mid x + \sigma\varepsilon]`}. A mean of sharp pictures is blurred. This is no fault
of the network. Lesson 6 shows why such an answer alone draws no new digits, and how many small steps do.</p>
<h2>Threads</h2>
<p>Nearly all of a step is products of matrices. The engine cuts each product into pieces, and threads take the pieces.
Each number of a result is computed by one thread, in an order that follows from the shape alone. So the number of threads
changes the speed, and nothing else.</p>`,
    {
      figure: THREADS,
      caption:
        'The first 100 steps of the same training on one thread and on more. The tick means that the ten pictures after these steps have the same SHA-256. Before you press Measure, the bars are those of the machine that built this page.',
      code: [
        { file: 'src/backend/partition.ts', from: 'export function gemmBoxes' },
        { file: 'src/playground/lessons/denoiser/job-threads.ts', from: 'export const compute' },
      ],
    },
    `<h2>Real handwriting</h2>
<p>The digits above are drawn by langevin’s own code. MNIST has 70,000 that people wrote. The page asks no other site for
them. If you have the four files, start the page by <code>langevin page --data-dir FOLDER</code> and choose
<strong>mnist</strong>, or choose <strong>files</strong> and give them to the page. Other data sets in such files work too,
for example Fashion-MNIST.</p>`,
  ],
};
