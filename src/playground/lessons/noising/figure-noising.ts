/** A picture on its way into noise by three processes: `langevin noise`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { NOISE_TABLE } from '../../../models/settings.ts';
import { grey, pixels } from '../../draw/pixels.ts';
import { path, picture, text } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import type { NoisingResult, PageNoisingSettings } from './job-noising.ts';

const { process, pictures, steps, seed } = NOISE_TABLE;
const NAMES = {
  brownian: 'Brownian',
  vp: 'Variance preserving',
  'sub-vp': 'Sub-VP',
  ve: 'Variance exploding',
} as const;
const SHORT = { brownian: 'Brownian', vp: 'VP', 'sub-vp': 'sub-VP', ve: 'VE' } as const;
/** Pictures are at most so wide. */
const WIDEST = 196;

const request = (values: Values) => values as unknown as PageNoisingSettings;

function draw({ figure, left }: NoisingResult, frame: number, width: number): string {
  const { courses, height: h, width: w, times } = figure;
  const across = Math.min(courses.length, 4);
  const gap = 16;
  // A whole number of screen pixels for each pixel of the picture.
  const size = w * Math.max(1, Math.floor(Math.min(WIDEST, (width - gap * (across - 1)) / across) / w));
  const parts = courses.map(({ process: name, frames }, i) => {
    const [x, y] = [(i % across) * (size + gap), Math.floor(i / across) * (size + 56)];
    const pixel = frames[frame];
    const share = left[i][frame];
    return [
      text('label strong', x, y + 14, size < 120 ? SHORT[name] : NAMES[name]),
      pixels({ x, y: y + 24, width: size, height: size }, w, h, (px, py) => grey(pixel[py * w + px])),
      path('track', `M${x} ${y + size + 34}h${size}`),
      path('line s0 thick', `M${x} ${y + size + 34}h${Math.max(0.1, size * share)}`),
    ].join('');
  });
  const rows = Math.ceil(courses.length / across);
  const label = `A digit at t = ${times[frame].toFixed(2)} of its way into noise, by ${courses.map(({ process: name }) => NAMES[name]).join(', ')}`;
  return picture(across * size + (across - 1) * gap, rows * (size + 56) - 8, label, ...parts);
}

export const NOISING = defineFigure({
  id: 'noising',
  title: 'A digit on its way into noise',
  job: 'noising',
  table: { process, pictures, steps, seed },
  initial: { process: 'all', pictures: 1, steps: 480, seed: '0' },
  request,
  commands: (values) =>
    request(values).drawing
      ? []
      : [
          {
            line: commandLine('noise', { ...values }),
            numbers: { [`noise-${values.process}.png`]: `noise-${values.process}.png` },
          },
        ],
  frames: ({ figure }) => figure.times.length,
  still: ({ figure }) => Math.round(0.3 * figure.times.length),
  moment: ({ figure }, frame) => `t = ${figure.times[frame].toFixed(2)}`,
  draw,
  numbers: ({ figure, left }, frame) => [
    { name: 'time t', value: figure.times[frame].toFixed(3) },
    ...figure.courses.map(({ process: name, picture: i }, c) => ({
      name: `left of the picture, ${SHORT[name]}${figure.courses.some((other) => other.picture > 0) ? ` ${i + 1}` : ''}`,
      value: `${shown(100 * left[c][frame])} %`,
    })),
  ],
  csv: ({ figure, left }) =>
    encodeCsv(
      ['t', ...figure.courses.map(({ process: name, picture: i }) => `left_${name}_${i}`)],
      [figure.times, ...left],
    ),
});
