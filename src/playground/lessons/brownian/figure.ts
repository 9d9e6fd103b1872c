/** The figure of Brownian motion: `langevin sde brownian`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { SDE_TABLE } from '../../../models/settings.ts';
import type { PathsSettings } from '../../../sde/figures.ts';
import { type CommandOf, defineFigure, type NumberRow, shown, type Values } from '../../figure.ts';
import type { SdeResult } from './job.ts';
import { drawSde } from './picture.ts';

const { paths, steps, time, seed } = SDE_TABLE;

/** The line of the command, and the figures that it makes of this result. */
export function sdeCommand(settings: PathsSettings): CommandOf[] {
  const name = settings.process ?? 'sde';
  const files = [`${name}.svg`, ...(settings.paths >= 50 ? [`${name}-end.svg`] : [])];
  const numbers = Object.fromEntries(files.map((file) => [file, file]));
  return [{ line: commandLine('sde', { ...settings }), numbers }];
}

const sdeMoment = ({ moments }: SdeResult, frame: number): string => {
  const { time, step } = moments[frame];
  const last = moments[moments.length - 1];
  const digits = Math.max(0, 3 - Math.floor(Math.log10(last.time)) - 1);
  return `t = ${time.toFixed(digits)}, step ${step} of ${last.step}`;
};

function sdeNumbers({ moments, paths, solver, figure }: SdeResult, frame: number): NumberRow[] {
  const { time, mean, deviation, exactMean, exactDeviation } = moments[frame];
  const last = figure.times.length - 1;
  const rows = [
    { name: 'paths', value: String(paths) },
    { name: 'solver', value: solver },
    { name: 'step size dt', value: shown(figure.times[last] / last) },
    { name: 'time t', value: shown(time) },
    { name: 'mean of all paths', value: shown(mean) },
    { name: 'exact mean', value: exactMean === null ? 'unknown' : shown(exactMean) },
    { name: 'standard deviation', value: shown(deviation) },
    { name: 'exact deviation', value: exactDeviation === null ? 'unknown' : shown(exactDeviation) },
  ];
  return frame === 0 ? rows.filter(({ name }) => !name.startsWith('exact')) : rows;
}

/** The times, the drawn paths, and the path without noise if the result has one. */
function sdeCsv({ figure: { times, paths, twin } }: SdeResult): string {
  const names = paths.map((_, i) => `path_${i}`);
  return twin
    ? encodeCsv(['t', ...names, 'without_noise'], [times, ...paths, twin])
    : encodeCsv(['t', ...names], [times, ...paths]);
}

/** What all figures of paths share: the job, and how its result is shown. */
export const SDE_FIGURE = {
  job: 'sde',
  frames: ({ moments }: SdeResult) => moments.length,
  moment: sdeMoment,
  draw: drawSde,
  numbers: sdeNumbers,
  csv: sdeCsv,
} as const;

const request = (values: Values): PathsSettings =>
  ({
    solver: SDE_TABLE.solver.default,
    ...values,
    process: 'brownian',
    twin: false,
  }) as unknown as PathsSettings;

export const BROWNIAN = defineFigure({
  id: 'brownian',
  title: 'Brownian motion',
  ...SDE_FIGURE,
  table: { paths, steps, time, seed },
  initial: { paths: 1000, steps: 500, time: 10, seed: '0' },
  request,
  commands: (values) => sdeCommand(request(values)),
});
