/** Noise schedules side by side, and below them the same digit with the same noise under each: `langevin schedules`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import type { ScheduleCurve } from '../../../models/figures/schedules.ts';
import { NOISE_TABLE, SCHEDULES_TABLE } from '../../../models/settings.ts';
import { axes, type Box } from '../../draw/axes.ts';
import { grey, pixels } from '../../draw/pixels.ts';
import { curve, key, path, picture, text } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import type { PageSchedulesSettings, SchedulesResult } from './job-schedules.ts';

const { schedule, steps, zeroSnr } = SCHEDULES_TABLE;
/** Moments of a run, beside its start. */
const MOMENTS = 50;
/** The signal-to-noise ratios that are shown. */
const SNR_RANGE = [1e-5, 1e5] as const;
const SIDE = 28;

const request = (values: Values) => values as unknown as PageSchedulesSettings;
const nameOf = ({ name, zeroSnr }: ScheduleCurve) => (zeroSnr ? `${name}, zero SNR` : name);
const lookOf = (i: number) => `line s${i % 7}${i >= 7 ? ' dashed' : ''}`;

/** The value of a curve at a time from 0 to 1: that of the nearest time it has. */
function valueAt({ times, values }: ScheduleCurve, t: number): number {
  const [first, last] = [times[0], times[times.length - 1]];
  const place = ((t - first) / (last - first)) * (times.length - 1);
  return values[Math.max(0, Math.min(times.length - 1, Math.round(place)))];
}

function draw({ alphaBar, snr, picture: x0, noise }: SchedulesResult, frame: number, width: number): string {
  const t = frame / MOMENTS;
  const { curves } = alphaBar;
  const { svg: legend, height } = key(
    curves.map((one, i) => [lookOf(i), nameOf(one)] as const),
    0,
    0,
    width,
  );
  const narrow = width < 520;
  const top = height + 32;
  const plotHeight = 184;
  const half = narrow ? width : (width - 24) / 2;
  const boxes: Box[] = [0, 1].map((i) => {
    const [left, y] = narrow ? [0, top + i * (plotHeight + 80)] : [i * (half + 24), top];
    return { left: left + 40, top: y, right: left + half - 8, bottom: y + plotHeight };
  });
  const time = { label: 'time t', domain: [0, 1] as const };
  const plots = [
    { figure: alphaBar, y: { label: 'share of the data ᾱ', domain: [0, 1] as const } },
    { figure: snr, y: { label: 'signal-to-noise ratio', domain: SNR_RANGE, log: true } },
  ].map(({ figure, y }, i) => {
    const { X, Y, svg } = axes(boxes[i], time, y);
    const inside = (value: number) =>
      'log' in y ? (value > 0 ? Math.min(SNR_RANGE[1], Math.max(SNR_RANGE[0], value)) : SNR_RANGE[0]) : value;
    const lines = figure.curves.map((one, c) => {
      const stride = Math.max(1, Math.floor(one.times.length / 150));
      return curve(lookOf(c), one.times, one.values.map(inside), [X, Y], { stride });
    });
    return svg + lines.join('') + path('now', `M${X(t).toFixed(1)} ${boxes[i].top}V${boxes[i].bottom}`);
  });
  const y = boxes[1].bottom + 72;
  const across = Math.min(curves.length, narrow ? 3 : 5);
  const gap = 16;
  const size = SIDE * Math.max(1, Math.floor(Math.min(112, (width - gap * (across - 1)) / across) / SIDE));
  const digits = curves.map((one, i) => {
    const share = valueAt(one, t);
    const [signal, sigma] = [Math.sqrt(share), Math.sqrt(1 - share)];
    const [left, above] = [(i % across) * (size + gap), y + Math.floor(i / across) * (size + 40)];
    const at = (px: number, py: number) => {
      const k = py * SIDE + px;
      return grey((signal * x0[k] + sigma * noise[k] + 1) / 2);
    };
    return (
      pixels({ x: left, y: above, width: size, height: size }, SIDE, SIDE, at) +
      path(lookOf(i), `M${left} ${above + size + 6}h${size}`) +
      text('label', left, above + size + 22, nameOf(one))
    );
  });
  const rows = Math.ceil(curves.length / across);
  const label = `Noise schedules over time, and a digit under each of them at t = ${t.toFixed(2)}`;
  return picture(width, y + rows * (size + 40), label, legend, ...plots, ...digits);
}

export const SCHEDULES = defineFigure({
  id: 'schedules',
  title: 'Noise schedules, with the same noise under each',
  job: 'schedules',
  table: { schedule, steps, zeroSnr, seed: NOISE_TABLE.seed },
  initial: { schedule: SCHEDULES_TABLE.schedule.default, steps: 1000, zeroSnr: false, seed: '0' },
  labels: { zeroSnr: 'zero SNR too', schedule: 'schedules' },
  request,
  commands: (values) => [
    {
      line: commandLine('schedules', { ...values }),
      numbers: { 'alpha-bar.svg': 'alpha-bar.svg', 'snr.svg': 'snr.svg' },
    },
  ],
  frames: () => MOMENTS + 1,
  still: () => MOMENTS / 2,
  moment: (_result, frame) => `t = ${(frame / MOMENTS).toFixed(2)}`,
  draw,
  numbers: ({ alphaBar }, frame) =>
    alphaBar.curves.map((one) => {
      const share = valueAt(one, frame / MOMENTS);
      return { name: nameOf(one), value: `ᾱ = ${shown(share)}, SNR = ${shown(share / (1 - share))}` };
    }),
  csv({ alphaBar, snr }) {
    const head = alphaBar.curves.flatMap((one) =>
      ['t', 'alpha_bar', 'snr'].map((what) => `${nameOf(one)} ${what}`),
    );
    return encodeCsv(
      head,
      alphaBar.curves.flatMap((one, i) => [one.times, one.values, snr.curves[i].values]),
    );
  },
});
