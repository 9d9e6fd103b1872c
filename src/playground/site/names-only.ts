/**
 * The table of settings for the page's scripts. It takes lists of names from modules that compute, and a bundle would
 * have these modules whole. Here the lists are written out instead, as they are at the build.
 */
import type { Plugin } from 'esbuild';
import { BACKENDS, CONVOLUTIONS, NUMERICS } from '../../backend/backend.ts';
import { TOY_SETS } from '../../data/toy.ts';
import { LOSS_WEIGHTINGS, TIME_SAMPLINGS } from '../../diffusion/objective.ts';
import { PREDICTIONS } from '../../diffusion/prediction.ts';
import { SAMPLERS } from '../../diffusion/samplers/index.ts';
import { EXPORT_FORMATS } from '../../models/export-formats.ts';
import { MOST_NOISED, NOISING_PROCESSES } from '../../models/figures/noising.ts';
import { SHOWN_SCHEDULES } from '../../models/figures/schedules.ts';
import { TRAINING_SCHEDULES } from '../../models/pipeline.ts';
import { PROCESSES } from '../../sde/processes/index.ts';
import { SOLVERS } from '../../sde/solvers/index.ts';

/** What settings.ts and sampling-defaults.ts import, by the ends of the paths. */
const NAMES: Readonly<Record<string, object>> = {
  'backend/backend.ts': { BACKENDS, CONVOLUTIONS, NUMERICS },
  'data/toy.ts': { TOY_SETS },
  'diffusion/objective.ts': { LOSS_WEIGHTINGS, TIME_SAMPLINGS },
  'diffusion/prediction.ts': { PREDICTIONS },
  'diffusion/samplers/index.ts': { SAMPLERS },
  'export.ts': { EXPORT_FORMATS },
  'figures/noising.ts': { MOST_NOISED, NOISING_PROCESSES },
  'figures/schedules.ts': { SHOWN_SCHEDULES },
  'pipeline.ts': { TRAINING_SCHEDULES },
  'processes/index.ts': {
    PROCESSES: PROCESSES.map(({ definition: { name } }) => ({ definition: { name } })),
  },
  'solvers/index.ts': { SOLVERS: SOLVERS.map(({ name }) => ({ name })) },
};

export const namesOnly: Plugin = {
  name: 'names-only',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /\.ts$/ }, ({ path, importer }) => {
      const known = Object.keys(NAMES).find((end) => path.endsWith(`/${end}`));
      if (!known || !/models[\\/](settings|sampling-defaults)\.ts$/.test(importer)) return undefined;
      return { path: known, namespace: 'names', sideEffects: false };
    });
    onLoad({ filter: /./, namespace: 'names' }, ({ path }) => ({
      contents: Object.entries(NAMES[path])
        .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
        .join('\n'),
    }));
  },
};
