/** Euler's scheme and Milstein's beside the exact solution, on one Brownian path. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { SDE_TABLE } from '../../../models/settings.ts';
import { axes, niceDomain } from '../../draw/axes.ts';
import { curve, key, picture, px } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import { type OnePathResult, type OnePathSettings, SCHEMES, settingsOf } from './job-one-path.ts';

const { set, steps, time, seed } = SDE_TABLE;
const NAMES = { 'euler-maruyama': 'Euler-Maruyama', milstein: 'Milstein', exact: 'exact' } as const;
const LOOKS = { 'euler-maruyama': 'line s1 dashed', milstein: 'line s2', exact: 'line exact solid' } as const;

const request = (values: Values) => values as unknown as OnePathSettings;
const lastOf = (values: ArrayLike<number>, frame: number) => values[frame];

function draw({ times, paths }: OnePathResult, frame: number, width: number): string {
  const entries = SCHEMES.map((name) => [LOOKS[name], NAMES[name]] as const);
  const { svg: legend, height } = key(entries, 48, 0, width - 56);
  const all = SCHEMES.flatMap((name) => [...paths[name]]);
  const top = height + 32;
  const box = { left: 48, top, right: width - 16, bottom: top + (width < 520 ? 200 : 264) };
  const x = { label: 'time t', domain: [0, times[times.length - 1]] as const };
  const { X, Y, svg } = axes(box, x, {
    label: 'X(t)',
    domain: niceDomain(Math.min(...all), Math.max(...all)),
  });
  const end = frame + 1;
  const lines = SCHEMES.toReversed().map((name) => curve(LOOKS[name], times, paths[name], [X, Y], { end }));
  const dots = (
    [
      ['s1', 'euler-maruyama'],
      ['s2', 'milstein'],
    ] as const
  ).flatMap(([kind, name]) =>
    times.length > 65
      ? []
      : Array.from(
          paths[name].subarray(0, end),
          (value, i) => `<circle class="dot ${kind}" cx="${px(X(times[i]))}" cy="${px(Y(value))}" r="3"/>`,
        ),
  );
  const label = `One path of geometric Brownian motion by Euler's scheme, by Milstein's, and exactly, up to t = ${shown(times[frame])}`;
  return picture(width, box.bottom + 48, label, legend, svg, ...lines, ...dots);
}

export const ONE_PATH = defineFigure({
  id: 'schemes',
  title: 'Two schemes on one Brownian path',
  job: 'one-path',
  table: { steps, set, time, seed },
  initial: { steps: 12, set: { mu: 0.5, sigma: 1, x0: 1 }, time: 1, seed: '9' },
  labels: { set: 'parameters' },
  request,
  commands: (values) =>
    SCHEMES.map((scheme) => ({
      line: commandLine('sde', settingsOf(request(values), scheme)),
      numbers: { 'gbm.svg': scheme },
    })),
  frames: ({ times }) => times.length,
  moment: ({ times }, frame) => `t = ${shown(times[frame])}, step ${frame} of ${times.length - 1}`,
  draw,
  numbers({ times, paths }, frame) {
    const exact = lastOf(paths.exact, frame);
    return [
      { name: 'step size dt', value: shown(times[1] - times[0]) },
      { name: 'time t', value: shown(times[frame]) },
      ...SCHEMES.map((name) => ({ name: `X(t), ${NAMES[name]}`, value: shown(lastOf(paths[name], frame)) })),
      ...SCHEMES.slice(0, 2).map((name) => ({
        name: `error of ${NAMES[name]}`,
        value: shown(Math.abs(lastOf(paths[name], frame) - exact)),
      })),
    ];
  },
  csv: ({ times, paths }) => encodeCsv(['t', ...SCHEMES], [times, ...SCHEMES.map((name) => paths[name])]),
});
