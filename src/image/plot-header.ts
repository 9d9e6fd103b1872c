/**
 * The header of a plot as SVG elements: title, subtitle, and the legend in rows below them. Plot's own titles and
 * legends are HTML around the SVG. A standalone SVG file cannot contain them.
 */
import { textWidth } from './font.ts';
import { DASHES, type Dash, type Layer } from './plot-layers.ts';
import { svgElement } from './svg.ts';

export interface LegendEntry {
  readonly name: string;
  readonly color: string;
  readonly dash: Dash;
  readonly layer: Layer;
}

export interface HeaderOptions {
  readonly title: string;
  readonly subtitle: string;
  readonly entries: readonly LegendEntry[];
  readonly width: number;
  readonly margin: number;
}

const TITLE = { size: 17, line: 22, widen: 1.2 };
const SUBTITLE = { size: 13, line: 18, widen: 1 };
const LEGEND = { size: 12, line: 20, swatch: 29, gap: 6, apart: 20 };

/**
 * The estimated width in pixels of `text` at a font size. It is the width of our own letters (capitals 10 high, as in a
 * font of 14) and a tenth more, because system fonts may be wide.
 */
export function estimateWidth(text: string, fontSize: number): number {
  return Math.ceil((1.1 * textWidth(text) * fontSize) / 14);
}

/** Builds the header. `height` is its lower end, in pixels from the top. */
export function header(document: Document, options: HeaderOptions): { element: Element; height: number } {
  const { title, subtitle, entries, width, margin } = options;
  const children: Element[] = [];
  let y = margin;
  const writeLines = (
    text: string,
    font: { size: number; line: number; widen: number },
    look: Record<string, string>,
  ) => {
    for (const line of wrap(text, (width - 2 * margin) / font.widen, font.size)) {
      y += font.line;
      const place = { x: margin, y: y - font.line + font.size, 'font-size': font.size };
      children.push(svgElement(document, 'text', { ...place, ...look }, line));
    }
  };
  writeLines(title, TITLE, { 'font-weight': '600', fill: '#111111' });
  writeLines(subtitle, SUBTITLE, { fill: '#555555' });
  if (entries.length > 0) y += 4;

  let x = margin;
  for (const [i, entry] of entries.entries()) {
    const entryWidth = LEGEND.swatch + LEGEND.gap + estimateWidth(entry.name, LEGEND.size);
    if (i === 0 || x + entryWidth > width - margin) {
      x = margin;
      y += LEGEND.line;
    }
    const middle = y - LEGEND.line / 2;
    const place = { x: x + LEGEND.swatch + LEGEND.gap, y: middle, dy: '0.35em', 'font-size': LEGEND.size };
    children.push(swatch(document, entry, x, middle), svgElement(document, 'text', place, entry.name));
    x += entryWidth + LEGEND.apart;
  }
  const element = svgElement(document, 'g', { 'text-anchor': 'start', fill: '#333333' }, ...children);
  return { element, height: y };
}

/** A sample of the layer, `LEGEND.swatch` wide. It begins at `x` and is centred at the height `y`. */
function swatch(document: Document, { color, dash, layer }: LegendEntry, x: number, y: number): Element {
  const middle = x + LEGEND.swatch / 2;
  switch (layer.kind) {
    case 'points':
      return svgElement(document, 'circle', { cx: middle, cy: y, r: 4, fill: color });
    case 'area':
    case 'bars': {
      const opacity = layer.opacity ?? (layer.kind === 'area' ? 0.25 : 0.6);
      const box = { x: x + 3, y: y - 6, width: LEGEND.swatch - 6, height: 12 };
      return svgElement(document, 'rect', { ...box, fill: color, 'fill-opacity': opacity });
    }
    case 'vectors': {
      const d = `M${x},${y}h${LEGEND.swatch}m-6,-3.5l6,3.5l-6,3.5`;
      return svgElement(document, 'path', { d, fill: 'none', stroke: color, 'stroke-width': 1.4 });
    }
    default: {
      const line = { x1: x, x2: x + LEGEND.swatch, y1: y, y2: y, stroke: color, 'stroke-width': 2.2 };
      return svgElement(
        document,
        'line',
        dash === 'solid' ? line : { ...line, 'stroke-dasharray': DASHES[dash] },
      );
    }
  }
}

/** Breaks text between words into lines of at most `width` pixels. A longer word is not split. */
function wrap(text: string, width: number, fontSize: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((w) => w !== '')) {
    const longer = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length > 0 && estimateWidth(longer, fontSize) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
