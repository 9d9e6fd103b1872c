/** The pages of the site as HTML. */
import { PAGE_POLICY } from '../../models/page-policy.ts';
import { escaped } from '../draw/svg.ts';
import type { AnyFigure } from '../figure.ts';
import type { Excerpt, FigureBlock, Lesson } from '../lesson.ts';
import { excerpt } from './excerpt.ts';
import { highlighted } from './markup.ts';
import type { Still } from './still.ts';

/** Names of the files that the bundler wrote. */
export interface Assets {
  readonly style: string;
  readonly font: string;
  readonly engine: string;
  /** By lesson, and `index`: its script, and what that loads at once. */
  readonly scripts: ReadonlyMap<string, { readonly entry: string; readonly needs: readonly string[] }>;
}

function document(assets: Assets, script: string, title: string, about: string, body: string): string {
  const { entry, needs } = assets.scripts.get(script)!;
  return `<!doctype html>
<html lang="en" data-engine="${assets.engine}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${PAGE_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escaped(about)}">
<title>${escaped(title)}</title>
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="preload" href="${assets.font}" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="${assets.style}">
<noscript><link rel="stylesheet" href="noscript.css"></noscript>
${needs.map((file) => `<link rel="modulepreload" href="${file}">`).join('\n')}
<script type="module" src="${entry}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the lesson</a>
${body}
</body>
</html>
`;
}

const listed = (lessons: readonly Lesson[], here: Lesson | null) =>
  `<ol class="lessons">${lessons
    .map((lesson) => {
      const current = lesson === here ? ' aria-current="page"' : '';
      return `<li><a href="${lesson.slug}.html"${current}><span class="number">${lesson.number}</span> ${lesson.title}</a></li>`;
    })
    .join('')}</ol>`;

const header = (lessons: readonly Lesson[], here: Lesson | null) => `<header class="top">
<a class="name" href="index.html"><svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true"><path class="mark" d="M3 23l4-6 3 4 4-13 4 9 3-5 3 8 5-13"/></svg>langevin</a>
<nav aria-label="Lessons">${listed(lessons, here)}</nav>
</header>`;

const footer = (words: string) => `<footer>${words}
<p>Every number on this page is computed on your machine, and has the same bits as the command’s. Nothing is sent anywhere.
Tested with Chromium. Other browsers need WebAssembly SIMD: Firefox 89, Safari 16.4 or later.</p></footer>`;

/** The page of a lesson. */
export async function lessonPage(
  assets: Assets,
  lessons: readonly Lesson[],
  lesson: Lesson,
  still: (figure: AnyFigure) => Promise<Still>,
): Promise<string> {
  const blocks: string[] = [];
  for (const block of lesson.blocks) {
    if (typeof block === 'string') blocks.push(`<div class="prose">${block}</div>`);
    else if ('html' in block) blocks.push(await block.html());
    else blocks.push(lab(block, await still(block.figure)));
  }
  const at = lessons.indexOf(lesson);
  const link = (other: Lesson | undefined, rel: string, word: string) =>
    other
      ? `<a rel="${rel}" href="${other.slug}.html"><span>${word}</span>${other.title}</a>`
      : '<span></span>';
  const body = `${header(lessons, lesson)}
<main id="main">
<div class="prose head"><p class="kicker">Lesson ${lesson.number}</p><h1>${lesson.title}</h1><p class="lead">${lesson.summary}</p>
<p id="notice" class="problem" role="status" hidden></p></div>
${blocks.join('\n')}
<nav class="around" aria-label="Before and after">${link(lessons[at - 1], 'prev', 'Before')}${link(lessons[at + 1], 'next', 'Next')}</nav>
</main>
${footer('<p id="engine">Nothing is computed yet. Press Run, or change a setting.</p>')}`;
  return document(assets, lesson.slug, `${lesson.title} · langevin`, lesson.summary, body);
}

const HASHES =
  'The SHA-256 of what is shown is that in the last event of the command with <code>--json</code>.';
const LINES =
  'Each line makes the same numbers, bit for bit. Without an installed langevin: <code>npx langevin …</code>';

function lab({ figure, caption, code }: FigureBlock, still: Still): string {
  const { id, title, unhashed } = figure;
  const lines = figure
    .commands(figure.initial)
    .map(({ line }) => `<div class="command"><code>${escaped(line)}</code></div>`)
    .join('');
  const tabs = ['code', 'numbers', 'command'];
  const contents = [
    code.map(source).join(''),
    `<div data-place="numbers">${numbersTable(still)}</div><p class="small">${unhashed ?? HASHES}</p>`,
    `<div data-place="command">${unhashed ? `<p>${unhashed}</p>` : lines}</div>${unhashed ? '' : `<p class="small">${LINES}</p>`}`,
  ];
  const at = `data-frame="${still.frame}" data-last="${still.last}" data-moment="${escaped(still.moment)}"`;
  return `<section class="lab" id="${id}" aria-labelledby="${id}-title" ${at}>
<figure>
<h2 id="${id}-title">${title}</h2>
<div class="controls" data-place="controls"></div>
<div class="picture" data-place="picture"><div class="wide">${still.wide}</div><div class="slim">${still.slim}</div></div>
<figcaption>${caption}</figcaption>
<div class="settings" data-place="settings"></div>
</figure>
<div class="panel">
<div role="tablist" aria-label="About ${escaped(title)}">${tabs
    .map(
      (tab, i) =>
        `<button role="tab" id="${id}-${tab}-tab" aria-controls="${id}-${tab}" aria-selected="${i === 0}">${tab[0].toUpperCase()}${tab.slice(1)}</button>`,
    )
    .join('')}</div>
${tabs
  .map(
    (tab, i) =>
      `<div role="tabpanel" class="tabpanel" id="${id}-${tab}" aria-labelledby="${id}-${tab}-tab" tabindex="0">${contents[i]}</div>`,
  )
  .join('\n')}
</div>
</section>`;
}

function numbersTable({ numbers, hashes: own }: Still): string {
  const rows = numbers.map(
    ({ name, value }) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  );
  const hashes = Object.entries(own).map(
    ([name, hash]) => `<dt>${escaped(name)}</dt><dd><code data-hash="${escaped(name)}">${hash}</code></dd>`,
  );
  return `<table><tbody>${rows.join('')}</tbody></table><dl class="hashes">${hashes.join('')}</dl>`;
}

function source(wanted: Excerpt): string {
  const { file, first, last, text } = excerpt(wanted);
  const where = `${file}, ${first === last ? `line ${first}` : `lines ${first} to ${last}`}`;
  return `<div class="source"><p class="where">${where}</p><pre tabindex="0" data-file="${file}" data-first="${first}" data-last="${last}"><code>${highlighted(text)}</code></pre></div>`;
}

/** The page with the list of lessons. */
export function indexPage(assets: Assets, lessons: readonly Lesson[], opening: string): string {
  const cards = lessons
    .map(
      ({ number, slug, title, summary }) =>
        `<li><a href="${slug}.html"><span class="number">${number}</span><strong>${title}</strong><span>${summary}</span></a></li>`,
    )
    .join('');
  const body = `${header(lessons, null)}
<main id="main">
<div class="prose head"><h1>Diffusion models, from a random walk to a digit</h1>
<p class="lead">Short lessons with figures that compute on your machine. Change a setting, and the figure is computed anew. Look at the source that does it. Run the line that makes the same bits in a shell.</p></div>
<div class="opening">${opening}</div>
<div class="prose"><h2>Lessons</h2></div>
<ol class="cards">${cards}</ol>
</main>
${footer('')}`;
  return document(
    assets,
    'index',
    'langevin: diffusion models from scratch',
    'Diffusion models from scratch, live in the browser.',
    body,
  );
}
