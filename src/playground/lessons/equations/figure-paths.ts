/** The paths of any process, or of an equation that a person types: `langevin sde`. */
import { ValueError } from '../../../errors.ts';
import { SDE_TABLE } from '../../../models/settings.ts';
import type { PathsSettings } from '../../../sde/figures.ts';
import { defineFigure, type Values } from '../../figure.ts';
import { SDE_FIGURE, sdeCommand } from '../brownian/figure.ts';

const { process, drift, diffusion, set, twin, solver, paths, steps, time, seed } = SDE_TABLE;

function request({ drift, diffusion, ...rest }: Values): PathsSettings {
  if (rest.process !== undefined) return rest as unknown as PathsSettings;
  if (!drift || !diffusion) {
    throw new ValueError('your equation: expected a drift and a diffusion, as in x - x^3 and 0.5');
  }
  return { ...rest, drift, diffusion } as unknown as PathsSettings;
}

export const PATHS = defineFigure({
  id: 'paths',
  title: 'Paths of a stochastic differential equation',
  ...SDE_FIGURE,
  table: { process, drift, diffusion, set, twin, solver, paths, steps, time, seed },
  initial: {
    process: 'gbm',
    drift: 'x - x^3',
    diffusion: '0.5',
    set: undefined,
    twin: true,
    solver: 'euler-maruyama',
    paths: 1000,
    steps: 500,
    time: undefined,
    seed: '0',
  },
  hidden: (values) => (values.process === undefined ? [] : ['drift', 'diffusion']),
  labels: {
    set: 'parameters',
    twin: 'without noise',
    drift: 'drift a(x, t)',
    diffusion: 'diffusion b(x, t)',
  },
  none: { process: 'your own equation', set: 'as they come', time: 'its own' },
  request,
  commands: (values) => sdeCommand(request(values)),
});
