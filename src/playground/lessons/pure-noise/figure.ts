/** Pure noise, and a denoiser's answer to it, given back to it: `langevin train denoiser`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { DATA_TABLE, DENOISER_TABLE } from '../../../models/settings.ts';
import { axes, niceDomain } from '../../draw/axes.ts';
import { drawPictures } from '../../draw/pictures.ts';
import { grey16, pixels } from '../../draw/pixels.ts';
import { curve, key, path, picture, px, text } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import type { PureNoiseMoment, PureNoiseResult, PureNoiseSettings } from './job.ts';

const { epochs, noise, seed } = DENOISER_TABLE;

const request = (values: Values) => values as unknown as PureNoiseSettings;
/** The height of the plot, and the screen pixels of a pixel in the mean of the data. */
const [PLOT_HEIGHT, MEAN_SCALE] = [144, 4];
const LOOKS = [
  ['line s0', 'spread of the ten'],
  ['line s1 dashed', 'distance from the mean of the data'],
  ['exact', 'spread of the data'],
] as const;
const passName = (pass: number) => (pass === 0 ? 'the answer' : `fed back, pass ${pass + 1}`);

/** The spread of the answers and their distance from the mean, over the passes. */
function drawPasses(
  { dataSpread, moments }: PureNoiseResult,
  { spread, fromMean }: PureNoiseMoment,
  { top, right }: { readonly top: number; readonly right: number },
): string {
  const box = { left: 40, top, right, bottom: top + PLOT_HEIGHT };
  const most = Math.max(dataSpread, ...moments.flatMap((moment) => [...moment.spread, ...moment.fromMean]));
  const passes = spread.map((_, i) => i + 1);
  const x = { label: 'pass', domain: [1, passes.length] as const, ticks: passes };
  const { X, Y, svg } = axes(box, x, { label: 'of a pixel', domain: niceDomain(0, most) });
  const dots = (values: readonly number[], look: string) =>
    values.map((y, i) => `<circle class="dot ${look}" cx="${px(X(i + 1))}" cy="${px(Y(y))}" r="3.5"/>`);
  return [
    svg,
    path('exact', `M${box.left} ${px(Y(dataSpread))}H${box.right}`),
    curve('line s0', passes, spread, [X, Y]),
    curve('line s1 dashed', passes, fromMean, [X, Y]),
    ...dots(spread, 's0'),
    ...dots(fromMean, 's1'),
  ].join('');
}

function draw(result: PureNoiseResult, frame: number, width: number): string {
  const { height: h, width: w, noise: seen, mean, moments } = result;
  const moment = moments[frame];
  const rows = [seen, ...moment.answers].map((bytes, r) => ({
    label: r === 0 ? 'noise' : passName(r - 1),
    at: (i: number) => bytes[i] / 255,
  }));
  const narrow = width < 560;
  const { svg, height } = drawPictures({ height: h, width: w, rows, pictures: narrow ? 5 : 10 }, width);
  const { svg: legend, height: used } = key(LOOKS, 0, height + 24, width);
  const top = height + used + 56;
  const [wide, high] = [MEAN_SCALE * w, MEAN_SCALE * h];
  const below = top + PLOT_HEIGHT + 48;
  const [x, y] = narrow ? [0, below + 24] : [width - wide, top + PLOT_HEIGHT - high];
  const label = `Pictures of noise, and the answers of a denoiser after ${moment.step} steps of training, each fed back into it up to ${moment.answers.length} times`;
  return picture(
    width,
    narrow ? y + high : below,
    label,
    svg,
    legend,
    drawPasses(result, moment, { top, right: narrow ? width - 8 : width - wide - 24 }),
    text('label', x, y - 10, 'mean of the data'),
    pixels({ x, y, width: wide, height: high }, w, h, (column, row) => grey16(mean[row * w + column])),
  );
}

export const PURE_NOISE = defineFigure({
  id: 'pure-noise',
  title: 'Noise, an answer, and the answer fed back',
  job: 'pure-noise',
  table: { noise, epochs, limit: DATA_TABLE.limit, seed },
  initial: { noise: 2, epochs: 4, limit: 4000, seed: '0' },
  short: { epochs: 1, limit: 128 },
  labels: { limit: 'training digits' },
  live: 'Train',
  request,
  commands: (values) => [
    {
      line: commandLine('train denoiser', { ...values }),
      numbers: { 'pure-noise.png': 'pure-noise.png', 'pure-noise-5x.png': 'pure-noise-5x.png' },
    },
  ],
  frames: ({ moments }) => moments.length,
  moment: ({ moments, steps }, frame) => `step ${moments[frame].step} of ${steps}`,
  draw,
  numbers({ dataSpread, moments, steps }, frame) {
    const { step, loss, spread, fromMean } = moments[frame];
    return [
      { name: 'step', value: `${step} of ${steps}` },
      { name: 'loss, mean of batches', value: shown(loss) },
      { name: 'spread of the data', value: shown(dataSpread) },
      ...spread.map((value, i) => ({ name: `spread of the ten, pass ${i + 1}`, value: shown(value) })),
      ...fromMean.map((value, i) => ({
        name: `from the mean of the data, pass ${i + 1}`,
        value: shown(value),
      })),
    ];
  },
  csv({ moments }) {
    const passes = moments[0].spread.map((_, i) => i);
    return encodeCsv(
      ['step', 'loss', ...passes.map((i) => `spread_${i + 1}`), ...passes.map((i) => `from_mean_${i + 1}`)],
      [
        moments.map(({ step }) => step),
        moments.map(({ loss }) => loss),
        ...passes.map((i) => moments.map(({ spread }) => spread[i])),
        ...passes.map((i) => moments.map(({ fromMean }) => fromMean[i])),
      ],
    );
  },
});
