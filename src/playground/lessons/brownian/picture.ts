/** Paths over time, and beside them, on the same axis, the histogram of all paths at the moment that is shown. */
import { axes, niceDomain } from '../../draw/axes.ts';
import { area, curve, key, path, pathData, picture, text } from '../../draw/svg.ts';
import type { SdeResult } from './job.ts';

/** Pixels from one drawn point of a path to the next: where paths are few, and where they are a crowd. */
const [FINE, COARSE] = [1.5, 3];
/** Paths that a narrow picture has room for. */
const NARROW_PATHS = 15;
/** Below this width the histogram is narrow. */
const NARROW = 520;
/** Paths up to which each has a colour of its own. */
const FEW = 8;

/** The range of what is drawn. */
function rangeOf({ figure: { paths, law, twin } }: SdeResult): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const values of [
    ...paths,
    ...(law?.band ? [law.band.lower, law.band.upper] : []),
    ...(twin ? [twin] : []),
  ]) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return niceDomain(low, high);
}

export function drawSde(result: SdeResult, frame: number, width: number): string {
  const { figure, moments, title, component, paths } = result;
  const { times, law, twin } = figure;
  const moment = moments[frame];
  const narrow = width < NARROW;
  const height = narrow ? 288 : 352;
  const side = narrow ? 72 : 136;
  const drawn = narrow ? figure.paths.slice(0, NARROW_PATHS) : figure.paths;
  const few = drawn.length <= FEW;
  const entries: [string, string][] = [
    [few ? 'line s0' : 'line many', few ? 'paths' : `${drawn.length} of ${paths} paths`],
  ];
  if (law) entries.push(['line exact', 'exact mean']);
  if (law?.band) entries.push(['band', 'exact band, 95.4 %']);
  if (twin) entries.push(['line twin', 'without noise']);
  const { svg: legend, height: keyHeight } = key(entries, 48, 0, width - 56);
  const top = keyHeight + 32;
  const box = { left: 48, top, right: width - side - 24, bottom: top + height - 88 };
  const y = { label: component, domain: rangeOf(result) };
  const x = { label: 'time t', domain: [0, times[times.length - 1]] as const };
  const { X, Y, svg: grid } = axes(box, x, y);
  const places = [X, Y] as const;
  const stride = Math.max(1, Math.floor(((few ? FINE : COARSE) * times.length) / (box.right - box.left)));
  const end = moment.step + 1;
  const inside = [
    law?.band ? area('band', law.times, law.band.lower, law.band.upper, places) : '',
    ...drawn.map((ys, i) =>
      curve(few ? `line s${i % FEW}` : 'line many', times, ys, places, { stride, end }),
    ),
    law ? curve('line exact', law.times, law.mean, places) : '',
    twin ? curve('line twin', times, twin, places, { stride }) : '',
    path(
      'now',
      pathData([
        [X(moment.time), box.top],
        [X(moment.time), box.bottom],
      ]),
    ),
  ].join('');
  const label = `${title}: ${drawn.length} paths up to t = ${moment.time.toPrecision(3)}, with a histogram of all ${paths}`;
  return picture(
    width,
    box.bottom + 48,
    label,
    legend,
    grid,
    clipped(box, 'paths', inside),
    drawEnds(result, frame, { left: box.right + 24, right: width - 8, top: box.top, bottom: box.bottom }, Y),
  );
}

/** What lies inside a box; ids stand for themselves on a page, since each figure has one. */
function clipped(
  { left, top, right, bottom }: { left: number; top: number; right: number; bottom: number },
  id: string,
  inside: string,
): string {
  const clip = `${id}-${Math.round(left)}-${Math.round(right)}-${Math.round(bottom)}`;
  const rect = `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/>`;
  return `<clipPath id="${clip}">${rect}</clipPath><g clip-path="url(#${clip})">${inside}</g>`;
}

/** The histogram, lying on its side, under the exact density. */
function drawEnds(
  { moments, paths }: SdeResult,
  frame: number,
  box: { left: number; top: number; right: number; bottom: number },
  Y: (value: number) => number,
): string {
  const { left, right, top, bottom } = box;
  const axis = path('axis', `M${left} ${top}V${bottom}`);
  const { ends } = moments[frame];
  if (!ends) {
    const words = paths < 50 ? ['A histogram', 'needs 50 paths.'] : ['All paths', 'begin here.'];
    return axis + words.map((word, i) => text('label', left + 8, top + 16 + 18 * i, word)).join('');
  }
  const { edges, heights } = ends.histogram;
  // The height of what stands for long: a first density is a needle.
  const most = Math.max(...heights, ...(ends.density?.y ?? [])) * 1.05;
  const X = (value: number) => left + ((right - left) * value) / most;
  const bars = Array.from(heights, (value, i) => {
    const [a, b] = [Y(edges[i]), Y(edges[i + 1])];
    return value === 0 ? '' : `M${left} ${r(b)}H${r(X(value))}V${r(a)}H${left}Z`;
  }).join('');
  const density = ends.density
    ? path(
        ends.density.kind === 'exact' ? 'line density' : 'line density far',
        pathData(Array.from(ends.density.x, (x, i): [number, number] => [X(ends.density!.y[i]), Y(x)])),
      )
    : '';
  const names = ends.density ? [ends.density.kind === 'exact' ? 'exact density' : 'as t → ∞'] : [];
  return [
    clipped(box, 'ends', path('bar', bars) + density),
    axis,
    text('label', left, top - 10, right - left < 100 ? 'density' : `all ${paths} paths`),
    ...names.map((name) => text('label vermilion', left, bottom + 18, name)),
  ].join('');
}

const r = (x: number) => Math.round(10 * x) / 10;
