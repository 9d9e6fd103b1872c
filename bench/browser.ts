/**
 * `--browser`: measures the subjects in Chromium. The page is cross-origin isolated, so that memory can be shared. It
 * starts one worker, as the playground does, and sends the worker's rows to this process.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { LangevinError } from '../src/errors.ts';
import type { Matrix } from './engine.ts';
import { UsageError } from './options.ts';
import { Queue } from './queue.ts';
import type { Row } from './row.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu'];
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** A request to the worker, and its answer. */
export interface Request extends Matrix {
  readonly subject: string;
}
export type Answer = { readonly row: Row } | { readonly done: true } | { readonly error: string };

const PAGE = `<!doctype html><title>langevin bench</title><script type="module">
const worker = new Worker('/page.js', { type: 'module' });
worker.onmessage = ({ data }) => answer(data);
worker.onerror = ({ message }) => answer({ error: message });
globalThis.ask = (request) => worker.postMessage(request);
</script>`;

/** Serves the page and its worker on a free port of this machine. */
async function serve(bundle: Buffer) {
  const server = createServer(({ url }, response) => {
    const script = url === '/page.js';
    const found = script || url === '/';
    response.writeHead(found ? 200 : 404, {
      ...ISOLATED,
      'Content-Type': script ? 'text/javascript' : 'text/html',
    });
    response.end(found ? (script ? bundle : PAGE) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/**
 * Starts Chromium (the environment variable CHROMIUM, else Debian's) and the page.
 * @throws UsageError for the peers, which run in Node only
 */
export async function inBrowser(matrix: Matrix, subjects: readonly string[]) {
  if (subjects.includes('peers')) throw new UsageError('bench: expected --browser without the subject peers');
  const { server, url } = await serve(readFileSync(fileURLToPath(new URL('page.js', import.meta.url))));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  const page = await browser.newPage();
  let deliver: (answer: Answer) => void = () => {};
  await page.exposeFunction('answer', (answer: Answer) => deliver(answer));
  await page.goto(url);
  return {
    engine: `Chromium ${browser.version()}`,
    async *rows(subject: string): AsyncGenerator<Row> {
      const answers = new Queue<Answer>();
      deliver = (answer) => answers.push(answer);
      const request: Request = { ...matrix, subject };
      await page.evaluate(
        (asked) => (globalThis as unknown as { ask(r: Request): void }).ask(asked),
        request,
      );
      for (;;) {
        const answer = await answers.next();
        if ('error' in answer) throw new LangevinError(`bench: ${answer.error}`);
        if ('done' in answer) return;
        yield answer.row;
      }
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}
