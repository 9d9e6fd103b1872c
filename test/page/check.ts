/**
 * `npm run page:check`: the built page in Chromium. Sizes, the figures' hashes beside the command's, accessibility,
 * widths, the keyboard, every lesson offline, the heap of a long training, and times. What is wrong or too large fails.
 * Times are printed, and do not fail.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { serveFolder } from '../../src/cli/page/server.ts';
import { figuresOf } from '../../src/playground/lesson.ts';
import { LESSONS } from '../../src/playground/lessons/index.ts';
import { npmRun } from '../dist.ts';
import {
  checkedAddress,
  checkedSettings,
  computed,
  filesOf,
  hasChromium,
  numbersOf,
  open,
  PATIENCE,
  plainHost,
  printedHash,
  SITE,
  seed,
} from '../helpers-page.ts';

const SEEDS = ['0', '1', 'a b'];
const WIDTHS = [360, 768, 1440];
const SCHEMES = ['light', 'dark'] as const;
/** Targets are as high and wide as this at least, but links in a line of text. */
const LEAST_TARGET = 24;

/** The losses of a step are kept for the curve, and copied for the page. More would be a leak. */
const MOST_BYTES_A_STEP = 200;

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const total = { passed: 0, failed: 0 };

/** A row of the table. @param wrong what is wrong; nothing where it is right */
function row(what: string, value: string, wrong: readonly string[] = []): void {
  total[wrong.length === 0 ? 'passed' : 'failed']++;
  console.log(`${wrong.length === 0 ? 'ok    ' : 'failed'} ${what.padEnd(56)} ${value}`);
  for (const one of wrong) console.log(`         ${one}`);
}
const time = (what: string, value: string) => console.log(`time   ${what.padEnd(56)} ${value}`);

function sizes(): void {
  const size = (file: string) => gzipSync(readFileSync(join(SITE, file))).length;
  const files = readdirSync(SITE, { recursive: true })
    .map(String)
    .filter((file) => extname(file) !== '' && !file.startsWith('models'));
  const kilobytes = (bytes: number, most: number, what: string) =>
    row(what, `${(bytes / 1000).toFixed(1)} of ${most} KB`, bytes < 1000 * most ? [] : ['too large']);
  kilobytes(
    files.reduce((sum, file) => sum + size(file), 0),
    700,
    'the site without models',
  );
  for (const file of files) {
    const most = { '.css': 15, '.woff2': 40, '.wasm': 40 }[extname(file)];
    if (most !== undefined) kilobytes(size(file), most, file);
  }
  for (const { slug } of LESSONS) {
    const html = readFileSync(join(SITE, `${slug}.html`), 'utf8');
    const scripts = [...html.matchAll(/(?:modulepreload" href|script type="module" src)="([^"]*)"/g)];
    kilobytes(
      scripts.reduce((sum, [, file]) => sum + size(file!), 0),
      40,
      `${slug}: script of the first view`,
    );
  }
}

async function hashes(origin: string): Promise<void> {
  for (const lesson of LESSONS) {
    const { page, complaints, close } = await open(origin, checkedAddress(lesson));
    for (const figure of figuresOf(lesson)) {
      for (const [i, value] of SEEDS.entries()) {
        await seed(page, figure, value);
        const shown = await computed(page, figure);
        const wrong: string[] = [];
        for (const { line, numbers } of figure.commands({ ...checkedSettings(figure), seed: value })) {
          const printed = await numbersOf(line, 1 + (i % 2), await filesOf(page, figure));
          for (const [file, key] of Object.entries(numbers)) {
            const hash = printedHash(printed, file);
            if (shown[key] !== hash) wrong.push(`${line}: ${shown[key]} is not ${hash}`);
          }
        }
        row(`${lesson.slug}, ${figure.id}, seed ${value}`, 'the bits of the command', wrong);
      }
    }
    row(`${lesson.slug}: no error, no request elsewhere`, '', complaints);
    await close();
  }
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{
          violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run();
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map(({ target, failureSummary }) => `${target} ${failureSummary.replace(/\s+/g, ' ')}`)
          .join('; ')}`,
    );
  });
}

const smallTargets = (page: Page) =>
  page.$$eval(
    'button, input, select, summary, .lessons a, .cards a, .around a',
    (all, least) =>
      all
        .filter((one) => one.checkVisibility() && !one.matches('.check input'))
        .map((one) => [one, one.getBoundingClientRect()] as const)
        .filter(([, { width, height }]) => width < least || height < least)
        .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 80)} ${width}x${height}`),
    LEAST_TARGET,
  );

/** What the keyboard cannot reach, or reaches without showing it. */
async function keyboard(page: Page): Promise<string[]> {
  const wrong: string[] = [];
  const all = await page.$$eval(
    'button:not(:disabled):not([tabindex="-1"]), input, select, a[href]',
    (found) => found.filter((one) => one.checkVisibility()).length,
  );
  const reached = new Set<string>();
  for (let i = 0; i < all + 60; i++) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const one = document.activeElement as HTMLElement;
      if (!one || one === document.body) return null;
      one.dataset.seen ??= String(Math.random());
      const control = one.matches('button, input, select, a[href]');
      return {
        key: one.dataset.seen,
        control,
        outline: getComputedStyle(one).outlineStyle,
        html: one.outerHTML.slice(0, 80),
      };
    });
    if (!at) break;
    if (at.outline === 'none') wrong.push(`no focus is seen on ${at.html}`);
    if (at.control) reached.add(at.key);
  }
  if (reached.size < all) wrong.push(`${reached.size} of ${all} controls are reached`);
  return wrong;
}

async function looks(origin: string): Promise<void> {
  for (const slug of ['index', ...LESSONS.map((lesson) => lesson.slug)]) {
    for (const colorScheme of SCHEMES) {
      for (const width of WIDTHS) {
        const { page, close } = await open(origin, `${slug}.html`, {
          viewport: { width, height: 900 },
          colorScheme,
        });
        await page.waitForTimeout(300);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        const wrong = over > 0 ? [`${over} pixels too wide`] : [];
        wrong.push(...(await smallTargets(page)), ...(await violations(page)));
        if (width === 1440 && colorScheme === 'light') wrong.push(...(await keyboard(page)));
        row(`${slug}, ${colorScheme}, ${width} px`, 'axe, width, targets, keyboard', wrong);
        await close();
      }
    }
  }
}

async function times(origin: string): Promise<void> {
  for (const { slug } of LESSONS) {
    const { page, close } = await open(origin, 'index.html');
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    await page.goto(`${origin}/${slug}.html`);
    const [paint, ready] = await page.evaluate(
      () =>
        new Promise<[number, number]>((resolve) => {
          new PerformanceObserver((list) => {
            const entry = list.getEntries().at(-1)!;
            const [load] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
            setTimeout(() => resolve([entry.startTime, load!.domContentLoadedEventEnd]), 500);
          }).observe({ type: 'largest-contentful-paint', buffered: true });
        }),
    );
    time(
      `${slug}: largest paint, interactive, at a quarter speed`,
      `${paint.toFixed(0)} ms, ${ready.toFixed(0)} ms`,
    );
    await close();
  }
}

/** The number of models that the service worker has stored. */
const storedModels = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const stores = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    const requests = await Promise.all(stores.map((store) => store.keys()));
    return requests.flat().filter(({ url }) => url.includes('/models/')).length;
  });

/** After one visit of one page, all lessons run without the server. */
async function offline(): Promise<void> {
  const { server, port } = await plainHost();
  const origin = `http://127.0.0.1:${port}`;
  const { page, close } = await open(origin, 'index.html');
  await page.waitForFunction(() => crossOriginIsolated, undefined, PATIENCE);
  // Models come after the rest of the site, one after the other. The server stays until all of them are stored.
  // `waitForFunction` does not wait for the promise of a predicate, so we ask again and again.
  const models = readdirSync(join(SITE, 'models')).length;
  for (const end = Date.now() + PATIENCE.timeout; (await storedModels(page)) < models; await sleep(100)) {
    if (Date.now() > end)
      throw new Error(`expected ${models} models in the store, got ${await storedModels(page)}`);
  }
  server.closeAllConnections();
  server.close();
  for (const lesson of LESSONS) {
    const wrong: string[] = [];
    try {
      await page.goto(`${origin}/${checkedAddress(lesson)}`);
      const [figure] = figuresOf(lesson);
      if (figure) await computed(page, figure);
      else await page.click('#step [data-place=controls] button:text-is("Reset")');
      if (!figure) await page.waitForSelector('#step [data-hash]', { ...PATIENCE, state: 'attached' });
      wrong.push(
        ...(await page.$$eval('.problem:not([hidden])', (all) => all.map((one) => one.textContent!))),
      );
    } catch (error) {
      wrong.push(String(error));
    }
    row(`${lesson.slug}: opens and runs offline`, 'after one visit of another page', wrong);
  }
  await close();
}

/** The bytes of page, engine and WebAssembly memory during a training of 10,000 steps. */
async function heap(origin: string): Promise<void> {
  const [steps, early, late] = [10_000, 2_000, 9_500];
  const { page, close } = await open(
    origin,
    'denoiser.html#denoiser.limit=8000&denoiser.batchSize=8&denoiser.epochs=10',
  );
  // The picture of the build is of another run.
  const reached = (least: number) =>
    page.waitForFunction(
      (n) => {
        const [, step = ''] =
          /^step ([\d,]+) of 10,000/.exec(document.querySelector('#denoiser output')!.textContent!) ?? [];
        return Number(step.replaceAll(',', '')) >= n;
      },
      least,
      PATIENCE,
    );
  const bytes = () =>
    page.evaluate(async () => {
      const { performance: p } = globalThis as unknown as {
        performance: { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> };
      };
      return (await p.measureUserAgentSpecificMemory()).bytes;
    });
  await page.click('#denoiser [data-place=controls] button:text-is("Train")');
  await reached(early);
  const before = await bytes();
  await reached(late);
  const after = await bytes();
  const each = (after - before) / (late - early);
  const mega = (n: number) => `${(n / 1e6).toFixed(1)} MB`;
  row(
    `the heap over ${steps.toLocaleString('en')} steps of training`,
    `${mega(before)}, then ${mega(after)}: ${each.toFixed(0)} bytes a step`,
    each < MOST_BYTES_A_STEP ? [] : [`expected less than ${MOST_BYTES_A_STEP} bytes a step`],
  );
  await close();
}

if (!hasChromium) {
  console.log('page:check needs Chromium, and there is none');
} else {
  npmRun('build:node', 'build:page');
  const { server, port } = await serveFolder(SITE, 0);
  const origin = `http://127.0.0.1:${port}`;
  sizes();
  await looks(origin);
  await hashes(origin);
  await times(origin);
  // A check that breaks off fails, and the others still count.
  await offline().catch((error) => row('lessons run offline', '', [String(error)]));
  await heap(origin).catch((error) => row('the heap over 10,000 steps', '', [String(error)]));
  server.close();
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
