/** Digits that a diffusion model samples while it is trained: `langevin train diffusion`. */
import { encodeCsv } from '../../../data/csv.ts';
import { commandLine } from '../../../models/command-line.ts';
import { DATA_TABLE, DIFFUSION_TABLE } from '../../../models/settings.ts';
import { drawPictures } from '../../draw/pictures.ts';
import { picture } from '../../draw/svg.ts';
import { defineFigure, shown, type Values } from '../../figure.ts';
import type { StartResult, StartSettings } from './job.ts';

const { epochs, lr, seed } = DIFFUSION_TABLE;
/** Rows of the picture: moments from the first one to the one that is shown. */
const ROWS = 5;

const request = (values: Values) => ({ model: 'mlp-small', ...values }) as unknown as StartSettings;

/** At most `ROWS` of the frames 0 to `frame`, evenly spread, with both ends. */
export function rowsUntil(frame: number): number[] {
  const count = Math.min(ROWS, frame + 1);
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round((i * frame) / (count - 1))));
}

function draw({ height: h, width: w, moments }: StartResult, frame: number, width: number): string {
  const rows = rowsUntil(frame).map((i) => {
    const { step, pictures } = moments[i];
    return {
      label: step === 0 ? 'before training' : `after ${step} ${step === 1 ? 'step' : 'steps'}`,
      at: (pixel: number) => pictures[pixel] / 255,
    };
  });
  const { svg, height } = drawPictures({ height: h, width: w, rows }, width);
  const label = `The digits 0 to 9, sampled by a diffusion model before and during ${moments[frame].step} steps of training`;
  return picture(width, height, label, svg);
}

export const START = defineFigure({
  id: 'start',
  title: 'A model learns to draw',
  job: 'start',
  table: { epochs, limit: DATA_TABLE.limit, lr, seed },
  initial: { epochs: 6, limit: 8000, lr: 0.003, seed: '0' },
  short: { epochs: 1, limit: 256 },
  labels: { limit: 'training digits', lr: 'learning rate' },
  live: 'Train',
  request,
  commands: (values) => [
    {
      line: commandLine('train diffusion', { ...request(values) }),
      numbers: { 'samples.png': 'samples.png' },
    },
  ],
  frames: ({ moments }) => moments.length,
  moment: ({ moments, steps }, frame) => `step ${moments[frame].step} of ${steps}`,
  draw,
  numbers: ({ moments, steps }, frame) => [
    { name: 'step', value: `${moments[frame].step} of ${steps}` },
    { name: 'loss, mean of batches', value: shown(moments[frame].loss) },
  ],
  csv: ({ moments }) =>
    encodeCsv(['step', 'loss'], [moments.map(({ step }) => step), moments.map(({ loss }) => loss)]),
});
