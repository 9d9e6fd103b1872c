/** Opens the built page in Chromium, collects its errors and warnings, and reads the hashes of its figures. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { addressOf } from '../src/playground/app/address.ts';
import type { AnyFigure, Values } from '../src/playground/figure.ts';
import { figuresOf, type Lesson } from '../src/playground/lesson.ts';
import { CHROMIUM, hasChromium } from './chromium.ts';
import { inFolder, langevin, ROOT } from './dist.ts';

export const SITE = join(ROOT, 'dist', 'page');
export { hasChromium };
/**
 * Runs a live job to its end, and makes its progress at every step.
 * @param spoil may overwrite the arrays of the progress. They are transferred, so the run must not need them.
 */
export async function runLive<P, R>(
  job: AsyncGenerator<() => P, R, void> | Promise<R>,
  spoil: (progress: P) => void = () => {},
): Promise<R> {
  if (job instanceof Promise) return job;
  for (;;) {
    const { done, value } = await job.next();
    if (done) return value;
    spoil(value());
  }
}

/** A long timeout, because the machine can be busy. */
export const PATIENCE = { timeout: 300_000 };

export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors, and requests to another origin. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** One browser for all pages of a process, because a start takes a second. It closes when none is open for a while. */
let browser: Promise<Browser> | null = null;
let closing: NodeJS.Timeout | undefined;
let pages = 0;
const CLOSE_AFTER = 1000;

function started(): Promise<Browser> {
  clearTimeout(closing);
  pages++;
  browser ??= chromium.launch({
    executablePath: CHROMIUM,
    // With the last two a check can collect garbage and read the exact size of a heap.
    args: ['--no-sandbox', '--disable-gpu', '--enable-precise-memory-info', '--js-flags=--expose-gc'],
  });
  return browser;
}

/** Ends the browser if no page is open for a while. */
function closeLater(): void {
  if (--pages > 0) return;
  closing = setTimeout(() => {
    void browser?.then((one) => one.close());
    browser = null;
  }, CLOSE_AFTER);
}

/** Opens a page of the site in a context of its own: no storage, no service worker from another. */
export async function open(
  origin: string,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await (await started()).newContext(options);
  context.setDefaultTimeout(PATIENCE.timeout);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('request', (asked) => {
    const own = /^(data|blob):/.test(asked.url()) || new URL(asked.url()).origin === origin;
    if (!own) complaints.push(`asked for ${asked.url()}`);
  });
  await page.goto(`${origin}/${path}`, PATIENCE);
  const close = async () => {
    await context.close();
    closeLater();
  };
  return { page, complaints, close };
}

/** The settings of a check: those of the lesson, but a live figure has a short run. */
export const checkedSettings = ({ initial, short }: AnyFigure): Values => ({ ...initial, ...short });

/** The address of a lesson with the settings of a check. */
export function checkedAddress(lesson: Lesson): string {
  const parts = figuresOf(lesson).map((figure) => addressOf(figure, checkedSettings(figure)));
  return `${lesson.slug}.html#${parts.filter((part) => part !== '').join('&')}`;
}

/** Waits until a figure has a result of its own, and gives its hashes. A live figure is started. */
export async function computed(
  page: Page,
  { id, live, unhashed }: AnyFigure,
): Promise<Record<string, string>> {
  await page.click(`#${id} [data-place=controls] button:text-is("${live ?? 'Reset'}")`);
  // The copy button of a command is the script's: the build has none. A figure without hashes has no command.
  if (!unhashed)
    await page.waitForSelector(`#${id} [data-place=command] button`, { ...PATIENCE, state: 'attached' });
  await page.waitForFunction(
    (figure) => document.querySelector(`#${figure} .tools > .status`)?.textContent?.trim() === '',
    id,
    PATIENCE,
  );
  return page.$$eval(`#${id} [data-hash]`, (all) =>
    Object.fromEntries(all.map((one) => [(one as HTMLElement).dataset.hash!, one.textContent!])),
  );
}

/** Writes a seed to a figure's field. */
export async function seed(page: Page, { id, table }: AnyFigure, value: string): Promise<void> {
  if (!('seed' in table)) return;
  await page.fill(`#${id}-seed`, value);
  await page.keyboard.press('Tab');
}

/** The hash of a figure among those that the command printed, by its name or the end of it. */
export const printedHash = (printed: Record<string, string>, name: string): string | undefined =>
  Object.entries(printed).find(([file]) => file.endsWith(name))?.[1];

/** The files that the lines of a figure's command name, as the page saves them. */
export async function filesOf(page: Page, { id }: AnyFigure): Promise<ReadonlyMap<string, Buffer>> {
  await page.click(`#${id}-command-tab`);
  const files = new Map<string, Buffer>();
  for (const button of await page.$$(`#${id} [data-place=command] [data-file]`)) {
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    files.set(download.suggestedFilename(), readFileSync(await download.path()));
  }
  return files;
}

/**
 * Runs a command line of `langevin`, and returns the hashes in its last event.
 * @param files what the line reads
 */
export function numbersOf(
  line: string,
  threads = 1,
  files: ReadonlyMap<string, Buffer> = new Map(),
): Promise<Record<string, string>> {
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c!);
  // schedules computes no tensor, and has no threads
  const more = words[1] === 'schedules' ? [] : ['--threads', String(threads)];
  return inFolder(async (folder) => {
    for (const [name, content] of files) writeFileSync(join(folder, name), content);
    const { stdout, stderr } = await langevin([...words.slice(1), ...more, '--json'], folder);
    if (stderr !== '') throw new Error(`${line}: ${stderr}`);
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!).numbers;
  });
}

/** A host of static files that sends no headers but the type. */
export function plainHost(): Promise<{ server: Server; port: number }> {
  const types: Record<string, string> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.css': 'text/css',
    '.svg': 'image/svg+xml',
  };
  const server = createServer(({ url = '/' }, response) => {
    const file = join(SITE, url === '/' ? 'index.html' : url.split('?')[0]!);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve({ server, port: (server.address() as AddressInfo).port })),
  );
}
