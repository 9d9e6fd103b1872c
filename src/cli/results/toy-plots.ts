/** Plots of `langevin toy`: samples over the data, and a learned score over the exact one. */
import {
  type PlanePoints,
  type SamplesFigure,
  type ScoreFigure,
  TOY_ARROWS,
  TOY_REACH,
} from '../../models/toy/figures.ts';

const AXES = {
  x: { label: 'x', domain: [-TOY_REACH, TOY_REACH] },
  y: { label: 'y', domain: [-TOY_REACH, TOY_REACH] },
  equal: true,
  width: 420,
  legend: true,
} as const;

export async function drawSamples(title: string, { data, samples }: SamplesFigure): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  return plot({
    ...AXES,
    title,
    layers: [
      { kind: 'points', ...data, name: 'data', color: PALETTE.grey, radius: 1.6, opacity: 0.35 },
      { kind: 'points', ...samples, name: 'samples', color: PALETTE.blue, radius: 1.6, opacity: 0.7 },
    ],
  });
}

/** Both scores as arrows over the noised data. */
export async function drawScore(
  title: string,
  { share, noised, places, learned, exact }: ScoreFigure,
): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  // One length for both: the longest exact arrow reaches a little beyond its neighbour.
  const longest = Math.sqrt(exact.x.reduce((most, u, i) => Math.max(most, u * u + exact.y[i] ** 2), 0));
  const length = (1.4 * (2 * TOY_REACH)) / TOY_ARROWS / longest;
  const arrows = ({ x: u, y: v }: PlanePoints) => ({ kind: 'vectors' as const, ...places, u, v, length });
  return plot({
    ...AXES,
    title: `${title}: score at t = ${share}`,
    layers: [
      { kind: 'points', ...noised, name: 'noised data', color: PALETTE.grey, radius: 1.4, opacity: 0.25 },
      { ...arrows(exact), name: 'exact', color: PALETTE.orange, width: 2.4, opacity: 0.8 },
      { ...arrows(learned), name: 'learned', color: PALETTE.blue, width: 1 },
    ],
  });
}
