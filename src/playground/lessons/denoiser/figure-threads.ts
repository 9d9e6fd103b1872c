/** The same steps on one thread and on more: their speed, and whether the bits are the same. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { DATA_TABLE, DENOISER_TABLE } from '../../../models/settings.ts';
import { axes, niceDomain } from '../../draw/axes.ts';
import { path, picture, text } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import type { ThreadsResult, ThreadsRun, ThreadsSettings } from './job-threads.ts';

const { batchSize, lr, noise, seed } = DENOISER_TABLE;
const { limit } = DATA_TABLE;
/** Pictures of a run: 100 steps of 64. */
const PICTURES = 6400;

/** The settings that a person does not change. */
const FIXED = { epochs: 1, batchSize: batchSize.default, lr: lr.default, noise: noise.default };

const request = (values: Values) => ({ ...FIXED, ...values }) as unknown as ThreadsSettings;

/** What is said of the bits of a run. */
function verdict({ runs }: ThreadsResult, { threads, hash }: ThreadsRun): string {
  if (hash === '') return '…';
  if (threads === runs[0].threads) return hash.slice(0, 8);
  return hash === runs[0].hash ? '✓ bits unchanged' : `✗ other bits: ${hash.slice(0, 8)}`;
}

/** The first steps are not measured. */
const speedText = ({ speed }: ThreadsRun) => (speed > 0 ? shown(speed) : '…');

function draw(result: ThreadsResult, _frame: number, width: number): string {
  const { runs } = result;
  const [left, line] = [88, 40];
  const box = { left, top: 32, right: width - 8, bottom: 32 + line * Math.max(1, runs.length) };
  const most = Math.max(1, ...runs.map(({ speed }) => speed));
  const x = { label: 'training steps a second', domain: niceDomain(0, most) };
  const y = { label: '', domain: [0, 1] as const };
  const { X, svg } = axes(box, x, y, { showY: 'none' });
  const bars = runs.map((run, i) => {
    const { threads, speed } = run;
    const top = box.top + i * line + 8;
    const words = `${speedText(run)} · ${verdict(result, run)}`;
    return [
      text('label', left - 8, top + 17, threads === 1 ? '1 thread' : `${threads} threads`, 'end'),
      path('bar', `M${left} ${top}H${X(speed).toFixed(1)}v24H${left}Z`),
      text('label strong', left + 8, top + 17, words),
    ].join('');
  });
  const label = `Training steps a second on ${runs.map(({ threads }) => threads).join(', ')} threads, and whether the results have the same bits`;
  return picture(width, box.bottom + 48, label, svg, ...bars);
}

export const THREADS = defineFigure({
  id: 'threads',
  title: 'More threads, the same bits',
  job: 'denoiser-threads',
  table: { limit, seed },
  initial: { limit: PICTURES, seed: '0' },
  short: { limit: 1920 },
  labels: { limit: 'pictures' },
  live: 'Measure',
  request,
  commands: (values) => [
    {
      line: commandLine('train denoiser', { ...FIXED, ...values }),
      numbers: { 'denoised.png': 'denoised.png' },
    },
  ],
  frames: () => 1,
  moment: ({ runs, steps }) => {
    const { threads, step } = runs[runs.length - 1];
    return `${threads === 1 ? 'one thread' : `${threads} threads`}, step ${step} of ${steps}`;
  },
  draw,
  numbers: (result) =>
    result.runs.map((run) => ({
      name: run.threads === 1 ? '1 thread' : `${run.threads} threads`,
      value: `${speedText(run)} steps a second, ${verdict(result, run)}`,
    })),
  csv: ({ runs }) =>
    encodeCsv(
      ['threads', 'steps', 'steps_per_second'],
      [runs.map(({ threads }) => threads), runs.map(({ step }) => step), runs.map(({ speed }) => speed)],
    ),
});
