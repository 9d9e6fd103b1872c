/** The job `noising`: a picture on its way into noise by three processes, as `langevin noise` draws it. */
import { createDataset, type Dataset, take } from '../../../data/dataset.ts';
import { loadStrokes } from '../../../data/strokes-set.ts';
import { type NoisingFigure, type NoisingSettings, noisingFigure } from '../../../models/figures/noising.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import { processNamed } from '../../../sde/processes/index.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';

export interface PageNoisingSettings extends NoisingSettings {
  /** A picture of 28x28 bytes in place of the data set's. */
  readonly drawing?: Uint8Array | undefined;
}

export interface NoisingResult extends Hashed {
  readonly figure: NoisingFigure;
  /** What is left of the picture's variance at each time: of each course. */
  readonly left: readonly Float64Array[];
}

export type NoisingJob = Job<PageNoisingSettings, NoisingResult>;

/** The pictures to noise: the first of the test set, or a drawing. */
export function picturesOf(drawing: Uint8Array | undefined, count: number): Dataset {
  if (!drawing) return take(loadStrokes({ train: 0, test: count }).test, count);
  const sizes = { height: 28, width: 28, classes: 10 };
  return createDataset({ name: 'your drawing', ...sizes, images: drawing, labels: new Uint8Array(1) });
}

export const compute: Compute<NoisingJob> = async ({ drawing, ...settings }) => {
  const figure = noisingFigure(picturesOf(drawing, settings.pictures), settings);
  const left = figure.courses.map(({ process }) => {
    const { law } = processNamed(process)({ x0: 0 });
    return figure.times.map((t) => {
      const { mean, variance } = law!(1, 0, t);
      return (mean * mean) / (mean * mean + variance!);
    });
  });
  const hash = await numbersHash(figure);
  const hashes: Record<string, string> = {
    [`noise-${settings.process}.png`]: hash,
    [`noise-${settings.process}.gif`]: hash,
  };
  return { figure, left, hashes };
};
