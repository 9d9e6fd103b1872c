/**
 * Plots as SVG: lines, bands, histograms, points, vector fields and rules over two axes. Observable Plot draws them on
 * linkedom's document. One call draws one plot from its layers, in their order.
 *
 * The returned string is a whole file. It has its own size, a white ground, fonts by name, and a title and a
 * description for screen readers. It has no style sheet. So it looks the same in a browser, in an `<img>` and inside a
 * page. The same input gives the same string. Text widths are estimated, because no font is available. The margins
 * leave room for the error. Only the command uses this file. Plot and linkedom are bundled into the command, and the
 * package does not depend on them.
 */
import * as Plot from '@observablehq/plot';
import { DOMParser } from 'linkedom';
import { ValueError } from '../errors.ts';
import { header, type LegendEntry } from './plot-header.ts';
import { type Layer, type Prepared, prepare } from './plot-layers.ts';
import { AXIS, FONT, layOut, MARGIN } from './plot-layout.ts';
import { type AxisOptions, scaleOf, scaleType } from './plot-scale.ts';
import { toFile } from './svg.ts';

export { type Layer, PALETTE, seriesStyle } from './plot-layers.ts';
export type { AxisOptions } from './plot-scale.ts';

export interface PlotOptions {
  readonly title: string;
  readonly subtitle?: string;
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  /** Drawn in this order: later layers cover earlier ones. */
  readonly layers: readonly Layer[];
  /** Of the whole picture, in pixels. Default 720. */
  readonly width?: number;
  /** Of the whole picture, in pixels. Default 440, or more if the legend has many rows. */
  readonly height?: number;
  /** Whether one unit of x is as long as one unit of y, for points in the plane. The data then decides `height`. */
  readonly equal?: boolean;
  /** Whether the layers are listed by name below the title. Default: true if two or more have a name. */
  readonly legend?: boolean;
}

const GRID = { stroke: '#e3e3e3', strokeOpacity: 1 };
const HEIGHT = 440;
/** The least height below the header, in pixels. With it a long legend leaves room for the axes and their labels. */
const LEAST_BELOW_HEAD = 360;

/**
 * Draws a plot and returns it as a standalone SVG file.
 * @throws {ValueError} for no layers, a layer without a finite point, an unknown scale, or an empty domain.
 * @throws {ShapeError} for arrays of different lengths in one layer.
 */
export function plot(options: PlotOptions): string {
  const { title, subtitle = '', width = 720, equal = false, layers } = options;
  const requireSide = (name: string, side: number) => {
    if (side >= 200 && side <= 10_000) return;
    throw new ValueError(`plot: expected a ${name} of 200 to 10000 pixels, got ${side}`);
  };
  requireSide('width', width);
  if (layers.length === 0) throw new ValueError('plot: expected at least one layer, got none');
  const prepared = prepare(layers, scaleType(options.x, 'x'), scaleType(options.y, 'y'));
  const x = scaleOf(options.x, 'x', prepared);
  const y = scaleOf(options.y, 'y', prepared);

  const parsed = new DOMParser().parseFromString('<svg/>', 'image/svg+xml');
  const document = parsed as unknown as Document;
  const entries = legend(options, prepared);
  const head = header(document, { title, subtitle, entries, width, margin: MARGIN });
  const { height = Math.max(HEIGHT, head.height + LEAST_BELOW_HEAD) } = options;
  requireSide('height', height);
  const marginTop = head.height + 14;
  const { frame, ticksX, ticksY } = layOut({ document, width, height, marginTop, x, y }, equal);
  const svg = Plot.plot({
    ...frame,
    clip: Boolean(options.x.domain ?? options.y.domain),
    marks: [
      Plot.gridY({ ...GRID, ...ticksY }),
      equal || x.type === 'log' ? Plot.gridX({ ...GRID, ...ticksX }) : null,
      ...prepared.flatMap((layer) => layer.marks),
      Plot.frame({ anchor: 'bottom', stroke: AXIS.color }),
      Plot.axisX({ ...AXIS, ...ticksX, label: options.x.label, labelOffset: 42 }),
      Plot.axisY({ ...AXIS, ...ticksY, label: options.y.label, labelOffset: frame.marginLeft - MARGIN }),
    ],
  }) as SVGSVGElement;
  svg.append(head.element);
  return toFile(svg, { title, description: describe(options, prepared), font: FONT });
}

function legend({ legend }: PlotOptions, prepared: readonly Prepared[]): LegendEntry[] {
  const entries = new Map<string, LegendEntry>();
  for (const { layer, color, dash } of prepared) {
    const { name } = layer;
    if (name && !entries.has(name)) entries.set(name, { name, color, dash, layer });
  }
  return (legend ?? entries.size >= 2) ? [...entries.values()] : [];
}

function describe({ x, y }: PlotOptions, prepared: readonly Prepared[]): string {
  const names = prepared.flatMap(({ layer }) => (layer.name ? [`${layer.name} (${layer.kind})`] : []));
  const shown = names.length > 0 ? ` Shown: ${[...new Set(names)].join(', ')}.` : '';
  const notes = [...new Set(prepared.map(({ note }) => note).filter(Boolean))];
  return `${y.label} against ${x.label}.${shown}${notes.length > 0 ? ` Thinned: ${notes.join('; ')}.` : ''}`;
}
