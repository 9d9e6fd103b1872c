/** A lesson as the build knows it: words, and figures between them with the source that computes them. */
import type { AnyFigure } from './figure.ts';

/** A piece of the project's source: from the line that has `from` to the end of what begins there. */
export interface Excerpt {
  readonly file: string;
  readonly from: string;
}

export interface FigureBlock {
  readonly figure: AnyFigure;
  /** HTML: what to see in it. */
  readonly caption: string;
  readonly code: readonly Excerpt[];
}

/** A part that a lesson makes itself, at the build. */
export interface OwnBlock {
  readonly html: () => Promise<string>;
}

export interface Lesson {
  readonly number: number;
  /** Its page is `SLUG.html`, its script `lessons/SLUG/page.ts`. */
  readonly slug: string;
  readonly title: string;
  /** One sentence for the list of lessons. */
  readonly summary: string;
  /** HTML, a figure, or what the lesson makes. */
  readonly blocks: readonly (string | FigureBlock | OwnBlock)[];
}

/** The figures of a lesson. */
export const figuresOf = ({ blocks }: Lesson): AnyFigure[] =>
  blocks.flatMap((block) => (typeof block === 'object' && 'figure' in block ? [block.figure] : []));
