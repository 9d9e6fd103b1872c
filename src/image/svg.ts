/**
 * Turns an SVG element of a document into a standalone file, for a browser, an `<img>` or a page.
 */

const NAMESPACE = 'http://www.w3.org/2000/svg';
const GEOMETRY = 'x y x1 x2 y1 y2 cx cy r dx dy width height d transform'.split(' ');

/** Makes an SVG element with attributes and children. Text is escaped when the element is written out. */
export function svgElement(
  document: Document,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly (Element | string)[]
): Element {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

export interface FileOptions {
  /** The title for screen readers. Browsers show it as a tooltip. */
  readonly title: string;
  readonly description: string;
  /** Attributes that set the font of all texts. */
  readonly font: Readonly<Record<string, string | number>>;
}

/**
 * Turns the SVG element that Plot made into a file. The file has a white background, a title and a description, and no
 * style sheet or classes. Its ids do not depend on earlier plots. Coordinates are rounded to three decimals. The picture
 * looks the same, and the file has half the size. The rounding also removes the last bits of logarithms, which differ
 * between engines.
 */
export function toFile(svg: SVGSVGElement, { title, description, font }: FileOptions): string {
  const document = svg.ownerDocument;
  svg.querySelector('style')?.remove();
  svg.removeAttribute('class');
  for (const element of svg.querySelectorAll('*')) {
    for (const name of GEOMETRY) {
      const value = element.getAttribute(name);
      if (value?.includes('.')) element.setAttribute(name, value.replace(/-?\d*\.\d{4,}(e-?\d+)?/g, round));
    }
  }
  renameIds(svg, slug(title));

  for (const [name, value] of Object.entries({
    xmlns: NAMESPACE,
    role: 'img',
    color: '#333333',
    style: 'max-width:100%;height:auto',
    ...font,
  })) {
    svg.setAttribute(name, String(value));
  }
  svg.prepend(
    svgElement(document, 'title', {}, title),
    svgElement(document, 'desc', {}, description),
    svgElement(document, 'rect', { width: '100%', height: '100%', fill: '#ffffff' }),
  );
  return `${svg.outerHTML}\n`;
}

const round = (number: string) => String(Math.round(1000 * Number(number)) / 1000);

/** The letters and digits of `text`, joined by hyphens. */
const slug = (text: string) => (text.toLowerCase().match(/[a-z0-9]+/g) ?? ['plot']).join('-').slice(0, 48);

/** Plot numbers its ids across all plots of the process. We replace them by ids that begin with the name of this plot. */
function renameIds(svg: SVGSVGElement, prefix: string): void {
  const names = new Map<string, string>();
  for (const element of svg.querySelectorAll('[id]')) {
    names.set(`url(#${element.id})`, `${prefix}-${names.size + 1}`);
    element.id = names.get(`url(#${element.id})`)!;
  }
  for (const element of svg.querySelectorAll('[clip-path]')) {
    const name = names.get(element.getAttribute('clip-path')!);
    if (name) element.setAttribute('clip-path', `url(#${name})`);
  }
}
