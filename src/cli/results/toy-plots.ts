/** Plots of `langevin toy`: samples over the data, and a learned score over the exact one. */
import { scope } from '../../autograd/tape.ts';
import type { GaussianMixture } from '../../diffusion/gaussian-mixture.ts';
import type { NoiseLevel } from '../../diffusion/level.ts';
import { diffuse } from '../../diffusion/process.ts';
import { compareScores, type ToyDiffusion } from '../../models/toy/toy.ts';
import { Rng } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';

/** Half the side of the square that is drawn, and arrows along it. */
const REACH = 2.6;
const ARROWS = 19;

/** Points in the plane as two columns. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

const columns = (values: ArrayLike<number>): Points => {
  const column = (j: number) => Float64Array.from({ length: values.length / 2 }, (_, i) => values[2 * i + j]);
  return { x: column(0), y: column(1) };
};

/** The numbers of a tensor [n, 2] that is needed no longer. */
export function pointsOf(made: () => { toTypedArray(): ArrayLike<number>; dispose(): void }): Points {
  const points = made();
  const read = columns(points.toTypedArray());
  points.dispose();
  return read;
}

const AXES = {
  x: { label: 'x', domain: [-REACH, REACH] },
  y: { label: 'y', domain: [-REACH, REACH] },
  equal: true,
  width: 420,
} as const;

export async function scatter(title: string, data: Points, samples: Points): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  return plot({
    ...AXES,
    title,
    layers: [
      { kind: 'points', ...data, name: 'data', color: PALETTE.grey, radius: 1.6, opacity: 0.35 },
      { kind: 'points', ...samples, name: 'samples', color: PALETTE.blue, radius: 1.6, opacity: 0.7 },
    ],
    legend: true,
  });
}

/** Both scores as arrows on a grid over the noised data, and their distance where the data are. */
export async function scoreField(
  title: string,
  model: ToyDiffusion,
  mixture: GaussianMixture,
  level: NoiseLevel,
  share: number,
  data: Points,
): Promise<{ svg: string; error: number }> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  const at = Array.from({ length: ARROWS }, (_, i) => -REACH + (2 * REACH * (i + 0.5)) / ARROWS);
  const places = at.flatMap((y) => at.map((x) => [x, y]));
  const noised = scope(() => {
    const points = tensor(Array.from(data.x, (x, i) => [x, data.y[i]]));
    const { x } = diffuse(points, level, new Rng(share));
    return { ...columns(x.toTypedArray()), error: compareScores(model, mixture, x, level).error };
  });
  const { learned, exact } = scope(() => compareScores(model, mixture, tensor(places), level));
  // One length for both: the longest exact arrow reaches its neighbour.
  const longest = Math.sqrt(
    exact.reduce((most, u, i) => (i % 2 ? most : Math.max(most, u * u + exact[i + 1] ** 2)), 0),
  );
  const length = (1.4 * (2 * REACH)) / ARROWS / longest;
  const arrows = (score: Float64Array) => {
    const { x: u, y: v } = columns(score);
    return { kind: 'vectors' as const, ...columns(places.flat()), u, v, length };
  };
  const svg = plot({
    ...AXES,
    title: `${title}: score at t = ${share}`,
    layers: [
      {
        kind: 'points',
        x: noised.x,
        y: noised.y,
        name: 'noised data',
        color: PALETTE.grey,
        radius: 1.4,
        opacity: 0.25,
      },
      { ...arrows(exact), name: 'exact', color: PALETTE.orange, width: 2.4, opacity: 0.8 },
      { ...arrows(learned), name: 'learned', color: PALETTE.blue, width: 1 },
    ],
    legend: true,
  });
  return { svg, error: noised.error };
}
