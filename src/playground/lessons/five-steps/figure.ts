/** The lecture's five-step model as it trains, its loss beside what is possible, and its loop: `langevin train lecture`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { DATA_TABLE, LECTURE_TABLE } from '../../../models/settings.ts';
import { axes } from '../../draw/axes.ts';
import { drawPictures } from '../../draw/pictures.ts';
import { curve, key, path, picture, px } from '../../draw/svg.ts';
import { defineFigure, type NumberRow, shown, type Values } from '../../figure.ts';
import type { FiveStepsResult, FiveStepsSettings } from './job.ts';

const { epochs, seed } = LECTURE_TABLE;
/** The times of the loop, in its order. */
const TIMES = [0.75, 0.5, 0.25, 0] as const;
/** The height of the plot, and the largest loss on it: a little more than that of a network that predicts 0. */
const [PLOT_HEIGHT, MOST_LOSS] = [176, 90];

const request = (values: Values) => values as unknown as FiveStepsSettings;

/** The losses that are possible: their look in the plot and their names. */
const boundsOf = ({ theory: { zero, width, linear, byHeart } }: FiveStepsResult) =>
  [
    { look: 'exact', name: 'always predicts 0', loss: zero },
    { look: 'line s1 dashed', name: 'any network with 400 units, at least', loss: width },
    { look: 'line s2 dashed', name: 'the best linear network of any width', loss: linear },
    { look: 'line s3 dashed', name: 'has the training digits by heart', loss: byHeart },
  ] as const;

/** The loss over the training, and the losses that are possible. */
function drawLoss(result: FiveStepsResult, frame: number, top: number, width: number): string {
  const { loss, epochs: all, steps, moments } = result;
  const box = { left: 32, top, right: width - 8, bottom: top + PLOT_HEIGHT };
  const y = {
    label: 'loss, summed over the times',
    domain: [0, MOST_LOSS] as const,
    ticks: [0, 20, 40, 60, 80],
  };
  const { X, Y, svg } = axes(box, { label: 'epochs', domain: [0, all] }, y);
  const cut = (values: Float64Array) => values.map((value) => Math.min(MOST_LOSS, value));
  const { x } = loss.training;
  // About four screen pixels from point to point.
  const stride = Math.max(1, Math.floor((4 * x.length) / (box.right - box.left)));
  const bounds = boundsOf(result).map(({ look, loss }) =>
    path(look, `M${box.left} ${px(Y(loss))}H${box.right}`),
  );
  const dots = Array.from(
    loss.test.x,
    (at, i) =>
      `<circle class="dot s0" cx="${px(X(at))}" cy="${px(Y(Math.min(MOST_LOSS, loss.test.y[i])))}" r="3.5"/>`,
  );
  return [
    svg,
    ...bounds,
    curve('line many', x, cut(loss.training.y), [X, Y], { stride }),
    curve('line s0', x, cut(loss.mean), [X, Y], { stride }),
    ...dots,
    path('now', `M${px(X((moments[frame].step / steps) * all))} ${box.top}V${box.bottom}`),
  ].join('');
}

function draw(result: FiveStepsResult, frame: number, width: number): string {
  const { height: h, width: w, digits, seen, noise, moments } = result;
  const { step, predicted, states } = moments[frame];
  const narrow = width < 560;
  const row = (label: string, bytes: Uint8Array) => ({ label, at: (i: number) => bytes[i] / 255 });
  const rows = [
    row('test digits', digits),
    row('what the network sees', seen),
    row('its prediction as a picture', predicted),
    row('the loop: pure noise', noise),
    ...states.map((bytes, i) => row(`after s = ${TIMES[i]}`, bytes)),
  ];
  const { svg, height } = drawPictures({ height: h, width: w, rows, pictures: narrow ? 5 : 10 }, width);
  const entries = [
    ['line s0', 'the loss; dots: on test digits'] as const,
    ...boundsOf(result).map(({ look, name, loss }) => [look, `${name}: ${loss.toFixed(1)}`] as const),
  ];
  const { svg: legend, height: used } = key(entries, 0, height + 24, width);
  const top = height + used + 56;
  const label = `Test digits, what the lecture's network sees and predicts after ${step} steps of training, its loop from pure noise in ${states.length} times, and its loss beside the losses that are possible`;
  return picture(width, top + PLOT_HEIGHT + 48, label, svg, legend, drawLoss(result, frame, top, width));
}

/** What the trained model has learned. */
const learnedRows = ({ learned }: FiveStepsResult): NumberRow[] =>
  learned
    ? [
        { name: 'loss on test digits', value: shown(learned.measured) },
        ...learned.times.map(({ time, variance, measured }) => ({
          name: `at s = ${time}, noise of variance ${variance}`,
          value: shown(measured),
        })),
        {
          name: 'predictions at s = 0.75 and s = 0 differ by',
          value: `${shown((100 * learned.timeMatters) / learned.size)} %`,
        },
      ]
    : [{ name: 'loss on test digits, by time', value: 'at the end' }];

export const FIVE_STEPS = defineFigure({
  id: 'five-steps',
  title: 'The five-step model, trained',
  job: 'five-steps',
  table: { epochs, limit: DATA_TABLE.limit, seed },
  initial: { epochs: 10, limit: 2000, seed: '0' },
  short: { epochs: 1, limit: 128 },
  labels: { limit: 'training digits' },
  live: 'Train',
  request,
  commands: (values) => [
    {
      line: commandLine('train lecture', { ...values }),
      numbers: {
        'seen.png': 'seen.png',
        'sampled.png': 'sampled.png',
        'loss.svg': 'loss.svg',
        'index.html': 'index.html',
      },
    },
  ],
  frames: ({ moments }) => moments.length,
  moment: ({ moments, steps }, frame) => `step ${moments[frame].step} of ${steps}`,
  draw,
  numbers(result, frame) {
    const { step, loss, power } = result.moments[frame];
    return [
      { name: 'step', value: `${step} of ${result.steps}` },
      { name: 'loss, mean of batches', value: shown(loss) },
      ...boundsOf(result).map(({ name, loss }) => ({ name, value: shown(loss) })),
      ...learnedRows(result),
      ...power.map((value, i) => ({
        name: `mean square of a pixel, ${i === 0 ? 'noise' : `after s = ${TIMES[i - 1]}`}`,
        value: shown(value),
      })),
    ];
  },
  csv: ({ loss }) =>
    encodeCsv(
      ['epochs', 'loss', 'mean', 'test_epoch', 'test_loss'],
      [loss.training.x, loss.training.y, loss.mean, loss.test.x, loss.test.y],
    ),
});
