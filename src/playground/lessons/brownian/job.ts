/**
 * The job `sde`: paths of an equation, and the histogram of all of them at moments from the start to the end. The last
 * moment's figures are those of `langevin sde`.
 */
import { ValueError } from '../../../errors.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import {
  type EndFigure,
  endFigure,
  type PathsFigure,
  type PathsSettings,
  pathsFigure,
  type Simulation,
  simulate,
} from '../../../sde/figures.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';

/** States that are kept at most: 16 MiB. */
const MOST_STATES = 2 ** 22;
/** Moments that a run shows at most, beside its start. */
const MOMENTS = 100;

/** What the paths are at one moment. */
export interface Moment {
  /** How many steps were taken. */
  readonly step: number;
  readonly time: number;
  /** Of all paths. */
  readonly mean: number;
  readonly deviation: number;
  /** The same of the exact law, where it is known. */
  readonly exactMean: number | null;
  readonly exactDeviation: number | null;
  /** Null at the start, and for few paths. */
  readonly ends: EndFigure | null;
}

export interface SdeResult extends Hashed {
  readonly title: string;
  readonly subtitle: string;
  readonly solver: string;
  /** The paths of the first component. */
  readonly figure: PathsFigure;
  readonly component: string;
  readonly paths: number;
  readonly moments: readonly Moment[];
}

export type SdeJob = Job<PathsSettings, SdeResult>;

export const compute: Compute<SdeJob> = async (settings) => {
  const { paths, steps } = settings;
  if (paths * (steps + 1) > MOST_STATES) {
    throw new ValueError(
      `paths and steps: expected at most ${MOST_STATES} states on this page, got ${paths} · ${steps + 1}: the command takes more`,
    );
  }
  const simulation = simulate(settings, true);
  const { equation, solver } = simulation;
  const hashes: Record<string, string> = {};
  for (const c of equation.start.keys()) {
    const file = c === 0 ? `${equation.name}.svg` : `${equation.name}-${c + 1}.svg`;
    hashes[file] = await numbersHash(pathsFigure(simulation, c));
  }
  const end = endFigure(simulation);
  if (end) hashes[`${equation.name}-end.svg`] = await numbersHash(end);
  const count = Math.min(MOMENTS, steps);
  return {
    title: equation.title,
    subtitle: equation.subtitle,
    solver: solver.title,
    figure: pathsFigure(simulation),
    component: equation.process?.components?.[0] ?? 'X(t)',
    paths,
    moments: Array.from({ length: count + 1 }, (_, i) =>
      momentOf(simulation, Math.round((i * steps) / count)),
    ),
    hashes,
  };
};

/** The paths after `step` steps: the simulation, cut there. */
function momentOf(simulation: Simulation, step: number): Moment {
  const { equation, times, states, paths } = simulation;
  const width = equation.start.length;
  const ends = states!.subarray(step * paths * width, (step + 1) * paths * width);
  let [sum, squares] = [0, 0];
  for (let i = 0; i < paths; i++) sum += ends[i * width];
  const mean = sum / paths;
  for (let i = 0; i < paths; i++) squares += (ends[i * width] - mean) ** 2;
  const law = step > 0 ? equation.process?.law?.(equation.start[0], 0, times[step]) : undefined;
  return {
    step,
    time: times[step],
    mean,
    deviation: Math.sqrt(squares / paths),
    exactMean: law?.mean ?? null,
    exactDeviation: law?.variance == null ? null : Math.sqrt(law.variance),
    ends: step > 0 ? endFigure({ ...simulation, times: times.slice(0, step + 1), ends }) : null,
  };
}
