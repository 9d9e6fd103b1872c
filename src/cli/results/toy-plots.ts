/** The plots of `langevin toy`: samples over the data, and the learned score over the exact score. */
import type { PlanePoints, SamplesFigure, ScoreFigure } from '../../models/toy/figures.ts';
import { TOY_ARROWS, TOY_REACH } from '../../models/toy/view.ts';

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

/** Both scores as arrows over the noisy data. */
export async function drawScore(
  title: string,
  { share, noised, places, learned, exact }: ScoreFigure,
): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  // Both scores have the same scale. The longest exact arrow is 1.4 times the distance between two arrows.
  const longest = Math.sqrt(exact.x.reduce((most, u, i) => Math.max(most, u * u + exact.y[i] ** 2), 0));
  const length = (1.4 * (2 * TOY_REACH)) / TOY_ARROWS / longest;
  const arrows = ({ x: u, y: v }: PlanePoints) => ({ kind: 'vectors' as const, ...places, u, v, length });
  return plot({
    ...AXES,
    title: `${title}: score at t = ${share}`,
    layers: [
      { kind: 'points', ...noised, name: 'noisy data', color: PALETTE.grey, radius: 1.4, opacity: 0.25 },
      { ...arrows(exact), name: 'exact', color: PALETTE.orange, width: 2.4, opacity: 0.8 },
      { ...arrows(learned), name: 'learned', color: PALETTE.blue, width: 1 },
    ],
  });
}
