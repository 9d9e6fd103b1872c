/**
 * What can go wrong beneath the page: the engine is killed or does not start, a file is of another kind, the browser has no
 * WebAssembly SIMD or gives no memory. The page says it in words, and goes on.
 */
import type { Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { serveFolder } from '../src/cli/page/server.ts';
import { MNIST_FILES } from '../src/data/mnist.ts';
import { DENOISER } from '../src/playground/lessons/denoiser/figure.ts';
import { npmRun } from './dist.ts';
import { computed, hasChromium, open, PATIENCE, SITE } from './helpers-page.ts';
import { suite } from './suite.ts';

npmRun('build:node', 'build:page');

/** Opens a page of the built site without its service worker, which would answer before a test can. */
async function withPage(path: string, body: (page: Page) => Promise<void>) {
  const { server, port } = await serveFolder(SITE, 0);
  const { page, complaints, close } = await open(`http://127.0.0.1:${port}`, path, {
    serviceWorkers: 'block',
  });
  try {
    await body(page);
    assert.equal(
      complaints.filter((words) => !/Service Worker registration blocked/.test(words)),
      [],
    );
  } finally {
    await close();
    server.close();
  }
}

/** Runs these lines before the engine's own, from the next engine on. */
const spoil = (page: Page, lines: string) =>
  page.route(/assets\/engine-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${lines}\n${await response.text()}` });
  });

const press = (page: Page, figure: string, word: string) =>
  page.click(`#${figure} [data-place=controls] button:text-is("${word}")`);

const engineOf = (page: Page) => page.workers().find((worker) => /engine-/.test(worker.url()))!;

/** Waits for words in a place of the page. */
const says = (page: Page, place: string, words: RegExp) =>
  page.waitForFunction(
    ([selector, source]) => new RegExp(source!).test(document.querySelector(selector!)?.textContent ?? ''),
    [place, words.source],
    PATIENCE,
  );

/** The figure computes, and what was wrong is gone. */
async function goesOn(page: Page, figure: string, word: string): Promise<void> {
  await press(page, figure, word);
  await page.waitForSelector(`#${figure} [data-place=command] button`, { ...PATIENCE, state: 'attached' });
  assert.is(await page.$(`#${figure} .problem`), null);
}

suite('page: trouble', (test) => {
  test.when(
    hasChromium,
    'a page says that its engine was killed, in a run and between two runs, and the next run starts another',
    () =>
      withPage('denoiser.html#denoiser.limit=640&denoiser.epochs=50', async (page) => {
        const kill = async () => {
          const engine = engineOf(page);
          const ended = engine.waitForEvent('close', PATIENCE);
          await engine.evaluate(() => (globalThis as unknown as { close(): void }).close());
          await ended;
        };
        await press(page, 'denoiser', 'Train');
        // The first picture is of another run, of more steps.
        await says(page, '#denoiser .scrub output', /^step [1-9]\d* of 500/);
        await kill();
        await says(
          page,
          '#denoiser .problem',
          /^the browser has ended the engine\. The next run starts it again\.$/,
        );
        await page.waitForSelector('#denoiser .primary:text-is("Train")', PATIENCE);
        await goesOn(page, 'denoiser', 'Step');
        await page.click('#denoiser .tools button:text-is("Stop")');
        await page.waitForSelector('#denoiser .primary:text-is("Train")', PATIENCE);
        await kill();
        await goesOn(page, 'denoiser', 'Step');
      }),
  );

  test.when(
    hasChromium,
    'a page says that its engine died before it began, and the next run starts another',
    () =>
      withPage('brownian.html', async (page) => {
        await page.clock.install();
        // It ends before it holds its lock. The promise keeps the rest of the script from running.
        await spoil(page, 'close(); await new Promise(() => {});');
        const dead = page.waitForEvent('worker', PATIENCE);
        await press(page, 'brownian', 'Run');
        await (await dead).waitForEvent('close', PATIENCE);
        await page.clock.fastForward(59_000);
        assert.is(await page.textContent('#brownian .status'), 'computing', 'a slow start is no failure');
        await page.clock.fastForward(2_000);
        await says(
          page,
          '#brownian .problem',
          /^the engine did not start within 60 seconds\. The next run starts it again\.$/,
        );
        await page.unroute(/assets\/engine-[^/]*\.js$/);
        await page.clock.resume();
        await goesOn(page, 'brownian', 'Reset');
      }),
  );

  for (const [what, lines] of [
    [
      'a WebAssembly memory',
      `const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (globalThis.refuse) throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory');
  return grow.call(this, pages);
};`,
    ],
    [
      'an array',
      `globalThis.Float32Array = class extends Float32Array {
  constructor(...of) {
    if (globalThis.refuse && of[0] > 1000) throw new RangeError('Array buffer allocation failed');
    super(...of);
  }
};`,
    ],
  ] as const) {
    test.when(
      hasChromium,
      `a page says that ${what} was refused in a run, and the next run has another engine with its own memory`,
      () =>
        withPage('denoiser.html#denoiser.limit=640&denoiser.epochs=1&threads.limit=1280', async (page) => {
          await spoil(page, lines);
          // A job has run, so that the engine is in use, and the next one needs more memory.
          await press(page, 'denoiser', 'Step');
          await says(page, '#denoiser .scrub output', /^step 1 of 10/);
          await page.click('#denoiser .tools button:text-is("Stop")');
          await page.waitForSelector('#denoiser .primary:text-is("Train")', PATIENCE);
          await press(page, 'threads', 'Step');
          await page.waitForSelector('#threads .primary:text-is("Go on")', PATIENCE);
          await engineOf(page).evaluate(() => Object.assign(globalThis, { refuse: true }));
          await press(page, 'threads', 'Go on');
          await says(
            page,
            '#threads .problem',
            /^out of memory: .*\. The next run starts the engine again, with fresh memory\.$/,
          );
          await goesOn(page, 'threads', 'Measure');
        }),
    );
  }

  test.when(hasChromium, 'files of another kind are refused in words, and other files or data run then', () =>
    withPage('denoiser.html#denoiser.limit=64&denoiser.epochs=1&denoiser.data=files', async (page) => {
      const file = (name: string, text: string) => ({ name, mimeType: '', buffer: Buffer.from(text) });
      const give = (files: ReturnType<typeof file>[]) => page.setInputFiles('#denoiser-files', files);
      await give([file('holiday.jpg', 'a picture')]);
      await press(page, 'denoiser', 'Train');
      await says(page, '#denoiser .problem', /your files: expected the 4 files .*, got holiday\.jpg/);
      await give(Object.keys(MNIST_FILES).map((name) => file(name, 'these bytes are no pictures')));
      await press(page, 'denoiser', 'Train');
      await says(page, '#denoiser .problem', /train-images-idx3-ubyte: expected .*, got/);
      await page.click('#denoiser summary');
      await page.setInputFiles('#denoiser-model', file('model.safetensors', 'these bytes are no model'));
      await says(page, '#denoiser details .problem', /^model\.safetensors: expected/);
      await page.selectOption('#denoiser-data', 'strokes');
      await computed(page, DENOISER);
      assert.equal(
        await page.$$eval('#denoiser .problem', (all) => all.map((one) => one.closest('details') === null)),
        [false],
        'only the model is still wrong',
      );
      await page.evaluate(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['text'], 'holiday.jpg'));
        const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
        if (document.querySelector('main')!.dispatchEvent(drop))
          throw new Error('the file replaces the page');
      });
      assert.match((await page.textContent('#notice'))!, /^A file was dropped beside its field/);
    }),
  );

  for (const [what, lines, words] of [
    ['WebAssembly SIMD', 'WebAssembly.validate = () => false;', /it lacks WebAssembly SIMD or atomics$/],
    [
      'WebAssembly',
      'delete globalThis.WebAssembly;',
      /expected an engine with WebAssembly, got one without it$/,
    ],
    [
      'memory',
      "WebAssembly.Memory = class { constructor() { throw new RangeError('WebAssembly.Memory(): could not allocate memory'); } };",
      /out of memory: this engine refuses a WebAssembly memory that may grow to 4\.00 GiB$/,
    ],
  ] as const) {
    test.when(
      hasChromium,
      `a page without ${what} says so, keeps its pictures, and computes when there is some`,
      () =>
        withPage('brownian.html', async (page) => {
          await spoil(page, lines);
          await press(page, 'brownian', 'Run');
          await says(
            page,
            '#brownian .problem',
            new RegExp(`^nothing can be computed in this tab: .*${words.source}`),
          );
          assert.ok(
            await page.isVisible('#brownian [data-place=picture] svg'),
            'the picture of the build stays',
          );
          await press(page, 'brownian', 'Step');
          await says(page, '#brownian .problem', words);
          await page.unroute(/assets\/engine-[^/]*\.js$/);
          await goesOn(page, 'brownian', 'Reset');
        }),
    );
  }
});
