/** A plain HTML page: text, tables and pictures in one column, without scripts. */

/** A part of the page. */
export type Part =
  | { readonly kind: 'heading' | 'text' | 'command'; readonly text: string }
  | { readonly kind: 'link'; readonly file: string; readonly text: string }
  | {
      readonly kind: 'picture';
      readonly file: string;
      readonly text: string;
      /** Whether the picture has half the width, so that two of them are side by side. */
      readonly half?: boolean;
    }
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly (string | number)[])[];
    };

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text with the special characters of HTML escaped. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (c) => ESCAPES[c]);

const STYLE = `
  body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; color: #222; }
  h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2rem; }
  pre { padding: 0.6rem 0.8rem; background: #f4f4f4; white-space: pre-wrap; overflow-wrap: anywhere; }
  figure { margin: 1rem 0; } figure.half { display: inline-block; width: 48%; margin: 0.5rem 0.8% 0.5rem 0; vertical-align: top; } img { max-width: 100%; height: auto; }
  figcaption { color: #555; font-size: 0.95rem; }
  table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: 0.25rem 0.8rem; text-align: right; }
  th { border-bottom: 1px solid #888; font-weight: 600; } td { border-bottom: 1px solid #ddd; }
  th:first-child, td:first-child { text-align: left; }
`;

function partHtml(part: Part): string {
  switch (part.kind) {
    case 'heading':
      return `<h2>${escapeHtml(part.text)}</h2>`;
    case 'text':
      return `<p>${escapeHtml(part.text)}</p>`;
    case 'command':
      return `<pre>$ ${escapeHtml(part.text)}</pre>`;
    case 'link':
      return `<p><a href="${escapeHtml(part.file)}">${escapeHtml(part.text)}</a></p>`;
    case 'picture': {
      const text = escapeHtml(part.text);
      const file = escapeHtml(part.file);
      return `<figure${part.half ? ' class="half"' : ''}><img src="${file}" alt="${text}"><figcaption>${text}</figcaption></figure>`;
    }
    case 'table': {
      const row = (cells: readonly (string | number)[], tag: string) =>
        `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(String(cell))}</${tag}>`).join('')}</tr>`;
      return `<table>${row(part.head, 'th')}${part.rows.map((cells) => row(cells, 'td')).join('')}</table>`;
    }
  }
}

/** The page as an HTML file. @param title the title of the page and its first heading */
export function page(title: string, parts: readonly Part[]): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escapeHtml(title)}</h1>`,
    ...parts.map(partHtml),
    '</body></html>\n',
  ].join('\n');
}
