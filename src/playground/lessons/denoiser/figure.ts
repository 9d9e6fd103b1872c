/** The denoiser as it trains: ten pictures and the losses, `langevin train denoiser`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { choice } from '../../../models/setting.ts';
import { DATA_TABLE, DENOISER_TABLE } from '../../../models/settings.ts';
import { axes } from '../../draw/axes.ts';
import { drawPictures } from '../../draw/pictures.ts';
import { curve, key, path, picture } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import { PAGE_DATA } from './data-names.ts';
import type { DenoiserResult, PageDenoiserSettings } from './job.ts';

const { epochs, batchSize, lr, noise, seed } = DENOISER_TABLE;
const data = choice(PAGE_DATA)(
  'data',
  'strokes',
  'strokes (drawn by langevin), mnist, or your own IDX files.',
);

const request = (values: Values) => values as unknown as PageDenoiserSettings;

/** The mean loss in a window before a step, and the test loss of the epoch before it. */
function lossesAt({ loss, step: last, steps, epochs: all }: DenoiserResult, step: number) {
  const at = (step / steps) * all;
  const index =
    step === last ? loss.training.x.length - 1 : loss.training.x.findLastIndex((x) => x <= at + 1e-9);
  const tested = loss.test.x.findLastIndex((x) => x <= at + 1e-9);
  return { at, mean: loss.mean[index], test: loss.test.y[tested] };
}

/** The two curves of the loss, on a logarithmic axis, and where they end. */
function drawLosses(
  result: DenoiserResult,
  frame: number,
  top: number,
  width: number,
): { readonly svg: string; readonly bottom: number } {
  const { loss, epochs: all } = result;
  const { svg: legend, height } = key(
    [
      ['line many', 'a batch'],
      ['line s0', 'mean of batches'],
      ['line s1 dot', 'test pictures'],
    ],
    48,
    top,
    width - 56,
  );
  const box = { left: 48, top: top + height + 32, right: width - 8, bottom: top + height + 192 };
  const values = [...loss.training.y, ...loss.test.y].filter((y) => y > 0);
  const [low, high] = values.reduce(([a, b], y) => [Math.min(a, y), Math.max(b, y)], [Infinity, 0]);
  const y = {
    label: 'mean squared error',
    domain: values.length > 0 ? ([low / 1.15, high * 1.15] as const) : ([0.01, 0.3] as const),
    log: true,
  };
  const { X, Y, svg } = axes(box, { label: 'epochs', domain: [0, all] }, y);
  const places = [X, Y] as const;
  const stride = Math.max(1, Math.floor((2 * loss.training.x.length) / (box.right - box.left)));
  const { at } = lossesAt(result, result.moments[frame].step);
  const dots = Array.from(loss.test.x, (x, i) => {
    const [cx, cy] = [X(x).toFixed(1), Y(loss.test.y[i]).toFixed(1)];
    return `<circle class="dot s1" cx="${cx}" cy="${cy}" r="3.5"/>`;
  });
  const parts = [
    legend,
    svg,
    curve('line many', loss.training.x, loss.training.y, places, { stride }),
    curve('line s0', loss.training.x, loss.mean, places, { stride }),
    curve('line s1', loss.test.x, loss.test.y, places),
    ...dots,
    path('now', `M${X(at).toFixed(1)} ${box.top}V${box.bottom}`),
  ];
  return { svg: parts.join(''), bottom: box.bottom + 48 };
}

function draw(result: DenoiserResult, frame: number, width: number): string {
  const { pictures, moments } = result;
  const { pixels: output } = moments[frame];
  const rows = pictures.rows.map(({ label, pixels }, r) => ({
    label,
    at: r === 2 ? (i: number) => output[i] / 255 : (i: number) => pixels[i],
  }));
  const { svg, height } = drawPictures({ ...pictures, rows }, width);
  const label = `Ten test digits, the same with noise, and what the denoiser makes of them after ${result.moments[frame].step} steps of training, over the curves of its loss`;
  const losses = drawLosses(result, frame, height + 24, width);
  return picture(width, losses.bottom, label, svg, losses.svg);
}

export const DENOISER = defineFigure({
  id: 'denoiser',
  title: 'A denoiser learns',
  job: 'denoiser',
  table: { data, limit: DATA_TABLE.limit, epochs, batchSize, lr, noise, seed },
  initial: { data: 'strokes', limit: undefined, epochs: 15, batchSize: 64, lr: 1e-3, noise: 0.5, seed: '0' },
  short: { limit: 640, epochs: 2 },
  labels: { limit: 'only so many pictures', lr: 'learning rate' },
  none: { limit: 'all' },
  live: 'Train',
  request,
  commands: (values) => [
    {
      line: commandLine('train denoiser', {
        ...values,
        data: values.data === 'files' ? 'FOLDER' : values.data,
      }),
      numbers: { 'denoised.png': 'denoised.png', 'loss.svg': 'loss.svg' },
    },
  ],
  frames: ({ moments }) => moments.length,
  moment: ({ moments, steps, speed }, frame) => {
    const words = `step ${moments[frame].step.toLocaleString('en')} of ${steps.toLocaleString('en')}`;
    return frame === moments.length - 1 && speed > 0 ? `${words}, ${speed.toFixed(0)} a second` : words;
  },
  draw,
  numbers(result, frame) {
    const step = result.moments[frame].step;
    const { mean, test } = lossesAt(result, step);
    return [
      { name: 'step', value: `${step} of ${result.steps}` },
      { name: 'loss, mean of batches', value: mean === undefined ? '-' : shown(mean) },
      { name: 'loss on test pictures', value: test === undefined ? '-' : shown(test) },
      { name: 'threads', value: String(result.threads) },
      { name: 'training steps a second', value: shown(result.speed) },
    ];
  },
  csv: ({ loss }) =>
    encodeCsv(
      ['epochs', 'training_loss', 'running_mean', 'test_epochs', 'test_loss'],
      [loss.training.x, loss.training.y, loss.mean, loss.test.x, loss.test.y],
    ),
});
