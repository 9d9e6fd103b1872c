/** Words for lessons: formulas as MathML and source with colours, both made at the build. */
import hljs from 'highlight.js/lib/core';
import typescript from 'highlight.js/lib/languages/typescript';
import temml from 'temml';

hljs.registerLanguage('typescript', typescript);

/** MathML of a formula, without the style attributes that the page's policy forbids. */
const mathml = (tex: string, displayMode: boolean) =>
  temml
    .renderToString(tex, { displayMode, throwOnError: true })
    .replace(/ style="[^"]*"/g, '')
    .replace(/<math/, displayMode ? '<math tabindex="0"' : '<math');

/** A formula in a line. */
export const tex = (strings: TemplateStringsArray): string => mathml(strings.raw[0], false);
/** A formula on a line of its own; what \qquad parts may stand below each other. */
export const display = (strings: TemplateStringsArray): string =>
  `<div class="formula">${strings.raw[0]
    .split('\\qquad')
    .map((part) => mathml(part, true))
    .join('')}</div>`;

/** A piece of source as HTML, with colours. */
export const highlighted = (source: string): string =>
  hljs.highlight(source, { language: 'typescript' }).value;
