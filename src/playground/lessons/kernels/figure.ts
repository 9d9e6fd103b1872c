/** Kernels measured on this machine. No command makes the same, because times are never equal. */
import { signal } from '@preact/signals-core';
import { encodeCsv } from '../../../data/csv.ts';
import type { Spread } from '../../../models/benchmark/rounds.ts';
import { ROUNDS_TABLE } from '../../../models/benchmark/settings.ts';
import { defineFigure, shown } from '../../figure.ts';
import type { KernelsResult, KernelsSettings } from './job.ts';
import { drawKernels, percent, rateText, settingOf } from './picture.ts';
import type { Results } from './results.ts';

/** The results of a file that a person has loaded, to compare with. */
export const compared = signal<Results | null>(null);

/** The settings that have rows, in their order. */
const settingsOf = ({ rows }: Results) => [...new Set(rows.map(settingOf))];

const between = ({ low, high }: Spread, write: (value: number) => string) =>
  `${write(low)} to ${write(high)}`;

export const KERNELS = defineFigure({
  id: 'kernels',
  title: 'Kernels and their roofs',
  job: 'kernels',
  table: ROUNDS_TABLE,
  initial: { rounds: 11, numerics: 'both' },
  short: { rounds: 2, threads: 1, numerics: 'both' },
  none: { threads: 'all' },
  live: 'Measure',
  unhashed:
    'These are times, and no two runs are equal: there is no hash. In a checkout, npm run bench measures the same kernels in Node.',
  request: (values) => values as unknown as KernelsSettings,
  commands: () => [],
  frames: (result) => Math.max(1, settingsOf(result).length),
  moment: (result, frame) => settingsOf(result)[frame] ?? 'nothing yet',
  draw: (result, frame, width) => drawKernels(result, settingsOf(result)[frame], compared.value, width),
  numbers: (result: KernelsResult, frame) => [
    { name: 'engine', value: result.environment.engine },
    { name: 'processors', value: String(result.environment.processors) },
    { name: 'memory shared between threads', value: result.environment.isolated ? 'yes' : 'no' },
    { name: 'measured', value: `${result.environment.date}, ${result.rows.length} of ${result.planned}` },
    ...result.rows
      .filter((row) => settingOf(row) === settingsOf(result)[frame])
      .flatMap((row) => [
        { name: `${row.name} ${row.shape}`, value: `${shown(row.ms.median)} ms, ${rateText(row)}` },
        { name: 'quartiles of the time', value: `${between(row.ms, shown)} ms` },
        {
          name: 'share of the roof',
          value: `${percent(row.ofRoof.median)}, ${between(row.ofRoof, percent)}`,
        },
        ...(row.numbers === null
          ? []
          : [{ name: 'time of one number', value: `${shown((1e6 * row.ms.median) / row.numbers)} ns` }]),
      ]),
  ],
  csv: ({ rows }) => {
    const names = ['threads', 'relaxed', 'ms', 'ms_low', 'ms_high', 'of_roof', 'of_roof_low', 'of_roof_high'];
    const columns = [
      rows.map(({ threads }) => threads),
      rows.map(({ numerics }) => (numerics === 'relaxed' ? 1 : 0)),
      ...(['ms', 'ofRoof'] as const).flatMap((what) =>
        (['median', 'low', 'high'] as const).map((which) => rows.map((row) => row[what][which])),
      ),
    ];
    return encodeCsv(['row', ...names], [rows.map((_, i) => i + 1), ...columns]);
  },
});
