/** The pictures of `langevin noise`: a strip with a row for each picture, and an animation. */
import { encodeGif } from '../../image/gif.ts';
import { pictureGrid } from '../../image/grid.ts';
import { encodePng } from '../../image/png.ts';
import type { NoisingCourse, NoisingFigure, NoisingProcess } from '../../models/figures/noising.ts';

const TITLES: Readonly<Record<NoisingProcess, string>> = {
  brownian: 'Brownian',
  vp: 'VP',
  'sub-vp': 'sub-VP',
  ve: 'VE',
};
/** The number of columns of a strip. */
const COLUMNS = 9;

const processesOf = ({ courses }: NoisingFigure) => [...new Set(courses.map(({ process }) => process))];
/** The pictures of one process. */
const by = ({ courses }: NoisingFigure, name: NoisingProcess): NoisingCourse[] =>
  courses.filter(({ process }) => process === name);

/** A PNG file with a row for each picture and process. Time goes from left to right. */
export function drawStrip(figure: NoisingFigure): Uint8Array {
  const { height, width, channels, times, courses } = figure;
  const shown = Array.from({ length: COLUMNS }, (_, i) =>
    Math.round((i * (times.length - 1)) / (COLUMNS - 1)),
  );
  const single = courses.every(({ picture }) => picture === 0);
  return encodePng(
    pictureGrid(
      courses.map(({ frames }) => shown.map((frame) => frames[frame])),
      {
        height,
        width,
        channels,
        rowLabels: courses.map(({ process, picture }) =>
          single ? TITLES[process] : `${TITLES[process]} ${picture + 1}`,
        ),
        columnLabels: shown.map((frame) => `t = ${times[frame]}`),
      },
    ),
  );
}

/** A GIF file. Several processes have a column each. The pictures of a single process fill a square. */
export function drawAnimation(figure: NoisingFigure): Uint8Array {
  const { height, width, channels, times } = figure;
  const names = processesOf(figure);
  const columns = names.map((name) => by(figure, name));
  const [first] = columns;
  const side = Math.ceil(Math.sqrt(first.length));
  const rows =
    names.length > 1
      ? first.map((_, i) => columns.map((column) => column[i]))
      : Array.from({ length: Math.ceil(first.length / side) }, (_, r) =>
          first.slice(r * side, (r + 1) * side),
        );
  const labels = names.map((name) => TITLES[name]);
  const frames = Array.from(times, (t, frame) =>
    pictureGrid(
      rows.map((row) => row.map((course) => course.frames[frame])),
      {
        height,
        width,
        channels,
        ...(names.length > 1 ? { columnLabels: labels } : {}),
        title: `${names.length > 1 ? '' : `${labels[0]}, `}t = ${t.toFixed(2)}`,
      },
    ),
  );
  return encodeGif(frames, { delay: 80, lastDelay: 1500 });
}
