/** Plots of `langevin sde`: paths under their exact mean and band, and the histogram of their ends. */
import type { Layer } from '../../image/plot.ts';
import { type Law, twoSigmaBand } from '../../sde/law.ts';
import type { Equation, Simulated } from '../commands/sde.ts';

/** Points of a smooth curve. */
const CURVE = 200;

/** One component of the paths against time, as an SVG file. */
export async function drawPaths(
  { title, subtitle, process, start }: Equation,
  component: number,
  { times, lines, drawn }: Simulated,
  twin: ArrayLike<number> | null,
  label: string,
): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  const width = start.length;
  const along = (of: ArrayLike<number>, path: number, paths: number) =>
    Float64Array.from(times, (_, k) => of[(k * paths + path) * width + component]);
  const layers: Layer[] = [];
  const law = component === 0 ? process?.law : undefined;
  const at = Array.from({ length: CURVE + 1 }, (_, i) => (times[times.length - 1] * i) / CURVE);
  const laws = law ? at.map((t): Law => law.call(process, start[0], 0, t)) : [];
  const bands = laws.map(twoSigmaBand);
  if (laws.length > 0 && bands.every((band) => band !== null)) {
    const [lower, upper] = [0, 1].map((side) => bands.map((band) => band![side]));
    layers.push({
      kind: 'area',
      x: at,
      lower: lower!,
      upper: upper!,
      color: PALETTE.blue,
      name: 'two sigma (95.4 %)',
      opacity: 0.12,
    });
  }
  const few = drawn <= 8;
  const colors = Object.values(PALETTE).filter((color) => color !== PALETTE.grey);
  for (let path = 0; path < drawn; path++) {
    const look = few
      ? { width: 1.2, opacity: 0.95, color: colors[path % colors.length] }
      : { width: 0.8, opacity: 0.5, color: PALETTE.sky };
    const name = few ? {} : { name: `${drawn} paths` };
    layers.push({ kind: 'line', x: times, y: along(lines, path, drawn), ...look, ...name });
  }
  if (laws.length > 0) {
    layers.push({
      kind: 'line',
      x: at,
      y: laws.map((l) => l.mean),
      color: '#222222',
      dashed: true,
      width: 2,
      name: 'exact mean',
    });
  }
  if (twin) {
    const y = Float64Array.from(times, (_, k) => twin[k * width + component]);
    layers.push({ kind: 'line', x: times, y, color: PALETTE.vermilion, width: 2, name: 'noise-free twin' });
  }
  return plot({
    title,
    subtitle: subtitle ? `${subtitle}. ${label}` : label,
    x: { label: 'time t' },
    y: { label: process?.components?.[component] ?? 'X(t)' },
    layers,
  });
}

/** The first component's values at the end as a histogram, with the exact density where one is known. */
export async function drawEnd(
  { title, subtitle, process, start }: Equation,
  { ends }: Simulated,
  time: number,
  label: string,
): Promise<string> {
  const [{ plot, PALETTE }, { histogram }] = await Promise.all([
    import('../../image/plot.ts'),
    import('../../image/histogram.ts'),
  ]);
  const width = start.length;
  const values = Float64Array.from({ length: ends.length / width }, (_, i) => ends[i * width]).sort();
  // The outermost thousandth on either side would only make the bins wide.
  const cut = Math.floor(values.length / 1000);
  const [low, high] = [values[cut], values[values.length - 1 - cut]];
  const { edges, heights } = histogram(values, low < high ? { domain: [low, high] } : {});
  const layers: Layer[] = [
    { kind: 'bars', edges, heights, color: PALETTE.sky, name: `${values.length} paths` },
  ];
  const exact = process?.law?.(start[0], 0, time).density;
  const density = exact ?? process?.stationary?.density;
  if (density) {
    const [from, to] = [edges[0], edges[edges.length - 1]];
    const x = Float64Array.from({ length: CURVE + 1 }, (_, i) => from + ((to - from) * i) / CURVE);
    const name = exact ? 'exact density' : 'stationary density, for t to infinity';
    layers.push({ kind: 'line', x, y: x.map(density), color: PALETTE.vermilion, width: 2, name });
  }
  return plot({
    title: `${title} at t = ${time}`,
    subtitle: subtitle ? `${subtitle}. ${label}` : label,
    x: { label: process?.components?.[0] ?? 'X' },
    y: { label: 'density' },
    layers,
  });
}
