/**
 * The picture of a figure that a page shows before a person runs it, with its numbers and hashes. Most are computed at
 * each build. Those of live figures take long: `npm run page:frames` computes them, and writes each into a file
 * `FIGURE.frame.json` in the lesson's folder, which is committed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { runJob } from '../engine/jobs.ts';
import { type AnyFigure, type Hashed, type NumberRow, stillOf } from '../figure.ts';
import type { Lesson } from '../lesson.ts';

export interface Still {
  /** The picture as SVG, for a wide page and a narrow one. */
  readonly wide: string;
  readonly slim: string;
  readonly numbers: readonly NumberRow[];
  readonly hashes: Hashed['hashes'];
  /** Which picture it is, and which is the last one. */
  readonly frame: number;
  readonly last: number;
  readonly moment: string;
}

/** Widths that figures are drawn with at the build. */
const [WIDE, SLIM] = [656, 328];

/** Computes a figure with its first settings, and draws it. */
export async function computeStill(figure: AnyFigure): Promise<Still> {
  const result: Hashed = await runJob(figure.job, figure.request(figure.initial) as never);
  const frame = stillOf(figure, result);
  return {
    wide: figure.draw(result, frame, WIDE),
    slim: figure.draw(result, frame, SLIM),
    numbers: figure.numbers(result, frame),
    hashes: result.hashes,
    frame,
    last: figure.frames(result) - 1,
    moment: figure.moment(result, frame),
  };
}

const fileOf = ({ slug }: Lesson, { id }: AnyFigure) => `src/playground/lessons/${slug}/${id}.frame.json`;

/** The committed picture of a live figure. */
export const readStill = (lesson: Lesson, figure: AnyFigure): Still =>
  JSON.parse(readFileSync(fileOf(lesson, figure), 'utf8'));

/** Computes the picture of a live figure, and writes its file. */
export async function writeStill(lesson: Lesson, figure: AnyFigure): Promise<void> {
  writeFileSync(fileOf(lesson, figure), `${JSON.stringify(await computeStill(figure))}\n`);
}
