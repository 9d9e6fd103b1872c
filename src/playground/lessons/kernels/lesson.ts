/** Lesson 11: how fast the kernels are, and what limits them. */
import type { Lesson } from '../../lesson.ts';
import { display, tex } from '../../site/markup.ts';
import { KERNELS } from './figure.ts';

export const KERNELS_LESSON: Lesson = {
  number: 11,
  slug: 'kernels',
  title: 'Kernels',
  summary:
    'Nearly all the time of a training step is in a few small loops. Measure them on your machine, beside what the machine can do at best.',
  blocks: [
    `<p>A <em>kernel</em> is a small function that does one kind of work on arrays: a matrix product, a convolution, a sum, or
random numbers. Here kernels are WebAssembly, written by hand. A time alone does not say whether a kernel is good. So we
measure what limits it, its <em>roof</em>, in the same moments.</p>
<p>There are two roofs. The first is the <em>multiply-add peak</em>: products and sums of numbers in registers, which need no
memory, on as many threads. The second is a plain <em>copy</em> of an array. If a kernel does ${tex`F`} operations on ${tex`B`} bytes,
it can be at most as fast as</p>
${display`\min\left(\text{peak},\; \text{copy} \cdot \frac{F}{B}\right)`}
<p>Products and convolutions have many operations for each byte: the peak limits them. Sums, functions of single elements and
random numbers have few: here they are compared with the copy.</p>`,
    {
      figure: KERNELS,
      caption:
        'A bar is the median of a work’s share of its roof. The thin mark goes from the first quartile to the third. Move the slider to see other numbers of threads, and the relaxed build. Before you press <strong>Measure</strong> you see the results of another machine, which is named above the bars.',
      code: [
        { file: 'src/models/benchmark/rounds.ts', from: 'export function* measureRounds(' },
        { file: 'src/models/benchmark/works.ts', from: 'export function gemmWork(' },
        { file: 'src/models/benchmark/operands.ts', from: 'multiplyAddPeak(): Roof {' },
      ],
    },
    `<h2>What to try</h2>
<div class="try"><ul>
<li>Measure, and go through the settings with the slider. The peak is measured with as many threads, so that a share that
falls with more threads says that the threads wait for each other or for memory.</li>
<li>Measure while a video plays in another tab. The quartiles move apart, and the shares change less than the times,
because the roof is measured in the same moments.</li>
<li>Press <strong>Save JSON</strong>, open this page on another machine, and load the file there.</li>
</ul></div>
<h2>What to notice</h2>
<p>The <em>strict</em> build rounds after each product and after each sum, so that it gives the same bits everywhere. The
<em>relaxed</em> one may do both in one instruction, and then has a higher peak. All other lessons use the strict build.</p>
<p>A convolution can be above its roof. Its operations are counted as those of the direct sum, and Winograd’s algorithm
needs fewer products. The convolution whose name has <em>direct</em> computes that sum.</p>
<p>Normal random numbers take longer than a copy, because each needs a logarithm, a root, a sine and a cosine. Still they
cost little beside a network.</p>`,
  ],
};
