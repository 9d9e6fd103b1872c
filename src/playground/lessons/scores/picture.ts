/**
 * The picture of the scores: three columns, exact, learned and their difference. The rows are the score as arrows over
 * the noised data, and the samples of the ODE and of the SDE. A narrow picture has the difference below the two.
 */
import { TOY_REACH as REACH } from '../../../models/toy/view.ts';
import { path, picture, px, text } from '../../draw/svg.ts';
import type { Frames, ScoresResult } from './job.ts';
import { ARROWS, FLOWS, type ScoreName } from './names.ts';

/** Below this width the picture has two columns. */
const NARROW = 520;
const GAP = 16;
/** Space for the title of a row. */
const TITLE = 56;

interface Square {
  readonly left: number;
  readonly top: number;
  readonly side: number;
}

/** The vectors of a shown level. */
const levelOf = (all: Frames, frame: number, frames: number): Float32Array => {
  const n = all.length / frames;
  return all.subarray(frame * n, (frame + 1) * n);
};

const placesIn =
  ({ left, top, side }: Square) =>
  (x: number, y: number): [number, number] => [
    left + (side * (x + REACH)) / (2 * REACH),
    top + (side * (REACH - y)) / (2 * REACH),
  ];
const inside = (x: number, y: number) => Math.abs(x) < REACH && Math.abs(y) < REACH;

/** Points that are drawn: few in a narrow picture. */
const [MOST_DOTS, FEW_DOTS] = [140, 80];
const dotsIn = ({ side }: Square) => 2 * (side < 160 ? FEW_DOTS : MOST_DOTS);
const whole = (x: number) => String(Math.round(x));

/** Points as dots: lines of no length with round ends. */
function dots(kind: string, points: ArrayLike<number>, square: Square): string {
  const at = placesIn(square);
  let d = '';
  for (let i = 0; i < Math.min(points.length, dotsIn(square)); i += 2) {
    if (!inside(points[i], points[i + 1])) continue;
    const [x, y] = at(points[i], points[i + 1]);
    d += `M${whole(x)} ${whole(y)}h0`;
  }
  return path(`dots ${kind}`, d);
}

/** Lines from points to other points. */
function segments(kind: string, from: ArrayLike<number>, to: ArrayLike<number>, square: Square): string {
  const at = placesIn(square);
  let d = '';
  for (let i = 0; i < Math.min(from.length, dotsIn(square)); i += 2) {
    if (!inside(from[i], from[i + 1]) || !inside(to[i], to[i + 1])) continue;
    const [[x, y], [u, v]] = [at(from[i], from[i + 1]), at(to[i], to[i + 1])];
    d += `M${whole(x)} ${whole(y)}L${whole(u)} ${whole(v)}`;
  }
  return path(`segments ${kind}`, d);
}

/**
 * Vectors at the centres of a grid as needles, which point where they are thin. The length grows like the square root of
 * the vector's, so that the weak ones are seen. For a vector of length `long` or more it is a little more than a cell.
 */
function needles(
  kind: string,
  vectors: ArrayLike<number>,
  long: number,
  { left, top, side }: Square,
): string {
  const cell = side / ARROWS;
  let d = '';
  for (let i = 0; 2 * i < vectors.length; i++) {
    const [u, v] = [vectors[2 * i], -vectors[2 * i + 1]];
    const size = Math.hypot(u, v);
    const length = 1.1 * cell * Math.sqrt(Math.min(1, size / long));
    if (!(length > 1)) continue;
    const [dx, dy] = [(length * u) / size, (length * v) / size];
    const x = left + cell * ((i % ARROWS) + 0.5) - dx / 2;
    const y = top + cell * (ARROWS - 0.5 - Math.floor(i / ARROWS)) - dy / 2;
    // The blunt end is 3 pixels wide.
    const [wx, wy] = [(-1.5 * dy) / length, (1.5 * dx) / length];
    d += `M${px(x + wx)} ${px(y + wy)}l${px(dx - wx)} ${px(dy - wy)}l${px(-dx - wx)} ${px(-dy - wy)}z`;
  }
  return path(`needles ${kind}`, d);
}

const LOOKS: Readonly<Record<ScoreName, string>> = { exact: 's1', learned: 's0' };
const DIFFERENCE = 's3';

export function drawScores(result: ScoresResult, frame: number, width: number): string {
  const { times, noised, scores, flows } = result;
  const frames = times.length;
  const narrow = width < NARROW;
  const side = Math.floor((width - GAP * (narrow ? 1 : 2)) / (narrow ? 2 : 3));
  const across = narrow ? 2 : 3;
  const rowHeight = TITLE + (narrow ? 2 * side + 32 : side) + 16;
  const square = (row: number, column: number): Square => ({
    left: (column % across) * (side + GAP),
    top: row * rowHeight + TITLE + Math.floor(column / across) * (side + 32),
    side,
  });
  const named = (one: Square, name: string) =>
    text('label', one.left, one.top - 8, name) +
    path('frame', `M${one.left} ${one.top}h${side}v${side}h${-side}Z`);
  const heading = (row: number, name: string) => text('label strong', 0, row * rowHeight + 24, name);
  const columns = ['exact', 'learned', 'difference'] as const;
  const clean = result.sigmas[frame] === 0;
  const [exact, learned] = [levelOf(scores.exact, frame, frames), levelOf(scores.learned, frame, frames)];
  const between = learned.map((value, i) => value - exact[i]);
  const lengths = Array.from({ length: exact.length / 2 }, (_, i) =>
    Math.hypot(exact[2 * i], exact[2 * i + 1]),
  );
  const median = lengths.sort((a, b) => a - b)[Math.floor(lengths.length / 2)];
  const vectors = { exact, learned, difference: between };
  const parts = [
    heading(
      0,
      clean ? 'The data: without noise there is no score to learn' : 'The score, over the noised data',
    ),
  ];
  for (const [column, name] of columns.entries()) {
    const one = square(0, column);
    const look = name === 'difference' ? DIFFERENCE : LOOKS[name];
    parts.push(
      named(one, name),
      dots('data', levelOf(noised, frame, frames), one),
      clean ? '' : needles(look, vectors[name], median, one),
    );
  }
  for (const [i, { id, title }] of FLOWS.entries()) {
    const flow = flows?.[id];
    const row = 1 + i;
    parts.push(heading(row, `${title}${flow ? '' : ': after the training'}`));
    for (const [column, name] of columns.entries()) {
      const one = square(row, column);
      parts.push(named(one, name));
      if (!flow) continue;
      const [a, b] = [levelOf(flow.exact, frame, frames), levelOf(flow.learned, frame, frames)];
      if (name === 'difference') parts.push(segments(DIFFERENCE, a, b, one), dots(LOOKS.learned, b, one));
      else parts.push(dots(LOOKS[name], name === 'exact' ? a : b, one));
    }
  }
  const label = `Exact and learned score at t = ${times[frame].toFixed(2)} as arrows over the noised data, their difference, and the samples of an ODE and an SDE that follow them`;
  return picture(width, 3 * rowHeight - 8, label, ...parts);
}
