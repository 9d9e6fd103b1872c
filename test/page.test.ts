/**
 * The page as it is built: the source that it shows, what its address says, its server, and each lesson run once in
 * Chromium, whose hashes are those of the command that the lesson shows.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { serveFolder } from '../src/cli/page/server.ts';
import { encodeCsv } from '../src/data/csv.ts';
import { numbersHash } from '../src/models/figures/numbers-hash.ts';
import { addressOf, readAddress } from '../src/playground/app/address.ts';
import { niceDomain, niceTicks } from '../src/playground/draw/axes.ts';
import { pathData } from '../src/playground/draw/svg.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import type { AnyFigure } from '../src/playground/figure.ts';
import { figuresOf } from '../src/playground/lesson.ts';
import { DENOISER } from '../src/playground/lessons/denoiser/figure.ts';
import { THREADS } from '../src/playground/lessons/denoiser/figure-threads.ts';
import { LESSONS } from '../src/playground/lessons/index.ts';
import { STEP_SETTINGS, stepCommand } from '../src/playground/lessons/step/command.ts';
import { difference, recipeOf, runStep } from '../src/playground/lessons/step/session.ts';
import { inFolder, langevin, npmRun, ROOT } from './dist.ts';
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
} from './helpers-page.ts';
import { suite } from './suite.ts';

npmRun('build:node', 'build:page');
// A page and a command compute on this backend, whichever the suite runs on.
setBackend('wasm');

const FIGURES = LESSONS.flatMap(figuresOf);
const pages = readdirSync(SITE).filter((file) => file.endsWith('.html'));
const read = (file: string) => readFileSync(join(SITE, file), 'utf8');

/** The text of a piece of HTML. */
const plain = (html: string) =>
  html
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#x27;/g, "'")
    .replace(/&amp;/g, '&');

/** A request whose path is sent as it is, and the answer. */
function ask(port: number, path: string, { method = 'GET', host = '127.0.0.1' } = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const sent = request({ port, path, method, host: '127.0.0.1', headers: { host } }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      sent.on('error', reject).end();
    },
  );
}

/** The hash of all gradients after the first step of the stepper's command, by one call of backward(). */
function gradientsOf(from: string): Promise<string> {
  const { recipe, loader } = recipeOf({ ...STEP_SETTINGS, seed: from });
  recipe.loss(loader.next()).backward();
  const gradients = recipe.module.namedParameters().map(([name, p]) => [name, p.grad!.toTypedArray()]);
  return numbersHash(Object.fromEntries(gradients));
}

/** Fails unless the engine has started threads, all from files of the site, and its policy refuses a worker from a blob. */
async function startsThreadsFromFiles(page: Page, started: readonly string[]): Promise<void> {
  const threads = started.filter((url) => /\/assets\/thread-[^/]*\.js$/.test(url));
  assert.ok(threads.length > 0, `workers: ${started.join(', ')}`);
  assert.equal(
    started.filter((url) => !url.startsWith(`${new URL(page.url()).origin}/assets/`)),
    [],
  );
  const engine = page.workers().find((worker) => /engine-/.test(worker.url()))!;
  const answer = await engine.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const program = new Blob(['postMessage(null)'], { type: 'text/javascript' });
        const worker = new Worker(URL.createObjectURL(program));
        worker.onmessage = () => resolve('starts');
        worker.onerror = () => resolve('refused');
      }),
  );
  assert.is(answer, 'refused', 'a worker from a blob');
}

suite('page: what is built', (test) => {
  test('the source that a page shows is the source, line by line', () => {
    let blocks = 0;
    for (const file of pages) {
      for (const [, name, first, last, code] of read(file).matchAll(
        /<pre tabindex="0" data-file="([^"]*)" data-first="(\d+)" data-last="(\d+)"><code>(.*?)<\/code>/gs,
      )) {
        const lines = readFileSync(join(ROOT, name!), 'utf8')
          .split('\n')
          .slice(Number(first) - 1, Number(last));
        const indent = lines[0]!.length - lines[0]!.trimStart().length;
        assert.is(plain(code!), lines.map((line) => line.slice(indent)).join('\n'), name);
        assert.ok(lines.length < 90, `${name}: ${lines.length} lines are too many to read`);
        blocks++;
      }
    }
    assert.ok(blocks >= 2 * FIGURES.length, `${blocks} pieces of source`);
  });

  test('each page has the policy, loads only files of the site, and has no style of its own', () => {
    assert.is(pages.length, LESSONS.length + 1);
    for (const file of pages) {
      const html = read(file);
      assert.match(html, /script-src 'self' 'wasm-unsafe-eval'; worker-src 'self';/);
      assert.not.match(html, / style=|<script(?![^>]* src=)|https?:\/\/(?!www\.w3\.org)/);
      for (const [, link] of html.matchAll(/(?:href|src|data-engine)="([^"#]+)"/g)) {
        if (link!.startsWith('data:')) continue;
        assert.ok(existsSync(join(SITE, link!)), `${file}: ${link}`);
      }
    }
  });

  test('a page shows its figures before any script: a picture, numbers, hashes and the command', () => {
    for (const lesson of LESSONS) {
      const { slug } = lesson;
      const html = read(`${slug}.html`);
      for (const { id, unhashed } of figuresOf(lesson)) {
        const [, section] = html.split(`<section class="lab" id="${id}"`);
        // Source that is shown may have any word, and the letters of a picture's data can make one.
        const lab = section!
          .split('</section>')[0]!
          .replace(/<pre.*?<\/pre>|data:image\/png;base64,[\w+/=]*/gs, '');
        assert.match(lab, /<svg[^>]* aria-label="[^"]{20,}"/, id);
        assert.not.match(lab, /NaN|undefined|Infinity/, id);
        if (unhashed) {
          assert.ok(lab.includes(unhashed), id);
          continue;
        }
        assert.match(lab, /<code data-hash="[^"]+">[0-9a-f]{64}<\/code>/, id);
        assert.match(lab, /<code>langevin [a-z]+/, id);
      }
    }
  });

  test('the sizes are within their budgets', () => {
    const size = (file: string) => gzipSync(readFileSync(join(SITE, file))).length;
    const assets = readdirSync(join(SITE, 'assets')).map((file) => `assets/${file}`);
    const total = [...assets, ...readdirSync(SITE).filter((file) => extname(file))].reduce(
      (sum, file) => sum + size(file),
      0,
    );
    assert.ok(total < 700e3, `${total} bytes in all`);
    for (const file of assets) {
      if (file.endsWith('.css')) assert.ok(size(file) < 15e3, file);
      if (file.endsWith('.woff2')) assert.ok(size(file) < 40e3, file);
      // Convolutions and attention are in the kernels: more than the 30 KB that were meant.
      if (file.endsWith('.wasm')) assert.ok(size(file) < 40e3, file);
    }
    for (const file of pages) {
      const scripts = [...read(file).matchAll(/(?:modulepreload" href|script type="module" src)="([^"]*)"/g)];
      const all = scripts.reduce((sum, [, script]) => sum + size(script!), 0);
      assert.ok(scripts.length > 1 && all < 40e3, `${file}: ${all} bytes of script`);
      // The engine stays in the worker.
      for (const [, script] of scripts) assert.not.match(read(script!), /WebAssembly/, script);
    }
  });

  test('the step of the stepper is the first batch of its command, and its differences are the derivatives', async () => {
    const session = runStep(STEP_SETTINGS);
    const line = stepCommand(STEP_SETTINGS);
    await inFolder(async (folder) => {
      const { stdout } = await langevin(line.split(' ').slice(1), folder);
      const first = stdout
        .split('\n')
        .filter((text) => text.startsWith('{'))
        .map((text) => JSON.parse(text))
        .find(({ type }) => type === 'batch');
      assert.is(session.loss, first.loss, line);
    });
    assert.equal(
      session.nodes.map(({ op }) => op),
      ['linear', 'linear', 'linear', 'linear', 'reshape', 'mse'],
    );
    for (const { id, differentiable, name } of session.tensors) {
      const { gradient } = session.kept[id]!;
      assert.is(gradient !== null, differentiable, name);
      if (!gradient || name === 'loss') continue;
      const index = gradient.reduce(
        (best, value, i) => (Math.abs(value) > Math.abs(gradient[best]!) ? i : best),
        0,
      );
      const byDifference = difference(session, id, index);
      assert.ok(
        Math.abs(byDifference - gradient[index]!) < 1e-4 * Math.abs(gradient[index]!),
        `${name}: ${byDifference}`,
      );
    }
  });

  test('settings go into an address and come back', () => {
    const values = (figure: AnyFigure) =>
      fc
        .record({ seed: fc.constantFrom('0', 'a b', 'x&y=1#%', 'ä'), steps: fc.integer({ min: 2, max: 9 }) })
        .map((some) => ({
          ...figure.initial,
          ...Object.fromEntries(Object.entries(some).filter(([name]) => name in figure.table)),
        }));
    for (const figure of FIGURES) {
      fc.assert(
        fc.property(values(figure), (given) => {
          const address = `#${addressOf(figure, given)}`;
          const { values, problems } = readAddress(FIGURES, address);
          assert.equal(problems, []);
          assert.equal({ ...figure.initial, ...values.get(figure.id) }, given, address);
        }),
        { numRuns: 30, seed: 1 },
      );
    }
  });

  test('an address that is wrong says what is wrong, and the rest of it holds', () => {
    const { values, problems } = readAddress(
      FIGURES,
      '#paths.seed=7&paths.stepps=3&paths.steps=-1&nothing.seed=1&paths.set=%&anchor',
    );
    assert.equal(values.get('paths'), { ...FIGURES.find(({ id }) => id === 'paths')!.initial, seed: '7' });
    assert.is(problems.length, 4);
    assert.match(problems[0], /got "stepps"\. Did you mean "steps"\?/);
    assert.match(problems[1], /--steps: expected a whole number >= 1, got "-1"/);
    assert.match(problems[2], /expected a figure of this page, got "nothing"/);
    assert.match(problems[3], /expected an encoded text/);
  });

  test('ticks are round and within the axis, domains reach out to them, and curves do not drift', () => {
    assert.equal(niceTicks(-0.2, 1.05, 5), [0, 0.5, 1]);
    assert.equal(niceTicks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
    assert.equal(niceDomain(-6.7, 7.1), [-10, 10]);
    assert.equal(niceDomain(3, 3), [2, 4]);
    const d = pathData(Array.from({ length: 1000 }, (_, i): [number, number] => [i / 3, Math.sin(i)]));
    const moves = [...d.matchAll(/[Ml](-?[\d.]+) /g)].map(([, x]) => Number(x));
    assert.ok(Math.abs(moves.reduce((sum, x) => sum + x, 0) - 333) < 1e-6);
    assert.is(
      pathData([
        [0, 0],
        [1, Number.NaN],
        [2, 2],
        [3, 3],
      ]),
      'M0 0M2 2l1 1',
    );
    assert.is(encodeCsv(['a,b', 't'], [[1], [2, 3]]), '"a,b",t\n1,2\n,3\n');
  });
});

suite('page: its server', (test) => {
  test('it answers with the files of its folder, isolated, and with nothing else', () =>
    inFolder(async (folder) => {
      mkdirSync(join(folder, 'site', 'assets'), { recursive: true });
      writeFileSync(join(folder, 'secret.txt'), 'secret');
      writeFileSync(join(folder, 'site', 'index.html'), '<p>page');
      writeFileSync(join(folder, 'site', 'assets', 'a-1.js'), 'script');
      if (process.platform !== 'win32')
        symlinkSync(join(folder, 'secret.txt'), join(folder, 'site', 'link.txt'));
      const { server, port } = await serveFolder(join(folder, 'site'), 0);
      try {
        const index = await ask(port, '/');
        assert.equal([index.status, index.body], [200, '<p>page']);
        assert.is(index.headers['cross-origin-opener-policy'], 'same-origin');
        assert.is(index.headers['cross-origin-embedder-policy'], 'require-corp');
        assert.match(String(index.headers['content-security-policy']), /; worker-src 'self';/);
        assert.is((await ask(port, '/?x=1#y')).body, '<p>page');
        const script = await ask(port, '/assets/a-1.js');
        assert.match(String(script.headers['content-type']), /javascript/);
        assert.match(String(script.headers['cache-control']), /immutable/);
        for (const path of [
          '/../secret.txt',
          '/..%2fsecret.txt',
          '/assets/../../secret.txt',
          '//secret.txt',
          '/link.txt',
          '/assets',
          '/none',
        ]) {
          const { status, body } = await ask(port, path);
          assert.equal([status, body], [404, ''], path);
        }
        assert.is((await ask(port, '/%E0%A4%A')).status, 400);
        assert.is((await ask(port, '/', { method: 'POST' })).status, 405);
        assert.is((await ask(port, '/', { host: 'evil.example' })).status, 421);
        const head = await ask(port, '/', { method: 'HEAD' });
        assert.equal([head.status, head.body, head.headers['content-length']], [200, '', '7']);
        rmSync(join(folder, 'site', 'assets', 'a-1.js'));
        await ask(port, '/assets/a-1.js').catch(() => null);
        assert.is((await ask(port, '/')).status, 200, 'a file that went away does not end it');
        const busy = await serveFolder(folder, port).catch((error) => String(error));
        assert.match(String(busy), /cannot serve on port \d+: it is in use; take another one with --port/);
      } finally {
        server.close();
      }
    }));

  test('the command prints its address, serves the page, and ends when it is told to', async () => {
    let address = '';
    const { code, signal } = await langevin(['page', '--port', '0', '--no-open'], ROOT, (child, stdout) => {
      const found = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(stdout);
      if (!found || address) return;
      address = found[0];
      ask(Number(found[1]), '/brownian.html').then(({ body }) => {
        assert.match(body, /Brownian motion/);
        child.kill('SIGTERM');
      });
    });
    assert.ok(address !== '');
    assert.equal([code, signal], [0, null]);
  });
});

suite('page: in a browser', (test) => {
  for (const lesson of LESSONS.filter((one) => figuresOf(one).length > 0)) {
    const { slug, title } = lesson;
    test.when(hasChromium, `${title}: every figure has the bits of the command that it shows`, async () => {
      const { server, port } = await serveFolder(SITE, 0);
      const { page, complaints, close } = await open(`http://127.0.0.1:${port}`, checkedAddress(lesson));
      try {
        for (const figure of figuresOf(lesson)) {
          const values = { ...checkedSettings(figure), seed: `page ${slug}` };
          await seed(page, figure, values.seed);
          const hashes = await computed(page, figure);
          const lines = await page.$$eval(`#${figure.id} [data-place=command] code`, (all) =>
            all.map((one) => one.textContent!),
          );
          const commands = figure.commands(values);
          assert.equal(
            lines,
            commands.map(({ line }) => line),
            'the lines are those of the settings',
          );
          for (const { line, numbers } of commands) {
            const printed = await numbersOf(line, 1, await filesOf(page, figure));
            for (const [file, key] of Object.entries(numbers)) {
              const hash = printedHash(printed, file);
              assert.match(hash!, /^[0-9a-f]{64}$/, `${line}: ${file}`);
              assert.is(hashes[key], hash, `${line}: ${file}`);
            }
          }
        }
        assert.ok(await page.evaluate('crossOriginIsolated'));
        assert.equal(complaints, []);
      } finally {
        await close();
        server.close();
      }
    });
  }

  test.when(
    hasChromium,
    'a live figure runs, pauses, steps, goes on, stops and starts again, and ends with the bits of a run without a pause',
    async () => {
      const { server, port } = await serveFolder(SITE, 0);
      const { page, complaints, close } = await open(
        `http://127.0.0.1:${port}`,
        'denoiser.html#denoiser.limit=1280&denoiser.epochs=2',
      );
      const press = (word: string) => page.click(`#denoiser [data-place=controls] button:text-is("${word}")`);
      /** The step that the page shows. */
      const step = async () =>
        Number(/^step (\d+) of 40/.exec((await page.textContent('#denoiser .scrub output'))!)?.[1]);
      const reached = (least: number) =>
        page.waitForFunction(
          (n) => {
            const words = document.querySelector('#denoiser .scrub output')!.textContent!;
            return Number(/^step (\d+) of 40/.exec(words)?.[1]) >= n;
          },
          least,
          PATIENCE,
        );
      const idle = () => page.waitForSelector('#denoiser .primary:text-is("Train")', PATIENCE);
      try {
        await press('Step');
        await reached(1);
        assert.is(await step(), 1, 'the first step is taken alone');
        await press('Step');
        await reached(2);
        assert.is(await step(), 2);
        await press('Go on');
        await reached(5);
        await press('Pause');
        await page.waitForTimeout(1000);
        const paused = await step();
        await page.waitForTimeout(1000);
        assert.is(await step(), paused, 'a pause holds');
        await press('Step');
        await reached(paused + 1);
        assert.is(await step(), paused + 1);
        await page.click('#denoiser .tools button:text-is("Stop")');
        await idle();
        assert.is(await step(), paused + 1, 'what was learned stays in sight');
        assert.is(
          await page.locator('#denoiser [data-hash]').count(),
          0,
          'a run that was stopped has no hash',
        );
        await press('Step');
        await reached(1);
        await press('Go on');
        await idle();
        const hash = await page.textContent('#denoiser [data-hash="denoised.png"]');
        const settings = { ...DENOISER.initial, limit: 1280, epochs: 2 };
        const { hashes } = await runJob('denoiser', DENOISER.request(settings));
        assert.is(hash, hashes['denoised.png']);
        assert.equal(complaints, []);
      } finally {
        await close();
        server.close();
      }
    },
  );

  test.when(
    hasChromium,
    'the stepper walks to the gradients of backward(), checks one by a difference, and a planted sign turns the check red',
    async () => {
      const { server, port } = await serveFolder(SITE, 0);
      const { page, complaints, close } = await open(`http://127.0.0.1:${port}`, 'step.html#step.seed=walk');
      try {
        await page.waitForSelector('.tensor canvas', PATIENCE);
        await page.focus('.chain');
        for (let n = 1; n <= 12; n++) {
          await page.keyboard.press('ArrowRight');
          await page.waitForFunction((most) => document.querySelectorAll('.mark-on').length === most, n, {
            timeout: 90_000,
          });
        }
        assert.match((await page.textContent('#step [role=status]'))!, /backward through node 1 of 6/);
        assert.ok(
          (await page.$$('.source:not([hidden]) .runs')).length > 3,
          'lines of the derivative are marked',
        );
        await page.keyboard.press('ArrowDown');
        assert.match((await page.textContent('.calls'))!, /gemm/);
        assert.is(await page.textContent('[data-hash=gradients]'), await gradientsOf('walk'));
        await page.click('.tensors .chip:has-text("encoder.0.weight")');
        await page.waitForFunction(() =>
          /^encoder.0.weight/.test(document.querySelector('.cell th')!.textContent!),
        );
        await page.click('.cell button');
        await page.waitForFunction(
          () => /\d$/.test(document.querySelector('.cell tr:last-child td')!.textContent!.trim()),
          undefined,
          PATIENCE,
        );
        const [value, gradient, byDifference] = await page.$$eval('.cell td', (cells) =>
          cells.map((cell) => Number(cell.textContent!.trim().replaceAll('−', '-'))),
        );
        assert.ok(Number.isFinite(value));
        assert.ok(
          Math.abs(gradient! - byDifference!) < 2e-3 * Math.abs(gradient!),
          `${gradient} ${byDifference}`,
        );
        await page.click('button:text-is("Break it")');
        await page.waitForSelector('[data-place=break] button:text-is("Stop")');
        await page.waitForSelector('.verdict.bad[role=status]', PATIENCE);
        assert.match((await page.textContent('.verdict'))!, /relative error is 2\.000/);
        assert.equal(complaints, []);
      } finally {
        await close();
        server.close();
      }
    },
  );

  test.when(
    hasChromium && availableParallelism() > 1,
    'threads start from a file of the site, under a policy that forbids all other workers',
    async () => {
      const { server, port } = await serveFolder(SITE, 0);
      const { page, complaints, close } = await open(
        `http://127.0.0.1:${port}`,
        `denoiser.html#${addressOf(THREADS, checkedSettings(THREADS))}`,
      );
      const started: string[] = [];
      page.on('worker', (worker) => started.push(worker.url()));
      try {
        await computed(page, THREADS);
        assert.match((await page.textContent('#threads [data-place=picture]'))!, /✓ bits unchanged/);
        assert.equal(complaints, []);
        await startsThreadsFromFiles(page, started);
      } finally {
        await close();
        server.close();
      }
    },
  );

  test.when(
    hasChromium,
    'on a host without headers the service worker isolates the page, with one reload',
    async () => {
      const { server, port } = await plainHost();
      const { page, complaints, close } = await open(`http://127.0.0.1:${port}`, 'brownian.html');
      try {
        let loads = 0;
        page.on('load', () => loads++);
        const started: string[] = [];
        page.on('worker', (worker) => started.push(worker.url()));
        await page.waitForFunction(() => crossOriginIsolated, undefined, PATIENCE);
        const hashes = await computed(page, FIGURES.find(({ id }) => id === 'brownian')!);
        assert.equal(
          hashes,
          Object.fromEntries(
            [...read('brownian.html').matchAll(/data-hash="([^"]*)">([^<]*)/g)].map(([, name, hash]) => [
              name,
              hash,
            ]),
          ),
        );
        assert.ok(loads <= 1, `${loads} reloads`);
        if (availableParallelism() > 1) await startsThreadsFromFiles(page, started);
        server.closeAllConnections();
        server.close();
        await page.goto(`http://127.0.0.1:${port}/noising.html`);
        await computed(page, FIGURES.find(({ id }) => id === 'schedules')!);
        assert.equal(
          complaints.filter(
            (words) => !/ERR_CONNECTION_REFUSED|Failed to update a ServiceWorker/.test(words),
          ),
          [],
        );
      } finally {
        await close();
        server.close();
      }
    },
  );

  test.when(
    hasChromium,
    'the words in the first pictures of a lesson are legible on a slim screen',
    async () => {
      const { server, port } = await serveFolder(SITE, 0);
      const viewport = { width: 360, height: 800 };
      const { page, close } = await open(`http://127.0.0.1:${port}`, 'step.html', { viewport });
      try {
        const sizes = await page.$$eval('.opening text', (all) =>
          all.map((one) => {
            const { a } = (one as SVGTextElement).getScreenCTM()!;
            return [one.textContent!, a * Number.parseFloat(getComputedStyle(one).fontSize)] as const;
          }),
        );
        assert.is(sizes.length, 3);
        for (const [words, size] of sizes) assert.ok(size >= 12, `${words}: ${size} pixels`);
        assert.is(await page.evaluate('document.documentElement.scrollWidth'), 360);
      } finally {
        await close();
        server.close();
      }
    },
  );

  test.when(hasChromium, 'what goes wrong is said in words, and the page goes on', async () => {
    const { server, port } = await serveFolder(SITE, 0);
    const { page, close } = await open(
      `http://127.0.0.1:${port}`,
      'equations.html#paths.steps=oops&paths.seed=3',
    );
    try {
      assert.match((await page.textContent('#notice'))!, /--steps: expected a whole number >= 1, got "oops"/);
      assert.is(await page.inputValue('#paths-seed'), '3');
      await page.fill('#paths-paths', '1e9');
      await page.keyboard.press('Tab');
      await page.waitForFunction(
        () =>
          /expected at most .* states on this page/.test(
            document.querySelector('#paths .problem')?.textContent ?? '',
          ),
        undefined,
        PATIENCE,
      );
      await page.fill('#paths-paths', 'many');
      await page.keyboard.press('Tab');
      assert.match(
        (await page.textContent('#paths-paths-wrong'))!,
        /--paths: expected a whole number >= 1, got "many"/,
      );
      await page.fill('#paths-paths', '60');
      await page.keyboard.press('Tab');
      await page.waitForFunction(
        () =>
          !document.querySelector('#paths .problem') &&
          /60/.test(document.querySelector('#paths [data-place=numbers]')!.textContent!),
        undefined,
        PATIENCE,
      );
      assert.match(await page.evaluate('location.hash'), /paths\.paths=60/);
    } finally {
      await close();
      server.close();
    }
  });
});
