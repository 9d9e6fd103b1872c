/** The plots of `langevin sde`: paths with their exact mean and band, histograms of end states, and measured orders. */
import type { Layer } from '../../image/plot.ts';
import type { Equation } from '../../sde/equation.ts';
import type { EndFigure, PathsFigure } from '../../sde/figures.ts';
import type { OrdersFigure } from '../../sde/orders.ts';

/** The largest number of paths that have different colours. */
const FEW = 8;

/** One component of the paths over time, as an SVG file. @param label the counts of paths and steps, and the solver */
export async function drawPaths(
  { title, subtitle, process }: Equation,
  component: number,
  { times, paths, law, twin }: PathsFigure,
  label: string,
): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  const layers: Layer[] = [];
  if (law?.band) {
    const look = { name: 'two sigma (95.4 %)', color: PALETTE.blue, opacity: 0.12 };
    layers.push({ kind: 'area', x: law.times, ...law.band, ...look });
  }
  const few = paths.length <= FEW;
  const colors = Object.values(PALETTE).filter((color) => color !== PALETTE.grey);
  for (const [path, y] of paths.entries()) {
    const look = few
      ? { width: 1.2, opacity: 0.95, color: colors[path % colors.length] }
      : { width: 0.8, opacity: 0.5, color: PALETTE.sky };
    layers.push({ kind: 'line', x: times, y, ...look, ...(few ? {} : { name: `${paths.length} paths` }) });
  }
  if (law) {
    const look = { name: 'exact mean', color: '#222222', dash: 'dashed', width: 2 } as const;
    layers.push({ kind: 'line', x: law.times, y: law.mean, ...look });
  }
  if (twin) {
    const look = { name: 'solution without noise', color: PALETTE.vermilion, width: 2 };
    layers.push({ kind: 'line', x: times, y: twin, ...look });
  }
  return plot({
    title,
    subtitle: subtitle ? `${subtitle}. ${label}` : label,
    x: { label: 'time t' },
    y: { label: process?.components?.[component] ?? 'X(t)' },
    layers,
  });
}

/** A histogram of the first component at the end, with the exact or stationary density if it is known. */
export async function drawEnd(
  { title, subtitle, process }: Equation,
  { time, paths, histogram, density }: EndFigure,
  label: string,
): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  const layers: Layer[] = [{ kind: 'bars', ...histogram, color: PALETTE.sky, name: `${paths} paths` }];
  if (density) {
    const { kind, x, y } = density;
    const name = kind === 'exact' ? 'exact density' : 'stationary density, for t to infinity';
    layers.push({ kind: 'line', x, y, color: PALETTE.vermilion, width: 2, name });
  }
  return plot({
    title: `${title} at t = ${time}`,
    subtitle: subtitle ? `${subtitle}. ${label}` : label,
    x: { label: process?.components?.[0] ?? 'X' },
    y: { label: 'density' },
    layers,
  });
}

/** Errors over step sizes. Both axes are logarithmic, so that the slope of a line is the order. */
export async function drawOrders({ kind, noise, measured }: OrdersFigure): Promise<string> {
  const { plot, seriesStyle } = await import('../../image/plot.ts');
  const layers = measured.flatMap((one, i): Layer[] => {
    const { color, dash } = seriesStyle(i);
    const [x, y] = [one.steps, one.errors];
    const name = `${one.solver}, ${one.slope.toFixed(2)} (${one.declared})`;
    return [
      { kind: 'line', x, y, color, dash, width: 1.6, name },
      { kind: 'points', x, y, color },
    ];
  });
  const problems = [...new Set(measured.map((one) => one.problem))];
  return plot({
    title: `${kind === 'strong' ? 'Strong' : 'Weak'} errors with ${noise} noise`,
    subtitle: `${problems.join('; ')}. Measured slope (declared order)`,
    height: 560,
    x: { label: 'step size', scale: 'log' },
    y: { label: kind === 'strong' ? 'mean of |X - exact|' : '|mean of f(X) - f(exact)|', scale: 'log' },
    layers,
  });
}
