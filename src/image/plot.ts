/**
 * Plots as SVG: lines, bands, histograms, points, vector fields and rules over two axes, by Observable Plot on
 * linkedom's document. One call draws one plot from its layers, in their order.
 *
 * The string is a whole file: its own size, white ground, fonts by name, a title and a description for screen
 * readers, no style sheet; it looks the same in a browser, in an `<img>` and inside a page. The same input
 * gives the same string. Text widths are estimated, since no font is at hand; margins leave room for that.
 * Only the command uses this file: Plot and linkedom are bundled into it and are no dependency of the package.
 */
import * as Plot from '@observablehq/plot';
import { DOMParser } from 'linkedom';
import { ValueError } from '../errors.ts';
import { estimateWidth, header, type LegendEntry } from './plot-header.ts';
import { type Layer, type Prepared, prepare } from './plot-layers.ts';
import { type AxisOptions, scaleOf, type Ticks, typeOf } from './plot-scale.ts';
import { toFile } from './svg.ts';

export { type Layer, PALETTE } from './plot-layers.ts';
export type { AxisOptions } from './plot-scale.ts';

export interface PlotOptions {
  readonly title: string;
  readonly subtitle?: string;
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  /** Drawn in this order, later ones above. */
  readonly layers: readonly Layer[];
  /** Of the whole, in pixels; default 720. */
  readonly width?: number;
  /** Of the whole, in pixels; default 440. */
  readonly height?: number;
  /** One unit of x is as long as one of y, for points in the plane; `height` then follows from the data. */
  readonly equal?: boolean;
  /** Whether the names of layers are listed below the title. Default: when two or more have one. */
  readonly legend?: boolean;
}

const FONT = {
  'font-family': "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
  'font-size': 12,
};
const AXIS = {
  tickSize: 5,
  tickPadding: 4,
  labelAnchor: 'center',
  labelArrow: 'none',
  color: '#333333',
} as const;
const GRID = { stroke: '#e3e3e3', strokeOpacity: 1 };
const MARGIN = 16;
/** From the outer edge of the y label to the numbers at the ticks, and from those to the axis. */
const Y_LABEL = 22;
const Y_TICK = AXIS.tickSize + AXIS.tickPadding;

/**
 * Draws a plot and returns it as a standalone SVG file.
 * @throws {ValueError} for no layer, a layer without a finite point, an unknown scale, or an empty domain.
 * @throws {ShapeError} for arrays of different lengths in one layer.
 */
export function plot(options: PlotOptions): string {
  const { title, subtitle = '', width = 720, height = 440, equal = false, layers } = options;
  for (const [name, side] of Object.entries({ width, height })) {
    if (!(side >= 200 && side <= 10_000))
      throw new ValueError(`plot: expected a ${name} of 200 to 10000 pixels, got ${side}`);
  }
  if (layers.length === 0) throw new ValueError('plot: expected at least one layer, got none');
  const prepared = prepare(layers, typeOf(options.x, 'x'), typeOf(options.y, 'y'));
  const x = scaleOf(options.x, 'x', prepared);
  const y = scaleOf(options.y, 'y', prepared);

  const parsed = new DOMParser().parseFromString('<svg/>', 'image/svg+xml');
  const document = parsed as unknown as Document;
  const head = header(document, {
    title,
    subtitle,
    entries: legend(options, prepared),
    width,
    margin: MARGIN,
  });
  const frame = {
    document,
    width,
    height: equal ? width : height,
    marginTop: head.height + 14,
    marginRight: MARGIN + 12,
    marginBottom: 54,
    x: x.scale,
    y: y.scale,
  };
  const { tickWidth, heightPerWidth } = measure(frame, y.ticks);
  const marginLeft = MARGIN + Y_LABEL + tickWidth + Y_TICK;
  if (equal) {
    const inner = width - marginLeft - frame.marginRight;
    frame.height = Math.round(frame.marginTop + inner * heightPerWidth + frame.marginBottom);
  }
  const spacing = equal ? { tickSpacing: 60 } : {};
  const [ticksX, ticksY] = [
    { ...x.ticks, ...spacing },
    { ...y.ticks, ...spacing },
  ];
  const svg = Plot.plot({
    ...frame,
    marginLeft,
    clip: Boolean(options.x.domain ?? options.y.domain),
    marks: [
      Plot.gridY({ ...GRID, ...ticksY }),
      equal || x.scale.type === 'log' ? Plot.gridX({ ...GRID, ...ticksX }) : null,
      ...prepared.flatMap((layer) => layer.marks),
      Plot.frame({ anchor: 'bottom', stroke: AXIS.color }),
      Plot.axisX({ ...AXIS, ...ticksX, label: options.x.label, labelOffset: 42 }),
      Plot.axisY({ ...AXIS, ...ticksY, label: options.y.label, labelOffset: marginLeft - MARGIN }),
    ],
  }) as SVGSVGElement;
  svg.append(head.element);
  return toFile(svg, { title, description: describe(options, prepared), font: FONT });
}

/**
 * Draws the y axis alone: the width in pixels of the widest number at its ticks, and the height of the domains
 * as they are shown over their width. Plot's own `aspectRatio` counts with margins other than those it is given.
 */
function measure(frame: Plot.PlotOptions, ticks: Ticks): { tickWidth: number; heightPerWidth: number } {
  const alone = Plot.plot({ ...frame, marks: [Plot.axisY({ ...AXIS, ...ticks, label: null })] });
  const texts = [...alone.querySelectorAll('text')].map((text) => text.textContent ?? '');
  const length = (name: 'x' | 'y') => {
    const [low, high] = alone.scale(name)!.domain as [number, number];
    return high - low;
  };
  return {
    tickWidth: Math.max(0, ...texts.map((text) => estimateWidth(text, FONT['font-size']))),
    heightPerWidth: length('y') / length('x'),
  };
}

function legend({ legend }: PlotOptions, prepared: readonly Prepared[]): LegendEntry[] {
  const entries = new Map<string, LegendEntry>();
  for (const { layer, color } of prepared) {
    if (layer.name && !entries.has(layer.name)) entries.set(layer.name, { name: layer.name, color, layer });
  }
  return (legend ?? entries.size >= 2) ? [...entries.values()] : [];
}

function describe({ x, y }: PlotOptions, prepared: readonly Prepared[]): string {
  const names = prepared.flatMap(({ layer }) => (layer.name ? [`${layer.name} (${layer.kind})`] : []));
  const shown = names.length > 0 ? ` Shown: ${[...new Set(names)].join(', ')}.` : '';
  const notes = [...new Set(prepared.map(({ note }) => note).filter(Boolean))];
  return `${y.label} against ${x.label}.${shown}${notes.length > 0 ? ` Thinned: ${notes.join('; ')}.` : ''}`;
}
