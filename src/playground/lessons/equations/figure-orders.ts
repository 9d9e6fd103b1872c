/** Strong errors over step sizes, both logarithmic: the slope of the line is the order. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { SDE_ORDERS_TABLE } from '../../../models/settings.ts';
import { axes } from '../../draw/axes.ts';
import { curve, key, picture, px } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import { MEASURED, type OrdersResult, type OrdersSettings } from './job-orders.ts';

const { paths, seed } = SDE_ORDERS_TABLE;
const LOOKS = ['line s1 dashed', 'line s2'] as const;
const NAMES = ['Euler-Maruyama', 'Milstein'] as const;

const request = (values: Values) => values as unknown as OrdersSettings;
/** Levels from coarse to fine; as many as the frame shows. */
const levelsOf = ({ measured }: OrdersResult) => measured[0].steps.length;

function draw({ measured }: OrdersResult, frame: number, width: number): string {
  const entries = measured.map(
    ({ slope, declared }, i) =>
      [LOOKS[i], `${NAMES[i]}: slope ${slope.toFixed(2)}, theory ${declared}`] as const,
  );
  const { svg: legend, height } = key(entries, 56, 0, width - 64);
  const top = height + 32;
  const box = { left: 56, top, right: width - 16, bottom: top + (width < 520 ? 200 : 264) };
  const steps = measured.flatMap((one) => one.steps);
  const errors = measured.flatMap((one) => one.errors);
  const room = (values: readonly number[], factor: number): [number, number] => [
    Math.min(...values) / factor,
    Math.max(...values) * factor,
  ];
  const { X, Y, svg } = axes(
    box,
    { label: 'step size dt', domain: room(steps, 1.15), log: true },
    { label: 'mean of |X − exact| at t = 1', domain: room(errors, 1.4), log: true },
  );
  const end = frame + 1;
  const drawn = measured.flatMap((one, i) => {
    const kind = LOOKS[i].split(' ')[1];
    const dots = one.steps
      .slice(0, end)
      .map((dt, l) => `<circle class="dot ${kind}" cx="${px(X(dt))}" cy="${px(Y(one.errors[l]))}" r="4"/>`);
    return [curve(LOOKS[i], one.steps, one.errors, [X, Y], { end }), ...dots];
  });
  const slopes = measured.map(({ slope }, i) => `${NAMES[i]} has the slope ${slope.toFixed(2)}`);
  return picture(
    width,
    box.bottom + 48,
    `Errors over step sizes: ${slopes.join(', ')}`,
    legend,
    svg,
    ...drawn,
  );
}

export const ORDERS = defineFigure({
  id: 'orders',
  title: 'The order of convergence, measured',
  job: 'orders',
  table: { paths, seed },
  initial: { paths: 2000, seed: 'orders' },
  request,
  commands: (values) =>
    MEASURED.map((solver) => ({
      line: commandLine('sde orders', { ...request(values), solver }),
      numbers: { 'orders-strong-diagonal.svg': solver },
    })),
  frames: levelsOf,
  moment: (result, frame) =>
    `dt = ${shown(result.measured[0].steps[frame])}, level ${frame + 1} of ${levelsOf(result)}`,
  draw,
  numbers: ({ measured }, frame) =>
    measured.flatMap(({ slope, halfWidth, declared, errors }, i) => [
      { name: `error, ${NAMES[i]}`, value: shown(errors[frame]) },
      { name: `slope, ${NAMES[i]}`, value: `${slope.toFixed(3)} ± ${halfWidth.toFixed(3)}` },
      { name: 'in theory', value: String(declared) },
    ]),
  csv: ({ measured }) =>
    encodeCsv(['dt', ...MEASURED], [measured[0].steps, ...measured.map(({ errors }) => errors)]),
});
