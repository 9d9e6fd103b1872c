/**
 * Pieces of SVG as text, drawn alike in a page and at its build. Colours come from the page's style sheet by class, so
 * that a figure follows light and dark.
 */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Text as HTML and SVG take it. */
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => ENTITIES[mark]);

/** A coordinate in tenths of a pixel. */
export const px = (x: number): string => String(Math.round(10 * x) / 10);

export type Place = (value: number) => number;

/** A whole picture. @param label what screen readers say of it */
export function picture(width: number, height: number, label: string, ...parts: readonly string[]): string {
  const size = `width="${px(width)}" height="${px(height)}" viewBox="0 0 ${px(width)} ${px(height)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" aria-label="${escaped(label)}" ${size}>${parts.join('')}</svg>`;
}

/** The text of `d` for points joined in their order; a point that is not finite is a gap. */
export function pathData(points: Iterable<readonly [number, number]>): string {
  let d = '';
  // In tenths: steps between whole numbers do not add up rounding errors.
  let [x, y, pen] = [0, 0, false];
  for (const [px, py] of points) {
    if (!(Number.isFinite(px) && Number.isFinite(py))) {
      pen = false;
      continue;
    }
    const [nx, ny] = [Math.round(10 * px), Math.round(10 * py)];
    if (!pen) d += `M${nx / 10} ${ny / 10}`;
    else if (nx !== x || ny !== y) d += `l${(nx - x) / 10} ${(ny - y) / 10}`;
    [x, y, pen] = [nx, ny, true];
  }
  return d;
}

export const path = (kind: string, d: string): string => `<path class="${kind}" d="${d}"/>`;

/** A curve through (xs, ys), of which every `stride`-th point is drawn, and the last one before `end`. */
export function curve(
  kind: string,
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  [X, Y]: readonly [Place, Place],
  { stride = 1, end = xs.length }: { stride?: number; end?: number } = {},
): string {
  function* points(): Generator<[number, number]> {
    for (let i = 0; i < end; i += stride) yield [X(xs[i]), Y(ys[i])];
    if (end > 0 && (end - 1) % stride !== 0) yield [X(xs[end - 1]), Y(ys[end - 1])];
  }
  return path(kind, pathData(points()));
}

/** The area between two curves. */
export function area(
  kind: string,
  xs: ArrayLike<number>,
  lower: ArrayLike<number>,
  upper: ArrayLike<number>,
  [X, Y]: readonly [Place, Place],
): string {
  const there = Array.from(xs, (x, i): [number, number] => [X(x), Y(upper[i])]);
  const back = Array.from(xs, (x, i): [number, number] => [X(x), Y(lower[i])]).reverse();
  return path(kind, `${pathData([...there, ...back])}Z`);
}

/** Text at a place. @param anchor where the place is on it */
export function text(
  kind: string,
  x: number,
  y: number,
  words: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  return `<text class="${kind}" x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

/** A key: marks with their names, in rows that are no wider than `width`; the svg and its height. */
export function key(
  entries: readonly (readonly [kind: string, name: string])[],
  left: number,
  top: number,
  width: number,
): { readonly svg: string; readonly height: number } {
  let [x, y, svg] = [0, 0, ''];
  for (const [kind, name] of entries) {
    const space = 26 + 6.6 * name.length + 16;
    if (x > 0 && x + space > width) [x, y] = [0, y + 20];
    const [at, line] = [left + x, top + y];
    svg += /bar|band/.test(kind)
      ? `<rect class="${kind}" x="${px(at)}" y="${px(line)}" width="18" height="10"/>`
      : `<path class="${kind}" d="M${px(at)} ${px(line + 5)}h18"/>`;
    svg += text('label', at + 24, line + 9.5, name);
    x += space;
  }
  return { svg, height: y + 20 };
}
