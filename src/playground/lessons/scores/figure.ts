/** The score in the plane, exact and learned: `langevin toy`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { counts, type Setting } from '../../../models/setting.ts';
import { TOY_TABLE } from '../../../models/settings.ts';
import { TOY_LEVELS } from '../../../models/toy/view.ts';
import { type CommandOf, defineFigure, type NumberRow, shown, type Values } from '../../figure.ts';
import type { Frames, ScoresResult, ScoresSettings } from './job.ts';
import { CHOSEN, FLOWS, type FlowName } from './names.ts';
import { drawScores } from './picture.ts';

const { set, steps, trainSteps, batchSize, lr, seed } = TOY_TABLE;
const sets = set.is.kind === 'choice' ? set.is.names.filter((name) => name !== 'all') : [];

const request = (values: Values) => values as unknown as ScoresSettings;

/** A line for each sampler. Both make the same scores. */
function commands(values: Values): CommandOf[] {
  const { set: name } = request(values);
  if (name === CHOSEN) return [];
  return FLOWS.map(({ sampler }) => ({
    line: commandLine('toy', { ...values, sampler }),
    numbers: Object.fromEntries([
      [`${name}-samples.svg`, `${sampler} learned`],
      [`${name}-exact.svg`, `${sampler} exact`],
      ...TOY_LEVELS.map((t) => [`${name}-score-${100 * t}.svg`, `score at t = ${t}`]),
    ]),
  }));
}

/** The root of the mean squared distance of two clouds of points, point by point. */
function distance(a: Frames, b: Frames, frame: number, frames: number): number {
  const n = a.length / frames;
  let sum = 0;
  for (let i = frame * n; i < (frame + 1) * n; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum / (n / 2));
}

function numbers(result: ScoresResult, frame: number): NumberRow[] {
  const { step, trainSteps, loss, times, sigmas, errors, flows } = result;
  const frames = times.length;
  const apart = (id: FlowName) =>
    flows ? shown(distance(flows[id].exact, flows[id].learned, frame, frames)) : 'after the training';
  return [
    { name: 'training step', value: `${step} of ${trainSteps}` },
    { name: 'loss', value: loss === null ? '-' : shown(loss) },
    { name: 'time t', value: times[frame].toFixed(3) },
    { name: 'noise σ', value: shown(sigmas[frame]) },
    {
      name: 'error of the learned score',
      value: sigmas[frame] === 0 ? '-' : `${shown(100 * errors[frame])} %`,
    },
    ...FLOWS.map(({ id, title }) => ({ name: `${title}: distance of the samples`, value: apart(id) })),
  ];
}

/** The samples at the end: of each sampler, by both scores. */
function csv({ flows, times, noised }: ScoresResult): string {
  const names = ['data_x', 'data_y'];
  const last = (all: Frames, axis: number) => {
    const n = all.length / times.length;
    return all.slice(-n).filter((_, i) => i % 2 === axis);
  };
  const columns = [last(noised, 0), last(noised, 1)];
  for (const { id } of FLOWS) {
    for (const by of ['exact', 'learned'] as const) {
      if (!flows) continue;
      names.push(`${id}_${by}_x`, `${id}_${by}_y`);
      columns.push(last(flows[id][by], 0), last(flows[id][by], 1));
    }
  }
  return encodeCsv(names, columns);
}

export const SCORES = defineFigure({
  id: 'scores',
  title: 'The exact score, the learned one, and where they lead',
  job: 'scores',
  table: {
    set: { ...set, is: { kind: 'choice', names: [...sets, CHOSEN] } } as Setting,
    points: counts('points', null, 'Your points: column and row of each on the pad.'),
    trainSteps,
    steps,
    batchSize,
    lr,
    seed,
  },
  // The pad below the fields shows the points.
  hidden: () => ['points'],
  labels: { set: 'points in the plane', steps: 'sampler steps', lr: 'learning rate' },
  initial: { set: 'moons', trainSteps: 3000, steps: 50, batchSize: 128, lr: 6e-3, seed: '0' },
  short: { set: 'eight', trainSteps: 30, steps: 4 },
  live: 'Train',
  request,
  commands,
  frames: ({ times }) => times.length,
  still: ({ times }) => times.findIndex((t) => t < 0.11),
  moment: ({ times, step, trainSteps, flows }, frame) =>
    `t = ${times[frame].toFixed(2)}${flows ? '' : `, step ${step} of ${trainSteps}`}`,
  draw: drawScores,
  numbers,
  csv,
});
